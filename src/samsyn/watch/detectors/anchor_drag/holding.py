"""At anchor, by her own word, and out of her circle: the anchor does not hold.

The middle of where she has lain is an average over two hours (over all of them before that), so it
follows slowly; a ship that swings stays near it, one that drags leaves it, bow to the wind and stern
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from samsyn.base.clock import SECOND_US
from samsyn.base.geo import distance_m, turn_deg
from samsyn.base.limits import SITUATIONS_FOLLOWED
from samsyn.tracks.arrays import Array
from samsyn.watch.definition import Definition
from samsyn.watch.episodes import Episodes
from samsyn.watch.finding import Finding
from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.recent import Recent
from samsyn.watch.ships import AT_ANCHOR
from samsyn.watch.situation import Situation
from samsyn.watch.step import Rows, Step
from samsyn.watch.zones import INFRASTRUCTURE, Zone

_MIDDLE: Final[dict[str, Any]] = {
    "lat": (np.float64, np.nan),
    "lon": (np.float64, np.nan),
    "last_us": (np.int64, 0),
}


class _Drag(Situation):
    out_m = 0.0  # farthest from the middle that it was when she left her circle
    turn_deg = 0.0
    lat = lon = 0.0


class Holding:
    """Follows ships that say they are at anchor."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        value = definition.value
        self._definition = definition
        self._recent = recent
        self._lines = Places([z for z in zones if z.sort in INFRASTRUCTURE])
        # at anchor is an episode, too: when it ends, the middle is forgotten
        self._anchored = Episodes(0.0, value("anchored_gap_s"), _MIDDLE)
        self._outside = Episodes(value("grace_s"), value("gap_s"))
        self._drags: dict[int, _Drag] = {}

    def minute(self, step: Step, ships: Rows) -> list[Finding]:
        anchored = ships.nav_status == AT_ANCHOR
        anchored &= ~(ships.speed_kn > self._definition.value("anchored_kn"))
        look = self._anchored.look(step, ships, anchored)
        if not len(look.going_on) and not self._drags:
            return []
        out_m = np.full(len(ships), np.nan)
        out_m[look.going_on] = self._middle(ships, look.begun, look.going_on)
        aside_deg = turn_deg(ships.heading_deg, ships.course_deg)
        value = self._definition.value
        astern = aside_deg >= value("astern_deg")
        signs = out_m >= np.where(astern, value("circle_m"), value("circle_wide_m"))
        unknown = np.isnan(aside_deg) & (ships.speed_kn <= value("unknown_kn"))
        signs &= anchored & ((aside_deg >= value("aside_deg")) | unknown)
        outside = self._outside.look(step, ships, signs)
        found: list[Finding] = []
        for at, because in ((outside.absent, "lies-again"), (outside.unheard, "no-longer-heard")):
            for i in at.tolist():
                sails = because == "lies-again" and not anchored[i]
                found += self._end(step, int(ships.slot[i]), "sails-on" if sails else because)
        for slot in self._outside.lost(step).tolist():
            found += self._end(step, slot, "no-longer-heard")
        for i in outside.going_on.tolist():
            found += self._one(step, ships, i, float(out_m[i]), float(aside_deg[i]))
        return found

    def _middle(self, ships: Rows, begun: Array, at: Array) -> Array:
        """Takes positions into the middles, and says how far from them they are."""
        state = self._anchored
        new = ships.slot[begun]
        state["lat"][new], state["lon"][new] = ships.lat[begun], ships.lon[begun]
        state["last_us"][new] = ships.time_us[begun]
        slot, time_us = ships.slot[at], ships.time_us[at]
        out_m = distance_m(state["lat"][slot], state["lon"][slot], ships.lat[at], ships.lon[at])
        age_us = np.minimum(
            time_us - state["since_us"][slot], int(self._definition.value("middle_s") * SECOND_US)
        )
        share = (time_us - state["last_us"][slot]) / np.maximum(age_us, 1)
        share = np.clip(share, 0.0, 1.0)
        state["lat"][slot] += share * (ships.lat[at] - state["lat"][slot])
        state["lon"][slot] += share * (ships.lon[at] - state["lon"][slot])
        state["last_us"][slot] = time_us
        found: Array = out_m
        return found

    def _one(self, step: Step, ships: Rows, i: int, out_m: float, aside_deg: float) -> list[Finding]:
        slot, time_us = int(ships.slot[i]), int(ships.time_us[i])
        drag = self._drags.get(slot)
        if drag is None:
            if len(self._drags) >= SITUATIONS_FOLLOWED:
                return []
            lead_up = self._recent.rows(slot)
            drag = self._drags[slot] = _Drag(self._definition, step, ships, i, lead_up=lead_up)
            drag.lat, drag.lon = float(self._anchored["lat"][slot]), float(self._anchored["lon"][slot])
        else:
            drag.observe(step, ships, i)
        if out_m == out_m:
            drag.out_m = float(distance_m(drag.lat, drag.lon, ships.lat[i], ships.lon[i]))
        if aside_deg == aside_deg:
            drag.turn_deg = aside_deg
        if float(self._outside.lasted_s(np.array([slot]))[0]) < self._definition.value("held_s"):
            return []
        due_us = self._definition.value("update_s") * SECOND_US if drag.raised else 0
        if time_us - drag.written_us < due_us:
            return []
        if not drag.raised:
            zone = int(self._lines.where(ships.lat[i : i + 1], ships.lon[i : i + 1])[0])
            drag.zone = None if zone == NOWHERE else self._lines.zones[zone].name
        return [self._write(drag, time_us)]

    def _end(self, step: Step, slot: int, because: str) -> list[Finding]:
        drag = self._drags.pop(slot, None)
        if drag is None or not drag.raised:
            return []
        return [self._write(drag, step.end_us, because, int(self._outside["shown_us"][slot]))]

    def _write(
        self, drag: _Drag, at_us: int, because: str | None = None, end_us: int | None = None
    ) -> Finding:
        value = self._definition.value
        shown_us = int(self._outside["shown_us"][drag.slot])
        astern = drag.turn_deg >= value("astern_deg")
        return drag.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "out_m": drag.out_m,
                "held_s": (shown_us - drag.start_us) / SECOND_US,
                "turn_deg": drag.turn_deg,
            },
            thresholds={
                "out_m": value("circle_m" if astern else "circle_wide_m"),
                "held_s": value("held_s"),
            },
            known_errors=("large-swing", "status-by-hand"),
            because=because,
            end_us=end_us,
        )
