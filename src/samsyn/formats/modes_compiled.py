"""Positions of aircraft by compiled code (`_modes.c`), where it was built; else see `modes_said`."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from samsyn.base import limits
from samsyn.formats.cpr import AIRBORNE_PAIR_US, KNOWN_US, LANDED_US, SURFACE_PAIR_US
from samsyn.formats.modes_said import Said

_FORM: Final = 2  # of what `_modes` takes and gives
built: ModuleType | None
try:
    from samsyn.formats import _modes

    built = _modes if getattr(_modes, "FORM", 0) == _FORM else None  # else built from older sources
except ImportError:  # built without a C compiler
    built = None

Array = npt.NDArray[Any]
_LIMITS: Final = np.array([AIRBORNE_PAIR_US, SURFACE_PAIR_US, KNOWN_US, LANDED_US], np.int64)


class Places:
    """Proven addresses and their positions: `take` in order, piece by piece. Only where `built`."""

    def __init__(self) -> None:
        assert built is not None
        self._built = built
        # of this process, as for the tables of Python itself: senders choose their addresses
        self._seed = hash("addresses") & 0xFFFF_FFFF_FFFF_FFFF
        self._count = 0
        self._keys = np.empty(0, np.int64)
        self._positions = np.zeros((0, built.POSITIONS_BYTES), np.uint8)
        self._table = np.full(2, -1, np.int32)
        self._near = np.zeros(3)

    def take(self, said: Said, time_us: Array) -> tuple[Array, Array]:
        """Latitude and longitude of each frame, NaN where not known; says whose address is unproven."""
        lat, lon = np.empty((2, len(time_us)))
        self._make_room(min(self._count + len(np.unique(said.address)), limits.TRACKS))
        self._count = self._built.places(
            said.status, said.address, np.ascontiguousarray(time_us), said.cpr, _LIMITS, self._keys,
            self._table, self._positions, self._near, lat, lon, self._seed, self._count, limits.TRACKS,
        )  # fmt: skip
        return lat, lon

    def _make_room(self, count: int) -> None:
        if count <= len(self._keys):
            return
        size = min(max(2 * count, 256), max(count, limits.TRACKS))
        keys, positions = np.zeros(size, np.int64), np.zeros((size, self._positions.shape[1]), np.uint8)
        keys[: self._count] = self._keys[: self._count]
        positions[: self._count] = self._positions[: self._count]
        self._keys, self._positions = keys, positions
        self._table = np.full(1 << (2 * size - 1).bit_length(), -1, np.int32)
        self._built.rebuild(self._keys, self._table, self._seed, self._count)
