"""The hand-over sheet: what is on it, its marking on every page of paper, and the file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from browser.chromium import Watched, shot, sign_in, until, until_pixels
from browser.fake_node import PASSWORD, USER, FakeNode, Serving
from browser.fake_story import partner_alert, statement
from browser.pdf import Pdf
from browser.test_hostile_texts import EVIL, RUNS, Poisoned
from browser.test_sight import violations

pytestmark = pytest.mark.browser

DRAWN = """!!document.querySelector('.sheet figure img')
    && !document.querySelector('.sheet-bar .main').disabled"""
WATER_AT_NIGHT = (0x08, 0x14, 0x1D)
REMARKS = "Watch the ship that drifts.\nSE calls back at 04:30 about the buoy."


@pytest.fixture
def serving(web: Path) -> Iterator[Serving]:
    """Few craft: what is on the sheet is drawn sooner."""
    running = Serving(FakeNode(web, sea=30, air=8))
    yield running
    running.stop()


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


@pytest.fixture
def actual(web: Path) -> Iterator[Serving]:
    running = Serving(FakeNode(web, realm="actual", sea=30, air=8))
    yield running
    running.stop()


def open_sheet(page: Page) -> None:
    page.keyboard.press("x")
    until(page, DRAWN)


def printed(page: Page) -> list[str]:
    return Pdf(page.pdf(format="A4", prefer_css_page_size=True)).pages()


def saved(page: Page, name: str, to: Path) -> tuple[Download, str]:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    path = to / "sheet.html"
    waiting.value.save_as(path)
    return waiting.value, path.read_text()


def red(now_us: int, *, state: str = "open", **more: Any) -> dict[str, Any]:
    slots = {"title": "Known to few", "body.state": state}
    return statement("dk", "alert", 57.0, 19.0, now_us, slots, marking="TLP:RED", **more)


@pytest.mark.dots
def test_the_marking_is_on_every_page_of_paper(page: Page, serving: Serving) -> None:
    node = serving.node
    for n in range(20):
        node.add(partner_alert(node.now_us(), f"Silence: mmsi:23011{n:04d}"))
    expect(page.locator("button[data-jti]")).to_have_count(25)
    node.items[0]["handling"] |= {"owner": "olle", "due_us": node.now_us() - 60_000_000}
    node.add(partner_alert(node.now_us(), "Silence: mmsi:230120000"))
    expect(page.locator("button[data-jti]")).to_have_count(26)
    page.get_by_role("button", name="Hand over").click()
    until(page, DRAWN)
    page.get_by_role("textbox", name="Remarks").fill(REMARKS)
    assert violations(page) == []
    shot(page, "sheet")
    pages = printed(page)
    assert len(pages) >= 4
    for one in pages:  # a strip at the top, a strip at the foot; the exercise beside them
        assert one.count("TLP:AMBER") >= 2 and one.count("EXERCISE") >= 3, one
        assert "Nothing here is happening now." in one
    everything = "".join(pages)
    for words in REMARKS.split("\n"):
        assert words in pages[0]
    assert all(f"mmsi:23011{n:04d}" in everything for n in range(20))
    assert "olle has it" in everything and "Late: was due" in everything
    late, next_one = everything.index("mmsi:230110019"), everything.index("mmsi:230120000")
    assert late < next_one  # although it is older
    for words in (
        "Danish Exercise Centre", "Vera Vakt", "sea-alerts-nordic", "ais-kattegat", "silent",
        "Its log does not continue", "Close aircraft", "Handed over by", "Europe/Stockholm",
    ):  # fmt: skip
        assert words in everything, words
    page.keyboard.press("Escape")  # out of the field
    page.keyboard.press("Escape")
    expect(page.locator(".sheet")).to_have_count(0)
    until(page, "document.activeElement.textContent.includes('Hand over')")
    # the map has its own colours again
    until_pixels(page, ".map", WATER_AT_NIGHT, range(100_000, 2_000_000))


def test_a_sheet_of_the_real_world_says_no_exercise(actual: Serving, watched: Watched) -> None:
    sign_in(watched.page, actual.url, USER, PASSWORD)
    open_sheet(watched.page)
    pages = printed(watched.page)
    assert all(one.count("TLP:AMBER") >= 2 and "Actual" in one for one in pages)
    assert not any("EXERCISE" in one for one in pages)


def test_it_is_marked_as_strictly_as_what_it_holds(page: Page, serving: Serving) -> None:
    node = serving.node
    node.add(red(node.now_us()))
    expect(page.locator("button[data-jti]")).to_have_count(6)
    open_sheet(page)
    choice = page.locator(".sheet-bar select").nth(1)
    expect(choice).to_have_value("TLP:RED")
    expect(choice.locator("option")).to_have_text(["TLP:RED"])  # never below
    # what is not on it does not count: closed, seen, before the period, and not on this part of the map
    page.keyboard.press("Escape")
    node.items[0]["handling"] |= {"acknowledged_by": USER, "acknowledged_us": node.now_us()}
    node.items[0]["slots"]["body.state"] = "closed"
    node.items[0]["received_at_us"] -= 3600 * 10**6 * 13
    node.items[0]["footprint"] = {"type": "Point", "coordinates": [-60.0, 10.0]}
    node.versions["statements"] += 1
    expect(page.locator("li.closed button[data-jti]")).to_have_count(2)
    open_sheet(page)
    expect(choice).to_have_value("TLP:AMBER")
    choice.select_option("TLP:AMBER+STRICT")  # an officer may think it worth more
    assert all("TLP:AMBER+STRICT" in one for one in printed(page))
    page.keyboard.press("Escape")
    # on the map it counts
    node.items[0]["footprint"] = {"type": "Point", "coordinates": [19.0, 57.0]}
    node.versions["statements"] += 1
    until(page, f"!!document.querySelector('button[data-jti=\"{node.items[0]['jti']}\"]')")
    page.wait_for_timeout(1500)
    open_sheet(page)
    expect(choice).to_have_value("TLP:RED")
    page.get_by_role("checkbox", name="Map").uncheck()
    expect(choice).to_have_value("TLP:AMBER")
    expect(page.locator(".sheet figure")).to_have_count(0)


def test_what_was_purged_is_marked_as_the_whole_picture(page: Page, serving: Serving) -> None:
    node = serving.node
    page.route(
        "**/api/picture", lambda route: route.fulfill(json=route.fetch().json() | {"marking": "TLP:RED"})
    )
    gone = red(node.now_us())
    node.add(
        gone | {"state": "withdrawn", "purged": True, "slots": {}, "footprint": None, "marking": None}
    )
    node.versions["feeds"] += 1
    expect(page.locator("li.withdrawn button[data-jti]")).to_have_count(1)
    expect(page.locator(".marking")).to_contain_text("TLP:RED")
    open_sheet(page)
    expect(page.locator(".sheet")).to_contain_text("Withdrawn, content purged")
    expect(page.locator(".sheet-bar select").nth(1)).to_have_value("TLP:RED")


def test_the_period_is_chosen_and_it_is_of_the_present(page: Page) -> None:
    open_sheet(page)
    given = page.locator(".sheet section", has_text="Released to partners in the period")
    expect(given).to_contain_text("FI 2014-10-02 17:16Z · place area, time hour · sent, not yet applied")
    page.get_by_role("textbox", name="or a time").fill("18:30")
    page.keyboard.press("Enter")
    expect(given).to_contain_text("None in this period.")
    expect(page.locator(".sheet header")).to_contain_text("2014-10-02 18:30Z")
    # the open stays, however old
    expect(page.locator(".sheet")).to_contain_text("Drifting: mmsi:212123000")
    page.locator(".sheet-bar select").first.select_option(label="the last 8 h")
    expect(given).to_contain_text("FI 2014-10-02 17:16Z")

    page.keyboard.press("Escape")
    expect(page.locator(".sheet-view")).to_have_count(0)
    none_is_made_of_the_past_or_of_a_partners_picture(page)


def none_is_made_of_the_past_or_of_a_partners_picture(page: Page) -> None:
    button = page.get_by_role("button", name="Hand over")
    page.keyboard.press("[")
    expect(button).to_be_disabled()
    page.keyboard.press("x")
    page.keyboard.press("b")
    expect(button).to_be_enabled()
    page.keyboard.press("o")
    page.get_by_role("button", name="See as FI").click()
    expect(button).to_be_disabled()
    page.keyboard.press("x")
    expect(page.locator(".sheet-view")).to_have_count(0)


def test_it_says_that_the_line_was_down(page: Page, serving: Serving, watched: Watched) -> None:
    open_sheet(page)  # what draws it has come already
    page.keyboard.press("Escape")
    serving.node.break_line()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the node")
    open_sheet(page)
    expect(page.locator(".sheet")).to_contain_text("The line to the node was down")
    serving.node.mend_line()
    expect(page.get_by_role("status").filter(has_text="Connected again")).to_have_count(1)
    watched.errors.clear()  # the browser itself tells of the broken line


def test_the_file_stands_alone_and_nothing_in_it_runs(
    browser: Browser, serving: Serving, tmp_path: Path
) -> None:
    watched = Watched(browser, "sv-SE")
    page = watched.page
    poisoned = Poisoned(page)
    sign_in(page, serving.url, USER, PASSWORD)
    open_sheet(page)
    page.get_by_role("textbox", name="Anmärkningar").fill(EVIL)
    kept, text = saved(page, "Spara som fil", tmp_path)
    assert kept.suggested_filename.startswith("EXERCISE-dk-hand-over-2014-10-02T")
    assert kept.suggested_filename.endswith("Z-TLP-AMBER.html")
    assert page.evaluate("window.ran") is None and poisoned.count > 50
    assert "<script" not in text and "<textarea" not in text and '<html lang="sv">' in text
    asked: list[str] = []
    alone = browser.new_page()
    errors: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("console", lambda message: errors.append(message.text))
    alone.goto((tmp_path / "sheet.html").as_uri())
    expect(alone.locator("h1")).to_have_text("Överlämningsblad")
    assert alone.locator("body").inner_text().count(RUNS) > 5  # as text, in the remarks too
    assert EVIL in alone.locator(".remarks").inner_text()
    assert alone.evaluate("window.ran") is None and errors == []
    assert [url for url in asked if not url.startswith("data:")] == [alone.url]
    assert alone.evaluate("document.querySelector('figure img').naturalWidth") > 1000
    assert (
        alone.evaluate("document.querySelectorAll('[onerror], [onload], a, img:not(figure img)').length")
        == 0
    )
    shot(alone, "sheet-file")
    for one in printed(alone):
        assert one.count("TLP:AMBER") >= 2 and one.count("ÖVNING") >= 3
    alone.close()
    watched.close()
    assert watched.hosts <= {"127.0.0.1"} and watched.errors == []
