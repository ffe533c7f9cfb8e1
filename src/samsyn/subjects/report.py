"""A report: a person's account of what was seen or heard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from samsyn.subjects import common
from samsyn.subjects.common import SUBJECTS, Life, Line, Need, Said

NAME: Final = "report"
TITLE: Final = {"en": "report", "sv": "rapport"}

CATEGORIES: Final = SUBJECTS
"""What a report may be about; the category is its subject."""

_BODY: Final[Mapping[str, Any]] = {
    "category": Literal["sea", "air", "land", "space", "cyber", "information", "other"],
    "observer": Line,
}
_CHECKER: Final = common.Checker(NAME, _BODY, frozenset({"title", "body.category"}))

FIELDS: Final = frozenset(f"body.{name}" for name in _BODY)
NEEDS: Final[Mapping[str, Need]] = common.COMMON_NEEDS


def check(slots: Mapping[str, Any]) -> None:
    """Raises `InputError` where these cannot be the slots of a report."""
    _CHECKER.signing(slots)


def check_held(slots: Mapping[str, Any]) -> None:
    """Raises `Refused` ("malformed-slot")."""
    _CHECKER.holding(slots)


def subject(slots: Mapping[str, Any]) -> str | None:
    """The category, where it is one of ours."""
    category = slots.get("body.category")
    return category if category in SUBJECTS else None


def fold(life: Life | None, said: Said) -> Life:
    """filed -> amended."""
    return common.folded(life, said, "filed", "amended")


def view(life: Life) -> dict[str, Any]:
    """One row for an inbox: jti, ver, state, and of title, category, observer what is held."""
    names = ("title", "body.category", "body.observer")
    held = {name.removeprefix("body."): life.slots[name] for name in names if name in life.slots}
    return {"jti": life.jti, "ver": life.ver, "state": life.state, **held}
