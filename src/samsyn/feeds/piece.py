"""What every source gives, and how one waits before it is tried again."""

from __future__ import annotations

import threading
from typing import NamedTuple

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock


class Piece(NamedTuple):
    """Some bytes; `ends` where the file, connection or reply ends with them."""

    data: bytes
    ends: bool = False
    progress: float | None = None  # of a file, 0 to 1
    caller: int = 0  # which of several connections: the bytes of each are a stream of their own


class BackOff:
    """Waits before each new attempt, twice as long each time, until something came of one."""

    def __init__(self, clock: Clock, stop: threading.Event) -> None:
        self._clock = clock
        self._stop = stop
        self.reset()

    def reset(self) -> None:
        self._wait_s = limits.FEED_RECONNECT_S_MIN

    def again(self) -> bool:
        """Wait; False when stopped."""
        until_us = self._clock.now_us() + int(self._wait_s * SECOND_US)
        self._wait_s = min(self._wait_s * 2, limits.FEED_RECONNECT_S_MAX)
        return self._clock.wait_until(until_us, self._stop)
