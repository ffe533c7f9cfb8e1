"""Arrivals in each zone, hour by hour and by class of craft, against what they usually are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from samsyn.base.clock import HOUR_US, SECOND_US
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.activity.level import Levels, threshold
from samsyn.watch.finding import Finding
from samsyn.watch.places import Places
from samsyn.watch.recent import Recent
from samsyn.watch.situation import PlaceSituation
from samsyn.watch.step import NEVER_US, Rows, Step, joined
from samsyn.watch.tally import JOIN, Tally
from samsyn.watch.zones import Zone

PLACED_US: Final = 120 * SECOND_US
LOOKED_US: Final = 30 * SECOND_US  # where each craft is, is looked up this often
_EVER: Final = NEVER_US // 2  # subtracting from it does not overflow

AIRCRAFT: Final = "aircraft"
SEA_GROUPS: Final = ("merchant", "passenger", "fishing", "other")
# types of ship (ITU-R M.1371, table 53): every ship is of one group
_GROUP: Final = np.full(256, SEA_GROUPS.index("other"))
_GROUP[70:90] = SEA_GROUPS.index("merchant")
_GROUP[60:70] = SEA_GROUPS.index("passenger")
_GROUP[30] = SEA_GROUPS.index("fishing")

MORE: Final = 0
LESS: Final = 1


@dataclass
class _Count:
    """One zone and group: who came in this hour, and by which feeds that is known."""

    zone: int
    group: str
    came: int = 0
    feeds: set[int] = field(default_factory=set)
    since_us: list[int] = field(default_factory=lambda: [0, 0])  # since when more, less
    total: list[float] = field(default_factory=lambda: [0.0, 0.0])
    expected: list[float] = field(default_factory=lambda: [0.0, 0.0])
    rows: list[dict[str, Any]] = field(default_factory=list)
    open: PlaceSituation | None = None
    way: int = MORE

    @property
    def domain(self) -> Literal["sea", "air"]:
        return "air" if self.group == AIRCRAFT else "sea"


class Detector:
    """Counts craft that come into zones."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        value = self._value = definition.values(*definition.thresholds)
        self._zones = tuple(zones)
        # of each domain its zones, by their number among all
        self._own = {
            domain: np.array([k for k, z in enumerate(zones) if domain in z.domains], np.int64)
            for domain in (DOMAIN_SEA, DOMAIN_AIR)
        }
        self._places = {
            domain: Places([self._zones[k] for k in own]) for domain, own in self._own.items()
        }
        self._floor = np.array([-np.inf if z.floor_ft is None else z.floor_ft for z in zones])
        self._ceiling = np.array([np.inf if z.ceiling_ft is None else z.ceiling_ft for z in zones])
        self._counts: list[_Count] = []
        self._number: dict[tuple[int, str], int] = {}
        for k, zone in enumerate(self._zones):
            groups = SEA_GROUPS if DOMAIN_SEA in zone.domains else ()
            for group in (*groups, *((AIRCRAFT,) if DOMAIN_AIR in zone.domains else ())):
                self._number[k, group] = len(self._counts)
                self._counts.append(_Count(k, group))
        self._limit = threshold(value["false_alarm_days"])
        self._levels = Levels(len(self._counts), value["times"], self._limit)
        self._inside: dict[tuple[int, int], int] = {}  # zone, slot: when last seen in it
        self._came: list[tuple[int, int, int]] = []  # zone, slot, feed
        self._hour = -1
        self._judged_from = 0  # hour
        self._heard = np.zeros(2)  # craft in this hour, by domain
        self._usual = np.full((2, 24), np.nan)
        self._craft = SlotArrays({"looked_us": (np.int64, _EVER), "hour": (np.int64, -1)})
        self._looks: list[Rows] = []
        self._placed_us = 0
        self._tallies: list[Tally] = []
        self._feeds: list[str] = []
        self._exercise = False

    def step(self, step: Step) -> list[Finding]:
        if not self._zones:
            return []
        found: list[Finding] = []
        hour = (step.end_us - 1) // HOUR_US
        if hour != self._hour:
            found = self._end_of_hour(step, hour)
        if len(step.last):
            self._look(step)
        return found

    def tallies(self) -> list[Tally]:
        """Counts of the hours that ended since the last call."""
        found, self._tallies = self._tallies, []
        return found

    # counting

    def _look(self, step: Step) -> None:
        fixes, last, craft = step.fixes, step.last, self._craft
        craft.reserve(len(step.known))
        slot = fixes.slot[last]
        due = fixes.time_us[last] - craft["looked_us"][slot] >= LOOKED_US
        if not due.any():
            return
        last, slot = last[due], slot[due]
        craft["looked_us"][slot] = fixes.time_us[last]
        air = step.known.is_air(slot)
        new = craft["hour"][slot] != self._hour
        craft["hour"][slot] = self._hour
        self._heard += (np.count_nonzero(new & ~air), np.count_nonzero(new & air))
        self._feeds = step.known.feeds
        self._looks.append(fixes.pick(last))
        if step.end_us - self._placed_us >= PLACED_US:
            self._place(step)

    def _place(self, step: Step) -> None:
        """Puts those looked at since the last time into zones: many at once, for little each."""
        self._placed_us = step.end_us
        if not self._looks:
            return
        looks, self._looks = joined(self._looks), []
        self._exercise = bool(looks.exercise[0] == 1)
        air = step.known.is_air(looks.slot)
        ships = step.known.state["ship"][looks.slot]
        for domain, some in ((DOMAIN_SEA, ships), (DOMAIN_AIR, air & (looks.on_ground != 1))):
            at = trues(some)
            if not len(at):
                continue
            which, zone = self._places[domain].within(looks.lat[at], looks.lon[at])
            at, zone = at[which], self._own[domain][zone]
            if domain == DOMAIN_AIR and len(at):
                level = looks.altitude_ft[at]
                inside = ~((level < self._floor[zone]) | (level > self._ceiling[zone]))
                at, zone = at[inside], zone[inside]
            for i, k in sorted(zip(at.tolist(), zone.tolist(), strict=True)):
                self._in(k, int(looks.slot[i]), int(looks.time_us[i]), int(looks.feed[i]))

    def _in(self, zone: int, slot: int, time_us: int, feed: int) -> None:
        before = self._inside.get((zone, slot))
        self._inside[zone, slot] = time_us
        if before is None or time_us - before > self._value["away_s"] * SECOND_US:
            self._came.append((zone, slot, feed))

    # judging

    def _end_of_hour(self, step: Step, hour: int) -> list[Finding]:
        """Weighs the hour that ended. After a start or a gap it takes a while until who is there is
        known, and so who comes."""
        self._place(step)
        ended, self._hour = self._hour, hour
        found: list[Finding] = []
        warm_h = -(-int(self._value["away_s"]) // 3600)
        if ended < 0 or hour != ended + 1:
            self._judged_from = hour + warm_h
        elif ended >= self._judged_from:
            found = self._weigh(step, ended * HOUR_US)
        self._came.clear()
        self._heard[:] = 0
        gone_us = step.end_us - int(self._value["away_s"]) * SECOND_US
        self._inside = {key: time_us for key, time_us in self._inside.items() if time_us >= gone_us}
        return found

    def _weigh(self, step: Step, begin_us: int) -> list[Finding]:
        levels, counts = self._levels, self._counts
        arrivals = np.zeros(len(counts))
        types = step.known.state["ship_type"]
        for zone, slot, feed in self._came:
            group = AIRCRAFT if step.known.flies(slot) else SEA_GROUPS[int(_GROUP[types[slot]])]
            k = self._number[zone, group]
            arrivals[k] += 1
            counts[k].feeds.add(feed)
        runs = self._runs(begin_us)
        running = np.array([bool(runs[int(one.domain == "air")]) for one in counts])
        levels.expect(begin_us)
        ready = running & (levels.learned_h >= self._value["learn_h"])
        levels.weigh(arrivals, ready)
        found = []
        for k in trues(ready).tolist():
            found += self._judge(k, begin_us, float(arrivals[k]))
        usual = running & np.array([one.open is None for one in counts])
        levels.learn(begin_us, arrivals, usual)
        self._tell(begin_us, arrivals, trues(running))
        return found

    def _runs(self, begin_us: int) -> Array:
        """For sea and air whether about as many craft were heard in all as usual at that hour."""
        hour = begin_us // HOUR_US % 24
        usual = self._usual[:, hour]
        runs = ~(self._heard < self._value["feed_share"] * usual)  # nothing known yet: it runs
        follow = np.where(np.isnan(usual), 1.0, np.where(runs, 0.2, 0.05))
        self._usual[:, hour] = (
            np.where(np.isnan(usual), 0.0, usual) * (1 - follow) + follow * self._heard
        )
        found: Array = runs & (self._heard > 0)
        return found

    def _judge(self, k: int, begin_us: int, came: float) -> list[Finding]:
        one, levels = self._counts[k], self._levels
        mean = float(levels.mean[k])
        end_us = begin_us + HOUR_US
        for way in (MORE, LESS):
            if levels.sums[way, k] > 0:
                one.since_us[way] = one.since_us[way] or begin_us
                one.total[way] += came
                one.expected[way] += mean
            elif one.open is None or one.way != way:
                one.since_us[way], one.total[way], one.expected[way] = 0, 0.0, 0.0
        one.rows.append({"time_us": begin_us, "arrivals": came, "expected": round(mean, 2)})
        del one.rows[: -int(self._value["shown_h"])]
        if one.open is None:
            over = [way for way in (MORE, LESS) if levels.sums[way, k] >= self._limit]
            return [self._raise(k, over[0], end_us)] if over else []
        one.open.add(one.rows[-1:])
        one.open.seen(self._feeds, one.feeds, exercise=self._exercise)
        if levels.sums[one.way, k] <= 0:
            return [self._close(k, end_us, "usual-again")]
        if end_us - one.open.start_us > self._value["lasting_h"] * HOUR_US:
            found = self._close(k, end_us, "new-level")
            levels.forget(k)
            return [found]
        if end_us - one.open.written_us >= self._value["update_s"] * SECOND_US:
            return [self._write(k, end_us)]
        return []

    def _raise(self, k: int, way: int, end_us: int) -> Finding:
        one = self._counts[k]
        zone = self._zones[one.zone]
        middle = zone.geometry.representative_point()
        one.way = way
        one.open = PlaceSituation(
            self._definition,
            domain=one.domain,
            start_us=one.since_us[way],
            place=(middle.y, middle.x),
            zone=zone.name,
            group=one.group,
        )
        one.open.seen(self._feeds, one.feeds or range(1), exercise=self._exercise)
        one.open.add(one.rows)
        self._levels.told(k)
        return self._write(k, end_us)

    def _close(self, k: int, end_us: int, because: str) -> Finding:
        one = self._counts[k]
        found = self._write(k, end_us, because)
        one.open = None
        one.since_us, one.total, one.expected = [0, 0], [0.0, 0.0], [0.0, 0.0]
        return found

    def _write(self, k: int, end_us: int, because: str | None = None) -> Finding:
        one, way = self._counts[k], self._counts[k].way
        assert one.open is not None
        expected = max(one.expected[way], 0.01)
        times = one.total[way] / expected
        value = self._value
        known = ("reception", "holiday", "season") if way == LESS else ("holiday", "season", "few")
        return one.open.write(
            end_us,
            measured={
                "arrivals": one.total[way],
                "expected": expected,
                "times": times,
                "score": float(self._levels.sums[way, k]),
                "duration_s": (end_us - one.since_us[way]) / SECOND_US,
            },
            thresholds={
                "score": self._limit,
                "times": value["times"] if way == MORE else 1 / value["times"],
                "false_alarm_days": value["false_alarm_days"],
            },
            known_errors=known,
            because=because,
        )

    def _tell(self, begin_us: int, arrivals: Array, which: Iterable[int]) -> None:
        levels = self._levels
        spread = np.sqrt(levels.mean + levels.alpha * levels.mean**2)
        for k in which:
            one = self._counts[k]
            state = 0 if one.open is None else 1 if one.way == MORE else -1
            self._tallies.append(
                Tally(
                    layer="activity",
                    begin_us=begin_us,
                    place=f"{self._zones[one.zone].name}/{one.group}",
                    domain=one.domain,
                    feed=JOIN.join(sorted(self._feeds[f] for f in one.feeds) or self._feeds[:1]),
                    figures={
                        "craft": float(arrivals[k]),
                        "expected": round(float(levels.mean[k]), 2),
                        "high": round(float(levels.mean[k] + 2 * spread[k]), 2),
                        "unusual": float(state),
                    },
                )
            )
