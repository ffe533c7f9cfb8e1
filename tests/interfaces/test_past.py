"""The picture of an earlier time over the home API: as known here, and as given to a partner."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from samsyn.base.clock import MINUTE_US, ManualClock
from samsyn.base.settings import Home
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from tests.interfaces.test_clearance import say, sign_in

NOON_US = 1_795_260_000_000_000


class Clocked:
    """A node whose clock stands until it is moved, and who asks it."""

    def __init__(self, node: Node, clock: ManualClock, client: TestClient) -> None:
        self.node, self.clock, self.client = node, clock, client

    def later(self, minutes: int) -> int:
        self.clock.advance(minutes * MINUTE_US)
        return self.clock.now_us()

    def known(self, at_us: int) -> dict[str, Any]:
        reply = self.client.get(f"/api/past?at_us={at_us}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def given(self, at_us: int, reader: str = "fi") -> dict[str, Any]:
        reply = self.client.get(f"/api/past/as/{reader}?at_us={at_us}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON_US)


@pytest.fixture
def node(home: Home, clock: ManualClock) -> Any:
    stores = Stores(home, wall=clock)
    yield Node(stores)
    stores.close()


@pytest.fixture
def then(node: Node, clock: ManualClock, signed_in: TestClient) -> Clocked:
    return Clocked(node, clock, signed_in)


def test_a_statement_is_there_from_when_it_was_said_until_it_was_withdrawn(then: Clocked) -> None:
    jti = say(then.node, "TLP:AMBER")
    said_us = then.clock.now_us()
    then.node.tick()
    second_us = then.later(10)
    say(then.node, "TLP:AMBER", 2, jti)
    gone_us = then.later(10)
    then.client.post(f"/api/statements/{jti}/withdraw", json={"why": "x", "purge": False})
    then.node.tick()
    then.later(10)

    before = then.known(said_us - 1)
    assert (before["items"], before["first_us"], before["until_us"]) == ([], said_us, said_us)
    (first,) = then.known(said_us)["items"]
    assert (first["jti"], first["ver"], first["state"]) == (jti, 1, "standing")
    assert then.known(said_us + 1)["until_us"] == second_us
    (second,) = then.known(second_us)["items"]
    assert (second["ver"], second["state"]) == (2, "standing")
    (third,) = then.known(gone_us)["items"]
    assert (third["ver"], third["state"]) == (2, "withdrawn")
    assert then.known(gone_us)["until_us"] is None


def test_what_was_purged_is_gone_from_the_past_too(then: Clocked) -> None:
    jti = say(then.node, "TLP:AMBER")
    then.node.tick()
    said_us = then.clock.now_us()
    then.later(10)
    then.client.post(f"/api/statements/{jti}/withdraw", json={"why": "x", "purge": True})
    then.node.tick()
    (held,) = then.known(said_us)["items"]
    assert (held["state"], held["purged"], held["slots"]) == ("standing", True, {})
    given = then.given(said_us)
    assert given["held"] == [] and [one["jti"] for one in given["purged_since"]] == [jti]


def test_handling_is_shown_as_far_as_it_was_then(then: Clocked) -> None:
    jti = say(then.node, "TLP:AMBER")
    said_us = then.clock.now_us()
    seen_us = then.later(5)
    then.client.post(f"/api/statements/{jti}/handle", json={"step": "acknowledge"})
    assert then.known(said_us)["items"][0]["handling"]["acknowledged_by"] is None
    assert then.known(seen_us)["items"][0]["handling"]["acknowledged_by"] == "otto"


def test_a_partner_held_it_from_when_it_was_released_to_it(then: Clocked) -> None:
    said_us = then.clock.now_us()
    jti = say(then.node, "TLP:AMBER")
    given_us = then.later(3)
    then.node.tick()
    then.later(30)
    before = then.given(said_us)
    (not_yet,) = before["not_released"]
    assert before["held"] == [] and not_yet["jti"] == jti and "later, at 2026-" in not_yet["en"]
    assert before["until_us"] == given_us
    after = then.given(given_us)
    (held,) = after["held"]
    assert held["given_us"] == given_us and held["place"] == "area"
    assert "place.exact" not in held["slots"] and after["not_released"] == []
    (item,) = then.known(said_us)["items"]
    assert item["released"] == []


def test_the_past_tells_nothing_above_the_clearance(then: Clocked, client: TestClient) -> None:
    """To the byte, the times of changes included."""
    open_us = then.clock.now_us()
    say(then.node, "TLP:GREEN")
    then.node.tick()
    late_us = then.later(60)
    sign_in(client, "guest")
    paths = [f"/api/past{of}?at_us={us}" for us in (0, open_us, late_us) for of in ("", "/as/fi")]
    before = {path: client.get(path).content for path in paths}
    then.clock.set(open_us + MINUTE_US)
    hidden = say(then.node, "TLP:RED")
    then.node.tick()
    then.later(1)
    say(then.node, "TLP:RED", 2, hidden)
    then.node.stores.pen.withdraw(hidden, purge=False, why="", by="t")
    then.node.tick()
    assert {path: client.get(path).content for path in paths} == before


@pytest.mark.parametrize("at", ["", "x", "-1", "1e9", "9" * 17, "٣"])
def test_a_time_that_is_none_is_told(then: Clocked, at: str) -> None:
    reply = then.client.get("/api/past", params={"at_us": at})
    assert reply.status_code == 400 and "at_us is no time" in reply.json()["error"]["en"]


def test_nobody_looks_back_without_a_session(client: TestClient) -> None:
    for path in ("", "/as/fi", "/frame", "/trail/mmsi:219000001"):
        assert client.get(f"/api/past{path}?at_us=1").status_code == 401


def test_a_stranger_is_no_reader_of_the_past_either(then: Clocked) -> None:
    assert then.client.get("/api/past/as/xx?at_us=1").status_code == 400
