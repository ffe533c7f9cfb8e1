"""What truly happened, as far as it follows from the ways alone: entries, closeness, jamming; and
whether what happened could be heard at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
import shapely

from samsyn.base.geo import METRES_PER_NM
from samsyn.sim.traffic.cast import PILOT, TOWING, TUG, Cast, Craft, Truth
from samsyn.sim.traffic.motion import Floats, nm
from samsyn.sim.traffic.reports import HORIZON_KM
from samsyn.sim.traffic.scenario import Zone

AIR_GRID_S: Final = 8.0
SEA_GRID_S: Final = 20.0
CIVIL_M, CIVIL_FT = 5 * METRES_PER_NM, 1_000.0
PASS_MUST_M, PASS_MAY_M = 150.0, 450.0  # two ships under way: a collision course; too near for comfort
JAM_CRAFT_MIN: Final = 4  # aircraft that a jammer reached, before its area must be found
LEFT_M: Final = {True: 500.0, False: 1_852.0}  # sea, air: how far outside one has left a zone


def from_ways(cast: Cast) -> None:
    """Adds the truths that follow from where all craft were."""
    judges = cast.said.scenario.judges
    for zone in cast.said.zone:
        if not zone.anchorage and "zone-entry" in judges:
            _entries(cast, zone)
    if "encounter-air" in judges:
        _closeness(cast, sea=False)
    if "encounter-sea" in judges:
        _closeness(cast, sea=True)
    _jamming(cast)


def _entries(cast: Cast, zone: Zone) -> None:
    """Craft that come into a zone: from outside to inside; inside until beyond a margin."""
    area = shapely.Polygon([nm(corner) for corner in zone.outline])
    low = -np.inf if zone.floor_ft is None else zone.floor_ft
    high = np.inf if zone.ceiling_ft is None else zone.ceiling_ft
    west, south, east, north = area.bounds
    shapely.prepare(area)
    for craft in cast.craft:
        path = craft.path
        if ("sea" if craft.sea else "air") not in zone.domains:
            continue
        if path.x.max() < west or path.x.min() > east or path.y.max() < south or path.y.min() > north:
            continue
        level = (path.altitude_ft >= low) & (path.altitude_ft <= high)
        inside = shapely.contains_xy(area, path.x, path.y) & level
        near = shapely.contains_xy(area.buffer(LEFT_M[craft.sea]), path.x, path.y)
        near &= (path.altitude_ft >= low - 300) & (path.altitude_ft <= high + 300)
        for begin, end in _stays(inside, near):
            if begin == 0:
                continue
            long = path.t_s[end] - path.t_s[begin] >= (300 if craft.sea else 40)
            sure = long and not craft.claims
            cast.happens(
                "zone-entry",
                "came in",
                [craft],
                float(path.t_s[begin]),
                float(path.t_s[end]),
                zone=zone.name,
                counts="must" if sure else "may",
            )


def _stays(inside: Any, near: Any) -> Iterator[tuple[int, int]]:
    """(first, last) of each stay: it begins inside and lasts while near."""
    k, count = 0, len(inside)
    begins, gone = np.flatnonzero(inside), np.flatnonzero(~near)
    while k < count:
        nth = np.searchsorted(begins, k)
        if nth == len(begins):
            return
        begin = int(begins[nth])
        left = np.searchsorted(gone, begin)
        end = int(gone[left]) if left < len(gone) else count - 1
        yield begin, end
        k = end + 1


def _closeness(cast: Cast, *, sea: bool) -> None:
    """Pairs of aircraft under the civil minimum; pairs of ships under way that pass too near."""
    craft = [
        c for c in cast.craft if c.sea == sea and c.type not in (PILOT, TOWING, TUG) and not c.beacon
    ]
    grid_s = SEA_GRID_S if sea else AIR_GRID_S
    reach_m = PASS_MAY_M + 300 if sea else CIVIL_M
    pairs: dict[tuple[int, int], list[tuple[float, float, float]]] = defaultdict(list)
    for t_s, ids, x, y, z, speed in _moments(craft, cast.end_s, grid_s):
        move = np.flatnonzero(speed > 3) if sea else np.arange(len(ids))
        for i, j, away in _near(x[move], y[move], reach_m):
            a, b = int(move[i]), int(move[j])
            if sea or abs(z[a] - z[b]) < CIVIL_FT:
                pairs[int(ids[a]), int(ids[b])].append((t_s, away, abs(z[a] - z[b])))
    for (a, b), rows in pairs.items():
        two = [craft[a], craft[b]]
        if two[0].number == two[1].number:
            continue
        for run in _runs(rows, 15 * grid_s):
            (_sea_pass if sea else _air_close)(cast, two, run)


def _moments(
    craft: list[Craft], end_s: float, grid_s: float
) -> Iterator[tuple[float, Any, Floats, Floats, Floats, Floats]]:
    """At each moment of a grid who is there (places in `craft`) and where."""
    count = int(end_s / grid_s) + 1
    at: list[list[int]] = [[] for _ in range(count)]
    columns: list[tuple[int, Floats]] = []
    for k, one in enumerate(craft):
        path = one.path
        first, last = int(np.ceil(path.t_s[0] / grid_s)), int(path.t_s[-1] / grid_s)
        t_s = grid_s * np.arange(first, last + 1)
        read = [path.read(t_s, name) for name in ("x", "y", "altitude_ft", "speed_kn")]
        columns.append((first, np.array(read)))
        for n in range(max(first, 0), min(last + 1, count)):
            at[n].append(k)
    for n, ids in enumerate(at):
        if len(ids) > 1:
            x, y, z, speed = np.array([columns[k][1][:, n - columns[k][0]] for k in ids]).T
            yield n * grid_s, np.array(ids), x, y, z, speed


def _near(x: Floats, y: Floats, reach_m: float) -> Iterable[tuple[int, int, float]]:
    order = np.argsort(x)
    xs, ys = x[order], y[order]
    ends = np.searchsorted(xs, xs + reach_m, side="right")
    for i in np.flatnonzero(ends > np.arange(len(xs)) + 1).tolist():
        away = np.hypot(xs[i + 1 : ends[i]] - xs[i], ys[i + 1 : ends[i]] - ys[i])
        for k in np.flatnonzero(away < reach_m).tolist():
            a, b = sorted((int(order[i]), int(order[i + 1 + k])))
            yield a, b, float(away[k])


def _runs(rows: list[Any], gap_s: float) -> Iterator[list[Any]]:
    run = [rows[0]]
    for row in rows[1:]:
        if row[0] - run[-1][0] > gap_s:
            yield run
            run = []
        run.append(row)
    yield run


def _air_close(cast: Cast, two: list[Craft], run: list[tuple[float, float, float]]) -> None:
    deep = [1 for _, away, apart in run if away < 0.9 * CIVIL_M and apart < 0.9 * CIVIL_FT]
    honest = not any(c.claims or c.gone_wrong for c in two)
    cast.happens(
        "encounter-air",
        "under the civil minimum",
        two,
        run[0][0],
        run[-1][0],
        counts="must" if len(deep) >= 4 and honest else "may",
    )


def _sea_pass(cast: Cast, two: list[Craft], run: list[tuple[float, float, float]]) -> None:
    nearest = min(_cpa_m(two, row[0]) for row in run)
    known = any(
        t.detector == "encounter-sea" and {c.id for c in two} <= set(t.craft) for t in cast.truths
    )
    if nearest < PASS_MAY_M and not known:
        cast.happens(
            "encounter-sea",
            "passed near",
            two,
            run[0][0] - 1200,
            run[-1][0] + 300,
            counts="must" if nearest < PASS_MUST_M and not any(c.claims for c in two) else "may",
        )


def _cpa_m(two: list[Craft], about_s: float) -> float:
    t_s = np.arange(about_s - SEA_GRID_S, about_s + SEA_GRID_S, 1.0)
    a, b = two[0].path, two[1].path
    return float(
        np.hypot(a.read(t_s, "x") - b.read(t_s, "x"), a.read(t_s, "y") - b.read(t_s, "y")).min()
    )


def _jamming(cast: Cast) -> None:
    """Each jammer: whom it reached, and for how long."""
    for jam in cast.jams:
        reached, first_s, last_s = [], jam.end_s, jam.begin_s
        for craft in cast.craft:
            path = craft.path
            during = (path.t_s >= jam.begin_s) & (path.t_s <= jam.end_s) & path.on
            if craft.sea or not during.any():
                continue
            x, y = path.x[during] - jam.place[0], path.y[during] - jam.place[1]
            horizon = HORIZON_KM * 1000 * (np.sqrt(30) + np.sqrt(path.altitude_ft[during] * 0.3048))
            hit = path.t_s[during][np.hypot(x, y) <= np.minimum(jam.radius_m, horizon)]
            if len(hit) and hit[-1] - hit[0] >= 120:
                reached.append(craft)
                first_s, last_s = min(first_s, float(hit[0])), max(last_s, float(hit[-1]))
        if reached:
            cast.happens(
                "interference",
                "jammed",
                reached,
                first_s,
                last_s,
                at=jam.place,
                reach_nm=jam.radius_m / METRES_PER_NM + 15,
                counts="must" if len(reached) >= JAM_CRAFT_MIN else "may",
            )
            cast.happens("implausible", "jammed", reached, first_s, last_s, at=jam.place, counts="may")
            cast.happens("silence", "jammed", reached, first_s, last_s, at=jam.place, counts="may")


# How often a craft must have been heard in a situation, for anybody to be able to tell.
HEARD_MIN: Final = {"emergency": 3, "zone-entry": 4, "encounter-air": 4}


def could_be_told(cast: Cast) -> None:
    """Truths of craft that were hardly heard become "may": the receivers are at fault, not the watch."""
    cast.truths[:] = [_told(cast, truth) for truth in cast.truths]


def _told(cast: Cast, truth: Truth) -> Truth:
    if truth.counts == "may" or not truth.craft:
        return truth
    times = [cast.heard_s.get(id_, np.empty(0)) for id_ in truth.craft]
    if truth.detector == "interference":
        enough = sum(_within(t, truth.start_s, truth.end_s) >= 5 for t in times) >= JAM_CRAFT_MIN
    elif truth.detector == "silence":
        air = truth.craft[0].startswith("icao")
        span_s, least = (300.0, 40) if air else (12 * 3600.0, 60)
        enough = all(_within(t, truth.start_s - span_s, truth.start_s) >= least for t in times)
    elif truth.detector == "zone-entry":
        before_s = 300.0 if truth.craft[0].startswith("icao") else 1800.0
        enough = all(_within(t, truth.start_s, truth.end_s) >= HEARD_MIN["zone-entry"] for t in times)
        enough &= all(_within(t, truth.start_s - before_s, truth.start_s) >= 2 for t in times)
    else:
        least = HEARD_MIN.get(truth.detector, 20)
        enough = all(_within(t, truth.start_s, truth.end_s) >= least for t in times)
    return (
        truth
        if enough
        else msgspec.structs.replace(truth, counts="may", what=f"{truth.what}, hardly heard")
    )


def _within(times_s: Floats, begin_s: float, end_s: float) -> int:
    return int(np.searchsorted(times_s, end_s, "right") - np.searchsorted(times_s, begin_s))
