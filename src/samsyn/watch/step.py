"""Steps: the rows of ten seconds, ordered by craft, whatever batches they came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.limits import TRACKS
from samsyn.observations.craft import (
    DOMAIN_AIR,
    DOMAIN_SEA,
    DOMAIN_SHIFT,
    NUMBER_MASK,
    UNNAMED_FROM,
)
from samsyn.observations.index import CraftIndex
from samsyn.observations.plausible import Mark
from samsyn.tracks.arrays import Array, SlotArrays, codes, flags, floats, lasts, trues, whole
from samsyn.tracks.table import ABSENT_U8, ABSENT_U16, POSITION_MARKS
from samsyn.watch.cells import CraftCells

STEP_US: Final = 10 * SECOND_US
STEPS_A_MINUTE: Final = MINUTE_US // STEP_US
NEVER_US: Final = np.iinfo(np.int64).min

# Not looked at: a number that is nobody's may be many craft, a time that went back has no place in
# the order. (A doubted position is looked at without its position.)
UNWATCHED_MARKS: Final = int(Mark.BAD_IDENTITY | Mark.BAD_TIME)


class Rows:
    """Some rows as arrays of one length, ordered by slot and time; floats absent are NaN, flags
    (int8) -1, codes 255 or 65535.

    `lat` is NaN where the position is doubted; `claimed_lat` is what the row said.

    A column is made when it is first asked for: most steps look at few of them.
    """

    slot: Array
    time_us: Array
    lat: Array
    lon: Array
    claimed_lat: Array
    altitude_ft: Array
    speed_kn: Array
    course_deg: Array
    heading_deg: Array
    vertical_rate_fpm: Array
    on_ground: Array
    nav_status: Array
    squawk: Array
    emergency: Array
    ship_type: Array
    message_type: Array
    position_accurate: Array
    raim: Array
    nic: Array
    nac_p: Array
    sil: Array
    marks: Array
    feed: Array
    exercise: Array

    def __init__(self, slot: Array, make: Callable[[str], Array]) -> None:
        """make: a column by its name, called at most once for each."""
        self.slot = slot
        self._make = make

    def __getattr__(self, name: str) -> Array:
        if name not in FIELDS:
            raise AttributeError(name)
        column = self._make(name)
        setattr(self, name, column)
        return column

    def __len__(self) -> int:
        return len(self.slot)

    def pick(self, at: Any) -> Rows:
        """The rows at a slice, mask or list of places."""
        return Rows(self.slot[at], lambda name: getattr(self, name)[at])

    def row(self, i: int) -> dict[str, Any]:
        """Row `i` as evidence: what was claimed, rounded to what the source resolves."""
        found: dict[str, Any] = {"time_us": int(self.time_us[i])}
        for name, digits in _EVIDENCE.items():
            value = float(getattr(self, name)[i])
            if value == value:
                found[name] = round(value, digits)
        for name, absent in (("nav_status", ABSENT_U8), ("squawk", ABSENT_U16), ("nac_p", ABSENT_U8)):
            code = int(getattr(self, name)[i])
            if code != absent:
                found[name] = code
        return found


def absent(name: str, count: int) -> Array:
    """A column in which nothing was said."""
    if name in _CODES:
        return np.full(count, ABSENT_U16 if name == "squawk" else ABSENT_U8)
    return np.full(count, -1) if name in _FLAGS else np.full(count, np.nan)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of several, one after another."""
    if len(parts) == 1:
        return parts[0]
    slot = np.concatenate([part.slot for part in parts])
    return Rows(slot, lambda name: np.concatenate([getattr(part, name) for part in parts]))


FIELDS: Final = frozenset(Rows.__annotations__)
_CODES: Final = frozenset(
    ("nav_status", "squawk", "emergency", "ship_type", "message_type", "nic", "nac_p", "sil")
)
_FLAGS: Final = frozenset(("on_ground", "position_accurate", "raim", "exercise"))
_EVIDENCE: Final = {
    "lat": 6,
    "lon": 6,
    "altitude_ft": 0,
    "speed_kn": 1,
    "course_deg": 1,
    "heading_deg": 0,
}


@dataclass(slots=True)
class Step:
    """What detectors see at once.

    end_us:  when the step ends; nothing later has been seen.
    rows:    all rows of the step.
    fixes:   those with a believable position.
    before:  for each fix, the same craft's fix before it: time_us, lat, lon, altitude_ft
             (NEVER_US and NaN where there is none).
    last:    places in `fixes` of each craft's last one.
    known:   what holds for each craft by slot (`Craft`).
    ships:   of `fixes`, the last one of each ship, ordered by slot.
    minute:  with the first step that ends in a new minute of the rows' time: the last fix of each
             ship since the step that had one before, ordered by slot. For what takes minutes anyway.
    """

    end_us: int
    rows: Rows
    fixes: Rows
    before: dict[str, Array]
    last: Array
    known: Craft
    ships: Rows
    minute: Rows | None
    _placed: bool = False

    def cells(self, slot: Array) -> Array:
        """The H3 cell (watch.cells) of each craft by slot, by its last position."""
        if not self._placed:
            self._placed, last, fixes = True, self.last, self.fixes
            self.known.cells.move(
                fixes.slot[last], fixes.time_us[last], fixes.lat[last], fixes.lon[last]
            )
        return self.known.cells.of(slot)


class Craft:
    """What the watch remembers of every craft, by slot, and the names behind the codes in rows."""

    def __init__(self) -> None:
        self.index = CraftIndex()
        self.feeds: list[str] = []
        self.cells = CraftCells()
        self.domains: set[int] = set()  # that any of them is of
        self.state = SlotArrays(
            {
                "domain": (np.int8, 0),
                "ship": (np.bool_, False),  # an own vessel's MMSI: not a coast station, buoy or beacon
                "ship_type": (np.uint8, ABSENT_U8),
                "heard_us": (np.int64, NEVER_US),
                "fix_us": (np.int64, NEVER_US),
                "lat": (np.float64, np.nan),
                "lon": (np.float64, np.nan),
                "altitude_ft": (np.float32, np.nan),
            }
        )
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def slots(self, craft: Array) -> Array:
        """Slot of each craft key; -1 for craft that are new when `limits.TRACKS` are known."""
        slots = self.index.find_or_add(craft, TRACKS)
        if len(self.index) > self._count:
            self.state.reserve(len(self.index))
            keys = self.index.keys[self._count :]
            domain, number = keys >> DOMAIN_SHIFT, keys & NUMBER_MASK
            fresh = slice(self._count, len(keys) + self._count)
            self.state["domain"][fresh] = domain
            self.domains.update(domain.tolist())
            # ships' own MMSIs begin with 2 to 7 (ITU-R M.585); 98 marks craft of a mother ship
            own = (number >= 200_000_000) & (number < 800_000_000) | (number // 10_000_000 == 98)
            self.state["ship"][fresh] = (domain == DOMAIN_SEA) & own
            self._count = len(self.index)
        return slots

    def by_number(self, one: Array, two: Array) -> tuple[Array, Array]:
        """Both slots of pairs, the lower craft key first: the same however the craft were heard."""
        turned = self.index.keys[one] > self.index.keys[two]
        return np.where(turned, two, one), np.where(turned, one, two)

    def is_air(self, slots: Array) -> Array:
        found: Array = self.state["domain"][slots] == DOMAIN_AIR
        return found

    def flies(self, slot: int) -> bool:
        """`is_air` of one craft."""
        return bool(self.state["domain"][slot] == DOMAIN_AIR)


class Cutter:
    """Cuts batches into steps by the running maximum of the rows' times.

    A step is given out when a row after its end has come, so the steps are the same however the
    rows were cut into batches.
    """

    def __init__(self) -> None:
        self.known = Craft()
        self._newest_us = NEVER_US
        self._minute = 0  # number of the one that `_ships` are of
        self._ships: list[Rows] = []
        self._held: list[tuple[Array, Rows]] = []  # step number of each row; rows, in order of arrival

    def cut(self, batch: pl.DataFrame, not_after_us: int | None = None) -> Iterator[Step]:
        """The steps that this batch completes. Rows later than `not_after_us`, a clock that runs
        ahead, are left out: one of them would end all steps for good."""
        if not batch.height:
            return
        marks = batch["marks"].to_numpy()
        unwatched = (marks & UNWATCHED_MARKS) != 0
        unnamed = batch["craft"].to_numpy() >= UNNAMED_FROM
        if unnamed.any():  # a track of a sensor may be another craft tomorrow: nothing is said of it
            batch = batch.filter(~pl.Series(unnamed))
            yield from self.cut(batch, not_after_us)
            return
        if not_after_us is not None:
            unwatched |= batch["time_us"].to_numpy() > not_after_us
        rows = self._rows(batch, marks)
        unwatched |= rows.slot < 0
        if unwatched.any():
            rows = rows.pick(~unwatched)
        if not len(rows):
            return
        newest = np.maximum.accumulate(np.maximum(rows.time_us, self._newest_us))
        self._newest_us = int(newest[-1])
        number = newest // STEP_US
        self._held.append((number, rows))
        if number[-1] > self._held[0][0][0]:
            yield from self._complete(int(number[-1]))

    def finish(self) -> Iterator[Step]:
        """The step that is still open: the rows have ended."""
        if self._held:
            yield from self._complete(int(self._held[-1][0][-1]) + 1)

    def _rows(self, batch: pl.DataFrame, marks: Array) -> Rows:
        def make(name: str) -> Array:
            if name == "marks":
                return marks
            if name == "lat":
                lat, doubted = rows.claimed_lat, (marks & POSITION_MARKS) != 0
                return np.where(doubted, np.nan, lat) if doubted.any() else lat
            if name == "feed":
                return codes(batch["feed"], self.known.feeds)
            column = batch["lat" if name == "claimed_lat" else name]
            if name in _CODES:
                absent = ABSENT_U16 if name == "squawk" else ABSENT_U8
                return whole(column, absent, np.uint16 if name == "squawk" else np.uint8)
            return flags(column) if name in _FLAGS else floats(column)

        rows = Rows(self.known.slots(batch["craft"].to_numpy()), make)
        return rows

    def _complete(self, below: int) -> Iterator[Step]:
        """The held steps with a number under `below`; the rest stays held."""
        number = np.concatenate([held[0] for held in self._held])
        rows = joined([held[1] for held in self._held])
        done = int(np.searchsorted(number, below))
        # what stays is the end of the last batch: none before it would have been held back
        last, late = self._held[-1][1], len(number) - done
        self._held = [(number[done:], last.pick(slice(len(last) - late, None)))] if late else []
        number = number[:done]
        order = np.lexsort((rows.time_us[:done], rows.slot[:done], number))
        rows = rows.pick(order)
        placed = trues(~np.isnan(rows.lat))
        fixes, fix_number = rows, number
        if len(placed) < done:
            fixes, fix_number = rows.pick(placed), number[placed]
        starts = np.concatenate([[0], trues(np.diff(number)) + 1])
        bounds = [*starts.tolist(), done]
        fix_bounds = [*np.searchsorted(fix_number, number[starts]).tolist(), len(placed)]
        for k, at in enumerate(starts.tolist()):
            some = rows.pick(slice(bounds[k], bounds[k + 1]))
            placed_some = some  # columns are made once if all have a position
            if fix_bounds[k + 1] - fix_bounds[k] < len(some):
                placed_some = fixes.pick(slice(fix_bounds[k], fix_bounds[k + 1]))
            yield self._step(int(number[at]), some, placed_some)

    def _step(self, number: int, rows: Rows, fixes: Rows) -> Step:
        state = self.known.state
        late = rows.time_us < state["heard_us"][rows.slot]
        if np.count_nonzero(late):  # its craft has been heard later: no place in the order any more
            rows = rows.pick(~late)
            fixes = fixes.pick(fixes.time_us >= state["heard_us"][fixes.slot])
        state["heard_us"][rows.slot] = rows.time_us
        typed = (rows.ship_type != ABSENT_U8) & (rows.ship_type != 0)
        if np.count_nonzero(typed):
            state["ship_type"][rows.slot[typed]] = rows.ship_type[typed]
        slot = fixes.slot
        follows = np.empty(len(slot), bool)
        follows[:1] = False
        np.equal(slot[1:], slot[:-1], out=follows[1:])
        several = bool(np.count_nonzero(follows))
        before: dict[str, Array] = {}
        for name, held, now in (
            ("time_us", state["fix_us"], fixes.time_us),
            ("lat", state["lat"], fixes.lat),
            ("lon", state["lon"], fixes.lon),
            ("altitude_ft", state["altitude_ft"], fixes.altitude_ft),
        ):
            earlier = held[slot]
            if several:
                earlier[1:] = np.where(follows[1:], now[:-1], earlier[1:])
            before[name] = earlier
            held[slot] = now
        last = lasts(slot)
        ships = fixes.pick(last[state["ship"][slot[last]]])
        minute = self._gather((number + 1) // STEPS_A_MINUTE, ships)
        return Step((number + 1) * STEP_US, rows, fixes, before, last, self.known, ships, minute)

    def _gather(self, minute: int, ships: Rows) -> Rows | None:
        """The last fix of each ship since the last minute, if this step ends in a new one."""
        self._ships.append(ships)
        first, same = self._minute == 0, minute == self._minute
        self._minute = minute
        if first or same:
            return None
        held = joined(self._ships)
        self._ships = []
        newest = np.zeros(len(self.known), np.int64)
        newest[held.slot] = np.arange(len(held))  # of a slot that comes twice the last stays
        at = trues(newest[held.slot] == np.arange(len(held)))
        return held.pick(at[np.argsort(held.slot[at], kind="stable")])
