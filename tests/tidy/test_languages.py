"""Every text that a user sees is there in English and in Swedish."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tidy import tree

LANGUAGES = ("en", "sv")
TITLED = ("feed.toml", "detector.toml")


def missing_titles(root: Path) -> list[str]:
    """Feeds and detectors whose title is not there in both languages."""
    problems = []
    for path in tree.files(root, ".toml", under="src"):
        if path.name in TITLED:
            title = tomllib.loads(path.read_text(encoding="utf-8")).get("title", {})
            if not isinstance(title, dict) or not set(title) >= set(LANGUAGES):
                problems.append(
                    f"{tree.name(path, root)}: the title is not in {' and '.join(LANGUAGES)}"
                )
    return problems


def half_told_tables(root: Path) -> list[str]:
    """TOML tables with one language and not the other, or with an empty text."""
    return [
        f"{tree.name(path, root)}: {where}: {what}"
        for path in tree.files(root, ".toml", under="src")
        for where, table in _tables(tomllib.loads(path.read_text(encoding="utf-8")), "")
        for what in _lacking(table)
    ]


def half_told_code(root: Path) -> list[str]:
    """Dictionaries written in Python with one language and not the other."""
    problems = []
    for _, path, module in tree.modules(root):
        for node in ast.walk(module):
            if isinstance(node, ast.Dict):
                keys = {k.value for k in node.keys if isinstance(k, ast.Constant)} & set(LANGUAGES)
                if keys and keys != set(LANGUAGES):
                    problems.append(f"{tree.name(path, root)}:{node.lineno}: only in {', '.join(keys)}")
    return problems


def half_told_page(root: Path) -> list[str]:
    """Keys of the page's language files (en.json, sv.json, one a language) that one of them lacks."""
    problems = []
    for english in tree.files(root, ".json"):
        if english.name == "en.json":
            swedish = english.with_name("sv.json")
            if not swedish.exists():
                problems.append(f"{tree.name(english, root)}: there is no sv.json beside it")
                continue
            en, sv = (json.loads(p.read_text(encoding="utf-8")) for p in (english, swedish))
            problems += [
                f"{tree.name(swedish, root)}: {key!r} is not in both"
                for key in sorted(set(en) ^ set(sv))
            ]
    return problems


def _tables(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield where, value
        for key, inner in value.items():
            yield from _tables(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _tables(inner, f"{where}[{index}]")


def _lacking(table: dict[str, Any]) -> Iterator[str]:
    here = set(table) & set(LANGUAGES)
    if here and here != set(LANGUAGES):
        yield f"only in {', '.join(here)}"
    for language in here:
        if not isinstance(table[language], str | list) or not table[language]:
            yield f"nothing in {language}"


CHECKS = [missing_titles, half_told_tables, half_told_code, half_told_page]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_the_project_holds(check: Callable[[Path], list[str]]) -> None:
    tree.none(check(tree.ROOT))


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (missing_titles, "src/samsyn/feeds/a/feed.toml", "[title]\nen = 'A'\n"),
        (missing_titles, "src/samsyn/watch/detectors/a/detector.toml", "title = 'A'\n"),
        (half_told_tables, "src/samsyn/feeds/a/feed.toml", "[title]\nsv = 'A'\n"),
        (half_told_tables, "src/samsyn/feeds/a/feed.toml", "[title]\nen = 'A'\nsv = ''\n"),
        (half_told_tables, "src/samsyn/feeds/a/feed.toml", "[[known_errors]]\nen = 'A'\n"),
        (half_told_code, "src/samsyn/a.py", "x = {'en': 'Sign in'}"),
        (half_told_page, "ui/src/en.json", "{}"),
    ],
)
def test_a_missing_language_is_told(
    check: Callable[[Path], list[str]], name: str, text: str, tmp_path: Path
) -> None:
    tree.write(tmp_path, name, text)
    assert len(check(tmp_path)) == 1


def test_a_missing_key_is_told(tmp_path: Path) -> None:
    tree.write(tmp_path, "ui/src/en.json", '{"a": "A", "b": "B"}')
    tree.write(tmp_path, "ui/src/sv.json", '{"a": "A"}')
    assert half_told_page(tmp_path) == ["ui/src/sv.json: 'b' is not in both"]
