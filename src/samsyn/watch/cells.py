"""In which H3 cell each craft is, looked up only when it has moved."""

from __future__ import annotations

from typing import Final

import numpy as np

from samsyn.base.clock import MINUTE_US
from samsyn.base.geo import cells
from samsyn.tracks.arrays import Array, SlotArrays, trues

RESOLUTION: Final = 4  # about 45 km across: what public maps of interference use, too
NOWHERE: Final = np.uint64(0)
EVERY_US: Final = MINUTE_US
MOVED_DEG: Final = 0.02  # a mile: small against a cell


class CraftCells:
    """The cell of each craft, at most a minute and a mile behind."""

    def __init__(self) -> None:
        self._state = SlotArrays(
            {
                "cell": (np.uint64, NOWHERE),
                "looked_us": (np.int64, 0),
                "lat": (np.float64, np.inf),
                "lon": (np.float64, np.inf),
            }
        )

    def move(self, slot: Array, time_us: Array, lat: Array, lon: Array) -> None:
        """New positions of different craft."""
        state = self._state
        state.reserve(int(slot.max()) + 1 if len(slot) else 0)
        late = trues(time_us - state["looked_us"][slot] >= EVERY_US)
        if not len(late):
            return
        slot, lat, lon = slot[late], lat[late], lon[late]
        state["looked_us"][slot] = time_us[late]
        moved = np.abs(lat - state["lat"][slot]) + np.abs(lon - state["lon"][slot]) > MOVED_DEG
        if not moved.all():
            slot, lat, lon = slot[moved], lat[moved], lon[moved]
        state["lat"][slot], state["lon"][slot] = lat, lon
        state["cell"][slot] = cells(lat, lon, RESOLUTION)

    def of(self, slot: Array) -> Array:
        """uint64 H3 cells; NOWHERE for craft without a position so far."""
        self._state.reserve(int(slot.max()) + 1 if len(slot) else 0)
        found: Array = self._state["cell"][slot]
        return found
