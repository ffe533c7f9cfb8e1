"""The timeline: a click goes there, a drag narrows the inbox, keys do both, rows tell the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.chromium import Watched, shot, sign_in
from browser.fake_node import PASSWORD, USER, Serving
from browser.test_sight import in_every_light

pytestmark = pytest.mark.browser


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


@pytest.fixture
def line(page: Page) -> Locator:
    return page.get_by_role("slider", name="Time looked at")


def box(line: Locator) -> dict[str, float]:
    found = line.bounding_box()
    assert found is not None
    return dict(found)


def test_a_click_on_a_mark_goes_to_its_time_and_opens_it(page: Page, line: Locator) -> None:
    mark = line.locator("g.own.open").first
    place = mark.bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(page.get_by_role("region", name="Looking back")).to_contain_text("2014-10-02 17:01:35Z")
    expect(page.locator(".right h1")).to_have_text("Drifting: mmsi:212123000")


def test_a_drag_chooses_a_piece_of_time_for_the_inbox_and_the_address(page: Page, line: Locator) -> None:
    at = box(line)
    expect(page.locator("button[data-jti]")).to_have_count(5)
    page.mouse.move(at["x"] + at["width"] * 0.30, at["y"] + 20)
    page.mouse.down()
    page.mouse.move(at["x"] + at["width"] * 0.45, at["y"] + 30)
    page.mouse.move(at["x"] + at["width"] * 0.56, at["y"] + 30)
    page.mouse.up()
    chosen = page.locator(".during").first
    expect(chosen).to_be_visible()
    rows = page.locator("button[data-jti]").count()
    assert 0 < rows < 5
    assert "during=2014-10-02T" in page.url
    expect(page.get_by_role("region", name="Looking back")).to_have_count(0)  # a drag goes nowhere
    shot(page, "timeline-during")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("button[data-jti]")).to_have_count(rows)
    page.get_by_role("button", name="show all times again").click()
    expect(page.locator("button[data-jti]")).to_have_count(5)


def test_the_timeline_is_worked_with_the_keyboard(page: Page, line: Locator) -> None:
    line.focus()
    page.keyboard.press("PageDown")
    banner = page.get_by_role("region", name="Looking back")
    expect(banner).to_contain_text("h ago")
    told = line.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowLeft")
    assert line.get_attribute("aria-valuetext") != told
    wide = int(line.get_attribute("aria-valuemax") or 0) - int(line.get_attribute("aria-valuemin") or 0)
    page.keyboard.press("+")
    near = int(line.get_attribute("aria-valuemax") or 0) - int(line.get_attribute("aria-valuemin") or 0)
    assert near < wide
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("button.during")).to_be_visible()
    page.keyboard.press("End")
    expect(banner).to_have_count(0)


def test_rows_tell_what_the_lanes_show(page: Page) -> None:
    page.locator("section.bar").get_by_role("button", name="Table").click()
    table = page.get_by_role("region", name="Timeline as a table")
    expect(table.locator("tbody tr")).to_have_count(8)  # five statements, three findings nobody signed
    expect(table).to_contain_text("Silence: mmsi:211002114")
    in_every_light(page, "timeline-table")
    table.locator("tbody th button").last.click()
    expect(page.get_by_role("region", name="Looking back")).to_contain_text("2014-10-02 17:01:35Z")


def test_the_timeline_can_be_put_away(page: Page, line: Locator) -> None:
    page.keyboard.press("y")
    expect(line).to_have_count(0)
    page.keyboard.press("y")
    expect(line).to_be_visible()
