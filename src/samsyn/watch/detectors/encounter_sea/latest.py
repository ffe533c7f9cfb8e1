"""The latest of every ship, to compare ships whose reports come at different times."""

from __future__ import annotations

from typing import Final

import numpy as np

from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.step import NEVER_US, Rows, Step, absent

_KEPT: Final = (
    "time_us",
    "lat",
    "lon",
    "speed_kn",
    "course_deg",
    "heading_deg",
    "nav_status",
    "feed",
    "exercise",
)


class Latest:
    """By slot: the last fix, when it arrived by the watch's own time, and the course before it."""

    def __init__(self) -> None:
        self.state = SlotArrays(
            {
                "arrived_us": (np.int64, NEVER_US // 2),
                "time_us": (np.int64, NEVER_US // 2),
                "lat": (np.float64, np.nan),
                "lon": (np.float64, np.nan),
                "speed_kn": (np.float32, np.nan),
                "course_deg": (np.float32, np.nan),
                "course_before_deg": (np.float32, np.nan),
                "heading_deg": (np.float32, np.nan),
                "nav_status": (np.uint8, 255),
                "feed": (np.int16, 0),
                "exercise": (np.int8, 0),
            }
        )

    def note(self, step: Step, ships: Rows) -> None:
        """ships: at most one row a slot."""
        self.state.reserve(len(step.known))
        slot = ships.slot
        self.state["course_before_deg"][slot] = self.state["course_deg"][slot]
        for name in _KEPT:
            self.state[name][slot] = getattr(ships, name)
        self.state["arrived_us"][slot] = step.end_us

    def heard(self, since_us: int, count: int) -> Array:
        """Slots below `count` of ships of which something has arrived since then."""
        return trues(self.state["arrived_us"][:count] >= since_us)

    def rows(self, slots: Array) -> Rows:
        """What is known of some ships, as rows."""
        return Rows(
            slots, lambda name: self.state[name][slots] if name in _KEPT else absent(name, len(slots))
        )
