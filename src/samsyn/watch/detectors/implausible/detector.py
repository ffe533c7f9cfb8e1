"""What a craft says of itself, held against what can be.

Quiet craft cost a few comparisons over whole arrays. A craft that gives a sign is followed one by
one until it has given none for a while.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.geo import KNOT_M_S, METRES_PER_NM, distance_m, turn_deg
from samsyn.observations.craft import DOMAIN_AIR
from samsyn.observations.plausible import (
    AIR_JUMP_M_MIN,
    AIR_SPEED_KN_MAX,
    CLOCK_SLACK_US,
    SEA_JUMP_M_MIN,
    SEA_SPEED_KN_MAX,
    Mark,
)
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.tracks.table import ABSENT_U8
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.implausible.reach import Reach
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step
from samsyn.watch.zones import METRES_PER_DEGREE, Zone

KNOWN_ERRORS: Final = {
    "jump": ("clock", "first-fix"),
    "two": ("shared-number",),
    "speed": ("unit",),
    "frozen": ("stale-feed",),
    "circle": ("compass",),
    "far": ("far-reception",),
}
_SIGNS: Final = int(Mark.JUMP | Mark.IMPOSSIBLE_SPEED)
SAME_DEG: Final = 1e-5  # a metre: as fine as positions are told


class _Doubt(Situation):
    """A craft that gave a sign. signs: those that are established, with what was measured of each."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.signs: dict[str, dict[str, float]] = {}
        self.told: frozenset[str] = frozenset()
        self.sign_us = self.start_us  # the latest
        self.jumps = 0
        self.jump_m = 0.0
        self.jump_us = 0
        self.held = 0  # fixes since the last jump that agree with it
        self.elsewhere: tuple[int, float, float] | None = None  # the last doubted position
        self.again = 0  # doubted positions that agree with the one before
        self.apart_m = 0.0
        self.fast = 0  # reports of an impossible speed
        self.fast_us = 0
        self.turned_deg = 0.0
        self.course_deg: float | None = None
        self.heading_deg: float | None = None
        self.turning_us = 0
        self.far = 0


class Detector:
    """Follows every craft that says what cannot be."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        self._value = definition.values(*definition.thresholds)
        self._doubts: dict[int, _Doubt] = {}
        self._reach: dict[tuple[int, int], Reach] = {}
        self._next_look_us = NEVER_US
        self._still = SlotArrays(
            {
                "lat": (np.float64, np.nan),
                "lon": (np.float64, np.nan),
                "since_us": (np.int64, 0),
                "reports": (np.int32, 0),
                "said": (np.float64, np.nan),  # speed and course in one
            }
        )

    def step(self, step: Step) -> list[Finding]:
        touched: set[int] = set()
        if len(step.rows):
            self._still.reserve(len(step.known))
            touched.update(self._marked(step))
        if len(step.last):
            touched.update(self._jumped(step))
            touched.update(self._frozen(step))
            touched.update(self._circling(step))
        look = step.end_us >= self._next_look_us
        if look:
            self._next_look_us = step.end_us + MINUTE_US
            touched.update(self._far(step))
        found = [finding for slot in sorted(touched) for finding in self._say(slot, step)]
        return found + (self._quiet(step) if look else [])

    def _doubt(self, step: Step, rows: Rows, i: int, since_us: int | None = None) -> _Doubt:
        slot = int(rows.slot[i])
        doubt = self._doubts.get(slot)
        if doubt is None:
            doubt = self._doubts[slot] = _Doubt(
                self._definition, step, rows, i, lead_up=self._recent.rows(slot), start_us=since_us
            )
        else:
            doubt.observe(step, rows, i)
        doubt.sign_us = max(doubt.sign_us, int(rows.time_us[i]))
        return doubt

    def _judged(self, step: Step, slot: int) -> bool:
        """Aircraft and ships; not coast stations, buoys and beacons, which others speak for. Nor who
        is one too many to be followed."""
        own = step.known.flies(slot) or bool(step.known.state["ship"][slot])
        return own and (slot in self._doubts or len(self._doubts) < limits.CRAFT_FOLLOWED)

    # what plausibility has marked

    def _marked(self, step: Step) -> Iterator[int]:
        """Rows with a doubted position or an impossible speed."""
        rows = step.rows
        marked = (rows.marks & _SIGNS) != 0
        if not np.count_nonzero(marked):
            return
        for i in trues(marked).tolist():
            slot, time_us = int(rows.slot[i]), int(rows.time_us[i])
            if not self._judged(step, slot):
                continue
            doubt = self._doubt(step, rows, i)
            if int(rows.marks[i]) & Mark.JUMP:
                self._elsewhere(step, doubt, time_us, float(rows.claimed_lat[i]), float(rows.lon[i]))
            if int(rows.marks[i]) & Mark.IMPOSSIBLE_SPEED:
                doubt.fast_us = doubt.fast_us or time_us
                doubt.fast += 1
                if doubt.fast >= self._value["reports"] and self._held(time_us - doubt.fast_us):
                    speed_kn = max(
                        float(rows.speed_kn[i]), doubt.signs.get("speed", {}).get("speed_kn", 0)
                    )
                    doubt.signs["speed"] = {"speed_kn": speed_kn}
            yield slot

    def _elsewhere(self, step: Step, doubt: _Doubt, time_us: int, lat: float, lon: float) -> None:
        """A position that does not fit: does it fit the one before that did not?"""
        before = doubt.elsewhere
        fits = before is not None and not _far_apart(step, doubt.slot, before, (time_us, lat, lon))
        doubt.again = doubt.again + 1 if fits else 1
        doubt.elsewhere = (time_us, lat, lon)
        place = step.known.state
        apart_m = float(distance_m(place["lat"][doubt.slot], place["lon"][doubt.slot], lat, lon))
        doubt.apart_m = max(doubt.apart_m, apart_m) if fits else apart_m
        least_m = AIR_JUMP_M_MIN if step.known.flies(doubt.slot) else SEA_JUMP_M_MIN
        if doubt.again >= self._value["reports"] and doubt.apart_m >= least_m:
            doubt.signs["two"] = {"apart_m": doubt.apart_m, "reports": float(doubt.again)}

    # what two positions of a craft say together

    def _jumped(self, step: Step) -> Iterator[int]:
        fixes, before = step.fixes, step.before
        reach_deg = SEA_JUMP_M_MIN / METRES_PER_DEGREE
        off = np.abs(fixes.lat - before["lat"]) > reach_deg  # NaN, nothing before, is no way
        off |= np.abs(fixes.lon - before["lon"]) > reach_deg
        if self._doubts or np.count_nonzero(off):
            for i in trues(off & self._unreachable(step)).tolist():
                slot = int(fixes.slot[i])
                if not self._judged(step, slot):
                    continue
                time_us = int(fixes.time_us[i])
                began_us = self._doubts[slot].start_us if slot in self._doubts else None
                doubt = self._doubt(step, fixes, i, began_us)
                way_m = float(distance_m(before["lat"][i], before["lon"][i], fixes.lat[i], fixes.lon[i]))
                doubt.jumps += 1
                doubt.jump_m, doubt.jump_us, doubt.held = max(doubt.jump_m, way_m), time_us, 0
            yield from self._holding(step)

    def _unreachable(self, step: Step) -> Array:
        """Which fixes are out of reach from the one before (as `observations.plausible` has it, but
        over all feeds together)."""
        fixes, before = step.fixes, step.before
        air = step.known.is_air(fixes.slot)
        way_m = distance_m(before["lat"], before["lon"], fixes.lat, fixes.lon)
        since = before["time_us"]
        between_s = (np.abs(fixes.time_us - np.where(since == NEVER_US, 0, since)) + CLOCK_SLACK_US) / (
            SECOND_US
        )
        speed_m_s = np.where(air, AIR_SPEED_KN_MAX, SEA_SPEED_KN_MAX) * KNOT_M_S
        found: Array = way_m > np.where(air, AIR_JUMP_M_MIN, SEA_JUMP_M_MIN) + speed_m_s * between_s
        return found

    def _holding(self, step: Step) -> Iterator[int]:
        """Craft that jumped: do they go on from there?"""
        fixes = step.fixes
        for slot, doubt in self._doubts.items():
            if not doubt.jumps:
                continue
            a, b = np.searchsorted(fixes.slot, [slot, slot + 1]).tolist()
            later = [i for i in range(a, b) if int(fixes.time_us[i]) > doubt.jump_us]
            if not later:
                continue
            doubt.held += len(later)
            doubt.observe(step, fixes, later[-1])
            held = doubt.held + 1 >= self._value["reports"]
            if (held and self._held(int(fixes.time_us[later[-1]]) - doubt.jump_us)) or doubt.jumps > 2:
                doubt.signs["jump"] = {"jumps": float(doubt.jumps), "jump_m": doubt.jump_m}
                yield slot

    def _held(self, lasted_us: int) -> bool:
        return lasted_us >= self._value["held_s"] * SECOND_US

    # positions that stand still though the craft says it moves

    def _frozen(self, step: Step) -> Iterator[int]:
        fixes, still, value = step.fixes, self._still, self._value
        last = step.last
        slot, lat, lon = fixes.slot[last], fixes.lat[last], fixes.lon[last]
        stands = np.abs(lat - still["lat"][slot]) < SAME_DEG
        if np.count_nonzero(stands):
            stands &= np.abs(lon - still["lon"][slot]) < SAME_DEG
            air = step.known.is_air(slot)
            stands &= fixes.speed_kn[last] >= np.where(
                air, value["frozen_air_kn"], value["frozen_sea_kn"]
            )
        fresh = ~stands
        moved = slot[fresh]
        still["lat"][moved], still["lon"][moved] = lat[fresh], lon[fresh]
        still["since_us"][moved] = fixes.time_us[last[fresh]]
        still["reports"][moved] = 0
        if not np.count_nonzero(stands):
            return
        self._not_stale(step, slot, stands)
        lasted_s = (fixes.time_us[last] - still["since_us"][slot]) / SECOND_US
        long = stands & (still["reports"][slot] >= value["frozen_reports"])
        long &= lasted_s >= np.where(air, value["frozen_air_s"], value["frozen_sea_s"])
        for k in trues(long).tolist():
            here = int(slot[k])
            if not self._judged(step, here):
                continue
            doubt = self._doubt(step, fixes, int(last[k]), int(still["since_us"][here]))
            doubt.signs["frozen"] = {
                "frozen_s": float(lasted_s[k]),
                "frozen_kn": float(fixes.speed_kn[last[k]]),
            }
            yield here

    def _not_stale(self, step: Step, slot: Array, stands: Array) -> None:
        """Counts the reports of positions that stand still. A document that repeats an old state
        repeats its speed and course, too: it counts only if one of these changed. A frame off the air,
        which has a message type, is never a repetition."""
        fixes, at, here = step.fixes, step.last[stands], slot[stands]
        speed_kn, course_deg = fixes.speed_kn[at], fixes.course_deg[at]
        said = np.where(speed_kn == speed_kn, speed_kn, 0).astype(np.float64)
        said += 1e4 * np.where(course_deg == course_deg, course_deg, 0)
        news = (fixes.message_type[at] != ABSENT_U8) | (said != self._still["said"][here])
        self._still["said"][here] = said
        self._still["reports"][here] += news

    # a course that goes round while the bow does not

    def _circling(self, step: Step) -> Iterator[int]:
        fixes, last = step.fixes, step.last
        followed = [doubt for doubt in self._doubts.values() if doubt.heading_deg is not None]
        apart = np.abs(fixes.course_deg[last] - fixes.heading_deg[last])
        odd = apart > self._value["circle_apart_deg"]
        if not followed and not np.count_nonzero(odd):
            return
        odd &= (apart < 360 - self._value["circle_apart_deg"]) & (
            fixes.speed_kn[last] >= self._value["circle_kn"]
        )
        slot = fixes.slot[last]
        follows = odd | np.isin(slot, [doubt.slot for doubt in followed])
        for k in trues(follows).tolist():
            here, i = int(slot[k]), int(last[k])
            if not self._judged(step, here):
                continue
            doubt = self._doubts.get(here) or self._doubt(step, fixes, i)
            self._turn(doubt, fixes, i, odd=bool(odd[k]))
            if abs(doubt.turned_deg) >= self._value["circle_turn_deg"]:
                doubt.observe(step, fixes, i)
                doubt.sign_us = int(fixes.time_us[i])
                doubt.signs["circle"] = {
                    "circle_turn_deg": abs(doubt.turned_deg),
                    "circle_kn": float(fixes.speed_kn[i]),
                }
                yield here

    def _turn(self, doubt: _Doubt, fixes: Rows, i: int, *, odd: bool) -> None:
        """Adds a change of course, as long as the bow holds."""
        course, heading = float(fixes.course_deg[i]), float(fixes.heading_deg[i])
        time_us = int(fixes.time_us[i])
        steady = (
            doubt.heading_deg is not None
            and doubt.course_deg is not None
            and float(turn_deg(heading, doubt.heading_deg)) <= self._value["circle_apart_deg"]
            and time_us - doubt.turning_us <= self._value["circle_gap_s"] * SECOND_US
            and fixes.speed_kn[i] >= self._value["circle_kn"]
        )
        if steady and doubt.course_deg is not None:
            doubt.turned_deg += (course - doubt.course_deg + 180) % 360 - 180
        else:
            doubt.turned_deg = 0.0
            doubt.heading_deg = heading if odd else None
        doubt.course_deg, doubt.turning_us = course, time_us

    # a position farther away than the feed hears

    def _far(self, step: Step) -> Iterator[int]:
        """Once a minute, of craft in this step: where they are against where the feed hears."""
        fixes, last = step.fixes, step.last
        slot, feed = fixes.slot[last], fixes.feed[last]
        air = step.known.is_air(slot)
        feeds = {int(feed[0])} if len(feed) == 1 else np.unique(feed).tolist()
        for code in feeds:
            for domain in sorted(step.known.domains):
                at = last[(feed == code) & (air == (domain == DOMAIN_AIR))]
                if not len(at):
                    continue
                reach = self._reach.setdefault((code, domain), Reach())
                lat, lon = fixes.lat[at], fixes.lon[at]
                usual_m = self._value["far_times"] * reach.usual_m
                floor_nm = self._value["far_air_nm" if domain == DOMAIN_AIR else "far_sea_nm"]
                if np.isfinite(usual_m):
                    far_m = reach.distance_m(lat, lon)
                    out = far_m > max(usual_m, floor_nm * METRES_PER_NM)
                    for k in trues(out).tolist():
                        yield from self._farther(step, int(at[k]), float(far_m[k]), reach.usual_m)
                reach.add(lat, lon)

    def _farther(self, step: Step, i: int, far_m: float, usual_m: float) -> Iterator[int]:
        if not self._judged(step, int(step.fixes.slot[i])):
            return
        doubt = self._doubt(step, step.fixes, i)
        doubt.far += 1
        if doubt.far >= self._value["reports"]:
            doubt.signs["far"] = {
                "far_nm": far_m / METRES_PER_NM,
                "reach_nm": usual_m / METRES_PER_NM,
            }
            yield doubt.slot

    # findings

    def _say(self, slot: int, step: Step) -> list[Finding]:
        doubt = self._doubts[slot]
        if not doubt.signs:
            return []
        new = set(doubt.signs) - doubt.told
        due = step.end_us - doubt.written_us >= self._value["update_s"] * SECOND_US
        if doubt.raised and not new and not due:
            return []
        return [self._write(doubt, step.end_us)]

    def _quiet(self, step: Step) -> list[Finding]:
        """Lets go of craft that gave no sign for a while."""
        found = []
        for slot, doubt in list(self._doubts.items()):
            quiet_s = self._value["quiet_air_s" if step.known.flies(slot) else "quiet_sea_s"]
            if step.end_us - doubt.sign_us > quiet_s * SECOND_US:
                del self._doubts[slot]
                if doubt.raised:
                    found.append(self._write(doubt, step.end_us, "no-further-sign"))
        return found

    def _write(self, doubt: _Doubt, at_us: int, because: str | None = None) -> Finding:
        measured: dict[str, float] = {}
        for sign in sorted(doubt.signs):
            measured.update(doubt.signs[sign])
        doubt.told = frozenset(doubt.signs)
        return doubt.write(
            "open" if because is None else "closed",
            at_us,
            measured=measured,
            thresholds=self._thresholds(doubt),
            known_errors=tuple(e for sign in sorted(doubt.signs) for e in KNOWN_ERRORS[sign]),
            because=because,
            end_us=None if because is None else doubt.sign_us,
        )

    def _thresholds(self, doubt: _Doubt) -> dict[str, float]:
        """What the established signs were held against, under the names of what was measured."""
        air = doubt.domain == "air"
        of = "air" if air else "sea"
        jump_m = AIR_JUMP_M_MIN if air else SEA_JUMP_M_MIN
        value = self._value
        known = {
            "jump": {"jump_m": jump_m},
            "two": {"apart_m": jump_m, "reports": value["reports"]},
            "speed": {"speed_kn": AIR_SPEED_KN_MAX if air else SEA_SPEED_KN_MAX},
            "frozen": {"frozen_s": value[f"frozen_{of}_s"], "frozen_kn": value[f"frozen_{of}_kn"]},
            "circle": {"circle_turn_deg": value["circle_turn_deg"], "circle_kn": value["circle_kn"]},
            "far": {
                "far_nm": max(
                    value[f"far_{of}_nm"],
                    value["far_times"] * doubt.signs.get("far", {}).get("reach_nm", 0.0),
                )
            },
        }
        return {name: limit for sign in sorted(doubt.signs) for name, limit in known[sign].items()}


def _far_apart(
    step: Step, slot: int, one: tuple[int, float, float], two: tuple[int, float, float]
) -> bool:
    air = step.known.flies(slot)
    between_s = (abs(two[0] - one[0]) + CLOCK_SLACK_US) / SECOND_US
    speed_m_s = (AIR_SPEED_KN_MAX if air else SEA_SPEED_KN_MAX) * KNOT_M_S
    reach_m = (AIR_JUMP_M_MIN if air else SEA_JUMP_M_MIN) + speed_m_s * between_s
    return float(distance_m(one[1], one[2], two[1], two[2])) > reach_m
