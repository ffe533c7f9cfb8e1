"""Looking back: play, pause, step, a time typed in; as known here and as a partner had it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.chromium import Watched, shot, sign_in, until
from browser.fake_node import PASSWORD, USER, Serving
from browser.fake_story import partner_alert
from browser.test_sight import in_every_light, violations

pytestmark = pytest.mark.browser

DRIFT = "Drifting: mmsi:212123000"
AT = "document.documentElement.dataset.at"


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


def jump(page: Page, time: str) -> None:
    page.fill("#time", time)
    page.keyboard.press("Enter")


def shown_us(page: Page) -> int:
    """The time of the tracks that are drawn; 0 for now."""
    text = page.evaluate(AT)
    return 0 if text == "now" else int(text)


def test_a_time_typed_in_shows_what_was_known_then(page: Page, serving: Serving) -> None:
    jump(page, "2014-10-02 17:02")
    banner = page.get_by_role("region", name="Looking back")
    expect(banner).to_contain_text("as known at DK at 2014-10-02 17:02:00Z")
    until(page, f"{AT} === '1412269320000000'")
    # only what had come by then: the drift was told of at 17:01:35
    expect(page.locator("button[data-jti]")).to_have_count(1)
    page.locator("button[data-jti]").click()
    panel = page.locator(".right")
    expect(panel.locator("h1")).to_have_text(DRIFT)
    # it was given to se only at 17:01:40, and to fi a quarter of an hour later
    expect(panel.locator("[data-reader=se]")).to_contain_text("given 2014-10-02 17:01:40Z")
    expect(panel.locator("[data-reader=fi]")).to_contain_text("nothing released")
    expect(panel.get_by_role("button", name="Withdraw …")).to_have_count(0)
    expect(page.get_by_role("button", name="Say …")).to_be_disabled()
    shot(page, "past-known", after_ms=1200)
    assert violations(page) == []
    # what comes meanwhile is told, and is not in the past
    serving.node.add(partner_alert(serving.node.now_us(), "Silence: mmsi:230111000"))
    expect(banner).to_contain_text("1 new now")
    expect(page.locator("button[data-jti]")).to_have_count(1)
    page.keyboard.press("b")
    expect(banner).to_have_count(0)
    expect(page.locator("button[data-jti]")).to_have_count(6)
    until(page, f"{AT} === 'now'")


def test_it_plays_pauses_and_steps_with_the_keyboard(page: Page, serving: Serving) -> None:
    page.keyboard.press("[")
    state = page.locator(".bar .state")
    expect(state).to_have_text("stands still")
    until(page, f"{AT} !== 'now'")
    first = shown_us(page)
    page.keyboard.press("[")
    until(page, f"{AT} === '{first - 60_000_000}'")
    page.keyboard.press("]")
    until(page, f"{AT} === '{first}'")
    page.select_option("section.bar select >> nth=0", "300")
    page.locator("body").click(position={"x": 5, "y": 400})
    jump(page, "18:00")
    page.keyboard.press(" ")
    expect(state).to_have_text("playing")
    until(page, f"Number({AT}) > 1412272800000000 + 600e6")
    while len(set(serving.node.frames_asked)) <= 5:  # it is drawn as it goes, however slow the machine
        expect(state).to_have_text("playing")
        page.wait_for_timeout(50)
    page.keyboard.press(" ")
    expect(state).to_have_text("stands still")
    page.wait_for_timeout(600)
    stood = shown_us(page)
    page.wait_for_timeout(600)
    assert shown_us(page) == stood


def test_playing_runs_into_now_and_is_live_again(page: Page) -> None:
    page.keyboard.press("[")
    page.select_option("section.bar select >> nth=0", "1200")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("region", name="Looking back")).to_have_count(0)
    expect(page.locator(".bar .state")).to_have_text("live")


def test_the_past_as_a_partner_had_it_is_in_the_address(page: Page) -> None:
    jump(page, "2014-10-02 17:05")
    page.select_option("section.bar select >> nth=1", "fi")
    left = page.locator("aside.left")
    expect(left).to_contain_text("What FI had of ours")
    expect(left).to_contain_text("It was given to fi later")
    expect(left.get_by_role("button", name=DRIFT)).to_have_count(0)
    banner = page.get_by_role("region", name="Looking back")
    expect(banner).to_contain_text("as given to FI by 2014-10-02 17:05:00Z")
    assert "at=2014-10-02T17:05:00Z" in page.url and "as=fi" in page.url
    jump(page, "17:30")
    left.get_by_role("button", name=DRIFT).click()
    expect(page.locator(".right")).to_contain_text("left out by sea-alerts-nordic")
    shot(page, "past-as-partner", after_ms=800)
    assert violations(page) == []
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    until(page, "document.documentElement.dataset.ready === 'map'")
    expect(banner).to_contain_text("as given to FI by 2014-10-02 17:30:00Z")
    expect(left.get_by_role("button", name=DRIFT)).to_be_visible()


def test_the_past_in_every_light_and_in_swedish(page: Page) -> None:
    page.keyboard.press("l")
    jump(page, "2014-10-02 20:00")
    expect(page.get_by_role("region", name="Tillbakablick")).to_contain_text("så som DK kände det")
    page.locator("button[data-jti]").first.click()
    in_every_light(page, "past-sv")


def test_a_node_that_does_not_answer_is_told_in_the_past_too(
    page: Page, serving: Serving, watched: Watched
) -> None:
    page.keyboard.press("[")
    until(page, f"{AT} !== 'now'")
    serving.node.break_line()
    page.keyboard.press("[")
    expect(page.get_by_role("region", name="Looking back")).to_contain_text("does not answer")
    serving.node.mend_line()
    expect(page.get_by_role("region", name="Looking back")).not_to_contain_text("does not answer")
    watched.errors[:] = [e for e in watched.errors if "WebSocket" not in e and "503" not in e]


def test_a_time_that_is_none_changes_nothing(page: Page) -> None:
    for wrong in ("25:00", "yesterday", "18:61", "2014-13-01 10:00"):
        page.fill("#time", wrong)
        page.keyboard.press("Enter")
        expect(page.locator("#time")).to_have_attribute("aria-invalid", "true")
        page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Looking back")).to_have_count(0)
