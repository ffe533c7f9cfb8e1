"""A live track: no statement, but what a rule may let a partner see of one craft, column by column.

A track is never signed one by one and never kept by who receives it; `kinds = ["track"]` alone
releases it. `NEEDS` says here what it says for statements. Whoever knows a cell and, ten seconds
later, a course and a speed soon knows the place: what moves with the craft, or is true only at
certain places (on the ground, moored), leaves only under `place = "exact"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from samsyn.statements.ladder import PLACE_RUNGS
from samsyn.subjects.common import Need

NAME: Final = "track"
TITLE: Final = {"en": "live track", "sv": "levande spår"}

_STANDING: Final = ("craft", "callsign", "name", "ship_type", "squawk", "emergency")
"""True of the craft wherever it is."""

_MOVING: Final = (
    "course_deg",
    "speed_kn",
    "heading_deg",
    "vertical_rate_fpm",
    "altitude_ft",
    "nav_status",
    "on_ground",
    "implausible",
)
"""With these a coarse place can be made fine again."""

FIELDS: Final = frozenset({*(f"place.{rung}" for rung in PLACE_RUNGS), *_STANDING, *_MOVING})
"""All that may be released, named as `hide` names it. Whether a track is of the sea or of the air,
and the time of its position, rounded as its place is, leave with every track."""

NEEDS: Final[Mapping[str, Need]] = {
    **{f"place.{rung}": (rung, None) for rung in PLACE_RUNGS},
    **dict.fromkeys(_MOVING, ("exact", None)),
}
