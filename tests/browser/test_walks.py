"""A night's work at real nodes, by persons in browsers: from the first start to a withdrawal."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from browser.chromium import Watched, shot, sign_in
from browser.test_sight import violations
from samsyn.base.clock import SECOND_US, SystemClock, iso, parse_iso
from samsyn.base.settings import Home
from samsyn.desk.accounts import add_account
from tests.scenarios.network import Process, homes, ports_for, wait

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
START = "2026-03-01T22:00:00Z"
SPEED = 240.0
SHIP = "mmsi:300900007"
FIRST_VIEW_BYTES = 1_000_000  # page, fonts, basemap and lists, as they go over the line
HALF_HOURS, EVERY_S = 12, 30  # as long as a slow machine may need; a row each half minute
POLICIES = {
    "dk": """
[[rule]]
id = "alerts-to-se"
why = "Sea surveillance agreement, annex A"
to = ["se"]
kinds = ["alert", "report"]
place = "exact"
time = "exact"
hide = ["author", "sources"]
""",
    "se": """
[[rule]]
id = "from-dk-to-fi"
why = "Sea surveillance agreement, annex C, as dk consents"
to = ["fi"]
kinds = ["alert"]
when = { originator = "dk" }
place = "spot"
time = "hour"
""",
    "fi": "",
}
ORDER = """
[[standing_order]]
id = "drift-at-once"
why = "Order 1: who drifts is told at once"
detectors = ["drift"]
marking = "TLP:AMBER"
unit = "Watch team 7"
"""


def drifting() -> Iterator[str]:
    """A ship of a quarter of an hour at twelve knots, then not under command and carried eastwards."""
    lat, lon, start_us = 55.02, 15.60, parse_iso(START)
    yield "time,craft,lat,lon,speed_kn,course_deg,heading_deg,nav_status,name,ship_type\n"
    for second in range(0, HALF_HOURS * 1800, EVERY_S):
        under_way = second < 900
        speed_kn, course = (12.0, 45.0) if under_way else (1.9, 95.0)
        gone_deg = speed_kn * EVERY_S / 3600 / 60
        lat += gone_deg * math.cos(math.radians(course))
        lon += gone_deg * math.sin(math.radians(course)) / math.cos(math.radians(lat))
        at = iso(start_us + second * SECOND_US)
        status, heading = (0, 45) if under_way else (2, 10)
        place = f"{lat:.5f},{lon:.5f}"
        yield f"{at},{SHIP},{place},{speed_kn},{course},{heading},{status},SAMPLE TRADER,70\n"


class Person:
    """Somebody at the picture of a node."""

    def __init__(self, browser: Browser, url: str, user: str, language: str = "en-GB") -> None:
        self.watched = Watched(browser, language)
        self.page: Page = self.watched.page
        self.panel = self.page.locator("aside.right")
        sign_in(self.page, url, user, PASSWORD, tracks=False)

    def open(self, title: str) -> None:
        self.page.locator("li", has_text=title).locator("button[data-jti]").first.click()

    def leave(self) -> None:
        self.watched.close()
        assert self.watched.errors == [] and self.watched.hosts <= {"127.0.0.1"}


class Network:
    """Three nodes in an exercise; dk's, which sees the ship, is started by the test."""

    def __init__(self, root: Path) -> None:
        recording = root / "drifting.csv"
        recording.write_text("".join(drifting()))
        began = iso(SystemClock().now_us() + 4 * SECOND_US)
        exercise = f'start = "{START}"\nbegan = "{began}"\nspeed = {SPEED}\n'
        made = homes(root, POLICIES, realm="exercise", exercise=exercise)
        self._hears(made["dk"], recording)
        self.nodes = {name: Process(home) for name, home in made.items()}
        for home in made.values():
            add_account(home.accounts, "dora", "Dora Duty", "duty", PASSWORD)
            add_account(home.accounts, "otto", "Otto Officer", "release", PASSWORD)
        self.urls = {name: self.nodes[name].start()["picture"] for name in ("se", "fi")}

    @staticmethod
    def _hears(home: Home, recording: Path) -> None:
        source = f'source = "file:{recording}"'
        feed = f'\n[[feed]]\nname = "roof"\nkind = "columns"\n{source}\nbegin = "0s"\n'
        config = home.root / "config.toml"
        config.write_text(config.read_text() + feed + ORDER)

    def start(self, name: str) -> None:
        self.urls[name] = self.nodes[name].start()["picture"]

    def held(self, name: str) -> list[dict[str, Any]]:
        """What a node holds, as its release officer is told."""
        with httpx.Client(base_url=self.urls[name], headers={"x-samsyn": "1"}) as client:
            client.post("/api/session", json={"user": "otto", "password": PASSWORD})
            found: list[dict[str, Any]] = client.get("/api/statements").json()["items"]
            return found


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path)
    yield made
    for node in made.nodes.values():
        node.stop()


def test_an_alert_is_read_passed_on_and_taken_back(browser: Browser, network: Network) -> None:
    dora = Person(browser, network.urls["se"], "dora")
    expect(dora.page.locator("aside.left")).to_contain_text("Nothing has been said yet.")
    network.start("dk")
    arrives_and_is_read(dora)
    dora.panel.get_by_role("button", name="Ask to pass it on").click()
    dora.panel.get_by_label("FI").check()
    dora.panel.get_by_label("Place").select_option("area")
    dora.panel.get_by_label("Why").fill("Their tug is the nearest")
    assert violations(dora.page) == []
    shot(dora.page, "walk-asking")
    dora.panel.get_by_role("button", name="Sign and send the request").click()
    expect(dora.panel).to_contain_text("not yet answered")
    assert network.held("fi") == []

    otto = Person(browser, network.urls["dk"], "otto")
    is_consented_to(otto)
    (held,) = wait(lambda: network.held("fi"))
    # dk's own words and signature, no finer than dk consented to, though se holds it finer
    assert held["iss"] == "dk" and held["provenance"]["through"] == "se"
    assert held["provenance"]["place"] == "area" and held["provenance"]["time"] == "none"
    expect(dora.panel).to_contain_text("given")
    vera = Person(browser, network.urls["fi"], "dora", "sv-SE")
    vera.open("Avdrift")
    expect(vera.panel).to_contain_text("Sagt av dk Organisation dk")
    expect(vera.panel).to_contain_text("Genom kanalen från SE")
    assert violations(vera.page) == []
    shot(vera.page, "walk-passed-on-sv", after_ms=1200)

    is_seen_as_the_partner_has_it(otto)
    dora.open("Drift")
    is_withdrawn(otto)
    for person, name in ((dora, "walk-withdrawn-se"), (vera, "walk-withdrawn-fi-sv")):
        gone = "ithdrawn" if person is dora else "tertag"
        expect(person.panel.locator("h1")).to_contain_text(gone)
        expect(person.panel.locator("figure")).to_have_count(0)  # no evidence is left to draw
        expect(person.page.locator("body")).not_to_contain_text("Watch team 7")
        assert violations(person.page) == []
        shot(person.page, name)
    applied = otto.panel.locator("[data-reader=se]")
    expect(applied).to_contain_text("withdrawn, applied")
    shot(otto.page, "walk-withdrawn-dk")
    for person in (dora, otto, vera):
        person.leave()


def arrives_and_is_read(dora: Person) -> None:
    """At se: it comes by itself, is opened with the keyboard, acknowledged, its evidence looked at."""
    page, panel = dora.page, dora.panel
    row = page.locator("li", has_text=f"Drift: {SHIP}")
    expect(row).to_be_visible(timeout=90_000)
    expect(page).to_have_title("(1) SE · Samsyn")
    expect(row.get_by_title("Not acknowledged")).to_be_visible()
    page.keyboard.press("Enter")
    expect(panel.locator("h1")).to_have_text(f"Drift: {SHIP}")
    expect(panel).to_contain_text("Nobody has acknowledged this")
    assert violations(page) == []
    shot(page, "walk-alert", after_ms=1200)
    page.keyboard.press("a")
    expect(panel).to_contain_text("Acknowledged by dora")
    expect(row.get_by_title("Not acknowledged")).to_have_count(0)
    panel.get_by_role("button", name="Take it").click()
    expect(panel).to_contain_text("dora has it")
    expect(panel.locator("table")).to_contain_text("≤ 5 kn")
    plot = panel.locator("figure svg").first
    expect(plot).to_contain_text("Speed")
    plot.scroll_into_view_if_needed()
    plot.hover()
    shot(page, "walk-evidence", after_ms=300)
    expect(panel).to_contain_text("Signature checked")
    expect(panel).to_contain_text("Through DK's channel")


def is_consented_to(otto: Person) -> None:
    """At dk: the request waits among what is to do, is read, and is answered."""
    otto.page.get_by_role("button", name="To do").click()
    otto.open("Request")
    expect(otto.panel).to_contain_text(f"Drift: {SHIP}")
    expect(otto.panel).to_contain_text("FI")
    expect(otto.panel).to_contain_text("area")
    assert violations(otto.page) == []
    shot(otto.page, "walk-answering")
    otto.panel.get_by_role("button", name="Give consent").click()
    expect(otto.panel).to_contain_text("given")


def is_seen_as_the_partner_has_it(otto: Person) -> None:
    page = otto.page
    page.get_by_role("tab", name="Partners").click()
    page.get_by_role("button", name="See as SE").click()
    left = page.locator("aside.left")
    expect(left).to_contain_text("As SE sees us")
    left.get_by_role("button", name=f"Drift: {SHIP}").first.click()
    expect(otto.panel).to_contain_text("hidden by alerts-to-se")
    expect(otto.panel).not_to_contain_text("Watch team 7")
    assert violations(page) == []
    shot(page, "walk-as-partner", after_ms=1200)
    page.get_by_role("button", name="Back to ours").click()
    page.get_by_role("tab", name="Inbox").click()


def is_withdrawn(otto: Person) -> None:
    otto.page.get_by_role("button", name="All", exact=True).click()
    otto.open(f"Drift: {SHIP}")
    otto.panel.get_by_role("button", name="Withdraw …").click()
    expect(otto.panel).to_contain_text("It has been released to SE.")
    otto.page.fill("input[name=why]", "the ship was towing, on purpose")
    otto.page.get_by_role("button", name="Withdraw now").click()
    expect(otto.panel.locator("h1")).to_have_text("Withdrawn, content purged")


def samsyn(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "samsyn.cli", *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_first_start_tells_what_to_do_next(browser: Browser, tmp_path: Path) -> None:
    root = tmp_path / "my-node"
    home, exchange = (f"127.0.0.1:{port}" for port in ports_for(2))
    made = samsyn(
        *("init", "--home", str(root), "--name", "dk", "--organisation", "Coast Watch"),
        *("--home-listen", home, "--exchange-listen", exchange),
    )
    node = Process(Home(root))
    try:
        url = node.start()["picture"]
        watched = Watched(browser, whole=True)
        page = watched.page
        loaded: list[Request] = []
        page.on("requestfinished", lambda request: loaded.append(request))
        sign_in(page, url, made["user"], made["password"], tracks=False)
        assert sum(r.sizes()["responseBodySize"] for r in loaded) <= FIRST_VIEW_BYTES
        assert {"document", "script", "stylesheet", "font"} <= {r.resource_type for r in loaded}
        left = page.locator("aside.left")
        for tab, words in (
            ("Inbox", "Nothing has been said yet."),
            ("Findings", "The watch has found nothing yet."),
            ("Partners", "samsyn partner card"),
            ("Feeds", "This node has no feeds."),
        ):
            page.get_by_role("tab", name=tab).click()
            expect(left).to_contain_text(words)
            assert violations(page) == []
        page.get_by_role("tab", name="Inbox").click()
        shot(page, "walk-first-start")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        page.keyboard.press("n")
        page.fill("input[name=title]", "Fog in the fairway")
        page.mouse.click(790, 712)
        expect(page.locator("input[name=lat]")).not_to_have_value("")
        page.get_by_role("button", name="Sign the report").click()
        expect(page.locator("aside.right h1")).to_have_text("Fog in the fairway")
        expect(page.locator("aside.right")).to_contain_text("Our own statement, signed here")
        shot(page, "walk-first-report")
        watched.close()
        assert watched.errors == [] and watched.hosts <= {"127.0.0.1"}
    finally:
        node.stop()
