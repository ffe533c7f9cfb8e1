"""Trails, the layers by their keys, and the counts behind the interference layer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.chromium import Watched, pixels_like, shot, sign_in, until
from browser.fake_node import PASSWORD, USER, Serving
from browser.test_sight import violations

pytestmark = pytest.mark.browser

DRIFT = "Drifting: mmsi:212123000"
TRAIL_COLOUR, CELL_COLOUR = (143, 227, 169), (217, 123, 255)
LAYERS = 9
PALETTES = [("night", 0), ("dusk", 1), ("day", 2)]


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


def wait_for_pixels(page: Page, colour: tuple[int, int, int], least: int) -> None:
    for _ in range(40):
        if pixels_like(page, page.locator(".canvas").screenshot(), colour) >= least:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"never {least} pixels like {colour}")


def test_the_trail_of_the_craft_looked_at_is_drawn_with_its_times(
    page: Page, serving: Serving, tmp_path: Path
) -> None:
    page.locator("li", has_text=DRIFT).locator("button[data-jti]").click()
    page.get_by_role("button", name="Show the craft").click()
    panel = page.locator(".right")
    expect(panel).to_contain_text("Before: as heard")
    expect(panel).to_contain_text("2 positions that cannot be true are left out.")
    expect(panel.locator("figure svg path")).to_have_count(1)  # speed, as a line
    page.wait_for_timeout(1500)
    shot(page, "trail", tmp_path)
    wait_for_pixels(page, TRAIL_COLOUR, 100)
    assert violations(page) == []
    # in the past the trail is what was known then, and ends there
    page.fill("#time", "2014-10-02 18:00")
    page.keyboard.press("Enter")
    until(page, "document.documentElement.dataset.at === '1412272800000000'")
    for _ in range(100):
        if serving.node.trails_asked[-1].get("known_us") == "1412272800000000":
            break
        page.wait_for_timeout(100)
    assert serving.node.trails_asked[-1]["known_us"] == "1412272800000000"
    expect(panel).to_contain_text("Last heard")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.wait_for_timeout(800)
    assert pixels_like(page, page.locator(".canvas").screenshot(), TRAIL_COLOUR) < 40


def test_short_trails_of_all_grow_and_go(page: Page, tmp_path: Path) -> None:
    page.keyboard.press("4")
    assert "on=trails" in page.url
    page.wait_for_timeout(7_000)  # a minute of the exercise each second
    shot(page, "trails-all", tmp_path)
    with_trails = page.locator(".canvas").screenshot()
    page.keyboard.press("4")
    page.wait_for_timeout(500)
    without = page.locator(".canvas").screenshot()
    assert len(with_trails) > len(without)  # more is drawn


def test_the_layers_have_keys_and_stand_in_the_address(page: Page, tmp_path: Path) -> None:
    page.keyboard.press("v")
    boxes = page.locator("#all-layers input")
    expect(boxes).to_have_count(LAYERS)
    before = [boxes.nth(n).is_checked() for n in range(LAYERS)]
    for n in range(LAYERS):
        page.keyboard.press(str(n + 1))
        expect(boxes.nth(n)).to_be_checked(checked=not before[n])
    shot(page, "layers", tmp_path)
    assert violations(page) == []
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    until(page, "document.documentElement.dataset.ready === 'map'")
    page.keyboard.press("v")
    for n in range(LAYERS):
        expect(boxes.nth(n)).to_be_checked(checked=not before[n])


@pytest.mark.parametrize(("light", "presses"), PALETTES)
def test_interference_is_told_in_words_and_figures(
    page: Page, tmp_path: Path, light: str, presses: int
) -> None:
    for _ in range(presses):
        page.keyboard.press("d")
    if light == "day":
        page.keyboard.press("l")
    page.keyboard.press("7")
    title = "Störning" if light == "day" else "Interference"
    legend = page.locator(".legends section", has_text=title)
    expect(legend).to_contain_text("37")
    if light == "night":
        wait_for_pixels(page, CELL_COLOUR, 100)
    legend.get_by_role("button").click()
    table = page.get_by_role("region", name=title).last
    expect(table.locator("tbody tr")).to_have_count(37)
    expect(table.locator("tbody tr").first).to_contain_text("störd" if light == "day" else "disturbed")
    table.locator("tbody th button").first.click()
    page.wait_for_timeout(1500)
    shot(page, f"interference-{light}", tmp_path)
    assert violations(page) == []


@pytest.mark.parametrize(("light", "presses"), PALETTES)
def test_activity_is_told_against_what_is_usual(
    page: Page, tmp_path: Path, light: str, presses: int
) -> None:
    for _ in range(presses):
        page.keyboard.press("d")
    page.keyboard.press("8")
    legend = page.get_by_role("region", name="Activity")
    expect(legend.locator("tbody tr")).to_have_count(3)
    first = legend.locator("tbody tr").first
    expect(first).to_contain_text("Cable B")
    expect(first).to_contain_text("unusually many")
    expect(first).to_contain_text("up to 22.5")
    page.wait_for_timeout(500)
    shot(page, f"activity-{light}", tmp_path)
    assert violations(page) == []
