"""An alert: a finding that an organisation signed.

Machine figures can be turned back into places and instants (a start, a gap, a distance, the rows
themselves), so they leave only under rules that allow the exact place and the exact time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from samsyn.subjects import common
from samsyn.subjects.common import EXACT, Life, Line, Lines, Need, Said, Word

NAME: Final = "alert"
TITLE: Final = {"en": "alert", "sv": "larm"}

CRAFT_PATTERN: Final = r"^(mmsi:[0-9]{9}|icao:[0-9a-f]{6})$"
EVIDENCE_ROWS_MAX: Final = 200

_Figures = Annotated[dict[Word, float], msgspec.Meta(max_length=64)]
_Row = Annotated[dict[Word, float | int | bool | str | None], msgspec.Meta(max_length=32)]

_BODY: Final[Mapping[str, Any]] = {
    "detector": Word,
    "craft": Annotated[str, msgspec.Meta(pattern=CRAFT_PATTERN)],
    "other": Annotated[str, msgspec.Meta(pattern=CRAFT_PATTERN)],  # the second of a pair
    "zone": Word,
    "state": Literal["open", "closed"],
    "start": Word,  # RFC 3339
    "end": Word,  # RFC 3339
    "measured": _Figures,  # names carry their units
    "thresholds": _Figures,
    "evidence": Annotated[list[_Row], msgspec.Meta(max_length=EVIDENCE_ROWS_MAX)],
    "known_errors": Lines,
    "finding": Line,  # key of the situation at home
    "closed_because": Line,
}
_CHECKER: Final = common.Checker(NAME, _BODY, frozenset({"title", "body.detector", "body.state"}))

FIELDS: Final = frozenset(f"body.{name}" for name in _BODY)
NEEDS: Final[Mapping[str, Need]] = {
    **common.COMMON_NEEDS,
    "body.evidence": EXACT,
    "body.measured": EXACT,
    # with the craft's name, an instant is a place for whoever hears the same traffic
    "body.start": EXACT,
    "body.end": EXACT,
    "body.finding": EXACT,  # made from the start
    "body.zone": ("exact", None),  # a zone may be drawn as small as its owner likes
}


def check(slots: Mapping[str, Any]) -> None:
    """Raises `InputError` where these cannot be the slots of an alert."""
    _CHECKER.signing(slots)


def check_held(slots: Mapping[str, Any]) -> None:
    """Raises `Refused` ("malformed-slot")."""
    _CHECKER.holding(slots)


def subject(slots: Mapping[str, Any]) -> str | None:
    """Sea or air by the craft's identity; by its tags if it is about no craft."""
    craft = slots.get("body.craft")
    if isinstance(craft, str):
        return {"mmsi": "sea", "icao": "air"}.get(craft.partition(":")[0])
    tags = slots.get("tags")
    named = [tag for tag in ("sea", "air") if tag in tags] if isinstance(tags, list) else []
    return named[0] if len(named) == 1 else None


def fold(life: Life | None, said: Said) -> Life:
    """raised -> updated -> closed; a later open version of a closed alert is updated again."""
    after = common.folded(life, said, "raised", "updated")
    if after is not life and said.slots.get("body.state") == "closed":
        return msgspec.structs.replace(after, state="closed")
    return after


def view(life: Life) -> dict[str, Any]:
    """One row for an inbox: jti, ver, state, and of title, detector, craft, zone what is held."""
    names = ("title", "body.detector", "body.craft", "body.zone")
    held = {name.removeprefix("body."): life.slots[name] for name in names if name in life.slots}
    return {"jti": life.jti, "ver": life.ver, "state": life.state, **held}
