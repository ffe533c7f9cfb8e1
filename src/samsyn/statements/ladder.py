"""Place and time, rung by rung, coarse to fine. Coarsening is disclosing fewer rungs.

    place.region  cells of resolution 3     about 12,400 km2 each
    place.area    cells of resolution 5     about 253 km2
    place.spot    cells of resolution 7     about 5.2 km2
    place.exact   the geometry itself (GeoJSON, RFC 7946)
    time.day      2026-11-21
    time.hour     2026-11-21T20Z
    time.exact    2026-11-21T20:15:03Z

Which cells a geometry touches is defined here once, so that every implementation finds the same
(spec/statement.md): the cells of its points and of points along its edges, and for areas also the
cells whose centre lies inside. That is done at the finest resolution where there are at most
`limits.PLACE_CELLS`; coarser rungs are parents of those cells, finer ones are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from samsyn.base import geo, limits
from samsyn.base.clock import iso, parse_iso
from samsyn.base.errors import Refused
from samsyn.statements.geometry import Geometry, Point, read_geometry, read_point, touched

PLACE_RUNGS: Final = ("region", "area", "spot", "exact")
TIME_RUNGS: Final = ("day", "hour", "exact")
RESOLUTIONS: Final = {"region": 3, "area": 5, "spot": 7}

_CELL_SLOTS = (("place.spot", 7), ("place.area", 5), ("place.region", 3))  # fine to coarse
_ABOVE = tuple((slot, *geo.above(resolution)) for slot, resolution in _CELL_SLOTS)
_MASKS = {resolution: geo.above(resolution) for _, resolution in _CELL_SLOTS}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SECOND = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}Z")
_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\dZ")


def place_ladder(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """The rungs of a GeoJSON geometry. Cell lists are sorted; a rung too fine for it is absent.

    Raises `Refused("malformed")` for what is no geometry or too large for any rung.
    """
    shape = read_geometry(geometry)
    cells, finest = _finest(shape)
    rungs: dict[str, Any] = {}
    for slot, resolution in reversed(_CELL_SLOTS):
        if resolution <= finest:
            rungs[slot] = sorted(_parents(cells, resolution))
    rungs["place.exact"] = dict(geometry)
    return rungs


def time_ladder(at_us: int) -> dict[str, str]:
    """The rungs of an instant (microseconds UTC)."""
    exact = iso(at_us)
    return {"time.day": exact[:10], "time.hour": f"{exact[:13]}Z", "time.exact": exact}


def check_ladders(slots: Mapping[str, Any]) -> None:
    """Check the rungs among `slots`, however many of them are there.

    Raises `Refused("malformed")` for a rung that is not what its name says, and
    `Refused("finer-outside-coarser")` for a finer one that does not lie inside a coarser one.
    """
    _check_time(slots)
    _check_place(slots)


def _check_time(slots: Mapping[str, Any]) -> None:
    whole = slots.get("time.exact")
    if (
        isinstance(whole, str)
        and slots.get("time.hour") == f"{whole[:13]}Z"
        and slots.get("time.day") == whole[:10]
        and _is_exact(whole)
    ):
        return  # all three, as `time_ladder` makes them
    for rung in TIME_RUNGS:
        if slots.get(f"time.{rung}", "") is None:
            raise _malformed(f"time.{rung}", "is null; a rung that is not said is left out")
    day, hour, exact = slots.get("time.day"), slots.get("time.hour"), slots.get("time.exact")
    if exact is not None and not _is_exact(exact):
        raise _malformed("time.exact", "is not a UTC time as 2026-11-21T20:15:03Z")
    if hour is not None:
        if not _match(_HOUR, hour) or (exact is None and not _is_exact(f"{hour[:-1]}:00:00Z")):
            raise _malformed("time.hour", "is not an hour as 2026-11-21T20Z")
        if exact is not None and exact[:13] != hour[:13]:
            raise _outside("time.exact", "time.hour")
    fine = exact or hour
    if day is not None:
        if not _match(_DAY, day) or (fine is None and not _is_exact(f"{day}T00:00:00Z")):
            raise _malformed("time.day", "is not a day as 2026-11-21")
        if fine is not None and fine[:10] != day:
            raise _outside("time.hour" if exact is None else "time.exact", "time.day")


def _match(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value)) and value.isascii()


def _is_exact(value: Any) -> bool:
    """Whether `value` is a time in the one spelling that `base.clock.iso` gives it."""
    try:
        if isinstance(value, str) and _SECOND.fullmatch(value):
            return bool(datetime.fromisoformat(value[:-1]))  # of this form there is one spelling
        return isinstance(value, str) and iso(parse_iso(value)) == value
    except (ValueError, OverflowError, OSError):  # a time that no calendar has
        return False


def _check_place(slots: Mapping[str, Any]) -> None:
    fine: set[str] | None = None
    fine_slot = "place.exact"
    finest = 7
    if "place.exact" in slots:
        exact = slots["place.exact"]
        point = read_point(exact)
        if point is not None and _is_made_of(point, slots):
            return
        fine, finest = _finest(read_geometry(exact))
    for slot, resolution in _CELL_SLOTS:
        if slot not in slots:
            continue
        if resolution > finest:
            raise _malformed(slot, "is finer than the cells that the exact place can have")
        if fine is None:
            cells = _read_cells(slot, slots[slot], resolution)
        else:
            cells = _read_above(fine, fine_slot, slot, slots[slot], resolution)
        fine, fine_slot, finest = cells, slot, resolution


def _read_above(fine: set[str], fine_slot: str, slot: str, value: Any, resolution: int) -> set[str]:
    """The cells of a rung that a finer one, already read, must lie inside."""
    if len(fine) == 1:
        parents, ours = _above(*fine, resolution)
    else:
        parents = _parents(fine, resolution)
        ours = sorted(parents)
    if value == ours:  # as `place_ladder` makes it: cells they are, and it lies inside
        return parents
    cells = _read_cells(slot, value, resolution)
    if not parents <= cells:
        raise _outside(fine_slot, slot)
    return cells


def _read_cells(slot: str, value: Any, resolution: int) -> set[str]:
    if not isinstance(value, list) or not 0 < len(value) <= limits.PLACE_CELLS:
        raise _malformed(slot, f"is not a list of 1 to {limits.PLACE_CELLS} cells")
    for cell in value:
        if not isinstance(cell, str) or not _is_cell(cell, resolution):
            raise _malformed(slot, f"names a cell that is not an H3 cell of resolution {resolution}")
    cells = set(value)
    if len(cells) != len(value) or (len(value) > 1 and sorted(value) != value):
        raise _malformed(slot, "is not sorted or names a cell twice")
    return cells


def _is_cell(cell: str, resolution: int) -> bool:
    """Also that it is spelt as H3 spells it: one cell, one text."""
    return (
        len(cell) == 15
        and cell == cell.lower()
        and geo.is_cell(cell)
        and geo.resolution(cell) == resolution
    )


def _is_made_of(point: Point, slots: Mapping[str, Any]) -> bool:
    """Whether the coarser rungs that are there are those that `place_ladder` makes of a point."""
    cell = geo.cell_number(*point, 7)
    for slot, keep, put in _ABOVE:
        made = [f"{cell & keep | put:x}"]
        if slots.get(slot, made) != made:
            return False
    return True


def is_cell_over(lat: float, lon: float, resolution: int, number: int) -> bool:
    """Whether a point lies in the cell of this number, at a resolution that a rung has."""
    keep, put = _MASKS[resolution]
    return geo.cell_number(lat, lon, 7) & keep | put == number


def _finest(shape: Geometry) -> tuple[set[str], int]:
    """The cells of a shape and their resolution."""
    for _, resolution in _CELL_SLOTS:
        cells = touched(shape, resolution)
        if cells is not None:
            return cells, resolution
    raise _malformed("place.exact", f"touches more than {limits.PLACE_CELLS} cells of the coarsest rung")


def _parents(cells: set[str], resolution: int) -> set[str]:
    return {_parent(cell, resolution) for cell in cells}


_parent = lru_cache(maxsize=16_384)(geo.parent)  # what is said is often near what was said before


@lru_cache(maxsize=16_384)
def _above(cell: str, resolution: int) -> tuple[set[str], list[str]]:
    """The parent of one cell, as a set of cells and as a rung has it; neither is ever changed."""
    return {found := _parent(cell, resolution)}, [found]


def _malformed(slot: str, what: str) -> Refused:
    return Refused("malformed", f"{slot} {what}", where=slot)


def _outside(fine: str, coarse: str) -> Refused:
    return Refused("finer-outside-coarser", f"{fine} does not lie inside {coarse}", where=fine)
