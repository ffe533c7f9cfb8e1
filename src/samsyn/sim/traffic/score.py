"""Findings against truth: what was found and how soon, what was missed, what was a false alarm."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import polars as pl

from samsyn.base.clock import SECOND_US, ManualClock
from samsyn.base.geo import METRES_PER_NM, distance_m
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import FeedStream, open_feed
from samsyn.observations.schema import empty_batch
from samsyn.sim.traffic.cast import Truth
from samsyn.sim.traffic.make import Made
from samsyn.watch.finding import Finding
from samsyn.watch.runner import Watch
from samsyn.watch.zones import zones_of

KINDS: Final = {".nmea": "ais_nmea", ".modes": "mode_s"}
# A finding may begin so much before or after what it is about and still be about it.
SLACK_S: Final = {"sea": 1_800.0, "air": 600.0}
EARLY_S: Final = 300.0  # a finding raised earlier than this is about something else
DELIVERIES: Final = 16  # of a feed that are read at once: few large batches go faster than many
Z95: Final = 1.959964


class First(NamedTuple):
    """A finding: as it was last written, and when its first revision was."""

    finding: Finding
    raised_us: int


class Score(msgspec.Struct, frozen=True):
    """One detector on one or more runs.

    situations: that had to be found; found: of them. findings: raised in all; right: those about such
    a situation; neutral: about one that may be found or not. false: about none. delays_s: of those
    found, from the beginning to the first finding. hours: craft-hours of the domains it watched.
    """

    detector: str
    situations: int
    found: int
    findings: int
    right: int
    neutral: int
    delays_s: list[float]
    hours: float
    missed: list[Truth]
    false: list[Finding]

    def plus(self, other: Score) -> Score:
        """Both taken together."""
        return Score(
            self.detector,
            *(
                getattr(self, name) + getattr(other, name)
                for name in self.__struct_fields__
                if name != "detector"
            ),
        )


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); of 0, everything is possible."""
    if not of:
        return 0.0, 1.0
    p, z2 = hits / of, Z95 * Z95
    middle = p + z2 / (2 * of)
    half = Z95 * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return (middle - half) / (1 + z2 / of), (middle + half) / (1 + z2 / of)


def watched(
    made: Made,
    folder: Path,
    detectors: Collection[str],
    tell: Callable[[float], None] = lambda share: None,
) -> list[First]:
    """What detectors find in the files of a made scenario, written to `folder` by `make.write`.

    The bytes go the whole way: feed decoder, marks, steps, detectors; all in the exercise realm.
    """
    watch = Watch(detectors, zones_of(made.zones, where="the scenario"))
    streams = [
        open_feed(
            FeedSettings(
                name=Path(name).stem, kind=KINDS[Path(name).suffix], source=f"file:{folder / name}"
            ),
            originator="exercise",
            exercise=True,
            clock=ManualClock(0),
            stop=threading.Event(),
        )
        for name in made.files
    ]
    found: dict[str, First] = {}

    def note(findings: list[Finding]) -> None:
        for finding in findings:
            before = found.get(finding.key)
            raised_us = before.raised_us if before else finding.updated_us
            found[finding.key] = First(finding, raised_us)

    for batch, share in in_order(streams):
        note(watch.feed(batch))
        tell(share)
    note(watch.finish())
    return sorted(found.values(), key=lambda f: (f.finding.start_us, f.finding.key))


def in_order(streams: list[FeedStream]) -> Iterator[tuple[pl.DataFrame, float]]:
    """Rows of several feeds in one order of time, as a node that gets them all live would have them,
    and how far the slowest has been read."""
    feeds = [_Held(stream) for stream in streams]
    while live := [feed for feed in feeds if feed.more()]:
        until_us = min(feed.newest_us for feed in live)
        ready = [feed.take(until_us) for feed in live]
        yield pl.concat(ready).sort("time_us", maintain_order=True), min(f.progress for f in feeds)


class _Held:
    """What has come of one feed and was not given on yet."""

    def __init__(self, stream: FeedStream) -> None:
        self._stream = iter(stream)
        self._rows = empty_batch()
        self.progress = 0.0
        self.newest_us = 0

    def more(self) -> bool:
        """Whether there is anything; reads on where little is held."""
        if self._rows.height:
            return True
        came = list(islice(self._stream, DELIVERIES))
        self.progress = (came[-1].progress or 0.0) if came else 1.0
        if came:
            self._rows = pl.concat([delivery.batch for delivery in came])
            self.newest_us = int(self._rows["time_us"].to_numpy().max())
        return bool(came)

    def take(self, until_us: int) -> pl.DataFrame:
        ready = self._rows["time_us"] <= until_us
        some, self._rows = self._rows.filter(ready), self._rows.filter(~ready)
        return some


def judge(made: Made, found: list[First], detectors: Collection[str]) -> list[Score]:
    """A score for each detector."""
    scores = []
    for detector in sorted(detectors):
        truths = [t for t in made.truths if t.detector == detector]
        ours = [f for f in found if f.finding.detector == detector]
        scores.append(_score(made, detector, truths, ours))
    return scores


def _score(made: Made, detector: str, truths: list[Truth], found: list[First]) -> Score:
    must = [t for t in truths if t.counts == "must"]
    hits = [[t for t in truths if about(f.finding, t, made.start_s)] for f in found]
    delays, missed = [], []
    for truth in must:
        early_us = (made.start_s + truth.start_s - EARLY_S) * SECOND_US
        raised = [
            f.raised_us
            for f, of in zip(found, hits, strict=True)
            if any(t is truth for t in of) and f.raised_us >= early_us
        ]
        if raised:
            delays.append(min(raised) / SECOND_US - made.start_s - truth.start_s)
        else:
            missed.append(truth)
    right = [any(t.counts == "must" for t in of) for of in hits]
    false = [f.finding for f, of in zip(found, hits, strict=True) if not of]
    return Score(
        detector=detector,
        situations=len(must),
        found=len(must) - len(missed),
        findings=len(found),
        right=sum(right),
        neutral=len(found) - sum(right) - len(false),
        delays_s=delays,
        hours=made.craft_hours["sea"] + made.craft_hours["air"],
        missed=missed,
        false=false,
    )


def about(finding: Finding, truth: Truth, start_s: int) -> bool:
    """Whether a finding is about a truth: the time, the zone, and the craft or the place."""
    slack_s = SLACK_S[finding.domain]
    begin_s = finding.start_us / SECOND_US - start_s
    end_us = finding.end_us or finding.updated_us
    end_s = end_us / SECOND_US - start_s
    if begin_s > truth.end_s + slack_s or end_s < truth.start_s - slack_s:
        return False
    if truth.zone is not None and finding.zone is not None and truth.zone != finding.zone:
        return False
    if finding.craft is not None:
        named = {finding.craft, finding.other} - {None}
        return named <= set(truth.craft)
    if truth.zone is not None:
        return finding.zone == truth.zone
    if finding.lat is None or finding.lon is None:
        return False
    away_m = float(distance_m(finding.lat, finding.lon, truth.lat, truth.lon))
    return away_m <= max(truth.reach_nm, 1.0) * METRES_PER_NM
