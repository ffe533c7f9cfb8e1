"""What truly happened, as far as it follows from the ways alone: entries, closeness, jamming; and
whether what happened could be heard at all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
import shapely

from samsyn.base.geo import METRES_PER_NM
from samsyn.sim.traffic.cast import (
    CARGO,
    FISHING_SHIP,
    PILOT,
    SURVEY,
    TANKER,
    TOWING,
    TUG,
    Cast,
    Craft,
    Truth,
)
from samsyn.sim.traffic.motion import AT_ANCHOR, MOORED, UNDER_WAY, Floats, nm
from samsyn.sim.traffic.reports import HORIZON_KM, Sent, chance
from samsyn.sim.traffic.scenario import Line, Zone

AIR_GRID_S: Final = 8.0
SEA_GRID_S: Final = 20.0
CIVIL_M, CIVIL_FT = 5 * METRES_PER_NM, 1_000.0
TERMINAL_M, TERMINAL_FT = 3 * METRES_PER_NM, 10_000.0  # nearer to airports
PASS_MUST_M, PASS_MAY_M = 150.0, 450.0  # two ships under way: a collision course; too near for comfort
JAM_CRAFT_MIN: Final = 4  # aircraft that a jammer reached, before its area must be found
CELL_NM: Final = 25.0  # from a jammed aircraft to the middle of the cell that it is counted in, and more
JAMMED_S: Final = 120.0  # each of them at least so long
CLIPPED_M: Final = 400.0  # a way so near to a zone may clip its corner between two samples
SLOW_MAY_KN, SLOW_MUST_KN = 2.2, 1.5  # over a cable
OVER_MAY_S, OVER_MUST_S = 1_500.0, 2_700.0  # a stay over a cable; the definition says half an hour
OVER_GAP_S: Final = 900.0  # out of the corridor or faster for so long does not end a stay
ROADS_M: Final = 2_000.0  # around an anchorage a ship lies as others do
LEFT_M: Final = {True: 500.0, False: 1_852.0}  # sea, air: how far outside one has left a zone


def from_ways(cast: Cast) -> None:
    """Adds the truths that follow from where all craft were."""
    judges = cast.said.scenario.judges
    for zone in cast.said.zone:
        if not zone.anchorage and "zone-entry" in judges:
            _entries(cast, zone)
    if "loiter" in judges:
        _slow_over_lines(cast)
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
    numbers = Counter(craft.number for craft in cast.craft)
    for craft in cast.craft:
        path = craft.path
        if ("sea" if craft.sea else "air") not in zone.domains:
            continue
        if path.x.max() < west or path.x.min() > east or path.y.max() < south or path.y.min() > north:
            continue
        level = (path.altitude_ft >= low) & (path.altitude_ft <= high)
        inside = shapely.contains_xy(area, path.x, path.y) & level
        edge = shapely.contains_xy(area.buffer(CLIPPED_M), path.x, path.y)
        edge &= (path.altitude_ft >= low - 150) & (path.altitude_ft <= high + 150)
        if edge.any() and not inside.any():
            times = path.t_s[edge]
            cast.happens(
                "zone-entry", "at its edge", [craft], times[0], times[-1], zone=zone.name, counts="may"
            )
        near = shapely.contains_xy(area.buffer(LEFT_M[craft.sea]), path.x, path.y)
        near &= (path.altitude_ft >= low - 300) & (path.altitude_ft <= high + 300)
        for begin, end in _stays(inside, near):
            if begin == 0:
                continue
            long = path.t_s[end] - path.t_s[begin] >= (300 if craft.sea else 40)
            sure = long and not craft.claims and numbers[craft.number] == 1
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


def _slow_over_lines(cast: Cast) -> None:
    """Merchant ships that lie slow over a cable, whatever else happens to them.

    Ships that fish, tow and survey do so in their work, and ships in roadsteads lie there: a finding
    about them is a false alarm. One that is carried over it without power, or has left the middle of the
    corridor, may be told or not.
    """
    roads = shapely.union_all(
        [
            shapely.Polygon([nm(corner) for corner in zone.outline]).buffer(ROADS_M)
            for zone in cast.said.zone
            if zone.anchorage
        ]
    )
    for line in cast.said.line:
        cable = shapely.LineString([nm(place) for place in line.way])
        shapely.prepare(cable)
        for craft in cast.craft:
            if not craft.sea or craft.type not in (CARGO, TANKER) or craft.beacon or craft.claims:
                continue
            path = craft.path
            slow = np.flatnonzero((path.speed_kn < SLOW_MAY_KN) & (path.status != MOORED))
            if not len(slow):
                continue
            places = shapely.points(path.x[slow], path.y[slow])
            over = shapely.dwithin(places, cable, line.corridor_m + 50)
            over &= ~shapely.intersects(places, roads)
            rows = [(float(path.t_s[k]), int(k)) for k in slow[over]]
            for run in _runs(rows, OVER_GAP_S) if rows else ():
                _lies_over(cast, craft, shapely.distance(cable, places), slow, run, line)


def _lies_over(
    cast: Cast, craft: Craft, away_m: Floats, slow: Any, run: list[tuple[float, int]], line: Line
) -> None:
    """One stay of a ship over a cable. away_m: from it, at each of the samples `slow`."""
    begin_s, end_s = run[0][0], run[-1][0]
    known = any(
        t.detector == "loiter" and craft.id in t.craft and t.start_s < end_s and begin_s < t.end_s
        for t in cast.truths
    )
    if known or end_s - begin_s < OVER_MAY_S:
        return
    cast.happens("loiter", "lay over a cable", [craft], begin_s, end_s, counts="may")
    path, at = craft.path, np.array([k for _, k in run])
    still = away_m[np.searchsorted(slow, at)] < line.corridor_m - 150
    still &= (path.speed_kn[at] < SLOW_MUST_KN) & np.isin(path.status[at], (UNDER_WAY, AT_ANCHOR))
    for t in cast.truths:
        if t.detector in ("drift", "anchor-drag") and craft.id in t.craft:
            still &= (path.t_s[at] < t.start_s) | (path.t_s[at] > t.end_s)
    rows = [row for row, so in zip(run, still, strict=True) if so]
    for stay in _runs(rows, 60.0) if rows else ():
        if stay[-1][0] - stay[0][0] >= OVER_MUST_S:
            cast.happens("loiter", "lay over a cable", [craft], stay[0][0], stay[-1][0])


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
        if two[0].number == two[1].number or all(one.ferry for one in two):
            continue  # ferries of a line meet each other all day: a finding about them is a false alarm
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
    """Counts as the definition of encounter-air has it: neither low nor slow nor a formation."""
    times = np.array([row[0] for row in run])
    low = np.minimum(*(c.path.read(times, "altitude_ft") for c in two))
    slow = np.minimum(*(c.path.read(times, "speed_kn") for c in two))
    away, apart = np.array(run)[:, 1], np.array(run)[:, 2]
    least_m = np.where(low < TERMINAL_FT + 500, TERMINAL_M, CIVIL_M)
    deep = (away < 0.85 * least_m) & (apart < 0.85 * CIVIL_FT) & (low > 6_500) & (slow > 100)
    together = times[0] - max(float(c.path.t_s[0]) for c in two) < 120
    honest = not any(c.claims or c.gone_wrong or _jammed(cast, c, times) for c in two)
    cast.happens(
        "encounter-air",
        "under the civil minimum",
        two,
        times[0],
        times[-1],
        counts="must" if deep.sum() >= 4 and honest and not together else "may",
    )


def _jammed(cast: Cast, craft: Craft, times: Floats) -> bool:
    """Whether a jammer reaches an aircraft within ten minutes of some times: then its places are not
    its own."""
    for jam in cast.jams:
        if jam.begin_s - 600 < times[-1] and times[0] < jam.end_s + 600:
            x, y = craft.path.read(times, "x") - jam.place[0], craft.path.read(times, "y") - jam.place[1]
            if np.hypot(x, y).min() < jam.radius_m + 20 * METRES_PER_NM:
                return True
    return False


def _sea_pass(cast: Cast, two: list[Craft], run: list[tuple[float, float, float]]) -> None:
    """Ships that pass near, other than those that a situation brought together already."""
    nearest = min(_cpa_m(two, row[0]) for row in run)
    known = [
        t.end_s
        for t in cast.truths
        if t.detector == "encounter-sea"
        and {c.id for c in two} <= set(t.craft)
        and t.start_s - 600 < run[-1][0]
        and run[0][0] < t.end_s + 600
    ]
    usual = not any(c.claims or c.type in (FISHING_SHIP, SURVEY) for c in two)
    if known:  # and after what was known they may go on together
        after = [row for row in run if row[0] > max(known) and row[1] < PASS_MAY_M]
        if after:
            cast.happens(
                "encounter-sea",
                "went on beside each other",
                two,
                after[0][0],
                after[-1][0],
                counts="may",
            )
    elif nearest < PASS_MAY_M:
        cast.happens(
            "encounter-sea",
            "passed near",
            two,
            run[0][0] - 1200,
            run[-1][0] + 300,
            counts="must" if nearest < PASS_MUST_M and usual else "may",
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
        reached: list[tuple[Craft, float, float]] = []
        for craft in cast.craft:
            path = craft.path
            during = (path.t_s >= jam.begin_s) & (path.t_s <= jam.end_s) & path.on
            if craft.sea or not during.any():
                continue
            x, y = path.x[during] - jam.place[0], path.y[during] - jam.place[1]
            horizon = HORIZON_KM * 1000 * (np.sqrt(30) + np.sqrt(path.altitude_ft[during] * 0.3048))
            hit = path.t_s[during][np.hypot(x, y) <= np.minimum(jam.radius_m, horizon)]
            if len(hit):
                reached.append((craft, float(hit[0]), float(hit[-1])))
        if reached:
            craft_ = [one for one, _, _ in reached]
            first_s, last_s = min(a for _, a, _ in reached), max(b for _, _, b in reached)
            long = sum(b - a >= JAMMED_S for _, a, b in reached)
            where = {"at": jam.place, "reach_nm": jam.radius_m / METRES_PER_NM + CELL_NM}
            counts = "must" if long >= JAM_CRAFT_MIN else "may"
            cast.happens("interference", "jammed", craft_, first_s, last_s, counts=counts, **where)
            for detector in ("implausible", "silence"):
                cast.happens(detector, "jammed", craft_, first_s, last_s, counts="may", at=jam.place)


# How often a craft must have been heard in a situation, for anybody to be able to tell.
HEARD_CHANCE, HEARD_SHARE = 0.4, 0.85
STOPPED_S: Final = 30.0  # how long she takes to stop
STOP_S: Final = 90.0  # with nobody heard for longer before or after it, nobody knows how long she took
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
        enough &= _would_be_heard(cast, truth)
    elif truth.detector == "zone-entry":
        before_s = 300.0 if truth.craft[0].startswith("icao") else 1800.0
        enough = all(_within(t, truth.start_s, truth.end_s) >= HEARD_MIN["zone-entry"] for t in times)
        enough &= all(_within(t, truth.start_s - before_s, truth.start_s) >= 2 for t in times)
    elif truth.detector == "sudden-stop":  # a report of before and one of after it, both soon
        begin_s = truth.start_s
        soon = ((begin_s - STOP_S, begin_s), (begin_s + STOPPED_S, begin_s + STOPPED_S + STOP_S))
        enough = all(_within(t, truth.start_s, truth.end_s) >= 20 for t in times)
        enough &= all(_within(t, *span_s) >= 1 for t in times for span_s in soon)
    else:
        least = HEARD_MIN.get(truth.detector, 20)
        enough = all(_within(t, truth.start_s, truth.end_s) >= least for t in times)
    return (
        truth
        if enough
        else msgspec.structs.replace(truth, counts="may", what=f"{truth.what}, hardly heard")
    )


def _would_be_heard(cast: Cast, truth: Truth) -> bool:
    """Whether a silent craft was nearly always where a receiver that worked reached."""
    craft = next(c for c in cast.craft if c.id == truth.craft[0])
    t_s = np.linspace(truth.start_s, truth.end_s, 60)
    x, y, altitude = (craft.path.read(t_s, name) for name in ("x", "y", "altitude_ft"))
    sent = Sent(t_s, x, y, altitude, {})
    reached = [
        chance(receiver, sent, craft, cast.seed)
        for receiver in cast.said.receiver
        if (receiver.hears == "sea") == craft.sea
    ]
    return bool((np.max(reached, axis=0) > HEARD_CHANCE).mean() > HEARD_SHARE)


def _within(times_s: Floats, begin_s: float, end_s: float) -> int:
    return int(np.searchsorted(times_s, end_s, "right") - np.searchsorted(times_s, begin_s))
