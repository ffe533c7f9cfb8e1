"""Times of frames that carry only their receiver's counter: 12 MHz since it was switched on.

The counter gives the distance between two frames to a tenth of a microsecond, and nothing else. Where
it began is taken from our own clock (live) or from the settings (a recording).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from samsyn.base.clock import HOUR_US, SECOND_US
from samsyn.formats.codes import TimeSource

TICKS_PER_US: Final = 12
MLAT_TICKS: Final = 0xFF004D4C4154  # "MLAT": not heard but computed, and so without a counter
LAG_US: Final = 2 * SECOND_US  # live: a frame that seems older than this shows that the counter jumped
BACK_US: Final = SECOND_US  # recorded: frames of one receiver are out of order by less
AHEAD_US: Final = 6 * HOUR_US  # recorded: nobody heard for longer is a jump

_TOGETHER: Final = 1_024  # of which one that does not fit makes each be looked at by itself

Ints = npt.NDArray[Any]


class TickClock:
    """The counter of one receiver as time. `begin_us`: when a recording's first frame was heard."""

    def __init__(self, begin_us: int | None = None, *, live: bool = False) -> None:
        self._live = live
        self._begin_us = begin_us
        self._zero_us: int | None = None  # when the counter was 0
        self._last_us: int | None = None
        self._doubted_us: int | None = None  # where a counter that jumped would have begun
        self.source = TimeSource.RECEIVED if live or begin_us is None else TimeSource.GIVEN_DATE

    def time_us(self, ticks: int, received_us: int, tell: Callable[..., None]) -> int:
        """When a frame was heard; `tell` is `Decoded.refuse` with its place, told of a jump.

        One counter that does not fit has the time before it; two that agree begin a new count.
        """
        counted_us = ticks // TICKS_PER_US
        if self._last_us is None:
            if not self._live and self._begin_us is None:
                tell("time-unknown", count=0)
            self._last_us = received_us if self._live or self._begin_us is None else self._begin_us
        if ticks in (0, MLAT_TICKS):
            return received_us if self._live else self._last_us
        if self._zero_us is None:
            self._zero_us = self._last_us - counted_us
        at_us = self._zero_us + counted_us
        if self._live:
            at_us = self._held_to_our_clock(at_us, received_us, tell)
        elif not -BACK_US <= at_us - self._last_us <= AHEAD_US:
            at_us = self._doubt(counted_us, tell)
        else:
            self._doubted_us = None
        self._last_us = at_us
        return at_us

    def times_us(
        self, ticks: Ints, received_us: int, tell: Callable[[int], Callable[..., None]]
    ) -> Ints:
        """`time_us` of many in order; `tell` gives what is told of the one at a place."""
        found, at = np.empty(len(ticks), np.int64), 0
        while at < len(ticks):
            some = ticks[at : at + (_TOGETHER if self._zero_us is not None else 1)]
            times_us = self._in_order(some, received_us)
            if times_us is None:
                for i, one in enumerate(some.tolist(), at):
                    found[i] = self.time_us(one, received_us, tell(i))
            else:
                found[at : at + len(some)] = times_us
            at += len(some)
        return found

    def _in_order(self, ticks: Ints, received_us: int) -> Ints | None:
        """The times of counters each of which goes on from the one before; None where one does not."""
        if self._zero_us is None or self._last_us is None or np.isin(ticks, (0, MLAT_TICKS)).any():
            return None
        times_us = self._zero_us + ticks // TICKS_PER_US
        if self._live:
            late_us = received_us - times_us
            if late_us.min() < 0 or late_us.max() > LAG_US:
                return None
        else:
            steps_us = np.diff(times_us, prepend=self._last_us)
            if steps_us.min() < -BACK_US or steps_us.max() > AHEAD_US:
                return None
            self._doubted_us = None
        self._last_us = int(times_us[-1])
        return times_us

    def _held_to_our_clock(self, at_us: int, received_us: int, tell: Callable[..., None]) -> int:
        """Nothing is heard before it is sent: a first frame that came late is corrected by the next."""
        assert self._zero_us is not None
        if 0 <= received_us - at_us <= LAG_US:
            return at_us
        if abs(received_us - at_us) > LAG_US:
            tell("clock-jump")
        self._zero_us += received_us - at_us
        return received_us

    def _doubt(self, counted_us: int, tell: Callable[..., None]) -> int:
        assert self._last_us is not None
        zero_us = self._last_us - counted_us
        if self._doubted_us is not None and abs(zero_us - self._doubted_us) <= SECOND_US:
            self._zero_us, self._doubted_us = self._doubted_us, None
            return max(self._last_us, self._zero_us + counted_us)
        self._doubted_us = zero_us
        tell("clock-jump")
        return self._last_us
