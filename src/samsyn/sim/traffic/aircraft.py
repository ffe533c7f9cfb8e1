"""Ordinary traffic in the air, and what happens there that a watch should find."""

from __future__ import annotations

from typing import Final

import numpy as np

from samsyn.base.geo import KNOT_M_S, METRES_PER_NM
from samsyn.sim.traffic.at_sea import makes
from samsyn.sim.traffic.cast import OUT_AIR_NM, Cast, Claim, Craft, Jam
from samsyn.sim.traffic.motion import DT_AIR_S, Path, Point, Way, nm, off, towards
from samsyn.sim.traffic.scenario import Area, Sky
from samsyn.sim.traffic.ships import cut

HOUR_S: Final = 3600.0
ROUND_S: Final = 60.0  # an airliner turns 90 degrees in about a minute (standard rate is half that)
RATE_KN_S: Final = 1.0
SPECIAL: Final = (7500, 7600, 7700)


def _way(t_s: float, place: Point, course: float, speed_kn: float) -> Way:
    return Way(t_s, place, course, speed_kn, DT_AIR_S)


def _squawk(rng: np.random.Generator) -> int:
    return int("".join(str(n) for n in (rng.integers(1, 7), *rng.integers(0, 8, 3))))


def fly(cast: Cast, sky: Sky, lane: int, lanes: int) -> None:
    """The aircraft of a sky. Airliners of different ways keep to levels of their own, and those of one
    way and level are kept apart, as a control would: what comes close does so by a situation."""
    rng = cast.chance(f"sky {sky.name}")
    count = int(rng.poisson(sky.per_hour * cast.end_s / HOUR_S))
    if sky.doing == "airliners":
        _airliners(cast, sky, count, (lane, lanes), rng)
        return
    for k in range(count):
        begins_s = float(rng.uniform(-0.2, 0.9)) * cast.end_s
        place = off(nm(sky.at), float(rng.uniform(0, 360)), sky.radius_nm * METRES_PER_NM * 0.5)
        if sky.doing == "helicopters":
            path = _helicopter(place, begins_s, sky, rng)
        elif sky.doing == "survey":
            path = _survey(place, begins_s, rng)
        else:
            path = _patrol(nm(sky.at), sky, begins_s, k, rng)
        kept = cut(path, 0.0, cast.end_s)
        if kept is not None:
            cast.aircraft(kept)


def _airliners(
    cast: Cast, sky: Sky, count: int, which: tuple[int, int], rng: np.random.Generator
) -> None:
    lane, lanes = which
    levels = [
        ft
        for k, ft in enumerate(range(int(sky.level_ft[0]), int(sky.level_ft[1]) + 1, 1000))
        if k % max(lanes, 1) == lane
    ]
    free_s = {(level, way): -1e9 for level in levels for way in (0, 1)}
    points = [nm(p) for p in sky.way]
    for begins_s in np.sort(rng.uniform(-2400, cast.end_s, count)).tolist():
        there = int(rng.integers(2))
        # east- and westbound traffic on levels of their own: half of the levels each
        choice = [lv for n, lv in enumerate(levels) if len(levels) == 1 or n % 2 == there]
        level = float(rng.choice(choice))
        begins_s = max(begins_s, free_s[int(level), there] + 150)
        free_s[int(level), there] = begins_s
        speed = 445.0 + 4 * (int(level) // 1000 % 5)
        ends = points[::-1] if there else points
        way = _way(begins_s, ends[0], towards(ends[0], ends[1]), speed)
        way.squawk = _squawk(rng)
        way.sail(ends[1:], speed, round_s=ROUND_S)
        kept = cut(way.path(level), 0.0, cast.end_s)
        if kept is not None:
            cast.aircraft(kept)


def _helicopter(place: Point, begins_s: float, sky: Sky, rng: np.random.Generator) -> Path:
    """Out to a platform and back at 1,500 ft, hovering there."""
    far = off(place, float(rng.uniform(0, 360)), float(rng.uniform(10, 30)) * METRES_PER_NM)
    way = _way(begins_s, place, towards(place, far), 130.0)
    way.squawk = _squawk(rng)
    way.sail([far], 130.0, stop=True, acceleration_kn_s=RATE_KN_S)
    way.still(240)
    way.speed_kn = 5.0
    way.sail([place], 130.0, stop=True, acceleration_kn_s=RATE_KN_S)
    return way.path(float(rng.choice([1000, 1500, 2000])))


def _survey(place: Point, begins_s: float, rng: np.random.Generator) -> Path:
    """Up and down in lines a mile apart, low and slow."""
    course = float(rng.uniform(0, 180))
    way = _way(begins_s, place, course, 120.0)
    way.squawk = 7000
    for _ in range(12):
        end = off(way.place, course, 14 * METRES_PER_NM)
        way.sail([end, off(off(end, course + 45, 1300), course + 135, 1300)], 120.0, round_s=ROUND_S)
        way.course_deg = course = (course + 180) % 360
    return way.path(float(rng.choice([3500, 4500, 5500])))


def _patrol(middle: Point, sky: Sky, begins_s: float, k: int, rng: np.random.Generator) -> Path:
    """A racetrack for hours at one level; whose it is, nobody says."""
    course, leg = 90.0, sky.radius_nm * METRES_PER_NM
    base = float(sky.level_ft[0]) + 1000 * (k // 4 % 4)
    way = _way(begins_s, off(middle, 0, k % 4 * 16 * METRES_PER_NM), course, 280.0)
    way.squawk = _squawk(rng)
    for _ in range(10):
        end = off(way.place, course, leg)
        turn = [off(end, course + 45, 6000), off(off(end, course + 45, 6000), course + 135, 6000)]
        way.sail([end, *turn], 280.0, round_s=ROUND_S)
        way.course_deg = course = (course + 180) % 360
    way.climb(1000.0, 1500.0)
    way.ahead(1200.0)
    return way.path(base)


def fly_out(way: Way, cast: Cast, seconds: float) -> None:
    """Straight on for so long, and then until nobody hears it: what is simply gone is a silence."""
    w, _, e, _ = cast.said.scenario.area
    far_s = (OUT_AIR_NM + 1.5 * (e - w)) * METRES_PER_NM / (way.speed_kn * KNOT_M_S)
    way.ahead(seconds + far_s, way.speed_kn, acceleration_kn_s=RATE_KN_S)


def _passing(
    cast: Cast,
    rng: np.random.Generator,
    within: Area | None,
    *,
    before_s: float = 900.0,
    level_ft: float | None = None,
) -> tuple[Craft, float]:
    """One aircraft straight through a place, and when it is there. Its level lies 500 ft between
    those of airliners, so that it meets none."""
    place = cast.spot(rng, within)
    at_s = float(rng.uniform(before_s + 60, max(cast.end_s - 960, before_s + 61)))
    course, speed = float(rng.uniform(0, 360)), float(rng.uniform(380, 460))
    start = off(place, course + 180, speed * KNOT_M_S * before_s)
    way = _way(at_s - before_s, start, course, speed)
    way.squawk = _squawk(rng)
    fly_out(way, cast, before_s)
    level = float(rng.integers(20, 28)) * 1000 if level_ft is None else level_ft
    path = cut(way.path(level), 0.0, cast.end_s)
    assert path is not None
    return cast.aircraft(path), at_s


@makes("squawk")
def _squawks(cast: Cast, count: int, within: Area | None) -> None:
    rng = cast.chance("squawk")
    for _ in range(count):
        craft, at_s = _passing(cast, rng, within)
        end_s = min(at_s + float(rng.uniform(240, 800)), float(craft.path.t_s[-1]))
        calls = (craft.path.t_s >= at_s) & (craft.path.t_s <= end_s)
        craft.path.squawk[calls] = int(rng.choice(SPECIAL))
        cast.happens("emergency", "squawk", [craft], at_s, end_s)


@makes("dialled")
def _dialled(cast: Cast, count: int, within: Area | None) -> None:
    """Hard: 7700 shows for one moment while another code is dialled."""
    rng = cast.chance("dialled")
    for _ in range(count):
        craft, at_s = _passing(cast, rng, within)
        craft.glimpses.append((at_s, int(rng.choice(SPECIAL))))
        craft.path.squawk[craft.path.t_s > at_s] = _squawk(rng)


@makes("vanishes")
def _vanishes(cast: Cast, count: int, within: Area | None) -> None:
    """An airliner in cruise is heard no more and flies on."""
    rng = cast.chance("vanishes")
    for _ in range(count):
        level = float(rng.integers(29, 40)) * 1000 + 500
        craft, at_s = _passing(cast, rng, within, before_s=1500, level_ft=level)
        end_s = float(craft.path.t_s[-1])
        end_s = min(end_s, at_s + 900)
        craft.path.on[craft.path.t_s >= at_s] = False
        cast.happens("silence", "transponder off", [craft], at_s, end_s)


@makes("lands")
def _lands(cast: Cast, count: int, within: Area | None) -> None:
    """Hard: comes down from cruise and vanishes below the horizon, as all do."""
    rng = cast.chance("lands")
    for _ in range(count):
        place = cast.spot(rng, within)
        begins_s = float(rng.uniform(0, max(cast.end_s - 2400, 1)))
        course = float(rng.uniform(0, 360))
        way = _way(begins_s, off(place, course + 180, 140 * METRES_PER_NM), course, 430.0)
        way.squawk = _squawk(rng)
        way.ahead(240, 430.0)
        way.climb(0.0, 1800.0)
        way.sail([off(place, course + 180, 12 * METRES_PER_NM)], 290.0, acceleration_kn_s=0.15)
        way.sail([place], 130.0, acceleration_kn_s=0.6)
        path = cut(way.path(float(rng.integers(20, 28)) * 1000 + 500), 0.0, cast.end_s)
        if path is not None:
            path.on[path.altitude_ft <= 0] = False
            cast.aircraft(path)


@makes("jam")
def _jam(cast: Cast, count: int, within: Area | None) -> None:
    """Satellites are jammed over an area for half an hour or an hour; whom it reached is worked out when
    the reports are made (`reports.jammed`)."""
    rng = cast.chance("jam")
    for _ in range(count):
        lasts_s = float(rng.uniform(0.4, 1.2)) * HOUR_S
        begin_s = float(rng.uniform(600, max(cast.end_s - lasts_s, 601)))
        radius_m = float(rng.uniform(15, 40)) * METRES_PER_NM
        cast.jams.append(Jam(cast.spot(rng, within), radius_m, begin_s, begin_s + lasts_s))


@makes("poor-receiver")
def _poor(cast: Cast, count: int, within: Area | None) -> None:
    """Hard: one old aircraft whose accuracy is poor all the time, whoever is near."""
    rng = cast.chance("poor-receiver")
    for _ in range(count):
        craft, _ = _passing(cast, rng, within, level_ft=float(rng.integers(12, 19)) * 1000 + 500)
        craft.gone_wrong.append((0.0, cast.end_s, int(rng.choice([0, 1, 4, 5]))))


@makes("too-close")
def _too_close(cast: Cast, count: int, within: Area | None) -> None:
    """Two aircraft pass within four miles and 800 ft; the truths are taken from all paths."""
    rng = cast.chance("too-close")
    for _ in range(count):
        level = float(rng.integers(12, 19)) * 1000
        one, at_s = _passing(cast, rng, within, level_ft=level)
        x, y = one.path.at(at_s)
        course = float(rng.uniform(0, 360))
        miss = off((x, y), course + 90, float(rng.uniform(-3, 3)) * METRES_PER_NM)
        speed = float(rng.uniform(250, 450))
        start = off(miss, course + 180, speed * KNOT_M_S * 800)
        way = _way(at_s - 800, start, course, speed)
        way.squawk = _squawk(rng)
        fly_out(way, cast, 1500)
        path = cut(way.path(level + float(rng.choice([-700, -300, 0, 300, 700]))), 0.0, cast.end_s)
        if path is not None:
            cast.aircraft(path)


@makes("visit-air")
def _visit(cast: Cast, count: int, within: Area | None) -> None:
    """Through, under or over a zone; which of these it was is taken from all paths."""
    rng = cast.chance("visit-air")
    zones = [z for z in cast.said.zone if "air" in z.domains and not z.anchorage]
    for k in range(count if zones else 0):
        zone = zones[k % len(zones)]
        outline = np.array(zone.outline)
        x, y = outline.mean(axis=0) + rng.normal(0, 0.2, 2) * np.ptp(outline, axis=0)
        top = zone.ceiling_ft or 12_000.0
        low = zone.floor_ft or 1_000.0
        level = float(
            rng.choice([low + (top - low) * rng.uniform(0.2, 0.8), top + 900, max(low - 900, 700)])
        )
        course, speed = float(rng.uniform(0, 360)), float(rng.uniform(180, 320))
        at_s = float(rng.uniform(900, max(cast.end_s - 900, 901)))
        start = off(nm((x, y)), course + 180, speed * KNOT_M_S * 800)
        way = _way(at_s - 800, start, course, speed)
        way.squawk = 7000
        way.ahead(1500, speed)
        if rng.random() < 0.3:
            way.climb(low + 300 if level > top else top + 1500, 1200.0)
        path = cut(way.path(level), 0.0, cast.end_s)
        if path is not None:
            cast.aircraft(path)


@makes("false-place-air")
def _false_place(cast: Cast, count: int, within: Area | None) -> None:
    """Its reports say another place: moved far away, round a circle, frozen, or impossibly fast."""
    rng = cast.chance("false-place-air")
    for k in range(count):
        craft, at_s = _passing(cast, rng, within)
        end_s = at_s + float(rng.uniform(240, 700))
        what = ("moved", "ring", "frozen", "fast")[k % 4]
        if what == "moved":
            aside = off(
                (0.0, 0.0), float(rng.uniform(0, 360)), float(rng.uniform(30, 120)) * METRES_PER_NM
            )
            claim = Claim("moved", at_s, end_s, aside)
        elif what == "ring":
            x, y = craft.path.at(at_s)
            claim = Claim("ring", at_s, end_s, off((x, y), 90, 60_000), 3_000.0, 200.0)
        elif what == "frozen":
            claim = Claim("frozen", at_s, end_s)
        else:
            claim = Claim("fast", at_s, end_s, speed_kn=1_900.0)
        craft.claims.append(claim)
        cast.happens("implausible", f"false place: {what}", [craft], at_s, end_s)
