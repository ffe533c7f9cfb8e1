"""Kinds: what may be signed, what is taken, what is too fine to leave, and how a life is folded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from samsyn.base import limits
from samsyn.base.errors import InputError, Refused
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.subjects import KINDS, declared, need
from samsyn.subjects.common import withdrawn
from tests.channels.nodes import alert_slots, draft


class Said(msgspec.Struct):
    """Enough of a statement to be folded."""

    ver: int
    slots: dict[str, Any]
    jti: str = "a"


def test_a_full_alert_and_a_report_may_be_signed() -> None:
    KINDS["alert"].check(alert_slots())
    KINDS["report"].check(draft("report").slots)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"body.speed": 3}, "body.speed"),
        ({"titel": "x"}, "titel"),
        ({"title": 3}, "alert"),
        ({"body.state": "ajar"}, "alert"),
        ({"body.craft": "Nordic Star"}, "alert"),
        ({"body.measured": {"speed_kn": "fast"}}, "alert"),
        ({"confidence": "certain"}, "alert"),
        ({"body.evidence": [{"lat": 1.0}] * 201}, "alert"),
    ],
)
def test_what_is_not_a_slot_or_not_of_its_type_cannot_be_signed(
    change: dict[str, Any], where: str
) -> None:
    with pytest.raises(InputError) as error:
        KINDS["alert"].check(alert_slots(**change))
    assert error.value.where == where


@pytest.mark.parametrize("slot", ["title", "body.detector", "body.state"])
def test_what_an_alert_must_say(slot: str) -> None:
    slots = alert_slots()
    del slots[slot]
    with pytest.raises(InputError, match="needs the slot"):
        KINDS["alert"].check(slots)


def test_a_holder_keeps_what_it_does_not_know_and_refuses_what_it_knows_wrong() -> None:
    KINDS["alert"].check_held({"body.later": {"x": 1}, "title": "Drift"})
    with pytest.raises(Refused) as refused:
        KINDS["alert"].check_held({"title": {"x": 1}})
    assert refused.value.reason == "malformed-slot"


def test_needs_follow_the_ladders() -> None:
    for kind in KINDS:
        for rung in PLACE_RUNGS:
            assert need(kind, f"place.{rung}") == (rung, None)
        for rung in TIME_RUNGS:
            assert need(kind, f"time.{rung}") == (None, rung)
        assert need(kind, "title") == (None, None)
        assert need(kind, "body.unheard") is None
        assert KINDS[kind].NEEDS.keys() <= declared(kind)
        assert len(declared(kind)) <= limits.STATEMENT_SLOTS
    for slot in ("body.evidence", "body.start", "body.end", "body.measured", "body.finding"):
        assert need("alert", slot) == ("exact", "exact")
    assert declared("unheard-of") == frozenset() and need("unheard-of", "title") is None


def test_the_subject_is_read_from_the_craft_or_the_category() -> None:
    assert KINDS["alert"].subject({"body.craft": "mmsi:212123000"}) == "sea"
    assert KINDS["alert"].subject({"body.craft": "icao:4ca123"}) == "air"
    assert KINDS["alert"].subject({}) is None
    assert KINDS["report"].subject({"body.category": "cyber"}) == "cyber"
    assert KINDS["report"].subject({"body.category": ["cyber"]}) is None


def test_an_alert_is_raised_updated_and_closed_in_any_order_of_arrival() -> None:
    alert = KINDS["alert"]
    first, second = Said(1, {"body.state": "open", "title": "a"}), Said(2, {"body.state": "open"})
    third = Said(3, {"body.state": "closed", "title": "c", "body.craft": "mmsi:212123000"})
    life = alert.fold(None, first)
    assert life.state == "raised"
    life = alert.fold(life, second)
    assert life.state == "updated"
    life = alert.fold(alert.fold(life, third), second)
    assert life.state == "closed" and life.ver == 3
    assert alert.view(life) == {
        "jti": "a",
        "ver": 3,
        "state": "closed",
        "title": "c",
        "craft": "mmsi:212123000",
    }
    assert alert.fold(withdrawn(life), Said(4, {})).state == "withdrawn"


def test_a_report_is_filed_and_amended() -> None:
    report = KINDS["report"]
    life = report.fold(report.fold(None, Said(1, {"title": "a"})), Said(2, {"title": "b"}))
    assert life.state == "amended" and report.view(life)["title"] == "b"
