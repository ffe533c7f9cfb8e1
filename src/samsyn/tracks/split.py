"""Two craft on one identity: the second one's reports, followed beside the first's.

What is far out of reach of where a craft must be is not thrown away: it is followed as if it were
another. Only when both have been heard in turn, each several times and each where it must be, is it said
that they are two; it is not said any more when one of them falls silent.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from samsyn.base.clock import MINUTE_US
from samsyn.observations.index import CraftIndex
from samsyn.tracks.smooth import Outcome, Reports, Smoothed, Smoother

Array = npt.NDArray[Any]

TURNS: Final = 3  # reports of each that fit, and turns from one to the other
SILENT_US: Final = 15 * MINUTE_US  # of either: then they are not two any more
FOLLOWED: Final = 10_000  # identities whose second craft is followed; beyond, all are forgotten

_FIRST, _SECOND = 1, 2
_STATE: Final = np.dtype([
    ("last", "i1"), ("turns", "i4"), ("first_us", "i8"), ("second_us", "i8"), ("fits", "i4"),
])  # fmt: skip


class Seconds:
    """Second craft by the slot of the first in the track table. Its owner locks."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Nobody is followed."""
        self._index = CraftIndex()
        self._smoother = Smoother(16)
        self._state = np.zeros(0, _STATE)

    def take(self, rows: Array, slots: Array, reports: Reports, strange: Array) -> None:
        """Rows with a position, in order of time. strange: of each of `rows`, whether it does not fit
        the first craft."""
        if strange.any():
            keys = np.unique(slots[rows[strange]])
            if len(self._index) + len(keys) > FOLLOWED:
                self.forget()
            self._index.find_or_add(keys, FOLLOWED)
            self._smoother.reserve(len(self._index))
            more = np.zeros(len(self._index) - len(self._state), _STATE)
            self._state = np.concatenate([self._state, more])
        if not len(self._index):
            return
        place = self._index.find(slots)
        known = place[rows] >= 0
        if not known.any():
            return
        taken = rows[known & strange]
        outcome = np.full(len(slots), -1)
        outcome[taken] = self._smoother.take(taken, place, reports)
        rows, odd = rows[known], strange[known]
        mixed = np.zeros(len(self._index), bool)
        mixed[place[rows[odd]]] = True
        loud = mixed[place[rows]]
        self._first_alone(place[rows[~loud]], reports.time_us[rows[~loud]])
        for row, is_odd in zip(rows[loud].tolist(), odd[loud].tolist(), strict=True):
            self._turn(int(place[row]), int(reports.time_us[row]), is_odd, int(outcome[row]))

    def _first_alone(self, places: Array, time_us: Array) -> None:
        """Reports of first craft alone: as many in a row as they are, they are one turn."""
        s = self._state
        s["first_us"][places] = time_us  # in order of time: the last of each stays
        places = np.unique(places)
        s["turns"][places] += s["last"][places] == _SECOND
        s["last"][places] = _FIRST

    def _turn(self, place: int, time_us: int, odd: bool, outcome: int) -> None:
        s = self._state[place]
        if odd and outcome != Outcome.TAKEN:  # the second one is not where it must be, or is new
            s["fits"] = 0 if outcome in (Outcome.BEGUN, Outcome.RESTARTED) else s["fits"]
            return
        who = _SECOND if odd else _FIRST
        if s["last"] not in (0, who):
            s["turns"] += 1
        s["last"] = who
        s["second_us" if odd else "first_us"] = time_us
        s["fits"] += odd

    def of(self, slot: int, now_us: int) -> Smoothed | None:
        """The second craft on the identity of one, if there are two at `now_us`."""
        place = self._index.find(np.array([slot], np.int64))
        if place[0] < 0:
            return None
        s = self._state[int(place[0])]
        heard_us = min(int(s["first_us"]), int(s["second_us"]))
        two = s["fits"] >= TURNS and s["turns"] >= TURNS and now_us - heard_us <= SILENT_US
        return self._smoother.at(place) if two else None
