"""State vectors, the rows of aircraft.json, OpenSky and their like: shared by those formats.

A state says where an aircraft was and when (position time), and when it was last heard at all
(contact time). Where these differ, the position must not be given the later time: the state then
becomes two rows. Polled again, an unchanged state makes no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from samsyn.base import limits
from samsyn.base.clock import SECOND_US
from samsyn.formats.codes import SQUAWK_EMERGENCY, Emergency, TimeSource
from samsyn.formats.decoded import Decoded

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

AIR_DOMAIN: Final = 2 << 32  # observations.craft: the key of an aircraft is this plus its address
KNOTS_PER_M_S: Final = 3600 / 1852
FEET_PER_METRE: Final = 1 / 0.3048
FPM_PER_M_S: Final = 60 / 0.3048
SAME_TIME_US: Final = 5 * SECOND_US  # position and contact this close are one row, at the position time
NEWER_US: Final = SECOND_US // 5  # sources round their times; less than this is the same state again
TIME_S_MAX: Final = 4_102_444_800  # the year 2100: later is nonsense
_FLAGS: Final = {"True": 1, "False": 0, "true": 1, "false": 0, "1": 1, "-1": 1, "0": 0}
_WITH_POSITION: Final = ("lat", "lon", "nic", "nac_p", "sil", "on_ground", "altitude_ft")


class Reader:
    """Reads named fields of many states, column by column; refuses values that cannot be.

    `rows` are mappings (or sequences, with numbers as names). A wrong value is counted, told with
    the row's number, and absent; the rest of its row is kept. `lines`: where each row was written, if
    on lines of its own.
    """

    def __init__(self, rows: Sequence[Any], out: Decoded, lines: Sequence[int] | None = None) -> None:
        self.rows = rows
        self.out = out
        self._lines = lines

    def line(self, i: int) -> int | None:
        """The line of row `i`, from 0."""
        return self._lines[i] if self._lines else None

    def values(self, name: Any) -> list[Any]:
        """The raw values; None where absent. Positions beyond a short sequence are absent."""
        if isinstance(name, str):
            return [row.get(name) for row in self.rows]
        return [row[name] if name < len(row) else None for row in self.rows]

    def numbers(self, name: Any, low: float, high: float, *, absent: float | None = None) -> Floats:
        """Floats; NaN where absent (or `absent`, the source's word for it) or outside low..high."""
        values = self.values(name)
        if not set(map(type, values)) <= {int, float, type(None)}:
            values = [self._number(i, name, v) for i, v in enumerate(values)]
        found = np.array(values, dtype=np.float64)
        if absent is not None:
            found[np.isclose(found, absent, rtol=0, atol=1e-9)] = np.nan
        wrong = (found < low) | (found > high) | np.isinf(found)
        for i in np.flatnonzero(wrong).tolist():
            self._wrong(i, name, values[i])
        return np.where(wrong, np.nan, found)

    def codes(self, name: Any, high: int) -> Any:
        """Small integers 0..high as a masked array."""
        found = self.numbers(name, 0, high)
        absent = np.isnan(found)
        return np.ma.MaskedArray(np.where(absent, 0, found).astype(np.uint8), absent)

    def flags(self, name: Any) -> Any:
        """True, False, or masked; also from the texts of a CSV file (`_FLAGS`)."""
        known: dict[Any, int] = {True: 1, False: 0, None: 2, "": 2, **_FLAGS}
        found = [known.get(v, 3) if isinstance(v, bool | str | None) else 3 for v in self.values(name)]
        return self._masked(name, found, 2).astype(bool)

    def mapped(self, name: Any, known: Mapping[Any, int]) -> Any:
        """Words to codes; masked where absent."""
        values = self.values(name)
        found = [254 if v is None else known.get(v, 255) if isinstance(v, str) else 255 for v in values]
        return self._masked(name, found, 254)

    def texts(self, name: Any) -> list[str | None]:
        """Trimmed text of at most 20 characters, None where nothing is left."""
        return [v.strip()[:20] or None if isinstance(v, str) else None for v in self.values(name)]

    def squawks(self, name: Any) -> Any:
        """Mode A codes: four octal digits read as decimal. Leading zeros may be missing."""
        found = []
        for i, v in enumerate(self.values(name)):
            code = _squawk(v)
            if code is None and v not in (None, ""):
                self._wrong(i, name, v)
            found.append(code)
        return np.ma.MaskedArray(
            np.array([code or 0 for code in found], dtype=np.uint16), [code is None for code in found]
        )

    def addresses(self, name: Any) -> Ints:
        """Craft keys of 24-bit addresses; -1 for a row that has none of its own."""
        keys = []
        for i, v in enumerate(self.values(name)):
            text = v.strip().lower() if isinstance(v, str) else ""
            if len(text) == 6 and all(c in "0123456789abcdef" for c in text):
                keys.append(AIR_DOMAIN + int(text, 16))
                continue
            keys.append(-1)
            reason = "address-not-icao" if text.startswith("~") else "no-craft"
            self.refuse(reason, i, repr(v)[:60])
        return np.array(keys, dtype=np.int64)

    def note_unhandled(self, known: frozenset[str]) -> None:
        """Count the fields that nobody handles or ignores by name."""
        for row in self.rows:
            for name in row.keys() - known:
                self.out.unhandled[str(name)[:60]] += 1

    def _number(self, i: int, name: Any, value: Any) -> float | None:
        if value is None or value == "":
            return None
        if not isinstance(value, bool):
            try:
                return float(value)
            except (TypeError, ValueError):
                pass
        self._wrong(i, name, value)
        return None

    def _masked(self, name: Any, found: list[int], absent: int) -> Any:
        codes = np.array(found, dtype=np.uint8)
        for i in np.flatnonzero(codes > absent).tolist():
            self._wrong(i, name, self.values(name)[i])
        return np.ma.MaskedArray(np.where(codes >= absent, 0, codes).astype(np.uint8), codes >= absent)

    def _wrong(self, i: int, name: Any, value: Any) -> None:
        self.refuse("wrong-value", i, f"{name}={value!r}"[:80])

    def refuse(self, reason: str, i: int, detail: str) -> None:
        """Count something wrong with row `i`, from 0."""
        if self._lines:
            self.out.refuse(reason, line=self._lines[i], detail=detail)
        else:
            self.out.refuse(reason, row=i + 1, detail=detail)


class StateRows:
    """Turns states into rows; remembers per craft what was already said, for sources that are polled."""

    def __init__(self) -> None:
        self._positions: dict[int, int] = {}
        self._contacts: dict[int, int] = {}

    def rows(self, columns: dict[str, Any], position_us: Ints, contact_us: Ints, out: Decoded) -> None:
        """Puts the rows of some states into `out`. Times are -1 where unknown; craft -1 has no row.

        `columns` has craft, lat and lon and whatever else the source says. A position without a
        time of its own has the contact's.
        """
        placed = ~np.isnan(columns["lat"]) & ~np.isnan(columns["lon"])
        position_us = np.where(position_us < 0, contact_us, position_us)
        contact_us = np.where(contact_us < 0, position_us, contact_us)
        someone = columns["craft"] >= 0
        timed = contact_us >= 0
        if (someone & ~timed).any():
            out.refuse("no-time", count=int(np.sum(someone & ~timed)))
        good = someone & timed
        together = good & placed & (contact_us - position_us <= SAME_TIME_US)
        where = good & placed & ~together
        heard = good & ~together
        parts = [
            (self._newer(self._positions, columns["craft"], position_us, together), position_us, None),
            (self._newer(self._positions, columns["craft"], position_us, where), position_us, True),
            (self._newer(self._contacts, columns["craft"], contact_us, heard), contact_us, False),
        ]
        index = np.concatenate([part[0] for part in parts])
        time_us = np.concatenate([times[rows] for rows, times, _ in parts])
        only = np.concatenate([np.full(len(rows), 2 if o is None else int(o)) for rows, _, o in parts])
        order = np.lexsort((index, time_us))
        index, time_us, only = index[order], time_us[order], only[order]
        out.messages += len(columns["craft"])
        out.types["state"] += len(columns["craft"])
        out.types["state again"] += int(good.sum() - np.isin(np.flatnonzero(good), index).sum())
        out.rows = len(index)
        if out.rows:
            out.columns = {name: _taken(name, values, index, only) for name, values in columns.items()}
            out.columns["time_us"] = time_us
            out.columns["time_source"] = np.full(len(index), TimeSource.RECORDED, dtype=np.uint8)

    def _newer(self, said: dict[int, int], craft: Ints, time_us: Ints, wanted: Bools) -> Ints:
        if len(said) > limits.TRACKS:
            said.clear()
        kept = []
        rows = np.flatnonzero(wanted)
        for i, key, at in zip(rows.tolist(), craft[rows].tolist(), time_us[rows].tolist(), strict=True):
            if abs(at - said.get(key, -NEWER_US)) >= NEWER_US:
                said[key] = at
                kept.append(i)
        return np.array(kept, dtype=np.int64)


def _taken(name: str, values: Any, index: Ints, only: Ints) -> Any:
    """One column of the rows: position rows have what belongs to a position, the others the rest."""
    found = taken(values, index)
    if name == "craft":
        return found
    drop = (only == 0) if name in ("lat", "lon") else np.zeros(len(only), dtype=bool)
    drop |= (only == 1) & (name not in _WITH_POSITION)
    if not drop.any():
        return found
    if isinstance(found, list):
        return [None if gone else value for value, gone in zip(found, drop.tolist(), strict=True)]
    if isinstance(found, np.ma.MaskedArray):
        return np.ma.MaskedArray(found.data, np.ma.getmaskarray(found) | drop)
    return np.where(drop, np.nan, found)


def taken(values: Any, rows: Ints) -> Any:
    """Some rows of a column, be it a list or an array."""
    return [values[i] for i in rows.tolist()] if isinstance(values, list) else values[rows]


def times_us(seconds: Floats) -> Ints:
    """Microseconds of seconds since 1970; -1 where absent."""
    absent = np.isnan(seconds)
    return np.where(absent, -1, np.round(np.where(absent, 0, seconds) * SECOND_US)).astype(np.int64)


def with_squawk_emergency(emergency: Any, squawk: Any) -> Any:
    """The emergency said, or else the one that the squawk means; masked where neither is known."""
    code = squawk.filled(0)
    meant = np.zeros(len(code), dtype=np.uint8)
    for number, kind in SQUAWK_EMERGENCY.items():
        meant[code == number] = kind
    said = np.zeros(len(code), dtype=np.uint8) if emergency is None else emergency.filled(0)
    unknown = np.ma.getmaskarray(squawk)
    if emergency is not None:
        unknown = unknown & np.ma.getmaskarray(emergency)
    return np.ma.MaskedArray(np.where(said == Emergency.NONE, meant, said), unknown)


def _squawk(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip().removesuffix(".0")
    whole = text.isascii() and text.isdigit() and len(text) <= 4 and not set(text) & {"8", "9"}
    return int(text) if whole and not isinstance(value, bool) else None
