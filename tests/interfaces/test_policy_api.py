"""Policies and views over the home API: two persons, each with a browser of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from samsyn.base.settings import Home
from samsyn.desk.accounts import add_account
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.home import home_app
from samsyn.node.node import Node
from tests.interfaces.conftest import PASSWORD, POLICY
from tests.interfaces.test_clearance import say

NEW = POLICY.replace('"area"', '"spot"').replace("area-to-fi", "spot-to-fi")
REPORT = {"title": "Buoy adrift", "text": "Seen.", "lat": 55.123456, "lon": 14.4, "marking": "TLP:AMBER"}


class Browser:
    """One person's."""

    def __init__(self, client: TestClient, user: str) -> None:
        self._client = client
        said = client.post("/api/session", json={"user": user, "password": PASSWORD})
        assert said.status_code == 200

    def get(self, path: str, status: int = 200) -> Any:
        reply = self._client.get(path)
        assert reply.status_code == status, reply.text
        return reply.json()

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        reply = self._client.post(path, json=body)
        assert reply.status_code == status, reply.text
        return reply.json()


@pytest.fixture
def people(home: Home, node: Node, web: Path) -> dict[str, Browser]:
    add_account(home.accounts, "olga", "Olga", "release", PASSWORD)
    add_account(home.accounts, "root", "Root", "administrator", PASSWORD)
    app = home_app(node.desk, Sessions(home.accounts, node.stores.wall), web, frozenset({"127.0.0.1"}))
    return {
        user: Browser(TestClient(app, base_url="http://127.0.0.1:8440", headers={"x-samsyn": "1"}), user)
        for user in ("otto", "olga", "root", "duty", "guest")
    }


def test_two_persons_change_the_policy(people: dict[str, Browser], node: Node) -> None:
    otto, olga = people["otto"], people["olga"]
    jti = otto.post("/api/reports", REPORT)["jti"]
    node.tick()
    told = otto.post("/api/policy/preview", {"text": NEW, "since": "90d"})
    (change,) = told["changes"]
    assert change["widened"] == 1
    (example,) = change["examples"]["widened"]
    assert (example["jti"], example["title"], example["new_rule"]) == (jti, "Buoy adrift", "spot-to-fi")
    kept = otto.post("/api/policy/propose", {"text": NEW})
    assert kept["sha256"] == told["sha256"]
    (proposed,) = olga.get("/api/policy")["proposed"]
    assert proposed["text"] == NEW and proposed["proposed_by"] == "otto"
    assert olga.post("/api/policy/preview", {"id": kept["id"]})["changes"] == told["changes"]
    olga.post("/api/policy/approve", {"id": kept["id"], "sha256": kept["sha256"], "catch_up": "1d"})
    assert olga.get("/api/policy")["in_force"]["id"] == kept["id"]
    node.tick()
    (shown,) = olga.get("/api/as/fi")["held"]
    assert shown["place"] == "spot" and [r["rule"] for r in shown["rules"]] == ["spot-to-fi"]


def test_one_person_alone_cannot(people: dict[str, Browser], node: Node, home: Home) -> None:
    otto = people["otto"]
    before = otto.get("/api/policy")["in_force"]
    kept = otto.post("/api/policy/propose", {"text": NEW})
    approve = {"id": kept["id"], "sha256": kept["sha256"]}
    for _ in range(2):
        otto.post("/api/policy/approve", approve, 400)
    home.policy.write_text(NEW)
    otto.post("/api/policy/approve", {**approve, "by": "olga"}, 400)
    otto.post("/api/policy/approve", {**approve, "text": NEW}, 400)
    otto.post("/api/policy/approve", {"id": before["id"], "sha256": before["sha256"]}, 400)
    otto.post("/api/policy/reject", {"id": before["id"], "why": "mine instead"}, 400)
    node.tick()
    assert otto.get("/api/policy")["in_force"] == before
    for user in ("duty", "guest"):
        people[user].post("/api/policy/approve", approve, 403)
        people[user].post("/api/policy/propose", {"text": NEW}, 403)
        people[user].post("/api/policy/preview", {"text": NEW}, 403)
        people[user].post("/api/policy/reject", {"id": kept["id"], "why": "x"}, 403)
        people[user].get("/api/policy", 403)
    people["olga"].post("/api/policy/approve", {"id": kept["id"], "sha256": before["sha256"]}, 400)
    people["olga"].post("/api/policy/approve", {"id": kept["id"]}, 400)
    people["olga"].post("/api/policy/approve", {}, 400)
    assert otto.get("/api/policy")["in_force"] == before
    people["root"].post("/api/policy/approve", approve)
    assert otto.get("/api/policy")["in_force"]["id"] == kept["id"]


def test_a_preview_counts_what_the_officer_may_see(people: dict[str, Browser], node: Node) -> None:
    for marking in ("TLP:AMBER", "TLP:RED"):
        say(node, marking)
    told = people["otto"].post("/api/policy/preview", {"text": NEW})
    assert told["statements"] == 1
    red = NEW.replace("place", 'when = { marking_max = "TLP:RED" }\nplace')
    said = people["otto"].post("/api/policy/propose", {"text": red}, 403)
    assert said["error"]["code"] == "role"
    assert people["otto"].post("/api/policy/preview", {"text": red})["statements"] == 1


def test_a_mistake_is_told_with_its_line(people: dict[str, Browser]) -> None:
    said = people["otto"].post("/api/policy/preview", {"text": NEW.replace('"fi"', '"xx"')}, 400)
    assert "unknown partner 'xx'" in said["error"]["en"] and ":5" in said["error"]["en"]
    people["otto"].post("/api/policy/preview", {"text": 1}, 400)
    people["otto"].post("/api/policy/preview", {"text": NEW, "since": "long"}, 400)


def test_seeing_as_a_partner(people: dict[str, Browser], node: Node) -> None:
    otto = people["otto"]
    given = otto.post("/api/reports", REPORT)["jti"]
    node.tick()
    kept = otto.post("/api/reports", {**REPORT, "marking": "TLP:AMBER+STRICT", "title": "Ours"})["jti"]
    gone = otto.post("/api/reports", {**REPORT, "title": "Gone"})["jti"]
    node.tick()
    otto.post(f"/api/statements/{gone}/withdraw", {"why": "x"})
    node.tick()
    told = otto.get("/api/as/fi")
    (held,) = told["held"]
    assert held["jti"] == given and held["slots"]["title"] == "Buoy adrift"
    assert "place.exact" not in held["slots"] and "55.123456" not in str(held)
    assert {"slot": "place.exact", "rules": ["area-to-fi"], "hidden_by": []} in held["left_out"]
    (withheld,) = told["not_released"]
    assert withheld["jti"] == kept and "marking" in withheld["en"] and "märkningen" in withheld["sv"]
    assert [w["jti"] for w in told["withdrawn"]] == [gone] and "Gone" not in str(told)
    people["otto"].get("/api/as/xx", 400)
    people["otto"].get("/api/as/dk", 400)


def test_an_older_version_is_shown_as_it_is_held_to_those_who_may_see_it(
    people: dict[str, Browser], node: Node
) -> None:
    policies = node.stores.policies
    red = POLICY.replace("place", 'when = { marking_max = "TLP:RED" }\nplace')
    kept = policies.propose(red, by="anna", preview={})
    policies.approve(kept.id, by="bo", seen=kept.sha256, preview={}, instead_of=1)
    green, secret = say(node, "TLP:GREEN"), say(node, "TLP:RED")
    node.tick()
    for jti in (green, secret):
        say(node, "TLP:GREEN", ver=2, jti=jti)  # before the next tick the partner holds the first
    (held,) = people["guest"].get("/api/as/fi")["held"]
    assert (held["jti"], held["ver"], held["latest_ver"]) == (green, 1, 2)
