"""GeoJSON geometries, read strictly, and the cells that they touch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import h3
import msgspec

from samsyn.base import geo, limits
from samsyn.base.errors import Refused

Point = tuple[float, float]  # (lat, lon), degrees
Path = list[Point]

# Edges are sampled this far apart at most: a fifth to a third of a cell's edge (1.4, 9.9 and 69 km).
SPACING_M: Final = {7: 400.0, 5: 3_000.0, 3: 20_000.0}
METRES_PER_DEGREE: Final = math.pi / 180 * geo.EARTH_RADIUS_M
HEIGHT_M_MAX: Final = 1e8  # a geometry is not in deep space; also keeps infinities and NaN out
SAMPLES_MAX: Final = 8 * limits.PLACE_CELLS
BOX_CELLS_MAX: Final = 4 * limits.PLACE_CELLS  # of the boxes round all areas, in cells of average size

_NUMBERS = frozenset({int, float})  # and no bool
_TYPES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


class Geometry(msgspec.Struct, frozen=True):
    """A geometry taken apart: single points, open lines, and areas of an outer ring and holes."""

    points: list[Point] = []
    lines: list[Path] = []
    areas: list[list[Path]] = []

    def paths(self) -> list[Path]:
        return [*self.lines, *(ring for area in self.areas for ring in area)]


def read_geometry(value: Any) -> Geometry:
    """Read a GeoJSON geometry (RFC 7946, without GeometryCollection and without other members).

    Raises `Refused("malformed")`, also for more than `limits.GEOMETRY_POSITIONS` positions.
    """
    shape = _read(value)
    if len(shape.points) + sum(map(len, shape.paths())) > limits.GEOMETRY_POSITIONS:
        raise _malformed(f"has more than {limits.GEOMETRY_POSITIONS} positions")
    return shape


def read_point(value: Any) -> Point | None:
    """(lat, lon) of a `Point`; None for what is none. Most places are points: this is the short way.

    Raises `Refused("malformed")` as `read_geometry`.
    """
    if (
        type(value) is dict
        and len(value) == 2
        and value.get("type") == "Point"
        and "coordinates" in value
    ):
        return _point(value["coordinates"])
    return None


def _read(value: Any) -> Geometry:
    if not isinstance(value, Mapping) or value.keys() != {"type", "coordinates"}:
        raise _malformed("is no GeoJSON geometry of type and coordinates alone")
    kind, coordinates = value["type"], value["coordinates"]
    if kind == "Point":
        return Geometry(points=[_point(coordinates)])
    if kind not in _TYPES:
        raise _malformed(f"is of type {kind!r:.40}; use one of {', '.join(_TYPES)}")
    if kind == "MultiPoint":
        return Geometry(points=_path(coordinates, 1))
    if kind == "LineString":
        return Geometry(lines=[_path(coordinates, 2)])
    if kind == "MultiLineString":
        return Geometry(lines=[_path(line, 2) for line in _list(coordinates)])
    areas = [coordinates] if kind == "Polygon" else _list(coordinates)
    return Geometry(areas=[[_ring(ring) for ring in _list(area)] for area in areas])


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise _malformed("has coordinates of the wrong shape")
    return list(value)


def _path(value: Any, points_min: int) -> Path:
    path = [_point(p) for p in _list(value)]
    if len(path) < points_min:
        raise _malformed("has a line or ring of too few points")
    if any(abs(a[1] - b[1]) > 180 for a, b in pairwise(path)):
        raise _malformed("has an edge of over 180 degrees of longitude; cut it (RFC 7946, 3.1.9)")
    return path


def _ring(value: Any) -> Path:
    ring = _path(value, 4)
    if ring[0] != ring[-1]:
        raise _malformed("has a ring that is not closed")
    return ring


def _point(value: Any) -> Point:
    if not isinstance(value, list | tuple) or len(value) not in (2, 3):
        raise _malformed("has a position that is not [lon, lat] or [lon, lat, height]")
    if not _NUMBERS.issuperset(map(type, value)):
        raise _malformed("has a position that is not of numbers")
    lon, lat, *height = value
    high = height and not abs(height[0]) < HEIGHT_M_MAX
    if high or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise _malformed("has a position off the earth")
    return float(lat), float(lon)


def _malformed(what: str) -> Refused:
    return Refused("malformed", f"place.exact {what}", where="place.exact")


def touched(shape: Geometry, resolution: int) -> set[str] | None:
    """Cells of `resolution` that `shape` touches; None where they, or their samples, are too many.

    Raises `Refused("malformed")` for an area that H3 cannot fill, such as one round the whole earth.
    """
    if len(shape.points) == 1 and not shape.lines and not shape.areas:
        return {geo.cell(*shape.points[0], resolution)}
    spacing_m = SPACING_M[resolution]
    samples = list(shape.points)
    for path in shape.paths():
        for sample in _along(path, spacing_m):
            samples.append(sample)
            if len(samples) > SAMPLES_MAX:
                return None
    cells = {geo.cell(lat, lon, resolution) for lat, lon in samples}
    if sum(_box_cells(area[0], resolution) for area in shape.areas) > BOX_CELLS_MAX:
        return None
    for area in shape.areas:
        try:
            cells.update(h3.polygon_to_cells(h3.LatLngPoly(area[0], *area[1:]), resolution))
        except h3.H3BaseException as e:
            raise _malformed("has an area that cannot be laid out in cells") from e
    return cells if len(cells) <= limits.PLACE_CELLS else None


def _along(path: Path, spacing_m: float) -> Iterator[Point]:
    """Points on `path`, straight in longitude and latitude (RFC 7946, 3.1.1), corners included."""
    yield path[0]
    for (lat1, lon1), (lat2, lon2) in pairwise(path):
        east = (lon2 - lon1) * max(math.cos(math.radians(lat1)), math.cos(math.radians(lat2)))
        steps = max(1, math.ceil(math.hypot(lat2 - lat1, east) * METRES_PER_DEGREE / spacing_m))
        for step in range(1, steps + 1):
            part = step / steps
            yield lat1 + (lat2 - lat1) * part, lon1 + (lon2 - lon1) * part


def _box_cells(ring: Path, resolution: int) -> float:
    """How many cells of average size the box round a ring would hold."""
    south, north = (math.radians(edge(p[0] for p in ring)) for edge in (min, max))
    west, east = (math.radians(edge(p[1] for p in ring)) for edge in (min, max))
    box_km2 = (geo.EARTH_RADIUS_M / 1000) ** 2 * (east - west) * (math.sin(north) - math.sin(south))
    return float(box_km2 / h3.average_hexagon_area(resolution, unit="km^2"))
