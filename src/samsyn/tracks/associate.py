"""Which named craft a sensor's track is: a radar's or somebody else's, whose craft nobody names.

Nearest neighbour over all (Blackman and Popoli, Design and Analysis of Modern Tracking Systems, 1999,
6.4): every ten seconds of the rows' own time each track is held against the craft near it, by place,
velocity, altitude and Mode A code; of one sensor no two tracks are the same craft. One time says little.
A track is joined to a craft only after `JOIN` times in which it fitted that one and clearly no other,
and is parted again when it does not fit any more; between the two gates lies what changes nothing. Where
two craft fit a track alike it is neither's.

A helicopter that is heard by AIS too (MMSI 111...) is held against aircraft in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.geo import EARTH_RADIUS_M, KNOT_M_S
from samsyn.observations.craft import (
    DOMAIN_SEA,
    DOMAIN_SHIFT,
    NUMBER_MASK,
    UNNAMED_FROM,
    craft_text,
    in_air,
)
from samsyn.observations.index import CraftIndex
from samsyn.observations.plain import ABSENT_U16
from samsyn.observations.plausible import Mark
from samsyn.tracks.arrays import SlotArrays, trues

Array = npt.NDArray[Any]

STEP_US: Final = 10 * SECOND_US
JOIN: Final = 5  # times that fit one craft and no other, one after another
JOIN_US: Final = 30 * SECOND_US  # that they span at least
PART: Final = 3  # times one after another that do not fit
GATE: Final = 16.0  # of squared distances over variances: 7 in 1,000 by chance (chi-square, 5 degrees)
WIDE: Final = 36.0  # for who is joined already
CLEAR: Final = 9.0  # by so much a second craft must fit worse: about 90 to 1 (likelihood)

_NOT_THERE: Final = np.uint16(Mark.BAD_POSITION | Mark.JUMP)
_DEGREE_M: Final = EARTH_RADIUS_M * np.pi / 180
_NEVER: Final = np.iinfo(np.int64).min
_RESCUE: Final = 111  # of an MMSI: search and rescue aircraft
_ALTITUDE_FT: Final = 150.0  # between two encodings of one pressure altitude; grows by the climb since
_CLIMB_FT_S: Final = 30.0
_HEIGHT_FT: Final = 1_500.0  # between a pressure altitude and a height, which who says no code may mean


class Kind(NamedTuple):
    """How tracks at sea or in the air are held against craft.

    place_m, speed_m_s: standard deviations of one coordinate between a sensor and the craft's own word,
    at one instant. turn_m_s2: of the acceleration since. any_m_s: of the speed of who says none.
    fresh_us: the longest since the craft said where it is. gone_us: a track silent for longer may be
    another's. held_us: for how long a track stays joined to a craft that says nothing.
    """

    place_m: Any
    speed_m_s: Any
    turn_m_s2: Any
    any_m_s: Any
    fresh_us: Any
    gone_us: Any
    held_us: Any


# A radar's azimuth is good to 0.1 degree: 320 m at 100 NM; an ADS-B report may be a second old. At sea:
# a coastal radar's 50 to 100 m; ships under way report every ten seconds, small ones every thirty.
AIR: Final = Kind(400.0, 15.0, 4.0, 130.0, 15 * SECOND_US, 2 * MINUTE_US, 10 * MINUTE_US)
SEA: Final = Kind(100.0, 1.5, 0.1, 5.0, 2 * MINUTE_US, 10 * MINUTE_US, 60 * MINUTE_US)
_CROWD: Final = 100  # craft that one track fits
_PIECE: Final = 1 << 17  # pairs compared in one go: their columns fit into a processor's cache
_BAND: Final = 1_000.0  # more than the degrees around the Earth
_REACH_DEG: Final = 0.1  # of latitude: farther apart nothing fits (11 km: Mach 2 for `fresh_us`)


class Reports(NamedTuple):
    """What rows say, arrays of one length; NaN and `ABSENT_U16` where nothing is said."""

    craft: Array
    time_us: Array
    lat: Array
    lon: Array
    north_m_s: Array
    east_m_s: Array
    altitude_ft: Array
    squawk: Array

    @classmethod
    def of(cls, columns: dict[str, Array], at: Array) -> Reports:
        """Rows `at` of plain columns (observations.plain)."""
        c = {name: columns[name][at] for name in COLUMNS}
        course, speed_m_s = np.radians(c["course_deg"]), c["speed_kn"] * KNOT_M_S
        north_m_s, east_m_s = speed_m_s * np.cos(course), speed_m_s * np.sin(course)
        nowhere = np.isnan(c["lat"]) | np.isnan(c["lon"]) | ((c["marks"] & _NOT_THERE) != 0)
        lat, lon = (np.where(nowhere, np.nan, c[name]) for name in ("lat", "lon"))
        said = (north_m_s, east_m_s, c["altitude_ft"], c["squawk"])
        return cls(c["craft"], c["time_us"], lat, lon, *said)

    def pick(self, at: Any) -> Reports:
        return Reports(*(column[at] for column in self))


COLUMNS: Final = (
    "craft", "time_us", "lat", "lon", "speed_kn", "course_deg", "altitude_ft", "squawk", "marks",
)  # fmt: skip


@dataclass(slots=True)
class _Followed:
    """One track: the craft that it may be, and since when it fits."""

    heard_us: int
    craft: int = 0
    since_us: int = 0
    agreed_us: int = 0
    agreed: int = 0  # times that fitted it, and
    compared: int = 0  # times that it was held against it
    apart_m2: float = 0.0  # summed over those that fitted
    misses: int = 0
    joined: bool = False

    def leave(self) -> None:
        self.craft = self.since_us = self.agreed_us = self.agreed = self.compared = self.misses = 0
        self.apart_m2, self.joined = 0.0, False

    def fits(self, time_us: int, apart_m: float) -> None:
        self.agreed += 1
        self.compared += 1
        self.apart_m2 += apart_m**2
        self.agreed_us, self.misses = time_us, 0
        self.joined |= self.agreed >= JOIN and time_us - self.since_us >= JOIN_US


class Associations:
    """Tracks and their craft, of one table. Not thread-safe: its owner locks.

    The same rows in the same order give the same, however they are cut into batches. Where no sensor
    brings tracks it costs next to nothing.
    """

    def __init__(self) -> None:
        self._newest_us = _NEVER
        self._held: list[tuple[Array, Reports]] = []  # step of each row, rows: of the step that is open
        self._seeking = False  # whether a track is among those that are held
        self._followed: dict[int, _Followed] = {}
        self._learn_anew()

    def take(self, columns: dict[str, Array]) -> None:
        """Plain columns (observations.plain) `COLUMNS` of a batch, in order of arrival."""
        at = np.flatnonzero((columns["marks"] & np.uint16(Mark.BAD_TIME)) == 0)
        if not len(at):
            return
        number = np.maximum.accumulate(np.maximum(columns["time_us"][at], self._newest_us))
        self._newest_us = int(number[-1])
        number //= STEP_US
        self._seeking |= bool(_seeks(columns["craft"][at]).any())
        if not self._seeking and not self._followed:  # only the open step may still see a track
            at, number = at[number == number[-1]], number[number == number[-1]]
            self._held = [held for held in self._held if held[0][-1] == number[-1]]
        self._held.append((number, Reports.of(columns, at)))
        if number[-1] > self._held[0][0][0]:
            for reports in self._steps():
                self._step(reports)

    def of(self, craft: int) -> list[dict[str, Any]]:
        """With whom a track is joined, or the tracks joined with a craft; see ADR 0034."""
        mine = self._followed.get(craft)
        pairs = [(mine.craft, mine)] if mine and mine.joined else []
        pairs += [(key, one) for key, one in self._followed.items() if one.joined and one.craft == craft]
        return [
            {
                "craft": craft_text(key),
                "since_us": one.since_us,
                "agreed_us": one.agreed_us,
                "agreed": one.agreed,
                "compared": one.compared,
                "apart_m": round((one.apart_m2 / one.agreed) ** 0.5),
            }
            for key, one in sorted(pairs, key=lambda pair: pair[0])
        ]

    def joined(self) -> dict[int, int]:
        """The craft of each track that has one, by key."""
        return {key: one.craft for key, one in self._followed.items() if one.joined}

    def _steps(self) -> Iterator[Reports]:
        """The rows of each step that is over; the rest stays held."""
        number = np.concatenate([held[0] for held in self._held])
        rows = Reports(
            *(np.concatenate(parts) for parts in zip(*(h[1] for h in self._held), strict=True))
        )
        done = int(np.searchsorted(number, number[-1]))
        self._held = [(number[done:], rows.pick(slice(done, None)))]
        self._seeking = bool(_seeks(rows.craft[done:]).any())
        starts = np.flatnonzero(np.r_[True, np.diff(number[:done]) != 0])
        for begin, end in zip(starts, [*starts[1:], done], strict=True):
            yield rows.pick(slice(begin, end))

    def _step(self, reports: Reports) -> None:
        seeks = _seeks(reports.craft)
        if not seeks.any() and not self._followed:
            return
        self._remember(reports.pick(reports.craft < UNNAMED_FROM))
        tracks = _last_of_each(reports.pick(seeks & ~np.isnan(reports.lat)))
        if len(tracks.craft) + len(self._followed) > limits.ASSOCIATED_TRACKS:
            self._forget(int(reports.time_us.max()))
            tracks = tracks.pick(slice(limits.ASSOCIATED_TRACKS))
        if len(tracks.craft):
            self._compare(tracks)

    def _learn_anew(self) -> None:
        self._index = CraftIndex()
        self._last = SlotArrays(_LAST, 16)

    def _remember(self, reports: Reports) -> None:
        """What each named craft last said: each thing by itself, for no message of Mode S says all."""
        if len(self._index) + len(reports.craft) > limits.TRACKS:
            self._learn_anew()
        slots = self._index.find_or_add(reports.craft, limits.TRACKS)
        self._last.reserve(len(self._index))
        for when, names in _SAID.items():
            first = getattr(reports, names[0])
            there = np.flatnonzero(first != ABSENT_U16 if names[0] == "squawk" else ~np.isnan(first))
            there = there[reports.time_us[there] >= self._last[when][slots[there]]]
            there = there[np.argsort(reports.time_us[there], kind="stable")]  # the last of each stays
            self._last[when][slots[there]] = reports.time_us[there]
            for name in names:
                self._last[name][slots[there]] = getattr(reports, name)[there]

    def _heard_us(self, craft: int) -> int:
        """When a named craft last said where it is."""
        slot = int(self._index.find(np.array([craft], np.int64))[0])
        return _NEVER if slot < 0 else int(self._last["fix_us"][slot])

    def _forget(self, now_us: int) -> None:
        """Tracks that are silent; if those are few, all: their numbers are used up by somebody."""
        gone = [k for k, one in self._followed.items() if now_us - one.heard_us > _kind(k).gone_us]
        for key in gone:
            del self._followed[key]
        if len(self._followed) > limits.ASSOCIATED_TRACKS // 2:
            self._followed.clear()

    def _compare(self, tracks: Reports) -> None:
        """Holds each track against the craft near it, and draws the conclusions."""
        newest_us, count = int(tracks.time_us.max()), len(self._index)
        craft = _Craft(self._index.keys, *(self._last[name][:count] for name in _Craft._fields[1:]))
        fit = _fits(tracks, craft.pick(craft.fix_us >= newest_us - SEA.fresh_us - STEP_US))
        best = _nearest(tracks, fit)
        of_track: dict[int, list[int]] = {}
        for place, i in enumerate(fit.track.tolist()):
            of_track.setdefault(i, []).append(place)
        for i, (key, time_us) in enumerate(
            zip(tracks.craft.tolist(), tracks.time_us.tolist(), strict=True)
        ):
            one = self._followed.get(key)
            if one is None or time_us - one.heard_us > _kind(key).gone_us:
                one = self._followed[key] = _Followed(time_us)
            one.heard_us = time_us
            if fit.left_out[i]:
                continue
            own = {int(fit.craft[place]): place for place in of_track.get(i, ())}
            silent_us = time_us - self._heard_us(one.craft) if one.craft else 0
            kind = _kind(key)
            seen = _Seen(own, best.get(i), fit, silent_us > kind.fresh_us)
            _conclude(one, time_us, seen, kind.held_us)


class _Craft(NamedTuple):
    """What named craft last said and when, arrays of one length."""

    craft: Array
    fix_us: Array
    lat: Array
    lon: Array
    way_us: Array
    north_m_s: Array
    east_m_s: Array
    level_us: Array
    altitude_ft: Array
    squawk: Array

    def pick(self, at: Any) -> _Craft:
        return _Craft(*(column[at] for column in self))


_SAID: Final = {
    "fix_us": ("lat", "lon"), "way_us": ("north_m_s", "east_m_s"), "level_us": ("altitude_ft",),
    "code_us": ("squawk",),
}  # fmt: skip
_LAST: Final[dict[str, tuple[Any, ...]]] = {
    **dict.fromkeys(_SAID, (np.int64, _NEVER)),
    **dict.fromkeys(("lat", "lon", "north_m_s", "east_m_s", "altitude_ft"), (np.float64, np.nan)),
    "squawk": (np.uint16, ABSENT_U16),
}


class _Fits(NamedTuple):
    """Pairs of a track, by its place, and a named craft that it may be."""

    track: Array
    craft: Array
    worse: Array  # squared distances over variances
    apart_m: Array
    left_out: Array  # of each track whether nothing is told of it


class _Seen(NamedTuple):
    """One track now: the pairs it is in by craft; the pair that fits it, if one clearly does; whether
    the craft that it may be says nothing."""

    pairs: dict[int, int]
    best: int | None
    fit: _Fits
    silent: bool


def _conclude(one: _Followed, time_us: int, seen: _Seen, held_us: int) -> None:
    best, fit = seen.best, seen.fit
    mine = seen.pairs.get(one.craft)
    if one.joined:
        if seen.silent:  # nothing to hold it against
            if time_us - one.agreed_us > held_us:
                one.leave()
        elif mine is not None and fit.worse[mine] <= WIDE and best in (None, mine):
            one.fits(time_us, float(fit.apart_m[mine]))
        else:
            one.compared += 1
            one.misses += 1
            if one.misses >= PART:
                one.leave()
        return
    if best is None:
        if one.craft and (mine is None or fit.worse[mine] > GATE):
            one.misses += 1
            if one.misses >= PART:
                one.leave()
        return
    if int(fit.craft[best]) != one.craft:
        one.leave()
        one.craft, one.since_us = int(fit.craft[best]), time_us
    one.fits(time_us, float(fit.apart_m[best]))


def _fits(tracks: Reports, craft: _Craft) -> _Fits:
    """The pairs of a track and a craft near it that has said where it is lately and that it may be.

    Of a crowd, in which all may be all, nothing is told: more near pairs than
    `limits.ASSOCIATED_PAIRS`, or a track that fits a hundred craft. Those tracks are left out, and so
    are others that fit one of the same craft: they would seem to be alone with it.
    """
    craft, begin, many = _near(tracks, craft)
    left_out = np.zeros(len(tracks.craft), bool)
    order = np.argsort(many.sum(axis=0), kind="stable")
    left_out[order[np.cumsum(many.sum(axis=0)[order]) > limits.ASSOCIATED_PAIRS]] = True
    crowd = np.zeros(len(craft.craft) + 1, np.int64)  # near how many of them each craft is: begins, ends
    np.add.at(crowd, begin[:, left_out], 1)
    np.add.at(crowd, (begin + many)[:, left_out], -1)
    track = np.tile(trues(~left_out), len(begin))
    pieces = _pieces(track, begin[:, ~left_out].ravel(), many[:, ~left_out].ravel())
    parts = zip(*(_pairs(tracks, craft, *piece) for piece in pieces), strict=True)
    track, at, worse, apart_m = (np.concatenate(part) for part in parts)
    spoilt = np.cumsum(crowd)[:-1] > 0
    spoilt[at[np.bincount(track, minlength=len(left_out))[track] > _CROWD]] = True
    left_out[track[spoilt[at]]] = True
    keep = ~left_out[track]
    return _Fits(track[keep], craft.craft[at[keep]], worse[keep], apart_m[keep], left_out)


def _near(tracks: Reports, craft: _Craft) -> tuple[_Craft, Array, Array]:
    """Craft in another order, and where in it those near each track begin and how many they are: one
    row for each of three bands of latitude, as it is and round the Earth either way."""
    key = np.floor(craft.lat / _REACH_DEG) * _BAND + (craft.lon + 180) % 360
    order = np.argsort(key, kind="stable")
    key, band = key[order], np.floor(tracks.lat / _REACH_DEG)
    east, reach_deg = (tracks.lon + 180) % 360, _reach_deg(tracks.lat) + 1e-6
    begin, end = [], []
    for row in (-1, 0, 1):
        for turn in (-360, 0, 360):
            first = (band + row) * _BAND
            low, high = east + turn - reach_deg, east + turn + reach_deg
            begin.append(np.searchsorted(key, first + np.clip(low, 0, 360), "left"))
            end.append(np.searchsorted(key, first + np.clip(high, -1, 360), "right"))
    return craft.pick(order), np.array(begin), np.maximum(np.array(end) - np.array(begin), 0)


def _reach_deg(lat: Array) -> Array:
    found: Array = _REACH_DEG / np.maximum(np.cos(np.radians(lat)), 1e-2)
    return found


def _pieces(track: Array, begin: Array, many: Array) -> Iterator[tuple[Array, Array]]:
    """Places of both of every pair, not too many at a time; at least one piece."""
    total = np.cumsum(many)
    cuts = np.searchsorted(
        total, np.arange(_PIECE, int(total[-1]) if len(total) else 0, _PIECE)
    ).tolist()
    for low, high in pairwise([0, *(cut + 1 for cut in cuts), len(many)]):
        n = many[low:high]
        skipped = np.repeat(begin[low:high] - np.cumsum(n) + n, n)
        yield np.repeat(track[low:high], n), skipped + np.arange(len(skipped))


def _pairs(tracks: Reports, craft: _Craft, track: Array, at: Array) -> tuple[Array, ...]:
    """Of pairs by their places those that may be one: places, how badly they fit, metres."""
    apart_deg = np.abs((craft.lon[at] - tracks.lon[track] + 180) % 360 - 180)
    near = apart_deg <= _reach_deg(tracks.lat[track])
    near &= np.abs(craft.lat[at] - tracks.lat[track]) <= _REACH_DEG
    track, at = track[near], at[near]
    one, other = tracks.pick(track), craft.pick(at)
    flies = in_air(one.craft) | _rescue(one.craft)
    kind = Kind(*(np.where(flies, a, b) for a, b in zip(AIR, SEA, strict=True)))
    dt_s = (one.time_us - other.fix_us) / SECOND_US
    worse, apart_m = _distance(one, other, dt_s, kind)
    keep = (flies == in_air(other.craft)) & ~_rescue(other.craft) & (worse <= WIDE)
    keep &= np.abs(dt_s) * SECOND_US <= kind.fresh_us
    return track[keep], at[keep], worse[keep], apart_m[keep]


def _distance(one: Reports, other: _Craft, dt_s: Array, kind: Kind) -> tuple[Array, Array]:
    """How badly pairs fit, and how far apart they are in metres."""
    moves = ~np.isnan(other.north_m_s) & (np.abs(other.fix_us - other.way_us) <= kind.fresh_us)
    north_m_s, east_m_s = (np.where(moves, v, np.nan) for v in (other.north_m_s, other.east_m_s))
    scale = _DEGREE_M * np.maximum(np.cos(np.radians(other.lat)), 1e-3)
    north_m = (one.lat - other.lat) * _DEGREE_M - np.nan_to_num(north_m_s) * dt_s
    east_m = ((one.lon - other.lon + 180) % 360 - 180) * scale - np.nan_to_num(east_m_s) * dt_s
    apart_m = np.hypot(north_m, east_m)
    unknown_m = np.where(moves, kind.turn_m_s2 * dt_s**2 / 2, kind.any_m_s * dt_s)
    worse = apart_m**2 / (kind.place_m**2 + unknown_m**2)
    off_m_s = np.hypot(one.north_m_s - north_m_s, one.east_m_s - east_m_s)
    worse += np.nan_to_num(off_m_s**2 / (kind.speed_m_s**2 + (kind.turn_m_s2 * dt_s) ** 2))
    coded = (one.squawk != ABSENT_U16) & ~_rescue(one.craft)
    since_s = np.abs(one.time_us - np.maximum(other.level_us, other.fix_us - SEA.fresh_us)) / SECOND_US
    altitude_ft = np.where(coded, _ALTITUDE_FT, _HEIGHT_FT) + _CLIMB_FT_S * since_s
    worse += np.nan_to_num((one.altitude_ft - other.altitude_ft) ** 2 / altitude_ft**2)
    both = (one.squawk != ABSENT_U16) & (other.squawk != ABSENT_U16)
    return np.where(both & (one.squawk != other.squawk), np.inf, worse), apart_m


def _nearest(tracks: Reports, fit: _Fits) -> dict[int, int]:
    """The pair of each track, by its place, that fits and that nothing else comes near: no second craft
    fits the track, and no second track of its sensor the craft. The best pairs choose first."""
    inside = np.flatnonzero(fit.worse <= GATE + CLEAR)
    order = np.lexsort((fit.craft[inside], tracks.craft[fit.track[inside]], fit.worse[inside]))
    sensor = np.where(tracks.craft >= UNNAMED_FROM, tracks.craft >> 16, tracks.craft).tolist()
    of_track: dict[int, int] = {}
    of_craft: dict[tuple[int, int], int] = {}
    doubtful: set[int] = set()
    for place in inside[order].tolist():
        track, whose = int(fit.track[place]), (sensor[int(fit.track[place])], int(fit.craft[place]))
        before = {of_track.setdefault(track, place), of_craft.setdefault(whose, place)}
        doubtful |= {pair for pair in before if fit.worse[place] - fit.worse[pair] < CLEAR} - {place}
        if before != {place}:  # one of the two has a better one
            doubtful.add(place)
    return {t: p for t, p in of_track.items() if p not in doubtful and fit.worse[p] <= GATE}


def _last_of_each(reports: Reports) -> Reports:
    """The newest row of each craft, in order of craft; of equal times the one that came last."""
    order = np.lexsort((reports.time_us, reports.craft))
    craft = reports.craft[order]
    return reports.pick(order[np.r_[craft[1:] != craft[:-1], np.ones(min(len(craft), 1), bool)]])


def _seeks(craft: Array) -> Array:
    """Which keys are held against named craft."""
    found: Array = (craft >= UNNAMED_FROM) | _rescue(craft)
    return found


def _rescue(craft: Array) -> Array:
    at_sea: Array = craft >> DOMAIN_SHIFT == DOMAIN_SEA
    found: Array = at_sea & ((craft & NUMBER_MASK) // 1_000_000 == _RESCUE)
    return found


def _kind(key: int) -> Kind:
    return AIR if in_air(key) or bool(_rescue(np.array(key))) else SEA
