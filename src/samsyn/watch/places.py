"""Which zone a position is in, for many positions at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely

from samsyn.tracks.arrays import Array, trues
from samsyn.watch.zones import Zone

NOWHERE: Final = -1
_RASTER_CELLS: Final = 1 << 20  # at most; for zones all over the Earth a cell is then larger
_CELL_DEG: Final = 0.1


class Places:
    """Some zones, widened by a margin, looked up by position.

    Most positions are in none: a raster over the zones' bounds tells that in one look. The few in a
    cell that a zone touches are compared with its outline.
    """

    def __init__(self, zones: Sequence[Zone], margin_m: float = 0.0) -> None:
        self.zones = tuple(zones)
        self._shapes = [zone.widened(margin_m) if margin_m else zone.geometry for zone in zones]
        self._tree = shapely.STRtree(self._shapes)
        self._raster = np.zeros((0, 0), bool)
        if not self._shapes:
            return
        self._west, self._south, east, north = shapely.total_bounds(self._shapes)
        area = max((east - self._west) * (north - self._south), 1e-9)
        self._cell_deg = max(_CELL_DEG, float(np.sqrt(area / _RASTER_CELLS)))
        self._raster = np.zeros(
            (self._number(north - self._south), self._number(east - self._west)), bool
        )
        for one in self._shapes:
            self._mark(one)

    def _number(self, span_deg: float) -> int:
        return int(span_deg / self._cell_deg) + 1

    def _mark(self, one: shapely.Geometry) -> None:
        """Marks the cells that a shape touches."""
        w, s, e, n = one.bounds
        d = self._cell_deg
        x = np.arange(int((w - self._west) / d), int((e - self._west) / d) + 1)
        y = np.arange(int((s - self._south) / d), int((n - self._south) / d) + 1)
        x, y = (a.ravel() for a in np.meshgrid(x, y))
        west, south = self._west + x * d, self._south + y * d
        touched = shapely.intersects(one, shapely.box(west, south, west + d, south + d))
        self._raster[y[touched], x[touched]] = True

    def where(self, lat: Array, lon: Array) -> Array:
        """Place in `zones` of the first that each position is in, or `NOWHERE`; NaN is nowhere."""
        found = np.full(len(lat), NOWHERE)
        which, zone = self.within(lat, lon)
        order = np.argsort(-zone, kind="stable")  # the first zone is written last
        found[which[order]] = zone[order]
        return found

    def within(self, lat: Array, lon: Array) -> tuple[Array, Array]:
        """Every position in every zone: places in the arrays and in `zones`, of one length."""
        nothing = np.empty(0, np.int64)
        if not self._shapes or not len(lat):
            return nothing, nothing
        with np.errstate(invalid="ignore"):
            y = ((lat - self._south) / self._cell_deg).astype(np.int64)
            x = ((lon - self._west) / self._cell_deg).astype(np.int64)
        height, width = self._raster.shape
        at = trues((lat >= self._south) & (lon >= self._west) & (y < height) & (x < width))
        at = at[self._raster[y[at], x[at]]]
        if not len(at):
            return nothing, nothing
        points = shapely.points(lon[at], lat[at])
        which, zone = self._tree.query(points, predicate="intersects")
        return at[which], zone
