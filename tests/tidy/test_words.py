"""One word per idea: the banned words of docs/words.md are nowhere but where that page allows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tidy import tree

PAGE = "docs/words.md"
LOOKED_AT = (
    "src",
    "ui",
    "tests",
    "bench",
    "docs",
    "spec",
    "exercises",
    "README.md",
    "CHANGELOG.md",
    "hatch_build.py",
)
SELF = (PAGE, "tests/tidy/test_words.py")  # the list itself, and what tests it
OTHERS = ("package-lock.json",)  # names of other people's packages


@dataclass(frozen=True)
class Banned:
    """One row of the banned list: the word, what to say, and the folders where it may stand."""

    word: str
    instead: str
    allowed: tuple[str, ...]

    def pattern(self) -> re.Pattern[str]:
        """Finds the word as a part of a name in snake_case, camelCase or prose, singular or plural.

        A word in capitals is found only in capitals: it would be part of too many others.
        """
        if self.word.isupper():
            return re.compile(rf"(?<![A-Za-z]){self.word}s?(?![A-Za-z])")
        forms = rf"{self.word[:-1]}(?:y|ies)" if self.word.endswith("y") else rf"{self.word}s?"
        first, rest = forms[0], forms[1:]
        small = rf"(?<![A-Za-z]){first}{rest}(?![a-z])"
        camel = rf"{first.upper()}{rest}(?![a-z])"
        capitals = rf"(?<![A-Za-z])(?:{forms.upper()})(?![A-Za-z])"
        return re.compile(f"{small}|{camel}|{capitals}")


def banned(page: str) -> list[Banned]:
    """The rows of the table under `## Banned words`."""
    rows = re.findall(r"^\|(.*)\|$", _section(page, "Banned words"), re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows[2:]]  # heading and rule first
    return [
        Banned(word, instead, tuple(re.findall(r"`([^`]+)`", where))) for word, instead, where in cells
    ]


def others_names(page: str) -> list[str]:
    """The names under `## Names that others chose`, longest first."""
    return sorted(
        re.findall(r"`([^`]+)`", _section(page, "Names that others chose")), key=len, reverse=True
    )


def _section(page: str, title: str) -> str:
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


def banned_words(root: Path, page: str) -> list[str]:
    """Every line of text in the tree that has a banned word where it is not allowed."""
    words = [(one, one.pattern()) for one in banned(page)]
    foreign = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, others_names(page)))})(?!\w)")
    problems = []
    for path in tree.files(root, *tree.TEXT):
        where = tree.name(path, root)
        if not where.startswith(LOOKED_AT) or where in SELF or path.name in OTHERS:
            continue
        here = [(one, pattern) for one, pattern in words if not where.startswith(one.allowed)]
        problems += [f"{where}: the file's name has {one.word!r}" for one, p in here if p.search(where)]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            ours = foreign.sub("", line)
            problems += [
                f"{where}:{number}: {one.word!r} (say: {one.instead}): {line.strip()[:100]}"
                for one, pattern in here
                if pattern.search(ours)
            ]
    return problems


def test_no_banned_word_anywhere() -> None:
    tree.none(banned_words(tree.ROOT, (tree.ROOT / PAGE).read_text(encoding="utf-8")))


def test_the_list_is_read() -> None:
    words = {one.word: one for one in banned((tree.ROOT / PAGE).read_text(encoding="utf-8"))}
    assert words["event"].allowed == (
        "src/samsyn/formats/",
        "tests/formats/",
        "src/samsyn/feeds/misp/",
    )
    assert {"trajectory", "COP", "dashboard", "subscriber"} <= set(words)


LIST = """
## Banned words

| banned | use | but allowed in |
|---|---|---|
| event | finding | `src/samsyn/formats/` |
| trajectory | track | |
| COP | picture | |

## Names that others chose

- `threading.Event`, `addEventListener`
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("src/samsyn/a.py", "on_event = 1"),
        ("src/samsyn/a.py", "class EventList: ..."),
        ("src/samsyn/a.py", "x = 'two events a day'"),
        ("src/samsyn/a.py", "MAX_EVENTS = 2"),
        ("src/samsyn/a.py", "# in any event"),
        ("src/samsyn/a.py", "threading.Event().event"),
        ("src/samsyn/a.toml", "title = 'Trajectories'"),
        ("src/samsyn/event_list.py", "x = 1"),
        ("ui/src/a.svelte", "function handleEvent() {}"),
        ("docs/a.md", "the COP of the day"),
        ("README.md", "a trajectory"),
    ],
)
def test_a_banned_word_is_told(name: str, line: str, tmp_path: Path) -> None:
    tree.write(tmp_path, name, line)
    assert len(banned_words(tmp_path, LIST)) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("src/samsyn/a.py", "prevent(eventually, seventh, preventive, cop, copy, COPY, scope)"),
        ("src/samsyn/a.py", "stop = threading.Event()"),
        ("src/samsyn/formats/a.py", "event = 1"),
        ("ui/src/a.ts", "addEventListener('click', f)"),
        ("ui/node_modules/x/a.ts", "event"),
    ],
)
def test_other_words_may_stand(name: str, line: str, tmp_path: Path) -> None:
    tree.write(tmp_path, name, line)
    assert banned_words(tmp_path, LIST) == []
