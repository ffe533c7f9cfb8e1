"""Two ships beside each other, hardly moving, for hours, where no harbour is near."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

import numpy as np

from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.geo import distance_m
from samsyn.base.limits import PAIRS_FOLLOWED, SITUATIONS_FOLLOWED
from samsyn.tracks.arrays import Array, trues
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.encounter_sea.latest import Latest
from samsyn.watch.finding import Finding
from samsyn.watch.near import close_pairs
from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.recent import Recent
from samsyn.watch.ships import (
    AGROUND,
    FISHING,
    FISHING_TYPE,
    HELD,
    LEISURE_TYPES,
    MOORED,
    NO_STATUS,
    NO_TYPE,
    RESTRICTED,
    SERVING_TYPES,
    one_of,
)
from samsyn.watch.situation import Situation
from samsyn.watch.step import Step
from samsyn.watch.zones import HARBOURS, Zone

_SERVING = one_of((*SERVING_TYPES, *range(60, 70)))  # and passenger ships, which meet by timetable
_SMALL = one_of((FISHING_TYPE, *LEISURE_TYPES))
_NO_TYPE = one_of(NO_TYPE)
_HELD = one_of(HELD)
_FAST = one_of((MOORED, AGROUND))
_HEARD_US: Final = 15 * MINUTE_US
_SLOT_BITS: Final = 32


class Rendezvous:
    """Follows pairs. A pair is a number made of its slots; pairs are kept in arrays, sorted, and the
    few that are together for long are situations."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        self._harbours = Places(
            [z for z in zones if z.sort in HARBOURS], definition.value("harbour_margin_m")
        )
        self._meetings: dict[int, Situation] = {}
        self._pair = np.empty(0, np.int64)
        self._since_us = np.empty(0, np.int64)
        self._seen_us = np.empty(0, np.int64)  # together at this time of their own
        self._arrived_us = np.empty(0, np.int64)  # and at this one of the watch
        self._place = np.empty((0, 2))  # of the first ship when it began
        self._moved_m = np.empty(0)

    def minute(self, step: Step, latest: Latest) -> list[Finding]:
        first, second, apart_m = self._close(step, latest)
        found: list[Finding] = []
        if len(first):
            pair = (first << _SLOT_BITS) | second
            self._add(latest, pair)
            at = np.searchsorted(self._pair, pair)
            followed = np.append(self._pair, -1)[at] == pair
            first, second, apart_m, at = (
                first[followed],
                second[followed],
                apart_m[followed],
                at[followed],
            )
            self._seen_us[at] = _newest(latest, first, second)
            self._arrived_us[at] = step.end_us
            begun, state = self._place[at], latest.state
            moved_m = distance_m(begun[:, 0], begun[:, 1], state["lat"][first], state["lon"][first])
            self._moved_m[at] = np.maximum(self._moved_m[at], moved_m)
            found += self._advance(step, latest, first, second, apart_m, at)
        if len(self._pair):
            found += self._drop(step, latest)
        return found

    def _close(self, step: Step, latest: Latest) -> tuple[Array, Array, Array]:
        """Slots and distance of the pairs that lie together now."""
        value, state = self._definition.value, latest.state
        slot = latest.heard(step.end_us - _HEARD_US, len(step.known))
        slow = slot[state["speed_kn"][slot] < value("speed_kn")]
        status, type_ = state["nav_status"][slow], step.known.state["ship_type"][slow]
        slow = slow[~_SERVING[type_] & (status != RESTRICTED)]
        if len(slow) < 2:
            return slow[:0], slow[:0], state["lat"][slow[:0]]
        pairs = close_pairs(state["lat"][slow], state["lon"][slow], value("distance_m"))
        apart_m = pairs.distance_m
        if not len(apart_m):
            return pairs.first, pairs.second, apart_m
        first, second = step.known.by_number(slow[pairs.first], slow[pairs.second])
        one, two = state["nav_status"][first], state["nav_status"][second]
        some = ~(_FAST[one] & _FAST[two]) & ~(_small(step, first, one) & _small(step, second, two))
        some &= ~(_HELD[one] & _HELD[two]) | (apart_m <= value("alongside_m"))
        gap_us = np.abs(state["time_us"][first] - state["time_us"][second])
        some &= gap_us <= value("apart_s") * SECOND_US
        some &= self._harbours.where(state["lat"][first], state["lon"][first]) == NOWHERE
        return first[some], second[some], apart_m[some]

    def _add(self, latest: Latest, pair: Array) -> None:
        """Takes pairs up that are not followed, as many as there is room for."""
        new = np.setdiff1d(pair, self._pair)[: max(PAIRS_FOLLOWED - len(self._pair), 0)]
        if not len(new):
            return
        first, second = new >> _SLOT_BITS, new & ((1 << _SLOT_BITS) - 1)
        now_us = _newest(latest, first, second)
        place = np.column_stack([latest.state["lat"][first], latest.state["lon"][first]])
        all_ = np.concatenate([self._pair, new])
        order = np.argsort(all_, kind="stable")
        self._pair = all_[order]
        self._since_us = np.concatenate([self._since_us, now_us])[order]
        self._seen_us = np.concatenate([self._seen_us, now_us])[order]
        self._arrived_us = np.concatenate([self._arrived_us, now_us])[order]
        self._place = np.concatenate([self._place, place])[order]
        self._moved_m = np.concatenate([self._moved_m, np.zeros(len(new))])[order]

    def _advance(
        self, step: Step, latest: Latest, first: Array, second: Array, apart_m: Array, at: Array
    ) -> list[Finding]:
        """Pairs that are together now, and their places in the table."""
        value = self._definition.value
        lasted_s = (self._seen_us[at] - self._since_us[at]) / SECOND_US
        worth = (lasted_s >= value("duration_s") / 4) & (self._moved_m[at] >= value("moved_m"))
        if not worth.any():
            return []
        rows = latest.rows(first)
        found: list[Finding] = []
        for k in trues(worth).tolist():
            pair = int(self._pair[at[k]])
            if pair not in self._meetings and len(self._meetings) < SITUATIONS_FOLLOWED:
                self._meetings[pair] = Situation(
                    self._definition,
                    step,
                    rows,
                    k,
                    lead_up=self._recent.rows(int(first[k])),
                    start_us=int(self._since_us[at[k]]),
                    other=int(second[k]),
                )
            meeting = self._meetings.get(pair)
            if meeting is None:
                continue
            meeting.observe(step, rows, k, distance_m=round(float(apart_m[k]), 1))
            due_us = meeting.written_us + value("update_s") * SECOND_US if meeting.raised else 0
            now_us = int(self._seen_us[at[k]])
            if lasted_s[k] >= value("duration_s") and now_us >= due_us:
                found.append(self._write(meeting, now_us, int(at[k])))
        return found

    def _drop(self, step: Step, latest: Latest) -> list[Finding]:
        """Pairs that have not been together for a while are no longer followed."""
        gone = step.end_us - self._arrived_us > self._definition.value("grace_s") * SECOND_US
        found = []
        for at in trues(gone).tolist():
            pair = int(self._pair[at])
            meeting = self._meetings.pop(pair, None)
            if meeting is not None and meeting.raised:
                slots = np.array([pair >> _SLOT_BITS, pair & ((1 << _SLOT_BITS) - 1)])
                heard = latest.state["arrived_us"][slots] > self._arrived_us[at]
                because = "parted" if heard.all() else "no-longer-heard"
                found.append(self._write(meeting, step.end_us, at, because))
        if gone.any():
            kept = ~gone
            for name in ("_pair", "_since_us", "_seen_us", "_arrived_us", "_place", "_moved_m"):
                setattr(self, name, getattr(self, name)[kept])
        return found

    def _write(self, meeting: Situation, at_us: int, at: int, because: str | None = None) -> Finding:
        value = self._definition.value
        rows = [row for row in meeting.evidence.rows() if "distance_m" in row]
        # thinning may have left only rows of before they met: then how close they are is not told
        distances_m = [row["distance_m"] for row in rows]
        distance_m = {"distance_m": median(distances_m)} if distances_m else {}
        speeds_kn = [row["speed_kn"] for row in rows if "speed_kn" in row]
        return meeting.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "duration_s": (int(self._seen_us[at]) - int(self._since_us[at])) / SECOND_US,
                **distance_m,
                "speed_kn": median(speeds_kn) if speeds_kn else 0.0,
                "moved_m": float(self._moved_m[at]),
            },
            thresholds={
                name: value(name) for name in ("duration_s", "distance_m", "speed_kn", "moved_m")
            },
            known_errors=("known-meeting", "unknown-roads"),
            because=because,
            end_us=None if because is None else int(self._seen_us[at]),
        )


def _newest(latest: Latest, first: Array, second: Array) -> Array:
    found: Array = np.maximum(latest.state["time_us"][first], latest.state["time_us"][second])
    return found


def _small(step: Step, slot: Array, status: Array) -> Array:
    """Who fishes or is out for pleasure: two of them side by side are nothing unusual."""
    type_ = step.known.state["ship_type"][slot]
    found: Array = _SMALL[type_] | (status == FISHING) | (_NO_TYPE[type_] & (status == NO_STATUS))
    return found
