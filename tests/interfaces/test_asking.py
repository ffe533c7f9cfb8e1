"""Requests, consents and notices over the home API."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from samsyn.node.node import Node
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft, Statement
from tests.channels.nodes import draft
from tests.interfaces.conftest import PASSWORD

KEY = Ed25519PrivateKey.generate()


def from_fi(node: Node, said: Draft) -> Statement:
    statement = sign(said, iss="fi", key=KEY)
    node.stores.statements.put(statement, "fi", node.stores.clock.now_us())
    return statement


def asked_by_fi(node: Node, about: str) -> Statement:
    slots = {
        "title": "May this go on to se?",
        "body.to": ["dk"],
        "body.about": about,
        "body.about_ver": 1,
        "body.asks": "consent",
        "body.readers": ["se"],
    }
    return from_fi(
        node, Draft(kind="request", marking="TLP:AMBER", onward="no", exercise=False, slots=slots)
    )


def test_asking_and_answering(signed_in: TestClient, node: Node) -> None:
    theirs = from_fi(node, draft(exercise=False))
    reply = signed_in.post("/api/requests", json={"about": theirs.jti, "readers": ["se"]})
    assert reply.status_code == 200 and reply.json()["slots"]["body.to"] == ["fi"]
    ours = node.stores.pen.sign(draft(exercise=False), by="t")
    request = asked_by_fi(node, ours.jti)
    reply = signed_in.post("/api/consents", json={"request": request.jti, "given": True})
    assert reply.status_code == 200
    assert (reply.json()["kind"], reply.json()["slots"]["body.answer"]) == ("consent", "given")
    assert signed_in.get("/api/notices").json() == {"items": []}


def test_who_may_not(signed_in: TestClient, client: TestClient, node: Node) -> None:
    request = asked_by_fi(node, node.stores.pen.sign(draft(exercise=False), by="t").jti)
    gone = signed_in.post("/api/requests", json={"about": "9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11"})
    assert gone.status_code == 404
    wrong = signed_in.post("/api/consents", json={"request": request.jti})
    assert wrong.status_code == 400
    client.post("/api/session", json={"user": "duty", "password": PASSWORD})
    answer = {"request": request.jti, "given": True}
    assert client.post("/api/consents", json=answer).status_code == 403  # a release officer's
    secret = from_fi(node, draft(exercise=False, marking="TLP:RED"))
    assert client.post("/api/requests", json={"about": secret.jti}).status_code == 404
