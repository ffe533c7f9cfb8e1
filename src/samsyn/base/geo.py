"""Places: cells, distances, directions. Degrees WGS 84, (lat, lon) in that order in every signature.

GeoJSON, which writes (lon, lat), is met only where geometry is read or written.
"""

from __future__ import annotations

from typing import Any

import h3
import numpy as np
import numpy.typing as npt

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1 of WGS 84 (IUGG)
METRES_PER_NM = 1_852.0
KNOT_M_S = METRES_PER_NM / 3600

Floats = npt.NDArray[np.float64]


def cell(lat: float, lon: float, resolution: int) -> str:
    """The H3 cell of a point, as its usual hexadecimal text."""
    return str(h3.latlng_to_cell(lat, lon, resolution))


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
