"""What happens at sea that a watch should find: each maker adds so many, with what truly happened.

Ships come to the place and, where they can, leave it again: before and after nothing is unusual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from samsyn.base.geo import KNOT_M_S, METRES_PER_NM
from samsyn.formats.codes import Emergency
from samsyn.sim.traffic.cast import CARGO, FISHING_SHIP, TANKER, Cast, Claim, Craft, Maker
from samsyn.sim.traffic.motion import (
    AT_ANCHOR,
    NOT_UNDER_COMMAND,
    UNDER_WAY,
    Point,
    Way,
    nm,
    off,
    slow_noise,
    swell,
    towards,
)
from samsyn.sim.traffic.scenario import Area
from samsyn.sim.traffic.ships import cut, sail_out

HOUR_S: Final = 3600.0
_BEACONS: Final = (
    (970_000_000, Emergency.AIS_SART),
    (972_000_000, Emergency.AIS_MOB),
    (974_000_000, Emergency.AIS_EPIRB),
)

_MAKERS: dict[str, Maker] = {}


def makes(name: str) -> Callable[[Maker], Maker]:
    """Registers the maker of a kind of situation."""

    def known(make: Maker) -> Maker:
        _MAKERS[name] = make
        return make

    return known


def makers() -> dict[str, Maker]:
    return dict(_MAKERS)


def _arrives(
    cast: Cast, rng: np.random.Generator, lasts_s: float, within: Area | None, speed_kn: float
) -> tuple[Way, Point]:
    """A ship an hour before something that lasts so long, and where that will be."""
    place = cast.spot(rng, within)
    latest_s = max(cast.end_s - lasts_s - HOUR_S, 60.0)
    at_s = float(rng.uniform(min(HOUR_S, latest_s), latest_s))
    course = float(rng.uniform(0, 360))
    before_s = min(at_s, float(rng.uniform(0.6, 1.2)) * HOUR_S)
    start = off(place, course + 180, speed_kn * KNOT_M_S * before_s)
    way = Way(at_s - before_s, start, course, speed_kn)
    way.crab_deg = float(rng.normal(0, 2))
    return way.sail([place], speed_kn), place


def _leaves(cast: Cast, way: Way, type_: int = CARGO) -> Craft:
    """Sails away until nobody hears her: a ship that were simply gone would be a silence."""
    way.status = UNDER_WAY
    sail_out(cast, way)
    path = cut(way.path(), 0.0, cast.end_s)
    assert path is not None
    return cast.ship(path, type_)


@makes("drift")
def _drift(cast: Cast, count: int, within: Area | None) -> None:
    """Power is lost: she is carried beam-on, and half of the crews say so in her status."""
    rng = cast.chance("drift")
    for _ in range(count):
        speed = float(np.exp(rng.uniform(np.log(0.4), np.log(4.0))))
        lasts_s = float(rng.uniform(1.0, 5.0)) * HOUR_S
        way, _ = _arrives(cast, rng, lasts_s, within, float(rng.uniform(8, 15)))
        begin_s = way.t_s
        says = rng.random()
        way.status = NOT_UNDER_COMMAND if says < 0.5 else UNDER_WAY
        downwind = float(cast.wind_deg(begin_s, 60)[0]) + 180 + float(rng.normal(0, 15))
        turn = float(rng.choice([-1, 1])) * float(rng.uniform(60, 130))
        noise = slow_noise(rng, int(lasts_s / way.dt_s) + 2, 60)
        way.drift(lasts_s, downwind, speed, turn, noise)
        end_s = way.t_s
        ship = _leaves(cast, way, int(rng.choice([CARGO, TANKER])))
        cast.happens("drift", "lost power", [ship], begin_s, end_s)


@makes("dark")
def _dark(cast: Cast, count: int, within: Area | None) -> None:
    """She stops transmitting under way, where she could be heard, for more than seven hours."""
    rng = cast.chance("dark")
    for _ in range(count):
        lasts_s = float(rng.uniform(7.5, 12.0)) * HOUR_S
        place = cast.spot(rng, within)
        speed = float(rng.uniform(6, 13))
        latest_s = cast.end_s - lasts_s - 1800
        at_s = float(rng.uniform(2.5 * HOUR_S, max(latest_s, 2.6 * HOUR_S)))
        course = float(rng.uniform(0, 360))
        start = off(place, course + 180, speed * KNOT_M_S * 2 * HOUR_S)
        way = Way(at_s - 2 * HOUR_S, start, course, speed)
        way.sail([place], speed)
        begin_s = way.t_s
        way.on = False
        # she stays about, so that she would have been heard: a mile or two to and fro
        while way.t_s < min(begin_s + lasts_s, cast.end_s - 60):
            way.sail([off(place, float(rng.uniform(0, 360)), 4 * METRES_PER_NM)], 5.0)
        way.on = True
        end_s = min(way.t_s, cast.end_s)
        ship = _leaves(cast, way)
        cast.happens("silence", "transmitter off", [ship], begin_s, end_s)


@makes("beacon")
def _beacon(cast: Cast, count: int, within: Area | None) -> None:
    """A distress device in the water: bursts each minute, over waves that hide most of them."""
    rng = cast.chance("beacon")
    for k in range(count):
        lasts_s = float(rng.uniform(0.5, 4)) * HOUR_S
        begin_s = float(rng.uniform(0, max(cast.end_s - lasts_s, 1)))
        way = Way(begin_s, cast.spot(rng, within), float(rng.uniform(0, 360)), 0.5)
        noise = slow_noise(rng, int(lasts_s / way.dt_s) + 2, 60)
        way.drift(lasts_s, float(cast.wind_deg(begin_s, 60)[0]) + 180, 0.8, 0.0, noise)
        number, beacon = _BEACONS[int(rng.integers(3))]
        path = cut(way.path(), 0.0, cast.end_s)
        assert path is not None
        device = cast.ship(path, 0, number=number + 1_000 + k, beacon=beacon, low_power=True)
        cast.happens("emergency", "distress device", [device], begin_s, float(path.t_s[-1]))


@makes("visit")
def _visit(cast: Cast, count: int, within: Area | None) -> None:
    """Through a zone of the scenario: the truths are taken from all paths (`truth.entries`)."""
    rng = cast.chance("visit")
    zones = [z for z in cast.said.zone if "sea" in z.domains and not z.anchorage and z.floor_ft is None]
    for k in range(count if zones else 0):
        outline = np.array(zones[k % len(zones)].outline)
        x, y = outline.mean(axis=0) + rng.normal(0, 0.25, 2) * np.ptp(outline, axis=0)
        speed, course = float(rng.uniform(7, 16)), float(rng.uniform(0, 360))
        at_s = float(rng.uniform(2 * HOUR_S, max(cast.end_s - 3 * HOUR_S, 2.1 * HOUR_S)))
        away_m = float(rng.uniform(0.8, 1.5)) * HOUR_S * speed * KNOT_M_S
        start = off(nm((x, y)), course + 180, away_m)
        way = Way(max(at_s - away_m / speed / KNOT_M_S, 0), start, course, speed)
        _leaves(cast, way.sail([nm((x, y))], speed))


@makes("rendezvous")
def _rendezvous(cast: Cast, count: int, within: Area | None) -> None:
    """Two ships lie beside each other for hours on the open sea, hardly moving."""
    rng = cast.chance("rendezvous")
    for _ in range(count):
        lasts_s = float(rng.uniform(2.7, 6)) * HOUR_S
        way, place = _arrives(cast, rng, lasts_s + HOUR_S, within, float(rng.uniform(8, 12)))
        way.sail([off(place, way.course_deg, 3000)], 1.0, stop=True)
        begin_s = way.t_s
        noise = slow_noise(rng, int(lasts_s / way.dt_s) + 2, 90)
        downwind = float(cast.wind_deg(begin_s, 60)[0]) + 180
        way.drift(lasts_s, downwind, float(rng.uniform(0.2, 0.9)), float(rng.uniform(-30, 30)), noise)
        end_s = way.t_s
        one = _leaves(cast, way, TANKER)
        far = off(place, float(rng.uniform(0, 360)), 9 * METRES_PER_NM)
        comes = Way(max(begin_s - 3000, 0), far, towards(far, place), 10.0)
        beside = one.path.at(begin_s)
        comes.sail([off(beside, towards(beside, far), 400)], 10.0, stop=True)
        met_s = max(comes.t_s, begin_s)
        if comes.t_s < begin_s:
            comes.still(begin_s - comes.t_s)
        comes.beside(one.path, end_s - comes.t_s - 300, float(rng.uniform(20, 200)), close_s=300)
        two = _leaves(cast, comes, CARGO)
        cast.happens("encounter-sea", "lie together", [one, two], met_s, end_s - 300)
        cast.happens("loiter", "lie together", [one, two], begin_s, end_s, counts="may")
        cast.happens("drift", "lie together", [one, two], begin_s, end_s, counts="may")


@makes("collision")
def _collision(cast: Cast, count: int, within: Area | None) -> None:
    """Two ships on courses that meet, and neither gives way: they pass within 100 m or strike."""
    rng = cast.chance("collision")
    for _ in range(count):
        place = cast.spot(rng, within)
        at_s = float(rng.uniform(1.5 * HOUR_S, max(cast.end_s - HOUR_S, 1.6 * HOUR_S)))
        course = float(rng.uniform(0, 360))
        ships = []
        for bearing in (course, course + float(rng.choice([-1, 1])) * float(rng.uniform(25, 170))):
            speed = float(rng.uniform(8, 18))
            away_m = speed * KNOT_M_S * 2800
            start = off(place, bearing + 180, away_m)
            miss = off(place, bearing + 90, float(rng.uniform(-45, 45)))
            way = Way(at_s - 2800, start, towards(start, miss), speed)
            ships.append(_leaves(cast, way.sail([miss], speed)))
        cast.happens("encounter-sea", "collision course", ships, at_s - 1200, at_s + 300, at=place)


@makes("loiter")
def _loiter(cast: Cast, count: int, within: Area | None) -> None:
    """Half a day of hardly moving in the open, saying that she is under way."""
    rng = cast.chance("loiter")
    for _ in range(count):
        lasts_s = float(rng.uniform(5, 9)) * HOUR_S
        way, place = _arrives(cast, rng, lasts_s + HOUR_S, within, float(rng.uniform(8, 12)))
        way.sail([off(place, way.course_deg, 3000)], 1.0)
        begin_s = way.t_s
        while way.t_s < begin_s + lasts_s:
            way.sail([off(place, float(rng.uniform(0, 360)), 1500)], float(rng.uniform(0.8, 1.5)))
        end_s = min(way.t_s, cast.end_s)
        ship = _leaves(cast, way)
        cast.happens("loiter", "slow for hours", [ship], begin_s, end_s)


@makes("passes")
def _passes(cast: Cast, count: int, within: Area | None) -> None:
    """To and fro across a cable at three to five knots, six times or more."""
    rng = cast.chance("passes")
    for k in range(count if cast.said.line else 0):
        cable = nm_way(cast, k)
        place, along = _on(cable, float(rng.uniform(0.15, 0.85)))
        speed = float(rng.uniform(3, 6))
        at_s = float(rng.uniform(2 * HOUR_S, max(cast.end_s - 7 * HOUR_S, 2.1 * HOUR_S)))
        start = off(place, along + 90, 10 * METRES_PER_NM)
        way = Way(at_s - 3600, start, along + 270, 10.0)
        way.sail([off(place, along + 90, 2000)], 10.0)
        begin_s = way.t_s
        for n in range(int(rng.integers(6, 11))):
            side = along + (270 if n % 2 == 0 else 90)
            across = off(off(place, along, 150 * n), side, float(rng.uniform(900, 1500)))
            way.sail([across], speed)
        end_s = way.t_s
        ship = _leaves(cast, way)
        cast.happens("loiter", "passes over a cable", [ship], begin_s, end_s, at=place)


@makes("over-cable")
def _over_cable(cast: Cast, count: int, within: Area | None) -> None:
    """Two hours of hardly moving right over a cable."""
    rng = cast.chance("over-cable")
    for k in range(count if cast.said.line else 0):
        place, _ = _on(nm_way(cast, k), float(rng.uniform(0.15, 0.85)))
        at_s = float(rng.uniform(1.5 * HOUR_S, max(cast.end_s - 5 * HOUR_S, 1.6 * HOUR_S)))
        course = float(rng.uniform(0, 360))
        start = off(place, course + 180, 10 * METRES_PER_NM)
        way = Way(at_s - 3600, start, course, 10.0)
        way.sail([place], 10.0, stop=True)
        begin_s, lasts_s = way.t_s, float(rng.uniform(2, 3.5)) * HOUR_S
        while way.t_s < begin_s + lasts_s:
            way.sail([off(place, float(rng.uniform(0, 360)), 300)], float(rng.uniform(0.4, 1.0)))
        end_s = way.t_s
        ship = _leaves(cast, way, CARGO)
        cast.happens("loiter", "slow over a cable", [ship], begin_s, end_s, at=place)
        cast.happens("anchor-drag", "slow over a cable", [ship], begin_s, end_s, at=place, counts="may")


@makes("sudden-stop")
def _sudden_stop(cast: Cast, count: int, within: Area | None) -> None:
    """She strikes something: from full speed to nothing in 15 to 30 seconds, and stays there."""
    rng = cast.chance("sudden-stop")
    for _ in range(count):
        lasts_s = float(rng.uniform(600, 7200))
        way, _ = _arrives(cast, rng, lasts_s, within, float(rng.uniform(9, 20)))
        begin_s, speed = way.t_s, way.speed_kn
        way.ahead(40, 0.1, acceleration_kn_s=speed / float(rng.uniform(15, 28)))
        way.still(lasts_s, way.course_deg)
        end_s = way.t_s
        ship = _leaves(cast, way)
        cast.happens("sudden-stop", "struck something", [ship], begin_s, end_s)


@makes("anchor-out")
def _anchor_out(cast: Cast, count: int, within: Area | None) -> None:
    """Under way with her anchor on the seabed, over a cable: slower than before and a little sideways,
    slower yet in jerks."""
    rng = cast.chance("anchor-out")
    for k in range(count if cast.said.line else 0):
        place, along = _on(nm_way(cast, k), float(rng.uniform(0.15, 0.85)))
        course = along + 90 + float(rng.choice([0, 180])) + float(rng.uniform(-35, 35))
        at_s = float(rng.uniform(2.5 * HOUR_S, max(cast.end_s - 3 * HOUR_S, 2.6 * HOUR_S)))
        cruise = float(rng.uniform(9, 13))
        slow = cruise * float(rng.uniform(0.4, 0.65))
        out_m = float(rng.uniform(3, 8)) * METRES_PER_NM
        start = off(place, course + 180, out_m + cruise * KNOT_M_S * 3600)
        way = Way(at_s - 3600 - out_m / slow / KNOT_M_S, start, course, cruise)
        way.sail([off(place, course + 180, out_m)], cruise)
        begin_s = way.t_s
        way.crab_deg = float(rng.choice([-1, 1])) * float(rng.uniform(12, 30))
        far_m = out_m + float(rng.uniform(2, 6)) * METRES_PER_NM
        for n in range(8):
            way.sail(
                [off(place, course, far_m * (n + 1) / 8 - out_m)], slow * float(rng.uniform(0.8, 1.2))
            )
        end_s = way.t_s
        way.crab_deg = 0.0
        ship = _leaves(cast, way)
        cast.happens("anchor-drag", "anchor out over a cable", [ship], begin_s, end_s, at=place)


@makes("drags")
def _drags(cast: Cast, count: int, within: Area | None) -> None:
    """At anchor in a gale near a cable: the anchor does not hold, and she is carried over it."""
    rng = cast.chance("drags")
    for k in range(count if cast.said.line else 0):
        place, _ = _on(nm_way(cast, k), float(rng.uniform(0.15, 0.85)))
        at_s = float(rng.uniform(2 * HOUR_S, max(cast.end_s - 5 * HOUR_S, 2.1 * HOUR_S)))
        wind = float(cast.wind_deg(at_s, 60)[0])
        start = off(place, wind, float(rng.uniform(1500, 3000)))
        way = Way(at_s - 2 * HOUR_S, start, wind, 0.2)
        way.status = AT_ANCHOR
        samples = int(2 * HOUR_S / way.dt_s) + 2
        way.swing(2 * HOUR_S, 200.0, cast.wind_deg(way.t_s, 2 * HOUR_S), swell(rng, samples, way.dt_s))
        begin_s, lasts_s = way.t_s, float(rng.uniform(1.0, 2.5)) * HOUR_S
        noise = slow_noise(rng, int(lasts_s / way.dt_s) + 2, 60)
        way.drift(lasts_s, wind + 180, float(rng.uniform(0.9, 2.2)), 180.0, noise)
        end_s = way.t_s
        ship = _leaves(cast, way)
        cast.happens("anchor-drag", "anchor does not hold", [ship], begin_s, end_s, at=place)
        cast.happens("drift", "anchor does not hold", [ship], begin_s, end_s, counts="may")


@makes("false-place-sea")
def _false_place(cast: Cast, count: int, within: Area | None) -> None:
    """Her reports say another place: moved far away, round a circle, or frozen while she sails."""
    rng = cast.chance("false-place-sea")
    for k in range(count):
        lasts_s = float(rng.uniform(0.5, 2)) * HOUR_S
        way, place = _arrives(cast, rng, lasts_s, within, 12.0)
        begin_s, end_s = way.t_s, way.t_s + lasts_s
        way.ahead(lasts_s, 12.0)
        ship = _leaves(cast, way)
        what = ("moved", "ring", "frozen")[k % 3]
        if what == "moved":
            aside = off(
                (0.0, 0.0), float(rng.uniform(0, 360)), float(rng.uniform(12, 60)) * METRES_PER_NM
            )
            claim = Claim("moved", begin_s, end_s, aside)
        elif what == "ring":
            claim = Claim(
                "ring", begin_s, end_s, off(place, float(rng.uniform(0, 360)), 30_000), 900.0, 14.0
            )
        else:
            claim = Claim("frozen", begin_s, end_s)
        ship.claims.append(claim)
        cast.happens("implausible", f"false place: {what}", [ship], begin_s, end_s)


@makes("two-as-one-sea")
def _two_as_one(cast: Cast, count: int, within: Area | None) -> None:
    """Two ships, far apart, give the same number."""
    rng = cast.chance("two-as-one-sea")
    for _ in range(count):
        lasts_s = float(rng.uniform(1.0, 3)) * HOUR_S
        one, _ = _arrives(cast, rng, lasts_s, within, 11.0)
        first = _leaves(cast, one.ahead(lasts_s), FISHING_SHIP)
        begin_s = float(first.path.t_s[0])
        from_s = begin_s + float(rng.uniform(900, 2400))
        other = Way(from_s, cast.spot(rng, within), float(rng.uniform(0, 360)), 9.0)
        sail_out(cast, other)
        path = cut(other.path(), 0.0, cast.end_s)
        assert path is not None
        cast.ship(path, FISHING_SHIP, number=first.number)
        end_s = min(float(first.path.t_s[-1]), float(path.t_s[-1]))
        x, y = first.path.at(from_s)
        apart = float(np.hypot(path.x[0] - x, path.y[0] - y))
        counts = "must" if apart > 15 * METRES_PER_NM else "may"
        cast.happens("implausible", "two on one number", [first], from_s, end_s, counts=counts)


def nm_way(cast: Cast, k: int) -> list[Point]:
    """The way of the k-th cable, metres."""
    lines = cast.said.line
    return [nm(place) for place in lines[k % len(lines)].way]


def _on(way: list[Point], share: float) -> tuple[Point, float]:
    """A place on a way and the direction of the way there."""
    corners = np.array(way)
    along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    at_m = share * along[-1]
    leg = int(np.clip(np.searchsorted(along, at_m) - 1, 0, len(way) - 2))
    x, y = np.interp(at_m, along, corners[:, 0]), np.interp(at_m, along, corners[:, 1])
    return (float(x), float(y)), towards(way[leg], way[leg + 1])
