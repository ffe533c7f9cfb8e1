"""From what a radar measures, distance and azimuth, to a place on the globe."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

SEMI_MAJOR_M: Final = 6_378_137.0  # WGS 84
FLATTENING: Final = 1 / 298.257223563
_E2: Final = FLATTENING * (2 - FLATTENING)
METRES_PER_NM: Final = 1_852.0
METRES_PER_FOOT: Final = 0.3048


class Site(NamedTuple):
    """Where a radar stands: WGS 84 degrees, and metres above the ellipsoid."""

    lat: float
    lon: float
    height_m: float = 0.0


class Polar(NamedTuple):
    """What it sees: slant range, azimuth from true north, and how high the target flies, if it says."""

    range_nm: float
    azimuth_deg: float
    altitude_ft: float | None


def place(site: Site, seen: Polar) -> tuple[float, float]:
    """Latitude and longitude of a target in degrees.

    The slant range is brought down by the target's pressure altitude (taken as height; without one, it
    is taken to fly as high as the radar stands). Exact on the ellipsoid but for that: east, north, up at
    the radar, with the curvature in the direction of the target, turned into earth-centred axes
    (Hofmann-Wellenhof, Physical Geodesy, ch. 5).
    """
    lat, azimuth = math.radians(site.lat), math.radians(seen.azimuth_deg)
    range_m = seen.range_nm * METRES_PER_NM
    height_m = site.height_m if seen.altitude_ft is None else seen.altitude_ft * METRES_PER_FOOT
    inside = 1 - _E2 * math.sin(lat) ** 2
    east_m, north_m = SEMI_MAJOR_M / math.sqrt(inside), SEMI_MAJOR_M * (1 - _E2) / inside**1.5
    radius_m = 1 / (math.cos(azimuth) ** 2 / north_m + math.sin(azimuth) ** 2 / east_m)  # Euler
    at_m, to_m = radius_m + site.height_m, radius_m + height_m
    sine = (to_m**2 - at_m**2 - range_m**2) / (2 * at_m * range_m) if range_m else 1.0
    up_m = range_m * min(max(sine, -1.0), 1.0)
    along_m = math.sqrt(max(range_m**2 - up_m**2, 0.0))
    return _geodetic(site, along_m * math.sin(azimuth), along_m * math.cos(azimuth), up_m)


def _geodetic(site: Site, east_m: float, north_m: float, up_m: float) -> tuple[float, float]:
    lat, lon = math.radians(site.lat), math.radians(site.lon)
    prime_m = SEMI_MAJOR_M / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    outward = up_m * math.cos(lat) - north_m * math.sin(lat) + (prime_m + site.height_m) * math.cos(lat)
    x = outward * math.cos(lon) - east_m * math.sin(lon)
    y = outward * math.sin(lon) + east_m * math.cos(lon)
    z = (prime_m * (1 - _E2) + site.height_m + up_m) * math.sin(lat) + north_m * math.cos(lat)
    axis_m = math.hypot(x, y)
    polar_m = SEMI_MAJOR_M * (1 - FLATTENING)
    # Bowring's one step: under a millimetre for anything that flies
    theta = math.atan2(z * SEMI_MAJOR_M, axis_m * polar_m)
    found = math.atan2(
        z + _E2 / (1 - _E2) * polar_m * math.sin(theta) ** 3,
        axis_m - _E2 * SEMI_MAJOR_M * math.cos(theta) ** 3,
    )
    return math.degrees(found), math.degrees(math.atan2(y, x))
