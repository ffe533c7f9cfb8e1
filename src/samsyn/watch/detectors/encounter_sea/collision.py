"""Two ships whose courses end in one place: closest point of approach and the time to it.

Both are taken to hold course and speed. From their distance d and relative velocity v, in a plane about
the first: time to the closest point is -(d . v) / |v|^2, the distance then |d + v t|.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.geo import KNOT_M_S, METRES_PER_NM, turn_deg
from samsyn.base.limits import SITUATIONS_FOLLOWED
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.encounter_sea.latest import Latest
from samsyn.watch.finding import Finding
from samsyn.watch.near import close_pairs
from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.recent import Recent
from samsyn.watch.ships import FISHING, NIMBLE_TYPES, NO_STATUS, NO_TYPE, RESTRICTED, one_of
from samsyn.watch.situation import Situation
from samsyn.watch.step import Step
from samsyn.watch.zones import FAIRWAY, HARBOURS, Zone

_NIMBLE = one_of(NIMBLE_TYPES)
_NOT_JUDGED = one_of((RESTRICTED, FISHING))
_NO_TYPE = one_of(NO_TYPE)
_PASSENGER = one_of(range(60, 70))  # ferries of one line meet each other all day, and never overtake
_METRES_A_DEGREE: Final = 60 * METRES_PER_NM
_HEARD_US: Final = 2 * MINUTE_US


class Approach(NamedTuple):
    """Of pairs of ships, arrays of one length. first, second: slots."""

    first: Array
    second: Array
    now_us: Array
    distance_m: Array
    cpa_m: Array
    tcpa_s: Array
    closing_kn: Array  # relative speed
    angle_deg: Array  # between their courses

    def pick(self, at: Array) -> Approach:
        return Approach(*(column[at] for column in self))


def approach(state: SlotArrays, first: Array, second: Array) -> Approach:
    """Closest points of pairs of slots, both brought forward to the later of their reports."""
    now_us = np.maximum(state["time_us"][first], state["time_us"][second])
    lat0 = state["lat"][first]
    wide = _METRES_A_DEGREE * np.cos(np.radians(lat0))
    x, y, vx, vy = np.zeros(len(first)), np.zeros(len(first)), np.zeros(len(first)), np.zeros(len(first))
    for slot, sign in ((first, -1.0), (second, 1.0)):
        course = np.radians(state["course_deg"][slot].astype(np.float64))
        speed = state["speed_kn"][slot].astype(np.float64) * KNOT_M_S
        east, north = speed * np.sin(course), speed * np.cos(course)
        late_s = (now_us - state["time_us"][slot]) / SECOND_US
        away_deg = (state["lon"][slot] - state["lon"][first] + 180) % 360 - 180
        x += sign * (away_deg * wide + east * late_s)
        y += sign * ((state["lat"][slot] - lat0) * _METRES_A_DEGREE + north * late_s)
        vx += sign * east
        vy += sign * north
    speed = np.hypot(vx, vy)
    tcpa_s = -(x * vx + y * vy) / np.maximum(speed, 0.01) ** 2
    return Approach(
        first,
        second,
        now_us,
        np.hypot(x, y),
        np.hypot(x + vx * tcpa_s, y + vy * tcpa_s),
        tcpa_s,
        speed / KNOT_M_S,
        turn_deg(state["course_deg"][first], state["course_deg"][second]),
    )


class _Meeting(Situation):
    """From the first minute in which the courses met."""

    nearest_m = float("inf")
    until_us = 0  # when they should be closest
    seen_us = 0
    cpa_m = tcpa_s = distance_m = closing_kn = angle_deg = 0.0

    def note(self, now: Approach, k: int) -> None:
        self.seen_us, self.distance_m = int(now.now_us[k]), float(now.distance_m[k])
        self.cpa_m, self.tcpa_s = float(now.cpa_m[k]), float(now.tcpa_s[k])
        self.closing_kn, self.angle_deg = float(now.closing_kn[k]), float(now.angle_deg[k])
        self.until_us = self.seen_us + int(self.tcpa_s * SECOND_US)


class Collision:
    """Follows pairs whose courses meet, minute by minute."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        self._narrow = Places(
            [z for z in zones if z.sort in (*HARBOURS, FAIRWAY)], definition.value("narrow_margin_m")
        )
        self._meetings: dict[tuple[int, int], _Meeting] = {}

    def minute(self, step: Step, latest: Latest) -> list[Finding]:
        now = self._courses_that_meet(step, latest)
        if not len(now.first) and not self._meetings:
            return []
        met = {(int(now.first[k]), int(now.second[k])): k for k in range(len(now.first))}
        found = self._follow(step, latest, set(met)) if self._meetings else []
        rows = latest.rows(now.first)
        for (first, second), k in met.items():
            if (first, second) in self._meetings or len(self._meetings) >= SITUATIONS_FOLLOWED:
                continue
            lead_up = self._recent.rows(first)
            made = _Meeting(self._definition, step, rows, k, lead_up=lead_up, other=second)
            made.note(now, k)
            self._meetings[first, second] = made
        return found

    def _courses_that_meet(self, step: Step, latest: Latest) -> Approach:
        """The pairs that would come closest within the time and the distance of the thresholds."""
        value, state = self._definition.value, latest.state
        slot = latest.heard(step.end_us - _HEARD_US, len(step.known))
        slot = slot[state["speed_kn"][slot] >= value("moving_kn")]
        status, type_ = state["nav_status"][slot], step.known.state["ship_type"][slot]
        judged = ~_NIMBLE[type_] & ~_NOT_JUDGED[status] & ~(_NO_TYPE[type_] & (status == NO_STATUS))
        slot = slot[judged]
        turned = turn_deg(state["course_deg"][slot], state["course_before_deg"][slot])
        slot = slot[turned <= value("steady_deg")]  # NaN, a course unknown, is not steady
        if len(slot) < 2:
            return Approach(*(slot[:0] for _ in Approach._fields))
        pairs = close_pairs(state["lat"][slot], state["lon"][slot], value("look_m"))
        first, second = step.known.by_number(slot[pairs.first], slot[pairs.second])
        by_timetable = _PASSENGER[step.known.state["ship_type"]]
        some = self._approach(state, first, second)
        ferries = by_timetable[first] & by_timetable[second]
        some = some.pick(trues(~(ferries & (some.angle_deg >= value("meeting_deg")))))
        gap_us = np.abs(state["time_us"][some.first] - state["time_us"][some.second])
        aligned = np.minimum(some.angle_deg, 180 - some.angle_deg) < value("aligned_deg")
        beside = some.closing_kn < value("closing_kn")
        meets = (some.tcpa_s > 0) & (some.tcpa_s <= value("tcpa_s")) | beside
        meets &= some.cpa_m <= np.where(aligned, value("cpa_aligned_m"), value("cpa_m"))
        some = some.pick(trues(meets & (gap_us <= _HEARD_US)))
        if len(some.first):
            for ends in ("first", "second"):
                slot = getattr(some, ends)
                where = self._narrow.where(state["lat"][slot], state["lon"][slot])
                some = some.pick(trues(where == NOWHERE))
        return some

    def _approach(self, state: SlotArrays, first: Array, second: Array) -> Approach:
        """Closest points; of two who keep beside each other it is where they are, and now: at so little
        a difference of speed nobody can say when it would be."""
        now = approach(state, first, second)
        beside = now.closing_kn < self._definition.value("closing_kn")
        return now._replace(
            cpa_m=np.where(beside, now.distance_m, now.cpa_m), tcpa_s=np.where(beside, 0.0, now.tcpa_s)
        )

    def _follow(self, step: Step, latest: Latest, met: set[tuple[int, int]]) -> list[Finding]:
        """What has become of the pairs whose courses met before."""
        value, state = self._definition.value, latest.state
        pairs = list(self._meetings)
        first, second = (np.array(ends, np.int64) for ends in zip(*pairs, strict=True))
        now = self._approach(state, first, second)
        rows = latest.rows(first)
        heard_us = np.minimum(state["arrived_us"][first], state["arrived_us"][second])
        found = []
        for k, pair in enumerate(pairs):
            meeting = self._meetings[pair]
            silent = step.end_us - int(heard_us[k]) > value("lost_s") * SECOND_US
            because = "no-longer-heard" if silent else self._ended(meeting, now, k)
            if because is None and (meeting.raised or pair in met):
                self._still(meeting, now, k)
                meeting.observe(step, rows, k, **_beside(now, k))
                held_s = (meeting.seen_us - meeting.start_us) / SECOND_US
                if held_s >= value("held_s") and meeting.seen_us > meeting.written_us:
                    found.append(self._write(meeting, meeting.seen_us))
                continue
            del self._meetings[pair]
            if meeting.raised:
                meeting.observe(step, rows, k, **_beside(now, k))
                found.append(self._write(meeting, step.end_us, because))
        return found

    def _ended(self, meeting: _Meeting, now: Approach, k: int) -> str | None:
        """Whether a pair has passed each other or one has turned away."""
        value = self._definition.value
        now_us, tcpa_s = int(now.now_us[k]), float(now.tcpa_s[k])
        meeting.nearest_m = min(meeting.nearest_m, float(now.distance_m[k]))
        if now.angle_deg[k] < value("aligned_deg") and now.distance_m[k] <= value("cpa_m"):
            return None  # one way, and beside each other: an overtaking takes its time
        if tcpa_s <= 0 or now_us > meeting.until_us + MINUTE_US:
            if -2 * MINUTE_US <= tcpa_s * SECOND_US <= 0:
                meeting.nearest_m = min(meeting.nearest_m, float(now.cpa_m[k]))
            return "passed"
        if now.cpa_m[k] > value("away") * value("cpa_m"):
            return "turned-away"
        return None

    def _still(self, meeting: _Meeting, now: Approach, k: int) -> None:
        if now.now_us[k] > meeting.seen_us and now.cpa_m[k] == now.cpa_m[k]:
            meeting.note(now, k)

    def _write(self, meeting: _Meeting, at_us: int, because: str | None = None) -> Finding:
        value = self._definition.value
        aligned = min(meeting.angle_deg, 180 - meeting.angle_deg) < value("aligned_deg")
        measured = {
            "cpa_m": meeting.cpa_m,
            "tcpa_s": meeting.tcpa_s,
            "closing_kn": meeting.closing_kn,
            "angle_deg": meeting.angle_deg,
        }
        if because is None:
            measured["distance_m"] = meeting.distance_m
        else:
            measured["nearest_m"] = meeting.nearest_m
        return meeting.write(
            "open" if because is None else "closed",
            at_us,
            measured=measured,
            thresholds={
                "cpa_m": value("cpa_aligned_m" if aligned else "cpa_m"),
                **self._definition.values("tcpa_s", "closing_kn"),
            },
            known_errors=("they-know", "narrow-water"),
            because=because,
            end_us=None if because is None else meeting.seen_us,
        )


def _beside(now: Approach, k: int) -> dict[str, float]:
    """What a row of evidence says of the pair."""
    told = {"distance_m": now.distance_m, "cpa_m": now.cpa_m, "tcpa_s": now.tcpa_s}
    return {name: round(float(values[k]), 1) for name, values in told.items() if values[k] == values[k]}
