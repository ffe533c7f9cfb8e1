"""The watch over a period that is over: what the detectors find in what was kept.

The rows go to the detectors in the order in which they came in, so what is found is what the watch found
then, or would have: the same keys, revisions and evidence. Nothing that is found here is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.schema import SCHEMA
from samsyn.watch.finding import Finding
from samsyn.watch.runner import Watch
from samsyn.watch.step import NEVER_US, UNWATCHED_MARKS

COLUMNS: Final = tuple(SCHEMA)


@dataclass(frozen=True)
class Period:
    """from_us, to_us: what is looked at, by the rows' own time (microseconds UTC); the end is not in it.
    warm_us: how far before it the watch begins, as after a node's start. feeds: names; None: all."""

    from_us: int
    to_us: int
    warm_us: int
    feeds: Collection[str] | None = None


@dataclass(frozen=True)
class Found:
    """findings: of the period, each as it stood at its end, by start and key: what was open or was
    updated in it. rows: looked at, those before the period included. feeds: that had any."""

    findings: list[Finding]
    rows: int
    feeds: list[str]


def look_back(
    observations: Observations,
    new_watch: Callable[[], Watch],
    alone: Callable[[str], bool],
    period: Period,
    *,
    progress: Callable[[float, int], None] = lambda share, rows: None,
    seen: Callable[[Finding], None] = lambda finding: None,
) -> Found:
    """What the detectors of `new_watch` find in a period.

    alone:    whether a feed is watched by itself, as recordings are; all others are watched together.
    progress: told the share that is done (0 to 1) and the rows looked at.
    seen:     given every revision of every finding, in the order in which they are raised, those of
              before the period included.
    """
    begin_us = max(period.from_us - period.warm_us, 0)
    whole = Wanted(from_us=begin_us, to_us=period.to_us, feeds=period.feeds)
    feeds = observations.feed_names(whole)
    groups = [[feed for feed in feeds if not alone(feed)], *([feed] for feed in feeds if alone(feed))]
    groups = [group for group in groups if group]
    newest: dict[str, Finding] = {}
    rows = 0
    for number, group in enumerate(groups):
        run = _Run(new_watch(), period.to_us)
        first = observations.arrivals(replace(whole, feeds=group))
        # from there on whatever came, as it came: a row of another time may have been among it
        heard = Wanted(heard_from_us=first[0] if first else period.to_us, feeds=group)
        for batch in observations.batches(heard, COLUMNS):
            for finding in run.take(batch):
                seen(finding)
                newest[finding.key] = finding
            rows += batch.height
            share = (run.newest_us - begin_us) / max(period.to_us - begin_us, 1)
            progress((number + min(max(share, 0.0), 1.0)) / len(groups), rows)
            if run.over:
                break
        if not run.over and alone(group[0]):  # a recording has ended; more of a live feed may come
            for finding in run.watch.finish():
                seen(finding)
                newest[finding.key] = finding
    found = [f for f in newest.values() if _in_period(f, period)]
    return Found(sorted(found, key=lambda f: (f.start_us, f.key)), rows, feeds)


class _Run:
    """One watch that is fed until its own time reaches the end of the period."""

    def __init__(self, watch: Watch, to_us: int) -> None:
        self.watch = watch
        self.newest_us = NEVER_US
        self.over = False
        self._to_us = to_us

    def take(self, batch: pl.DataFrame) -> list[Finding]:
        """The findings of the steps that are complete before the end; no row after the first that
        shows that it is reached."""
        watched = (batch["marks"].to_numpy() & UNWATCHED_MARKS) == 0
        time_us = np.where(watched, batch["time_us"].to_numpy(), NEVER_US)
        newest_us = np.maximum.accumulate(np.maximum(time_us, self.newest_us))
        end = int(np.searchsorted(newest_us, self._to_us))  # ascending: the first at or after the end
        self.over = end < batch.height
        self.newest_us = int(newest_us[min(end, batch.height - 1)])
        return self.watch.feed(batch[: end + 1])


def _in_period(finding: Finding, period: Period) -> bool:
    ended_us = finding.end_us if finding.end_us is not None else period.to_us
    return finding.updated_us >= period.from_us or ended_us >= period.from_us
