"""Where a craft is and how it moves, smoothed over its reports, with how far off that may be.

A Kalman filter of nearly constant velocity (Bar-Shalom, Estimation with Applications to Tracking and
Navigation, 2001, 6.2.2): white noise acceleration of density q, north and east alike and apart, so that
one covariance serves both. A report of a position is a measurement; the velocity that it says, another.
What lies too far from where the craft must be is left, until three in a row say that it is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from samsyn.base.clock import SECOND_US
from samsyn.base.geo import EARTH_RADIUS_M, KNOT_M_S, distance_m
from samsyn.observations.plausible import AIR_JUMP_M_MIN, SEA_JUMP_M_MIN
from samsyn.tracks import compiled

Array = npt.NDArray[Any]


class Outcome(IntEnum):
    """What became of a report; the numbers are known to `_tracks.c`."""

    BEGUN = 0
    TAKEN = 1
    REPEATED = 2  # what another receiver had heard already
    LATE = 3  # older than what is known
    MISSED = 4  # too far from where the craft must be
    RESTARTED = 5  # the third such in a row: the craft is there


class Model(NamedTuple):
    """How a kind of craft moves.

    q_m2_s3: density of the acceleration's noise. speed_m_s: standard deviation of an unknown speed.
    said_variance: (m/s)^2 of one component of a velocity that is reported.
    """

    q_m2_s3: float
    speed_m_s: float
    said_variance: float


# Ships turn and slow down by about 0.1 m/s2 for some ten seconds; what they say of their speed is a
# satellite receiver's, in tenths of a knot. Aircraft in a turn of 25 degrees bank: 4.5 m/s2 for as long.
SEA: Final = Model(0.1, 5.0, 0.5**2)
AIR: Final = Model(20.0, 130.0, 3.0**2)
_MODELS: Final = np.array([SEA, AIR])

PLACE_95: Final = (
    2.448  # standard deviations of a coordinate within which 95 of 100 places lie (Rayleigh)
)
GATE: Final = 25.0  # of squared distance over variance: 1 in 270,000 by chance (chi-square, 2 degrees)
_RESTART_AFTER: Final = 3
_REPEATED_S: Final = 2.0
_DEGREE_M: Final = EARTH_RADIUS_M * np.pi / 180
_NEVER: Final = np.iinfo(np.int64).min

# Standard deviation of one coordinate. AIS: the flag says 10 m (95 %) or not; antenna and rounding too.
SEA_SD_M: Final = {True: 8.0, False: 20.0}
# ADS-B, by NACp: the bound of 95 % of the horizontal error (DO-260B table 2-70), over 2.45.
_NAC_P_M: Final = (18_520, 18_520, 7_408, 3_704, 1_852, 926, 555.6, 185.2, 92.6, 30, 10, 3)
AIR_SD_M: Final = 60.0  # where it says nothing
LATENCY_S: Final = 1.0  # between the fix and the time of the row, along its way

_STATE: Final = np.dtype([
    ("us", "i8"), ("lat", "f8"), ("lon", "f8"), ("north", "f8"), ("east", "f8"),
    ("pp", "f8"), ("pv", "f8"), ("vv", "f8"), ("misses", "i8"), ("model", "i8"),
    ("said_lat", "f8"), ("said_lon", "f8"),
])  # fmt: skip


@dataclass(frozen=True)
class Reports:
    """Positions of rows, arrays of one length. north_m_s, east_m_s: NaN where no velocity is said."""

    time_us: Array
    lat: Array
    lon: Array
    variance_m2: Array
    north_m_s: Array
    east_m_s: Array
    air: Array  # uint8

    @classmethod
    def of(cls, columns: dict[str, Array], air: Array) -> Reports:
        """Of plain columns (observations.plain): time_us, lat, lon, speed_kn, course_deg,
        position_accurate, nac_p."""
        speed_m_s = columns["speed_kn"].astype(np.float64) * KNOT_M_S
        course = np.radians(columns["course_deg"].astype(np.float64))
        sea_sd_m = np.where(columns["position_accurate"] == 1, SEA_SD_M[True], SEA_SD_M[False])
        bounds = np.full(256, AIR_SD_M)
        bounds[: len(_NAC_P_M)] = np.array(_NAC_P_M) / 2.45
        known_m_s = np.nan_to_num(speed_m_s)
        air_sd_m = np.hypot(bounds[columns["nac_p"]], known_m_s * LATENCY_S)
        return cls(
            time_us=columns["time_us"],
            lat=columns["lat"],
            lon=columns["lon"],
            variance_m2=np.where(air, air_sd_m, sea_sd_m) ** 2,
            north_m_s=speed_m_s * np.cos(course),
            east_m_s=speed_m_s * np.sin(course),
            air=air.astype(np.uint8),
        )


@dataclass(frozen=True)
class Smoothed:
    """Craft at one time, arrays of one length; NaN where nothing is known. Standard deviations are of
    one coordinate; the true place lies within `PLACE_95` of them in 95 of 100 cases."""

    lat: Array
    lon: Array
    north_m_s: Array
    east_m_s: Array
    place_sd_m: Array
    speed_sd_m_s: Array

    @property
    def speed_kn(self) -> Array:
        found: Array = np.hypot(self.north_m_s, self.east_m_s) / KNOT_M_S
        return found

    @property
    def course_deg(self) -> Array:
        """Over ground; NaN where the speed is not clear of its own error."""
        course = np.degrees(np.arctan2(self.east_m_s, self.north_m_s)) % 360
        clear = np.hypot(self.north_m_s, self.east_m_s) > 2 * self.speed_sd_m_s
        return np.where(clear, course, np.nan)


class Smoother:
    """The smoothed state of every craft, by slot. Its owner locks."""

    def __init__(self, capacity: int = 1024, models: Array = _MODELS, gate: float = GATE) -> None:
        self._models = np.ascontiguousarray(models, np.float64)
        self._gate = gate
        self._state = np.zeros(0, _STATE)
        self.reserve(capacity)

    def __len__(self) -> int:
        return len(self._state)

    def reserve(self, count: int) -> None:
        """Room for slots 0 to `count` - 1."""
        if count > len(self._state):
            grown = np.zeros(max(count, 2 * len(self._state)), _STATE)
            grown["us"] = _NEVER
            grown[: len(self._state)] = self._state
            self._state = grown

    def keep(self, slots: Array) -> None:
        """Only these stay, in this order, as slots from 0 on."""
        kept = self._state[slots]
        self._state = np.zeros(0, _STATE)
        self.reserve(max(len(kept), 1))
        self._state[: len(kept)] = kept

    def take(self, rows: Array, slots: Array, reports: Reports) -> Array:
        """Takes the rows at places `rows` in, in that order; an `Outcome` for each (uint8).

        `slots` is of all rows. Rows without a position must not be among them.
        """
        outcomes = np.empty(len(rows), np.uint8)
        rows = np.ascontiguousarray(rows, np.int64)
        if compiled.built:
            r = reports
            compiled.built.smooth(
                self._state, self._models, rows, slots, r.time_us, r.lat, r.lon, r.variance_m2,
                r.north_m_s, r.east_m_s, r.air, outcomes, self._gate,
            )  # fmt: skip
            return outcomes
        # one round after another, each with the next row of every craft
        of_craft = slots[rows]
        order = np.argsort(of_craft, kind="stable")
        first = np.r_[True, np.diff(of_craft[order]) != 0]
        begin = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        turn = np.arange(len(order)) - begin
        for k in range(int(turn.max()) + 1 if len(turn) else 0):
            at = order[turn == k]
            outcomes[at] = self._round(of_craft[at], rows[at], reports)
        return outcomes

    def _round(self, slots: Array, rows: Array, r: Reports) -> Array:
        s = self._state[slots]
        q, speed_m_s, said_variance = self._models[r.air[rows]].T
        lat, lon, variance = r.lat[rows], r.lon[rows], r.variance_m2[rows]
        time_us, north, east = r.time_us[rows], r.north_m_s[rows], r.east_m_s[rows]
        said = ~np.isnan(north)
        new = s["us"] == _NEVER
        dt = np.subtract(time_us, np.where(new, time_us, s["us"]), dtype=np.float64) / SECOND_US
        repeated = (dt == 0) | ((dt <= _REPEATED_S) & (lat == s["said_lat"]) & (lon == s["said_lon"]))
        scale = _DEGREE_M * np.maximum(np.cos(np.radians(s["lat"])), 1e-3)
        pp = s["pp"] + 2 * dt * s["pv"] + dt**2 * s["vv"] + q * dt**3 / 3
        pv, vv = s["pv"] + dt * s["vv"] + q * dt**2 / 2, s["vv"] + q * dt
        at_lat, at_lon = s["lat"] + s["north"] * dt / _DEGREE_M, s["lon"] + s["east"] * dt / scale
        off_n, off_e = (lat - at_lat) * _DEGREE_M, _wrapped(lon - at_lon) * scale
        total = pp + variance
        missed = (off_n**2 + off_e**2) / total > self._gate
        kp, kv = pp / total, pv / total
        fresh = s.copy()
        fresh["us"], fresh["said_lat"], fresh["said_lon"], fresh["misses"] = time_us, lat, lon, 0
        fresh["model"] = r.air[rows]
        fresh["lat"], fresh["lon"] = (
            at_lat + kp * off_n / _DEGREE_M,
            _wrapped(at_lon + kp * off_e / scale),
        )
        fresh["north"], fresh["east"] = s["north"] + kv * off_n, s["east"] + kv * off_e
        fresh["pp"], fresh["pv"], fresh["vv"] = (1 - kp) * pp, (1 - kp) * pv, vv - kv * pv
        _take_velocity(
            fresh, np.where(said, north, 0), np.where(said, east, 0), said, said_variance, scale
        )
        restart = missed & (s["misses"] + 1 >= _RESTART_AFTER)
        begun = fresh.copy()
        begun["lat"], begun["lon"] = lat, lon
        begun["north"], begun["east"] = np.where(said, north, 0), np.where(said, east, 0)
        begun["pp"], begun["pv"] = variance, 0
        begun["vv"] = np.where(said, said_variance, speed_m_s**2)
        counted = s.copy()
        counted["misses"] += 1
        cases = [new, dt < 0, repeated, restart, missed]
        outcome = [Outcome.BEGUN, Outcome.LATE, Outcome.REPEATED, Outcome.RESTARTED, Outcome.MISSED]
        found = np.select(cases, outcome, Outcome.TAKEN).astype(np.uint8)
        for kind, state in (
            (Outcome.BEGUN, begun), (Outcome.RESTARTED, begun), (Outcome.TAKEN, fresh),
            (Outcome.MISSED, counted),
        ):  # fmt: skip
            self._state[slots[found == kind]] = state[found == kind]
        return found

    def at(self, slots: Array, time_us: int | Array | None = None) -> Smoothed:
        """The craft carried on to `time_us` along their last velocity, or as they last were."""
        s = self._state[slots]
        never = s["us"] == _NEVER
        if time_us is None:
            dt = np.zeros(len(s))
        else:
            dt = np.subtract(time_us, np.where(never, 0, s["us"]), dtype=np.float64) / SECOND_US
        q = self._models[s["model"], 0]
        scale = _DEGREE_M * np.maximum(np.cos(np.radians(s["lat"])), 1e-3)
        ahead = np.abs(dt)
        pp = s["pp"] + 2 * ahead * s["pv"] + ahead**2 * s["vv"] + q * ahead**3 / 3
        lat, lon = s["lat"] + s["north"] * dt / _DEGREE_M, _wrapped(s["lon"] + s["east"] * dt / scale)
        known = np.where(never, np.nan, 1.0)
        return Smoothed(
            lat=lat * known,
            lon=lon * known,
            north_m_s=s["north"] * known,
            east_m_s=s["east"] * known,
            place_sd_m=np.sqrt(pp) * known,
            speed_sd_m_s=np.sqrt(s["vv"] + q * ahead) * known,
        )

    def is_far(self, rows: Array, slots: Array, reports: Reports) -> Array:
        """Which reports lie so far from where their craft must be that nothing but another craft, or a
        wrong position, explains it: farther than what `plausible` allows for coarse positions."""
        must = self.at(slots[rows], reports.time_us[rows])
        apart_m = distance_m(must.lat, must.lon, reports.lat[rows], reports.lon[rows])
        slack_m = np.where(reports.air[rows] == 1, AIR_JUMP_M_MIN, SEA_JUMP_M_MIN)
        found: Array = apart_m > slack_m + np.sqrt(GATE) * must.place_sd_m
        return found


def _take_velocity(
    s: Array, north: Array, east: Array, said: Array, variance: Array, scale: Array
) -> None:
    total = s["vv"] + variance
    gp, gv = np.where(said, s["pv"] / total, 0), np.where(said, s["vv"] / total, 0)
    off_n, off_e = north - s["north"], east - s["east"]
    s["lat"] += gp * off_n / _DEGREE_M
    s["lon"] = _wrapped(s["lon"] + gp * off_e / scale)
    s["north"] += gv * off_n
    s["east"] += gv * off_e
    s["pp"] -= gp * s["pv"]
    s["pv"] *= 1 - gv
    s["vv"] *= 1 - gv


def _wrapped(degrees: Array) -> Array:
    found: Array = degrees - 360 * np.floor((degrees + 180) / 360)
    return found
