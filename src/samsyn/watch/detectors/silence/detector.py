"""Silence against the feed's heartbeat.

Time goes by in spans: ten minutes at sea, one in the air. At the end of a span every craft that was
not heard in it is asked about: did its feed run as usual, and were others heard where it was last
and where it would be? Then the span counts as silence of the craft. If not, the span says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US
from samsyn.base.geo import KNOT_M_S, cells
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.cells import NOWHERE, RESOLUTION
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.reception import CELL_LAT_DEG, CELL_LON_DEG, FEEDS, Expected, Reception
from samsyn.watch.reception import HOURS as DAY_HOURS
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step, absent
from samsyn.watch.zones import METRES_PER_DEGREE, Zone

HEARD: Final = 0
COUNTED: Final = 1  # not heard; its spans are counted
IGNORED: Final = 2  # not heard; was not heard well enough, or is not judged

HOURS: Final = 12
NOT_UNDER_COMMAND: Final = 2
TOGETHER_SPANS: Final = 3  # a feed that stops so soon after a craft may be why it was not heard
EXIT_CRAFT: Final = 2  # that fell silent near by
APART_SPANS: Final = 6  # before or after it


@dataclass(frozen=True)
class _Regime:
    """What differs between sea and air; `name` begins the names of its thresholds."""

    name: str
    domain: int
    span_us: int


REGIMES: Final = (
    _Regime("sea", DOMAIN_SEA, 10 * MINUTE_US),
    _Regime("air", DOMAIN_AIR, MINUTE_US),
)


class Detector:
    """Listens at sea and in the air."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._watches = [_Listening(regime, definition, recent) for regime in REGIMES]

    def step(self, step: Step) -> list[Finding]:
        return [finding for watch in self._watches for finding in watch.step(step)]


class _Silence(Situation):
    others = 0
    positions = 0
    certain = False


class _Listening:
    """The craft of one regime."""

    def __init__(self, regime: _Regime, definition: Definition, recent: Recent) -> None:
        self._regime = regime
        self._definition = definition
        self._recent = recent
        self._reception = Reception()
        self._expected = Expected()
        self._silences: dict[int, _Silence] = {}
        self._span = -1  # number of the span that runs
        self._hour = -1
        self._craft = SlotArrays(
            {
                "arrived_us": (np.int64, NEVER_US),  # by the steps' time; NEVER_US: not of this regime
                "heard_us": (np.int64, NEVER_US),  # by the row's own time
                "phase": (np.int8, HEARD),
                "counted": (np.int32, 0),  # spans of silence
                "expected": (np.float32, 0.0),  # sum of the shares expected of them
                "running": (np.float32, 0.0),  # sum of what its feed made in them over what is usual
                "cell": (np.uint64, NOWHERE),
                "loud": (np.bool_, False),  # flew high enough to say who is heard up there
                "heard_in": (np.int64, -1),  # the last span
                "by": (np.int16, 0),  # the feed that it was last heard by
                "by_all": (np.uint64, 0),  # all that heard it in the span `by_in`, a bit each
                "by_in": (np.int64, -1),
                "ran": (np.int64, 0),  # spans that that feed had run by then
                "spans": (np.int32, 0),  # in which it was heard
                "missed": (np.int32, 0),  # in which it was not, and was heard later
                "lat": (np.float64, np.nan),
                "lon": (np.float64, np.nan),
                "altitude_ft": (np.float32, np.nan),
                "speed_kn": (np.float32, np.nan),
                "course_deg": (np.float32, np.nan),
                "nav_status": (np.uint8, 255),
                "on_ground": (np.int8, -1),
                "feed": (np.int16, -1),
                "exercise": (np.int8, -1),
                "positions": (np.int16, 0, HOURS),  # by hour, a ring
            }
        )

    def step(self, step: Step) -> list[Finding]:
        found: list[Finding] = []
        if self._regime.domain not in step.known.domains:
            return found  # nobody has been heard yet who could fall silent
        span = (step.end_us - 1) // self._regime.span_us
        if span != self._span:
            if self._span >= 0:
                found = self._end_of_span(step)
            self._span = span
            self._turn_hour(step.end_us - 1)
        slot = step.fixes.slot[step.last]
        own = step.known.state["domain"][slot] == self._regime.domain
        self._follow(step)
        if self._regime.domain == DOMAIN_SEA:
            own &= step.known.state["ship"][slot]
        if np.count_nonzero(own):
            found += self._hear(step, step.last[own])
        return found

    def _follow(self, step: Step) -> None:
        """Speeds and courses, which aircraft say in other messages than their positions."""
        rows, craft = step.rows, self._craft
        craft.reserve(len(step.known))
        for name in ("speed_kn", "course_deg"):
            values = getattr(rows, name)
            said = ~np.isnan(values)
            craft[name][rows.slot[said]] = values[said]

    def _value(self, name: str) -> float:
        return self._definition.value(f"{self._regime.name}_{name}")

    def _turn_hour(self, time_us: int) -> None:
        """Empties the hours of the ring that have passed."""
        hour = time_us // HOUR_US
        passed = min(hour - self._hour, HOURS) if self._hour >= 0 else HOURS
        for back in range(passed):
            self._craft["positions"][:, (hour - back) % HOURS] = 0
        self._hour = hour

    def _hear(self, step: Step, at: Array) -> list[Finding]:
        """The last fixes of the craft of this regime in a step."""
        craft, fixes = self._craft, step.fixes
        craft.reserve(len(step.known))
        slot = fixes.slot[at]
        found = []
        back = trues(craft["phase"][slot] != HEARD)
        for k in back.tolist():
            silence = self._silences.pop(int(slot[k]), None)
            if silence is not None:
                found.append(self._heard_again(step, silence, int(at[k])))
        craft["phase"][slot[back]] = HEARD
        for name in ("counted", "expected", "running"):
            craft[name][slot[back]] = 0
        for name in ("lat", "lon", "altitude_ft", "nav_status", "on_ground"):
            craft[name][slot] = getattr(fixes, name)[at]
        craft["heard_us"][slot], craft["arrived_us"][slot] = fixes.time_us[at], step.end_us
        craft["feed"][slot], craft["exercise"][slot] = fixes.feed[at], fixes.exercise[at]
        craft["positions"][slot, self._hour % HOURS] += 1
        craft["by_all"][slot[craft["by_in"][slot] != self._span]] = 0
        craft["by_in"][slot] = self._span
        bit = np.uint64(1) << (fixes.feed % FEEDS).astype(np.uint64)
        np.bitwise_or.at(craft["by_all"], fixes.slot, bit)
        loud: Any = slice(None)
        if self._regime.domain == DOMAIN_AIR:  # low ones say nothing about who is heard high up
            loud = fixes.altitude_ft[at] >= self._value("floor_ft") / 2
        self._reception.hear(
            slot[loud],
            fixes.lat[at][loud],
            fixes.lon[at][loud],
            fixes.feed[at][loud],
            len(step.known.feeds),
        )
        self._learn(step, slot, fixes.feed[at], loud)
        return found

    def _learn(self, step: Step, slot: Array, feed: Array, loud: Any) -> None:
        """What those heard for the first time in this span missed before it."""
        craft = self._craft
        craft["loud"][slot] = False
        craft["loud"][slot[loud]] = True
        first = craft["heard_in"][slot] != self._span
        if not np.count_nonzero(first):
            return
        slot, feed = slot[first], feed[first]
        craft["heard_in"][slot] = self._span
        cell = step.cells(slot)
        # counted in the spans of the feed that heard it last: another feed may have run more or fewer
        ran = self._reception.ran(craft["by"][slot]) - craft["ran"][slot]
        missed = np.where(craft["cell"][slot] == NOWHERE, 0, np.maximum(ran - 1, 0))
        again = trues((missed > 0) & craft["loud"][slot])
        if len(again):
            here, spans = slot[again], missed[again]
            hour = self._day_hour(step)
            self._expected.miss(craft["cell"][here], spans // 2, hour)
            self._expected.miss(cell[again], spans - spans // 2, hour)
            craft["missed"][here] += spans
        craft["spans"][slot] += 1
        craft["cell"][slot] = np.where(craft["loud"][slot], cell, NOWHERE)
        craft["by"][slot], craft["ran"][slot] = feed, self._reception.ran(feed)

    def _day_hour(self, step: Step) -> int:
        return int((step.end_us - 1) // HOUR_US % DAY_HOURS)

    def _end_of_span(self, step: Step) -> list[Finding]:
        craft, reception = self._craft, self._reception
        share = self._definition.value("feed_share")
        began_us = self._span * self._regime.span_us
        missing = (craft["arrived_us"] != NEVER_US) & (craft["arrived_us"] <= began_us)
        new = trues(missing & (craft["phase"] == HEARD))
        craft["phase"][new] = np.where(self._judged(new), COUNTED, IGNORED)
        old = missing & (craft["arrived_us"] < step.end_us - int(self._value("lost_s")) * SECOND_US)
        craft["phase"][old] = IGNORED
        hour = began_us // HOUR_US % DAY_HOURS
        heard = trues((craft["heard_in"] == self._span) & (craft["cell"] != NOWHERE))
        self._expected.hear(craft["cell"][heard], hour)
        runs = reception.runs(share)
        self._expected.heard_by(craft["cell"][heard], craft["by_all"][heard], runs)
        slot, others = self._counts(trues(missing & (craft["phase"] == COUNTED)), hour)
        found = self._grown(step, slot, others) if len(slot) else []
        lost_s = self._value("lost_s")
        reception.next_span(share, lost_s * SECOND_US / self._regime.span_us)
        return found + self._given_up(step)

    def _counts(self, slot: Array, hour: int) -> tuple[Array, Array]:
        """Of craft that were not heard, those of whom this span says something, and how many others
        were heard around them. Adds the span to their silence."""
        craft, reception, definition = self._craft, self._reception, self._definition
        if not len(slot):
            return slot, slot
        runs = reception.runs(definition.value("feed_share"))
        least = definition.value("reach_share")
        reach, by = self._expected.reach(craft["cell"][slot], runs)
        new = (self._span - craft["heard_in"][slot]) <= TOGETHER_SPANS
        craft["phase"][slot[new & (reach < least)]] = IGNORED  # it fell silent together with its feed
        slot, by = slot[reach >= least], by[reach >= least]
        lat, lon = craft["lat"][slot], craft["lon"][slot]
        ahead = self._ahead(slot)
        others = reception.others(lat, lon)
        if self._regime.domain == DOMAIN_AIR:  # no coasts there: reception is all round, or an edge
            spans = int(self._value("cover_s")) * SECOND_US // self._regime.span_us
            counts = reception.is_within(lat, lon, spans)
            for share in (0.0, 0.5, 1.0):
                counts &= reception.covers(*self._ahead(slot, share), spans)
        else:
            others = np.minimum(others, reception.others(*ahead))
            counts = np.ones(len(slot), bool)
        counts &= others >= definition.value("others")
        counts &= self._expected.reach(cells(*ahead, RESOLUTION), runs)[0] >= least
        own = (craft["spans"][slot] + 1) / (craft["spans"][slot] + craft["missed"][slot] + 2)
        expected = np.minimum(self._expected.share(craft["cell"][slot], hour), own)
        counts &= expected >= definition.value("expected_share")
        slot, others, by = slot[counts], others[counts], by[counts]
        craft["counted"][slot] += 1
        craft["expected"][slot] += expected[counts]
        craft["running"][slot] += reception.running()[by]
        return slot, others

    def _judged(self, slot: Array) -> Array:
        """Whether craft newly unheard had been heard well, and in a state in which silence matters."""
        craft = self._craft
        judged = craft["positions"][slot].sum(axis=1) >= self._value("positions")
        if self._regime.domain == DOMAIN_AIR:
            judged &= craft["speed_kn"][slot] >= self._value("speed_min_kn")
            judged &= (craft["altitude_ft"][slot] >= self._value("floor_ft")) & (
                craft["on_ground"][slot] != 1
            )
        else:
            moving = craft["speed_kn"][slot] >= self._value("speed_min_kn")
            judged &= moving | (craft["nav_status"][slot] == NOT_UNDER_COMMAND)
        found: Array = judged
        return found

    def _ahead(self, slot: Array, share: float = 1.0) -> tuple[Array, Array]:
        """Where craft would be a while after they were last heard, straight on; or at a share of it."""
        craft = self._craft
        way_m = craft["speed_kn"][slot] * KNOT_M_S * self._value("ahead_s") * share
        way_deg = way_m / METRES_PER_DEGREE
        course = np.radians(craft["course_deg"][slot].astype(np.float64))
        known = ~(np.isnan(way_deg) | np.isnan(course))
        north = np.where(known, way_deg * np.cos(course), 0.0)
        east = np.where(known, way_deg * np.sin(course), 0.0)
        lat = np.clip(craft["lat"][slot] + north, -89.0, 89.0)
        return lat, craft["lon"][slot] + east / np.cos(np.radians(lat))

    def _grown(self, step: Step, slot: Array, others: Array) -> list[Finding]:
        """Raises and updates the silences that have become long enough in the span that ended."""
        craft = self._craft
        gap_s = self._value("gap_s")
        counted_s = craft["counted"][slot] * (self._regime.span_us / SECOND_US)
        unheard_s = (step.end_us - craft["arrived_us"][slot]) / SECOND_US
        long = (unheard_s >= gap_s) & (counted_s >= self._definition.value("counted_share") * unheard_s)
        long &= counted_s >= self._definition.value("counted_share") * gap_s
        new = long & ~np.isin(slot, list(self._silences))
        if new.any():
            out = new & ((unheard_s > self._value("raise_s")) | self._at_exit(step, slot))
            craft["phase"][slot[out]] = IGNORED
            long &= ~out
        found = []
        for k in trues(long).tolist():
            here = int(slot[k])
            silence = self._silences.get(here)
            if silence is None and len(self._silences) >= limits.CRAFT_FOLLOWED:
                continue
            if silence is None:
                silence = self._silences[here] = self._new(step, here)
            silence.others = int(others[k])
            strict = self._regime.domain == DOMAIN_SEA and unheard_s[k] >= self._value("gap_strict_s")
            if not silence.raised or (strict and not silence.certain):
                silence.certain = bool(strict)
                found.append(self._write(silence, step.end_us))
        return found

    def _at_exit(self, step: Step, slot: Array) -> Array:
        """Whether craft were last heard where others fell silent at other times, and a good part of all
        that came there: the edge of reception, a harbour. Several at once are no edge."""
        craft = self._craft
        unheard_us = step.end_us - craft["arrived_us"]
        gone = (craft["phase"] != HEARD) & (unheard_us > self._value("gap_s") * SECOND_US / 2)
        gone &= (craft["arrived_us"] != NEVER_US) & (unheard_us < self._value("lost_s") * SECOND_US)
        gone &= craft["speed_kn"] >= self._value("speed_min_kn")
        lat, lon, when_us = (craft[name][gone] for name in ("lat", "lon", "arrived_us"))
        apart_us = APART_SPANS * self._regime.span_us
        share = self._definition.value("exit_share") / 3  # each visits three of the nine cells
        found = np.zeros(len(slot), bool)
        visits = self._reception.visits(craft["lat"][slot], craft["lon"][slot])
        for k, here in enumerate(slot.tolist()):
            near = np.abs(lat - craft["lat"][here]) < 1.5 * CELL_LAT_DEG
            near &= np.abs(lon - craft["lon"][here]) < 1.5 * CELL_LON_DEG
            near &= np.abs(when_us - craft["arrived_us"][here]) > apart_us
            ended = int(near.sum())
            found[k] = ended >= EXIT_CRAFT and ended >= share * visits[k]
        return found

    def _new(self, step: Step, slot: int) -> _Silence:
        craft = self._craft
        one = {**{name: craft[name] for name in craft.names()}, "time_us": craft["heard_us"]}
        rows = Rows(
            np.array([slot]),
            lambda name: one[name][slot : slot + 1] if name in one else absent(name, 1),
        )
        silence = _Silence(self._definition, step, rows, 0, lead_up=self._recent.rows(slot))
        silence.positions = int(craft["positions"][slot].sum())
        return silence

    def _heard_again(self, step: Step, silence: _Silence, i: int) -> Finding:
        time_us = int(step.fixes.time_us[i])
        silence.observe(step, step.fixes, i)
        return self._write(silence, time_us, "heard-again", time_us)

    def _given_up(self, step: Step) -> list[Finding]:
        found = []
        for slot, silence in list(self._silences.items()):
            if step.end_us - silence.start_us > self._value("lost_s") * SECOND_US:
                del self._silences[slot]
                self._craft["phase"][slot] = IGNORED
                found.append(self._write(silence, step.end_us, "given-up", step.end_us))
        return found

    def _write(
        self, silence: _Silence, at_us: int, because: str | None = None, end_us: int | None = None
    ) -> Finding:
        gap_s = (at_us - int(self._craft["arrived_us"][silence.slot])) / SECOND_US
        counted = float(self._craft["counted"][silence.slot])
        counted_s = counted * self._regime.span_us / SECOND_US
        known = ["reception", "identity", "filtered"]
        if self._regime.domain == DOMAIN_SEA:
            known.append("harbour")
        strict = (
            {"gap_strict_s": self._value("gap_strict_s")} if self._regime.domain == DOMAIN_SEA else {}
        )
        return silence.write(
            "open" if because is None else "closed",
            at_us,
            measured={
                "gap_s": gap_s,
                "counted_s": counted_s,
                "counted_share": min(counted_s / gap_s, 1.0) if gap_s else 0.0,
                "others": float(silence.others),
                "expected_share": float(self._craft["expected"][silence.slot]) / max(counted, 1.0),
                "feed_share": float(self._craft["running"][silence.slot]) / max(counted, 1.0),
            },
            thresholds={
                "gap_s": self._value("gap_s"),
                **strict,
                **self._definition.values("counted_share", "others", "expected_share", "feed_share"),
            },
            known_errors=tuple(known),
            because=because,
            end_us=end_us,
        )
