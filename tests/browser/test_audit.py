"""An auditor in the browser, at a real node: who did what, what a partner was given, is it true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from browser.chromium import shot
from browser.test_release_pages import FINER, PASSWORD, POLICY, REPORT, Desk
from browser.test_sight import violations
from samsyn.desk.accounts import add_account
from tests.scenarios.network import Process, homes, wait

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">=cmd()'


@pytest.fixture
def dk(tmp_path: Path) -> Iterator[dict[str, Any]]:
    home = homes(tmp_path, {"dk": POLICY, "fi": ""})["dk"]
    for user, role, clearance in (
        ("otto", "release", "TLP:AMBER+STRICT"),
        ("rita", "administrator", "TLP:RED"),
        ("dora", "duty", "TLP:RED"),
    ):
        add_account(home.accounts, user, user.title(), role, PASSWORD, clearance)  # type: ignore[arg-type]
    node = Process(home)
    told = node.start()
    yield told
    node.stop()


def history(url: str) -> None:
    """Reports released, one above an officer's clearance, one withdrawn; a change of policy proposed."""
    with httpx.Client(base_url=url, headers={"x-samsyn": "1"}, timeout=120) as person:
        person.post("/api/session", json={"user": "dora", "password": PASSWORD})
        said = [("Buoy adrift", "TLP:AMBER"), (HOSTILE, "TLP:AMBER"), ("Submarine", "TLP:RED")]
        for title, marking in said:
            made = person.post("/api/reports", json={**REPORT, "title": title, "marking": marking})
            assert made.status_code == 200, made.text
        wait(
            lambda: sum(bool(i["released"]) for i in person.get("/api/statements").json()["items"]) == 2,
            seconds=30,
        )
        person.delete("/api/session")
        person.post("/api/session", json={"user": "otto", "password": PASSWORD})
        jti = next(
            i["jti"]
            for i in person.get("/api/statements").json()["items"]
            if i["slots"].get("title") == HOSTILE
        )
        person.post(f"/api/statements/{jti}/withdraw", json={"why": "it was a log", "purge": False})
        assert person.post("/api/policy/propose", json={"text": FINER}).status_code == 200
        wait(
            lambda: len(person.get(f"/api/audit/released?to=fi&{ALL}").json()["entries"]) == 3,
            seconds=30,
        )


ALL = "from_us=0&to_us=9007199254740991"


def test_an_auditor_finds_who_did_what_and_whether_it_is_true(
    browser: Browser, dk: dict[str, Any], tmp_path: Path
) -> None:
    url = dk["picture"]
    history(url)
    rita = Desk(browser, url, "rita")
    page = rita.page
    page.keyboard.press("c")
    audit = page.get_by_label("Audit log", exact=True).first
    rows = audit.locator("tbody tr")
    expect(rows.filter(has_text="proposed a policy")).to_contain_text("otto")
    expect(rows.filter(has_text="withdrew a statement")).to_contain_text("it was a log")
    expect(audit).to_contain_text("Submarine")
    expect(rows.filter(has_text="Report, withdrawn")).to_have_count(1)
    expect(audit.locator("caption")).to_contain_text("its root is")
    expect(audit.get_by_role("status")).to_contain_text("never checked")
    audit.get_by_role("button", name="Check all of it now").click()
    expect(audit.get_by_role("status")).to_contain_text("The proofs were found sound")
    expect(audit.get_by_role("status")).to_contain_text("asked for by rita")
    assert violations(page) == []
    shot(page, "audit-log", tmp_path)

    audit.get_by_label("Act").select_option("policy-*")
    expect(rows).to_have_count(2)
    assert "did=policy-*" in page.evaluate("decodeURIComponent(location.hash)")
    audit.get_by_label("Act").select_option("")
    audit.get_by_label("Who").fill("dora")
    audit.get_by_label("From (UTC)").fill("yesterday")
    expect(audit.get_by_role("alert")).to_contain_text("Write times as")
    expect(audit.get_by_role("button", name="Show")).to_be_disabled()
    audit.get_by_label("From (UTC)").fill("2020-01-01")
    audit.get_by_role("button", name="Show").click()
    expect(rows.filter(has_text="signed a statement")).to_have_count(3)
    expect(rows.filter(has_text="otto")).to_have_count(0)
    page.reload()
    expect(audit.get_by_label("Who")).to_have_value("dora")
    expect(rows.filter(has_text="signed a statement")).to_have_count(3)

    audit.get_by_role("tab", name="What a partner was given").click()
    audit.get_by_label("Partner").select_option("fi")
    expect(audit.locator("caption")).to_contain_text(
        "FI: 2 releases, 0 widenings, 1 withdrawals of 2 statements"
    )
    expect(audit).to_contain_text("Sea surveillance agreement, art. 3")
    expect(audit).to_contain_text(HOSTILE)
    with page.expect_download() as saved:
        audit.get_by_role("button", name="Save as CSV").click()
    assert saved.value.suggested_filename.startswith("dk-actual-released-fi-")
    text = saved.value.path().read_text()
    assert text.startswith("#,marking: TLP:AMBER") and HOSTILE.partition("=cmd")[0][:8] in text
    page.keyboard.press("l")
    page.locator("body").click(position={"x": 5, "y": 5})
    shot(page, "audit-given-sv", tmp_path)
    assert violations(page) == []
    expect(audit.or_(page.get_by_label("Granskningslogg")).first).to_contain_text("utlämnad")
    page.get_by_role("button", name="Buoy adrift", exact=True).click()
    expect(page.locator("aside.right h1")).to_have_text("Buoy adrift")
    rita.watched.close()
    assert rita.watched.errors == [] and rita.watched.hosts <= {"127.0.0.1"}


def test_an_officer_reads_nothing_above_the_clearance_and_a_duty_officer_nothing_at_all(
    browser: Browser, dk: dict[str, Any], tmp_path: Path
) -> None:
    url = dk["picture"]
    history(url)
    otto = Desk(browser, url, "otto")
    page = otto.page
    page.get_by_role("button", name="Audit", exact=True).click()
    audit = page.get_by_label("Audit log", exact=True).first
    expect(audit.locator("tbody tr").filter(has_text="signed a statement")).to_have_count(2)
    expect(audit).to_contain_text("an account cleared for TLP:AMBER+STRICT may know of")
    expect(audit).not_to_contain_text("Submarine")
    shot(page, "audit-officer", tmp_path)
    assert violations(page) == []
    page.get_by_role("button", name="Back to the map").click()
    expect(audit).to_have_count(0)
    otto.watched.close()
    assert otto.watched.errors == []
    dora = Desk(browser, url, "dora")
    expect(dora.page.get_by_role("button", name="Audit", exact=True)).to_have_count(0)
    dora.page.keyboard.press("c")
    dora.page.goto(f"{url}/#page=audit")
    expect(dora.page.locator("[role=tab]").first).to_be_visible()
    expect(dora.page.get_by_label("Audit log", exact=True)).to_have_count(0)
    dora.watched.close()
