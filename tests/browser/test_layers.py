"""Trails, the layers by their keys, and the counts behind the interference layer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.chromium import Watched, shot, sign_in, until, until_pixels, wait_for
from browser.fake_node import PASSWORD, USER, Serving
from browser.test_sight import in_every_light, violations

pytestmark = pytest.mark.browser

DRIFT = "Drifting: mmsi:212123000"
TRAIL_COLOUR, CELL_COLOUR = (143, 227, 169), (217, 123, 255)
LAYERS = 10


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


@pytest.mark.dots
def test_the_trail_of_the_craft_looked_at_is_drawn_with_its_times(page: Page, serving: Serving) -> None:
    page.locator("li", has_text=DRIFT).locator("button[data-jti]").click()
    page.get_by_role("button", name="Show the craft").click()
    panel = page.locator(".right")
    expect(panel).to_contain_text("Before: as heard")
    expect(panel).to_contain_text("2 positions that cannot be true are left out.")
    expect(panel.locator("figure svg path")).to_have_count(1)  # speed, as a line
    shot(page, "trail", after_ms=1500)
    until_pixels(page, ".canvas", TRAIL_COLOUR, range(100, 100_000))
    assert violations(page) == []
    # in the past the trail is what was known then, and ends there
    page.fill("#time", "2014-10-02 18:00")
    page.keyboard.press("Enter")
    until(page, "document.documentElement.dataset.at === '1412272800000000'")
    wait_for(page, lambda: serving.node.trails_asked[-1].get("known_us") == "1412272800000000")
    expect(panel).to_contain_text("Last heard")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    until_pixels(page, ".canvas", TRAIL_COLOUR, range(40))


def test_a_craft_is_told_smoothed_and_a_second_one_under_its_name(page: Page, serving: Serving) -> None:
    page.locator("li", has_text=DRIFT).locator("button[data-jti]").click()
    page.get_by_role("button", name="Show the craft").click()
    panel = page.locator(".right")
    expect(panel).to_contain_text("55°07.398′N 014°34.080′E ± 24 m, 12.3 kn ± 0.40 kn, 068°")
    expect(panel).not_to_contain_text("Two craft")
    serving.node.second_craft = {"lat": 57.5, "lon": 19.25, "error_m": 1830.2, "speed_kn": 9.96}
    expect(panel).to_contain_text("Two craft say they are this one")
    expect(panel).to_contain_text("57°30.000′N 019°15.000′E ± 1 830 m, 10 kn")
    page.keyboard.press("l")
    expect(panel).to_contain_text("Två farkoster säger sig vara denna")
    expect(panel).to_contain_text("Utjämnat")
    shot(page, "second-craft", after_ms=500)
    assert violations(page) == []


@pytest.mark.dots
def test_short_trails_of_all_grow_and_go(page: Page) -> None:
    def drawn() -> int:
        return len(page.locator(".canvas").screenshot())  # the more is drawn, the larger

    without = drawn()
    page.keyboard.press("4")
    wait_for(page, lambda: "on=trails" in page.url)
    wait_for(page, lambda: drawn() > without * 1.03)
    shot(page, "trails-all", after_ms=7_000)
    page.keyboard.press("4")
    wait_for(page, lambda: drawn() < without * 1.02)


def test_the_layers_have_keys_and_stand_in_the_address(page: Page) -> None:
    page.keyboard.press("v")
    boxes = page.locator("#all-layers input")
    expect(boxes).to_have_count(LAYERS)
    before = [boxes.nth(n).is_checked() for n in range(LAYERS)]
    for n in range(LAYERS):
        page.keyboard.press(str((n + 1) % 10))  # the tenth has 0
        expect(boxes.nth(n)).to_be_checked(checked=not before[n])
    shot(page, "layers")
    assert violations(page) == []
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    until(page, "document.documentElement.dataset.ready === 'map'")
    page.keyboard.press("v")
    for n in range(LAYERS):
        expect(boxes.nth(n)).to_be_checked(checked=not before[n])


@pytest.mark.dots
def test_interference_is_told_in_words_and_figures(page: Page) -> None:
    page.keyboard.press("7")
    legend = page.locator(".legends section", has_text="Interference")
    expect(legend).to_contain_text("37")
    until_pixels(page, ".canvas", CELL_COLOUR, range(100, 1_000_000))
    legend.get_by_role("button").click()
    table = page.get_by_role("region", name="Interference").last
    expect(table.locator("tbody tr")).to_have_count(37)
    expect(table.locator("tbody tr").first).to_contain_text("disturbed")
    table.locator("tbody th button").first.click()
    in_every_light(page, "interference")
    page.keyboard.press("l")
    table = page.get_by_role("region", name="Störning").last
    expect(table.locator("tbody tr")).to_have_count(37)
    expect(table.locator("tbody tr").first).to_contain_text("störd")


def test_activity_is_told_against_what_is_usual(page: Page) -> None:
    page.keyboard.press("8")
    legend = page.get_by_role("region", name="Activity")
    expect(legend.locator("tbody tr")).to_have_count(3)
    first = legend.locator("tbody tr").first
    expect(first).to_contain_text("Cable B")
    expect(first).to_contain_text("unusually many")
    expect(first).to_contain_text("up to 22.5")
    in_every_light(page, "activity")
