"""Writes the reference pages that are made from the code: `make docs`.

A page is a function here that returns its text. `tests/tidy/test_clean.py` fails when a written
page is not what its function returns, so a reference page is never older than what it is about.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from samsyn.base import limits

DOCS = Path(__file__).resolve().parent
MADE = "<!-- Written by `make docs`; change the source that is named here, not this page. -->"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def limits_page() -> str:
    """What a node takes from outside at most, from base/limits.py and the comments in it."""
    parts = [
        f"# Limits\n\n{MADE}",
        "Every limit on what comes from outside, from `src/samsyn/base/limits.py`. What is over a\n"
        "limit is refused with its reason; nothing is cut short in silence.",
    ]
    for title, entries in _sections(Path(limits.__file__).read_text(encoding="utf-8")):
        rows = [
            [f"`{name}`", _amount(name, getattr(limits, name)), comment] for name, comment in entries
        ]
        parts += [f"## {title[0].upper()}{title[1:]}", table(["limit", "at most", "what it is"], rows)]
    return "\n\n".join(parts) + "\n"


def _sections(source: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Title and (name, comment) of the limits under each comment line that follows an empty one."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for block in source.split("\n\n"):
        title, _, lines = block.partition("\n")
        if title.startswith("# "):
            entries = re.findall(r"^([A-Z_]+): Final = [^#\n]*(?:# *(.*))?$", lines, re.MULTILINE)
            found.append((title[2:], entries))
    return found


def _amount(name: str, value: float) -> str:
    """A limit with its unit, which the name says (`_BYTES`, `_S`, `_MS`)."""
    words = name.split("_")
    if "BYTES" in words:
        for size, unit in ((limits.MIB, "MiB"), (limits.KIB, "KiB")):
            if value >= size and value % size == 0:
                return f"{value / size:g} {unit}"
        return f"{value} bytes"
    if "S" in words:
        return f"{value / 3600:g} h" if value >= 3600 and value % 3600 == 0 else f"{value:g} s"
    return f"{value:,}"


PAGES: dict[str, Callable[[], str]] = {
    "limits.md": limits_page,
}


def main() -> None:
    """Write every page that changed, and say which."""
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}", file=sys.stderr)


if __name__ == "__main__":
    main()
