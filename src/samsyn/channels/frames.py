"""The door for live tracks: for each reader the latest frame, cut from the track tables by the policy.

Every reader has a frame at every step of the clock (`limits.FRAME_EVERY_S`), whether a rule names it
or not and whether anything was heard or not: one who may have nothing gets the same empty frame as
one of whose interest nothing is. Each feed has a table of its own, so that what one feed heard of a
craft changes no byte of what another feed is released with. Only the latest frames are kept, and of
the past as many states as the rules' delays ask for; nothing here is durable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Final, Literal, NamedTuple

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.clock import Clock
from samsyn.channels.frame import EMPTY, STEP_US, body, seal
from samsyn.channels.names import channel_origin
from samsyn.observations.craft import UNNAMED_FROM
from samsyn.policy import Policy
from samsyn.policy.tracks import Lag, TrackFilter
from samsyn.tracks.state import TrackState
from samsyn.tracks.table import TrackTable

_FRESH_ROWS: Final = 1_024  # a table's room at first; it grows


class _Past(NamedTuple):
    """What every feed held at one step, and for which intervals this is the state of its interval."""

    at_us: int
    every_us: frozenset[int]
    states: Sequence[TrackState]


class Frames:
    """The frames of one realm of a node. Thread-safe.

    waiting: asked at each step for the readers who are to get empty frames for now.
    """

    def __init__(
        self,
        *,
        node: str,
        realm: Literal["actual", "exercise"],
        key: Ed25519PrivateKey,
        clock: Clock,
        waiting: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._waiting = waiting
        self._node = node
        self._realm: Literal["actual", "exercise"] = realm
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()  # one cut at a time; who only reads does not wait for it
        self._marking: Callable[[str], str | None] = lambda feed: None
        self._tables: dict[str, TrackTable] = {}
        self._filter: TrackFilter | None = None
        self._readers: tuple[str, ...] = ()
        # a reader's own: what another reader's rules had kept must not show when its rules change
        self._past: dict[str, list[_Past]] = {}
        self._sequence = -1
        self._latest: dict[str, bytes] = {}

    def mark(self, marking: Callable[[str], str | None]) -> None:
        """`marking`: that of a feed by name. Of a feed for which it says None nothing leaves; that is
        so of every feed before this is called."""
        self._marking = marking

    def take(self, batch: pl.DataFrame) -> None:
        """What feeds heard (observations.schema). Tracks that nobody names stay at home."""
        batch = batch.filter(pl.col("craft") < UNNAMED_FROM)
        feeds = batch["feed"].unique().to_list()
        for feed in feeds:
            table = self._tables.get(feed)
            if table is None:
                table = self._tables.setdefault(feed, TrackTable(_FRESH_ROWS))
            table.update(batch.filter(pl.col("feed") == feed) if len(feeds) > 1 else batch)

    def set_policy(self, policy: Policy | None, readers: Collection[str]) -> None:
        """Cut by `policy` from the next step on; None: empty frames for everybody."""
        made = None
        if policy is not None:
            made = TrackFilter(
                policy.track_rules,
                node=self._node,
                exercise=self._realm == "exercise",
                marking=lambda feed: self._marking(feed),
            )
        with self._lock:
            self._filter, self._readers = made, tuple(sorted(readers))

    def cut(self) -> bool:
        """Make the frames of the clock's present step; False where they are made already."""
        with self._lock:
            sequence = self._clock.now_us() // STEP_US
            if sequence <= self._sequence:
                return False
            now_us = sequence * STEP_US
            lags = {r: self._filter.lags(r) if self._filter else frozenset() for r in self._readers}
            present: list[TrackState] = []
            if any(lags.values()):
                present = [table.state(feed, now_us) for feed, table in sorted(self._tables.items())]
            self._past = {
                reader: _remembered(self._past.get(reader, []), present, now_us, shown)
                for reader, shown in lags.items()
                if shown
            }
            latest = {}
            waiting = self._waiting()
            for reader in self._readers:
                rows, packed = 0, EMPTY
                if self._filter is not None and reader not in waiting:
                    found = self._filter.cut(reader, self._states(reader, present, now_us), now_us)
                    rows, packed = found.height, body(found) if found.height else EMPTY
                latest[reader] = seal(self._origin(reader), sequence, rows, packed, self._key)
            self._sequence, self._latest = sequence, latest
            return True

    def latest(self, reader: str) -> bytes:
        """The newest frame of a reader."""
        if self._sequence < 0:
            self.cut()
        found = self._latest.get(reader)
        if found is None:  # a reader since the last step
            found = seal(self._origin(reader), self._sequence, 0, EMPTY, self._key)
        return found

    def _origin(self, reader: str) -> str:
        return channel_origin(self._node, self._realm, reader)

    def _states(
        self, reader: str, present: Sequence[TrackState], now_us: int
    ) -> Callable[[Lag], Sequence[TrackState]]:
        """The newest states that a lag may show to `reader`; none, while none is old enough."""
        past = self._past.get(reader, [])

        def states(lag: Lag) -> Sequence[TrackState]:
            if lag == (0, STEP_US):
                return present
            fit = (p for p in reversed(past) if lag.every_us in p.every_us)
            return next((p.states for p in fit if _old(p, lag.delay_us, now_us)), ())

        return states


def _remembered(
    past: Sequence[_Past], states: Sequence[TrackState], now_us: int, lags: Collection[Lag]
) -> list[_Past]:
    """`past` with the present, for the rules that will show it, without what none shows any more.

    An interval is begun by the first step in it, which in a fast exercise need not be its own
    first: steps are left out there.
    """
    delays_us: dict[int, int] = {}  # by interval, the longest
    for lag in lags:
        if lag != (0, STEP_US):
            delays_us[lag.every_us] = max(lag.delay_us, delays_us.get(lag.every_us, 0))
    begun = {
        every_us: max((p.at_us for p in past if every_us in p.every_us), default=-1)
        for every_us in delays_us
    }
    new = frozenset(e for e, at_us in begun.items() if at_us // e < now_us // e)
    after = [*past, _Past(now_us, new, states)] if new else list(past)
    shown_us = {  # the oldest state of each interval that is still shown
        e: max((p.at_us for p in after if e in p.every_us and _old(p, delay_us, now_us)), default=0)
        for e, delay_us in delays_us.items()
    }
    kept = [p for p in after if any(e in shown_us and p.at_us >= shown_us[e] for e in p.every_us)]
    return kept[-limits.TRACK_STATES :]


def _old(past: _Past, delay_us: int, now_us: int) -> bool:
    """Whether a state may be shown after a delay: it holds what was heard until the step after it."""
    return past.at_us + (delay_us + STEP_US if delay_us else 0) <= now_us
