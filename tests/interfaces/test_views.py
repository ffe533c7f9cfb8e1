"""Views that a person keeps by a name: each has their own, within limits."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from samsyn.base.limits import SAVED_VIEW_CHARACTERS, SAVED_VIEW_NAME_CHARACTERS, SAVED_VIEWS
from tests.interfaces.test_clearance import sign_in

ADDRESS = "#map=7.20/55.310/15.480&show=open"


def keep(client: TestClient, name: str, address: str = ADDRESS) -> int:
    return client.post("/api/views/keep", json={"name": name, "address": address}).status_code


def test_each_person_has_their_own(signed_in: TestClient) -> None:
    assert keep(signed_in, "Öresund") == keep(signed_in, "Bornholm") == 200
    assert keep(signed_in, "Bornholm", "#tab=findings") == 200  # in place of the first
    kept = [{"name": "Bornholm", "address": "#tab=findings"}, {"name": "Öresund", "address": ADDRESS}]
    assert signed_in.get("/api/views").json()["items"] == kept
    guest = sign_in(signed_in, "guest")  # who only looks keeps views, too
    assert guest.get("/api/views").json()["items"] == []
    assert guest.post("/api/views/forget", json={"name": "Öresund"}).json()["items"] == []
    otto = sign_in(signed_in, "otto")
    assert otto.get("/api/views").json()["items"] == kept
    left = otto.post("/api/views/forget", json={"name": "Öresund"}).json()["items"]
    assert left == kept[:1]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("", ADDRESS),
        ("a\nb", ADDRESS),
        ("x" * (SAVED_VIEW_NAME_CHARACTERS + 1), ADDRESS),
        ("a", ""),
        ("a", "javascript:alert(1)"),
        ("a", "#é"),
        ("a", "# b"),
        ("a", "#" + "x" * SAVED_VIEW_CHARACTERS),
    ],
)
def test_what_is_no_view_is_not_kept(signed_in: TestClient, name: str, address: str) -> None:
    assert keep(signed_in, name, address) == 400
    assert signed_in.get("/api/views").json()["items"] == []


def test_there_are_not_too_many(signed_in: TestClient) -> None:
    for n in range(SAVED_VIEWS):
        assert keep(signed_in, f"view {n}") == 200
    assert keep(signed_in, "one more") == 400
    assert len(signed_in.get("/api/views").json()["items"]) == SAVED_VIEWS
    assert keep(signed_in, "view 7", "#tab=feeds") == 200
