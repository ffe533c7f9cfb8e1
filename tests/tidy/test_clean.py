"""What must not lie in the project, and what must not have gone stale."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.tidy import tree

BIG_BYTES = 1024 * 1024
# Folders of somebody's machine: a path that works there and nowhere else.
MACHINE = re.compile(r"(?<![\w.])/(work|root|home/\w+|Users/\w+|mnt/\w+)/")
# Where a machine gets its packages is its own matter: no address of any index or mirror.
INDEX = re.compile(
    r"https?://[\w.-]*(pypi|npm|registry|mirror|proxy|artifactory)[\w.-]*"
    r"|(extra-)?index-url\s*=|^registry\s*=|--(extra-)?index-url\s+\S",
    re.MULTILINE,
)
CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
SELF = "tests/tidy/test_clean.py"


def machine_paths(root: Path) -> list[str]:
    """Paths of one machine."""
    return _lines(root, MACHINE)


def package_indexes(root: Path) -> list[str]:
    """Addresses of package indexes, and of any package in a lock file."""
    locks = [p for p in tree.files(root) if p.suffix == ".lock" or p.name == "package-lock.json"]
    found = [
        f"{tree.name(p, root)}: has an address"
        for p in locks
        if ('"resolved"' if p.suffix == ".json" else "://") in _text(p)
    ]
    return found + _lines(root, INDEX, but=tuple(p.name for p in locks))


def conflicts(root: Path) -> list[str]:
    """Marks of a merge that was not finished."""
    return _lines(root, CONFLICT)


def big_files(root: Path) -> list[str]:
    """Files that would make every clone slow for good."""
    sizes = ((p, p.stat().st_size) for p in tree.files(root))
    return [f"{tree.name(p, root)}: {n} bytes, at most {BIG_BYTES}" for p, n in sizes if n > BIG_BYTES]


def unsaid_sources(root: Path) -> list[str]:
    """Recordings carried in the project without a SOURCE line beside them: whose, on what terms."""
    problems = []
    for path in tree.files(root, ".gz", ".ais", ".pmtiles", ".parquet", under="exercises"):
        beside = [
            p
            for p in path.parent.iterdir()
            if p.suffix in (".md", ".txt", ".toml") or p.name == "SOURCE"
        ]
        if not any("SOURCE" in p.name or "SOURCE" in _text(p) or "source" in _text(p) for p in beside):
            problems.append(f"{tree.name(path, root)}: no SOURCE line beside it")
    return problems


def _lines(root: Path, pattern: re.Pattern[str], but: tuple[str, ...] = ()) -> list[str]:
    problems = []
    for path in tree.files(root):
        where = tree.name(path, root)
        if where != SELF and path.name not in but and path.stat().st_size <= BIG_BYTES:
            for found in pattern.finditer(text := _text(path)):
                problems.append(
                    f"{where}:{text.count(chr(10), 0, found.start()) + 1}: {found[0].strip()}"
                )
    return problems


def _text(path: Path) -> str:
    """A file's text; nothing for a binary one."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8", "replace")


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "samsyn_docs_generate", tree.ROOT / "docs" / "generate.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stale_pages(docs: Path, pages: dict[str, Callable[[], str]]) -> list[str]:
    """Generated pages that are not what their source says now."""
    return [
        f"docs/{name} is out of date: run make docs"
        for name, make in pages.items()
        if not (docs / name).exists() or (docs / name).read_text(encoding="utf-8") != make()
    ]


CHECKS = [machine_paths, package_indexes, conflicts, big_files, unsaid_sources]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_the_project_holds(check: Callable[[Path], list[str]]) -> None:
    tree.none(check(tree.ROOT))


def test_generated_pages_are_fresh() -> None:
    tree.none(stale_pages(tree.ROOT / "docs", _generator().PAGES))


def test_every_limit_says_what_it_is() -> None:
    page = _generator().limits_page()
    assert not re.findall(r"^.*\|\s*\|$", page, re.MULTILINE)


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (machine_paths, "src/a.py", "HERE = '/home/somebody/main'"),
        (machine_paths, "docs/a.md", "see /home/anna/x"),
        (package_indexes, "requirements.lock", "a @ https://example.org/a.whl"),
        (package_indexes, "ui/package-lock.json", '{"resolved": "https://example.org/a.tgz"}'),
        (package_indexes, "docs/a.md", "from https://pypi.example.org/simple"),
        (package_indexes, "pip.conf", "index-url = https://example.org"),
        (conflicts, "src/a.py", "<<<<<<< HEAD\n"),
        (big_files, "ui/a.bin", "\0" * (BIG_BYTES + 1)),
        (unsaid_sources, "exercises/a/b.csv.gz", "\0"),
    ],
)
def test_a_soiled_tree_is_told(
    check: Callable[[Path], list[str]], name: str, text: str, tmp_path: Path
) -> None:
    tree.write(tmp_path, name, text)
    assert len(check(tmp_path)) == 1


def test_a_stale_page_is_told(tmp_path: Path) -> None:
    tree.write(tmp_path, "a.md", "old")
    pages = {"a.md": lambda: "new", "b.md": lambda: "b"}
    assert len(stale_pages(tmp_path, pages)) == 2
    tree.write(tmp_path, "a.md", "new")
    assert len(stale_pages(tmp_path, pages)) == 1
