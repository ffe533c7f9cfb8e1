"""How craft move: ways put together of parts that a ship or an aircraft can do.

Places are metres east and north of the scenario's middle, times seconds after its start. A way is
sampled every `DT_SEA_S` or `DT_AIR_S`; what is between is read by straight lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from samsyn.base.geo import KNOT_M_S, METRES_PER_NM

Floats = npt.NDArray[Any]  # of float64; numpy cannot prove it of sums with integers
Point = tuple[float, float]  # metres

DT_SEA_S: Final = 10.0
DT_AIR_S: Final = 4.0
NO_SQUAWK: Final = 0

# navigational status (ITU-R M.1371)
UNDER_WAY, AT_ANCHOR, NOT_UNDER_COMMAND, RESTRICTED, MOORED, FISHING = 0, 1, 2, 3, 5, 7

# What a cargo ship can do: 0.02 kn/s takes her from 12 knots to rest in ten minutes, and she turns
# through 90 degrees in about three (IMO MSC.137(76) allows a diameter of five lengths).
ACCELERATION_KN_S: Final = 0.02
ROUND_S: Final = 90.0


@dataclass
class Path:
    """Where one craft truly is. All arrays of one length.

    on: whether its transmitter works. status: AIS navigational status. altitude_ft: pressure altitude.
    """

    t_s: Floats
    x: Floats
    y: Floats
    heading_deg: Floats
    status: npt.NDArray[np.uint8]
    on: npt.NDArray[np.bool_]
    altitude_ft: Floats
    squawk: npt.NDArray[np.int64]
    speed_kn: Floats = field(init=False)
    course_deg: Floats = field(init=False)
    climb_fpm: Floats = field(init=False)

    def __post_init__(self) -> None:
        dt = float(self.t_s[1] - self.t_s[0])
        vx, vy = np.gradient(self.x, dt), np.gradient(self.y, dt)
        self.speed_kn = np.hypot(vx, vy) / KNOT_M_S
        self.course_deg = np.degrees(np.arctan2(vx, vy)) % 360
        self.climb_fpm = np.gradient(self.altitude_ft, dt) * 60

    def read(self, t_s: Floats, name: str) -> Floats:
        """A linear column at times within the way."""
        found: Floats = np.interp(t_s, self.t_s, getattr(self, name))
        return found

    def step(self, t_s: Floats, name: str) -> Any:
        """A column that jumps (a code, a flag, an angle) at times: of the sample before."""
        at = np.clip(np.searchsorted(self.t_s, t_s, side="right") - 1, 0, len(self.t_s) - 1)
        return getattr(self, name)[at]

    def at(self, t_s: float) -> Point:
        return float(np.interp(t_s, self.t_s, self.x)), float(np.interp(t_s, self.t_s, self.y))


class Way:
    """Builds a path part by part, each beginning where and as fast as the last one ended."""

    def __init__(
        self, t_s: float, place: Point, course_deg: float, speed_kn: float, dt_s: float = DT_SEA_S
    ) -> None:
        self.t_s, self.place, self.course_deg, self.speed_kn = t_s, place, course_deg, speed_kn
        self.dt_s = dt_s
        self.altitude_ft = 0.0
        self.status = UNDER_WAY
        self.squawk = NO_SQUAWK
        self.on = True
        self.crab_deg = 0.0
        self._parts: list[dict[str, Any]] = []

    def sail(
        self,
        points: list[Point],
        speed_kn: float,
        *,
        acceleration_kn_s: float = ACCELERATION_KN_S,
        round_s: float = ROUND_S,
        stop: bool = False,
        until_s: float = math.inf,
    ) -> Way:
        """Along points, gaining or losing speed on the way; `stop`: at rest at the last of them."""
        lead_m = max(self.speed_kn, 0.2) * KNOT_M_S * round_s / 2
        course = math.radians(self.course_deg)
        lead = (self.place[0] + lead_m * math.sin(course), self.place[1] + lead_m * math.cos(course))
        corners = np.array([self.place, lead, *points])
        legs = np.hypot(*np.diff(corners, axis=0).T)
        along = np.r_[0.0, np.cumsum(legs)]
        speeds = self._speeds(float(along[-1]), speed_kn, acceleration_kn_s, stop, until_s)
        gone = np.cumsum(speeds) * KNOT_M_S * self.dt_s
        keep = gone <= along[-1]
        keep[0] = True
        gone = np.minimum(gone[keep], along[-1])
        x, y = np.interp(gone, along, corners[:, 0]), np.interp(gone, along, corners[:, 1])
        width = max(int(round_s / self.dt_s) | 1, 3)
        x, y = _rounded(self.place[0], x, width), _rounded(self.place[1], y, width)
        self._take(x, y, float(speeds[keep][-1]))
        return self

    def _speeds(
        self, length_m: float, speed_kn: float, rate: float, stop: bool, until_s: float
    ) -> Floats:
        """Speed at each sample of a way so long, and a few more."""
        change_s = abs(speed_kn - self.speed_kn) / rate
        slowest = max(min(speed_kn, max(self.speed_kn, 0.5)), 0.2)
        count = (
            int(min(length_m / (slowest * KNOT_M_S) + 2 * change_s + 60, 40 * 86_400) / self.dt_s) + 2
        )
        if until_s < math.inf:
            count = min(count, max(int((until_s - self.t_s) / self.dt_s), 2))
        after_s = self.dt_s * np.arange(1, count + 1)
        way = np.minimum(after_s * rate, abs(speed_kn - self.speed_kn))
        speeds = self.speed_kn + math.copysign(1.0, speed_kn - self.speed_kn) * way
        if stop:
            left_m = np.maximum(length_m - np.cumsum(speeds) * KNOT_M_S * self.dt_s, 0.0)
            speeds = np.minimum(speeds, np.sqrt(2 * rate * left_m / KNOT_M_S) + 0.15)
        found: Floats = speeds
        return found

    def ahead(self, seconds: float, speed_kn: float | None = None, **how: float) -> Way:
        """Straight on for so long, at another speed if one is said."""
        speed = self.speed_kn if speed_kn is None else speed_kn
        far_m = max(self.speed_kn, speed, 0.5) * KNOT_M_S * seconds * 1.5 + 100
        course = math.radians(self.course_deg)
        end = (self.place[0] + far_m * math.sin(course), self.place[1] + far_m * math.cos(course))
        rate = how.get("acceleration_kn_s", ACCELERATION_KN_S)
        return self.sail([end], speed, acceleration_kn_s=rate, until_s=self.t_s + seconds)

    def drift(
        self, seconds: float, direction_deg: float, speed_kn: float, turn_deg: float, noise: Floats
    ) -> Way:
        """Carried with the wind: slowly changing pace and direction, bow `turn_deg` off.

        noise: slow noise of at least the length (`slow_noise`), of size 1.
        """
        count = max(int(seconds / self.dt_s), 2)
        n = noise[:count]
        pace = np.minimum(np.arange(1, count + 1) * self.dt_s / 300, 1.0)  # way is lost in minutes
        course = np.radians(self.course_deg + _turned(self.course_deg, direction_deg) * pace + 8 * n)
        speed = self.speed_kn + (speed_kn * (1 + 0.15 * n) - self.speed_kn) * pace
        x = self.place[0] + np.cumsum(np.sin(course) * speed) * KNOT_M_S * self.dt_s
        y = self.place[1] + np.cumsum(np.cos(course) * speed) * KNOT_M_S * self.dt_s
        bow = self.course_deg + _turned(self.course_deg, direction_deg + turn_deg) * pace + 5 * n
        self._take(x, y, speed_kn, heading=bow % 360)
        self.course_deg = float(bow[-1]) % 360  # she gets under way where her bow points
        self.speed_kn = 0.3
        return self

    def swing(self, seconds: float, radius_m: float, wind_deg: Floats, yaw: Floats) -> Way:
        """About an anchor that lies `radius_m` up-wind; bow towards it, sheering with `yaw` degrees.

        wind_deg: where the wind or the stream comes from, at each sample; as long as the part.
        """
        count = max(int(seconds / self.dt_s), 2)
        bow = np.radians(wind_deg[:count] + yaw[:count])
        anchor = (
            self.place[0] + radius_m * math.sin(float(bow[0])),
            self.place[1] + radius_m * math.cos(float(bow[0])),
        )
        x, y = anchor[0] - radius_m * np.sin(bow), anchor[1] - radius_m * np.cos(bow)
        heading = np.degrees(bow) + yaw[:count] * 0.3
        self._take(x, y, 0.2, heading=heading % 360)
        self.course_deg = float(heading[-1]) % 360
        return self

    def still(self, seconds: float, heading_deg: float | None = None) -> Way:
        count = max(int(seconds / self.dt_s), 2)
        bow = self.course_deg if heading_deg is None else heading_deg
        self._take(
            np.full(count, self.place[0]), np.full(count, self.place[1]), 0.0, np.full(count, bow)
        )
        self.course_deg, self.speed_kn = bow, 0.0
        return self

    def beside(
        self, other: Path, seconds: float, right_m: float, behind_m: float = 0.0, close_s: float = 90.0
    ) -> Way:
        """Keeps its place beside another craft's path; what is missing to it closes with `close_s`."""
        t_s = self.t_s + self.dt_s * np.arange(1, max(int(seconds / self.dt_s), 2) + 1)
        course = np.radians(other.step(t_s, "heading_deg"))
        x = other.read(t_s, "x") + right_m * np.cos(course) - behind_m * np.sin(course)
        y = other.read(t_s, "y") - right_m * np.sin(course) - behind_m * np.cos(course)
        left = np.exp(-(t_s - self.t_s) / close_s)
        first = other.at(self.t_s)
        bow = math.radians(float(other.step(np.array([self.t_s]), "heading_deg")[0]))
        begin_x = first[0] + right_m * math.cos(bow) - behind_m * math.sin(bow)
        begin_y = first[1] - right_m * math.sin(bow) - behind_m * math.cos(bow)
        x, y = x + left * (self.place[0] - begin_x), y + left * (self.place[1] - begin_y)
        self._take(x, y, float(other.read(t_s[-1:], "speed_kn")[0]), np.degrees(course) % 360)
        return self

    def climb(self, to_ft: float, rate_fpm: float) -> Way:
        """From here on to another altitude: laid over the parts that follow by `path`."""
        self._parts.append({"climb": (self.t_s, to_ft, rate_fpm)})
        return self

    def _take(self, x: Floats, y: Floats, speed_kn: float, heading: Floats | None = None) -> None:
        count = len(x)
        px, py = np.r_[self.place[0], x], np.r_[self.place[1], y]
        course = np.degrees(np.arctan2(np.diff(px), np.diff(py))) % 360
        bow = (course + self.crab_deg) % 360 if heading is None else heading
        self._parts.append(
            {
                "x": x,
                "y": y,
                "heading_deg": bow,
                "status": np.full(count, self.status, np.uint8),
                "squawk": np.full(count, self.squawk),
                "on": np.full(count, self.on),
            }
        )
        self.t_s += count * self.dt_s
        self.place = (float(x[-1]), float(y[-1]))
        self.course_deg, self.speed_kn = float(course[-1]), speed_kn

    def path(self, altitude_ft: float = 0.0) -> Path:
        """The way as sampled. altitude_ft: where it began; an aircraft's climbs are laid over it."""
        parts = [p for p in self._parts if "x" in p]
        joined = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        count = len(joined["x"])
        t_s = self.t_s - self.dt_s * np.arange(count - 1, -1, -1.0)
        altitude = np.full(count, altitude_ft)
        for part in self._parts:
            if "climb" in part:
                at_s, to_ft, fpm = part["climb"]
                since = np.maximum(t_s - at_s, 0.0)
                begun = float(np.interp(at_s, t_s, altitude))
                gone = np.minimum(since * fpm / 60, abs(to_ft - begun))
                altitude = np.where(t_s > at_s, begun + math.copysign(1, to_ft - begun) * gone, altitude)
        return Path(t_s=t_s, altitude_ft=altitude, **joined)


def nm(place: tuple[float, float]) -> Point:
    """NM to metres."""
    return place[0] * METRES_PER_NM, place[1] * METRES_PER_NM


def slow_noise(rng: np.random.Generator, count: int, samples: float) -> Floats:
    """Noise of mean 0 and size about 1 that changes over `samples` samples."""
    knots = max(int(count / samples) + 4, 4)
    rough = rng.standard_normal(knots)
    return np.interp(np.arange(count) / samples, np.arange(knots), rough)


def swell(rng: np.random.Generator, count: int, dt_s: float) -> Floats:
    """Sheering at anchor, degrees: 10 to 25 to each side in 8 to 20 minutes, as ships are large."""
    period_s = rng.uniform(480, 1200)
    phase = 2 * np.pi * np.arange(count) * dt_s / period_s + rng.uniform(0, 6)
    found: Floats = rng.uniform(10, 25) * np.sin(phase + 0.5 * slow_noise(rng, count, 120))
    return found


def towards(a: Point, b: Point) -> float:
    """Direction from a to b, degrees."""
    return math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360


def off(place: Point, direction_deg: float, metres: float) -> Point:
    way = math.radians(direction_deg)
    return place[0] + metres * math.sin(way), place[1] + metres * math.cos(way)


def _turned(a_deg: float, b_deg: float) -> float:
    return (b_deg - a_deg + 180) % 360 - 180


def _rounded(begin: float, values: Floats, width: int) -> Floats:
    """Corners rounded by a running mean; the ends go straight on, so that they stay where they are."""
    half = width // 2
    if len(values) <= width:
        return values
    before = begin - (values[0] - begin) * np.arange(half - 1, -1, -1.0)
    after = values[-1] + (values[-1] - values[-2]) * np.arange(1.0, half + 1)
    sums = np.cumsum(np.r_[0.0, before, values, after])
    found: Floats = (sums[width:] - sums[:-width]) / width
    return found
