"""Takes the pictures of README.md and docs/ anew, from the tests that drive a browser: `make picture`.

python docs/pictures.py            all of them
python docs/pictures.py replay     only these
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHOTS = ROOT / "build" / "shots"
MOST_BYTES = 300_000  # of one picture: who reads the pages by a slow line reads them too

# The picture docs/NAME.png, the test of tests/browser/ that ends in it, and the screenshot's name there.
PICTURES: dict[str, tuple[str, str]] = {
    "picture": ("test_demo.py", "demo-dk"),
    "as-partner": ("test_release_pages.py", "as-partner"),
    "night-swedish": ("test_demo.py", "demo-fi-sv"),
    "evidence": ("test_walks.py", "walk-evidence"),
    "asking": ("test_walks.py", "walk-answering"),
    "first-start": ("test_walks.py", "walk-first-start"),
    "replay": ("test_spoofed.py", "spoofed-found"),
    "policy-preview": ("test_release_pages.py", "policy-preview"),
    "policy-approve": ("test_release_pages.py", "policy-approve"),
}


def main(wanted: list[str]) -> int:
    """Run the tests, copy their screenshots. Exit code 1 where a test failed or a picture is too big."""
    names = wanted or list(PICTURES)
    if unknown := set(names) - set(PICTURES):
        sys.exit(f"no such picture: {', '.join(sorted(unknown))}; there are: {', '.join(PICTURES)}")
    tests = sorted({f"tests/browser/{PICTURES[name][0]}" for name in names})
    done = subprocess.run(  # noqa: S603  our own tests
        [sys.executable, "-m", "pytest", "-q", *tests],
        cwd=ROOT,
        env={**os.environ, "SAMSYN_SHOTS": str(SHOTS)},
        check=False,
    )
    for name in names:
        taken, kept = SHOTS / f"{PICTURES[name][1]}.png", HERE / f"{name}.png"
        if taken.is_file():
            shutil.copyfile(taken, kept)
            if kept.stat().st_size > MOST_BYTES:
                sys.exit(f"{kept.name} has {kept.stat().st_size:,} bytes: take it in a smaller window")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
