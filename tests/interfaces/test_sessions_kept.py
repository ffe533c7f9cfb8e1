"""A session outlives a restart of the node, and nothing that is kept of it opens one."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from samsyn.base.clock import SECOND_US
from samsyn.base.limits import SESSION_AGE_S
from samsyn.base.settings import Home
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.home import home_app
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from tests.interfaces.conftest import PASSWORD


class Clock:
    """Set by hand."""

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def now_us(self) -> int:
        return self.at_us


@pytest.fixture
def clock(node: Node) -> Clock:
    return Clock(node.stores.wall.now_us())


def started(node: Node, home: Home, web: Path, clock: Clock, cookies: object = None) -> TestClient:
    """The home tree as a node that has just started serves it, for a browser with these cookies."""
    sessions = Sessions(home.accounts, clock, node.stores.signed_in)
    app = home_app(node.desk, sessions, web, frozenset({"127.0.0.1"}))
    return TestClient(
        app,
        base_url="http://127.0.0.1:8440",
        headers={"x-samsyn": "1"},
        cookies=cookies,  # type: ignore[arg-type]
    )


def sign_in(client: TestClient) -> None:
    assert client.post("/api/session", json={"user": "otto", "password": PASSWORD}).status_code == 200


def test_who_was_signed_in_still_is_after_a_restart(
    node: Node, home: Home, web: Path, clock: Clock
) -> None:
    before = started(node, home, web, clock)
    sign_in(before)
    after = started(node, home, web, clock, before.cookies)
    assert after.get("/api/session").json()["user"] == "otto"
    clock.at_us += SESSION_AGE_S * SECOND_US
    assert after.get("/api/session").status_code == 401
    assert started(node, home, web, clock, before.cookies).get("/api/session").status_code == 401
    sign_in(after)
    assert len(node.stores.signed_in.all()) == 1  # what has ended is forgotten


def test_who_signed_out_stays_out(node: Node, home: Home, web: Path, clock: Clock) -> None:
    before = started(node, home, web, clock)
    sign_in(before)
    cookies = dict(before.cookies)
    assert before.delete("/api/session").status_code == 200
    assert started(node, home, web, clock, cookies).get("/api/session").status_code == 401


def test_another_password_ends_it_while_the_node_is_down(
    node: Node, home: Home, web: Path, clock: Clock
) -> None:
    before = started(node, home, web, clock)
    sign_in(before)
    text = home.accounts.read_text()
    hashes = [line for line in text.splitlines() if line.startswith("password")]
    home.accounts.write_text(text.replace(hashes[2], hashes[0]))  # otto's is another one's now
    assert started(node, home, web, clock, before.cookies).get("/api/session").status_code == 401


def test_what_is_kept_opens_nothing(node: Node, home: Home, web: Path, clock: Clock) -> None:
    before = started(node, home, web, clock)
    sign_in(before)
    (name, token), *_ = dict(before.cookies).items()
    (digest,) = node.stores.signed_in.all()
    for guess in (digest.hex(), digest.decode("latin-1").encode("ascii", "ignore").decode(), ""):
        cookies = {name: guess}
        assert started(node, home, web, clock, cookies).get("/api/session").status_code == 401
    for file in home.root.rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes(), file


def test_each_realm_has_its_own(home: Home, node: Node, web: Path, clock: Clock) -> None:
    before = started(node, home, web, clock)
    sign_in(before)
    with Stores(home, "exercise") as exercise:
        assert exercise.signed_in.all() == {}
