"""Ordinary traffic at sea, and all of it that a careless detector would take for something else."""

from __future__ import annotations

import numpy as np

from samsyn.base.geo import KNOT_M_S, METRES_PER_NM
from samsyn.sim.traffic.cast import (
    CARGO,
    FISHING_SHIP,
    OUT_SEA_NM,
    PASSENGER,
    PILOT,
    SURVEY,
    TANKER,
    TOWING,
    Cast,
)
from samsyn.sim.traffic.motion import (
    AT_ANCHOR,
    FISHING,
    MOORED,
    RESTRICTED,
    UNDER_WAY,
    Path,
    Point,
    Way,
    nm,
    off,
    swell,
    towards,
)
from samsyn.sim.traffic.scenario import Ground, Lane

FERRY_IN_PORT_S = 1500.0


def sail_lane(cast: Cast, lane: Lane) -> None:
    """The ships of a lane: some are on their way at the start, the others come while it lasts."""
    rng = cast.chance(f"lane {lane.name}")
    way = [nm(place) for place in lane.way]
    length_m = float(np.hypot(*np.diff(np.array(way), axis=0).T).sum())
    for k in range(lane.ships):
        speed = float(rng.uniform(*lane.speed_kn))
        points = way if k % 2 == 0 else way[::-1]
        if lane.ferry:
            to_and_fro = _ferry(cast, points, speed, k, lane.ships, length_m)
            cast.ship(to_and_fro, PASSENGER, ferry=True)
            continue
        lasts_s = length_m / (speed * KNOT_M_S)
        begins_s = float(rng.uniform(-0.9 * lasts_s, max(cast.end_s - 0.3 * lasts_s, 60)))
        aside = float(rng.uniform(0.15, 1.2)) * METRES_PER_NM
        points = [off(p, towards(points[0], points[-1]) + 90, aside) for p in points]
        path = cut(_along(points, speed, begins_s), 0.0, cast.end_s)
        if path is not None:
            type_ = int(rng.choice([CARGO, CARGO, CARGO, TANKER, TANKER, PASSENGER]))
            cast.ship(path, type_)


def sail_out(cast: Cast, way: Way) -> None:
    """The shortest way out of everybody's hearing, unless the scenario ends before."""
    way.speed_kn = max(way.speed_kn, 0.3)
    if way.t_s < cast.end_s - 120:
        way.sail([cast.outward(way.place, OUT_SEA_NM)], 15.0, until_s=cast.end_s)


def _along(points: list[Point], speed_kn: float, begins_s: float) -> Path:
    way = Way(begins_s, points[0], towards(points[0], points[1]), speed_kn)
    return way.sail(points[1:], speed_kn).path()


def _ferry(cast: Cast, way: list[Point], speed_kn: float, k: int, ferries: int, length_m: float) -> Path:
    """To and fro, keeping to starboard of the line so that two that meet pass half a mile apart, and
    each on a line of its own."""
    aside_m = 450.0 + 300 * k
    begins_s = -k / ferries * 2 * (length_m / (speed_kn * KNOT_M_S) + FERRY_IN_PORT_S)
    made = Way(begins_s, way[0], towards(way[0], way[1]), 0.3)
    there = True
    while made.t_s < cast.end_s:
        points = way[1:] if there else way[-2::-1]
        towards_deg = towards(made.place, points[-1])
        aside = [off(p, towards_deg + 90, aside_m) for p in points[:-1]]
        middle = off(
            ((made.place[0] + points[-1][0]) / 2, (made.place[1] + points[-1][1]) / 2),
            towards_deg + 90,
            aside_m,
        )
        made.status = UNDER_WAY
        made.course_deg = towards_deg
        made.sail([*(aside or [middle]), points[-1]], speed_kn, acceleration_kn_s=0.05, stop=True)
        made.status = MOORED
        made.still(FERRY_IN_PORT_S)
        made.speed_kn = 0.3
        there = not there
    found = cut(made.path(), 0.0, cast.end_s)
    assert found is not None
    return found


def stay_on_ground(cast: Cast, ground: Ground) -> None:
    """The ships that stay somewhere, doing what ships do there."""
    rng = cast.chance(f"ground {ground.name}")
    for _ in range(ground.ships):
        place = off(
            nm(ground.at),
            float(rng.uniform(0, 360)),
            ground.radius_nm * METRES_PER_NM * float(rng.uniform(0, 1)) ** 0.5,
        )
        _DOING[ground.doing](cast, ground, place, rng)


def _anchored(cast: Cast, ground: Ground, place: Point, rng: np.random.Generator) -> None:
    """Comes, anchors, swings for hours, leaves; some lie there all the time."""
    begins_s = float(rng.uniform(-0.5, 0.7)) * cast.end_s
    far = off(place, float(rng.uniform(0, 360)), 12 * METRES_PER_NM)
    way = Way(max(begins_s, 0.0), far, towards(far, place), 11.0)
    if begins_s > 0:
        way.sail([place], 11.0, stop=True)
    else:
        way = Way(0.0, place, 240.0, 0.2)
    way.status = AT_ANCHOR
    lie_s = max(min(float(rng.uniform(3, 30)) * 3600, cast.end_s - way.t_s), 600.0)
    count = int(lie_s / way.dt_s) + 2
    way.swing(lie_s, float(rng.uniform(80, 300)), cast.wind_deg(way.t_s, lie_s), swell(rng, count, 10))
    if way.t_s < cast.end_s - 600:
        way.status = UNDER_WAY
        sail_out(cast, way)
    _keep(cast, way, int(rng.choice([CARGO, TANKER])))


def _moored(cast: Cast, ground: Ground, place: Point, rng: np.random.Generator) -> None:
    way = Way(0.0, place, float(rng.uniform(0, 360)), 0.0)
    way.status = MOORED
    _keep(cast, way.still(cast.end_s), int(rng.choice([CARGO, TANKER, FISHING_SHIP])))


def _fishing(cast: Cast, ground: Ground, place: Point, rng: np.random.Generator) -> None:
    """Tows at 3 to 4 knots, turns, hauls for half an hour lying beam-on, steams a few miles, again.
    One in three has forgotten to say that she fishes."""
    way = Way(0.0, place, float(rng.uniform(0, 360)), 3.0)
    says = FISHING if rng.random() < 0.67 else UNDER_WAY
    while way.t_s < cast.end_s:
        way.status = says
        for _ in range(int(rng.integers(2, 5))):
            middle = nm(ground.at)
            home = rng.random() < 0.6
            course = towards(way.place, middle) if home else float(rng.uniform(0, 360))
            way.sail([off(way.place, course, float(rng.uniform(1.5, 4)) * METRES_PER_NM)], 3.5)
        haul_s = float(rng.uniform(900, 2400))
        wind = float(cast.wind_deg(way.t_s, 60)[0]) + 180
        way.drift(haul_s, wind, float(rng.uniform(0.4, 1.2)), 80.0, np.zeros(int(haul_s)))
        way.status = UNDER_WAY
        way.sail([off(way.place, float(rng.uniform(0, 360)), 2 * METRES_PER_NM)], 8.0)
    _keep(cast, way, FISHING_SHIP)


def _survey(cast: Cast, ground: Ground, place: Point, rng: np.random.Generator) -> None:
    """Up and down in parallel lines a few hundred metres apart, at 4.5 knots."""
    course = float(rng.uniform(0, 180))
    way = Way(0.0, place, course, 4.5)
    way.status = RESTRICTED if rng.random() < 0.7 else UNDER_WAY
    leg_m = float(rng.uniform(3, 6)) * METRES_PER_NM
    while way.t_s < cast.end_s:
        end = off(way.place, course, leg_m)
        turn = off(end, course + 45, 300)
        back = off(turn, course + 135, 300)
        way.sail([end, turn, back], 4.5)
        way.course_deg = course = (course + 180) % 360
        if np.hypot(way.place[0] - place[0], way.place[1] - place[1]) > 15_000:
            way.sail([place], 8.0)
    _keep(cast, way, SURVEY)


def _towing(cast: Cast, ground: Ground, place: Point, rng: np.random.Generator) -> None:
    """A tug with a tow 250 to 450 m behind, both with AIS, at five knots across the ground."""
    way = Way(0.0, place, float(rng.uniform(0, 360)), 5.0)
    while way.t_s < cast.end_s:
        way.sail([off(nm(ground.at), float(rng.uniform(0, 360)), ground.radius_nm * METRES_PER_NM)], 5.0)
    tug = _keep(cast, way, TOWING)
    tow = Way(0.0, off(place, 180, 400), 0.0, 5.0)
    tow.beside(tug, cast.end_s - 60, 0.0, float(rng.uniform(250, 450)))
    _keep(cast, tow, CARGO)


def _pilots(cast: Cast, ground: Ground, place: Point, rng: np.random.Generator) -> None:
    """Ships slow down at a station, a pilot boat comes alongside for minutes, and both go on."""
    at_s = float(rng.uniform(1800, max(cast.end_s - 7200, 1900)))
    course = float(rng.uniform(0, 360))
    far = off(place, course + 180, 8 * METRES_PER_NM)
    way = Way(max(at_s - 2800, 0.0), far, course, 12.0)
    way.sail([place], 12.0)
    meet_s = way.t_s
    way.ahead(900, 6.5)
    way.sail([off(way.place, course, 9 * METRES_PER_NM)], 12.0)
    sail_out(cast, way)
    ship = _keep(cast, way, CARGO)
    base = nm(ground.at)
    meet = ship.at(meet_s + 200)
    out_s = float(np.hypot(meet[0] - base[0], meet[1] - base[1])) / (18 * KNOT_M_S) + 240
    if meet_s - out_s < 0 or meet_s + 3600 > cast.end_s:
        return
    boat = Way(meet_s + 200 - out_s, base, towards(base, meet), 1.0)
    boat.sail([off(meet, towards(meet, base), 60)], 18.0, acceleration_kn_s=0.1)
    left_s = min(420.0, cast.end_s - boat.t_s - 60)
    boat.beside(ship, left_s, 40.0)
    boat.sail([base], 18.0, acceleration_kn_s=0.1, stop=True)
    boat.status = MOORED
    boat.still(cast.end_s)
    _keep(cast, boat, PILOT)


_DOING = {
    "anchored": _anchored,
    "moored": _moored,
    "fishing": _fishing,
    "survey": _survey,
    "towing": _towing,
    "pilots": _pilots,
}


def _keep(cast: Cast, way: Way, type_: int) -> Path:
    path = cut(way.path(), 0.0, cast.end_s)
    assert path is not None
    cast.ship(path, type_)
    return path


def cut(path: Path, begin_s: float, end_s: float) -> Path | None:
    """The part of a path within the scenario; None where there is none worth having."""
    keep = (path.t_s >= begin_s) & (path.t_s <= end_s)
    if keep.sum() < 3:
        return None
    names = ("t_s", "x", "y", "heading_deg", "status", "on", "altitude_ft", "squawk")
    return Path(**{name: getattr(path, name)[keep] for name in names})
