"""Views and live tracks as GeoJSON features (RFC 7946), for map servers and GIS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import shapely

from samsyn.base import geo
from samsyn.base.clock import iso
from samsyn.formats.view import PLACE_RUNGS, View, finest_place, finest_time, positions

Object = dict[str, Any]

MEDIA_TYPE: Final = "application/geo+json"
_PLAIN: Final = str | int | float | bool
_HALF_TURN_DEG: Final = 180.0


def feature(view: View) -> Object:
    """One view. A view without a place has the geometry null; a cell of a rung is its outline, so
    nothing drawn is finer than what was released."""
    slots = view.slots
    place = finest_place(slots)
    said: Object = {
        "statement": view.jti,
        "version": view.ver,
        "originator": view.iss,
        "kind": view.kind,
        "marking": view.marking,
        "onward": view.onward,
        "exercise": view.exercise,
        "released": iso(view.modified_us),
        "time": finest_time(slots),
        "place_rung": place.rung if place else None,
        "place_precision_m": place.precision_m if place else None,
    }
    for name, value in slots.items():
        if not name.startswith(("place.", "time.")):
            said[name.removeprefix("body.")] = value if isinstance(value, _PLAIN) else _flat(value)
    return {
        "type": "Feature",
        "id": str(view.uid),
        "geometry": geometry(slots),
        "properties": {name: value for name, value in said.items() if value is not None},
    }


def geometry(slots: Mapping[str, Any]) -> Object | None:
    """The finest place that a view says, as GeoJSON; None where it says none."""
    for rung in PLACE_RUNGS:
        value = slots.get(f"place.{rung}")
        if value is None:
            continue
        if rung == "exact":
            return dict(value)
        drawn = shapely.union_all([_drawn(ring) for cell in value for ring in _outline(cell)])
        return dict(orjson.loads(shapely.to_geojson(drawn)))
    return None


def bounds(of: Object | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north of a geometry, degrees; None of none. What crosses 180 degrees is as
    wide as the world: too much found, never too little."""
    points = list(positions(of)) if of else []
    if not points:
        return None
    lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
    return min(lons), min(lats), max(lons), max(lats)


def track(id_: str, lon: float, lat: float, properties: Mapping[str, Any]) -> Object:
    """One live track: a point."""
    return {
        "type": "Feature",
        "id": id_,
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {name: value for name, value in properties.items() if value is not None},
    }


def _flat(value: Any) -> str:
    """What a table column of a GIS can hold of a list or an object: words as one text, else JSON. QGIS
    would refuse to save a layer with an object in a column."""
    if isinstance(value, Sequence) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _outline(cell: str) -> Iterator[list[list[float]]]:
    """The closed ring of a cell, counter-clockwise; one that crosses 180 degrees in two parts."""
    corners = [(lon, lat) for lat, lon in geo.cell_ring(cell)]
    lons = [lon for lon, _ in corners]
    if max(lons) - min(lons) <= _HALF_TURN_DEG:
        yield _closed(corners)
        return
    turned = [(lon % 360, lat) for lon, lat in corners]
    if max(lon for lon, _ in turned) - min(lon for lon, _ in turned) > _HALF_TURN_DEG:  # around a pole
        lats = [lat for _, lat in corners]
        edge, pole = (min(lats), 90.0) if lats[0] > 0 else (max(lats), -90.0)
        yield _closed([(-180.0, edge), (180.0, edge), (180.0, pole), (-180.0, pole)])
        return
    for low, high, shift in ((0.0, _HALF_TURN_DEG, 0.0), (_HALF_TURN_DEG, 360.0, 360.0)):
        part = _clipped(_clipped(turned, low, keep_above=True), high, keep_above=False)
        if len(part) > 2:
            yield _closed([(lon - shift, lat) for lon, lat in part])


def _drawn(ring: list[list[float]]) -> shapely.Geometry:
    """A ring as an area; one that is none in a map of degrees, close to a pole, as the box around it:
    more than the cell, never less."""
    made = shapely.Polygon(ring)
    return made if made.is_valid else shapely.box(*made.bounds)


def _closed(corners: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[round(lon, 7), round(lat, 7)] for lon, lat in (*corners, corners[0])]


def _clipped(
    ring: Sequence[tuple[float, float]], at: float, *, keep_above: bool
) -> list[tuple[float, float]]:
    """A convex ring cut along a meridian (Sutherland and Hodgman)."""
    kept: list[tuple[float, float]] = []
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        inside1, inside2 = ((x1 >= at) == keep_above or x1 == at, (x2 >= at) == keep_above or x2 == at)
        if inside1:
            kept.append((x1, y1))
        if inside1 != inside2:
            kept.append((at, y1 + (y2 - y1) * (at - x1) / (x2 - x1)))
    return kept
