"""How far from its middle a feed hears, learned from what it heard."""

from __future__ import annotations

from typing import Final

import numpy as np

from samsyn.base.geo import distance_m
from samsyn.tracks.arrays import Array

KEPT: Final = 2_048  # positions of one feed
LEAST: Final = 256  # before that many nothing is known
SHARE: Final = 90  # per cent of positions; the rest may be what is looked for


class Reach:
    """The middle of the last positions of one feed and one domain, and how far most of them are."""

    def __init__(self) -> None:
        self._lat = np.zeros(KEPT)
        self._lon = np.zeros(KEPT)
        self._count = 0
        self._next = 0
        self._middle = (0.0, 0.0)
        self.usual_m = np.inf

    def add(self, lat: Array, lon: Array) -> None:
        """Positions of one moment, one a craft."""
        lat, lon = lat[-KEPT:], lon[-KEPT:]
        at = (self._count + np.arange(len(lat))) % KEPT
        self._lat[at], self._lon[at] = lat, lon
        self._count += len(lat)
        if self._count < LEAST or self._count < self._next:
            return
        self._next = self._count + LEAST
        have = min(self._count, KEPT)
        lat, lon = self._lat[:have], self._lon[:have]
        begin = lon[0]  # west and east of the first, so that 180 degrees is no seam
        aside = float(np.median((lon - begin + 180) % 360 - 180))
        self._middle = (float(np.median(lat)), float((begin + aside + 180) % 360 - 180))
        self.usual_m = float(np.percentile(distance_m(*self._middle, lat, lon), SHARE))

    def distance_m(self, lat: Array, lon: Array) -> Array:
        """From the middle."""
        found: Array = distance_m(*self._middle, lat, lon)
        return found
