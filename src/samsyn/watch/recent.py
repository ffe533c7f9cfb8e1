"""The last few fixes of every craft, thinly sampled: what led up to a finding."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.tracks.arrays import SlotArrays
from samsyn.watch.step import NEVER_US, Step

KEPT: Final = 10
SEA_EVERY_US: Final = 2 * MINUTE_US
AIR_EVERY_US: Final = 20 * SECOND_US

_VALUES: Final = {"lat": 6, "lon": 6, "altitude_ft": 0, "speed_kn": 1, "course_deg": 1, "heading_deg": 0}


class Recent:
    """A ring of `KEPT` samples a craft, at least `*_EVERY_US` apart."""

    def __init__(self) -> None:
        self._ring = SlotArrays(
            {
                "count": (np.int64, 0),
                "newest_us": (np.int64, NEVER_US // 2),  # halved: subtracting from it must not overflow
                "time_us": (np.int64, 0, KEPT),
                "lat": (np.float64, np.nan, KEPT),
                "lon": (np.float64, np.nan, KEPT),
                **dict.fromkeys(list(_VALUES)[2:], (np.float32, np.nan, KEPT)),
            }
        )

    def note(self, step: Step) -> None:
        """Samples the last fix of each craft in a step."""
        if not len(step.last):
            return
        ring = self._ring
        ring.reserve(len(step.known))
        slot, time_us = step.fixes.slot[step.last], step.fixes.time_us[step.last]
        every_us = np.where(step.known.is_air(slot), AIR_EVERY_US, SEA_EVERY_US)
        due = time_us - ring["newest_us"][slot] >= every_us
        if not np.count_nonzero(due):
            return
        slot, time_us, at = slot[due], time_us[due], step.last[due]
        place = ring["count"][slot] % KEPT
        ring["count"][slot] += 1
        ring["newest_us"][slot] = time_us
        ring["time_us"][slot, place] = time_us
        for name in _VALUES:
            ring[name][slot, place] = getattr(step.fixes, name)[at]

    def rows(self, slot: int) -> list[dict[str, Any]]:
        """The samples of a craft as evidence rows, oldest first."""
        if slot >= len(self._ring):
            return []
        ring = self._ring
        count = int(ring["count"][slot])
        found = []
        for n in range(max(0, count - KEPT), count):
            row: dict[str, Any] = {"time_us": int(ring["time_us"][slot, n % KEPT])}
            for name, digits in _VALUES.items():
                value = float(ring[name][slot, n % KEPT])
                if value == value:
                    row[name] = round(value, digits)
            found.append(row)
        return found
