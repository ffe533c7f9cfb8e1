"""Writes the reference pages that are made from the code: `make docs`.

A page is a function here that returns its text. `tests/tidy/test_clean.py` fails when a written
page is not what its function returns, so a reference page is never older than what it is about.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from enum import IntEnum, IntFlag
from pathlib import Path

from samsyn.base import limits
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import FeedKind
from samsyn.feeds.runner import discover as feeds
from samsyn.observations.plausible import Mark
from samsyn.observations.schema import COLUMNS, Emergency, TimeSource
from samsyn.watch.definition import Definition
from samsyn.watch.definition import discover as detectors

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


def observations_page() -> str:
    """The one table of columns, from observations/schema.py, and the codes in them."""
    rows = [[f"`{c.name}`", c.dtype.__name__, c.unit, c.meaning, c.source] for c in COLUMNS]
    return (
        "\n\n".join(
            [
                f"# Columns of an observation\n\n{MADE}",
                "Every feed gives rows of these columns only (`src/samsyn/observations/schema.py`).\n"
                "What a source does not say is absent (null), never zero.",
                table(["column", "type", "unit", "what it holds", "said by"], rows),
                "## Marks\n\nRows are marked, never dropped (`src/samsyn/observations/plausible.py`).",
                table(["bit", "mark", "what it means"], _members(Mark)),
                "## Codes of `emergency`",
                table(["code", "name", "note"], _members(Emergency)),
                "## Codes of `time_source`",
                table(["code", "name", "note"], _members(TimeSource)),
            ]
        )
        + "\n"
    )


def _members(enum: type[IntEnum] | type[IntFlag]) -> list[list[str]]:
    """Number, name and comment of each member of an enumeration."""
    said = dict(re.findall(r"^    ([A-Z_]+) = \d+  # (.*)$", inspect.getsource(enum), re.MULTILINE))
    return [[str(m.value), f"`{m.name}`", said.get(str(m.name), "")] for m in enum]


def detectors_page() -> str:
    """What each detector looks for, from the detector.toml in its folder."""
    parts = [
        f"# Detectors\n\n{MADE}",
        "Each is a folder in `src/samsyn/watch/detectors/`: its definition, its code, and cases that\n"
        "fire and cases that stay silent. A finding names its evidence, the threshold that was\n"
        "crossed, and the known error that would explain it away.",
    ]
    for definition, _ in detectors().values():
        parts += _detector(definition)
    return "\n\n".join(parts) + "\n"


def _detector(one: Definition) -> list[str]:
    rows = [
        [f"`{name}`", f"{t.value:,g} {t.unit}".strip(), t.meaning.en, t.source]
        for name, t in one.thresholds.items()
    ]
    return [
        f"## {one.title.en} (`{one.id}`)",
        one.definition.en,
        f"**What to do.** {one.what_to_do.en}",
        table(["threshold", "value", "meaning", "source"], rows),
        "**Known errors**\n\n" + "\n".join(f"- `{error.id}`: {error.en}" for error in one.known_errors),
        "**It ends when**\n\n" + "\n".join(f"- `{name}`: {why.en}" for name, why in one.closed.items()),
    ]


def feeds_page() -> str:
    """What each kind of feed reads, from the feed.toml in its folder."""
    parts = [
        f"# Feeds\n\n{MADE}",
        "Each is a folder in `src/samsyn/feeds/`. `samsyn feed try FILE` guesses the kind and shows\n"
        "what is in a recording. What cannot be read is counted by reason, with line or offset.",
        "An administrator adds, tries, changes, suspends and removes feeds in the picture while the\n"
        "node runs (**Settings**, [picture.md](picture.md)): they stand in `feeds.toml` beside\n"
        "`config.toml`, in the same words. What `config.toml` names can be suspended and taken up\n"
        "there, no more. Files are read from the home's folder `feeds`, no feed is marked more openly\n"
        "than it was, and what needs tables, objects or a secret is named in `config.toml`\n"
        "([ADR 0031](adr/0031-settings-in-the-picture.md)).",
    ]
    parts += [
        "## Settings of a feed",
        "Of a `[[feed]]` in `config.toml` or `feeds.toml`; `samsyn feed try` takes them as\n"
        "`--set KEY=VALUE`.",
        table(["setting", "what it says"], _settings(inspect.getsource(FeedSettings))),
        "**tcp** is a port that we call; any kind that has it also takes callers at a port of ours:\n"
        "`tcp-listen:10110`, on this machine only, or `tcp-listen:HOST:PORT`. **udp** to a multicast\n"
        "group joins it. A closed or silent port is tried again, waiting longer each time.",
    ]
    for _, kind in sorted(feeds().items()):
        parts += _feed(kind)
    return "\n\n".join(parts) + "\n"


def _settings(source: str) -> list[list[str]]:
    """Name and comment of each field of a settings class; without a comment, its type."""
    found = re.findall(r"^    (\w+): ([^=#\n]+?)(?: = [^#\n]*)?(?:  # (.*))?$", source, re.MULTILINE)
    return [[f"`{name}`", comment or kind.strip()] for name, kind, comment in found]


def _feed(kind: FeedKind) -> list[str]:
    return [
        f"## {kind.title['en']} (`{kind.name}`)",
        kind.description["en"],
        f"**Read from:** {', '.join(kind.sources)}.",
        f"**Licence.** {kind.licence['en']}",
        table(
            ["what the source gives", "its unit"], [[name, unit] for name, unit in kind.units.items()]
        ),
        "**Known errors**\n\n" + "\n".join(f"- {error['en']}" for error in kind.known_errors),
    ]


PAGES: dict[str, Callable[[], str]] = {
    "detectors.md": detectors_page,
    "feeds.md": feeds_page,
    "limits.md": limits_page,
    "observations.md": observations_page,
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
