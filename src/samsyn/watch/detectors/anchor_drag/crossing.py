"""Under way with the anchor out: slower than before and a little sideways, over a cable or pipeline.

A sample of each ship's speed and of the angle between her bow and her course is kept each ten minutes
for three hours, and none while she shows the signs: what she did before is what she is held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.limits import SITUATIONS_FOLLOWED
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.definition import Definition
from samsyn.watch.episodes import Episodes
from samsyn.watch.finding import Finding
from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.recent import Recent
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step
from samsyn.watch.zones import HARBOURS, INFRASTRUCTURE, Zone

_SAMPLES: Final = 18
_SAMPLE_US: Final = 10 * MINUTE_US
_USUAL: Final = 0.7  # her speed is this far up in the samples: some are of a harbour, some may err
_CRUISING: Final = 0.85  # samples at this share of her speed and more tell how her bow points then


class _Drag(Situation):
    cruise_kn = 0.0
    crab_deg = 0.0  # as she goes, against what it was before


class Crossing:
    """Follows ships that have slowed down and crab."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        value = definition.value
        self._definition = definition
        self._recent = recent
        self._lines = Places([z for z in zones if z.sort in INFRASTRUCTURE])
        self._harbours = Places([z for z in zones if z.sort in HARBOURS], value("harbour_margin_m"))
        more: dict[str, Any] = {"zone": (np.int16, NOWHERE), "cruise_kn": (np.float32, np.nan)}
        self._episodes = Episodes(value("grace_s"), value("gap_s"), more)
        self._drags: dict[int, _Drag] = {}
        self._before = SlotArrays(
            {
                "newest_us": (np.int64, NEVER_US // 2),
                "count": (np.int64, 0),
                "cruise_kn": (np.float32, np.nan),
                "speed_kn": (np.float32, np.nan, _SAMPLES),
                "crab_deg": (np.float32, np.nan, _SAMPLES),
            }
        )

    def minute(self, step: Step, ships: Rows, judged: Array) -> list[Finding]:
        if not self._lines.zones:
            return []
        self._before.reserve(len(step.known))
        crab_deg = (ships.heading_deg - ships.course_deg + 180) % 360 - 180
        signs, cruise_kn, off_deg = self._signs(ships, judged, crab_deg)
        look = self._episodes.look(step, ships, signs)
        found: list[Finding] = []
        for at, because in ((look.absent, "sails-on"), (look.unheard, "no-longer-heard")):
            for i in at.tolist():
                found += self._end(step, int(ships.slot[i]), because)
        for slot in self._episodes.lost(step).tolist():
            found += self._end(step, slot, "no-longer-heard")
        begun = ships.slot[look.begun]
        self._episodes["zone"][begun] = NOWHERE
        self._episodes["cruise_kn"][begun] = cruise_kn[look.begun]
        found += self._advance(step, ships, look.going_on, off_deg, signs)
        resting = np.ones(len(ships), bool)
        resting[look.going_on] = False
        self._sample(ships, trues(resting & judged), crab_deg)
        return found

    def _signs(self, ships: Rows, judged: Array, crab_deg: Array) -> tuple[Array, Array, Array]:
        """Who shows them; her speed before, and by how much her bow points elsewhere than it did."""
        value = self._definition.value
        off_deg = np.full(len(ships), np.nan)
        cruise_kn = self._before["cruise_kn"][ships.slot]
        slowed = judged & (ships.speed_kn >= value("speed_min_kn"))
        slowed &= ships.speed_kn <= value("slow_share") * cruise_kn  # NaN, not known yet, is no sign
        slowed &= (cruise_kn - ships.speed_kn >= value("slower_kn")) & (crab_deg == crab_deg)
        at = trues(slowed)
        if not len(at):
            return slowed, cruise_kn, off_deg
        usual_deg = self._usual_deg(ships.slot[at], cruise_kn[at])
        off_deg[at] = np.abs((crab_deg[at] - usual_deg + 180) % 360 - 180)
        signs = (off_deg >= value("crab_deg")) & (off_deg <= value("crab_max_deg"))
        some = trues(signs)
        signs[some] = self._harbours.where(ships.lat[some], ships.lon[some]) == NOWHERE
        return signs, cruise_kn, off_deg

    def _usual_deg(self, slot: Array, cruise_kn: Array) -> Array:
        """How far a ship's bow was off her course when she made her speed; 0 where it is not known."""
        cruising = self._before["speed_kn"][slot] >= _CRUISING * cruise_kn[:, None]
        crab_deg = np.where(cruising, self._before["crab_deg"][slot], np.nan)
        known = ~np.isnan(crab_deg).all(axis=1)
        found: Array = np.zeros(len(slot))
        found[known] = np.nanmedian(crab_deg[known], axis=1)
        return found

    def _sample(self, ships: Rows, at: Array, crab_deg: Array) -> None:
        before = self._before
        at = at[ships.time_us[at] - before["newest_us"][ships.slot[at]] >= _SAMPLE_US]
        at = at[~np.isnan(ships.speed_kn[at])]
        if not len(at):
            return
        slot = ships.slot[at]
        place = before["count"][slot] % _SAMPLES
        before["speed_kn"][slot, place] = ships.speed_kn[at]
        before["crab_deg"][slot, place] = crab_deg[at]
        before["count"][slot] += 1
        before["newest_us"][slot] = ships.time_us[at]
        slot = slot[before["count"][slot] >= self._definition.value("samples")]
        rising = np.sort(before["speed_kn"][slot], axis=1)  # samples not there yet, NaN, come last
        some = np.minimum(before["count"][slot], _SAMPLES)
        usual = ((some - 1) * _USUAL).astype(np.int64)
        before["cruise_kn"][slot] = rising[np.arange(len(slot)), usual]

    def _advance(
        self, step: Step, ships: Rows, at: Array, off_deg: Array, signs: Array
    ) -> list[Finding]:
        state, slot = self._episodes, ships.slot[at]
        zone = self._lines.where(ships.lat[at], ships.lon[at])
        over = (zone != NOWHERE) & (state["zone"][slot] == NOWHERE)
        state["zone"][slot[over]] = zone[over]
        worth = state.lasted_s(slot) >= self._definition.value("duration_s") / 2
        found: list[Finding] = []
        for k in trues(worth).tolist():
            i = int(at[k])
            drag = self._drags.get(int(slot[k]))
            if drag is None:
                if len(self._drags) >= SITUATIONS_FOLLOWED:
                    continue
                drag = self._drags[int(slot[k])] = self._begin(step, ships, i)
            else:
                drag.observe(step, ships, i)
            if signs[i]:
                drag.crab_deg = float(off_deg[i])
            found += self._one(drag, int(ships.time_us[i]))
        return found

    def _begin(self, step: Step, ships: Rows, i: int) -> _Drag:
        slot = int(ships.slot[i])
        start_us = int(self._episodes["since_us"][slot])
        lead_up = self._recent.rows(slot)
        drag = _Drag(self._definition, step, ships, i, lead_up=lead_up, start_us=start_us)
        drag.cruise_kn = float(self._episodes["cruise_kn"][slot])
        return drag

    def _one(self, drag: _Drag, time_us: int) -> list[Finding]:
        zone = int(self._episodes["zone"][drag.slot])
        lasted_s = float(self._episodes.lasted_s(np.array([drag.slot]))[0])
        if zone == NOWHERE or lasted_s < self._definition.value("duration_s"):
            return []
        if drag.raised and time_us - drag.written_us < self._definition.value("update_s") * SECOND_US:
            return []
        drag.zone = drag.zone or self._lines.zones[zone].name
        return [self._write(drag, time_us)]

    def _end(self, step: Step, slot: int, because: str) -> list[Finding]:
        drag = self._drags.pop(slot, None)
        if drag is None or not drag.raised:
            return []
        return [self._write(drag, step.end_us, because, int(self._episodes["shown_us"][slot]))]

    def _write(
        self, drag: _Drag, at_us: int, because: str | None = None, end_us: int | None = None
    ) -> Finding:
        value = self._definition.value
        shown_us = int(self._episodes["shown_us"][drag.slot])
        rows = [r for r in drag.evidence.rows() if drag.start_us <= r["time_us"] <= shown_us]
        speed_kn = median([r["speed_kn"] for r in rows if "speed_kn" in r] or [0.0])
        return drag.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "duration_s": (shown_us - drag.start_us) / SECOND_US,
                "slow_share": speed_kn / drag.cruise_kn,
                "crab_deg": drag.crab_deg,
                "speed_kn": speed_kn,
                "speed_before_kn": drag.cruise_kn,
            },
            thresholds={name: value(name) for name in ("duration_s", "slow_share", "crab_deg")},
            known_errors=("leeway", "approximate-line"),
            because=because,
            end_us=end_us,
        )
