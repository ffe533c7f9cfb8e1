"""Hardly moving: for hours on the open sea, or for less over a cable or pipeline."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from samsyn.base.clock import SECOND_US
from samsyn.base.geo import KNOT_M_S, distance_m
from samsyn.base.limits import SITUATIONS_FOLLOWED
from samsyn.tracks.arrays import Array, trues
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.loiter.common import median_speed_kn
from samsyn.watch.episodes import Episodes
from samsyn.watch.finding import Finding
from samsyn.watch.places import Places
from samsyn.watch.recent import Recent
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step

_SHORT_GAP_S: Final = 900.0
_MORE: Final[dict[str, Any]] = {
    "lat": (np.float64, np.nan),  # where she was when she had last moved on
    "lon": (np.float64, np.nan),
    "moves": (np.int32, 0),  # how often she has moved on
    "zone": (np.int16, -1),
}


class Slow:
    """One of the two, which differ in thresholds and in what shows the sign.

    A ship made fast or at anchor stays within a circle; one that loiters moves on from it. Over a cable
    that makes no difference.
    """

    def __init__(
        self,
        definition: Definition,
        recent: Recent,
        where: Literal["open", "over"],
        lines: Places,
    ) -> None:
        value = definition.value
        self._definition = definition
        self._recent = recent
        self._lines = lines
        self._threshold = "duration_s" if where == "open" else "duration_over_s"
        self._duration_s = value(self._threshold)
        self._moves = int(value("moves")) if where == "open" else 0
        self._move_m = value("move_m")
        self._episodes = Episodes(value("grace_s"), value("gap_s"), _MORE)
        self._followed: dict[int, Situation] = {}

    def minute(self, step: Step, ships: Rows, signs: Array, zone: Array) -> list[Finding]:
        """signs: which of `ships` show it; zone: place in the lines that each is over."""
        self._forget_far(ships)
        look = self._episodes.look(step, ships, signs)
        found: list[Finding] = []
        for at, because in ((look.absent, "under-way"), (look.unheard, "no-longer-heard")):
            for i in at.tolist():
                found += self._end(step, int(ships.slot[i]), because)
        for slot in self._episodes.lost(step).tolist():
            found += self._end(step, slot, "no-longer-heard")
        if not len(look.going_on):
            return found
        self._begin(ships, look.begun, zone)
        return found + self._advance(step, ships, look.going_on)

    def _forget_far(self, ships: Rows) -> None:
        """Who was unheard for a while and is farther on than she could be at this pace has sailed
        meanwhile: as if she had not been heard for longer than is allowed."""
        if not self._episodes.active:
            return
        state, slot = self._episodes, ships.slot[ships.slot < len(self._episodes.state)]
        gap_s = (ships.time_us[: len(slot)] - state["seen_us"][slot]) / SECOND_US
        at = trues((gap_s > _SHORT_GAP_S) & (state["since_us"][slot] != NEVER_US))
        if len(at):
            slot = slot[at]
            way_m = distance_m(state["lat"][slot], state["lon"][slot], ships.lat[at], ships.lon[at])
            pace_kn = (way_m - self._move_m) / gap_s[at] / KNOT_M_S
            state["seen_us"][slot[pace_kn >= self._definition.value("speed_kn")]] = 0

    def _begin(self, ships: Rows, at: Array, zone: Array) -> None:
        slot = ships.slot[at]
        self._episodes["lat"][slot], self._episodes["lon"][slot] = ships.lat[at], ships.lon[at]
        self._episodes["moves"][slot] = 0
        self._episodes["zone"][slot] = zone[at]

    def _advance(self, step: Step, ships: Rows, at: Array) -> list[Finding]:
        state, slot = self._episodes, ships.slot[at]
        way_m = distance_m(state["lat"][slot], state["lon"][slot], ships.lat[at], ships.lon[at])
        on = way_m >= self._move_m
        state["moves"][slot[on]] += 1
        state["lat"][slot[on]], state["lon"][slot[on]] = ships.lat[at[on]], ships.lon[at[on]]
        lasted_s = state.lasted_s(slot)
        worth = (lasted_s >= self._duration_s / 4) & (state["moves"][slot] >= self._moves // 3)
        found: list[Finding] = []
        for k in trues(worth).tolist():
            enough = bool(lasted_s[k] >= self._duration_s and state["moves"][slot[k]] >= self._moves)
            found += self._one(step, ships, int(at[k]), enough)
        return found

    def _one(self, step: Step, ships: Rows, i: int, enough: bool) -> list[Finding]:
        slot, time_us = int(ships.slot[i]), int(ships.time_us[i])
        followed = self._followed.get(slot)
        if followed is None:
            if len(self._followed) >= SITUATIONS_FOLLOWED:
                return []
            zone = int(self._episodes["zone"][slot])
            followed = self._followed[slot] = Situation(
                self._definition,
                step,
                ships,
                i,
                lead_up=self._recent.rows(slot),
                zone=None if zone < 0 else self._lines.zones[zone].name,
                start_us=int(self._episodes["since_us"][slot]),
            )
        else:
            followed.observe(step, ships, i)
        due_us = self._definition.value("update_s") * SECOND_US if followed.raised else 0
        if enough and time_us - followed.written_us >= due_us:
            return [self._write(followed, time_us)]
        return []

    def _end(self, step: Step, slot: int, because: str) -> list[Finding]:
        followed = self._followed.pop(slot, None)
        if followed is None or not followed.raised:
            return []
        end_us = int(self._episodes["shown_us"][slot])
        return [self._write(followed, step.end_us, because, end_us)]

    def _write(
        self, followed: Situation, at_us: int, because: str | None = None, end_us: int | None = None
    ) -> Finding:
        slot = followed.slot
        over = followed.zone is not None
        since_us, shown_us = followed.start_us, int(self._episodes["shown_us"][slot])
        measured = {
            "duration_s": (shown_us - since_us) / SECOND_US,
            "speed_kn": median_speed_kn(followed),
        }
        if not over:
            measured["moves"] = float(self._episodes["moves"][slot])
        return followed.write(
            "open" if because is None else "closed",
            at_us,
            measured=measured,
            thresholds={
                "duration_s": self._duration_s,
                "speed_kn": self._definition.value("speed_kn"),
                **({} if over else {"moves": float(self._moves)}),
            },
            known_errors=("work", "approximate-line") if over else ("waits", "unknown-roads"),
            because=because,
            end_us=end_us,
        )
