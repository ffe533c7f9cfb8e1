"""Where simulated craft are at a time: functions of time alone, so that nothing piles up."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import numpy as np

from samsyn.base.geo import METRES_PER_NM, bearing_deg, distance_m
from samsyn.feeds.simulated.scenario import Air, Craft, Ground, Lane, Leg, Place

UNDER_WAY, AT_ANCHOR, MOORED, FISHING = 0, 1, 5, 7
FERRY_IN_PORT_MIN = 25.0
YAW_M = 60.0  # how far a ship at anchor sheers to each side


@dataclass(frozen=True)
class State:
    """What a craft says at one moment; units as in observations.schema."""

    lat: float
    lon: float
    speed_kn: float
    course_deg: float
    heading_deg: float
    status: int = UNDER_WAY
    altitude_ft: float = 0.0
    squawk: int | None = None


class Way(Protocol):
    """Where one craft is; None while it says nothing."""

    def at(self, minute: float) -> State | None: ...


@dataclass
class Sailing:
    """Along a way from where it is at the start; moored at its end, or back again if a ferry."""

    way: tuple[Place, ...]
    speed_kn: float
    begun_nm: float
    aside_nm: float
    ferry: bool
    _sums_nm: list[float] = field(init=False)
    _courses: list[float] = field(init=False)

    def __post_init__(self) -> None:
        points = np.array(self.way)
        legs = distance_m(points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1]) / METRES_PER_NM
        self._sums_nm = [0.0, *np.cumsum(legs).tolist()]
        self._courses = bearing_deg(
            points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1]
        ).tolist()

    def at(self, minute: float) -> State:
        length_nm = self._sums_nm[-1]
        gone_nm = self.begun_nm + self.speed_kn * minute / 60
        back, still = False, False
        if self.ferry:
            wait_nm = self.speed_kn * FERRY_IN_PORT_MIN / 60
            trip, along_nm = divmod(gone_nm, length_nm + wait_nm)
            back, still = int(trip) % 2 == 1, along_nm > length_nm
            along_nm = min(along_nm, length_nm)
        else:
            still = gone_nm >= length_nm
            along_nm = min(gone_nm, length_nm)
        return self._state(length_nm - along_nm if back else along_nm, back, still)

    def _state(self, along_nm: float, back: bool, still: bool) -> State:
        leg = min(bisect_right(self._sums_nm, along_nm), len(self.way) - 1)
        a, b = self.way[leg - 1], self.way[leg]
        share = (along_nm - self._sums_nm[leg - 1]) / (self._sums_nm[leg] - self._sums_nm[leg - 1])
        lat, lon = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
        course = (self._courses[leg - 1] + (180 if back else 0)) % 360
        lat, lon = _aside(lat, lon, course, self.aside_nm)
        return State(
            lat, lon, 0.0 if still else self.speed_kn, course, course, MOORED if still else UNDER_WAY
        )


@dataclass
class Anchored:
    """Sheers to and fro behind an anchor, bow to the wind."""

    at_place: Place
    wind_deg: float
    period_min: float

    def at(self, minute: float) -> State:
        phase = 2 * math.pi * minute / self.period_min
        lat, lon = _aside(*self.at_place, self.wind_deg, YAW_M * math.sin(phase) / METRES_PER_NM)
        pace = math.cos(phase)
        speed = abs(pace) * 2 * math.pi * YAW_M / METRES_PER_NM / (self.period_min / 60)
        course = (self.wind_deg + (90 if pace >= 0 else 270)) % 360
        heading = (self.wind_deg + 12 * math.sin(phase)) % 360
        return State(lat, lon, speed, course, heading, AT_ANCHOR)


@dataclass
class Fishing:
    """Tows round and round in a circle."""

    middle: Place
    radius_nm: float
    begun_deg: float
    speed_kn: float

    def at(self, minute: float) -> State:
        turned = self.begun_deg + math.degrees(self.speed_kn * minute / 60 / self.radius_nm)
        lat, lon = _aside(*self.middle, turned - 90, self.radius_nm)
        course = (turned + 90) % 360
        return State(lat, lon, self.speed_kn, course, course, FISHING)


@dataclass
class Flight:
    """Straight over an area from edge to edge."""

    begins_min: float
    start: Place
    end: Place
    speed_kn: float
    altitude_ft: float
    squawk: int
    _minutes: float = field(init=False)

    def __post_init__(self) -> None:
        length_nm = float(distance_m(*self.start, *self.end)) / METRES_PER_NM
        self._minutes = length_nm / self.speed_kn * 60

    def at(self, minute: float) -> State | None:
        share = (minute - self.begins_min) / self._minutes
        if not 0 <= share <= 1:
            return None
        lat = self.start[0] + share * (self.end[0] - self.start[0])
        lon = self.start[1] + share * (self.end[1] - self.start[1])
        course = float(bearing_deg(lat, lon, *self.end)) if share < 1 else 0.0
        return State(
            lat, lon, self.speed_kn, course, course, altitude_ft=self.altitude_ft, squawk=self.squawk
        )


@dataclass
class Scripted:
    """Leg by leg as the scenario says; speed and course follow from the way."""

    craft: Craft

    def at(self, minute: float) -> State | None:
        begins, place, altitude_ft = 0.0, self.craft.start, self.craft.altitude_ft
        for leg in self.craft.legs:
            if minute <= leg.until:
                return None if leg.silent else self._on(leg, begins, place, altitude_ft, minute)
            begins, place = leg.until, leg.to
            altitude_ft = altitude_ft if leg.altitude_ft is None else leg.altitude_ft
        return None

    def _on(self, leg: Leg, begins: float, start: Place, altitude_ft: float, minute: float) -> State:
        lasts = leg.until - begins
        share = (minute - begins) / lasts
        lat, lon = (a + share * (b - a) for a, b in zip(start, leg.to, strict=True))
        way_nm = float(distance_m(*start, *leg.to)) / METRES_PER_NM
        course = float(bearing_deg(*start, *leg.to)) if way_nm else leg.heading_deg or 0.0
        to_ft = altitude_ft if leg.altitude_ft is None else leg.altitude_ft
        return State(
            lat,
            lon,
            way_nm / lasts * 60,
            course,
            course if leg.heading_deg is None else leg.heading_deg,
            leg.status,
            altitude_ft + share * (to_ft - altitude_ft),
            leg.squawk,
        )


def lane_ways(lane: Lane, rng: Random) -> list[Sailing]:
    """The ships of a lane, spread over it, half of them the other way."""
    made = []
    for k in range(lane.ships):
        way = lane.way if k % 2 == 0 else lane.way[::-1]
        points = np.array(way)
        length_m = distance_m(points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1]).sum()
        made.append(
            Sailing(
                way,
                speed_kn=rng.uniform(*lane.speed_kn),
                begun_nm=rng.uniform(0.0, 0.85) * float(length_m) / METRES_PER_NM,
                aside_nm=0.0 if lane.ferry else rng.uniform(0.2, 1.0),
                ferry=lane.ferry,
            )
        )
    return made


def ground_ways(ground: Ground, rng: Random) -> list[Anchored | Fishing]:
    """The ships that stay on a ground, scattered over it."""
    made: list[Anchored | Fishing] = []
    for _ in range(ground.ships):
        direction, away = rng.uniform(0, 360), ground.radius_nm * rng.uniform(0.1, 1.0)
        place = _aside(*ground.at, direction, away)
        if ground.doing == "anchored":
            made.append(Anchored(place, wind_deg=rng.uniform(200, 220), period_min=rng.uniform(20, 40)))
        else:
            made.append(
                Fishing(place, rng.uniform(1.0, 2.5), rng.uniform(0, 360), rng.uniform(2.5, 4.0))
            )
    return made


def flights(air: Air, minutes: float, rng: Random) -> list[Flight]:
    """Flights from one edge of the area to the edge across; the first are on their way at the start."""
    west, south, east, north = air.area
    made = []
    begins = -60.0
    while begins < minutes:
        across, along = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9)
        if rng.random() < 0.5:
            start, end = (
                (south + across * (north - south), west),
                (south + along * (north - south), east),
            )
        else:
            start, end = (south, west + across * (east - west)), (north, west + along * (east - west))
        if rng.random() < 0.5:
            start, end = end, start
        level_ft = round(rng.uniform(*air.level_ft) / 1000) * 1000
        squawk = int(f"{rng.randint(1, 6)}{rng.randint(0, 7)}{rng.randint(0, 7)}{rng.randint(0, 7)}")
        made.append(Flight(begins, start, end, rng.uniform(390, 470), level_ft, squawk))
        begins += air.each_minutes * rng.uniform(0.6, 1.4)
    return made


def _aside(lat: float, lon: float, course_deg: float, right_nm: float) -> Place:
    """A place so far to the right of a course, on a flat earth."""
    right = math.radians(course_deg + 90)
    north, east = right_nm * math.cos(right) / 60, right_nm * math.sin(right) / 60
    return lat + north, lon + east / math.cos(math.radians(lat))
