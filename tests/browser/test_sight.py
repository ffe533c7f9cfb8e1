"""How the picture is seen: three lights, ways to write a place, the view in the address, and axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.chromium import Watched, shot, sign_in, until
from browser.fake_node import PASSWORD, USER, Serving

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
TITLE = "Drifting: mmsi:212123000"


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA: rule, and the first place that breaks it."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        """async () => (await axe.run(document, {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
        })).violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target} ${n.failureSummary}`))"""
    )
    assert isinstance(found, list)
    return found


def open_alert(page: Page) -> None:
    page.locator("li", has_text=TITLE).locator("button[data-jti]").click()
    expect(page.locator(".right h1")).to_have_text(TITLE)


def in_every_light(page: Page, name: str) -> None:
    """What is shown, in the three lights, one after the other: each holds the contrast asked for."""
    page.evaluate("document.activeElement?.blur()")  # else the key is a letter in a field
    for light in ("night", "dusk", "day"):
        assert page.evaluate("document.documentElement.dataset.palette") == light
        shot(page, f"{name}-{light}", after_ms=1200)
        assert violations(page) == [], light
        page.keyboard.press("d")


def test_every_light_holds_the_contrast_that_wcag_asks_for(page: Page) -> None:
    open_alert(page)
    in_every_light(page, "light")
    page.keyboard.press("Escape")
    for key in ("f", "o", "e", "n"):
        page.keyboard.press(key)
        in_every_light(page, f"light-{key}")


def test_the_light_is_kept_for_the_next_time(page: Page) -> None:
    page.keyboard.press("d")
    page.keyboard.press("d")
    page.reload()
    until(page, "document.documentElement.dataset.ready === 'map'")
    assert page.evaluate("document.documentElement.dataset.palette") == "day"


def test_axe_finds_nothing_at_the_door(serving: Serving, watched: Watched) -> None:
    watched.page.goto(serving.url)
    expect(watched.page.locator("input[name=user]")).to_be_visible()
    assert violations(watched.page) == []


def test_a_place_is_written_as_each_service_writes_it(page: Page) -> None:
    open_alert(page)
    where = page.locator(".right dt", has_text="Where").locator("+ dd").first
    shown = []
    for _ in range(4):
        shown.append(where.inner_text())
        page.keyboard.press("p")
    assert where.inner_text() == shown[0]
    minutes, seconds, decimal, grid = shown
    lat, lon = (float(part) for part in decimal.split(","))
    degrees = int(minutes[:2]) + float(minutes[3:9]) / 60
    assert abs(degrees - lat) < 2e-5
    north, east = seconds.split()
    assert abs(int(north[:2]) + int(north[3:5]) / 60 + float(north[6:10]) / 3600 - lat) < 2e-5
    assert east.endswith("E") and 10 < lon < 25
    # the grid zone of the southern Baltic; the square and metres are the library's
    assert grid.split()[0] in ("32U", "33U", "32V", "33V", "34U", "34V")
    assert [len(part) for part in grid.split()] == [3, 2, 5, 5]


def test_the_view_is_in_the_address_and_comes_back_with_it(page: Page, serving: Serving) -> None:
    page.keyboard.press("/")
    page.keyboard.type("drifting")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.locator("button[title=Air]").click()
    open_alert(page)
    until(page, "location.hash.includes('map=')")  # the flight has ended
    page.wait_for_timeout(300)
    address = page.url
    for part in ("find=drifting", "on=graticule", "off=air", "open=statement:", "map="):
        assert part in address
    page.goto("about:blank")
    page.goto(address)
    until(page, "document.documentElement.dataset.ready === 'map'")
    expect(page.locator(".right h1")).to_have_text(TITLE)
    expect(page.locator("#search")).to_have_value("drifting")
    expect(page.locator("button[title=Air]")).to_have_attribute("aria-pressed", "false")
    assert page.url == address


def test_an_address_made_wrong_opens_the_usual_view(serving: Serving, watched: Watched) -> None:
    sign_in(
        watched.page,
        serving.url + "#map=99/999/x&tab=<script>&open=craft:a:b&on=no-such&show=__proto__",
        USER,
        PASSWORD,
    )
    expect(watched.page.locator("[role=tab]").first).to_have_attribute("aria-selected", "true")
    expect(watched.page.locator(".right")).to_have_count(0)


def test_the_map_has_a_twin_of_rows(page: Page) -> None:
    page.keyboard.press("t")
    table = page.get_by_role("region", name="Craft on the map")
    expect(table.locator("tbody tr").first).to_be_visible()
    table.get_by_role("button", name="Speed").click()
    table.get_by_role("button", name="Speed").click()
    expect(table.locator("th[aria-sort=descending]")).to_contain_text("Speed")
    speeds = [
        float(cell.split()[0])
        for cell in table.locator("tbody tr td:nth-child(2)").all_inner_texts()[:40]
        if cell != "–"
    ]
    assert speeds == sorted(speeds, reverse=True) and speeds[0] > 300
    shot(page, "table")
    assert violations(page) == []
    page.locator("button[title=Air]").click()
    expect(table.locator("tbody")).not_to_contain_text("icao:")
    table.locator("tbody th button").first.click()
    expect(page.locator(".right h1")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(table).to_have_count(0)
