"""The audit log over the home API: who may read it, what of it, and that it is the one there is."""

from __future__ import annotations

import csv
import io
import itertools
import json
import time
import uuid
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from samsyn.base.clock import iso
from samsyn.base.settings import Home
from samsyn.channels.names import channel_origin
from samsyn.cli import main
from samsyn.desk import auditing
from samsyn.desk.accounts import add_account
from samsyn.desk.diary import diary_origin
from samsyn.desk.drafts import ReportForm
from samsyn.node.node import Node
from samsyn.statements.marking import MARKINGS
from tests.interfaces.conftest import PASSWORD, POLICY
from tests.interfaces.test_clearance import REPORT, SECRET, say, sign_in

ALL = "from_us=0&to_us=9007199254740991"
DIARY = diary_origin("dk", "actual")


@pytest.fixture
def red(client: TestClient, home: Home) -> TestClient:
    """An administrator who may see all."""
    add_account(home.accounts, "root", "Root", "administrator", PASSWORD, "TLP:RED")
    return sign_in(client, "root")


def told(client: TestClient, query: str = "", status: int = 200) -> Any:
    reply = client.get(f"/api/audit{query}")
    assert reply.status_code == status, reply.text
    return reply.json()


def acts(client: TestClient, query: str = "") -> list[str]:
    return [entry["did"] for entry in told(client, query)["entries"]]


def finished(client: TestClient) -> dict[str, Any]:
    """The outcome of the check that was begun."""
    end = time.monotonic() + 60
    while (proof := client.get("/api/audit/proof").json())["running"]:
        assert time.monotonic() < end, "the check never ended"
        time.sleep(0.05)
    last: dict[str, Any] = proof["last"]
    return last


def test_who_has_no_business_with_it_is_told_nothing(client: TestClient) -> None:
    for user in ("guest", "duty"):
        sign_in(client, user)
        for path in ("", "/proof", f"/released?to=fi&{ALL}", "/released?to=nobody&" + ALL):
            told(client, path, 403)
        for path in ("verify", "export"):
            assert client.post(f"/api/audit/{path}", json={}).status_code == 403
    client.cookies.clear()
    told(client, "", 401)


def test_each_entry_says_who_did_what_to_which_statement(client: TestClient, node: Node) -> None:
    jti = say(node, "TLP:AMBER")
    node.tick()
    sign_in(client, "otto")
    client.post(f"/api/statements/{jti}/withdraw", json={"why": "it was a log", "purge": True})
    node.tick()
    entries = told(client)["entries"]
    assert [(e["by"], e["did"]) for e in entries] == [
        ("node", "release"),
        ("otto", "withdraw"),
        ("otto", "sign-in"),
        ("node", "release"),
        ("t", "sign"),
        ("node", "policy-founded"),
    ]
    assert entries[1]["what"] == {"ver": 1, "purge": True, "why": "it was a log"}
    (named,) = entries[1]["statements"]
    assert named["id"] == jti and named["marking"] == "TLP:AMBER" and named["title"] is None  # purged
    (channel,) = entries[0]["channels"]
    assert channel["reader"] == "fi" and [(s["id"], s["op"]) for s in channel["statements"]] == [
        (jti, "withdraw")
    ]
    assert all(entry["number"] is None for entry in entries)


def shown(client: TestClient) -> dict[str, Any]:
    """All that the audit page says."""
    paths = ["", "?did=sign", "?partner=fi", "?by=t", "/proof", f"/released?to=fi&{ALL}"]
    return {path: told(client, path) for path in paths}


def test_what_is_above_the_clearance_leaves_no_trace(client: TestClient, node: Node) -> None:
    """An officer reads the same, to the byte, whether something was said, released, seen to and
    withdrawn or not."""
    policies = node.stores.policies
    red_too = POLICY.replace("place", 'when = { marking_max = "TLP:RED" }\nplace')
    kept = policies.propose(red_too, by="anna", preview={})
    policies.approve(kept.id, by="bo", seen=kept.sha256, preview={}, instead_of=1)
    sign_in(client, "otto")
    say(node, "TLP:GREEN")
    node.tick()
    for marking, ends in itertools.product(MARKINGS, ("stands", "withdrawn", "purged")):
        jti = str(uuid.uuid4())
        before = shown(client)
        say(node, marking, jti=jti)
        node.tick()
        node.stores.handling.step(jti, 1, "take", "t")
        if ends != "stands":
            node.stores.pen.withdraw(jti, purge=ends == "purged", why="a secret reason", by="t")
            node.tick()
        after = shown(client)
        above = marking == "TLP:RED"
        assert (before == after) is above
        assert (jti in str(after)) is not above
        if above:
            for form in ({"form": "csv"}, {"form": "jsonl", "to": "fi"}):
                assert jti not in client.post("/api/audit/export", json=form).text


def test_who_sees_all_reads_all_with_its_places(red: TestClient, node: Node) -> None:
    jti = say(node, "TLP:RED")
    page = told(red)
    assert page["marking"] == "TLP:RED" and SECRET in str(page) and jti in str(page)
    size = node.stores.logs.size(DIARY)
    assert page["head"]["size"] == size
    assert [entry["number"] for entry in page["entries"]] == list(range(size - 1, -1, -1))


def test_a_sort_of_entry_that_nobody_thought_of_is_for_who_sees_all(
    client: TestClient, node: Node, home: Home
) -> None:
    node.stores.diary.write("x", "new-act", title=SECRET)
    node.stores.diary.write("x", "expire", bodies=3)
    node.stores.diary.write("x", "policy-approved", policy=2, preview={"released": 4})
    sign_in(client, "otto")
    assert SECRET not in str(told(client)) and not {"new-act", "expire"} & set(acts(client))
    approved = told(client, "?did=policy-approved")["entries"][0]
    assert approved["what"] == {"policy": 2}
    add_account(home.accounts, "root", "Root", "administrator", PASSWORD, "TLP:RED")
    sign_in(client, "root")
    assert {"new-act", "expire"} <= set(acts(client))
    assert told(client, "?did=policy-*")["entries"][0]["what"]["preview"] == {"released": 4}


def test_the_partner_s_part_is_the_answer_of_the_command(
    red: TestClient, node: Node, home: Home
) -> None:
    for marking in ("TLP:GREEN", "TLP:AMBER"):
        say(node, marking)
        node.tick()
    now_us = node.stores.clock.now_us()
    between = [iso(now_us - 3_600_000_000), iso(now_us)]
    run = CliRunner().invoke(
        main, ["released", "--home", str(home.root), "--to", "fi", "--between", *between, "--json"]
    )
    assert run.exit_code == 0, run.output
    query = f"/released?to=fi&from_us={now_us - 3_600_000_000}&to_us={now_us}"
    page = told(red, query)
    assert page.pop("marking") == "TLP:AMBER"
    assert page == json.loads(run.output) and page["released"] == 2
    told(red, f"/released?to=xx&{ALL}", 400)
    told(red, "/released?to=fi&from_us=soon&to_us=1", 400)


def test_pages_follow_each_other_and_miss_nothing(
    client: TestClient, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(23):
        node.stores.diary.write(f"p{n}", "sign-in")
        if n % 3 == 0:
            say(node, "TLP:RED")
    sign_in(client, "otto")
    everything = told(client, "?did=sign-in")["entries"]
    assert [e["by"] for e in everything] == ["otto", *(f"p{n}" for n in range(22, -1, -1))]
    monkeypatch.setattr(auditing, "AUDIT_LOOKED", 5)
    found, before = [], ""
    while before is not None:
        page = told(client, f"?did=sign-in&before={before}")
        found += page["entries"]
        before = page["more"]
    assert found == everything
    told(client, "?before=AAAA", 400)
    told(client, "?before=1", 400)


def test_filters(client: TestClient, node: Node) -> None:
    node.stores.diary.write("Anna", "partner-suspend", partner="fi", why="x")
    node.stores.diary.write("bo", "partner-suspend", partner="se", why="x")
    say(node, "TLP:GREEN")
    node.tick()
    sign_in(client, "otto")
    assert acts(client, "?partner=fi") == ["release", "partner-suspend"]
    assert acts(client, "?did=partner-*&by=ANN") == ["partner-suspend"]
    at_us = told(client, "?did=sign-in")["entries"][0]["at_us"]
    assert acts(client, f"?since_us={at_us}") == ["sign-in"]
    assert "sign-in" not in acts(client, f"?until_us={at_us}")
    told(client, "?since_us=soon", 400)


def test_a_check_runs_beside_the_node_and_finds_what_was_changed(red: TestClient, node: Node) -> None:
    say(node, "TLP:GREEN")
    node.tick()
    assert red.get("/api/audit/proof").json() == {"running": False, "last": None}
    assert red.post("/api/audit/verify", json={}).json()["running"] is True
    red.post("/api/audit/verify", json={})  # one at a time: this begins no other
    last = finished(red)
    assert last["sound"] and last["stands"] and last["by"] == "root"
    assert {"diary", "channel to fi", "statements"} <= {part["what"] for part in last["parts"]}
    assert acts(red, "?did=verify") == ["verify"]
    logs, to_fi = node.stores.logs, channel_origin("dk", "actual", "fi")
    with node.stores.db.write() as db:
        db.execute("DELETE FROM log_bundle WHERE log = ?", (to_fi,))
    assert logs.size(to_fi) == 1
    red.post("/api/audit/verify", json={})
    last = finished(red)
    assert not last["sound"] and last["stands"]
    assert any(part["problems"] for part in last["parts"] if part["what"] == "channel to fi")


def test_an_officer_learns_whether_it_is_sound_and_no_figures(client: TestClient, node: Node) -> None:
    say(node, "TLP:RED")
    sign_in(client, "otto")
    client.post("/api/audit/verify", json={})
    last = finished(client)
    assert last["sound"] and last["size"] is None and last["root"] is None
    assert {part["checked"] for part in last["parts"]} == {None}


def test_an_export_carries_its_marking_and_runs_nothing(client: TestClient, node: Node) -> None:
    title = '=HYPERLINK("http://x.example","open")'
    draft = ReportForm(**{**REPORT, "title": title}, marking="TLP:GREEN")
    node.stores.pen.sign(draft.draft(by="t", exercise=False, now_us=1), by="t")
    node.stores.diary.write("+1", "sign-in")
    node.tick()
    sign_in(client, "otto")
    reply = client.post("/api/audit/export", json={"form": "jsonl"})
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert lines[0]["marking"] == "TLP:AMBER" and lines[0]["entries"] == len(lines) - 1
    assert lines[0]["by"] == "otto" and lines[0]["realm"] == "actual" and lines[0]["complete"]
    assert reply.headers["content-disposition"].startswith('attachment; filename="dk-actual-audit-')
    assert acts(client)[0] == "export-audit"
    for form in ({"form": "csv"}, {"form": "csv", "to": "fi"}):
        reply = client.post("/api/audit/export", json=form)
        assert reply.headers["content-type"].startswith("text/csv")
        rows = list(csv.reader(io.StringIO(reply.text)))
        assert rows[0][1] == "marking: TLP:AMBER" and "marking" in rows[1]
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "'=HYPERLINK" in reply.text
    for wrong in ({"form": "exe"}, {"since_us": -1}, {"until_us": 2**60}, {"to": "xx"}, {"did": 4}):
        assert client.post("/api/audit/export", json=wrong).status_code == 400, wrong
