"""The live track table: the latest that is known of every craft, as arrays addressed by slot."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from samsyn.base.clock import MINUTE_US
from samsyn.base.errors import LimitError
from samsyn.base.geo import KNOT_M_S
from samsyn.base.limits import TRACKS
from samsyn.observations.craft import UNNAMED_FROM, craft_text, in_air
from samsyn.observations.index import CraftIndex
from samsyn.observations.plain import ABSENT_FLAG, plain
from samsyn.observations.plain import ABSENT_U8 as ABSENT_U8
from samsyn.observations.plain import ABSENT_U16 as ABSENT_U16
from samsyn.observations.plausible import Mark
from samsyn.tracks import compiled
from samsyn.tracks.arrays import Array, SlotArrays, codes
from samsyn.tracks.associate import Associations
from samsyn.tracks.smooth import PLACE_95, Outcome, Reports, Smoothed, Smoother
from samsyn.tracks.split import Seconds
from samsyn.tracks.state import TrackState
from samsyn.tracks.state import shown as is_shown

POSITION_MARKS: Final = int(Mark.BAD_POSITION | Mark.JUMP)  # such a position is not where the craft is

_FLOATS: Final = ("altitude_ft", "speed_kn", "course_deg", "heading_deg", "vertical_rate_fpm")
_WHOLE: Final = {  # array type, and the value that says "absent"
    "nav_status": (np.uint8, ABSENT_U8),
    "squawk": (np.uint16, ABSENT_U16),
    "emergency": (np.uint8, ABSENT_U8),
    "ship_type": (np.uint8, ABSENT_U8),
    "message_type": (np.uint8, ABSENT_U8),
    "nic": (np.uint8, ABSENT_U8),
    "nac_p": (np.uint8, ABSENT_U8),
    "sil": (np.uint8, ABSENT_U8),
    "time_source": (np.uint8, ABSENT_U8),
    "marks": (np.uint16, 0),
}
_FLAGS: Final = ("on_ground", "position_accurate", "raim", "exercise")
_CODES: Final = ("feed", "originator")
_TEXTS: Final = ("callsign", "name")
_STATE: Final[dict[str, tuple[Any, ...]]] = {
    "time_us": (np.int64, np.iinfo(np.int64).min),
    "position_us": (np.int64, 0),
    "lat": (np.float64, np.nan),
    "lon": (np.float64, np.nan),
    **dict.fromkeys(_FLOATS, (np.float32, np.nan)),
    **_WHOLE,
    **dict.fromkeys(_FLAGS, (np.int8, -1)),
    **dict.fromkeys(_CODES, (np.int16, -1)),
    **dict.fromkeys(_TEXTS, (np.object_, None)),
}
_SMOOTHED: Final = ("speed_kn", "course_deg", "position_accurate", "nac_p", "altitude_ft", "squawk")
_READ: Final = ("time_us", "craft", "lat", "lon", "marks")
_KINDS: Final = {"f4": 0, "f8": 1, "u1": 2, "i1": 3, "u2": 4, "i2": 5}  # as `_tracks.c` knows them
SHOWN_ONCE_US: Final = MINUTE_US
"""A craft that was silent for longer is shown where the sensor's track that it is has it, too."""
_NEVER_SAID: Final = -1  # no unsigned code is


@dataclass(frozen=True)
class View:
    """Copies of what a frame needs, for the tracks of one viewport; each array has one length."""

    craft: npt.NDArray[np.int64]
    lat: Array
    lon: Array
    course_deg: Array
    speed_kn: Array
    altitude_ft: Array
    on_ground: Array
    emergency: Array
    squawk: Array
    ship_type: Array
    marks: Array
    exercise: Array
    age_s: Array


class TrackTable:
    """Thread-safe. Each column holds the newest value that a craft's rows gave, so a static
    message (name, type) does not erase a position and a position does not erase a name.

    A row older than the newest row held for its craft changes nothing. A position that physics
    forbids (`plausible`) is not drawn over a good one; the mark itself is kept and shown.
    """

    def __init__(self, capacity: int = 1024, *, smooth: bool = False) -> None:
        """smooth: keep beside what was said where each craft must be and how it moves, with its error
        (`tracks.smooth`): for those who look at it; what is given to others is what was said."""
        self._lock = threading.Lock()
        self._smoother = Smoother(capacity) if smooth else None
        self._seconds = Seconds()
        self._associations = Associations()
        self._index = CraftIndex()
        self._tables: dict[str, list[str]] = {name: [] for name in _CODES}
        self._columns = SlotArrays(_STATE, capacity)

    def __len__(self) -> int:
        return len(self._index)

    def update(self, batch: pl.DataFrame) -> None:
        """Take in a batch (observations.schema). Beyond `limits.TRACKS` craft those heard longest ago
        are forgotten. Raises `LimitError` for a batch that alone has more than half as many."""
        if not batch.height:
            return
        given = [n for n in (*_WHOLE, *_FLOATS, *_FLAGS) if batch[n].null_count() < batch.height]
        needed = (*_READ, *given) if self._smoother is None else (*_READ, *given, *_SMOOTHED)
        columns = plain(batch, dict.fromkeys(needed))
        with self._lock:
            slots = self._slots(columns["craft"])
            rows = self._newest(columns["time_us"], slots)
            self._place(columns, rows, slots)
            self._smooth(columns, rows, slots)
            if self._smoother is not None:
                self._associations.take(columns)
            for name, table in self._tables.items():
                columns[name] = codes(batch[name], table)
            self._put({name: columns[name] for name in (*given, *_CODES)}, rows, slots)
            for name in _TEXTS:
                self._put_texts(name, batch[name], rows, slots)

    def one(self, craft: int) -> dict[str, Any] | None:
        """All that is known of a craft, for a detail panel: column name to value, None where absent,
        `position_us` the time of the position; None for a craft never heard."""
        with self._lock:
            slot = int(self._index.find(np.array([craft], np.int64))[0])
            if slot < 0:
                return None
            row: dict[str, Any] = {"craft": craft_text(craft)}
            for name in _STATE:
                row[name] = _plain(name, self._columns[name][slot])
            for name, table in self._tables.items():
                row[name] = table[row[name]] if row[name] >= 0 else None
            if self._smoother:
                row["smoothed"] = _told(self._smoother.at(np.array([slot])))
                second = self._seconds.of(slot, int(self._columns["time_us"][slot]))
                row["second_craft"] = None if second is None else _told(second)
                row["same_as"] = self._associations.of(craft)
            return row

    def state(self, feed: str, now_us: int) -> TrackState:
        """All that is held of the craft shown at `now_us`, by craft. `feed`: whose rows these are."""
        with self._lock:
            keys = self._index.keys
            c = {name: self._columns[name][: len(keys)] for name in _STATE if name not in _CODES}
            somewhere = (np.abs(c["lat"]) <= 90) & (np.abs(c["lon"]) <= 180)  # NaN, no position, is not
            at = np.flatnonzero(somewhere & is_shown(keys, c["position_us"], now_us))
            at = at[np.argsort(keys[at])]
            columns = {name: column[at] for name, column in c.items()}
            return TrackState(feed, now_us, {"craft": keys[at], **columns})

    def shows(self, craft: Array, now_us: int) -> Array:
        """For each key whether its craft has a position here that is still shown."""
        with self._lock:
            slots = self._index.find(craft)
            position_us, lat = self._columns["position_us"][slots], self._columns["lat"][slots]
            return (slots >= 0) & ~np.isnan(lat) & is_shown(craft, position_us, now_us)

    def viewport(
        self,
        west: float,
        south: float,
        east: float,
        north: float,
        *,
        now_us: int,
        max_age_us: int | None = None,
        limit: int | None = None,
    ) -> View:
        """The tracks with a position inside the box (degrees; `west` > `east` crosses 180) that
        were heard in the last `max_age_us`. Beyond `limit` tracks, the newest are given."""
        with self._lock:
            count = len(self._index)
            c = {name: self._columns[name][:count] for name in _STATE}
            inside = (c["lat"] >= south) & (c["lat"] <= north)  # NaN, no position, is never inside
            if west <= east:
                inside &= (c["lon"] >= west) & (c["lon"] <= east)
            else:
                inside &= (c["lon"] >= west) | (c["lon"] <= east)
            if max_age_us is not None:
                inside &= c["time_us"] >= now_us - max_age_us
            at = np.flatnonzero(inside)
            if limit is not None and len(at) > limit:
                newest = np.argpartition(c["time_us"][at], len(at) - limit)[len(at) - limit :]
                at = at[np.sort(newest)]
            at = at[~self._told_twice(at)]
            names = [name for name in View.__dataclass_fields__ if name not in ("craft", "age_s")]
            age_s = ((now_us - c["time_us"][at]) / 1e6).astype(np.float32)
            shown = {name: c[name][at] for name in names}
            self._derive(shown, at)
            return View(craft=self._index.keys[at], age_s=age_s, **shown)

    def _told_twice(self, slots: Array) -> Array:
        """Which tracks of sensors are craft that have said themselves where they are, as lately."""
        found = np.zeros(len(slots), bool)
        unnamed = np.flatnonzero(self._index.keys[slots] >= UNNAMED_FROM)
        joined = self._associations.joined() if len(unnamed) else {}
        if not joined:
            return found
        position_us = self._columns["position_us"]
        craft = np.array([joined.get(key, -1) for key in self._index.keys[slots[unnamed]].tolist()])
        own = self._index.find(craft)
        lately = position_us[own] >= position_us[slots[unnamed]] - SHOWN_ONCE_US
        found[unnamed] = (own >= 0) & lately
        return found

    def _derive(self, shown: dict[str, Array], slots: Array) -> None:
        """Course and speed of craft that say none, from how they moved."""
        mute = np.flatnonzero(np.isnan(shown["course_deg"]) | np.isnan(shown["speed_kn"]))
        if self._smoother is None or not len(mute):
            return
        found = self._smoother.at(slots[mute])
        for name, values in (("course_deg", found.course_deg), ("speed_kn", found.speed_kn)):
            absent = np.isnan(shown[name][mute])
            shown[name][mute[absent]] = values[absent]

    def _slots(self, craft: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        slots = self._index.find(craft)
        if (slots >= 0).all():
            return slots
        if len(self._index) + len(np.unique(craft[slots < 0])) > TRACKS:
            self._forget(craft)
        slots = self._index.find_or_add(craft, TRACKS)
        self._columns.reserve(len(self._index))
        if self._smoother:
            self._smoother.reserve(len(self._index))
        return slots

    def _forget(self, coming: npt.NDArray[np.int64]) -> None:
        """Make room: forgets the half of the craft that were heard longest ago."""
        if len(np.unique(coming)) > TRACKS // 2:
            raise LimitError(f"a batch of more than {TRACKS // 2} craft")
        count = len(self._index)
        keep = np.sort(np.argsort(self._columns["time_us"][:count])[count - TRACKS // 2 :])
        index, columns = CraftIndex(), SlotArrays(_STATE, len(self._columns))
        index.find_or_add(self._index.keys[keep], TRACKS)
        for name in _STATE:
            columns[name][: len(keep)] = self._columns[name][keep]
        self._index, self._columns = index, columns
        if self._smoother:
            self._smoother.keep(keep)
            self._seconds.forget()

    def _newest(self, time_us: Array, slots: Array) -> Array:
        """Places of the rows that are no older than what is held of their craft, those of one craft in
        order of time; what is held becomes as new as they are."""
        held_us = self._columns["time_us"]
        if compiled.built:
            rows = np.empty(len(slots), np.int64)
            count, crossed = compiled.built.newest(time_us, slots, held_us, rows)
            rows = rows[:count]
        else:
            rows = np.flatnonzero(time_us >= held_us[slots])
            crossed = bool((np.diff(time_us[rows]) < 0).any())
            np.maximum.at(held_us, slots[rows], time_us[rows])
        return rows[np.argsort(time_us[rows], kind="stable")] if crossed else rows

    def _place(self, columns: dict[str, Array], rows: Array, slots: Array) -> None:
        held = [self._columns[name] for name in ("position_us", "lat", "lon")]
        lat, time_us = columns["lat"], columns["time_us"]
        doubted = (columns["marks"] & POSITION_MARKS) != 0
        if compiled.built:
            compiled.built.place(rows, slots, time_us, lat, columns["lon"], doubted, *held)
            return
        rows = rows[~np.isnan(lat[rows])]
        if doubted[rows].any():
            good = rows[~doubted[rows]]
            nowhere = rows[doubted[rows] & np.isnan(held[1][slots[rows]])]
            nowhere = nowhere[~np.isin(slots[nowhere], slots[good])]
            _, first = np.unique(slots[nowhere], return_index=True)
            rows = np.concatenate([nowhere[first], good])
        # numpy leaves the last of several values for one slot; `rows` of one craft are in order of time
        for held_of, values in zip(held, (time_us, lat, columns["lon"]), strict=True):
            held_of[slots[rows]] = values[rows]

    def _smooth(self, columns: dict[str, Array], rows: Array, slots: Array) -> None:
        if self._smoother is None:
            return
        usable = (columns["marks"] & np.uint16(Mark.BAD_POSITION)) == 0
        usable &= ~np.isnan(columns["lat"]) & ~np.isnan(columns["lon"])
        rows = rows[usable[rows]]
        jumped = (columns["marks"][rows] & np.uint16(Mark.JUMP)) != 0
        reports = Reports.of(columns, in_air(columns["craft"]))
        strange = jumped.copy()
        strange[~jumped] = self._smoother.take(rows[~jumped], slots, reports) == Outcome.MISSED
        at = np.flatnonzero(strange & ~jumped)
        strange[at] = self._smoother.is_far(rows[at], slots, reports)
        self._seconds.take(rows, slots, reports, strange)

    def _put(self, columns: dict[str, Array], rows: Array, slots: Array) -> None:
        """Of each column the values that are there."""
        into = tuple(self._columns[name] for name in columns)
        if compiled.built:
            kinds = np.array([_KINDS[array.dtype.str[1:]] for array in into], np.int64)
            absent = np.array([_absent(name) for name in columns], np.int64)
            room, given = len(self._columns), tuple(columns.values())
            compiled.built.put(rows, slots, kinds, absent, room, into, given)
            return
        for (name, values), array in zip(columns.items(), into, strict=True):
            there = ~np.isnan(values[rows]) if name in _FLOATS else values[rows] != _absent(name)
            array[slots[rows[there]]] = values[rows[there]]

    def _put_texts(self, name: str, texts: pl.Series, rows: Array, slots: Array) -> None:
        if texts.null_count() == len(texts):
            return
        at = np.full(len(texts), -1, np.int64)  # of each row, where its text is among those there are
        there = np.flatnonzero(texts.is_not_null().to_numpy())
        at[there] = np.arange(len(there))
        rows = rows[at[rows] >= 0]
        values = np.array(texts.drop_nulls().to_list(), np.object_)
        self._columns[name][slots[rows]] = values[at[rows]]


def _absent(name: str) -> int:
    """What stands for "absent" in a column of codes or flags; `marks` always has a value."""
    if name in _WHOLE:
        return _WHOLE[name][1] if name != "marks" else _NEVER_SAID
    return ABSENT_FLAG


def _told(found: Smoothed) -> dict[str, float | None]:
    """One craft's smoothed state; errors are those that 95 of 100 keep to."""
    values = {
        "lat": found.lat[0],
        "lon": found.lon[0],
        "error_m": PLACE_95 * found.place_sd_m[0],
        "speed_kn": found.speed_kn[0],
        "speed_error_kn": PLACE_95 * found.speed_sd_m_s[0] / KNOT_M_S,
        "course_deg": found.course_deg[0],
    }
    return {name: None if np.isnan(value) else float(value) for name, value in values.items()}


def _plain(name: str, value: Any) -> Any:
    """A Python value, None for the column's sentinel."""
    if name in _TEXTS:
        return value
    if name in _FLAGS:
        return None if value < 0 else bool(value)
    if name in _WHOLE:
        absent = _WHOLE[name][1]
        return None if absent and value == absent else int(value)
    if isinstance(value, np.floating):
        return None if np.isnan(value) else float(value)
    return int(value)
