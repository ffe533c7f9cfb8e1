"""A consent: an originator's signed answer to a request, given or refused.

Given, it lets the asker pass the statement on to the readers it names, no finer than the rungs it
names, until the time it names. It holds for all versions of that statement while it stands; who
thinks otherwise withdraws it, or signs the next version with another `onward`. Only the statement's
own originator can give it: the holder compares the two signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from samsyn.subjects import common
from samsyn.subjects.common import Id, Life, Need, Nodes, PlaceRung, Said, TimeRung, Word

NAME: Final = "consent"
TITLE: Final = {"en": "consent", "sv": "medgivande"}

_BODY: Final[Mapping[str, Any]] = {
    "to": Nodes,  # who asked
    "request": Id,
    "about": Id,
    "answer": Literal["given", "refused"],
    "readers": Nodes,
    "place": PlaceRung,  # the finest rungs that may go on; absent: nothing of that ladder
    "time": TimeRung,
    "until": Word,  # RFC 3339, or a day: to its end, UTC
}
_CHECKER: Final = common.Checker(
    NAME, _BODY, frozenset({"title", "body.to", "body.about", "body.answer", "body.readers"})
)

FIELDS: Final = frozenset(f"body.{name}" for name in _BODY)
NEEDS: Final[Mapping[str, Need]] = common.COMMON_NEEDS


def check(slots: Mapping[str, Any]) -> None:
    """Raises `InputError` where these cannot be the slots of a consent."""
    _CHECKER.signing(slots)


def check_held(slots: Mapping[str, Any]) -> None:
    """Raises `Refused` ("malformed-slot")."""
    _CHECKER.holding(slots)


def subject(slots: Mapping[str, Any]) -> str | None:
    """It is about a statement, not about a domain."""
    return None


def fold(life: Life | None, said: Said) -> Life:
    """given or refused, as the latest version answers."""
    after = common.folded(life, said, "refused", "refused")
    if after is not life and said.slots.get("body.answer") == "given":
        return Life(jti=after.jti, ver=after.ver, state="given", slots=after.slots)
    return after


def view(life: Life) -> dict[str, Any]:
    """One row for an inbox: jti, ver, state, and of title, to, about, answer, readers what is held."""
    names = ("title", "body.to", "body.about", "body.answer", "body.readers")
    held = {name.removeprefix("body."): life.slots[name] for name in names if name in life.slots}
    return {"jti": life.jti, "ver": life.ver, "state": life.state, **held}
