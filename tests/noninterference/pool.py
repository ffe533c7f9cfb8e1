"""Statements signed once for all histories, each with the readers that it can ever reach.

Said beforehand, since signing is slow and random: two histories that say the same thing say the
same bytes. `reach` is written by hand, not asked of the policy: it is what the property holds the
policy to. A *twin* is the same statement as far as a reader of the coarse rungs can tell, and
another in all that it may not have.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from samsyn.base.clock import parse_iso
from samsyn.base.encoding import sha256
from samsyn.base.ids import new_id
from samsyn.statements.keys import NodeKeys
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft, Statement
from samsyn.subjects import KINDS
from tests.channels.nodes import new_keys

VERSIONS = 2
BALTIC, OCEAN, BASE = (55.123456, 15.654321), (50.1, -20.2), (57.9, 18.7)
HEARD_US = parse_iso("2026-11-21T19:05:03.25Z")

KEYS: dict[str, NodeKeys] = {name: new_keys() for name in ("dk", "se", "fi", "ee", "no", "lv", "xx")}


ABOUT: dict[str, dict[str, Any]] = {
    "request": {"body.about_ver": 1, "body.asks": "consent", "body.readers": ["fi"]},
    "consent": {"body.answer": "given", "body.readers": ["fi"]},
}


class Said(NamedTuple):
    """One thing that may be said. `why`: what keeps it from those whom it does not reach."""

    why: str
    reach: frozenset[str]
    versions: tuple[Statement, ...]
    twins: tuple[Statement, ...]

    @property
    def jti(self) -> str:
        return self.versions[0].jti


def slots_of(kind: str, at: tuple[float, float] | None, twin: bool) -> dict[str, Any]:
    """Everything that the coarse rungs withhold differs in a twin: values, lengths, what is there."""
    if kind in ("request", "consent"):
        return {"body.to": ["se"], "body.about": new_id(), **ABOUT[kind]}
    shift, later_us = (0.0007, 1_234_567_891) if twin else (0.0, 0)
    slots: dict[str, Any] = {
        **time_ladder(HEARD_US + later_us),
        "title": "Drift",
        "summary": "A vessel drifts",
        "text": "Long hidden words, and many more of them. " * 40 if twin else "Hidden words",
        "confidence": "high",
        "sources": ["radar one", "radar two", "a person"] if twin else ["radar"],
    }
    if at is not None:
        slots |= place_ladder({"type": "Point", "coordinates": [at[1] + shift, at[0] + shift]})
    if not twin:
        slots["author"] = "Watch officer Holm"
    if kind == "report":
        slots["body.category"] = "sea"
        return slots
    row = {"time_us": HEARD_US + later_us, "speed_kn": 0.61 + shift}
    return slots | {
        "body.detector": "drift",
        "body.craft": "mmsi:212123000",
        "body.state": "open",
        "body.measured": {"speed_kn": 0.61 + shift},
        "body.evidence": [row] * (7 if twin else 1),
    }


def say(why: str, reach: str, kind: str = "report", **more: Any) -> Said:
    """`more`: marking, onward, exercise, at (lat, lon or None), later (the marking of all versions
    but the first), and slots."""
    # ids that are the same in every run: the order of entries, and so what a seed finds, hangs on them
    jti = str(UUID(bytes=sha256(repr((why, reach, kind, more)).encode())[:16], version=4))
    head = {"marking": "TLP:AMBER", "onward": "ask", "exercise": True}
    head |= {name: more.pop(name) for name in list(more) if name in head}
    at, later = more.pop("at", BALTIC), more.pop("later", head["marking"])

    def made(ver: int, twin: bool) -> Statement:
        slots = slots_of(kind, at, twin) | {"title": f"Drift, word {ver}"} | more
        KINDS[kind].check(slots)
        of_version = {**head, "marking": head["marking"] if ver == 1 else later}
        draft = Draft(kind=kind, slots=slots, **of_version)
        return sign(draft, iss="dk", key=KEYS["dk"].statement, jti=jti, ver=ver)

    both = [tuple(made(1 + n, twin) for n in range(VERSIONS)) for twin in (False, True)]
    return Said(why, frozenset(reach.split()), *both)


@cache
def pool() -> tuple[Said, ...]:
    """Who can be reached at most, over all policies of `rules`. `lv` and `no` never are."""
    return (
        say("all hear it", "se fi ee"),
        say("all hear it", "se fi ee", marking="TLP:GREEN"),
        say("not through the circle: a kind", "se fi", "alert"),
        say("not through the circle: confidence", "se fi", confidence="medium"),
        say("not through the circle: confidence", "se fi", "alert", confidence="low"),
        say("not fi: another area", "se ee", at=OCEAN, marking="TLP:GREEN"),
        say("not fi: denied by tag", "se ee", tags=["national", "sea"]),
        say("not fi: denied by area", "se ee", at=BASE),
        say("not fi: may travel further than agreed", "se", "alert", onward="free"),
        say("not fi, not the circle: no place", "se", at=None, confidence="low"),
        say("marking", "se", marking="TLP:RED"),
        say("marking", "se", "alert", marking="TLP:RED"),
        say("marking", "se", marking="TLP:AMBER+STRICT"),
        say("not the circle: subject", "se fi", **{"body.category": "air"}),
        say("all hear it, and later that it stands no more", "se fi ee", later="TLP:RED"),
        say("asked of se", "se", "request"),
        say("answered to se", "se", "consent"),
        say("the other realm", "", exercise=False),
    )


def told(reader: str) -> list[int]:
    """Numbers of what may reach a reader."""
    return [n for n, said in enumerate(pool()) if reader in said.reach]


def untold(reader: str) -> list[int]:
    return [n for n, said in enumerate(pool()) if reader not in said.reach]


@cache
def foreign() -> Statement:
    """A partner's statement that may go on; the policies let it go to se alone."""
    slots = slots_of("report", BALTIC, False)
    draft = Draft(kind="report", marking="TLP:GREEN", onward="free", exercise=True, slots=slots)
    return sign(draft, iss="lv", key=KEYS["lv"].statement)
