"""A request: a holder asks the originator of a statement to let it go on, or to tell more of it.

It is addressed: the built-in rule `addressed` releases it, whole, to those that `body.to` names and,
unless another rule says so, to nobody else. Its slots name rungs and readers, never a place or time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from samsyn.subjects import common
from samsyn.subjects.common import Id, Life, Need, Nodes, PlaceRung, Said, TimeRung, Version, Word

NAME: Final = "request"
TITLE: Final = {"en": "request", "sv": "begäran"}

_BODY: Final[Mapping[str, Any]] = {
    "to": Nodes,
    "about": Id,
    "about_ver": Version,
    "asks": Literal["consent", "information"],
    "readers": Nodes,  # for whom consent is asked
    "place": PlaceRung,  # the finest rungs that are asked for; absent: none of that ladder
    "time": TimeRung,
    "reply_by": Word,  # RFC 3339
}
_CHECKER: Final = common.Checker(
    NAME, _BODY, frozenset({"title", "body.to", "body.about", "body.about_ver", "body.asks"})
)

FIELDS: Final = frozenset(f"body.{name}" for name in _BODY)
NEEDS: Final[Mapping[str, Need]] = common.COMMON_NEEDS


def check(slots: Mapping[str, Any]) -> None:
    """Raises `InputError` where these cannot be the slots of a request."""
    _CHECKER.signing(slots)


def check_held(slots: Mapping[str, Any]) -> None:
    """Raises `Refused` ("malformed-slot")."""
    _CHECKER.holding(slots)


def subject(slots: Mapping[str, Any]) -> str | None:
    """It is about a statement, not about a domain."""
    return None


def fold(life: Life | None, said: Said) -> Life:
    """asked -> asked again."""
    return common.folded(life, said, "asked", "asked again")


def view(life: Life) -> dict[str, Any]:
    """One row for an inbox: jti, ver, state, and of title, to, about, asks, readers what is held."""
    names = ("title", "body.to", "body.about", "body.asks", "body.readers")
    held = {name.removeprefix("body."): life.slots[name] for name in names if name in life.slots}
    return {"jti": life.jti, "ver": life.ver, "state": life.state, **held}
