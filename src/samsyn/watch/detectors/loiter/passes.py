"""To and fro over a cable or pipeline: how often a ship has come over it and turned back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samsyn.base.clock import SECOND_US
from samsyn.base.geo import turn_deg
from samsyn.base.limits import SITUATIONS_FOLLOWED
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.loiter.common import median_speed_kn
from samsyn.watch.finding import Finding
from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.recent import Recent
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step
from samsyn.watch.zones import INFRASTRUCTURE, Zone


class _ToAndFro(Situation):
    passes = 0
    pass_us = 0  # when she turned back after the last one


class Passes:
    """For each ship near a corridor: the course she came with, and how often she has reversed it after
    she had been over it."""

    def __init__(
        self, definition: Definition, zones: Sequence[Zone], recent: Recent, harbours: Places
    ) -> None:
        self._definition = definition
        self._harbours = harbours
        self._recent = recent
        lines = [zone for zone in zones if zone.sort in INFRASTRUCTURE]
        self._near = Places(lines, definition.value("beside_m"))
        self._over = Places(lines)
        self._followed: dict[int, _ToAndFro] = {}
        self._ship = SlotArrays(
            {
                "near_us": (np.int64, NEVER_US // 2),
                "since_us": (np.int64, 0),
                "course_deg": (np.float32, np.nan),
                "was_over": (np.bool_, False),
                "passes": (np.int16, 0),
            }
        )

    def minute(self, step: Step, ships: Rows, judged: Array) -> list[Finding]:
        """ships: at most one row a slot; judged: which of them may be looked at."""
        if not self._near.zones:
            return []
        value = self._definition.value
        pace = ships.speed_kn >= value("pass_speed_kn")
        at = trues(judged & pace & (ships.speed_kn <= value("pass_speed_max_kn")))
        zone = self._near.where(ships.lat[at], ships.lon[at])
        at, zone = at[zone != NOWHERE], zone[zone != NOWHERE]
        out = self._harbours.where(ships.lat[at], ships.lon[at]) == NOWHERE
        at, zone = at[out], zone[out]
        found = self._near_by(step, ships, at, zone) if len(at) else []
        return found + self._left(step)

    def _near_by(self, step: Step, ships: Rows, at: Array, zone: Array) -> list[Finding]:
        value, state = self._definition.value, self._ship
        state.reserve(len(step.known))
        slot, time_us, course = ships.slot[at], ships.time_us[at], ships.course_deg[at]
        fresh = time_us - state["near_us"][slot] > value("pass_gap_s") * SECOND_US
        state["since_us"][slot[fresh]] = time_us[fresh]
        state["course_deg"][slot[fresh]] = course[fresh]
        state["was_over"][slot[fresh]] = False
        state["passes"][slot[fresh]] = 0
        state["near_us"][slot] = time_us
        over = self._over.where(ships.lat[at], ships.lon[at]) != NOWHERE
        state["was_over"][slot[over]] = True
        back = turn_deg(course, state["course_deg"][slot]) >= value("pass_turn_deg")
        done = back & state["was_over"][slot]
        state["course_deg"][slot[back]] = course[back]
        state["passes"][slot[done]] += 1
        state["was_over"][slot[done]] = over[done]
        found: list[Finding] = []
        for k in trues(state["passes"][slot] > 0).tolist():
            found += self._one(step, ships, int(at[k]), self._near.zones[int(zone[k])].name)
        return found

    def _one(self, step: Step, ships: Rows, i: int, zone: str) -> list[Finding]:
        """A ship that has been over it and turned back at least once."""
        slot, passes = int(ships.slot[i]), int(self._ship["passes"][ships.slot[i]])
        followed = self._followed.get(slot)
        if followed is None:
            if len(self._followed) >= SITUATIONS_FOLLOWED:
                return []
            followed = self._followed[slot] = _ToAndFro(
                self._definition,
                step,
                ships,
                i,
                lead_up=self._recent.rows(slot),
                zone=zone,
                start_us=int(self._ship["since_us"][slot]),
            )
        else:
            followed.observe(step, ships, i)
        if passes <= followed.passes:
            return []
        followed.passes, followed.pass_us = passes, int(ships.time_us[i])
        enough = passes >= self._definition.value("passes")
        return [self._write(followed, followed.pass_us)] if enough else []

    def _left(self, step: Step) -> list[Finding]:
        found = []
        for slot, followed in list(self._followed.items()):
            if step.end_us - followed.arrived_us > self._definition.value("pass_gap_s") * SECOND_US:
                del self._followed[slot]
                if followed.raised:
                    found.append(self._write(followed, step.end_us, "left"))
        return found

    def _write(self, followed: _ToAndFro, at_us: int, because: str | None = None) -> Finding:
        return followed.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "passes": float(followed.passes),
                "duration_s": (followed.pass_us - followed.start_us) / SECOND_US,
                "speed_kn": median_speed_kn(followed),
            },
            thresholds={
                "passes": self._definition.value("passes"),
                "speed_max_kn": self._definition.value("pass_speed_max_kn"),
            },
            known_errors=("work", "approximate-line"),
            because=because,
            end_us=None if because is None else followed.pass_us,
        )
