"""Who has what, on the home side: seen by a person before it may vanish."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from samsyn.desk.drafts import ReportForm
from samsyn.node.node import Node
from tests.interfaces.conftest import PASSWORD
from tests.interfaces.test_home import REPORT


def sign_in(client: TestClient, user: str) -> None:
    assert client.post("/api/session", json={"user": user, "password": PASSWORD}).status_code == 200


def handle(client: TestClient, jti: str, step: str, **more: object) -> dict[str, object]:
    reply = client.post(f"/api/statements/{jti}/handle", json={"step": step, **more})
    assert reply.status_code == 200, reply.text
    found: dict[str, object] = reply.json()["handling"]
    return found


@pytest.fixture
def jti(client: TestClient) -> str:
    sign_in(client, "duty")
    made: str = client.post("/api/reports", json=REPORT).json()["jti"]
    return made


def test_the_first_who_acknowledged_stays_and_versions_do_not_ask_again(
    client: TestClient, node: Node, jti: str
) -> None:
    assert handle(client, jti, "acknowledge")["acknowledged_by"] == "duty"
    sign_in(client, "otto")
    again = handle(client, jti, "acknowledge")
    assert (again["acknowledged_by"], again["acknowledged_ver"]) == ("duty", 1)
    # a restart of the node changes nothing: it is in the ledger, and each step in the diary
    assert node.stores.handling.get(jti).acknowledged_by == "duty"
    assert node.stores.handling.changes == 1


def test_one_person_has_it_and_another_may_take_it_over(client: TestClient, jti: str) -> None:
    assert handle(client, jti, "take")["owner"] == "duty"
    sign_in(client, "otto")
    assert handle(client, jti, "take")["owner"] == "otto"
    assert handle(client, jti, "let-go")["owner"] is None


def test_a_time_is_set_and_taken_back(client: TestClient, jti: str) -> None:
    assert handle(client, jti, "due", due_us=1_800_000_000_000_000)["due_us"] == 1_800_000_000_000_000
    assert handle(client, jti, "due", due_us=None)["due_us"] is None
    for wrong in ("soon", -1, True, 1.5, 2**60):
        reply = client.post(f"/api/statements/{jti}/handle", json={"step": "due", "due_us": wrong})
        assert reply.status_code == 400


def test_open_pages_are_told(client: TestClient, node: Node, jti: str) -> None:
    before = node.desk.versions()["statements"]
    handle(client, jti, "acknowledge")
    assert node.desk.versions()["statements"] > before


def test_who_only_looks_may_not_handle_and_what_is_not_there_is_not_handled(
    client: TestClient, jti: str
) -> None:
    assert client.post(f"/api/statements/{jti}/handle", json={"step": "close"}).status_code == 400
    absent = client.post("/api/statements/nothing/handle", json={"step": "take"})
    assert absent.status_code == 404
    sign_in(client, "guest")
    refused = client.post(f"/api/statements/{jti}/handle", json={"step": "take"})
    assert refused.status_code == 403


def test_what_is_above_a_clearance_cannot_be_handled(client: TestClient, node: Node) -> None:
    sign_in(client, "duty")
    form = ReportForm.read({**REPORT, "marking": "TLP:RED"})
    secret = node.stores.pen.sign(
        form.draft(by="otto", exercise=False, now_us=node.desk.now_us()), by="otto"
    )
    reply = client.post(f"/api/statements/{secret.jti}/handle", json={"step": "take"})
    assert reply.status_code == 404
