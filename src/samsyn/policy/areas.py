"""Named areas of the policy, and whether a statement's place lies in one.

A rule that releases wants the whole place inside its area; a rule that denies is content when the
place touches it. Both err towards holding back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from samsyn.base import geo

Box = tuple[float, float, float, float]
"""west, south, east, north in degrees; an area over the antimeridian is written as two."""

_CELL_RUNGS: Final = ("place.spot", "place.area", "place.region")  # finest first


class Place(msgspec.Struct, frozen=True):
    """Where a statement is: the box around it and the finest cells that it names."""

    box: Box
    cells: tuple[str, ...]
    point: tuple[float, float] | None  # (lat, lon) of a place that is one point


class Area(msgspec.Struct, frozen=True):
    """A box, or a set of H3 cells."""

    name: str
    box: Box | None
    cells: frozenset[str]

    def holds(self, place: Place) -> bool:
        """Whether all of `place` lies inside."""
        if self.box is not None:
            w, s, e, n = self.box
            return w <= place.box[0] and s <= place.box[1] and place.box[2] <= e and place.box[3] <= n
        if place.point is not None:
            return self._at(*place.point)
        return bool(place.cells) and all(self._has(cell) for cell in place.cells)

    def touches(self, place: Place) -> bool:
        """Whether any of `place` may lie inside."""
        if self.box is not None:
            w, s, e, n = self.box
            return w <= place.box[2] and place.box[0] <= e and s <= place.box[3] and place.box[1] <= n
        if place.point is not None and self._at(*place.point):
            return True
        if not place.cells and place.point is None:  # a line told by nothing but itself: it may
            return True
        return any(self._has(cell) or self._within(cell) for cell in place.cells)

    def _at(self, lat: float, lon: float) -> bool:
        return any(geo.cell(lat, lon, size) in self.cells for size in self._resolutions())

    def _resolutions(self) -> frozenset[int]:
        return _resolutions(self.cells)

    def _has(self, cell: str) -> bool:
        fine = geo.resolution(cell)
        return any(geo.parent(cell, r) in self.cells for r in self._resolutions() if r <= fine)

    def _within(self, cell: str) -> bool:
        coarse = geo.resolution(cell)
        return any(geo.resolution(c) > coarse and geo.parent(c, coarse) == cell for c in self.cells)


@lru_cache
def _resolutions(cells: frozenset[str]) -> frozenset[int]:
    return frozenset(geo.resolution(cell) for cell in cells)


def place_of(slots: Mapping[str, Any]) -> Place | None:
    """The place that a statement's slots tell, from the finest rung held; None where they tell none."""
    cells = next((tuple(slots[rung]) for rung in _CELL_RUNGS if slots.get(rung)), ())
    geometry = slots.get("place.exact")
    corners = list(_corners(geometry)) if isinstance(geometry, dict) else []
    point = (corners[0][1], corners[0][0]) if len(corners) == 1 else None
    if not corners:
        corners = [(lon, lat) for cell in cells for lat, lon in geo.cell_ring(cell)]
    if not corners:
        return None
    lons = [c[0] for c in corners]
    lats = [c[1] for c in corners]
    return Place((min(lons), min(lats), max(lons), max(lats)), cells, point)


def _corners(geometry: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """All (lon, lat) of a GeoJSON geometry (RFC 7946)."""
    for part in geometry.get("geometries", ()):
        yield from _corners(part)
    todo = [geometry.get("coordinates", [])]
    while todo:
        node = todo.pop()
        if node and isinstance(node[0], int | float):
            yield float(node[0]), float(node[1])
        else:
            todo.extend(node)
