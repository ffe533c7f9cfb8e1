"""Positions of ADS-B: compact position reporting (ICAO Doc 9871, appendix C, 2.6).

A frame holds only part of a position. An even and an odd one close in time give all of it; with a
position known, one frame is enough. Airborne and surface frames divide the globe differently, so a
pair of one each is never made: real recordings lose thousands of positions to that.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from samsyn.base.clock import MINUTE_US, SECOND_US

SCALE: Final = 1 << 17  # 17 bits of latitude and longitude
AIRBORNE_PAIR_US: Final = 10 * SECOND_US  # the standard's limits for a pair
SURFACE_PAIR_US: Final = 25 * SECOND_US
KNOWN_US: Final = 10 * MINUTE_US  # under 180 NM in the air, 45 NM on the ground: unambiguous
LANDED_US: Final = 2 * MINUTE_US  # what was in the air may have come far, and 45 NM is the limit
_ZONES: Final = 15  # NZ


class Frame(NamedTuple):
    """What one frame says: encoded latitude and longitude, and which of the two grids."""

    time_us: int
    lat: int
    lon: int
    odd: int


class Fix(NamedTuple):
    time_us: int
    lat: float
    lon: float
    surface: bool


class Positions:
    """The positions of one aircraft, frame by frame.

    `near` of `take` is any place within some thousand kilometres; surface frames alone leave the
    quarter of the globe open.
    """

    __slots__ = ("_airborne", "_known", "_surface")

    def __init__(self) -> None:
        self._airborne: list[Frame | None] = [None, None]
        self._surface: list[Frame | None] = [None, None]
        self._known: Fix | None = None

    def take(
        self, frame: Frame, surface: bool, near: tuple[float, float] | None
    ) -> tuple[float, float] | None:
        """(lat, lon) once it can be known, else None."""
        frames = self._surface if surface else self._airborne
        frames[frame.odd] = frame
        other = frames[1 - frame.odd]
        known = self._known
        place = None
        pair_us = SURFACE_PAIR_US if surface else AIRBORNE_PAIR_US
        if other and abs(frame.time_us - other.time_us) <= pair_us:
            even, odd = (other, frame) if frame.odd else (frame, other)
            about = (known.lat, known.lon) if known else near
            place = (
                _global_surface(even, odd, frame.odd, about)
                if surface
                else _global(even, odd, frame.odd)
            )
        landed = surface and known is not None and not known.surface
        known_us = LANDED_US if landed else KNOWN_US
        lately = known is not None and abs(frame.time_us - known.time_us) <= known_us
        if place is None and known and lately:
            place = _local(frame, surface, (known.lat, known.lon))
        if place:
            self._known = Fix(frame.time_us, *place, surface)
        return place


def longitude_zones(lat: float) -> int:
    """NL: how many longitude zones there are at a latitude, 1 to 59."""
    if abs(lat) >= 87:
        return 2 if abs(lat) == 87 else 1
    if lat == 0:
        return 59
    a = 1 - math.cos(math.pi / (2 * _ZONES))
    return math.floor(2 * math.pi / math.acos(1 - a / math.cos(math.radians(lat)) ** 2))


def _global(even: Frame, odd: Frame, latest: int) -> tuple[float, float] | None:
    """The position of the later of two airborne frames; None where they straddle a change of zones."""
    north = _latitudes(even, odd, 360.0)
    lats = (
        north[0] - 360 if north[0] >= 270 else north[0],
        north[1] - 360 if north[1] >= 270 else north[1],
    )
    if any(abs(lat) > 90 for lat in lats):
        return None
    return _longitude(even, odd, latest, lats, 360.0)


def _latitudes(even: Frame, odd: Frame, span: float) -> tuple[float, float]:
    j = math.floor((59 * even.lat - 60 * odd.lat) / SCALE + 0.5)
    return span / 60 * (j % 60 + even.lat / SCALE), span / 59 * (j % 59 + odd.lat / SCALE)


def _longitude(
    even: Frame, odd: Frame, latest: int, lats: tuple[float, float], span: float
) -> tuple[float, float] | None:
    zones = longitude_zones(lats[0])
    if zones != longitude_zones(lats[1]):
        return None
    count = max(zones - latest, 1)
    m = math.floor((even.lon * (zones - 1) - odd.lon * zones) / SCALE + 0.5)
    frame = odd if latest else even
    lon = span / count * (m % count + frame.lon / SCALE)
    return lats[latest], (lon + 180) % 360 - 180


def _global_surface(
    even: Frame, odd: Frame, latest: int, near: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Of the eight places that two surface frames fit, the one nearest to `near`."""
    if near is None:
        return None
    north = _latitudes(even, odd, 90.0)
    south = (north[0] - 90, north[1] - 90)
    lats = north if abs(north[latest] - near[0]) <= abs(south[latest] - near[0]) else south
    place = _longitude(even, odd, latest, lats, 90.0)
    if place is None:
        return None
    turns = min(range(4), key=lambda n: abs((place[1] + 90 * n - near[1] + 180) % 360 - 180))
    return place[0], (place[1] + 90 * turns + 180) % 360 - 180


def _local(frame: Frame, surface: bool, known: tuple[float, float]) -> tuple[float, float] | None:
    """The position of one frame, nearest to where the aircraft was."""
    span = 90.0 if surface else 360.0
    step = span / (60 - frame.odd)
    lat = _nearest(known[0], frame.lat / SCALE, step)
    if abs(lat) > 90:
        return None
    step = span / max(longitude_zones(lat) - frame.odd, 1)
    lon = _nearest(known[1], frame.lon / SCALE, step)
    return lat, (lon + 180) % 360 - 180


def _nearest(known: float, part: float, step: float) -> float:
    zone = math.floor(known / step) + math.floor(0.5 + (known % step) / step - part)
    return step * (zone + part)
