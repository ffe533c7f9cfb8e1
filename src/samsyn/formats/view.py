"""A view as other systems' formats are made of it: what one reader may have of one statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import atan2, cos, degrees, hypot, radians, sin
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

import msgspec

from samsyn.base import geo

NAMESPACE: Final = UUID("e7586f31-f521-481e-ae32-1c10ad949981")  # of every id that is made of a view
PLACE_RUNGS: Final = ("exact", "spot", "area", "region")
_DAY_CHARACTERS: Final = len("2026-11-21")
_HOUR_CHARACTERS: Final = len("2026-11-21T20")
TIME_RUNGS: Final = ("exact", "hour", "day")


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What of a statement a reader may have. uid: `view_uid`; created_us, modified_us: of what is made
    of it, microseconds UTC; no times of what was seen."""

    uid: UUID
    created_us: int
    modified_us: int
    iss: str
    jti: str
    ver: int
    kind: str
    marking: str
    onward: str
    exercise: bool
    slots: Mapping[str, Any]


def view_uid(jti: str, ver: int, view: str) -> UUID:
    """The id of what is made of a view. `view`: its hash, which is another for other disclosed slots."""
    return uuid5(NAMESPACE, f"{jti}\n{ver}\n{view}")


def finest_time(slots: Mapping[str, Any]) -> Any:
    """The finest time that a view says, as its slot has it; None where it says none."""
    return next((slots[slot] for rung in TIME_RUNGS if (slot := f"time.{rung}") in slots), None)


def when(said: str) -> tuple[datetime, timedelta] | None:
    """When a time as a slot has it begins (UTC) and how long it is: 2026-11-21, 2026-11-21T20Z, or an
    instant, which has no length; None where it is no time."""
    try:
        if len(said) == _DAY_CHARACTERS:
            return datetime.fromisoformat(said).replace(tzinfo=UTC), timedelta(days=1)
        whole = said.removesuffix("Z")
        if len(whole) == _HOUR_CHARACTERS:
            return datetime.fromisoformat(f"{whole}:00").replace(tzinfo=UTC), timedelta(hours=1)
        found = datetime.fromisoformat(said)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC), timedelta()
    except (ValueError, OverflowError):
        return None


class Place(NamedTuple):
    """The finest rung said, its middle (degrees), and how far from there its edge is (metres; 0: a
    point)."""

    rung: str
    lat: float
    lon: float
    precision_m: float


def finest_place(slots: Mapping[str, Any]) -> Place | None:
    """Where a view says that it was; None where it does not."""
    for rung in PLACE_RUNGS:
        value = slots.get(f"place.{rung}")
        if value is None:
            continue
        if rung == "exact":
            points = list(positions(value.get("coordinates", value.get("geometries"))))
        else:
            points = [corner for cell in value for corner in geo.cell_ring(cell)]
        if points:
            lat, lon = _middle(points)
            far_m = max(float(geo.distance_m(lat, lon, *p)) for p in points) if len(points) > 1 else 0.0
            return Place(rung, round(lat, 6), round(lon, 6), round(far_m, 1))
    return None


def positions(value: Any) -> Iterator[tuple[float, float]]:
    """Every (lat, lon) of a GeoJSON geometry, or of its coordinates or geometries."""
    if isinstance(value, dict):
        yield from positions(value.get("coordinates", value.get("geometries")))
    elif isinstance(value, list) and len(value) >= 2 and not isinstance(value[0], list | dict):
        yield float(value[1]), float(value[0])
    else:
        for part in value or ():
            yield from positions(part)


def _middle(points: list[tuple[float, float]]) -> tuple[float, float]:
    """The middle of points as directions from the earth's centre: right across 180 degrees too."""
    if len(set(points)) == 1:
        return points[0]
    x = sum(cos(radians(lat)) * cos(radians(lon)) for lat, lon in points)
    y = sum(cos(radians(lat)) * sin(radians(lon)) for lat, lon in points)
    z = sum(sin(radians(lat)) for lat, _ in points)
    return degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x))
