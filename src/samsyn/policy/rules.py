"""What a rule of the policy says, as data. No evaluation here, and nothing read from disk."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from samsyn.policy.areas import Area, Place, place_of
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.marking import MARKINGS
from samsyn.statements.statement import Statement
from samsyn.subjects import KINDS, need
from samsyn.subjects.common import CONFIDENCES

ONWARD: Final = ("no", "ask", "circle", "free")  # least to most

MARKING_REACH: Final = "TLP:AMBER"
"""How far a releasing rule reaches that says no `marking_max`. Stricter markings must be named."""

NAMED_ONLY: Final = "TLP:RED"
"""TLP 2.0: for the eyes of individual recipients. Only readers named one by one, never a circle."""

RANK: Final = {marking: rank for rank, marking in enumerate(MARKINGS)}
ONWARD_RANK: Final = {word: rank for rank, word in enumerate(ONWARD)}
CONFIDENCE_RANK: Final = {word: rank for rank, word in enumerate(CONFIDENCES)}
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
    exercise: bool | None = None
    tags: frozenset[str] | None = None
    age_max_us: int | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One [[rule]] or [[deny]]."""

    id: str
    why: str
    deny: bool
    readers: frozenset[str]  # circles resolved
    named: frozenset[str]  # those of them that `to` names one by one
    kinds: frozenset[str]
    when: When = When()
    place: str | None = None
    time: str | None = None
    delay_us: int = 0
    hide: tuple[str, ...] = ()
    onward: str | None = None  # a statement that may travel more freely than this is not released
    until_us: int | None = None  # first instant at which the rule no longer holds
    line: int = 0

    def slots(self, kind: str, names: frozenset[str]) -> frozenset[str]:
        """Which of a statement's slots this rule lets out: declared, not hidden, not too fine."""
        return frozenset(n for n in names if self._lets_out(kind, n))

    def _lets_out(self, kind: str, slot: str) -> bool:
        needs = need(kind, slot)
        if needs is None or any(hides(h, slot) for h in self.hide):
            return False
        place, time = needs
        place_held = _PLACE_RANK[self.place] if self.place else -1
        time_held = _TIME_RANK[self.time] if self.time else -1
        return (place is None or place_held >= _PLACE_RANK[place]) and (
            time is None or time_held >= _TIME_RANK[time]
        )


def hides(word: str, slot: str) -> bool:
    """Whether a word of `hide` covers a slot: its name, its field (`evidence`), or a prefix (`body`)."""
    stem = word.removesuffix(".*")
    return slot == stem or slot == f"body.{stem}" or slot.startswith(stem + ".")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that rules may look at. None: the statement does not say, and conditions on it are false."""

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


def facts_of(statement: Statement, at_us: int) -> Facts:
    """The facts of a statement that this node has held since `at_us`."""
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
        tags=frozenset(tag for tag in slots.get("tags", ()) if isinstance(tag, str)),
    )


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
