"""A reference: objects of another system (STIX, MISP), whole, told under the name of their source.

It says that its originator holds them from that source, not that they are true. Several objects of one
source, of one marking and of one type stand in one statement; a later version of one of them is
the next version of the statement. An object holds times and places of any fineness, so objects
leave only under rules that allow the exact place and the exact time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from samsyn.subjects import common
from samsyn.subjects.common import EXACT, SUBJECTS, Life, Need, Said, Word

NAME: Final = "reference"
TITLE: Final = {"en": "reference", "sv": "referens"}

OBJECTS_MAX: Final = 64
OBJECT_CHARACTERS: Final = 48_000

_BODY: Final[Mapping[str, Any]] = {
    "source": Word,  # who gave them, as we call it
    "format": Literal["stix", "misp"],
    "category": Literal["sea", "air", "land", "space", "cyber", "information", "other"],
    # each as JSON text, as its source wrote it
    "objects": Annotated[
        list[Annotated[str, msgspec.Meta(min_length=2, max_length=OBJECT_CHARACTERS)]],
        msgspec.Meta(min_length=1, max_length=OBJECTS_MAX),
    ],
}
_CHECKER: Final = common.Checker(
    NAME, _BODY, frozenset({"title", "body.source", "body.format", "body.objects"})
)

FIELDS: Final = frozenset(f"body.{name}" for name in _BODY)
NEEDS: Final[Mapping[str, Need]] = {**common.COMMON_NEEDS, "body.objects": EXACT}


def check(slots: Mapping[str, Any]) -> None:
    """Raises `InputError` where these cannot be the slots of a reference."""
    _CHECKER.signing(slots)


def check_held(slots: Mapping[str, Any]) -> None:
    """Raises `Refused` ("malformed-slot")."""
    _CHECKER.holding(slots)


def subject(slots: Mapping[str, Any]) -> str | None:
    """The category, where it is one of ours."""
    category = slots.get("body.category")
    return category if category in SUBJECTS else None


def fold(life: Life | None, said: Said) -> Life:
    """held -> held anew."""
    return common.folded(life, said, "held", "held anew")


def view(life: Life) -> dict[str, Any]:
    """One row for an inbox: jti, ver, state, and of title, source, format what is held."""
    names = ("title", "body.source", "body.format")
    held = {name.removeprefix("body."): life.slots[name] for name in names if name in life.slots}
    return {"jti": life.jti, "ver": life.ver, "state": life.state, **held}
