"""Drift by net displacement, swing and navigational status.

Every craft has an episode: since when it has shown the signs (speed in the band, bow off the
course), where that began, and how far it went. Arrays find whose episode is long enough; only
those few are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import SECOND_US
from samsyn.base.geo import KNOT_M_S, bearing_deg, distance_m, turn_deg
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.ships import FISHING, HELD, NOT_UNDER_COMMAND, RESTRICTED, WORKING_TYPES, one_of
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step
from samsyn.watch.zones import Zone

PATH_EVERY_US: Final = 60 * SECOND_US  # ways are summed in legs of a minute: shorter ones sum noise

_HELD = one_of(HELD)
_NOT_JUDGED = one_of((RESTRICTED, FISHING))
_WORKING = one_of(WORKING_TYPES)


class Detector:
    """Follows every ship that shows the signs of drift."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        self._drifts: dict[int, Situation] = {}
        self._next_look_us = NEVER_US
        self._episode = SlotArrays(
            {
                "since_us": (np.int64, NEVER_US),  # NEVER_US: no episode
                "lat": (np.float64, np.nan),
                "lon": (np.float64, np.nan),
                "shown_us": (np.int64, 0),  # when the signs were last there
                "seen_us": (np.int64, 0),
                "arrived_us": (np.int64, 0),
                "leg_us": (np.int64, 0),  # the last end of a leg
                "leg_lat": (np.float64, np.nan),
                "leg_lon": (np.float64, np.nan),
                "path_m": (np.float64, 0.0),
                "shown_m": (np.float64, 0.0),  # the way until the signs were last there
                "status": (np.uint8, 255),  # the navigational status it began with
            }
        )

    def step(self, step: Step) -> list[Finding]:
        fixes = step.ships
        signs = self._signs(step, fixes)
        if not self._drifts and not np.count_nonzero(signs):
            return self._lost(step)
        self._episode.reserve(len(step.known))
        found = self._end(step, fixes, signs)
        self._begin(step, fixes, signs)
        self._advance(step, fixes)
        found += self._raise(step, fixes, signs)
        return found + self._lost(step)

    def _signs(self, step: Step, fixes: Rows) -> Array:
        value = self._definition.value
        signs: Array = fixes.speed_kn >= value("speed_min_kn") - 0.05
        signs &= fixes.speed_kn <= value("speed_max_kn")
        at = trues(signs)
        if not len(at):
            return signs
        turn, status = turn_deg(fixes.course_deg[at], fixes.heading_deg[at]), fixes.nav_status[at]
        # NaN, heading or course unknown, is never a sign
        shown = (turn >= value("turn_deg")) & ~_NOT_JUDGED[status]
        working = _WORKING[step.known.state["ship_type"][fixes.slot[at]]]
        signs[at] = shown & (~working | (status == NOT_UNDER_COMMAND))
        return signs

    def _begin(self, step: Step, fixes: Rows, signs: Array) -> None:
        episode = self._episode
        new = signs & (episode["since_us"][fixes.slot] == NEVER_US)
        if not np.count_nonzero(new):
            return
        new[trues(new)[max(limits.CRAFT_FOLLOWED - len(self._drifts), 0) :]] = False
        slot = fixes.slot[new]
        for name, values in (
            ("since_us", fixes.time_us),
            ("lat", fixes.lat),
            ("lon", fixes.lon),
            ("leg_us", fixes.time_us),
            ("leg_lat", fixes.lat),
            ("leg_lon", fixes.lon),
            ("status", fixes.nav_status),
            ("seen_us", fixes.time_us),
        ):
            episode[name][slot] = values[new]
        episode["path_m"][slot] = 0.0
        for i in trues(new).tolist():
            here = int(fixes.slot[i])
            self._drifts[here] = Situation(
                self._definition, step, fixes, i, lead_up=self._recent.rows(here)
            )

    def _end(self, step: Step, fixes: Rows, signs: Array) -> list[Finding]:
        """Ends the episodes whose signs have been absent too long, or of a ship unheard too long."""
        episode, value = self._episode, self._definition.value
        slot = fixes.slot
        active = episode["since_us"][slot] != NEVER_US
        unheard = active & (fixes.time_us - episode["seen_us"][slot] > value("gap_s") * SECOND_US)
        episode["shown_us"][slot[signs]] = fixes.time_us[signs]
        absent = active & (fixes.time_us - episode["shown_us"][slot] > value("grace_s") * SECOND_US)
        found = []
        for i in trues(unheard | absent).tolist():
            drift = self._drifts.pop(int(slot[i]))
            if drift.raised:
                if unheard[i]:
                    because, end_us = "no-longer-heard", int(episode["seen_us"][slot[i]])
                else:
                    because, end_us = _why(fixes, i), int(episode["shown_us"][slot[i]])
                    drift.observe(step, fixes, i)
                found.append(self._write(drift, int(fixes.time_us[i]), because, end_us))
        episode["since_us"][slot[unheard | absent]] = NEVER_US
        return found

    def _advance(self, step: Step, fixes: Rows) -> None:
        """Sums the ways of the episodes and keeps their evidence."""
        episode = self._episode
        slot = fixes.slot
        active = trues(episode["since_us"][slot] != NEVER_US)
        slot = slot[active]
        episode["seen_us"][slot] = fixes.time_us[active]
        episode["arrived_us"][slot] = step.end_us
        shows = episode["shown_us"][slot] == fixes.time_us[active]
        episode["shown_m"][slot[shows]] = episode["path_m"][slot[shows]]
        leg = fixes.time_us[active] - episode["leg_us"][slot] >= PATH_EVERY_US
        active, slot = active[leg], slot[leg]
        if not len(slot):
            return
        lat, lon = fixes.lat[active], fixes.lon[active]
        episode["path_m"][slot] += distance_m(
            episode["leg_lat"][slot], episode["leg_lon"][slot], lat, lon
        )
        episode["leg_us"][slot] = fixes.time_us[active]
        episode["leg_lat"][slot], episode["leg_lon"][slot] = lat, lon
        for i in active.tolist():
            self._drifts[int(fixes.slot[i])].observe(step, fixes, i)

    def _raise(self, step: Step, fixes: Rows, signs: Array) -> list[Finding]:
        episode, value = self._episode, self._definition.value
        slot = fixes.slot
        lasted_s = (fixes.time_us - episode["since_us"][slot]) / SECOND_US
        long = signs & (episode["since_us"][slot] != NEVER_US) & (lasted_s >= value("duration_s"))
        if not long.any():
            return []
        at = trues(long)
        slot, lasted_s = slot[at], lasted_s[at]
        net_m = distance_m(episode["lat"][slot], episode["lon"][slot], fixes.lat[at], fixes.lon[at])
        status = fixes.nav_status[at]
        enough_m = np.full(len(at), value("net_m"))
        enough_m[status == NOT_UNDER_COMMAND] = value("net_not_under_command_m")
        enough_m[_HELD[status] | _HELD[episode["status"][slot]]] = value("net_at_anchor_m")
        slow = net_m / lasted_s < value("slow_kn") * KNOT_M_S
        drifts = (net_m >= enough_m) & (~slow | (lasted_s >= value("duration_slow_s")))
        drifts &= net_m >= value("directness") * episode["path_m"][slot]
        found = []
        for i in at[drifts].tolist():
            drift, time_us = self._drifts[int(fixes.slot[i])], int(fixes.time_us[i])
            if drift.raised:
                if time_us - drift.written_us >= value("update_s") * SECOND_US:
                    found.append(self._write(drift, time_us))
            elif fixes.nav_status[i] == NOT_UNDER_COMMAND or not self._swings(drift):
                drift.observe(step, fixes, i)
                found.append(self._write(drift, time_us))
        return found

    def _swings(self, drift: Situation) -> bool:
        """Whether the way may be an arc about an anchor: the bend between its halves gives a radius."""
        rows = _since(drift)
        middle = rows[len(rows) // 2]
        (lat0, lon0), (lat1, lon1), (lat2, lon2) = (
            (row["lat"], row["lon"]) for row in (rows[0], middle, rows[-1])
        )
        net_m = float(distance_m(lat0, lon0, lat2, lon2))
        bend = float(turn_deg(bearing_deg(lat0, lon0, lat1, lon1), bearing_deg(lat1, lon1, lat2, lon2)))
        # both halves of an arc of angle a have chords that differ by a / 2 in direction
        return net_m <= 2 * self._definition.value("swing_m") * float(
            np.sin(np.radians(min(bend, 90.0)))
        )

    def _lost(self, step: Step) -> list[Finding]:
        """Closes what has not been heard for long; looked at once a minute."""
        if step.end_us < self._next_look_us:
            return []
        self._next_look_us = step.end_us + PATH_EVERY_US
        found = []
        for slot, drift in list(self._drifts.items()):
            arrived_us = int(self._episode["arrived_us"][slot])
            if step.end_us - arrived_us > self._definition.value("gap_s") * SECOND_US:
                del self._drifts[slot]
                self._episode["since_us"][slot] = NEVER_US
                if drift.raised:
                    seen_us = int(self._episode["seen_us"][slot])
                    found.append(self._write(drift, step.end_us, "no-longer-heard", seen_us))
        return found

    def _write(
        self, drift: Situation, at_us: int, because: str | None = None, end_us: int | None = None
    ) -> Finding:
        episode, slot = self._episode, drift.slot
        rows = [row for row in _since(drift) if end_us is None or row["time_us"] <= end_us]
        net_m = float(distance_m(rows[0]["lat"], rows[0]["lon"], rows[-1]["lat"], rows[-1]["lon"]))
        lasted_s = (rows[-1]["time_us"] - drift.start_us) / SECOND_US
        status = {row.get("nav_status", 255) for row in rows}
        held = status & set(HELD)
        commanded = NOT_UNDER_COMMAND not in status
        enough = "net_at_anchor_m" if held else "net_m" if commanded else "net_not_under_command_m"
        turns = [float(turn_deg(r["course_deg"], r["heading_deg"])) for r in rows if _has_turn(r)]
        speed_kn = median([row["speed_kn"] for row in rows if "speed_kn" in row])
        slow = speed_kn < self._definition.value("slow_kn")
        path_m = max(float(episode["path_m" if because is None else "shown_m"][slot]), net_m)
        known = ["heading-sensor" if commanded else "status-by-hand", "on-purpose"]
        return drift.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "duration_s": lasted_s,
                "net_m": net_m,
                "directness": net_m / path_m if path_m else 1.0,
                "speed_kn": speed_kn,
                "turn_deg": median(turns),
                "path_m": path_m,
                "direction_deg": float(
                    bearing_deg(rows[0]["lat"], rows[0]["lon"], rows[-1]["lat"], rows[-1]["lon"])
                ),
            },
            thresholds={
                **self._definition.values("directness", "turn_deg", "speed_min_kn", "speed_max_kn"),
                "net_m": self._definition.value(enough),
                "duration_s": self._definition.value("duration_slow_s" if slow else "duration_s"),
            },
            known_errors=tuple(
                known if net_m > 2 * self._definition.value("swing_m") else [*known, "large-swing"]
            ),
            because=because,
            end_us=end_us,
        )


def _since(drift: Situation) -> list[dict[str, Any]]:
    return [row for row in drift.evidence.rows() if row["time_us"] >= drift.start_us and "lat" in row]


def _has_turn(row: dict[str, Any]) -> bool:
    return "course_deg" in row and "heading_deg" in row


def _why(fixes: Rows, i: int) -> str:
    """Why a drift is over, from the fix at which its signs had been absent long enough."""
    if fixes.speed_kn[i] > 1.0:
        return "under-way"
    return "at-anchor" if _HELD[fixes.nav_status[i]] else "stopped"
