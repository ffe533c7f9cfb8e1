"""Sudden stops: speed from report to report; the few ships that stop are then followed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import SECOND_US
from samsyn.base.geo import KNOT_M_S, distance_m
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding
from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.recent import Recent
from samsyn.watch.ships import (
    AT_ANCHOR,
    FISHING,
    MOORED,
    NIMBLE_TYPES,
    NO_STATUS,
    NO_TYPE,
    RESTRICTED,
    one_of,
)
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step
from samsyn.watch.zones import PORT, Zone

_MADE_FAST = one_of((MOORED, AT_ANCHOR))
_NOT_JUDGED = one_of((RESTRICTED, FISHING, MOORED, AT_ANCHOR))
_NIMBLE = one_of(NIMBLE_TYPES)
_NO_TYPE = one_of(NO_TYPE)
_LEAD_US: Final = 60 * SECOND_US  # how long before the stop her way is measured from


class _Stop(Situation):
    """From the first report of lying still."""

    stop_s = 0.0
    speed_before_kn = 0.0
    reports = 1
    slow_us = 0  # the last report that said so
    lat = lon = 0.0  # where she came to rest


class Detector:
    """Follows every ship whose speed falls."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        value = definition.value
        self._fast_kn, self._slow_kn = value("fast_kn"), value("slow_kn")
        self._harbours = Places([z for z in zones if z.sort == PORT], value("harbour_margin_m"))
        self._stops: dict[int, _Stop] = {}
        self._ship = SlotArrays(
            {
                "time_us": (np.int64, NEVER_US // 2),  # halved: subtracting from it must not overflow
                "speed_kn": (np.float32, np.nan),
                "lat": (np.float64, np.nan),
                "lon": (np.float64, np.nan),
                "fell_us": (np.int64, NEVER_US // 2),  # when her speed fell below `fast_kn`
                "from_kn": (np.float32, np.nan),
            }
        )

    def step(self, step: Step) -> list[Finding]:
        ships = step.ships
        found = self._follow(step, ships) if self._stops else []
        if len(ships):
            self._ship.reserve(len(step.known))
            self._begin(step, ships)
        return found

    def _begin(self, step: Step, ships: Rows) -> None:
        """Notes speeds, and who has stopped since her last report."""
        state, slot, now_kn = self._ship, ships.slot, ships.speed_kn
        was_kn = state["speed_kn"][slot]
        falls = trues((was_kn >= self._fast_kn) & (now_kn < self._fast_kn))
        stops = trues((was_kn > self._slow_kn) & (now_kn <= self._slow_kn))
        if len(falls):
            state["fell_us"][slot[falls]] = self._when(ships, falls, was_kn, self._fast_kn)
            state["from_kn"][slot[falls]] = was_kn[falls]
        if len(stops):
            stopped_us = self._when(ships, stops, was_kn, self._slow_kn)
            took_us = stopped_us - state["fell_us"][slot[stops]]
            sudden = took_us <= self._definition.value("stop_s") * SECOND_US
            for i, us in zip(stops[sudden].tolist(), took_us[sudden].tolist(), strict=True):
                self._consider(step, ships, i, us / SECOND_US)
        said = ~np.isnan(now_kn)
        some = slice(None) if said.all() else said
        for name in ("speed_kn", "time_us", "lat", "lon"):
            state[name][slot[some]] = getattr(ships, name)[some]

    def _when(self, ships: Rows, at: Array, was_kn: Array, level_kn: float) -> Array:
        """When the speed passed a level between the last reports and these, as if it fell evenly.

        How long it fell is told by how far she came meanwhile. From v to w her mean speed is
        (v + w) / 2: who came less far at that pace was at rest before her report, who came farther
        began later. Both times are the longest that the places allow.
        """
        state, slot = self._ship, ships.slot[at]
        before_us, now_us = state["time_us"][slot], ships.time_us[at]
        gap_us = now_us - before_us
        v, w = was_kn[at] * KNOT_M_S, ships.speed_kn[at] * KNOT_M_S
        way_m = distance_m(state["lat"][slot], state["lon"][slot], ships.lat[at], ships.lon[at])
        mean_us = way_m / ((v + w) / 2) * SECOND_US
        late_us = 2 * (v * gap_us / SECOND_US - way_m) / np.maximum(v - w, 0.01) * SECOND_US
        fell_us = np.clip(np.where(mean_us < gap_us, mean_us, late_us), 0, gap_us)
        began_us = np.where(mean_us < gap_us, before_us, now_us - fell_us)
        share = (was_kn[at] - level_kn) / (was_kn[at] - ships.speed_kn[at])
        known = gap_us <= self._definition.value("gap_s") * SECOND_US
        # of a gap too long it is not known when: as if at once for the fall, and late for the stop
        unknown_us = before_us if level_kn == self._fast_kn else now_us
        return np.where(known, began_us + share * fell_us, unknown_us).astype(np.int64)

    def _consider(self, step: Step, ships: Rows, i: int, stop_s: float) -> None:
        slot = int(ships.slot[i])
        type_, status = int(step.known.state["ship_type"][slot]), int(ships.nav_status[i])
        if len(self._stops) >= limits.CRAFT_FOLLOWED:
            return
        unknown_and_small = _NO_TYPE[type_] and status == NO_STATUS
        if _NIMBLE[type_] or _NOT_JUDGED[status] or unknown_and_small or slot in self._stops:
            return
        if self._harbours.where(ships.lat[i : i + 1], ships.lon[i : i + 1])[0] != NOWHERE:
            return
        lead_up = self._recent.rows(slot)
        if not self._was_under_way(lead_up, ships, i):
            return
        stop = _Stop(self._definition, step, ships, i, lead_up=lead_up)
        stop.stop_s, stop.speed_before_kn = max(stop_s, 0.0), float(self._ship["from_kn"][slot])
        stop.slow_us = stop.start_us
        stop.lat, stop.lon = float(ships.lat[i]), float(ships.lon[i])
        self._stops[slot] = stop

    def _was_under_way(self, lead_up: list[dict[str, float]], ships: Rows, i: int) -> bool:
        """Whether she said so a minute before, too, and her positions moved: a ship that lies still may
        claim a speed for once."""
        for row in reversed(lead_up):
            before_us = int(ships.time_us[i]) - int(row["time_us"])
            if before_us >= _LEAD_US:
                if not row.get("speed_kn", 0.0) >= self._fast_kn:
                    return False
                way_m = float(distance_m(row["lat"], row["lon"], ships.lat[i], ships.lon[i]))
                return way_m >= self._definition.value("way_share") * self._fast_kn * KNOT_M_S * (
                    min(before_us, 10 * _LEAD_US) / SECOND_US
                )
        return False

    def _follow(self, step: Step, ships: Rows) -> list[Finding]:
        found: list[Finding] = []
        for slot, stop in list(self._stops.items()):
            i = int(np.searchsorted(ships.slot, slot))
            if i < len(ships) and ships.slot[i] == slot:
                found += self._one(step, ships, i, stop)
            elif step.end_us - stop.arrived_us > self._definition.value("lost_s") * SECOND_US:
                found += self._end(step.end_us, stop, "no-longer-heard")
        return found

    def _one(self, step: Step, ships: Rows, i: int, stop: _Stop) -> list[Finding]:
        value, time_us = self._definition.value, int(ships.time_us[i])
        speed_kn = float(ships.speed_kn[i])
        away_m = float(distance_m(stop.lat, stop.lon, ships.lat[i], ships.lon[i]))
        stop.observe(step, ships, i)
        lies = not speed_kn > value("held_kn") and away_m <= value("rest_m")
        if not stop.raised:
            if not lies or _MADE_FAST[int(ships.nav_status[i])]:
                del self._stops[stop.slot]
                return []
            stop.slow_us, stop.reports = time_us, stop.reports + 1
            held = time_us - stop.start_us >= value("held_s") * SECOND_US
            return [self._write(stop, time_us)] if held and stop.reports >= value("reports") else []
        if lies:
            stop.slow_us = time_us
        if speed_kn >= value("moving_kn") or away_m >= 4 * value("rest_m"):
            return self._end(time_us, stop, "moves-again")
        if time_us - stop.start_us >= value("given_up_s") * SECOND_US:
            return self._end(time_us, stop, "lies-there")
        if time_us - stop.written_us >= value("update_s") * SECOND_US:
            return [self._write(stop, time_us)]
        return []

    def _end(self, at_us: int, stop: _Stop, because: str) -> list[Finding]:
        del self._stops[stop.slot]
        return [self._write(stop, at_us, because)] if stop.raised else []

    def _write(self, stop: _Stop, at_us: int, because: str | None = None) -> Finding:
        names = {
            "speed_before_kn": "fast_kn",
            "stop_s": "stop_s",
            "held_s": "held_s",
            "reports": "reports",
        }
        return stop.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "stop_s": stop.stop_s,
                "speed_before_kn": stop.speed_before_kn,
                "held_s": (stop.slow_us - stop.start_us) / SECOND_US,
                "reports": float(stop.reports),
            },
            thresholds={mine: self._definition.value(name) for mine, name in names.items()},
            known_errors=("interference", "manoeuvre"),
            because=because,
            end_us=None if because is None else stop.slow_us,
        )
