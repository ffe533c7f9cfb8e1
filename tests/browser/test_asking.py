"""May it go on? Asked at one node, answered at another, each by a person in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from browser.chromium import Watched, shot, sign_in
from samsyn.desk.accounts import add_account
from tests.scenarios.network import Process, homes, wait

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
POLICIES = {
    "se": """
[[rule]]
id = "reports-to-dk"
why = "Agreement 7"
to = ["dk"]
kinds = ["report"]
place = "spot"
time = "hour"
""",
    "dk": """
[[rule]]
id = "from-se-to-fi"
why = "Agreement 8, as se consents"
to = ["fi"]
kinds = ["report"]
when = { originator = "se" }
place = "spot"
time = "hour"
""",
    "fi": "",
}
REPORT = {
    "title": "Buoy adrift",
    "text": "Seen from the pilot boat.",
    "category": "sea",
    "lat": 55.1234,
    "lon": 15.4321,
    "marking": "TLP:AMBER",
    "confidence": "high",
}


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[dict[str, str]]:
    made = homes(tmp_path, POLICIES)
    nodes = {name: Process(home) for name, home in made.items()}
    told: dict[str, str] = {}
    for name, node in nodes.items():
        add_account(made[name].accounts, "olga", f"Olga at {name}", "release", PASSWORD)
        told[name] = node.start()["picture"]
    yield told
    for node in nodes.values():
        node.stop()


class Api:
    """One node's home API, as Olga has it."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"x-samsyn": "1"}, timeout=120)
        said = self._client.post("/api/session", json={"user": "olga", "password": PASSWORD})
        assert said.status_code == 200

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.get("/api/statements").json()["items"]
        return found

    def report(self) -> None:
        assert self._client.post("/api/reports", json=REPORT).status_code == 200

    def close(self) -> None:
        self._client.close()


def open_desk(browser: Browser, url: str) -> tuple[Watched, Page]:
    watched = Watched(browser)
    sign_in(watched.page, url, "olga", PASSWORD, tracks=False)
    return watched, watched.page


def test_a_request_is_asked_answered_and_obeyed(browser: Browser, urls: dict[str, str]) -> None:
    se, fi = Api(urls["se"]), Api(urls["fi"])
    se.report()

    at_dk, page = open_desk(browser, urls["dk"])
    row = page.locator("li", has_text="Buoy adrift").locator("button[data-jti]")
    row.click()
    panel = page.locator("aside.right")
    panel.get_by_role("button", name="Ask to pass it on").click()
    panel.get_by_label("FI").check()
    panel.get_by_label("Place").select_option("area")
    panel.get_by_label("Why").fill("fi's pilots are near")
    shot(page, "asking")
    panel.get_by_role("button", name="Sign and send the request").click()
    expect(panel).to_contain_text("not yet answered")
    assert fi.items() == []

    at_se, officer = open_desk(browser, urls["se"])
    officer.get_by_role("button", name="To do").click()
    officer.locator("li", has_text="Request").locator("button[data-jti]").click()
    asked = officer.locator("aside.right")
    expect(asked).to_contain_text("Buoy adrift")
    expect(asked).to_contain_text("FI")
    expect(asked).to_contain_text("area")
    shot(officer, "answering")
    asked.get_by_role("button", name="Give consent").click()
    expect(asked).to_contain_text("given")

    (held,) = wait(fi.items)
    # se's own words and signature, no finer than se consented to, though dk holds it finer
    assert held["iss"] == "se" and held["provenance"]["through"] == "dk"
    assert held["provenance"]["place"] == "area" and held["provenance"]["time"] == "none"
    expect(panel).to_contain_text("given")
    for watched in (at_dk, at_se):
        watched.close()
        assert watched.errors == [] and watched.hosts <= {"127.0.0.1"}
    se.close()
    fi.close()
