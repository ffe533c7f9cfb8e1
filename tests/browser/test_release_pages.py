"""A release officer in the browser, at a real node: preview, a second person, as the partner sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from browser.chromium import Watched, shot, sign_in
from browser.test_sight import violations
from samsyn.desk.accounts import add_account
from tests.scenarios.network import Process, homes, wait

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
POLICY = """
[[rule]]
id = "reports-to-fi"
why = "Sea surveillance agreement, art. 3"
to = ["fi"]
kinds = ["report"]
place = "area"
time = "hour"
hide = ["author"]
"""
FINER = POLICY.replace('place = "area"', 'place = "spot"')
REPORT = {
    "title": "Buoy adrift",
    "text": "Seen from the pilot boat.",
    "category": "sea",
    "lat": 55.1234,
    "lon": 15.4321,
    "marking": "TLP:AMBER",
    "confidence": "high",
}


class Desk:
    """dk with its picture, as one person has it open."""

    def __init__(self, browser: Browser, url: str, user: str) -> None:
        self.watched = Watched(browser)
        self.page: Page = self.watched.page
        sign_in(self.page, url, user, PASSWORD, tracks=False)


@pytest.fixture(scope="module")
def dk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    home = homes(tmp_path_factory.mktemp("pages"), {"dk": POLICY, "fi": ""})["dk"]
    for user, role in (("otto", "release"), ("olga", "release"), ("dora", "duty")):
        add_account(home.accounts, user, user.title(), role, PASSWORD)  # type: ignore[arg-type]
    node = Process(home)
    told = node.start()
    yield told
    node.stop()


def say(url: str) -> None:
    """Two reports: one within what the rule may reach, one above it."""
    with httpx.Client(base_url=url, headers={"x-samsyn": "1"}, timeout=120) as dora:
        dora.post("/api/session", json={"user": "dora", "password": PASSWORD})
        for marking in ("TLP:AMBER", "TLP:AMBER+STRICT"):
            title = "Buoy adrift" if marking == "TLP:AMBER" else "Strict matter"
            made = dora.post("/api/reports", json={**REPORT, "marking": marking, "title": title})
            assert made.status_code == 200, made.text
        wait(lambda: any(i["released"] for i in dora.get("/api/statements").json()["items"]))


def test_a_change_of_policy_takes_two_persons_and_is_seen_as_the_partner_sees_it(
    browser: Browser, dk: dict[str, Any]
) -> None:
    url = dk["picture"]
    say(url)
    otto, olga = Desk(browser, url, "otto"), Desk(browser, url, "olga")

    page = otto.page
    page.get_by_role("button", name="Policy", exact=True).click()
    text = page.get_by_label("The text: edit it here, preview it, propose it")
    expect(text).to_have_value(POLICY)
    expect(page.get_by_role("button", name="Propose")).to_be_disabled()
    text.fill(FINER.replace('"fi"', '"xx"'))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("unknown partner")
    expect(page.get_by_role("button", name="Propose")).to_be_disabled()
    text.fill(FINER)
    page.get_by_role("button", name="Preview").click()
    changes = page.get_by_role("row", name="FI")
    expect(changes.locator("td")).to_have_text(["0", "1", "0", "0", "0", "0", "0", "1"])
    expect(page.locator("pre")).to_contain_text('+place = "spot"')
    expect(page.get_by_label("Examples")).to_contain_text("Buoy adrift")
    shot(page, "policy-preview")
    assert violations(page) == []
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_role("status")).to_contain_text("Proposed as policy 2")
    page.get_by_role("button", name="Look at what it would change").click()
    expect(page.locator("article.box")).to_contain_text("You proposed it: another person decides.")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)

    page = olga.page
    page.get_by_role("button", name="Policy", exact=True).click()
    page.get_by_role("button", name="Look at what it would change").click()
    expect(page.locator("article.box pre")).to_contain_text('+place = "spot"')
    page.get_by_label("Also release what was said in the last").select_option("7d")
    shot(page, "policy-approve")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text(
        "Policy 2 is in force; 1 earlier releases are queued."
    )
    page.get_by_role("button", name="Back to the map").click()

    page.locator("[role=tab]", has_text="Partners").click()
    page.get_by_role("button", name="See as FI").click()
    left = page.locator("aside.left")
    expect(left).to_contain_text("As FI sees us")
    expect(left).to_contain_text("spot")  # the finer place has come with the catching up
    expect(left).to_contain_text("Strict matter")
    expect(left).to_contain_text("Not released to fi")
    left.get_by_role("button", name="Buoy adrift").click()
    detail = page.locator("aside.right")
    expect(detail).to_contain_text("Sea surveillance agreement, art. 3")
    expect(detail).to_contain_text("hidden by reports-to-fi")
    expect(detail).to_contain_text("finer than reports-to-fi lets out")
    expect(detail).not_to_contain_text("55.1234")
    shot(page, "as-partner", after_ms=1200)
    assert violations(page) == []
    page.get_by_role("button", name="Back to ours").click()
    expect(page.locator("[role=tab]").first).to_be_visible()
    for desk in (otto, olga):
        desk.watched.close()
        assert [e for e in desk.watched.errors if "400" not in e] == []
        assert desk.watched.hosts <= {"127.0.0.1"}


def test_a_duty_officer_has_no_page_for_policies(browser: Browser, dk: dict[str, Any]) -> None:
    dora = Desk(browser, dk["picture"], "dora")
    expect(dora.page.get_by_role("button", name="Policy", exact=True)).to_have_count(0)
    dora.watched.close()
