"""What a rule of the policy says, as data. No evaluation here, and nothing read from disk."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from samsyn.policy.areas import Area, Place, place_of
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.marking import MARKINGS
from samsyn.statements.statement import Statement
from samsyn.subjects import KINDS, need, track
from samsyn.subjects.common import CONFIDENCES

ONWARD: Final = ("no", "ask", "circle", "free")  # least to most

MARKING_REACH: Final = "TLP:AMBER"
"""How far a releasing rule reaches that says no `marking_max`. Stricter markings must be named."""

NAMED_ONLY: Final = "TLP:RED"
"""TLP 2.0: for the eyes of individual recipients. Only readers named one by one, never a circle."""

RANK: Final = {marking: rank for rank, marking in enumerate(MARKINGS)}
ONWARD_RANK: Final = {word: rank for rank, word in enumerate(ONWARD)}
CONFIDENCE_RANK: Final = {word: rank for rank, word in enumerate(CONFIDENCES)}
TRACK: Final = track.NAME
"""Live tracks: no kind of statement. A rule speaks either of statements or of them, never of both."""

ANYONE: Final = "*"
"""As an originator in `when`: this node and every other."""

_PLACE_RANK: Final = {rung: rank for rank, rung in enumerate(PLACE_RUNGS)}
_TIME_RANK: Final = {rung: rank for rank, rung in enumerate(TIME_RUNGS)}


class When(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions, all of which must hold; None: not asked. Of a set, any one will do."""

    subject: frozenset[str] | None = None
    area: tuple[Area, ...] | None = None
    marking_max: str | None = None
    confidence_min: str | None = None
    detector: frozenset[str] | None = None
    originator: frozenset[str] | None = None
    feed: frozenset[str] | None = None  # of tracks only
    exercise: bool | None = None
    tags: frozenset[str] | None = None
    age_max_us: int | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One [[rule]] or [[deny]].

    A releasing rule that asks for no originator speaks of own statements only.
    """

    id: str
    why: str
    deny: bool
    readers: frozenset[str]  # circles resolved
    named: frozenset[str]  # those of them that `to` names one by one
    circled: frozenset[str] = frozenset()  # those of them that a circle in `to` holds; may be both
    addressed: bool = False  # reaches those whom a statement is addressed to, instead of `readers`
    kinds: frozenset[str]
    when: When = When()
    place: str | None = None
    time: str | None = None
    delay_us: int = 0
    hide: tuple[str, ...] = ()
    onward: str | None = None  # a statement that may travel more freely than this is not released
    until_us: int | None = None  # first instant at which the rule no longer holds
    every_us: int = 0  # of tracks only: at most one row of a craft in this time
    line: int = 0

    def slots(self, kind: str, names: frozenset[str]) -> frozenset[str]:
        """Which of a statement's slots this rule lets out: declared, not hidden, not too fine."""
        return frozenset(n for n in names if self._lets_out(kind, n))

    def _lets_out(self, kind: str, slot: str) -> bool:
        return not any(hides(h, slot) for h in self.hide) and tells_at_most(
            kind, slot, self.place, self.time
        )


def tells_at_most(kind: str, slot: str, place: str | None, time: str | None) -> bool:
    """Whether a slot is declared and tells no more than these rungs (None: nothing of that ladder)."""
    needs = need(kind, slot)
    if needs is None:
        return False
    place_needed, time_needed = needs
    place_held = _PLACE_RANK[place] if place else -1
    time_held = _TIME_RANK[time] if time else -1
    return (place_needed is None or place_held >= _PLACE_RANK[place_needed]) and (
        time_needed is None or time_held >= _TIME_RANK[time_needed]
    )


def hides(word: str, slot: str) -> bool:
    """Whether a word of `hide` covers a slot: its name, its field (`evidence`), or a prefix (`body`)."""
    stem = word.removesuffix(".*")
    return slot == stem or slot == f"body.{stem}" or slot.startswith(stem + ".")


ADDRESSED_KINDS: Final = frozenset({"request", "consent"})

ADDRESSED: Final = Rule(
    id="addressed",
    why="Asked and answered between the two",
    deny=False,
    readers=frozenset(),
    named=frozenset(),
    addressed=True,
    kinds=ADDRESSED_KINDS,
    when=When(marking_max=NAMED_ONLY),
    place=PLACE_RUNGS[-1],
    time=TIME_RUNGS[-1],
)
"""Stands in every policy, after the rules of the file: who asks and who is asked hear each other."""


class Cap(msgspec.Struct, frozen=True):
    """The most that a consent lets one reader have: rungs as in a rule; from `until_us` on nothing."""

    reader: str
    place: str | None
    time: str | None
    until_us: int | None = None


class Passing(msgspec.Struct, frozen=True):
    """What other originators allow of a statement that is theirs, or made of theirs.

    readers: who may have it; None: whoever a rule releases it to.
    circles_only: a reader must be reached through a circle.
    caps: all those of a reader bind; a reader without any is bound by the rules alone.
    """

    readers: frozenset[str] | None
    circles_only: bool
    caps: tuple[Cap, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that rules may look at. None: the statement does not say, and conditions on it are false.

    foreign: another organisation said it. Such a one without `passing` is released to nobody.
    passing: None: it is made of nothing foreign, and no other originator is asked.
    """

    kind: str
    originator: str
    marking: str
    onward: str
    exercise: bool
    at_us: int  # when this node signed or received it: delay and age count from here
    slots: frozenset[str]
    subject: str | None = None
    place: Place | None = None
    confidence: str | None = None
    detector: str | None = None
    tags: frozenset[str] = frozenset()
    feed: str | None = None  # of tracks only
    foreign: bool = True  # who does not know must not release
    addressees: frozenset[str] = frozenset()
    passing: Passing | None = None


def facts_of(
    statement: Statement, at_us: int, *, foreign: bool = True, passing: Passing | None = None
) -> Facts:
    """The facts of a statement that this node has held since `at_us`.

    foreign: False only where this node's own organisation is the originator.
    passing: what the originators allow of a foreign statement, or of an own one made of foreign ones.
    """
    slots: Any = statement.slots
    kind = KINDS.get(statement.kind)
    return Facts(
        kind=statement.kind,
        originator=statement.iss,
        marking=statement.marking,
        onward=statement.onward,
        exercise=statement.exercise,
        at_us=at_us,
        slots=frozenset(slots),
        subject=kind.subject(slots) if kind else None,
        place=place_of(slots),
        confidence=_word(slots.get("confidence")),
        detector=_word(slots.get("body.detector")),
        tags=_words(slots.get("tags", ())),
        foreign=foreign,
        addressees=_words(slots.get("body.to", ()))
        if statement.kind in ADDRESSED_KINDS
        else frozenset(),
        passing=passing,
    )


def _words(value: Any) -> frozenset[str]:
    return frozenset(w for w in value if isinstance(w, str)) if isinstance(value, list) else frozenset()


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
