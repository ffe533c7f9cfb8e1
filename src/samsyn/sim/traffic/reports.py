"""What receivers hear of the cast, with all that is wrong with it, and the files that it makes.

A report is sent, and heard by each receiver in whose reach it is, with a chance that depends on the
distance and on the cell it was sent from; receivers fail, their clocks err, lines are damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from samsyn.base.geo import KNOT_M_S, METRES_PER_NM
from samsyn.sim.traffic import wire
from samsyn.sim.traffic.cast import Cast, Craft
from samsyn.sim.traffic.motion import AT_ANCHOR, MOORED, Floats
from samsyn.sim.traffic.scenario import Receiver

STILL_S: Final = 180.0  # how often a ship at anchor reports (ITU-R M.1371, table 1)
CLASS_B_S: Final = 30.0
STATIC_S: Final = 1_800.0  # six minutes in truth; a watch needs it less
IDENT_S, STATUS_S, CODE_S = 60.0, 15.0, 10.0
PAIR_S: Final = 9.0  # an even and an odd position frame give a place within ten seconds
SART: Final = 14  # navigational status: distress device in use
DAMAGED: Final = 0.0005  # share of lines with a byte changed
TWICE: Final = 0.002  # share of lines that come twice
HORIZON_KM: Final = 4.12  # radio horizon: 4.12 (sqrt h1 + sqrt h2), metres and kilometres
CELL_M: Final = 5 * METRES_PER_NM  # over which reception is the same
JAMMED_NACP: Final = (0, 0, 1, 2)
Rng = np.random.Generator


@dataclass
class Sent:
    """Reports of one craft, in order of time, before anybody heard them; arrays of one length."""

    t_s: Floats
    x: Floats
    y: Floats
    altitude_ft: Floats
    column: dict[str, Any]  # what is claimed


def ship_reports(cast: Cast, craft: Craft, rng: Rng) -> Sent:
    """The position reports of a ship or a distress device."""
    path = craft.path
    every = CLASS_B_S if craft.class_b else cast.said.scenario.every_s
    if craft.beacon is not None:
        every = 15.0
    t_s = _times(path.t_s[0], path.t_s[-1], every, rng)
    status = path.step(t_s, "status")
    still = np.isin(status, (AT_ANCHOR, MOORED)) & (path.read(t_s, "speed_kn") < 3)
    nth = np.floor(t_s / STILL_S)
    keep = path.step(t_s, "on") & (~still | (np.diff(nth, prepend=-1) > 0))
    t_s, status = t_s[keep], status[keep]
    x, y = path.read(t_s, "x"), path.read(t_s, "y")
    speed, course = path.read(t_s, "speed_kn"), path.step(t_s, "course_deg")
    east = speed * np.sin(np.radians(course)) + rng.normal(0, 0.1, len(t_s))
    north = speed * np.cos(np.radians(course)) + rng.normal(0, 0.1, len(t_s))
    bow = (path.step(t_s, "heading_deg") + craft.heading_error_deg + rng.normal(0, 0.7, len(t_s))) % 360
    claimed = {
        "x": x + _slow(rng, t_s, 4.0) + rng.normal(0, 2.0, len(t_s)),
        "y": y + _slow(rng, t_s, 4.0) + rng.normal(0, 2.0, len(t_s)),
        "speed_kn": np.hypot(east, north),
        "course_deg": np.degrees(np.arctan2(east, north)) % 360,
        "heading_deg": np.full(len(t_s), np.nan) if craft.class_b or craft.beacon else bow,
        "status": np.full(len(t_s), SART) if craft.beacon else status,
    }
    sent = Sent(t_s, x, y, np.zeros(len(t_s)), claimed)
    _lie(craft, sent)
    lost = _jammed(cast, sent, rng, 0.1)
    claimed["x"][lost] = claimed["y"][lost] = np.nan
    return sent


def aircraft_reports(cast: Cast, craft: Craft, rng: Rng) -> Sent:
    """The squitters of an aircraft at each of its moments: what they would all say then."""
    path = craft.path
    t_s = _times(path.t_s[0], path.t_s[-1], cast.said.scenario.every_s, rng)
    t_s = t_s[path.step(t_s, "on")]
    x, y, altitude = path.read(t_s, "x"), path.read(t_s, "y"), path.read(t_s, "altitude_ft")
    usual = int(rng.choice([8, 9, 9, 10, 10]))
    nac = np.full(len(t_s), usual)
    claimed: dict[str, Any] = {
        "x": x + _slow(rng, t_s, 8.0),
        "y": y + _slow(rng, t_s, 8.0),
        "speed_kn": path.read(t_s, "speed_kn") + rng.normal(0, 0.7, len(t_s)),
        "course_deg": path.step(t_s, "course_deg") + rng.normal(0, 0.3, len(t_s)),
        "climb_fpm": path.read(t_s, "climb_fpm"),
        "squawk": path.step(t_s, "squawk"),
        "nac_p": nac,
    }
    claimed["altitude_ft"] = altitude
    sent = Sent(t_s, x, y, altitude, claimed)
    _lie(craft, sent)
    for begin_s, end_s, worse in craft.gone_wrong:
        nac[(t_s >= begin_s) & (t_s <= end_s)] = worse
    for at_s, code in craft.glimpses:
        near = int(np.argmin(np.abs(t_s - at_s))) if len(t_s) else 0
        claimed["squawk"][near : near + 1] = code
    jammed = _jammed(cast, sent, rng, 1.0)
    nac[jammed] = rng.choice(JAMMED_NACP, int(jammed.sum()))
    lost = jammed & (rng.random(len(t_s)) < 0.5)
    for axis in ("x", "y"):
        claimed[axis] = claimed[axis] + np.where(jammed, _slow(rng, t_s, 900.0), 0.0)
        claimed[axis][lost] = np.nan
    return sent


def _times(first_s: float, last_s: float, every_s: float, rng: Rng) -> Floats:
    begin = first_s + float(rng.uniform(0, every_s))
    t_s = np.arange(begin, last_s, every_s)
    found: Floats = np.clip(t_s + rng.uniform(-0.1, 0.1, len(t_s)) * every_s, first_s, last_s)
    return found


def _slow(rng: Rng, t_s: Floats, metres: float) -> Floats:
    """An error that wanders within minutes, as that of satellites does."""
    if not len(t_s):
        return t_s
    knots = np.arange(t_s[0], t_s[-1] + 240, 120.0)
    found: Floats = np.interp(t_s, knots, rng.normal(0, metres, len(knots)))
    return found


def _lie(craft: Craft, sent: Sent) -> None:
    """Puts a craft's false claims in place of what is so."""
    t, said = sent.t_s, sent.column
    for claim in craft.claims:
        on = (t >= claim.begin_s) & (t <= claim.end_s)
        if not on.any():
            continue
        if claim.what == "moved":
            said["x"], said["y"] = said["x"] + on * claim.place[0], said["y"] + on * claim.place[1]
        elif claim.what == "frozen":
            first = int(np.argmax(on))
            for axis in ("x", "y"):
                said[axis] = np.where(on, said[axis][first], said[axis])
        elif claim.what == "fast":
            said["speed_kn"] = np.where(on, claim.speed_kn, said["speed_kn"])
        else:
            turned = (t - claim.begin_s) * claim.speed_kn * KNOT_M_S / claim.radius_m
            said["x"] = np.where(on, claim.place[0] + claim.radius_m * np.sin(turned), said["x"])
            said["y"] = np.where(on, claim.place[1] + claim.radius_m * np.cos(turned), said["y"])
            said["course_deg"] = np.where(on, (np.degrees(turned) + 90) % 360, said["course_deg"])
            said["speed_kn"] = np.where(on, claim.speed_kn, said["speed_kn"])


def _jammed(cast: Cast, sent: Sent, rng: Rng, share: float) -> Any:
    """Which reports were sent where a jammer reaches: its radius, and no farther than its horizon."""
    hit = np.zeros(len(sent.t_s), bool)
    for jam in cast.jams:
        during = (sent.t_s >= jam.begin_s) & (sent.t_s <= jam.end_s)
        if during.any():
            away = np.hypot(sent.x - jam.place[0], sent.y - jam.place[1])
            horizon = HORIZON_KM * 1000 * (np.sqrt(30) + np.sqrt(sent.altitude_ft * 0.3048))
            hit |= during & (away <= np.minimum(jam.radius_m * share, horizon))
    return hit


def heard(receiver: Receiver, sent: Sent, craft: Craft, seed: int, rng: Rng) -> Any:
    """Which reports a receiver hears."""
    return rng.random(len(sent.t_s)) < chance(receiver, sent, craft, seed)


def chance(receiver: Receiver, sent: Sent, craft: Craft, seed: int) -> Floats:
    """How likely it hears each report; 0 while it is out of work."""
    away = np.hypot(sent.x - receiver.at[0] * METRES_PER_NM, sent.y - receiver.at[1] * METRES_PER_NM)
    if receiver.reach_nm is not None:
        reach = np.full(len(away), receiver.reach_nm * METRES_PER_NM)
    else:
        mast_m = 1.5 if craft.low_power else 6.0 if craft.class_b else 18.0
        height = np.full(len(away), mast_m) if craft.sea else np.maximum(sent.altitude_ft * 0.3048, 1.0)
        reach = HORIZON_KM * 1000 * (np.sqrt(receiver.height_m) + np.sqrt(height))
    edge = 1 / (1 + np.exp(np.clip((away / reach - 0.95) * 40, -50, 50)))
    cell = (np.floor(sent.x / CELL_M) * 7_919 + np.floor(sent.y / CELL_M) * 104_729).astype(np.int64)
    mixed = (cell * 2_654_435_761 + seed + len(receiver.name)) >> 7 & 1023
    share = receiver.share * (0.75 + 0.25 * mixed / 1023)
    if craft.low_power:
        share = share * 0.35
    works = np.ones(len(away), bool)
    for begin_h, end_h in receiver.outages:
        works &= (sent.t_s < begin_h * 3600) | (sent.t_s > end_h * 3600)
    found: Floats = edge * share * works
    return found


def files(cast: Cast, tell: Callable[[float], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Name and lines of each receiver's file; tells the cast who was heard when.

    tell: how far it is, 0 to 1.
    """
    start_s = cast.said.scenario.start_s()
    receivers = cast.said.receiver
    lines: dict[str, list[tuple[Any, list[bytes]]]] = {r.name: [] for r in receivers}
    for done, craft in enumerate(cast.craft):
        rng = cast.chance(f"reports {craft.number} {done}")
        sent = (ship_reports if craft.sea else aircraft_reports)(cast, craft, rng)
        times = []
        for receiver in receivers:
            if (receiver.hears == "sea") != craft.sea or not len(sent.t_s):
                continue
            at = np.flatnonzero(heard(receiver, sent, craft, cast.seed, rng))
            if len(at):
                write = _ais if craft.sea else _modes
                lines[receiver.name] += write(cast, craft, sent, at, receiver, start_s, rng)
                times.append(sent.t_s[at])
        cast.heard(craft, np.unique(np.concatenate(times)) if times else np.empty(0))
        if done % 50 == 0:
            tell(done / len(cast.craft))
    for receiver in receivers:
        kind = "nmea" if receiver.hears == "sea" else "modes"
        yield f"{receiver.name}.{kind}", _ordered(lines[receiver.name], cast.chance(receiver.name))


def _ais(
    cast: Cast, craft: Craft, sent: Sent, at: Any, receiver: Receiver, start_s: int, rng: Rng
) -> list[tuple[Any, list[bytes]]]:
    time_ms = np.round((start_s + sent.t_s[at] + receiver.clock_s) * 1000).astype(np.int64)
    column = {name: values[at] for name, values in sent.column.items() if name not in ("x", "y")}
    column["lat"], column["lon"] = cast.degrees(sent.column["x"][at], sent.column["y"][at])
    kind = np.full(len(at), 18 if craft.class_b else 1)
    mmsi = np.full(len(at), craft.number)
    found: list[tuple[Any, list[bytes]]] = [
        (sent.t_s[at], wire.ais_positions(time_ms, mmsi, kind, column, receiver.name))
    ]
    if craft.beacon is None:
        said = wire.ais_static(craft.number, craft.name, craft.type, craft.class_b)
        nth = np.floor(sent.t_s[at] / STATIC_S)
        first = np.flatnonzero(np.diff(nth, prepend=-1) > 0)
        named = [wire.tagged(int(time_ms[k]), receiver.name, said) for k in first.tolist()]
        found.append((sent.t_s[at][first], named))
    return found


def _modes(
    cast: Cast, craft: Craft, sent: Sent, at: Any, receiver: Receiver, start_s: int, rng: Rng
) -> list[tuple[Any, list[bytes]]]:
    t_s, said = sent.t_s[at], {name: values[at] for name, values in sent.column.items()}
    lat, lon = cast.degrees(said["x"], said["y"])
    placed = np.flatnonzero(~np.isnan(lat))
    type_code = np.where(said["nac_p"][placed] <= 2, 18, 11)
    # thinned out to more than what a pair may be apart, both of a pair are noted
    odds = [(at % 2)[placed]]
    if cast.said.scenario.every_s > PAIR_S:
        odds = [np.zeros(len(placed), np.int64), np.ones(len(placed), np.int64)]
    places = (lat[placed], lon[placed], said["altitude_ft"][placed])
    messages = [(placed, wire.airborne_positions(*places, odd, type_code)) for odd in odds]
    messages.append(
        (np.arange(len(at)), wire.velocities(said["speed_kn"], said["course_deg"], said["climb_fpm"]))
    )
    named, status, code = (_each(t_s, every_s) for every_s in (IDENT_S, STATUS_S, CODE_S))
    code = np.flatnonzero(code | (np.diff(said["squawk"], prepend=said["squawk"][:1]) != 0))
    named, status = np.flatnonzero(named), np.flatnonzero(status)
    messages += [
        (named, wire.identifications([craft.name] * len(named))),
        (status, wire.operational_status(said["nac_p"][status], np.full(len(status), 3))),
        (code, wire.aircraft_status(said["squawk"][code])),
    ]
    found: list[tuple[Any, list[bytes]]] = []
    for nth, (which, message) in enumerate(messages):
        if len(which):
            sent_s = t_s[which] + 0.05 * nth  # not all in one instant
            time_us = np.round((start_s + sent_s + receiver.clock_s) * 1e6).astype(np.int64)
            frames = wire.squitters(np.full(len(which), craft.number), message)
            found.append((sent_s, wire.modes_lines(time_us, frames)))
    return found


def _each(t_s: Floats, every_s: float) -> Any:
    """Which of some times are the first in each span of `every_s`."""
    return np.diff(np.floor(t_s / every_s), prepend=-1) > 0


def _ordered(parts: list[tuple[Any, list[bytes]]], rng: Rng) -> list[bytes]:
    """The lines as they arrive: nearly in order, some twice, some damaged."""
    if not parts:
        return []
    t_s = np.concatenate([t for t, _ in parts])
    lines = [line for _, some in parts for line in some]
    arrival = t_s + rng.exponential(0.2, len(t_s))
    order = np.argsort(arrival, kind="stable")
    order = np.repeat(order, np.where(rng.random(len(order)) < TWICE, 2, 1))
    ordered = [lines[k] for k in order.tolist()]
    for k in np.flatnonzero(rng.random(len(ordered)) < DAMAGED).tolist():
        spot = len(ordered[k]) // 2
        ordered[k] = ordered[k][:spot] + bytes([ordered[k][spot] ^ 3]) + ordered[k][spot + 1 :]
    return ordered
