"""What Mode S frames say, as arrays; and where aircraft are, in Python one by one."""

from __future__ import annotations

from enum import IntEnum
from types import ModuleType
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from samsyn.base import limits
from samsyn.formats.cpr import Frame, Positions

Array = npt.NDArray[Any]

LONG_BYTES: Final = 14  # of an extended frame; a short one has 7
ABSENT: Final = 255
NO_SQUAWK: Final = 65_535
# In the order of `_modes.c`.
FLOATS: Final = ("altitude_ft", "speed_kn", "course_deg", "heading_deg", "vertical_rate_fpm")
CODES: Final = ("on_ground", "emergency", "nic", "nac_p", "sil")


class Status(IntEnum):
    """Of a frame; the numbers are known to `_modes.c`."""

    SAID = 0  # by an address worked out from parity: it must be proven
    OWN = 1  # its parity proves its address
    RARE = 2  # not read yet
    WRONG = 3
    UNPROVEN = 4
    LEFT = 5  # read, and nothing about a craft


class Raw(Protocol):
    """Of frames what is read: `modes.Frames`."""

    raw: npt.NDArray[np.uint8]
    length: npt.NDArray[np.uint8]


class Said:
    """Arrays of one length, a place for each frame.

    cpr: 1 airborne or 2 surface; odd; encoded latitude and longitude.
    """

    def __init__(self, count: int) -> None:
        self.status = np.full(count, Status.RARE, np.uint8)
        self.kind = np.zeros(count, np.uint8)
        self.address = np.zeros(count, np.int64)
        self.floats = np.full((len(FLOATS), count), np.nan)
        self.codes = np.full((len(CODES), count), ABSENT, np.uint8)
        self.squawk = np.full(count, NO_SQUAWK, np.uint16)
        self.callsign = np.zeros((count, 8), np.uint8)
        self.cpr = np.zeros((count, 4), np.int32)

    def read(self, compiled: ModuleType, frames: Raw) -> None:
        """Has the frequent frames read; the others stay `RARE`."""
        compiled.facts(
            np.ascontiguousarray(frames.raw), frames.length, self.status, self.kind, self.address,
            self.floats, self.codes, self.squawk, self.callsign, self.cpr,
        )  # fmt: skip

    def put(self, i: int, row: dict[str, Any]) -> None:
        """The columns of one frame."""
        for name, value in row.items():
            if value is None:
                continue
            if name in FLOATS:
                self.floats[FLOATS.index(name), i] = value
            elif name in CODES:
                self.codes[CODES.index(name), i] = value
            elif name == "squawk":
                self.squawk[i] = value
            else:
                self.callsign[i] = np.frombuffer(value.encode("ascii")[:8].ljust(8, b"\0"), np.uint8)

    def something(self) -> Array:
        """Which frames say anything but a position."""
        numbers = ~np.isnan(self.floats).all(axis=0) | (self.codes != ABSENT).any(axis=0)
        told: Array = numbers | (self.squawk != NO_SQUAWK) | (self.callsign[:, 0] != 0)
        return told

    def columns(self, keep: Array) -> dict[str, Any]:
        """As the schema has them, of the frames `keep`."""
        columns: dict[str, Any] = {name: self.floats[i, keep] for i, name in enumerate(FLOATS)}
        for i, name in enumerate(CODES):
            values = self.codes[i, keep]
            held = values == 1 if name == "on_ground" else values
            columns[name] = np.ma.MaskedArray(held, values == ABSENT)
        squawk = self.squawk[keep]
        columns["squawk"] = np.ma.MaskedArray(squawk, squawk == NO_SQUAWK)
        named = np.flatnonzero(self.callsign[keep, 0])
        columns["callsign"] = [None] * len(keep)
        texts = self.callsign[keep[named]].view("S8").ravel().tolist()
        for i, text in zip(named.tolist(), texts, strict=True):
            columns["callsign"][i] = text.decode("ascii")
        return columns


class PythonPlaces:
    """Proven addresses and their positions: `take` in order, piece by piece."""

    def __init__(self) -> None:
        self._proven: dict[int, Positions] = {}
        self._near: tuple[float, float] | None = None

    def take(self, said: Said, time_us: Array) -> tuple[Array, Array]:
        """Latitude and longitude of each frame, NaN where not known; says whose address is unproven."""
        lat, lon = np.full((2, len(time_us)), np.nan)
        for i in np.flatnonzero(said.status <= Status.OWN).tolist():
            address = int(said.address[i])
            if said.status[i] == Status.OWN and address not in self._proven:
                if len(self._proven) >= limits.TRACKS:
                    self._proven.clear()
                self._proven[address] = Positions()
            if address not in self._proven:
                said.status[i] = Status.UNPROVEN
                continue
            kind, odd, lat_cpr, lon_cpr = said.cpr[i].tolist()
            if kind:
                frame = Frame(int(time_us[i]), lat_cpr, lon_cpr, odd)
                place = self._proven[address].take(frame, kind == 2, self._near)
                if place:
                    lat[i], lon[i] = self._near = place
        return lat, lon
