"""Craft as symbols of APP-6: when asked for, of unknown identity, and not when there are too many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.chromium import Watched, pixels_like, shot, sign_in, until, until_pixels
from browser.fake_node import PASSWORD, USER, FakeNode, Serving
from browser.fake_traffic import Traffic

pytestmark = pytest.mark.browser

UNKNOWN = (0xFF, 0xFF, 0x80)  # the colour of frames whose side is not known
DRAWN = "document.documentElement.dataset.symbols"


@pytest.fixture
def serving(web: Path) -> Iterator[Serving]:
    running = Serving(FakeNode(web, sea=60, air=20))
    yield running
    running.stop()


@pytest.mark.dots
def test_craft_are_drawn_as_symbols_when_asked(serving: Serving, watched: Watched) -> None:
    page, asked = watched.page, []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, serving.url, USER, PASSWORD)
    assert not [url for url in asked if "symbols" in url]  # nothing is loaded that nobody wants
    assert pixels_like(page, page.screenshot(), UNKNOWN, 3) < 50
    page.keyboard.press("0")
    until(page, f"{DRAWN} === 'drawn'")
    assert [url for url in asked if "symbols" in url]
    until(page, "location.hash.includes('on=symbols')")
    page.evaluate("location.hash = '#map=5.20/58.000/18.000&on=symbols&open=craft:1:219000001'")
    symbol = page.locator(".right img")
    expect(symbol).to_have_attribute(
        "alt", "APP-6 symbol 10113000001401010000"
    )  # unknown, in an exercise
    until(page, "document.querySelector('.right img').naturalWidth > 30")
    until_pixels(page, ".map", UNKNOWN, range(200, 1_000_000))  # a frame of the new part of the map
    shot(page, "symbols")
    # too many: marks again, and said so
    serving.node.traffic = Traffic(3300, 20)
    expect(page.get_by_role("status").filter(has_text="drawn as marks")).to_be_visible()
    serving.node.traffic = Traffic(60, 20)
    expect(page.get_by_role("status").filter(has_text="drawn as marks")).to_have_count(0)
    page.keyboard.press("0")
    until(page, f"{DRAWN} === ''")
    expect(symbol).to_have_count(0)
