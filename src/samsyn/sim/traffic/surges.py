"""Zones with a usual traffic of their own, by the hour of the day and the day of the week, and hours in
which there is more of it."""

from __future__ import annotations

import numpy as np

from samsyn.base.geo import KNOT_M_S
from samsyn.sim.traffic.cast import CARGO, TANKER, Cast
from samsyn.sim.traffic.motion import DT_AIR_S, DT_SEA_S, UNDER_WAY, Floats, Path, nm
from samsyn.sim.traffic.ships import cut

HOUR_S = 3600.0
LEARN_SHARE = 0.5  # of the scenario's time in which nothing unusual happens: a watch must learn first


def add(cast: Cast) -> None:
    """Fills the zones of a scenario's surges."""
    for surge in cast.said.surge:
        rng = cast.chance(f"surge {surge.zone}")
        hours = int(cast.end_s / HOUR_S)
        hour = np.arange(hours)
        usual = surge.per_hour * (1 + 0.4 * np.sin((hour % 24 - 9) / 24 * 2 * np.pi))
        usual = usual * np.where(hour // 24 % 7 >= 5, 0.7, 1.0)
        rate = usual * rng.gamma(8, 1 / 8, hours)  # more scattered than chance alone: convoys, weather
        begins = _begins(rng, surge.surges, hours, surge.hours)
        for at in begins:
            rate[at : at + int(surge.hours)] += usual[at : at + int(surge.hours)] * (surge.times - 1)
        zone = next(z for z in cast.said.zone if z.name == surge.zone)
        outline = np.array([nm(corner) for corner in zone.outline])
        arrivals = np.repeat(hour, rng.poisson(rate)) * HOUR_S
        for at_s in (arrivals + rng.uniform(0, HOUR_S, len(arrivals))).tolist():
            path = cut(_through(rng, outline, at_s, surge.craft == "sea"), 0.0, cast.end_s)
            if path is not None and surge.craft == "sea":
                cast.ship(path, int(rng.choice([CARGO, TANKER])))
            elif path is not None:
                cast.aircraft(path)
        for at in begins:
            cast.happens(
                "activity",
                f"{surge.times:g} times the usual traffic",
                [],
                at * HOUR_S,
                (at + surge.hours) * HOUR_S,
                at=tuple(outline.mean(axis=0)),
                zone=surge.zone,
            )


def _begins(rng: np.random.Generator, count: int, hours: int, lasts: float) -> list[int]:
    """Hours at which surges begin, apart from each other and after a time to learn from."""
    first = int(hours * LEARN_SHARE)
    room = (hours - first - int(lasts)) // max(count, 1)
    return [first + k * room + int(rng.integers(0, max(room - 3 * int(lasts), 1))) for k in range(count)]


def _through(rng: np.random.Generator, outline: Floats, at_s: float, sea: bool) -> Path:
    """Straight through the zone, about a ship's hour or an aircraft's minutes, begun outside it."""
    speed = float(rng.uniform(9, 14)) if sea else float(rng.uniform(300, 450))
    dt_s = DT_SEA_S * 6 if sea else DT_AIR_S * 2
    size_m = float(np.hypot(*np.ptp(outline, axis=0)))
    count = max(int(size_m * 1.6 / (speed * KNOT_M_S * dt_s)), 4)
    course = np.radians(float(rng.uniform(0, 360)))
    middle = outline.mean(axis=0) + rng.normal(0, 0.1, 2) * np.ptp(outline, axis=0)
    along = (np.arange(count) - count / 2) * speed * KNOT_M_S * dt_s
    return Path(
        t_s=at_s + dt_s * np.arange(count),
        x=middle[0] + along * np.sin(course),
        y=middle[1] + along * np.cos(course),
        heading_deg=np.full(count, np.degrees(course)),
        status=np.full(count, UNDER_WAY, np.uint8),
        on=np.ones(count, bool),
        altitude_ft=np.zeros(count) if sea else np.full(count, float(rng.integers(8, 39)) * 1000),
        squawk=np.full(count, 2000),
    )
