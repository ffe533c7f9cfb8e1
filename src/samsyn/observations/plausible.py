"""Marks what physics and the rules of identities forbid. Rows are marked, never dropped or changed.

What to do about a mark is for the reader of the row: tracks keep a marked position out of the live
picture's last good one, a detector may look for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.geo import EARTH_RADIUS_M, KNOT_M_S, distance_m
from samsyn.observations import compiled
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, DOMAIN_SHIFT, NUMBER_MASK, in_air
from samsyn.observations.index import CraftIndex
from samsyn.observations.plain import plain


class Mark(IntFlag):
    """Bits of the column `marks`."""

    BAD_POSITION = 1  # latitude or longitude outside the globe, alone, or exactly 0, 0
    IMPOSSIBLE_SPEED = 2  # says a speed that its kind of craft cannot reach
    JUMP = 4  # not reachable from the last good position in the time between
    BAD_IDENTITY = 8  # an MMSI or address that is assigned to nobody
    BAD_TIME = 16  # before what this craft already said, or not yet
    IMPOSSIBLE_ALTITUDE = 32


# Speeds: the fastest ships in service make 58 kn; AIS search and rescue aircraft (MMSI 111...) report
# on the same channel. Military jets reach about 1,300 kn; above 1,500 it is an error.
SEA_SPEED_KN_MAX: Final = 80.0
AIR_SPEED_KN_MAX: Final = 1_500.0
# A jump must also be longer than what coarse positions and receivers' clocks explain.
SEA_JUMP_M_MIN: Final = 2_000.0
AIR_JUMP_M_MIN: Final = 10_000.0
CLOCK_SLACK_US: Final = 2 * SECOND_US  # two receivers of one craft differ by about this
BACK_US_MAX: Final = MINUTE_US  # older than that is a clock that jumped, not a late row
ALTITUDE_FT_MIN: Final = -2_000.0  # below the Dead Sea at high pressure
ALTITUDE_FT_MAX: Final = 100_000.0
# What transceivers send when nobody gave them a number.
UNSET_MMSI: Final = (0, 1_193_046, 111_111_111, 123_456_789, 987_654_321, 999_999_999)

Bools = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_NEVER: Final = np.iinfo(np.int64).min

# latest: newest time heard of a craft. good: its last good position. other: one that did not fit it.
_STATE: Final = np.dtype(
    [("latest_us", "i8")]
    + [
        (f"{which}_{part}", kind)
        for which in ("good", "other")
        for part, kind in (("us", "i8"), ("lat", "f8"), ("lon", "f8"))
    ]
)

# What `_rows.c` goes by, in its order.
_RULES: Final = np.array([
    SEA_SPEED_KN_MAX, AIR_SPEED_KN_MAX, SEA_JUMP_M_MIN, AIR_JUMP_M_MIN, CLOCK_SLACK_US, BACK_US_MAX,
    ALTITUDE_FT_MIN, ALTITUDE_FT_MAX, KNOT_M_S, EARTH_RADIUS_M,
])  # fmt: skip
_READ: Final = ("craft", "time_us", "lat", "lon", "speed_kn", "altitude_ft")


class _Place(NamedTuple):
    """A position and its time; numbers or arrays alike."""

    time_us: Any
    lat: Any
    lon: Any


_NOWHERE: Final = _Place(_NEVER, 0.0, 0.0)


@dataclass
class _Positions:
    """The rows of a batch that have a usable position, ordered by craft and arrival."""

    slot: Ints
    time_us: Ints
    lat: Floats
    lon: Floats
    speed_m_s: Floats
    slack_m: Floats


class Plausibility:
    """Marks one feed's batches, one after another; remembers each craft's last good position.

    The marks do not depend on how rows are cut into batches. At most `limits.TRACKS` craft are
    remembered; beyond that all are forgotten and learnt anew.
    """

    def __init__(self) -> None:
        self._index = CraftIndex()
        self._state = np.zeros(0, dtype=_STATE)
        self._grow(1024)

    def mark(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The same rows with `marks` set."""
        if batch.is_empty():
            return batch
        rows = plain(batch, _READ)
        slots = self._slots(rows["craft"])
        if compiled.built:
            marks = np.empty(len(slots), np.uint16)
            compiled.built.mark(self._state, _RULES, slots, *rows.values(), marks)
        else:
            marks = self._marks(rows, slots)
        return batch.with_columns(pl.Series("marks", marks))

    def _marks(self, rows: dict[str, Array], slots: Ints) -> Array:
        """The marks of rows, in numpy; takes them into the state."""
        craft, time_us, lat, lon, speed_kn, altitude_ft = (rows[name] for name in _READ)
        domain, number = craft >> DOMAIN_SHIFT, craft & NUMBER_MASK
        air = in_air(craft)
        rescue_aircraft = (domain == DOMAIN_SEA) & (number // 1_000_000 == 111)
        speed_max_kn = np.where(air | rescue_aircraft, AIR_SPEED_KN_MAX, SEA_SPEED_KN_MAX)
        placed = ~(np.isnan(lat) & np.isnan(lon))
        good = (np.abs(lat) <= 90) & (np.abs(lon) <= 180) & ~((lat == 0) & (lon == 0))
        late = self._late(slots, time_us)
        row = np.flatnonzero(good & ~late)
        row = row[np.argsort(slots[row], kind="stable")]
        jumped = np.zeros(len(craft), dtype=bool)
        jumped[row] = self._jumps(
            _Positions(
                slot=slots[row],
                time_us=time_us[row],
                lat=lat[row],
                lon=lon[row],
                speed_m_s=speed_max_kn[row] * KNOT_M_S,
                slack_m=np.where(air[row], AIR_JUMP_M_MIN, SEA_JUMP_M_MIN),
            )
        )
        marks = np.zeros(len(craft), dtype=np.uint16)
        for mark, found in (
            (Mark.BAD_POSITION, placed & ~good),
            (Mark.IMPOSSIBLE_SPEED, speed_kn > speed_max_kn),
            (Mark.JUMP, jumped),
            (Mark.BAD_IDENTITY, _nobody(domain, number)),
            (Mark.BAD_TIME, late),
            (
                Mark.IMPOSSIBLE_ALTITUDE,
                (altitude_ft < ALTITUDE_FT_MIN) | (altitude_ft > ALTITUDE_FT_MAX),
            ),
        ):
            marks[found] |= np.uint16(mark)
        return marks

    def _slots(self, craft: Ints) -> Ints:
        slots = self._index.find_or_add(craft, limits.TRACKS)
        if slots.min() < 0:
            self._index, self._state = CraftIndex(), np.zeros(0, dtype=_STATE)
            slots = self._index.find_or_add(craft, max(limits.TRACKS, len(craft)))
        if len(self._index) > len(self._state):
            self._grow(max(2 * len(self._index), 1024))
        return slots

    def _grow(self, size: int) -> None:
        """Room for `size` craft; what is remembered stays."""
        grown = np.zeros(size, dtype=_STATE)
        for name in ("latest_us", "good_us", "other_us"):
            grown[name] = _NEVER
        grown[: len(self._state)] = self._state
        self._state = grown

    def _late(self, slots: Ints, time_us: Ints) -> Bools:
        """Rows more than `BACK_US_MAX` before the newest that their craft had said until then."""
        order = np.argsort(slots, kind="stable")
        s, t = slots[order], time_us[order].copy()
        first = np.flatnonzero(np.r_[True, s[1:] != s[:-1]])
        last = np.r_[first[1:] - 1, len(s) - 1]
        t[first] = np.maximum(t[first], self._state["latest_us"][s[first]])
        # a running maximum within each craft, all craft at once: ranks lifted by a step per craft
        times, rank = np.unique(t, return_inverse=True)
        lift = np.repeat(np.arange(len(first)), last - first + 1) * len(s)
        newest = times[np.maximum.accumulate(rank + lift) - lift]
        self._state["latest_us"][s[first]] = newest[last]
        late = np.empty(len(s), dtype=bool)
        late[order] = np.subtract(newest, time_us[order], dtype=np.float64) > BACK_US_MAX
        return late

    def _jumps(self, p: _Positions) -> Bools:
        """Which of the rows `p` jumped. Whole batch at once; only craft with a jump go one by one."""
        jumped = np.zeros(len(p.slot), dtype=bool)
        if not len(p.slot):
            return jumped
        starts = np.r_[True, p.slot[1:] != p.slot[:-1]]
        state = self._state[p.slot]
        before = _Place(
            np.where(starts, state["good_us"], np.r_[0, p.time_us[:-1]]),
            np.where(starts, state["good_lat"], np.r_[0.0, p.lat[:-1]]),
            np.where(starts, state["good_lon"], np.r_[0.0, p.lon[:-1]]),
        )
        far = _too_far(_Place(p.time_us, p.lat, p.lon), before, p.speed_m_s, p.slack_m)
        doubtful = np.unique(p.slot[far | (state["other_us"] != _NEVER)])
        ends = np.flatnonzero(np.r_[starts[1:], True])
        ends = ends[~np.isin(p.slot[ends], doubtful)]
        self._state["good_us"][p.slot[ends]] = p.time_us[ends]
        self._state["good_lat"][p.slot[ends]] = p.lat[ends]
        self._state["good_lon"][p.slot[ends]] = p.lon[ends]
        for slot in doubtful.tolist():
            a, b = np.searchsorted(p.slot, [slot, slot + 1])
            jumped[a:b] = self._walk(slot, p, range(int(a), int(b)))
        return jumped

    def _walk(self, slot: int, p: _Positions, rows: range) -> list[bool]:
        """One craft's rows in order. A second position that agrees with the one that did not fit
        moves the craft there: a receiver that was away, a wrong first position."""
        latest_us, *state = self._state[slot].item()
        good, other = _Place(*state[:3]), _Place(*state[3:])
        jumped = []
        for i in rows:
            here = _Place(int(p.time_us[i]), float(p.lat[i]), float(p.lon[i]))
            fits = not _too_far(here, good, p.speed_m_s[i], p.slack_m[i])
            if not fits and other.time_us != _NEVER:
                fits = not _too_far(here, other, p.speed_m_s[i], p.slack_m[i])
            jumped.append(not fits)
            good, other = (here, _NOWHERE) if fits else (good, here)
        self._state[slot] = (latest_us, *good, *other)
        return jumped


def _too_far(here: _Place, there: _Place, speed_m_s: Any, slack_m: Any) -> Any:
    """Whether `here` is out of reach from `there`; nothing is where there is no time."""
    never = np.equal(there.time_us, _NEVER)
    there_us = np.where(never, here.time_us, there.time_us)
    between_us = np.abs(np.subtract(here.time_us, there_us, dtype=np.float64))  # which has room for any
    reach_m = slack_m + speed_m_s * (between_us + CLOCK_SLACK_US) / SECOND_US
    return ~never & (distance_m(there.lat, there.lon, here.lat, here.lon) > reach_m)


def _nobody(domain: Ints, number: Ints) -> Bools:
    """Identities that no one can have.

    Sea: nine digits with a country (MID) of 201-775 in the place that its form has (ITU-R M.585).
    Air: 24 bits, neither all 0 nor all 1 (ICAO Annex 10 volume III).
    """
    prefix = number // 1_000_000
    country = (
        np.select(
            [
                number < 10_000_000,  # 00MIDxxxx
                number < 100_000_000,  # 0MIDxxxxx
                prefix == 111,  # 111MIDxxx
                prefix // 100 == 8,  # 8MIDxxxxx
                prefix // 10 >= 98,  # 98MIDxxxx, 99MIDxxxx
                np.isin(prefix, (970, 972, 974)),  # makers' numbers, no country
            ],
            [
                number // 10_000,
                number // 100_000,
                number // 1_000,
                number // 100_000,
                number // 10_000,
                201,
            ],
            default=prefix,
        )
        % 1_000
    )
    wrong = (number > 999_999_999) | (country < 201) | (country > 775) | np.isin(number, UNSET_MMSI)
    sea: Bools = (domain == DOMAIN_SEA) & wrong
    air: Bools = (domain == DOMAIN_AIR) & ((number == 0) | (number >= 0xFFFFFF))
    return sea | air
