"""Episodes: since when each craft shows a sign, though it may be absent for a while."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from samsyn.base.clock import SECOND_US
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.step import NEVER_US, Rows, Step


class Look(NamedTuple):
    """Places in the rows looked at. begun: with their first sign; going_on: in an episode, those begun
    included; absent: ended, the sign has not been there for long; unheard: ended, the craft has not."""

    begun: Array
    going_on: Array
    absent: Array
    unheard: Array


class Episodes:
    """By slot: since_us (`NEVER_US`: none), shown_us, when the sign was last there, seen_us, and
    whatever `more` (spec as of `SlotArrays`) the detector keeps beside them."""

    def __init__(self, grace_s: float, gap_s: float, more: dict[str, Any] | None = None) -> None:
        """grace_s: how long the sign may be absent; gap_s: how long the craft may be unheard."""
        self.active = 0  # episodes that go on
        self._grace_us, self._gap_us = int(grace_s * SECOND_US), int(gap_s * SECOND_US)
        self.state = SlotArrays(
            {
                "since_us": (np.int64, NEVER_US),
                "shown_us": (np.int64, 0),
                "seen_us": (np.int64, 0),
                "arrived_us": (np.int64, 0),
                **(more or {}),
            }
        )

    def __getitem__(self, name: str) -> Array:
        return self.state[name]

    def look(self, step: Step, rows: Rows, signs: Array) -> Look:
        """Takes in which of `rows`, at most one a slot, show the sign."""
        self.state.reserve(len(step.known))
        if not self.active and not np.count_nonzero(signs):
            nowhere = np.empty(0, np.int64)
            return Look(nowhere, nowhere, nowhere, nowhere)
        since, shown, seen = self["since_us"], self["shown_us"], self["seen_us"]
        slot, time_us = rows.slot, rows.time_us
        active = since[slot] != NEVER_US
        unheard = active & (time_us - seen[slot] > self._gap_us)
        absent = active & ~unheard & ~signs & (time_us - shown[slot] > self._grace_us)
        ended = unheard | absent
        since[slot[ended]] = NEVER_US
        begun = signs & (~active | ended)
        since[slot[begun]] = time_us[begun]
        self.active += int(np.count_nonzero(begun)) - int(np.count_nonzero(ended))
        shown[slot[signs]] = time_us[signs]
        on = trues((active & ~ended) | begun)
        seen[slot[on]] = time_us[on]
        self["arrived_us"][slot[on]] = step.end_us
        return Look(trues(begun), on, trues(absent), trues(unheard))

    def lost(self, step: Step) -> Array:
        """Slots whose episodes end because nothing of them has arrived for long."""
        if not self.active:
            return np.empty(0, np.int64)
        count = min(len(step.known), len(self.state))
        old = self["arrived_us"][:count] < step.end_us - self._gap_us
        gone = trues(old & (self["since_us"][:count] != NEVER_US))
        self["since_us"][gone] = NEVER_US
        self.active -= len(gone)
        return gone

    def lasted_s(self, slot: Array) -> Array:
        found: Array = (self["shown_us"][slot] - self["since_us"][slot]) / SECOND_US
        return found
