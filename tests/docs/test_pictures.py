"""Every picture in README.md and docs/ is a screenshot that a test takes, and none is made by hand."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
PNG = b"\x89PNG\r\n\x1a\n"


def _table() -> tuple[dict[str, tuple[str, str]], int]:
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PICTURES, module.MOST_BYTES


PICTURES, MOST_BYTES = _table()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLACES = {
    (page.parent / link).resolve(): (page, words)
    for page in PAGES
    for words, link in SHOWN.findall(page.read_text(encoding="utf-8"))
}


def test_every_picture_shown_is_one_that_make_picture_takes() -> None:
    taken = {ROOT / "docs" / f"{name}.png" for name in PICTURES}
    assert set(PLACES) == taken
    assert set((ROOT / "docs").rglob("*.png")) == taken
    assert [page for page, words in PLACES.values() if len(words) < 10] == []


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_there_and_small_and_a_test_takes_it(name: str) -> None:
    picture = (ROOT / "docs" / f"{name}.png").read_bytes()
    assert picture.startswith(PNG) and len(picture) <= MOST_BYTES
    test, shot = PICTURES[name]
    source = (ROOT / "tests" / "browser" / test).read_text(encoding="utf-8")
    assert f'"{shot}"' in source
