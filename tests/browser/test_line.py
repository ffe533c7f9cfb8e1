"""A line cut or slow, a laptop that slept, a session that ended: told at once, and nothing is missed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from browser.chromium import Watched, shot, sign_in, until
from browser.fake_node import PASSWORD, USER, Serving
from browser.fake_story import partner_alert
from browser.fake_traffic import Traffic
from browser.line import Line
from browser.test_sight import violations

pytestmark = pytest.mark.browser

HOME = (8.2, 53.6, 30.5, 66.0)  # ui/src/lib/view.ts
DRIFT = "Drifting: mmsi:212123000"
SILENCE = "Silence: mmsi:230333000"


def test_a_first_view_asks_for_each_list_once(serving: Serving, watched: Watched) -> None:
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(serving.url)))
    sign_in(page, serving.url, USER, PASSWORD)
    for times in (1, 2):
        serving.node.add(partner_alert(serving.node.now_us(), f"{SILENCE} {times}"))
        expect(page.locator("li", has_text=f"{SILENCE} {times}")).to_be_visible()  # so notes were heard
        assert [asked.count(f"/api/{name}") for name in ("statements", "notices")] == [2, 2]
        once = ("picture", "links", "findings", "zones", "views")
        assert [asked.count(f"/api/{name}") for name in once] == [1] * len(once)
        assert len([url for url in asked if "basemap" in url]) == 1
        # the first frame of tracks is of what the map shows first, not of the whole world
        assert serving.node.first_looks == [HOME] * times
        asked.clear()
        if times == 1:
            page.reload()
            until(page, "Number(document.documentElement.dataset.tracks) > 0")


@pytest.fixture
def line(serving: Serving) -> Iterator[Line]:
    made = Line(serving.url)
    yield made
    made.close()


def things_happen(serving: Serving) -> None:
    """What is said, what is withdrawn and what disappears while nobody hears it."""
    node = serving.node
    node.add(partner_alert(node.now_us(), SILENCE))
    withdrawn = next(item for item in node.items if item["slots"].get("title") == DRIFT)
    withdrawn.update(state="withdrawn", purged=True, slots={}, footprint=None, marking=None)
    node.items[:] = [item for item in node.items if "Buoy" not in item["slots"].get("title", "")]
    node.traffic = Traffic(sea=5, air=2)  # all others are gone


NOTING = """() => {
  window.noted = [];
  const note = () => document.querySelectorAll('.notice').forEach((one) => noted.push(one.textContent));
  const all = { childList: true, subtree: true, characterData: true };
  new MutationObserver(note).observe(document.body, all);
}"""
"""Writes down what the notices say: one shown for some seconds may come and go between two looks."""


def nothing_is_missed(page: Page) -> None:
    until(page, "window.noted.some((text) => text.includes('Connected again'))")
    expect(page.locator("li", has_text=SILENCE)).to_be_visible()
    expect(page.get_by_text(DRIFT)).to_have_count(0)
    expect(page.locator("li", has_text="Withdrawn, content purged")).to_be_visible()
    expect(page.locator("li", has_text="Buoy")).to_have_count(0)
    until(page, "document.documentElement.dataset.tracks === '7'")


def ignore_the_lost_line(watched: Watched) -> None:
    """The browser itself notes each try that failed."""
    noted = ("WebSocket", "503", "401", "Failed to load resource")
    watched.errors[:] = [e for e in watched.errors if not any(word in e for word in noted)]


def test_a_line_cut_without_a_word_is_told_and_nothing_is_missed(
    line: Line, serving: Serving, watched: Watched
) -> None:
    page = watched.page
    sign_in(page, line.url, USER, PASSWORD)
    expect(page.locator("li", has_text="Buoy")).to_be_visible()
    page.locator("li", has_text=DRIFT).locator("button[data-jti]").click()
    page.evaluate(NOTING)
    line.cut()
    # first that nothing comes, then that the line is taken for dead
    expect(page.get_by_role("status")).to_contain_text("what you see is")
    expect(page.get_by_role("alert")).to_contain_text("No connection to the node for")
    assert page.locator(".map.stale").count() == 1
    assert violations(page) == []
    shot(page, "line-cut")
    things_happen(serving)
    line.mend()
    nothing_is_missed(page)
    expect(page.locator(".right h1")).to_have_text("Withdrawn, content purged")  # it was open
    ignore_the_lost_line(watched)


def test_a_slow_line_brings_everything_and_says_how_old_it_is(
    line: Line, serving: Serving, watched: Watched
) -> None:
    page = watched.page
    serving.node.traffic = Traffic(sea=2_000, air=400)
    sign_in(page, line.url, USER, PASSWORD)
    line.slow(8_000)  # a frame takes eight seconds: longer than a silent line is believed
    expect(page.get_by_role("status")).to_contain_text("Slow line: what you see is")
    serving.node.add(partner_alert(serving.node.now_us(), SILENCE))
    expect(page.locator("li", has_text=SILENCE)).to_be_visible()
    shot(page, "line-slow")
    line.slow(0)
    expect(page.locator(".notice")).to_have_count(0)
    ignore_the_lost_line(watched)


def test_a_laptop_that_slept_catches_up(line: Line, serving: Serving, watched: Watched) -> None:
    page = watched.page
    page.clock.install()
    sign_in(page, line.url, USER, PASSWORD)
    page.evaluate(NOTING)
    line.cut()  # the network is off before the processor, and no end of the line is ever heard
    things_happen(serving)
    page.clock.fast_forward("07:00:00")
    # mended before the page has given it up, the old line would simply go on
    expect(page.get_by_role("alert")).to_contain_text("7 h")
    line.mend()
    nothing_is_missed(page)
    ignore_the_lost_line(watched)


def test_what_is_being_written_outlives_the_session_for_whoever_wrote_it(
    serving: Serving, watched: Watched
) -> None:
    page = watched.page
    sign_in(page, serving.url, USER, PASSWORD)
    page.keyboard.press("n")
    page.fill("input[name=title]", "Oil on the water")
    page.fill("textarea[name=text]", "A film half a mile wide, drifting east.")
    page.fill("input[name=lat]", "57.1")
    serving.node.end_sessions()
    expect(page.get_by_role("status")).to_contain_text("Your session has ended")
    assert "half a mile" not in page.content()  # whoever passes by does not read it
    assert violations(page) == []
    shot(page, "session-ended")
    page.fill("input[name=user]", USER)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("textarea[name=text]")).to_have_value("A film half a mile wide, drifting east.")
    expect(page.locator("input[name=title]")).to_have_value("Oil on the water")
    expect(page.locator("input[name=lat]")).to_have_value("57.1")
    # another person at the same desk gets none of it
    serving.node.end_sessions()
    expect(page.locator("input[name=user]")).to_be_visible()
    serving.node.user = "annan"
    page.fill("input[name=user]", "annan")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("aside.left")).to_be_visible()
    expect(page.locator("textarea[name=text]")).to_have_count(0)
    page.keyboard.press("n")
    expect(page.locator("textarea[name=text]")).to_have_value("")
    ignore_the_lost_line(watched)
