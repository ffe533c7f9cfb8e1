"""Paths against zones: whole steps at once for where nothing happens, row by row where it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from samsyn.base import limits
from samsyn.base.clock import SECOND_US
from samsyn.base.geo import KNOT_M_S, distance_m
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA
from samsyn.observations.plausible import (
    AIR_JUMP_M_MIN,
    AIR_SPEED_KN_MAX,
    SEA_JUMP_M_MIN,
    SEA_SPEED_KN_MAX,
)
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Step
from samsyn.watch.zones import AREA, Zone

OUTSIDE: Final = 0
ENTERED: Final = 1  # seen to come in: there is a finding
PRESENT: Final = 2  # inside when first heard


@dataclass
class _Watched:
    """A zone, what it is widened to for leaving it, by domain, and the findings open in it."""

    zone: Zone
    column: int
    wide: dict[int, BaseGeometry]
    open: dict[int, _Stay]


class _Stay(Situation):
    inside_us = 0  # last seen inside
    crossed_only = False
    unheard_s = 0.0


class Detector:
    """Follows every craft that is in a zone."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        margin_m = {
            DOMAIN_SEA: definition.value("margin_sea_m"),
            DOMAIN_AIR: definition.value("margin_air_m"),
        }
        zones = [zone for zone in zones if zone.sort == AREA]
        self._zones = [
            _Watched(zone, k, {d: zone.widened(margin_m[d]) for d in zone.domains}, {})
            for k, zone in enumerate(zones)
        ]
        self._where = SlotArrays({"state": (np.int8, OUTSIDE, max(len(zones), 1))})
        self._bounds = np.array([zone.geometry.bounds for zone in zones]).reshape(-1, 4)

    def step(self, step: Step) -> list[Finding]:
        if not self._zones:
            return []
        found: list[Finding] = []
        if len(step.fixes):
            self._where.reserve(len(step.known))
            for watched, at in self._near(step):
                found += self._in_zone(step, watched, at)
        for watched in self._zones:
            if watched.open:
                found += self._lost(step, watched)
        return found

    def _near(self, step: Step) -> list[tuple[_Watched, Array]]:
        """For each zone the fixes whose way there touches its bounds, or that are in it."""
        fixes, before = step.fixes, step.before
        lat0 = np.where(np.isnan(before["lat"]), fixes.lat, before["lat"])
        lon0 = np.where(np.isnan(before["lon"]), fixes.lon, before["lon"])
        west, east = np.minimum(fixes.lon, lon0), np.maximum(fixes.lon, lon0)
        south, north = np.minimum(fixes.lat, lat0), np.maximum(fixes.lat, lat0)
        states = self._where["state"]
        found = []
        for watched, (w, s, e, n) in zip(self._zones, self._bounds.tolist(), strict=True):
            touches = (east >= w) & (west <= e) & (north >= s) & (south <= n)
            touches |= states[fixes.slot, watched.column] != OUTSIDE
            if touches.any():
                at = trues(touches)
                domain = step.known.state["domain"][fixes.slot[at]]
                at = at[np.isin(domain, list(watched.zone.domains))]
                if len(at):
                    found.append((watched, at))
        return found

    def _in_zone(self, step: Step, watched: _Watched, at: Array) -> list[Finding]:
        """Fixes `at` against one zone. Only those at which something may change go one by one."""
        fixes = step.fixes
        zone, states = watched.zone, self._where["state"]
        slot = fixes.slot[at]
        inside = shapely.contains_xy(zone.geometry, fixes.lon[at], fixes.lat[at])
        if zone.floor_ft is not None or zone.ceiling_ft is not None:
            inside &= _level(zone, _altitude(step, at), 0.0)
        was = states[slot, watched.column]
        first = self._leapt(step, at)
        changes = inside != (was != OUTSIDE)
        quiet = ~inside & (was == OUTSIDE) & ~first
        changes[quiet] = self._crosses(step, zone, at[quiet])
        changes |= was == ENTERED
        touched = np.unique(slot[changes])
        found: list[Finding] = []
        for k in trues(np.isin(slot, touched)).tolist():
            found += self._one(step, watched, int(at[k]), bool(inside[k]))
        return found

    def _leapt(self, step: Step, at: Array) -> Array:
        """Whether fixes `at` are a craft's first, or out of reach from the one before: two craft that
        use one number are in two places in turn, and none of their ways between is one."""
        fixes, before = step.fixes, step.before
        never = before["time_us"][at] == NEVER_US
        air = step.known.is_air(fixes.slot[at])
        between_s = np.where(never, 0, fixes.time_us[at] - before["time_us"][at]) / SECOND_US
        speed_kn = np.where(air, AIR_SPEED_KN_MAX, SEA_SPEED_KN_MAX)
        slack_m = np.where(air, AIR_JUMP_M_MIN, SEA_JUMP_M_MIN)
        way_m = distance_m(before["lat"][at], before["lon"][at], fixes.lat[at], fixes.lon[at])
        found: Array = never | (way_m > slack_m + speed_kn * KNOT_M_S * between_s)
        return found

    def _crosses(self, step: Step, zone: Zone, at: Array) -> Array:
        """Whether the straight ways to fixes `at`, both ends outside, may cross the zone."""
        fixes, before = step.fixes, step.before
        crosses = np.zeros(len(at), bool)
        if not len(at):
            return crosses
        lat0, lon0 = before["lat"][at], before["lon"][at]
        air = step.known.is_air(fixes.slot[at])
        value = self._definition.value
        known_us = np.where(air, value("path_air_s"), value("path_sea_s")) * SECOND_US
        way = (fixes.time_us[at] - before["time_us"][at] <= known_us) & (
            np.abs(fixes.lon[at] - lon0) < 180
        )
        way &= distance_m(lat0, lon0, fixes.lat[at], fixes.lon[at]) >= value("path_m")
        if zone.floor_ft is not None or zone.ceiling_ft is not None:
            end = _altitude(step, at)
            start = np.where(np.isnan(before["altitude_ft"][at]), end, before["altitude_ft"][at])
            way &= np.maximum(start, end) >= (-np.inf if zone.floor_ft is None else zone.floor_ft)
            way &= np.minimum(start, end) <= (np.inf if zone.ceiling_ft is None else zone.ceiling_ft)
        if way.any():
            ends = np.stack(
                [
                    np.column_stack([lon0, lat0])[way],
                    np.column_stack([fixes.lon[at], fixes.lat[at]])[way],
                ],
                axis=1,
            )
            crosses[way] = shapely.intersects(zone.geometry, shapely.linestrings(ends))
        return crosses

    def _one(self, step: Step, watched: _Watched, i: int, inside: bool) -> list[Finding]:
        fixes, before = step.fixes, step.before
        slot, time_us = int(fixes.slot[i]), int(fixes.time_us[i])
        states = self._where["state"][:, watched.column]
        first = bool(self._leapt(step, np.array([i]))[0])
        if states[slot] == OUTSIDE:
            full = sum(len(one.open) for one in self._zones) >= limits.CRAFT_FOLLOWED
            if inside and (first or full):
                states[slot] = PRESENT
                return []
            crossing = not inside and not first and self._path_inside(step, watched.zone, i)
            if not inside and (not crossing or full):
                return []
            states[slot] = ENTERED
            stay = _Stay(
                self._definition,
                step,
                fixes,
                i,
                lead_up=self._recent.rows(slot),
                zone=watched.zone.name,
            )
            stay.crossed_only = crossing
            stay.unheard_s = (time_us - int(before["time_us"][i])) / SECOND_US
            stay.inside_us = time_us
            watched.open[slot] = stay
            return [self._write(step, watched, stay, time_us)]
        stay_on = watched.open.get(slot)
        if inside or not self._has_left(step, watched, i):
            return self._stays(step, watched, stay_on, i, inside) if stay_on is not None else []
        states[slot] = OUTSIDE
        if stay_on is None:
            return []
        stay_on.observe(step, fixes, i)
        del watched.open[slot]
        return [self._write(step, watched, stay_on, time_us, "left")]

    def _stays(self, step: Step, watched: _Watched, stay: _Stay, i: int, inside: bool) -> list[Finding]:
        time_us = int(step.fixes.time_us[i])
        stay.observe(step, step.fixes, i)
        if inside:
            stay.inside_us, stay.crossed_only = time_us, False
        air = step.known.flies(stay.slot)
        every_s = self._definition.value("update_air_s" if air else "update_sea_s")
        if time_us - stay.written_us < every_s * SECOND_US:
            return []
        return [self._write(step, watched, stay, time_us)]

    def _path_inside(self, step: Step, zone: Zone, i: int) -> bool:
        """Whether the way to fix `i` is inside the zone within its levels somewhere; the altitude
        is taken to change evenly along it."""
        if not self._crosses(step, zone, np.array([i]))[0]:
            return False
        if zone.floor_ft is None and zone.ceiling_ft is None:
            return True
        end = float(_altitude(step, np.array([i]))[0])
        start = float(step.before["altitude_ft"][i])
        start = end if np.isnan(start) else start
        line = shapely.LineString(
            [
                (step.before["lon"][i], step.before["lat"][i]),
                (step.fixes.lon[i], step.fixes.lat[i]),
            ]
        )
        for part in shapely.get_parts(shapely.intersection(line, zone.geometry)):
            shares = [line.project(shapely.Point(xy), normalized=True) for xy in part.coords]
            levels = [start + (end - start) * share for share in shares]
            low, high = min(levels), max(levels)
            if (zone.floor_ft is None or high >= zone.floor_ft) and (
                zone.ceiling_ft is None or low <= zone.ceiling_ft
            ):
                return True
        return False

    def _has_left(self, step: Step, watched: _Watched, i: int) -> bool:
        fixes = step.fixes
        domain = int(step.known.state["domain"][fixes.slot[i]])
        if not shapely.contains_xy(watched.wide[domain], fixes.lon[i], fixes.lat[i]):
            return True
        zone = watched.zone
        altitude = _altitude(step, np.array([i]))
        if (zone.floor_ft is None and zone.ceiling_ft is None) or np.isnan(altitude[0]):
            return False
        return not bool(_level(zone, altitude, self._definition.value("margin_ft"))[0])

    def _lost(self, step: Step, watched: _Watched) -> list[Finding]:
        found = []
        for slot, stay in list(watched.open.items()):
            air = step.known.flies(slot)
            lost_s = self._definition.value("lost_air_s" if air else "lost_sea_s")
            if step.end_us - stay.arrived_us > lost_s * SECOND_US:
                del watched.open[slot]
                self._where["state"][slot, watched.column] = OUTSIDE
                found.append(self._write(step, watched, stay, step.end_us, "no-longer-heard"))
        return found

    def _write(
        self, step: Step, watched: _Watched, stay: _Stay, at_us: int, because: str | None = None
    ) -> Finding:
        air = step.known.flies(stay.slot)
        path_s = self._definition.value("path_air_s" if air else "path_sea_s")
        known = ["position-claimed"]
        if stay.crossed_only:
            known.append("clipped-corner")
        if stay.unheard_s > path_s:
            known.append("entered-unheard")
        if air:
            known.append("pressure-altitude")
        return stay.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "depth_m": watched.zone.depth_m(*stay.place) if stay.place else 0.0,
                "inside_s": (stay.inside_us - stay.start_us) / SECOND_US,
                "unheard_before_s": stay.unheard_s,
            },
            thresholds={
                "depth_m": 0.0,
                "unheard_before_s": path_s,
                "margin_m": self._definition.value("margin_air_m" if air else "margin_sea_m"),
            },
            known_errors=tuple(known),
            because=because,
            end_us=None if because is None else stay.inside_us,
        )


def _altitude(step: Step, at: Array) -> Array:
    """Of fixes `at`: ships and aircraft on the ground are at 0 ft; a fix that says none has that of
    the fix before it, or NaN."""
    fixes = step.fixes
    altitude = np.where(
        np.isnan(fixes.altitude_ft[at]), step.before["altitude_ft"][at], fixes.altitude_ft[at]
    )
    low = (fixes.on_ground[at] == 1) | ~step.known.is_air(fixes.slot[at])
    found: Array = np.where(low, 0.0, altitude)
    return found


def _level(zone: Zone, altitude_ft: Array, margin_ft: float) -> Array:
    """Whether altitudes are within the bounds, widened by `margin_ft`; NaN never is."""
    floor = -np.inf if zone.floor_ft is None else zone.floor_ft - margin_ft
    ceiling = np.inf if zone.ceiling_ft is None else zone.ceiling_ft + margin_ft
    found: Array = (altitude_ft >= floor) & (altitude_ft <= ceiling)
    return found
