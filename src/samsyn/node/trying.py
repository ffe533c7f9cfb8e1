"""Trying a feed for some seconds: what comes, without any of it reaching track, store or watch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import msgspec

from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.errors import LimitError
from samsyn.base.limits import FEED_TRIAL_ROWS, FEED_TRIAL_S
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import FeedStream, open_feed
from samsyn.observations.craft import craft_text

SHOWN = ("time_us", "craft", "lat", "lon", "speed_kn", "altitude_ft")
NAME = "trial"


class Trying:
    """One feed at a time."""

    def __init__(self, wall: Clock, *, exercise: bool) -> None:
        self._wall = wall
        self._exercise = exercise
        self._lock = threading.Lock()

    def run(self, settings: FeedSettings) -> dict[str, Any]:
        """rows, and the first of them; refused: counts by reason; bytes that came; ended: a file was
        read to its end. Raises `ConfigError`, and `LimitError` while another is being tried."""
        if not self._lock.acquire(blocking=False):
            raise LimitError("another feed is being tried", do="wait some seconds")
        try:
            return self._run(msgspec.structs.replace(settings, name=NAME))
        finally:
            self._lock.release()

    def _run(self, settings: FeedSettings) -> dict[str, Any]:
        stop, done = threading.Event(), threading.Event()
        stream = open_feed(
            settings, originator=NAME, exercise=self._exercise, clock=self._wall, stop=stop
        )
        trial = _Trial(stream, stop, done)
        threading.Thread(target=trial.read, name="feed-trial", daemon=True).start()
        self._wall.wait_until(self._wall.now_us() + int(FEED_TRIAL_S * SECOND_US), done)
        ended = done.is_set()
        stop.set()
        report = stream.report
        return {
            "rows": trial.count,
            "first": list(trial.first),
            "refused": dict(report.refused),
            "bytes": report.bytes,
            "ended": ended,
        }


class _Trial:
    def __init__(self, stream: FeedStream, stop: threading.Event, done: threading.Event) -> None:
        self.count = 0
        self.first: list[dict[str, Any]] = []
        self._stream = stream
        self._stop = stop
        self._done = done

    def read(self) -> None:
        for delivery in self._stream:
            if self._stop.is_set():
                return
            left = FEED_TRIAL_ROWS - len(self.first)
            rows = delivery.batch.select(SHOWN).head(left).to_dicts()
            self.first += [_plain(row) for row in rows]
            self.count += delivery.batch.height
        self._done.set()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "craft": craft_text(int(row["craft"]))}
