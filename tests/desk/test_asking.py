"""Requests and consents as people sign them, and what is made of other statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samsyn.base.errors import InputError
from samsyn.desk.asking import ConsentForm, RequestForm
from samsyn.desk.drafts import ReportForm
from samsyn.desk.making import with_sources
from samsyn.node.stores import Stores
from samsyn.statements.statement import Statement
from tests.desk.homes import ALL_TO_SE, carry, made_homes, tick


class Two:
    """dk, who gives to se, and se, who asks."""

    def __init__(self, folder: Path) -> None:
        self.homes = made_homes(folder, "dk", "se", "fi", policy=ALL_TO_SE)
        self.dk, self.se = Stores(self.homes["dk"]), Stores(self.homes["se"])

    def report(self, by: Stores, **more: Any) -> Statement:
        form = ReportForm(title="Drifting", lat=55.6, lon=12.6, **more)
        return by.pen.sign(form.draft(by="t", exercise=False, now_us=by.clock.now_us()), by="t")

    def carry(self) -> None:
        for stores in (self.dk, self.se):
            tick(stores)
        carry(self.homes["dk"], self.homes["se"])
        carry(self.homes["se"], self.homes["dk"])


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(tmp_path)
    yield made
    made.dk.close()
    made.se.close()


def test_a_request_reaches_the_originator_and_is_answered(two: Two) -> None:
    said = two.report(two.dk)
    two.carry()
    asked = two.se.asking.request(
        RequestForm(about=said.jti, readers=("fi",), place="area", why="she heads there"), by="Holm"
    )
    assert asked.slots["body.to"] == ["dk"] and asked.onward == "no"
    two.carry()
    assert two.dk.statements.get(asked.jti)
    given = two.dk.asking.answer(ConsentForm(request=asked.jti, given=True), by="Otto")
    assert given.slots["body.readers"] == ["fi"] and given.slots["body.place"] == "area"
    assert "body.time" not in given.slots
    two.carry()
    assert [c.given for c in two.se.sources.consents(said.jti, "dk")] == [True]
    again = two.dk.asking.answer(ConsentForm(request=asked.jti, given=False), by="Otto")
    assert (again.jti, again.ver) == (given.jti, 2) and "body.place" not in again.slots
    two.carry()
    assert [c.given for c in two.se.sources.consents(said.jti, "dk")] == [False]
    two.dk.pen.withdraw(given.jti, purge=True, why="", by="Otto")
    two.carry()
    fresh = two.dk.asking.answer(ConsentForm(request=asked.jti, given=True), by="Otto")
    assert fresh.jti != given.jti


def test_what_cannot_be_asked(two: Two) -> None:
    said, closed, free = (two.report(two.dk, onward=word) for word in ("ask", "no", "free"))
    own = two.report(two.se)
    two.carry()
    for form, match in (
        (RequestForm(about=own.jti, readers=("fi",)), "our own"),
        (RequestForm(about=closed.jti, readers=("fi",)), "lets nobody pass this on"),
        (RequestForm(about=free.jti, readers=("fi",)), "does not ask to be asked"),
        (RequestForm(about=said.jti), "for whom"),
        (RequestForm(about=said.jti, readers=("fi",), place="street"), "no rung"),
        (
            RequestForm(about="9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11", readers=("fi",)),
            "hold no statement",
        ),
    ):
        with pytest.raises(InputError, match=match):
            two.se.asking.request(form, by="t")
    two.se.asking.request(RequestForm(about=closed.jti, asks="information"), by="t")


def test_what_cannot_be_answered(two: Two) -> None:
    said = two.report(two.dk)
    two.carry()
    asked = two.se.asking.request(RequestForm(about=said.jti, readers=("fi",)), by="t")
    two.carry()
    for stores, form, match in (
        (two.dk, ConsentForm(request=said.jti, given=True), "no request to us"),
        (two.se, ConsentForm(request=asked.jti, given=True), "no request to us"),
        (two.dk, ConsentForm(request=asked.jti, given=True, until="soon"), "no time"),
        (two.dk, ConsentForm(request=asked.jti, given=True, time="minute"), "no rung"),
    ):
        with pytest.raises(InputError, match=match):
            stores.asking.answer(form, by="t")


def test_what_is_made_of_others_is_no_freer_than_they_are(two: Two) -> None:
    said = two.report(two.dk, marking="TLP:AMBER", onward="ask")
    two.carry()
    refs = tuple(with_sources([said.jti], two.se.statements))
    assert refs == (f"dk/{said.jti}/1",)
    own = two.report(two.se, refs=refs)
    assert two.se.sources.made_of(said.jti) == {own.jti}
    assert with_sources([own.jti], two.se.statements) == [f"se/{own.jti}/1", *refs]
    for more, match in (
        ({"refs": refs, "marking": "TLP:GREEN"}, "marked TLP:AMBER"),
        ({"refs": refs, "onward": "free"}, "may go on as 'ask'"),
        ({"refs": (f"se/{own.jti}/1",)}, "named too"),
        ({"refs": (f"se/{said.jti}/1",)}, "do not hold"),
        ({"refs": (f"dk/{said.jti}/2",)}, "do not hold"),
        ({"refs": ("dk",)}, "no reference"),
    ):
        with pytest.raises(InputError, match=match):
            two.report(two.se, **more)
    two.dk.pen.withdraw(said.jti, purge=True, why="", by="t")
    two.carry()
    with pytest.raises(InputError, match="do not hold"):
        two.report(two.se, refs=refs)
    (notice,) = two.se.notices()
    assert (notice["about"], notice["source"]) == (own.jti, said.jti)
