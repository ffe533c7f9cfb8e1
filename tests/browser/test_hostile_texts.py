"""Texts that partners, feeds and files can fill: none of them becomes markup, and none of them runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from browser.chromium import Watched, sign_in
from browser.fake_node import PASSWORD, USER, Serving
from browser.test_release_pages import PASSWORD as KEY
from browser.test_release_pages import REPORT, Desk
from samsyn.desk.accounts import add_account
from tests.scenarios.network import Process, homes, wait

pytestmark = pytest.mark.browser

RUNS = "<script>window.ran=1</script>"
EVIL = f'"\'><img src=x onerror="window.ran=1"><svg onload="window.ran=1">{RUNS}'
LINK = "javascript:window.ran=1"
# What a page is told by others in its own words: names, titles, reasons, files, rules.
TOLD = frozenset({
    "title", "summary", "text", "author", "name", "organisation", "why", "en", "sv", "note", "observer",
    "source", "sources", "tags", "problem", "by", "words", "callsign", "zone", "rule", "known_errors",
    "file", "reason", "explanation", "closed_because", "body.zone", "body.observer", "feed",
})  # fmt: skip
# the picture of the map on a hand-over sheet is the page's own
MARKUP = """document.querySelectorAll(
    'img:not(figure img), script:not([src]), [onerror], [onload], a[href^=javascript]').length"""


class Poisoned:
    """Every reply of the node with these texts in it."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.route("**/api/**", self._answer)

    def _answer(self, route: Route) -> None:
        reply = route.fetch()
        if "json" not in reply.headers.get("content-type", ""):
            route.fulfill(response=reply)
            return
        route.fulfill(response=reply, body=json.dumps(self._in(reply.json(), "")))

    def _in(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: self._in(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._in(inner, key) for inner in value]
        if isinstance(value, str) and (key in TOLD or " " in value):
            self.count += 1
            return f"{value}{EVIL}{LINK}"
        return value


def unharmed(page: Page) -> None:
    assert page.evaluate("window.ran") is None
    assert page.evaluate(MARKUP) == 0


def test_nothing_that_others_fill_becomes_markup(serving: Serving, watched: Watched) -> None:
    page = watched.page
    poisoned = Poisoned(page)
    sign_in(page, serving.url, USER, PASSWORD)
    unharmed(page)
    tabs, shown = page.locator("[role=tab]"), 0
    for n in range(tabs.count()):
        tabs.nth(n).click()
        unharmed(page)
        buttons = page.locator(".left li button:not(.as)")
        for k in range(min(buttons.count(), 12)):
            buttons.nth(k).click()
            expect(page.locator(".right")).to_be_visible()
            for folded in page.locator(".right details:not([open]) > summary").all():
                folded.click()
            unharmed(page)
            shown += page.locator("body").inner_text().count(RUNS)
    page.get_by_role("tab", name="Partners").click()
    page.locator(".left button.as").first.click()  # as a partner sees it
    expect(page.locator("body")).to_contain_text(RUNS)
    unharmed(page)
    assert poisoned.count > 50 and shown > 20  # they were there, as text


# --- at a real node: what is kept there was put there, and comes back on the pages over the map

TAG = "<img src=x onerror=window.ran=1>"  # without quotes, for where they have a meaning
SHIP = "mmsi:300900007"
RULE = f"""
[[rule]]
id = "reports-to-fi"
why = "Agreement {TAG}"
to = ["fi"]
kinds = ["report"]
place = "area"
time = "hour"
"""
AREA = {"type": "Polygon", "coordinates": [[[14, 55], [16, 55], [16, 56], [14, 55]]]}


@pytest.fixture
def dk(tmp_path: Path) -> Iterator[str]:
    """A node whose feed has a file, whose ship a name, whose zones and rules words like these."""
    recording = tmp_path / f"{TAG}.csv"
    recording.write_text(f"time,craft,lat,lon,name\n2026-03-01T12:00:00Z,{SHIP},55.5,15.5,{TAG}\n")
    feed = f'[[feed]]\nname = "roof"\nkind = "columns"\nsource = "file:{recording}"\n'
    home = homes(tmp_path, {"dk": RULE, "fi": ""}, feeds=[feed])["dk"]
    zone = {"name": "sound", "sort": "area", "title": f"Zone {TAG}"}
    feature = {"type": "Feature", "properties": zone, "geometry": AREA}
    (home.root / "zones.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]})
    )
    for user, role in (("otto", "release"), ("rita", "administrator"), ("dora", "duty")):
        add_account(home.accounts, user, f"{user} {TAG}", role, KEY, "TLP:RED")  # type: ignore[arg-type]
    node = Process(home)
    yield node.start()["picture"]
    node.stop()


def put_everywhere(url: str) -> None:
    """A report released, then withdrawn for a reason; a policy proposed: all with the tag."""
    with httpx.Client(base_url=url, headers={"x-samsyn": "1"}, timeout=120) as person:

        def post(path: str, **form: Any) -> Any:
            reply = person.post(path, json=form)
            assert reply.status_code == 200, reply.text
            return reply.json()

        post("/api/session", user="otto", password=KEY)
        made = post("/api/reports", **{**REPORT, "title": f"Buoy {TAG}", "text": TAG})
        wait(lambda: person.get(f"/api/statements/{made['jti']}").json()["released"])
        post(f"/api/statements/{made['jti']}/withdraw", why=f"It was {TAG}", purge=False)
        post("/api/policy/propose", text=RULE.replace('"area"', '"spot"'))


def test_what_is_kept_at_a_node_becomes_no_markup_on_any_page(browser: Browser, dk: str) -> None:
    put_everywhere(dk)
    rita, otto = Desk(browser, dk, "rita"), Desk(browser, dk, "otto")
    page = rita.page

    def shown(where: Locator) -> None:
        expect(where).to_contain_text(TAG)
        unharmed(where.page)

    page.get_by_role("button", name="Settings", exact=True).click()
    shown(page.get_by_role("region", name="Feeds", exact=True))  # the name of a file
    shown(page.get_by_role("region", name="Zones", exact=True))
    page.get_by_role("button", name="Edit sound").click()
    expect(page.get_by_label("Title in English")).to_have_value(f"Zone {TAG}")
    unharmed(page)
    page.goto(f"{dk}/#page=audit")
    audit = page.get_by_label("Audit log", exact=True).first
    shown(audit)
    audit.get_by_role("tab", name="What a partner was given").click()
    audit.get_by_label("Partner").select_option("fi")
    shown(audit.locator("tbody"))  # the reason of a rule

    page = otto.page
    page.locator(".left button[data-jti]").first.click()
    shown(page.locator(".right"))
    page.keyboard.press("x")
    shown(page.locator("main.sheet"))
    page.keyboard.press("Escape")
    page.goto(f"{dk}/#page=policy")
    policy = page.get_by_label("Release policy", exact=True)
    expect(policy.locator("textarea").first).to_have_value(RULE)
    policy.get_by_role("button", name="Look at what it would change").click()
    shown(policy.get_by_label("Against what is in force"))
    for desk in (rita, otto):
        desk.watched.close()
        assert desk.watched.errors == [] and desk.watched.hosts <= {"127.0.0.1"}
