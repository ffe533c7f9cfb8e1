"""A situation that a detector follows: what it keeps between steps, and the findings it writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from samsyn.base.clock import iso
from samsyn.observations.craft import craft_text
from samsyn.watch.definition import Definition
from samsyn.watch.finding import EVIDENCE_ROWS_MAX, Evidence, Finding
from samsyn.watch.recent import AIR_EVERY_US, SEA_EVERY_US
from samsyn.watch.step import Rows, Step


class Situation:
    """One craft in one situation of one detector, from its first sign until it is closed.

    A situation that was never raised leaves no finding. Evidence begins with what led up to it.
    `arrived_us` is when its craft was last observed by the watch's own time (`Step.end_us`): one
    feed may lag behind another, so what has not arrived is not told by the times of rows.
    """

    def __init__(
        self,
        definition: Definition,
        step: Step,
        rows: Rows,
        i: int,
        *,
        lead_up: list[dict[str, Any]],
        zone: str | None = None,
        start_us: int | None = None,
        other: int | None = None,
    ) -> None:
        """other: slot of the second craft of a pair."""
        self._definition = definition
        self.slot = int(rows.slot[i])
        key = int(step.known.index.keys[self.slot])
        self.craft = craft_text(key)
        self.other = None if other is None else craft_text(int(step.known.index.keys[other]))
        self.domain: Literal["sea", "air"] = "air" if step.known.flies(self.slot) else "sea"
        self.start_us = int(rows.time_us[i]) if start_us is None else start_us
        self.zone = zone
        self.raised = False
        self._feeds: dict[str, None] = {}
        self.written_us = 0
        self._revision = 0
        every_us = AIR_EVERY_US if step.known.flies(self.slot) else SEA_EVERY_US // 2
        before = [row for row in lead_up if row["time_us"] < int(rows.time_us[i])]
        self.evidence = Evidence(every_us, before)
        self.place: tuple[float, float] | None = None  # lat, lon, the latest
        self.observe(step, rows, i)

    def observe(self, step: Step, rows: Rows, i: int, **more: float) -> None:
        """Takes row `i` of `rows` in as evidence, with what `more` says beside it, and as the latest
        that is known."""
        self.arrived_us = step.end_us
        feed = step.known.feeds[int(rows.feed[i])]
        self._feeds[feed] = None  # an ordered set; the latest is the one it is seen by
        self._feed = feed
        self._exercise = bool(rows.exercise[i] == 1)
        row = {**rows.row(i), **more}
        if "lat" in row and "lon" in row:
            self.place = (row["lat"], row["lon"])
        self.evidence.add(row)

    def write(
        self,
        state: Literal["open", "closed"],
        at_us: int,
        *,
        measured: dict[str, float],
        thresholds: dict[str, float],
        known_errors: tuple[str, ...] = (),
        because: str | None = None,
        end_us: int | None = None,
    ) -> Finding:
        """The next revision. `at_us` is the time of what made it be written; `end_us` when the
        situation ended, if it did."""
        self.raised = True
        self.written_us = at_us
        self._revision += 1
        parts = [
            self._definition.id,
            self.craft,
            *([self.other] if self.other else []),
            *([self.zone] if self.zone else []),
            iso(self.start_us),
        ]
        return Finding(
            key="/".join(parts),
            detector=self._definition.id,
            craft=self.craft,
            domain=self.domain,
            other=self.other,
            state=state,
            start_us=self.start_us,
            updated_us=at_us,
            end_us=end_us,
            lat=None if self.place is None else self.place[0],
            lon=None if self.place is None else self.place[1],
            measured={name: round(value, 3) for name, value in measured.items()},
            thresholds=thresholds,
            zone=self.zone,
            evidence=self.evidence.rows(),
            feed=self._feed,
            more_feeds=tuple(sorted(feed for feed in self._feeds if feed != self._feed)),
            exercise=self._exercise,
            known_errors=known_errors,
            revision=self._revision,
            closed_because=because,
        )


class PlaceSituation:
    """What goes on in one place, from its first sign until it is closed."""

    def __init__(
        self,
        definition: Definition,
        *,
        domain: Literal["sea", "air"],
        start_us: int,
        place: tuple[float, float],
        cell: str | None = None,
        zone: str | None = None,
        group: str | None = None,
    ) -> None:
        """place: lat, lon of its middle. group: of craft; it is in the key."""
        self._definition = definition
        self._domain: Literal["sea", "air"] = domain
        self.start_us = start_us
        self._place = place
        self._cell, self._zone, self._group = cell, zone, group
        self._rows: list[dict[str, Any]] = []
        self._feeds: dict[str, None] = {}
        self._exercise = False
        self._revision = 0
        self.raised = False
        self.written_us = 0

    def seen(self, feeds: Sequence[str], by: Iterable[int], *, exercise: bool) -> None:
        """The feeds, by code in `feeds`, that it rests on; those before stay."""
        self._feeds.update(dict.fromkeys(feeds[code] for code in by))
        self._exercise |= exercise

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Evidence; beyond `EVIDENCE_ROWS_MAX` the first are kept."""
        self._rows += list(rows)[: EVIDENCE_ROWS_MAX - len(self._rows)]

    def write(
        self,
        at_us: int,
        *,
        measured: dict[str, float],
        thresholds: dict[str, float],
        known_errors: tuple[str, ...],
        because: str | None = None,
        end_us: int | None = None,
    ) -> Finding:
        """The next revision; closed if there is a reason for it."""
        self.raised = True
        self.written_us = at_us
        self._revision += 1
        place = self._zone or self._cell or ""
        feed, *more = list(self._feeds)
        parts = [self._definition.id, place, *([self._group] if self._group else []), iso(self.start_us)]
        return Finding(
            key="/".join(parts),
            detector=self._definition.id,
            craft=None,
            domain=self._domain,
            state="open" if because is None else "closed",
            start_us=self.start_us,
            updated_us=at_us,
            end_us=None if because is None else at_us if end_us is None else end_us,
            lat=round(self._place[0], 6),
            lon=round(self._place[1], 6),
            measured={name: round(value, 3) for name, value in measured.items()},
            thresholds=thresholds,
            zone=self._zone,
            evidence=list(self._rows),
            feed=feed,
            exercise=self._exercise,
            known_errors=known_errors,
            revision=self._revision,
            closed_because=because,
            cell=self._cell,
            group=self._group,
            more_feeds=tuple(sorted(more)),
        )
