"""What must hold of statements in other hands, once a network has healed. Written apart from the door's
own reading of consents and ways, from what the originators have acknowledged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from samsyn.channels.leaf import read_leaf
from samsyn.channels.names import channel_origin
from samsyn.policy import Cap, Decision, Passing, facts_of
from samsyn.policy.rules import tells_at_most
from samsyn.sim.place import Place
from samsyn.statements.statement import Statement
from samsyn.statements.store import Stored
from samsyn.statements.through import Way

Consents = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""(statement, asker, reader) to the slots of the answer that counts; only where consent is given."""


def consents(said: Mapping[tuple[str, int], Statement], withdrawn: Mapping[str, bool]) -> Consents:
    """What stands of all that was answered; of two answers the one signed last."""
    newest: dict[str, Statement] = {}
    for (jti, ver), statement in said.items():
        if statement.kind == "consent" and jti not in withdrawn:
            newest[jti] = statement if ver == max(v for j, v in said if j == jti) else newest[jti]
    found: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    latest = sorted(
        newest.values(),
        key=lambda s: (_instant(s.slots["time.exact"]), s.slots["body.answer"] != "given"),
    )
    for statement in latest:
        slots = statement.slots
        if not any(j == slots["body.about"] and s.iss == statement.iss for (j, _), s in said.items()):
            continue
        for asker in slots["body.to"]:
            for reader in slots["body.readers"]:
                name = (slots["body.about"], asker, reader)
                found.pop(name, None)
                if slots["body.answer"] == "given":
                    found[name] = slots
    return found


def _instant(text: str) -> str:
    """RFC 3339 in an order that texts have."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}"


def problems(places: Mapping[str, Place], answers: Consents, now_us: int) -> Iterator[str]:
    """Whatever does not hold of foreign statements at any node."""
    for place in places.values():
        statements = place.stores.statements
        page = [s for s in statements.page(limit=1_000_000) if s.iss != place.name]
        ways = statements.ways({s.jti for s in page})
        for stored in page:
            if stored.state != "standing":
                continue
            if stored.statement is None:
                yield f"{place.name} holds {stored.jti:.8} v{stored.ver}: standing, and purged"
                continue
            mine = ways.get(stored.jti, [])
            for problem in _came(places, place, stored, mine, answers):
                yield f"{place.name} holds {stored.jti:.8} v{stored.ver} of {stored.iss}: {problem}"
            for reader in place.partners:
                if _missing(place, stored, reader, mine, answers, now_us):
                    yield f"{place.name} to {reader} {stored.jti:.8}: allowed, and not passed on"


def _came(
    places: Mapping[str, Place], place: Place, stored: Stored, ways: Sequence[Way], answers: Consents
) -> Iterator[str]:
    """Each way by which it still stands is one that its originator allows."""
    last: dict[str, Way] = {}
    for way in ways:
        if not way.ended and way.via != stored.iss:
            last[way.via] = way
    if not last and not _direct(stored, ways):
        yield "by no way at all"
    for via, way in last.items():
        giver = places[via].stores.statements.get(stored.jti, way.ver)
        if giver is None or giver.state != "standing" or giver.statement is None:
            yield f"of {via}, who has it no more"
            continue
        theirs = places[via].stores.statements.ways([stored.jti]).get(stored.jti, [])
        onward = giver.statement.onward
        answer = answers.get((stored.jti, via, place.name))
        if not {
            "ask": answer is not None,
            "circle": _direct(giver, theirs),
            "free": True,
        }.get(onward, False):
            yield f"of {via}, and onward is {onward}"
        if onward == "ask" and answer is not None:
            rungs = answer.get("body.place"), answer.get("body.time")
            if not all(tells_at_most(stored.kind, slot, *rungs) for slot in way.slots):
                yield f"of {via}, finer than was consented to"


def _direct(stored: Stored, ways: Sequence[Way]) -> bool:
    if not ways:
        return stored.received_from == stored.iss
    return any(way.via == stored.iss and not way.ended for way in ways)


def _missing(
    place: Place, stored: Stored, reader: str, ways: Sequence[Way], answers: Consents, now_us: int
) -> bool:
    """Whether the reader was never told of what it may have."""
    origin = channel_origin(place.name, place.realm, reader)
    logs = place.stores.logs
    if any(read_leaf(data).id == stored.jti for data, _ in logs.entries(origin, 0, logs.size(origin))):
        return False
    return _decision(place, stored, reader, ways, answers, now_us).reason == "released"


def _decision(
    place: Place, stored: Stored, reader: str, ways: Sequence[Way], answers: Consents, now_us: int
) -> Decision:
    statement = stored.statement
    assert statement is not None
    answer = answers.get((stored.jti, place.name, reader))
    allowed = reader != stored.iss and {
        "ask": answer is not None,
        "circle": _direct(stored, ways),
        "free": True,
    }.get(statement.onward, False)
    caps = (Cap(reader, answer.get("body.place"), answer.get("body.time")),) if answer else ()
    passing = Passing(
        frozenset({reader} if allowed else ()),
        statement.onward == "circle",
        caps if statement.onward == "ask" else (),
    )
    facts = facts_of(statement, stored.at_us, foreign=True, passing=passing)
    return place.policy.decide(facts, reader, now_us)
