"""Three real nodes in three processes, seen through a browser; the README's picture is made here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.chromium import Watched, shot, sign_in
from browser.test_sight import violations
from samsyn.demo.cast import wait_for
from samsyn.demo.play import REPORT, Play
from tests.scenarios.network import ports_for

pytestmark = pytest.mark.browser

DRIFT = "Drift: mmsi:300900001"


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """The demo as `samsyn demo` runs it, without recordings, four minutes of it a second."""
    root = tmp_path_factory.mktemp("demo")
    made = Play(root, data=None, port=ports_for(1)[0], seconds=97, say=lambda _: None)
    made.up()
    yield made
    made.down()


@pytest.fixture(scope="module")
def alert(play: Play) -> dict[str, Any]:
    """The drifting ship's alert of dk's, once both partners hold it."""

    def held() -> dict[str, Any] | None:
        for said in play.actors["dk"].statements():
            if said["own"] and said["slots"].get("title") == DRIFT:
                everywhere = all(play.actors[n].holding(said["jti"]) for n in ("se", "fi"))
                applied = all(r["applied"] for r in said["released"]) and len(said["released"]) >= 2
                return said if everywhere and applied else None
        return None

    found = wait_for(held, 300)
    assert found, play.actors["dk"].get("/api/findings")
    return dict(found)


def opened(play: Play, node: str, alert: dict[str, Any], watched: Watched) -> Page:
    """The picture of `node`, with that alert chosen and flown to."""
    page = watched.page
    # a slow machine may come here when the exercise's traffic has long ended
    sign_in(page, play.places[node].url, play.user, play.password, tracks=False)
    page.locator(f"button[data-jti='{alert['jti']}']").click()
    expect(page.locator(".right h1")).to_contain_text("mmsi:300900001")
    return page


def test_dk_sees_her_own_alert_and_what_each_partner_got(
    play: Play, alert: dict[str, Any], watched: Watched
) -> None:
    page = opened(play, "dk", alert, watched)
    shot(page, "demo-dk", after_ms=2_500)
    panel = page.locator(".right")
    expect(panel.locator("[data-reader=se]")).to_contain_text("all-to-se")
    expect(panel.locator("[data-reader=fi]")).to_contain_text("annex B")
    expect(panel.locator("[data-reader=no]")).to_contain_text("nothing released")
    panel.evaluate("(panel) => panel.scrollTo(0, panel.scrollHeight)")
    shot(page, "demo-dk-released")


def test_dk_sees_what_fi_has_of_it(play: Play, alert: dict[str, Any], watched: Watched) -> None:
    page = opened(play, "dk", alert, watched)
    page.get_by_role("tab", name="Partners").click()
    page.get_by_role("button", name="See as FI").click()
    left = page.locator("aside.left")
    expect(left).to_contain_text("As FI sees us")
    left.get_by_role("button", name=DRIFT).first.click()
    panel = page.locator(".right")
    expect(panel).to_contain_text("hidden by coarse-to-fi")
    assert "Watch team 7" not in panel.inner_text()
    assert violations(page) == []
    shot(page, "demo-as-fi", after_ms=2_500)


def test_fi_sees_the_same_alert_as_an_area_and_an_hour_in_swedish(
    play: Play, alert: dict[str, Any], browser: Browser
) -> None:
    watched = Watched(browser, "sv-SE")
    page = opened(play, "fi", alert, watched)
    panel = page.locator(".right")
    expect(panel).to_contain_text("Exercise Coast Watch DK")
    expect(panel).to_contain_text("Signaturen kontrollerad")
    assert "Watch team 7" not in panel.inner_text()
    assert page.evaluate("document.documentElement.dataset.palette") == "night"
    assert violations(page) == []
    shot(page, "demo-fi-sv", after_ms=2_500)
    watched.close()
    assert watched.errors == [] and watched.hosts <= {"127.0.0.1"}


def test_a_withdrawal_at_dk_is_seen_at_se(
    play: Play, alert: dict[str, Any], browser: Browser, watched: Watched
) -> None:
    there = Watched(browser)
    se = opened(play, "se", alert, there)
    shot(se, "demo-se", after_ms=2_500)
    play.actors["dk"].post(f"/api/statements/{alert['jti']}/withdraw", {"purge": True, "why": "test"})
    expect(se.locator(".right")).to_contain_text("ithdrawn")
    shot(se, "demo-se-withdrawn")
    expect(se.locator(".right figure")).to_have_count(0)  # no evidence is left to draw
    there.close()
    assert there.errors == []
    page = watched.page
    sign_in(page, play.places["dk"].url, play.user, play.password, tracks=False)
    page.locator(f"button[data-jti='{alert['jti']}']").click()
    for reader in ("se", "fi"):
        expect(page.locator(f"[data-reader={reader}]")).to_contain_text("✓")
    shot(page, "demo-dk-withdrawn")


def test_a_node_that_is_killed_is_told_at_once_and_the_page_misses_nothing(
    play: Play, watched: Watched
) -> None:
    page, dk = watched.page, play.actors["dk"]
    taken_back = dk.post("/api/reports", {**REPORT, "title": "Exercise: taken back"})
    sign_in(page, play.places["fi"].url, play.user, play.password, tracks=False)
    expect(page.locator("li", has_text="Exercise: taken back")).to_be_visible()
    play.actors["fi"].kill()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the node")
    shot(page, "demo-fi-gone")
    dk.post("/api/reports", {**REPORT, "title": "Exercise: said meanwhile"})
    dk.post(f"/api/statements/{taken_back['jti']}/withdraw", {"purge": True, "why": "test"})
    play.actors["fi"].start()
    # by itself: nobody signs in again, nobody loads the page anew
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("li", has_text="Exercise: said meanwhile")).to_be_visible()
    expect(page.locator("li", has_text="Exercise: taken back")).to_have_count(0)
    watched.errors.clear()  # the browser notes the lost connection as errors; that is what was tested
