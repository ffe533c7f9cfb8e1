"""Places: cells, distances, directions. Degrees WGS 84, (lat, lon) in that order in every signature.

GeoJSON, which writes (lon, lat), is met only where geometry is read or written.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any

import h3
import h3.api.basic_int as h3_int
import numpy as np
import numpy.typing as npt

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1 of WGS 84 (IUGG)
METRES_PER_NM = 1_852.0
KNOT_M_S = METRES_PER_NM / 3600

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.uint64]

_DIGIT_BITS = 3  # of an H3 index: one digit a resolution, the finest of 15 lowest
_RESOLUTION_BITS = 52  # where its resolution stands


def cell(lat: float, lon: float, resolution: int) -> str:
    """The H3 cell of a point, as its usual hexadecimal text."""
    return str(h3.latlng_to_cell(lat, lon, resolution))


def cell_number(lat: float, lon: float, resolution: int) -> int:
    """The H3 cell of a point, as the number whose hexadecimal text `cell` gives."""
    return int(h3_int.latlng_to_cell(lat, lon, resolution))


def above(resolution: int) -> tuple[int, int]:
    """Two masks: `cell & first | second` is the ancestor of a cell's number at a coarser (or the same)
    resolution, as `parents` finds it."""
    unused = (1 << _DIGIT_BITS * (15 - resolution)) - 1
    return (1 << 64) - 1 ^ 15 << _RESOLUTION_BITS, resolution << _RESOLUTION_BITS | unused


def cells(lat: Floats, lon: Floats, resolution: int) -> Cells:
    """The H3 cell of each point, as the number whose hexadecimal text `cell` gives."""
    found = map(h3_int.latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution))
    return np.fromiter(found, np.uint64, len(lat))


def parents(cells_: Cells, resolution: int) -> Cells:
    """The ancestor of each cell at a coarser resolution (H3 index layout: resolution in bits 52 to 55,
    then three bits a digit, all ones where the resolution has none)."""
    unused = np.uint64((1 << _DIGIT_BITS * (15 - resolution)) - 1)
    kept = cells_ & ~np.uint64(15 << _RESOLUTION_BITS)
    return kept | np.uint64(resolution << _RESOLUTION_BITS) | unused


def centres(cells_: Cells) -> tuple[Floats, Floats]:
    """Latitude and longitude of the centre of each cell."""
    some, at = np.unique(cells_, return_inverse=True)
    points = np.array([h3_int.cell_to_latlng(int(c)) for c in some], np.float64).reshape(-1, 2)
    return points[at, 0], points[at, 1]


def parent(cell_: str, resolution: int) -> str:
    """The ancestor of a cell. Coarser rungs are always made this way: H3 is not exactly nested."""
    return str(h3.cell_to_parent(cell_, resolution))


def resolution(cell_: str) -> int:
    return int(h3.get_resolution(cell_))


def is_cell(text: str) -> bool:
    return bool(h3.is_valid_cell(text))


def cell_ring(cell_: str) -> list[tuple[float, float]]:
    """Corners of a cell, (lat, lon), not closed."""
    return [(float(a), float(b)) for a, b in h3.cell_to_boundary(cell_)]


def cell_centre(cell_: str) -> tuple[float, float]:
    lat, lon = h3.cell_to_latlng(cell_)
    return float(lat), float(lon)


def distance_m(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Any:
    """Great-circle distance in metres (haversine); scalars or arrays alike."""
    a1, o1, a2, o2 = (np.radians(x) for x in (lat1, lon1, lat2, lon2))
    h = np.sin((a2 - a1) / 2) ** 2 + np.cos(a1) * np.cos(a2) * np.sin((o2 - o1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))


def bearing_deg(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Any:
    """Initial great-circle bearing from the first point to the second, 0 to 360 degrees."""
    a1, o1, a2, o2 = (np.radians(x) for x in (lat1, lon1, lat2, lon2))
    y = np.sin(o2 - o1) * np.cos(a2)
    x = np.cos(a1) * np.sin(a2) - np.sin(a1) * np.cos(a2) * np.cos(o2 - o1)
    return np.degrees(np.arctan2(y, x)) % 360


def turn_deg(a: Any, b: Any) -> Any:
    """The angle between two directions, 0 to 180 degrees."""
    return np.abs((np.asarray(a) - np.asarray(b) + 180) % 360 - 180)
