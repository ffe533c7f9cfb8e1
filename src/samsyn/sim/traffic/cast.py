"""Who takes part: craft, what they claim that is not so, and the list of what truly happened."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
import numpy as np

from samsyn.base.geo import METRES_PER_NM
from samsyn.formats.codes import Emergency
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key, craft_text
from samsyn.sim.traffic.motion import DT_SEA_S, Floats, Path, Point, slow_noise
from samsyn.sim.traffic.scenario import Area, Scenario

MMSI_BASE: Final = 300_000_000  # country code 300 belongs to no state (ITU table of MIDs)
ICAO_BASE: Final = 0xF0_0000  # a block that ICAO keeps for itself: no state's
METRES_PER_DEGREE: Final = 60 * METRES_PER_NM

# types of ship (ITU-R M.1371, table 53)
FISHING_SHIP, TOWING, SURVEY, PILOT, TUG, PASSENGER, CARGO, TANKER = 30, 31, 33, 50, 52, 60, 70, 80


@dataclass(frozen=True)
class Claim:
    """From when to when a craft's reports say another place than its own.

    moved: so many metres east and north. frozen: where it was at the beginning, its speed going on.
    ring: round a circle of `radius_m` about `place` at `speed_kn`. fast: at a speed of `speed_kn`.
    """

    what: Literal["moved", "frozen", "ring", "fast"]
    begin_s: float
    end_s: float
    place: Point = (0.0, 0.0)
    radius_m: float = 0.0
    speed_kn: float = 0.0


@dataclass
class Craft:
    """A transmitter and its way. Two craft may have one number.

    type: of a ship. beacon: what a distress device is. gone_wrong: (from, to, NACp) in s: its own
    position is lost or poor. glimpses: (time, code): squawks of one moment.
    """

    number: int
    sea: bool
    path: Path
    name: str
    type: int = CARGO
    class_b: bool = False
    beacon: Emergency | None = None
    claims: list[Claim] = field(default_factory=list)
    gone_wrong: list[tuple[float, float, int]] = field(default_factory=list)
    glimpses: list[tuple[float, int]] = field(default_factory=list)
    heading_error_deg: float = 0.0
    low_power: bool = False
    ferry: bool = False

    @property
    def id(self) -> str:
        return craft_text(craft_key(DOMAIN_SEA if self.sea else DOMAIN_AIR, self.number))


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, and which detector should say so.

    counts: "must" be found, or "may" be: it lies at the edge of the definition, or nobody could tell
    from what is heard. A finding that fits no truth at all is a false alarm.
    craft: any of them; lat, lon and reach_nm: for what has a place rather than a craft.
    """

    detector: str
    what: str
    counts: Literal["must", "may"]
    craft: tuple[str, ...]
    start_s: float
    end_s: float
    lat: float
    lon: float
    reach_nm: float = 0.0
    zone: str | None = None


@dataclass
class Cast:
    """A scenario being filled: `add` craft, `happens` truths. One seed, one generator for each group."""

    said: Scenario
    seed: int
    craft: list[Craft] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    jams: list[Jam] = field(default_factory=list)
    heard_s: dict[str, Floats] = field(default_factory=dict)  # by craft's id, sorted
    _ships: int = 0
    _aircraft: int = 0

    def __post_init__(self) -> None:
        rng = self.chance("wind")
        count = int(self.end_s / DT_SEA_S) + 2
        hours = slow_noise(rng, count, 6 * 3600 / DT_SEA_S)
        self._wind_deg = 240 + 25 * hours  # where it comes from: seldom far from south-west

    @property
    def end_s(self) -> float:
        return self.said.scenario.hours * 3600

    def chance(self, name: str) -> np.random.Generator:
        """Chance of its own for each group, so that a new group leaves the others as they were."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def wind_deg(self, from_s: float, seconds: float) -> Floats:
        begin = int(from_s / DT_SEA_S)
        count = int(seconds / DT_SEA_S) + 2
        at = np.clip(np.arange(begin, begin + count), 0, len(self._wind_deg) - 1)
        found: Floats = self._wind_deg[at]
        return found

    def ship(self, path: Path, type_: int = CARGO, **how: Any) -> Craft:
        self._ships += 1
        number = how.pop("number", MMSI_BASE + self._ships)
        made = Craft(number, True, path, f"SIM {type_} {self._ships:05d}", type_, **how)
        self.craft.append(made)
        return made

    def aircraft(self, path: Path, **how: Any) -> Craft:
        self._aircraft += 1
        number = how.pop("number", ICAO_BASE + self._aircraft)
        made = Craft(number, False, path, f"SIM{self._aircraft:04d}", 0, **how)
        self.craft.append(made)
        return made

    def happens(
        self,
        detector: str,
        what: str,
        craft: list[Craft],
        start_s: float,
        end_s: float,
        **more: Any,
    ) -> None:
        """Adds a truth, where the scenario judges that detector.

        Its place is that of the first craft at the start, unless `at` says another.
        """
        at = more.pop("at", None)
        if detector not in self.said.scenario.judges:
            return
        lat, lon = self.degrees(*(craft[0].path.at(start_s) if at is None else at))
        self.truths.append(
            Truth(
                detector=detector,
                what=what,
                counts=more.pop("counts", "must"),
                craft=tuple(dict.fromkeys(c.id for c in craft)),
                start_s=float(start_s),
                end_s=float(end_s),
                lat=float(lat),
                lon=float(lon),
                **more,
            )
        )

    def degrees(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Latitude and longitude of metres east and north of the middle (plane: a few hundred miles)."""
        lat0, lon0 = self.said.scenario.middle
        stretch = float(np.cos(np.radians(lat0)))
        return lat0 + y / METRES_PER_DEGREE, lon0 + x / METRES_PER_DEGREE / stretch

    def heard(self, craft: Craft, times_s: Floats) -> None:
        """Adds the times of the reports of a craft that somebody heard."""
        before = self.heard_s.get(craft.id)
        self.heard_s[craft.id] = times_s if before is None else np.union1d(before, times_s)

    def outward(self, place: Point, beyond_nm: float) -> Point:
        """The nearest place out of everybody's hearing: so far outside the scenario's area."""
        w, s, e, n = (side * METRES_PER_NM for side in self.said.scenario.area)
        x, y = place
        ways = {(w - x, 0.0): x - w, (e - x, 0.0): e - x, (0.0, s - y): y - s, (0.0, n - y): n - y}
        dx, dy = min(ways, key=lambda way: ways[way])
        grown = 1 + beyond_nm * METRES_PER_NM / max(abs(dx + dy), 1.0)
        return x + dx * grown, y + dy * grown

    def spot(self, rng: np.random.Generator, within: Area | None = None) -> Point:
        """Somewhere in an area, metres."""
        w, s, e, n = within or self.said.scenario.area
        return float(rng.uniform(w, e)) * METRES_PER_NM, float(rng.uniform(s, n)) * METRES_PER_NM


@dataclass(frozen=True)
class Jam:
    """A jammer: within `radius_m` of `place` satellites are lost from begin_s to end_s. An aircraft
    hears it farther away the higher it flies; a ship within a tenth of that."""

    place: Point
    radius_m: float
    begin_s: float
    end_s: float


OUT_SEA_NM: Final = 50.0  # how far outside the area no ship is heard any more
OUT_AIR_NM: Final = 100.0  # and no aircraft

Maker = Callable[[Cast, int, Area | None], None]
