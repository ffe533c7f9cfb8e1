"""From feeds to findings: a thread for each feed, one for everything after them.

Feeds put batches into a bounded queue; a feed that is faster than the rest waits (a file) or says
what it dropped (a socket). One thread takes them in turn, so that tracks, store and watch see the
same rows in the same order.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from samsyn.base.clock import MINUTE_US, SECOND_US, Clock, parse_span
from samsyn.base.errors import SamsynError
from samsyn.base.limits import FEED_QUEUE_BATCHES
from samsyn.base.settings import FeedSettings
from samsyn.desk.standing import StandingOrders
from samsyn.feeds.pace import paced
from samsyn.feeds.runner import Delivery, FeedStream, discover, open_feed
from samsyn.observations.plausible import Mark
from samsyn.observations.reader import Wanted
from samsyn.observations.schema import SCHEMA
from samsyn.observations.store import ObservationStore
from samsyn.tracks.layers import Layers
from samsyn.watch.finding import Finding
from samsyn.watch.runner import Watch
from samsyn.watch.tally import Tally

log = logging.getLogger("samsyn.intake")

FLUSH_EVERY_BATCHES = 256
FLUSH_US = 5 * SECOND_US  # longest that rows wait in memory: what a crash can lose
AHEAD_US = MINUTE_US  # how far a live source's clock may be ahead of ours
WAIT_S = 0.25
SETTLED_US = 10 * SECOND_US  # what came in so long ago is in the store
REPLAYED = "replay-"  # with a number, the name of the feed of a recording that was asked for
_BAD_TIME = pl.lit(int(Mark.BAD_TIME), pl.UInt16)


class Source:
    """One feed at work, and what the picture shows of it."""

    def __init__(self, settings: FeedSettings, watch: Watch) -> None:
        self.settings = settings
        self.watch = watch
        self.stream: FeedStream | None = None
        self.state = "waiting"  # waiting, live, silent, ended, failed
        self.problem = ""
        self.progress = 0.0
        self.rows = 0
        self.kept_us = -1  # newest row of a recording that is on disk from an earlier run
        self.done = threading.Event()
        self.stop = threading.Event()  # of this feed alone

    def shown(self, now_us: int) -> dict[str, Any]:
        report = self.stream.report if self.stream else None
        heard_us = report.last_heard_us if report else None
        state = self.state
        silent_us = self.settings.silent_after_s * SECOND_US
        if state == "live" and heard_us is not None and now_us - heard_us > silent_us:
            state = "silent"
        return {
            "name": self.settings.name,
            "kind": self.settings.kind,
            "title": discover()[self.settings.kind].title,
            "state": state,
            "rows": self.rows,
            "refused": sum(report.refused.values()) if report else 0,
            "last_heard_us": heard_us,
            "problem": self.problem,
        }


class Intake:
    """All feeds of a node at work, and the one thread in which what they bring is seen."""

    def __init__(
        self,
        *,
        originator: str,
        exercise: bool,
        clock: Clock,
        wall: Clock,
        begin_us: int,
        tracks: Layers,
        heard: Callable[[pl.DataFrame], None],
        store: ObservationStore,
        marking: Callable[[str], str | None],
        new_watch: Callable[[], Watch],
        orders: StandingOrders,
        counted: Callable[[list[Tally]], None],
        changed: Callable[[str], None],
    ) -> None:
        self._originator = originator
        self._exercise = exercise
        self._clock = clock
        self._wall = wall
        self._begin_us = begin_us
        self._tracks = tracks
        self._heard = heard
        self._store = store
        self._marking = marking
        self._new_watch = new_watch
        self._watch = new_watch()  # of all live feeds together
        self._orders = orders
        self._counted = counted
        self._changed = changed
        self._stop = threading.Event()
        self._queue: queue.Queue[tuple[Source, pl.DataFrame | None]] = queue.Queue(FEED_QUEUE_BATCHES)
        self._swaps: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.sources: list[Source] = []

    def warm(self, feeds: tuple[FeedSettings, ...], now_us: int, span_us: int) -> None:
        """Before `start`: bring tracks and watch to where they were, from our own observations.

        What they find is what they found (keys are made of what was seen), so it is taken again
        only where a crash came between: a ship that drifts since yesterday stays one finding.
        A recording is not looked up here: it is read from its start again.
        """
        names = [f.name for f in feeds if not _recording(f)]
        heard = Wanted(heard_from_us=now_us - span_us, feeds=names)
        for rows in self._store.batches(heard, (*SCHEMA, "heard_us")) if names else ():
            # by the clock of then: what ran ahead of it may be over by now, and was shown to nobody
            believed = _believed(rows, pl.col("heard_us")).select(*SCHEMA)
            self._tracks.update(believed)
            self._heard(believed)
            self._orders.take(self._watch.feed(rows.select(*SCHEMA)))

    def watch_anew(self, now_us: int, span_us: int) -> None:
        """A new watch in place of that of the live feeds, as far as it would be had it been there for
        the last `span_us`: zones have changed. For a thread of its own; it returns when the new one is
        at work. Recordings keep the watch that they began with.

        What the new watch finds in what is past is taken only where it is still open: drawing a zone
        tells of who is in it, not of who was.
        """
        fresh = self._new_watch()
        upto_us = now_us - SETTLED_US
        found = dict(self._seen_by(fresh, now_us - span_us, upto_us))
        done = threading.Event()

        def swap() -> None:
            found.update(self._seen_by(fresh, upto_us, None))
            for source in self.sources:
                if source.watch is self._watch:
                    source.watch = fresh
            self._watch = fresh
            self._orders.take(one for one in found.values() if one.state == "open")
            self._changed("findings")
            done.set()

        self._swaps.put(swap)
        while not done.wait(WAIT_S) and not self._stop.is_set():
            pass

    def _seen_by(self, watch: Watch, from_us: int, to_us: int | None) -> Iterator[tuple[str, Finding]]:
        """The findings of a watch, by key, over what live feeds heard between two times."""
        names = [s.settings.name for s in list(self.sources) if not _recording(s.settings)]
        wanted = Wanted(heard_from_us=from_us, heard_to_us=to_us, feeds=names)
        for rows in self._store.batches(wanted, tuple(SCHEMA)) if names else ():
            yield from ((finding.key, finding) for finding in watch.feed(rows))

    def start(self, feeds: tuple[FeedSettings, ...]) -> None:
        self._run(self._work, "intake")
        for settings in feeds:
            self.add(settings)

    def add(self, settings: FeedSettings) -> Source:
        """Start one more feed. Raises `ConfigError` for an unknown kind."""
        # A recording has a time of its own, so a watch of its own: what it finds must not hang on
        # how its rows happened to fall between those of another feed. Live feeds are watched together.
        recording = _recording(settings)
        source = Source(settings, self._new_watch() if recording else self._watch)
        if recording:
            source.kept_us = self._newest_us(settings.name)
        stream = open_feed(
            settings,
            originator=self._originator,
            exercise=self._exercise,
            clock=self._wall,
            stop=source.stop,
        )
        source.stream = stream
        self.sources.append(source)
        self._run(lambda: self._read(source, stream), f"feed-{settings.name}")
        return source

    def remove(self, name: str) -> None:
        """Take nothing more from a feed; cheap where there is none of that name."""
        for source in [one for one in self.sources if one.settings.name == name]:
            source.stop.set()
            self.sources.remove(source)
        self._changed("feeds")

    def stop(self) -> None:
        self._stop.set()
        for source in list(self.sources):
            source.stop.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self._store.flush()

    def _run(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    # a feed's own thread

    def _read(self, source: Source, stream: FeedStream) -> None:
        try:
            for delivery in self._timed(source, stream):
                source.state = "live"
                source.progress = delivery.progress or 0.0
                if not self._put(source, delivery.batch):
                    return
            source.state = "ended"
        except SamsynError as e:
            source.state, source.problem = "failed", str(e)
            log.warning("feed %s: %s", source.settings.name, e)
        except Exception as e:  # a fault in one feed must not take the node with it: shown, and logged
            source.state, source.problem = "failed", f"fault: {e!r}"
            log.exception("feed %s failed", source.settings.name)
        finally:
            self._put(source, None)
            self._changed("feeds")

    def _timed(self, source: Source, stream: FeedStream) -> Iterator[Delivery]:
        if not self._exercise:
            return iter(stream)
        after_us = parse_span(source.settings.begin) if source.settings.begin else 0
        begin_us = self._begin_us + after_us
        if not _recording(source.settings) or not source.settings.begin:
            begin_us = max(begin_us, self._clock.now_us())
        return paced(stream, self._clock, begin_us, source.stop)

    def _put(self, source: Source, batch: pl.DataFrame | None) -> bool:
        while not self._stop.is_set() and not source.stop.is_set():
            try:
                self._queue.put((source, batch), timeout=WAIT_S)
            except queue.Full:
                continue
            return True
        return False

    # the one thread after them

    def _work(self) -> None:
        taken, flushed_us = 0, self._wall.now_us()
        while not self._stop.is_set():
            try:
                source, batch = self._queue.get(timeout=WAIT_S)
            except queue.Empty:
                pass
            else:
                self._try(source, batch)
                taken += 1
            self._swap()
            now_us = self._wall.now_us()
            if taken >= FLUSH_EVERY_BATCHES or (taken and now_us - flushed_us >= FLUSH_US):
                self._store.flush()
                taken, flushed_us = 0, now_us

    def _swap(self) -> None:
        while not self._swaps.empty():
            try:
                self._swaps.get()()
            except Exception:  # the old watch goes on: better than none
                log.exception("zones were changed, and the watch could not be made anew")

    def _try(self, source: Source, batch: pl.DataFrame | None) -> None:
        try:
            self._take(source, batch)
        except Exception as e:  # one bad batch must not stop the watch: shown, and logged
            source.problem = f"fault: {e!r}"
            log.exception("a batch of feed %s failed", source.settings.name)

    def _take(self, source: Source, batch: pl.DataFrame | None) -> None:
        if batch is None:
            # only a watch of its own may be told that nothing more will come
            findings = source.watch.finish() if source.watch is not self._watch else []
            source.done.set()
        else:
            source.rows += batch.height
            findings = self._see(source, batch)
            self._changed("feeds")
        if tallies := source.watch.tallies():
            self._counted(tallies)
        if findings:
            self._orders.take(findings)
            self._changed("findings")

    def _see(self, source: Source, batch: pl.DataFrame) -> list[Finding]:
        """Keep and watch a batch. Of a recording begun before a restart, what is on disk already is
        watched again, as the first time, and not kept twice."""
        now_us = self._clock.now_us()
        if not _recording(source.settings):
            # one row from a clock that runs ahead must not blind the watch to all others
            batch = _doubted_ahead(batch, now_us)
        believed = _believed(batch, now_us)
        self._tracks.update(believed)
        self._heard(believed)
        new = batch.filter(pl.col("time_us") > source.kept_us) if source.kept_us >= 0 else batch
        self._store.append(new, now_us, self._marking(source.settings.name))
        return source.watch.feed(batch)

    def _newest_us(self, feed: str) -> int:
        newest = self._store.read(Wanted(feeds=(feed,)), ("time_us",))["time_us"].max()
        return -1 if newest is None else int(newest)  # type: ignore[arg-type]


def _doubted_ahead(batch: pl.DataFrame, now_us: int) -> pl.DataFrame:
    """Rows of a time that is not yet, marked: a clock that runs ahead. The mark is kept with the row, so
    that who looks back later leaves out the same."""
    ahead = pl.col("time_us") > now_us + AHEAD_US
    if not batch.select(ahead.any()).item():
        return batch
    return batch.with_columns(marks=pl.when(ahead).then(pl.col("marks") | _BAD_TIME).otherwise("marks"))


def _believed(batch: pl.DataFrame, now_us: int | pl.Expr) -> pl.DataFrame:
    """Without those: what comes after them in time could not be shown any more."""
    ahead = ((pl.col("marks") & _BAD_TIME) != 0) & (pl.col("time_us") > now_us + AHEAD_US)
    return batch.filter(~ahead)


def watched_alone(feed: str, feeds: tuple[FeedSettings, ...]) -> bool:
    """Whether a feed, by its name, has a watch of its own: recordings do, and what was replayed."""
    settings = next((one for one in feeds if one.name == feed), None)
    return feed.startswith(REPLAYED) if settings is None else _recording(settings)


def _recording(feed: FeedSettings) -> bool:
    return feed.source.startswith(("file:", "extract:"))
