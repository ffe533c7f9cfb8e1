"""What every kind of statement shares: the slots beside its body, their types, and how a life is folded.

A slot is one value that is disclosed whole or not at all. `NEEDS` says, for each slot that tells
more about place or time than its name does, how fine a rung a release rule must already allow
before that slot may leave: a person who may know the hour must not read the minute out of the
evidence. A slot that no kind declares never leaves (fail closed).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

import msgspec

from samsyn.base.errors import InputError, Refused
from samsyn.statements import attachments
from samsyn.statements.forms import learn
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.read import Slots

SUBJECTS = ("sea", "air", "land", "space", "cyber", "information", "other")
CONFIDENCES = ("low", "medium", "high")

Need = tuple[str | None, str | None]
"""(place rung, time rung) that a rule must at least allow; None: the slot tells nothing of that."""

EXACT: Need = ("exact", "exact")

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Prose = Annotated[str, msgspec.Meta(max_length=32_000)]
Words = Annotated[list[Word], msgspec.Meta(max_length=32)]
Lines = Annotated[list[Line], msgspec.Meta(max_length=32)]
Cells = Annotated[list[Word], msgspec.Meta(min_length=1)]
Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Nodes = Annotated[
    list[Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,30}\Z")]],
    msgspec.Meta(min_length=1, max_length=8),
]
PlaceRung = Literal["region", "area", "spot", "exact"]
TimeRung = Literal["day", "hour", "exact"]

COMMON: Mapping[str, Any] = {
    "place.region": Cells,
    "place.area": Cells,
    "place.spot": Cells,
    "place.exact": dict[str, Any],
    "time.day": Word,
    "time.hour": Word,
    "time.exact": Word,
    "title": Title,
    "summary": Prose,
    "text": Prose,
    "confidence": Literal["low", "medium", "high"],
    "author": Line,
    "sources": Lines,
    "refs": Lines,
    "tags": Words,
    **dict.fromkeys(attachments.SLOTS, attachments.Value),
}
"""Type of each slot that any kind may carry beside its body."""

COMMON_NEEDS: Mapping[str, Need] = {
    **{f"place.{rung}": (rung, None) for rung in PLACE_RUNGS},
    **{f"time.{rung}": (None, rung) for rung in TIME_RUNGS},
    # a picture shows where and when, in its pixels or beside them
    **dict.fromkeys(attachments.SLOTS, EXACT),
}


class Said(Protocol):
    """What folding needs of a statement (`statements.Statement` has it)."""

    @property
    def jti(self) -> str: ...
    @property
    def ver(self) -> int: ...
    @property
    def slots(self) -> Mapping[str, Any]: ...


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """Where one statement stands after the versions seen so far."""

    jti: str
    ver: int
    state: str  # the kind's own word: raised, updated, closed, filed, amended; or withdrawn
    slots: Mapping[str, Any]


class Kind(Protocol):
    """One kind of statement: a module of this folder, listed in `subjects.KINDS`."""

    @property
    def NAME(self) -> str: ...
    @property
    def TITLE(self) -> Mapping[str, str]:
        """In `en` and `sv`."""

    @property
    def FIELDS(self) -> frozenset[str]:
        """Every slot of the body, with its prefix `body.`."""

    @property
    def NEEDS(self) -> Mapping[str, Need]:
        """Of common and body slots; a declared slot that is absent here needs nothing."""

    def check(self, slots: Mapping[str, Any]) -> None:
        """For signing. Raises `InputError` at an unknown slot, a wrong type or a missing field."""

    def check_held(self, slots: Mapping[str, Any]) -> None:
        """For receiving. Raises `Refused` ("malformed-slot"); unknown slots pass: hashes must hold."""

    def subject(self, slots: Mapping[str, Any]) -> str | None:
        """One of `SUBJECTS`, or None where the slots do not say."""

    def fold(self, life: Life | None, said: Said) -> Life:
        """The life after `said`; an older version than the one folded changes nothing."""

    def view(self, life: Life) -> dict[str, Any]:
        """One row for an inbox: only what the slots held say."""


class Checker:
    """The typed slots of one kind: the body's fields (names without prefix) and the common ones."""

    def __init__(self, kind: str, body: Mapping[str, Any], required: frozenset[str]) -> None:
        types = {**COMMON, **{f"body.{name}": type_ for name, type_ in body.items()}}
        names = {slot.replace(".", "_"): slot for slot in types}
        fields = [(name, types[slot] | msgspec.UnsetType, msgspec.UNSET) for name, slot in names.items()]
        self._kind = kind
        self._known = types.keys()
        self._required = required
        # one struct and not one type a slot: a batch of statements is checked at 3 us each
        self._struct = msgspec.defstruct(f"{kind}_slots", fields, rename=names, gc=False)
        learn(kind, types)

    def signing(self, slots: Mapping[str, Any]) -> None:
        """Raises `InputError` naming the slot: unknown, wrong type, or missing."""
        for name in sorted(slots.keys() - self._known):
            raise InputError(f"a statement of kind {self._kind} has no slot {name!r}", where=name)
        for name in sorted(self._required - slots.keys()):
            raise InputError(f"a statement of kind {self._kind} needs the slot {name!r}", where=name)
        try:
            msgspec.convert(slots, self._struct, strict=True)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where=self._kind) from e

    def holding(self, slots: Mapping[str, Any]) -> None:
        """Raises `Refused` ("malformed-slot") where a slot that we know holds what it cannot hold."""
        if type(slots) is Slots and slots.kind == self._kind:
            slots = slots.made  # the others were held against these types when they were read
        try:
            msgspec.convert(slots, self._struct, strict=True)
        except msgspec.ValidationError as e:
            raise Refused("malformed-slot", f"a slot holds what it cannot hold: {e}") from e


def folded(life: Life | None, said: Said, first: str, later: str) -> Life:
    """The fold of a kind whose state word depends on nothing but being first or later."""
    if life is not None and (life.ver >= said.ver or life.state == "withdrawn"):
        return life
    state = first if said.ver == 1 else later
    return Life(jti=said.jti, ver=said.ver, state=state, slots=said.slots)


def withdrawn(life: Life) -> Life:
    """The life after a withdrawal: it stays withdrawn whatever is folded after."""
    return msgspec.structs.replace(life, state="withdrawn")
