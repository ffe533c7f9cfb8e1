"""The picture as a duty officer uses it, against a fake node."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.chromium import Watched, shot, sign_in, until, until_pixels, wait_for
from browser.fake_node import PASSWORD, USER, FakeNode, Serving
from browser.fake_story import alert_slots, partner_alert, statement
from browser.test_sight import violations

pytestmark = pytest.mark.browser

SEA_COLOUR, AIR_COLOUR = (99, 204, 224), (247, 214, 135)


@pytest.fixture
def page(serving: Serving, watched: Watched) -> Page:
    """Signed in, the map drawn, the first tracks there."""
    sign_in(watched.page, serving.url, USER, PASSWORD)
    return watched.page


def open_statement(page: Page, title: str) -> None:
    page.locator("li", has_text=title).locator("button[data-jti]").click()
    expect(page.locator(".right h1")).to_have_text(title)


def test_a_wrong_password_is_told_and_the_right_one_opens_the_desk(
    serving: Serving, browser: Browser
) -> None:
    watched = Watched(browser)
    page = watched.page
    page.goto(serving.url)
    page.fill("input[name=user]", USER)
    page.fill("input[name=password]", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong user or password.")
    shot(page, "sign-in")
    page.get_by_text("Svenska").click()
    expect(page.get_by_role("alert")).to_have_text("Fel användare eller lösenord.")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Danish Exercise Centre")).to_be_visible()
    until(page, "Number(document.documentElement.dataset.tracks) > 0")  # the line stands
    page.get_by_text("Logga ut").click()
    expect(page.locator("input[name=user]")).to_be_visible()
    watched.close()
    # the browser itself notes the one refusal; nothing else may be wrong
    assert [e for e in watched.errors if "401" not in e] == []


def test_an_identity_provider_has_a_button_and_a_failure_is_told(
    serving: Serving, watched: Watched
) -> None:
    page = watched.page
    serving.node.provider = "Coast Watch ID"
    page.goto(f"{serving.url}#failed=oidc")
    expect(page.get_by_role("alert")).to_contain_text("no account here for you")
    way = page.get_by_role("link", name="Sign in with Coast Watch ID")
    expect(way).to_have_attribute("href", "/api/oidc")
    page.get_by_text("Svenska").click()
    expect(page.get_by_role("link", name="Logga in med Coast Watch ID")).to_be_visible()
    assert violations(page) == []
    shot(page, "sign-in-provider")


@pytest.mark.dots
def test_tracks_are_drawn_sea_and_air_apart(page: Page) -> None:
    shot(page, "map", after_ms=300)
    until_pixels(page, ".map", SEA_COLOUR, range(401, 1_000_000))
    until_pixels(page, ".map", AIR_COLOUR, range(101, 1_000_000))
    page.locator("button[title=Sea]").click()
    until_pixels(page, ".map", SEA_COLOUR, range(100))  # the button's own sign is left


COUNTING = """
    window.drawn = 0;
    const asked = window.requestAnimationFrame;
    window.requestAnimationFrame = (draw) => asked.call(window, (ms) => { window.drawn++; draw(ms); });
"""


def test_a_map_at_which_nobody_does_anything_is_drawn_once_for_each_frame_of_tracks(
    serving: Serving, watched: Watched
) -> None:
    page, came = watched.page, [0]

    def count(said: str | bytes) -> None:
        came[0] += isinstance(said, bytes)

    def drawn_for_three_frames() -> int:
        before, first = int(page.evaluate("window.drawn")), came[0]
        wait_for(page, lambda: came[0] >= first + 3)
        return int(page.evaluate("window.drawn")) - before

    page.add_init_script(COUNTING)
    page.on("websocket", lambda line: line.on("framereceived", count))
    sign_in(page, serving.url, USER, PASSWORD)
    # one may be still to come of what was drawn before
    wait_for(page, lambda: 1 <= drawn_for_three_frames() <= 4, "a map at rest")


def test_a_click_on_a_track_tells_what_it_is(page: Page) -> None:
    canvas = page.locator("canvas.maplibregl-canvas")
    box = canvas.bounding_box()
    assert box is not None
    tip = page.locator(".tip")
    for step in range(160):  # along the Sound and the southern Baltic, where ships are
        page.mouse.move(box["x"] + 380 + step * 2, box["y"] + 0.88 * box["height"] + step % 7)
        if tip.count() and "mmsi" in tip.inner_text():
            break
    expect(tip).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".right h1")).to_have_text("NORDIC EXAMPLE")
    expect(page.locator(".right")).to_contain_text("Cargo ship")
    expect(page.locator(".right")).to_contain_text("12.4 kn")
    expect(page.locator(".right")).to_contain_text("Last heard")
    shot(page, "craft")


def test_an_alert_arrives_and_is_read_with_the_keyboard(page: Page, serving: Serving) -> None:
    serving.node.add(partner_alert(serving.node.now_us(), "Silence: mmsi:230111000"))
    row = page.locator("li", has_text="Silence: mmsi:230111000")
    expect(row.get_by_title("New")).to_be_visible()
    expect(page).to_have_title("(4) DK · Samsyn")
    for key in ("k", "k", "k", "Enter"):
        page.keyboard.press(key)
    panel = page.locator(".right")
    expect(panel.locator("h1")).to_have_text("Silence: mmsi:230111000")
    expect(row.get_by_title("New")).to_have_count(0)
    expect(panel).to_contain_text("within 20 km")
    expect(panel).to_contain_text("Said by fi Finnish Exercise Centre")
    expect(panel).to_contain_text("Signature checked")
    expect(panel).to_contain_text("Through FI's channel, entry 12")
    expect(panel).to_contain_text("what was not released to us is not here")
    expect(panel).not_to_contain_text("Released to")
    shot(page, "alert-from-partner", after_ms=1200)
    page.keyboard.press("j")
    expect(panel.locator("h1")).not_to_have_text("Silence: mmsi:230111000")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_our_own_alert_shows_evidence_and_what_each_partner_got(page: Page) -> None:
    open_statement(page, "Drifting: mmsi:212123000")
    panel = page.locator(".right")
    expect(panel.locator("figure svg path")).to_have_count(1)
    assert panel.locator("figure svg circle").count() > 80
    expect(panel.locator("table")).to_contain_text("0.58 kn")
    expect(panel.locator("table")).to_contain_text("≤ 5 kn")
    expect(panel).to_contain_text("Navigational status is set by hand")
    shot(page, "own-alert", after_ms=1200)
    fi = panel.locator("[data-reader=fi]")
    expect(fi).to_contain_text("area")
    expect(fi).to_contain_text("Sea surveillance agreement, art. 3")
    expect(fi).to_contain_text("Not released: author, sources")
    expect(fi).to_contain_text("sent, not yet applied")
    expect(panel.locator("[data-reader=se]")).to_contain_text("applied ✓")
    no = panel.locator("[data-reader=no]")
    expect(no).to_contain_text("nothing released")
    no.get_by_text("Why not?").click()
    expect(no).to_contain_text("No rule releases this to no")
    panel.evaluate("(panel) => panel.scrollTo(0, panel.scrollHeight)")
    shot(page, "own-alert-released")


def test_withdrawing_purges_here_and_reaches_those_who_had_it(page: Page) -> None:
    open_statement(page, "Drifting: mmsi:212123000")
    page.get_by_role("button", name="Withdraw …").click()
    expect(page.locator(".right")).to_contain_text("It has been released to FI, SE.")
    confirm = page.get_by_role("button", name="Withdraw now")
    expect(confirm).to_be_disabled()
    page.fill("input[name=why]", "wrong ship")
    confirm.click()
    panel = page.locator(".right")
    expect(panel.locator("h1")).to_have_text("Withdrawn, content purged")
    expect(panel).to_contain_text("The content has been purged here")
    expect(panel.locator("[data-reader=se]")).to_contain_text("withdrawn, applied")
    expect(page.get_by_text("Drifting: mmsi:212123000")).to_have_count(0)
    shot(page, "withdrawn")


def test_a_report_is_placed_on_the_map_and_signed(page: Page, serving: Serving) -> None:
    page.keyboard.press("n")
    page.fill("input[name=title]", "Oil on the water")
    page.mouse.click(760, 620)
    until(page, "document.querySelector('input[name=lat]').value !== ''")
    gets = page.locator("form li", has_text="Finnish Border Centre")
    expect(gets).to_contain_text("area")
    expect(page.locator("form li", has_text="Norwegian")).to_contain_text("not released")
    page.locator("select[name=marking]").select_option("TLP:RED")
    expect(gets).to_contain_text("not released")
    page.locator("select[name=marking]").select_option("TLP:AMBER")
    expect(gets).to_contain_text("area")
    gets.locator("summary").click()
    expect(gets).to_contain_text("by sea-fi")
    assert violations(page) == []
    shot(page, "say")
    page.get_by_role("button", name="Sign the report").click()
    expect(page.locator(".right h1")).to_have_text("Oil on the water")
    expect(page.locator(".right")).to_contain_text("Our own statement, signed here")
    made = serving.node.items[0]
    assert made["slots"]["title"] == "Oil on the water"
    assert 53 < made["footprint"]["coordinates"][1] < 66


def test_swedish_is_kept_and_the_exercise_is_loud(page: Page) -> None:
    expect(page.locator(".exercise .word").first).to_have_text("EXERCISE")
    page.keyboard.press("l")
    expect(page.get_by_role("tab", name="Inkorg")).to_be_visible()
    page.reload()
    until(page, "document.documentElement.dataset.ready === 'map'")
    expect(page.locator(".exercise .word").first).to_have_text("ÖVNING")
    page.keyboard.press("o")
    expect(page.get_by_text("Dess logg fortsätter inte den som setts tidigare.")).to_be_visible()
    fi = page.locator("aside.left li", has_text="fi").first
    expect(fi.locator("dl")).to_contain_text(re.compile("väntar *4 .*återtaget *5 *raderat *3 av 4"))
    expect(fi).to_contain_text("3 hålls inne: en fördröjning löper")
    shot(page, "partners-swedish", after_ms=300)
    page.keyboard.press("e")
    expect(page.get_by_text("ais-kattegat")).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_text("inte signerat").first).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Nästa och föregående")
    shot(page, "help-swedish")


def test_nothing_says_exercise_in_the_actual_realm(web: Path, watched: Watched) -> None:
    running = Serving(FakeNode(web, realm="actual", sea=40, air=9))
    sign_in(watched.page, running.url, USER, PASSWORD)
    expect(watched.page.locator(".exercise, .watermark")).to_have_count(0)
    expect(watched.page.locator(".marking")).to_contain_text("TLP:AMBER")
    watched.close()
    running.stop()


def test_a_sea_without_tracks_is_a_picture_too(web: Path, watched: Watched) -> None:
    running = Serving(FakeNode(web, sea=0, air=0))
    sign_in(watched.page, running.url, USER, PASSWORD, tracks=False)
    until(watched.page, "document.documentElement.dataset.tracks === '0'")
    watched.close()
    running.stop()


def test_the_search_narrows_the_inbox(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("se report")
    expect(page.locator("button[data-jti]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".right h1")).to_have_text("Buoy adrift south of Gotland")
    expect(page.locator(".right")).to_contain_text("within 3 km")


def test_a_broken_line_is_told_and_mends_by_itself(
    page: Page, serving: Serving, watched: Watched
) -> None:
    serving.node.break_line()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the node")
    shot(page, "line-lost")
    serving.node.add(
        partner_alert(serving.node.now_us(), "Silence: mmsi:230222000")
    )  # while nobody hears it
    serving.node.mend_line()
    expect(page.get_by_role("status")).to_contain_text("Connected again")
    expect(page.get_by_text("Silence: mmsi:230222000")).to_be_visible()
    # the browser itself notes each try that failed
    watched.errors[:] = [e for e in watched.errors if "WebSocket" not in e and "503" not in e]


def test_an_ended_session_asks_to_sign_in(page: Page, serving: Serving, watched: Watched) -> None:
    serving.node.end_sessions()
    expect(page.locator("input[name=user]")).to_be_visible()
    expect(page.get_by_text("Drifting")).to_have_count(0)
    watched.errors[:] = [e for e in watched.errors if "401" not in e]


def test_what_others_wrote_is_shown_as_text(page: Page, serving: Serving) -> None:
    evil = '<img src=x onerror="document.title=1"><b>bold</b>'
    slots = alert_slots("drift", "mmsi:230994000", evil, text=evil, author=evil)
    serving.node.add(statement("fi", "alert", 59.0, 20.0, serving.node.now_us(), slots))
    expect(page.locator("li b", has_text="<b>bold</b>")).to_be_visible()
    page.locator("li", has_text="<b>bold</b>").locator("button").click()
    expect(page.locator(".right h1")).to_have_text(evil)
    assert page.locator("li img, .right img, .right h1 b").count() == 0


def test_an_alert_asks_until_somebody_has_acknowledged_it(page: Page, serving: Serving) -> None:
    item = partner_alert(serving.node.now_us(), "Silence: mmsi:230111000")
    serving.node.add(item)
    todo = page.get_by_role("button", name="To do")
    todo.click()
    row = page.locator("li", has_text="Silence: mmsi:230111000")
    expect(row.get_by_title("Not acknowledged")).to_be_visible()
    # it closes and is withdrawn before anybody came: it still asks
    serving.node.items[0]["state"] = "withdrawn"
    serving.node.versions["statements"] += 1
    expect(row.locator(".chip", has_text="withdrawn")).to_be_visible()
    row.locator("button[data-jti]").click()
    panel = page.locator(".right")
    expect(panel).to_contain_text("Nobody has acknowledged this")
    page.keyboard.press("a")
    expect(panel).to_contain_text(f"Acknowledged by {USER}")
    expect(row).to_have_count(0)
    panel.get_by_role("button", name="Take it").click()
    expect(panel).to_contain_text(f"{USER} has it")
    panel.get_by_label("Set a time").select_option(label="in 30 min")
    expect(panel).to_contain_text("Due in ")
    page.get_by_role("button", name="Mine").click()
    expect(row).to_contain_text(USER)
    shot(page, "handled")
