"""Time, and nothing else that tells it.

Everything that needs the time is handed a `Clock`; only `node` and `sim` make one. All times are
UTC in microseconds since 1970 (`_us`), an int, so that they compare and store exactly.
"""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime
from typing import Protocol

from samsyn.base.errors import ConfigError

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


class Clock(Protocol):
    """What the time is, and how to wait for a time."""

    def now_us(self) -> int:
        """The time now, microseconds UTC."""
        ...

    def wait_until(self, at_us: int, stop: threading.Event) -> bool:
        """Wait for `at_us`; False when `stop` was set first."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def wait_until(self, at_us: int, stop: threading.Event) -> bool:
        left_s = (at_us - self.now_us()) / SECOND_US
        return not stop.wait(left_s) if left_s > 0 else not stop.is_set()


class ExerciseClock:
    """An exercise's own time: `start_us` at `began_us` of the clock under it, `speed` times as fast.

    Nodes that are told the same three numbers agree on the time, also after a restart.
    """

    _SLICE_S = 0.2  # how soon a waiting thread notices that the speed was changed

    def __init__(self, start_us: int, speed: float, under: Clock, began_us: int | None = None) -> None:
        self._lock = threading.Lock()
        self._under = under
        self._start_us = start_us
        self._began_us = under.now_us() if began_us is None else began_us
        self._speed = _checked_speed(speed)

    @property
    def speed(self) -> float:
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Run faster or slower from now on; the time itself does not jump."""
        _checked_speed(speed)
        with self._lock:
            under_us = self._under.now_us()
            self._start_us += int((under_us - self._began_us) * self._speed)
            self._began_us = under_us
            self._speed = speed

    def now_us(self) -> int:
        with self._lock:
            return self._start_us + int((self._under.now_us() - self._began_us) * self._speed)

    def wait_until(self, at_us: int, stop: threading.Event) -> bool:
        while (left_us := at_us - self.now_us()) > 0:
            wait_us = min(int(left_us / self._speed) + 1, int(self._SLICE_S * SECOND_US))
            if not self._under.wait_until(self._under.now_us() + wait_us, stop):
                return False
        return not stop.is_set()


def _checked_speed(speed: float) -> float:
    if not 0 < speed <= 1_000_000:
        raise ConfigError(f"an exercise clock cannot run at speed {speed}", do="use more than 0")
    return speed


class ManualClock:
    """A clock that stands still until it is set: for simulation and tests."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def set(self, now_us: int) -> None:
        self._now_us = now_us

    def advance(self, by_us: int) -> None:
        self._now_us += by_us

    def wait_until(self, at_us: int, stop: threading.Event) -> bool:
        if stop.is_set():
            return False
        self._now_us = max(self._now_us, at_us)
        return True


def iso(at_us: int) -> str:
    """`2026-11-21T20:15:03Z`; fractions only where there are any (RFC 3339)."""
    whole, part = divmod(at_us, SECOND_US)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{part:06d}".rstrip("0") + "Z" if part else text + "Z"


def parse_iso(text: str) -> int:
    """Microseconds of an RFC 3339 time. Raises `ValueError` where it is none or names no zone."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * DAY_US + since.seconds * SECOND_US + since.microseconds


_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h|d)$")
_SPAN_US = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US}


def parse_span(text: str) -> int:
    """Microseconds of `90s`, `10m`, `2h` or `30d`. Raises `ValueError` for anything else."""
    found = _SPAN.match(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no span of time; write 90s, 10m, 2h or 30d")
    return int(float(found[1]) * _SPAN_US[found[2]])
