"""The watch: batches in, findings out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, runtime_checkable

import polars as pl

from samsyn.base.clock import MINUTE_US
from samsyn.watch.definition import Definition, discover
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.step import Cutter, Step
from samsyn.watch.tally import Tally
from samsyn.watch.zones import Zone


class Detector(Protocol):
    """What a folder of `detectors` holds. Pure: what it says follows from the steps it was given."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None: ...

    def step(self, step: Step) -> list[Finding]:
        """Findings new or changed by a step, in a fixed order."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A detector that also counts."""

    def tallies(self) -> list[Tally]:
        """Counts that changed since the last call."""
        ...


class Watch:
    """Runs detectors over batches. Not thread-safe: one thread feeds it.

    The same rows in the same order give the same findings, with the same keys and revisions,
    however they are cut into batches: rows go to the detectors in steps of ten seconds by the
    running maximum of their times. A live watch is therefore up to a step behind.

    After a restart, feed it the observations of the last hours again before new ones: it raises
    again, under the same keys and revisions, what began in them.
    """

    def __init__(self, detectors: Collection[str] = (), zones: Sequence[Zone] = ()) -> None:
        """detectors: ids, or all. Raises `ConfigError` for an id that there is none of."""
        found = discover(detectors)
        self.definitions: dict[str, Definition] = {id_: one[0] for id_, one in found.items()}
        self._recent = Recent()
        self._detectors: list[Detector] = [
            made(definition, tuple(zones), self._recent) for definition, made in found.values()
        ]
        self._cutter = Cutter()
        self._end_us = 0
        self._next_tally_us = 0

    def feed(self, batch: pl.DataFrame, not_after_us: int | None = None) -> list[Finding]:
        """Findings new or changed by the steps that this batch (observations.schema) completes.

        not_after_us: what the time is, for a live feed; rows of later times are not looked at.
        """
        return self._run(self._cutter.cut(batch, not_after_us))

    def finish(self) -> list[Finding]:
        """The findings of the last step, when a recording has ended. What is open stays open."""
        found = self._run(self._cutter.finish())
        self._next_tally_us = 0
        return found

    def tallies(self) -> list[Tally]:
        """The counts behind the layers of the picture that changed since the last call. They come at
        most once a minute of the rows' own time, and after `finish`."""
        if self._end_us < self._next_tally_us:
            return []
        self._next_tally_us = self._end_us + MINUTE_US
        counting = [one for one in self._detectors if isinstance(one, Counting)]
        return [tally for one in counting for tally in one.tallies()]

    def _run(self, steps: Iterable[Step]) -> list[Finding]:
        found: list[Finding] = []
        for step in steps:
            self._end_us = step.end_us
            for detector in self._detectors:
                found += detector.step(step)
            self._recent.note(step)
        return found
