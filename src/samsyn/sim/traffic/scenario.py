"""A scenario of traffic: what sails and flies, who hears it, and what happens that a watch should find.

    [scenario]     title, start (RFC 3339), hours, middle [lat, lon], area [w, s, e, n]; every_s: how
                   often a ship under way and an aircraft are noted; judges: the detectors it has
                   truth for
    [[receiver]]   name, hears "sea" or "air", at, height_m; share: of what it could hear; clock_s: how
                   wrong its clock is; outages [[from, to], ...] in hours; reach_nm: no horizon, but this
    [[lane]]       ships on a way, half of them back: name, way, ships, speed_kn; ferry: to and fro
    [[ground]]     ships that stay: name, doing, at, radius_nm, ships
    [[sky]]        aircraft: name, doing, way (airliners) or at and radius_nm, per_hour
    [[zone]]       name, title, outline; floor_ft, ceiling_ft, domains: as in a file of zones
    [[line]]       name, title, way: a cable or a pipe on the seabed, and how wide its corridor is
    [[situation]]  kind and count, within [w, s, e, n]: what is to happen so many times
    [[surge]]      zone, per_hour, hours: a zone's usual traffic, and when there is more of it

All places are [east, north] in nautical miles from `middle`: the sea of a scenario is nobody's.
"""

from __future__ import annotations

import tomllib
from typing import Final, Literal

import msgspec

from samsyn.base.clock import SECOND_US, parse_iso
from samsyn.base.errors import InputError, SamsynError
from samsyn.base.settings import Struct

Place = tuple[float, float]  # NM east and north of the middle
Area = tuple[float, float, float, float]  # west, south, east, north
Span = tuple[float, float]

SHIPS_MAX: Final = 20_000  # of one scenario
HOURS_MAX: Final = 24.0 * 400


class Frame(Struct, frozen=True):
    """When and where a scenario plays, and which detectors it has truth for."""

    title: dict[str, str]
    start: str
    hours: float
    middle: tuple[float, float]
    area: Area
    every_s: float = 10.0
    judges: tuple[str, ...] = ()

    def start_s(self) -> int:
        return parse_iso(self.start) // SECOND_US


class Receiver(Struct, frozen=True):
    """A receiver: where it stands, what it hears, and what is wrong with it."""

    name: str
    hears: Literal["sea", "air"]
    at: Place
    height_m: float = 60.0
    share: float = 0.95
    clock_s: float = 0.0
    reach_nm: float | None = None
    outages: tuple[Span, ...] = ()


class Lane(Struct, frozen=True):
    """Ships on a way."""

    name: str
    way: tuple[Place, ...]
    ships: int
    speed_kn: Span
    ferry: bool = False


class Ground(Struct, frozen=True):
    """Ships that stay somewhere."""

    name: str
    doing: Literal["anchored", "fishing", "moored", "survey", "pilots", "towing"]
    at: Place
    radius_nm: float
    ships: int


class Sky(Struct, frozen=True):
    """Aircraft of one sort."""

    name: str
    doing: Literal["airliners", "helicopters", "survey", "patrol"]
    per_hour: float
    way: tuple[Place, ...] = ()
    at: Place = (0.0, 0.0)
    radius_nm: float = 30.0
    level_ft: Span = (29_000.0, 41_000.0)


class Zone(Struct, frozen=True):
    """A zone; `anchorage`: where ships anchor."""

    name: str
    title: dict[str, str]
    outline: tuple[Place, ...]
    floor_ft: float | None = None
    ceiling_ft: float | None = None
    domains: tuple[Literal["sea", "air"], ...] = ("sea", "air")
    anchorage: bool = False


class Line(Struct, frozen=True):
    """A cable or a pipe, and the width of its corridor."""

    name: str
    title: dict[str, str]
    way: tuple[Place, ...]
    corridor_m: float = 1_000.0


class Surge(Struct, frozen=True):
    """A zone's usual traffic, and when there is more of it."""

    zone: str
    craft: Literal["sea", "air"]
    per_hour: float
    surges: int = 1
    times: float = 4.0
    hours: float = 6.0


class Situation(Struct, frozen=True):
    """What is to happen, how often and where."""

    kind: str
    count: int
    within: Area | None = None


class Scenario(Struct, frozen=True):
    """All of it."""

    scenario: Frame
    receiver: tuple[Receiver, ...] = ()
    lane: tuple[Lane, ...] = ()
    ground: tuple[Ground, ...] = ()
    sky: tuple[Sky, ...] = ()
    zone: tuple[Zone, ...] = ()
    line: tuple[Line, ...] = ()
    situation: tuple[Situation, ...] = ()
    surge: tuple[Surge, ...] = ()


def read_scenario(text: bytes, where: str, kinds: frozenset[str]) -> Scenario:
    """The scenario in a file's text; `kinds`: of situations that can be made.

    Raises `InputError` with the field that is wrong (`$.lane[2].speed_kn`) after `where`.
    """
    try:
        found = msgspec.convert(tomllib.loads(text.decode("utf-8")), Scenario)
    except msgspec.ValidationError as e:
        what, _, field = str(e).partition(" - at ")
        raise InputError(what, where=f"{where}: {field.strip('`') or '$'}") from e
    except ValueError as e:  # TOML, UTF-8
        raise InputError(f"no TOML: {e}", where=where) from e
    _check(found, where, kinds)
    return found


def _check(said: Scenario, where: str, kinds: frozenset[str]) -> None:
    def refuse(field: str, what: str) -> InputError:
        return InputError(what, where=f"{where}: $.{field}", do="mend the scenario and start again")

    try:
        said.scenario.start_s()
    except (SamsynError, ValueError) as e:
        raise refuse("scenario.start", str(e)) from e
    if not 0 < said.scenario.hours <= HOURS_MAX:
        raise refuse("scenario.hours", f"{said.scenario.hours:g} hours; between 0 and {HOURS_MAX:g}")
    w, s, e_, n = said.scenario.area
    if not (w < e_ and s < n):
        raise refuse("scenario.area", "an area is west, south, east, north")
    if abs(said.scenario.middle[0]) > 70:
        raise refuse("scenario.middle", "a scenario lies between 70 degrees south and north")
    if said.scenario.every_s <= 0:
        raise refuse("scenario.every_s", "seconds, more than 0")
    if sum(lane.ships for lane in said.lane) + sum(g.ships for g in said.ground) > SHIPS_MAX:
        raise refuse("lane", f"more than {SHIPS_MAX} ships in all")
    for i, lane in enumerate(said.lane):
        if len(lane.way) < 2:
            raise refuse(f"lane[{i}].way", "a way has two places or more")
        if not 0 < lane.speed_kn[0] <= lane.speed_kn[1]:
            raise refuse(f"lane[{i}].speed_kn", "least and most, more than 0")
    for i, sky in enumerate(said.sky):
        if sky.doing == "airliners" and len(sky.way) < 2:
            raise refuse(f"sky[{i}].way", "a way has two places or more")
        if sky.per_hour <= 0:
            raise refuse(f"sky[{i}].per_hour", "more than 0")
    for i, zone in enumerate(said.zone):
        if len(zone.outline) < 3:
            raise refuse(f"zone[{i}].outline", "an outline has three corners or more")
    for i, situation in enumerate(said.situation):
        if situation.kind not in kinds:
            raise refuse(
                f"situation[{i}].kind", f"no {situation.kind!r}; use {', '.join(sorted(kinds))}"
            )
        if situation.count < 0:
            raise refuse(f"situation[{i}].count", "a number of 0 or more")
    names = {zone.name for zone in said.zone}
    for i, surge in enumerate(said.surge):
        if surge.zone not in names:
            raise refuse(f"surge[{i}].zone", f"there is no zone {surge.zone!r}")
    if len({r.name for r in said.receiver}) != len(said.receiver) or not said.receiver:
        raise refuse("receiver", "receivers have names of their own, and there is at least one")
