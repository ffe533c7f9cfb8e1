"""The pages tell the truth: every file that they name exists, and every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidy import tree

ENDINGS = "py|md|toml|jsonl?|geojson|csv|ts|svelte|html|css|svg|png|yml|lock|in|gz|sql"
NAMED = re.compile(r"`([^`\s]+)`")
PATH = re.compile(rf"^[\w.<>*-]+(/[\w.<>*-]+)*(/|\.({ENDINGS}))$")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"^(HOME|DIR|DAY|FEED)?/|^\.\.|^~")  # a user's folder, a route, a home


def named_files(root: Path) -> list[str]:
    """Files named in README and in the docs/life-of pages that are not there.

    A name may be given from the root, from src/samsyn or from the page's folder; `<name>` and `*`
    stand for any; `file.py::name` and `file.py:12` name a place in a file. A bare `name.py` must be
    somewhere in the project; other bare names may be files of a user's own.
    """
    problems = []
    for page in [*tree.files(root, ".md", under="docs"), root / "README.md"]:
        if page.exists() and (page.name == "README.md" or page.name.startswith("life-of")):
            for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
                for said in NAMED.findall(line):
                    if not _is_there(root, page, re.split(r"::?\w", said)[0]):
                        problems.append(f"{tree.name(page, root)}:{number}: no such file: {said}")
    return problems


def _is_there(root: Path, page: Path, said: str) -> bool:
    if not PATH.match(said) or ELSEWHERE.search(said):
        return True
    if "/" not in said:
        return not said.endswith(".py") or any(p.name == said for p in tree.files(root, ".py"))
    wanted = re.sub(r"<\w+>", "*", said.rstrip("/"))
    return any(
        any(start.glob(wanted)) for start in (root, root / "src", root / "src/samsyn", page.parent)
    )


def dead_links(root: Path) -> list[str]:
    """Links from any page to a file or a heading of ours that is not there."""
    problems = []
    for page in tree.files(root, ".md"):
        text = re.sub(
            r"```.*?```", lambda m: "\n" * m[0].count("\n"), page.read_text("utf-8"), flags=re.DOTALL
        )
        for number, line in enumerate(text.splitlines(), 1):
            for link in LINK.findall(line):
                if not re.match(r"[a-z]+:", link) and not _leads_somewhere(page, link):
                    problems.append(f"{tree.name(page, root)}:{number}: dead link: {link}")
    return problems


def _leads_somewhere(page: Path, link: str) -> bool:
    file, _, heading = link.partition("#")
    target = page.parent / file if file else page
    if not target.exists():
        return False
    if not heading:
        return True
    titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


CHECKS = [named_files, dead_links]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_the_project_holds(check: Callable[[Path], list[str]]) -> None:
    tree.none(check(tree.ROOT))


@pytest.mark.parametrize(
    ("check", "page", "text"),
    [
        (named_files, "docs/life-of-a-thing.md", "It begins in `feeds/gone.py`."),
        (named_files, "docs/life-of-a-thing.md", "It begins in `gone.py`."),
        (named_files, "docs/life-of-a-thing.md", "It begins in `feeds/here.py` and `feeds/gone.py::f`."),
        (named_files, "README.md", "See `feeds/<name>/gone.toml`."),
        (named_files, "README.md", "See `feeds/gone/`."),
        (dead_links, "docs/a.md", "[a](gone.md)"),
        (dead_links, "docs/a.md", "![a](gone.png)"),
        (dead_links, "docs/a.md", "# Here\n[a](#gone)"),
    ],
)
def test_a_false_page_is_told(
    check: Callable[[Path], list[str]], page: str, text: str, tmp_path: Path
) -> None:
    tree.write(tmp_path, "src/samsyn/feeds/here.py", "")
    tree.write(tmp_path, page, text)
    assert len(check(tmp_path)) == 1


def test_a_true_page_holds(tmp_path: Path) -> None:
    tree.write(tmp_path, "src/samsyn/feeds/ais/feed.py", "")
    tree.write(
        tmp_path,
        "docs/life-of-a-thing.md",
        "# Its Life, in short\n`feeds/ais/feed.py`, `feeds/<name>/feed.py:3`, `src/samsyn/feeds/`\n"
        "`feed.py::f`, `/exchange/entries`, `config.toml`, `HOME/config.toml`, `place.exact`\n"
        "[here](#its-life-in-short) [there](../src/samsyn/feeds/ais/feed.py) [out](https://example.org/a.md)\n",
    )
    assert named_files(tmp_path) == []
    assert dead_links(tmp_path) == []
