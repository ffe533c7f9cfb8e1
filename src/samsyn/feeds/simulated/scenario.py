"""A scenario file: what sails and flies, and what of it one receiver hears.

    [scenario]  title, start (RFC 3339), minutes, seed
    [[lane]]    ships on a way, half of them back: name, way [[lat, lon], ...], ships,
                speed_kn [least, most], type (AIS); ferry = true: to and fro all the time
    [[ground]]  ships that stay: name, at, radius_nm, ships, doing "anchored" or "fishing"
    [[air]]     flights across: name, area [w, s, e, n], each_minutes, level_ft [least, most]
    [[craft]]   one craft by script: name, mmsi or icao, start [lat, lon], legs; each leg has
                until (minutes), to [lat, lon], and what differs: heading_deg, status, squawk,
                altitude_ft at its end, silent = true

Or, for one receiver: scenario = "FILE" (beside it) and area [west, south, east, north].
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from samsyn.base.clock import parse_iso
from samsyn.base.errors import InputError
from samsyn.base.settings import Struct

Place = tuple[float, float]  # lat, lon
Area = tuple[float, float, float, float]  # west, south, east, north
EVERYWHERE: Area = (-180.0, -90.0, 180.0, 90.0)


class Frame(Struct, frozen=True):
    title: dict[str, str]
    start: str
    minutes: float
    seed: int

    def start_us(self) -> int:
        return parse_iso(self.start)


class Lane(Struct, frozen=True):
    name: str
    way: tuple[Place, ...]
    ships: int
    speed_kn: tuple[float, float]
    type: int = 70
    ferry: bool = False


class Ground(Struct, frozen=True):
    name: str
    at: Place
    radius_nm: float
    ships: int
    doing: Literal["anchored", "fishing"]


class Air(Struct, frozen=True):
    name: str
    area: Area
    each_minutes: float
    level_ft: tuple[float, float]


class Leg(Struct, frozen=True):
    until: float
    to: Place
    heading_deg: float | None = None
    status: int = 0
    squawk: int | None = None
    altitude_ft: float | None = None
    silent: bool = False


class Craft(Struct, frozen=True):
    name: str
    start: Place
    legs: tuple[Leg, ...]
    mmsi: int | None = None
    icao: str | None = None
    type: int = 70
    altitude_ft: float = 0.0


class Scenario(Struct, frozen=True):
    scenario: Frame
    lane: tuple[Lane, ...] = ()
    ground: tuple[Ground, ...] = ()
    air: tuple[Air, ...] = ()
    craft: tuple[Craft, ...] = ()


class Receiver(Struct, frozen=True):
    scenario: str
    area: Area


def read_scenario(text: bytes, folder: Path) -> tuple[Scenario, Area]:
    """The scenario of a file and the area in which it is heard; a receiver's file names another one
    in `folder`. Raises `InputError` with the field that is wrong."""
    try:
        said = tomllib.loads(text.decode("utf-8"))
        area = EVERYWHERE
        if isinstance(said.get("scenario"), str):
            receiver = msgspec.convert(said, Receiver)
            area = receiver.area
            if Path(receiver.scenario).name != receiver.scenario:
                raise ValueError(f"{receiver.scenario!r} is no file beside this one")
            said = tomllib.loads((folder / receiver.scenario).read_text("utf-8"))
        found = msgspec.convert(said, Scenario)
        found.scenario.start_us()
        _check(found)
    except (OSError, ValueError) as e:  # TOML and msgspec say ValueError too
        raise InputError(f"no usable scenario: {e}") from e
    return found, area


def _check(scenario: Scenario) -> None:
    for lane in scenario.lane:
        if len(lane.way) < 2:
            raise ValueError(f"lane {lane.name}: a way has two places or more")
    for craft in scenario.craft:
        if (craft.mmsi is None) == (craft.icao is None):
            raise ValueError(f"craft {craft.name}: give either mmsi or icao")
        times = [leg.until for leg in craft.legs]
        if not times or any(b <= a for a, b in zip([0.0, *times], times, strict=False)):
            raise ValueError(f"craft {craft.name}: legs end one after another")
