"""Evidence of every kind on the map and in plots; views that a person keeps; the reply key."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.chromium import Watched, shot, sign_in
from browser.fake_node import PASSWORD, USER, Serving
from browser.test_sight import in_every_light, violations

pytestmark = pytest.mark.browser


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


def open_finding(page: Page, text: str) -> None:
    page.keyboard.press("f")
    page.locator("aside.left li", has_text=text).get_by_role("button").click()


def test_a_pair_and_its_distance_and_integrity_are_plotted(page: Page) -> None:
    open_finding(page, "Close aircraft")
    panel = page.locator(".right")
    expect(panel.locator("h1")).to_contain_text("icao:4601aa, icao:46a3b1")
    plots = panel.locator("figure svg")
    for words in ("Altitude", "The other's", "Apart NM", "Apart in height ft", "Accuracy"):
        expect(plots).to_contain_text(words)
    expect(plots.locator("path")).to_have_count(6)  # speed, two levels, distance, difference, integrity
    shot(page, "evidence-pair", after_ms=1500)
    assert violations(page) == []


def test_a_cells_craft_are_points_and_a_list(page: Page) -> None:
    open_finding(page, "Interference")
    figure = page.locator(".right figure")
    expect(figure.get_by_role("button")).to_have_count(6)
    expect(figure.locator(".chip", has_text="position lost")).to_have_count(3)
    expect(figure.locator("svg")).to_have_count(0)
    in_every_light(page, "evidence-cell")
    page.keyboard.press("w")
    expect(page.get_by_role("dialog", name="Views that you keep")).to_be_visible()
    in_every_light(page, "views")


def test_views_are_kept_by_name_and_gone_back_to(page: Page, serving: Serving) -> None:
    page.keyboard.press("7")
    page.keyboard.press("f")
    page.keyboard.press("w")
    views = page.get_by_role("dialog", name="Views that you keep")
    page.keyboard.type("Night watch")
    page.keyboard.press("Enter")
    expect(views.get_by_role("button", name="Night watch", exact=True)).to_be_visible()
    assert "on=interference" in serving.node.views[0]["address"]
    shot(page, "views")
    page.keyboard.press("Escape")
    page.keyboard.press("7")
    page.keyboard.press("i")
    assert "interference" not in page.url
    page.keyboard.press("w")
    views.get_by_role("button", name="Night watch", exact=True).click()
    expect(page.get_by_role("tab", name="Findings")).to_have_attribute("aria-selected", "true")
    assert "on=interference" in page.url
    page.keyboard.press("w")
    views.get_by_role("button", name="Forget Night watch").click()
    expect(views).to_contain_text("None yet")


def test_r_replies_to_what_is_open(page: Page) -> None:
    page.locator("li", has_text="Silence: mmsi:230994000").locator("button[data-jti]").click()
    page.keyboard.press("r")
    expect(page.locator(".right")).to_contain_text("statement go on?")  # onward: ask
    page.locator("li", has_text="Emergency").locator("button[data-jti]").click()
    page.keyboard.press("r")
    expect(page.locator(".right h1")).to_have_text("Say something")
    expect(page.locator("input[name=lat]")).to_have_value("57.1")
