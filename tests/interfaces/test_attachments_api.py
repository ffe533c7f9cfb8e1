"""Attachments in the picture: a file goes with a report, and comes out as what it is."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import Response
from starlette.testclient import TestClient

from samsyn.base import limits
from samsyn.desk.accounts import add_account
from samsyn.node.node import Node
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft
from tests.interfaces.conftest import PASSWORD

PHOTO = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def value(body: bytes, name: str, kind: str) -> dict[str, Any]:
    return {"sha256": sha256(body).hexdigest(), "name": name, "type": kind, "size": len(body)}


def put(client: TestClient, body: bytes, digest: str | None = None) -> Response:
    return client.put(f"/api/attachments/{digest or sha256(body).hexdigest()}", content=body)


def report(client: TestClient, *values: dict[str, Any]) -> Response:
    said = {"title": "A ship", "lat": 57.0, "lon": 18.0, "attachments": values}
    return client.post("/api/reports", json=said)


def sign_in(client: TestClient, user: str) -> None:
    client.delete("/api/session")
    assert client.post("/api/session", json={"user": user, "password": PASSWORD}).status_code == 200


def test_a_file_goes_with_a_report_and_is_had_again(signed_in: TestClient) -> None:
    photo = value(PHOTO, "skrov på väg.png", "image/png")
    assert put(signed_in, PHOTO).status_code == 200
    item = report(signed_in, photo).json()
    assert item["attachments"] == [{"slot": "attachment.1", **photo, "here": True}]
    where = f"/api/statements/{item['jti']}/attachments/{photo['sha256']}"
    reply = signed_in.get(where)
    assert (reply.status_code, reply.content) == (200, PHOTO)
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["x-content-type-options"] == "nosniff"
    named = "attachment; filename*=UTF-8''skrov%20p%C3%A5%20v%C3%A4g.png"
    assert reply.headers["content-disposition"] == named
    assert signed_in.post(f"{where}/fetch", json={}).json()["attachments"][0]["here"] is True
    assert report(signed_in, photo).status_code == 400  # it went with the first one, and waits no more
    assert signed_in.get(where[:-1] + "x").status_code == 400


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/xhtml+xml", "text/css"])
def test_what_could_run_is_only_bytes_to_a_browser(signed_in: TestClient, kind: str) -> None:
    put(signed_in, SCRIPT)
    item = report(signed_in, value(SCRIPT, "plot.svg", kind)).json()
    (one,) = item["attachments"]
    reply = signed_in.get(f"/api/statements/{item['jti']}/attachments/{one['sha256']}")
    assert reply.headers["content-type"] == "application/octet-stream" and reply.content == SCRIPT


@pytest.mark.parametrize(
    "name",
    ["../../up", "a/b.png", "a\\b.png", ".bashrc", "a\nb", "a\x00b", "x\u202egnp.exe", "", "n" * 121],
)
def test_a_name_that_is_none_is_refused(signed_in: TestClient, name: str) -> None:
    put(signed_in, PHOTO)
    assert report(signed_in, value(PHOTO, name, "image/png")).status_code == 400


def test_what_is_not_there_not_whole_or_too_large_is_refused(signed_in: TestClient) -> None:
    assert report(signed_in, value(PHOTO, "a.png", "image/png")).status_code == 400
    assert put(signed_in, PHOTO, "0" * 64).status_code == 400
    assert put(signed_in, b"").status_code == 400
    assert put(signed_in, bytes(limits.ATTACHMENT_BYTES + 1)).status_code == 400
    put(signed_in, PHOTO)
    lying = {**value(PHOTO, "a.png", "image/png"), "size": 7}
    assert report(signed_in, lying).status_code == 400
    many = [value(PHOTO, f"{n}.png", "image/png") for n in range(limits.ATTACHMENTS + 1)]
    assert report(signed_in, *many).status_code == 400
    for n in range(limits.ATTACHMENTS_WAITING - 1):
        assert put(signed_in, b"%d" % n).status_code == 200
    assert put(signed_in, b"one more").status_code == 400
    assert put(signed_in, PHOTO).status_code == 200  # the same again takes no more room


@pytest.mark.parametrize(
    "value", [5, [], {}, {"sha256": "x"}, {"sha256": 1, "name": "a", "type": "b"}, None]
)
def test_a_partner_s_kind_that_we_do_not_know_cannot_break_the_inbox(
    signed_in: TestClient, node: Node, value: Any
) -> None:
    """Slots of kinds that are not ours are kept as they came: nobody has checked what they hold."""
    slots = {"title": "new", "attachment.1": value}
    said = Draft(kind="novelty", marking="TLP:GREEN", onward="no", exercise=False, slots=slots)
    made = sign(said, iss="fi", key=Ed25519PrivateKey.generate())
    node.stores.statements.put(made, "fi", at_us=1)
    (item,) = signed_in.get("/api/statements").json()["items"]
    assert item["jti"] == made.jti and item["attachments"] == []


def test_it_is_for_whom_the_statement_is_for(client: TestClient, node: Node) -> None:
    sign_in(client, "otto")
    put(client, PHOTO)
    photo = value(PHOTO, "a.png", "image/png")
    said = {"title": "A", "lat": 1.0, "lon": 1.0, "marking": "TLP:AMBER+STRICT", "attachments": [photo]}
    jti = client.post("/api/reports", json=said).json()["jti"]
    where = f"/api/statements/{jti}/attachments/{photo['sha256']}"
    assert client.get(where).status_code == 200
    client.headers.pop("x-samsyn")
    assert put(client, PHOTO).status_code == client.post(f"{where}/fetch", json={}).status_code == 403
    client.headers["x-samsyn"] = "1"

    sign_in(client, "guest")  # a viewer sees it, and neither attaches nor fetches
    assert client.get(where).status_code == 200
    assert put(client, PHOTO).status_code == client.post(f"{where}/fetch", json={}).status_code == 403

    sign_in(client, "duty")  # what one person uploaded is nobody else's
    assert report(client, photo).status_code == 400

    add_account(node.stores.home.accounts, "gran", "Gran", "duty", PASSWORD, clearance="TLP:GREEN")
    sign_in(client, "gran")
    assert client.get(where).status_code == client.post(f"{where}/fetch", json={}).status_code == 404
    client.delete("/api/session")
    assert client.get(where).status_code == 401
