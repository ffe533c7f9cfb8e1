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
    """An exercise's own time: starts at `start_us` and runs `speed` times as fast as `under`."""

    def __init__(self, start_us: int, speed: float, under: Clock) -> None:
        if speed <= 0:
            raise ConfigError(f"an exercise clock cannot run at speed {speed}", do="use more than 0")
        self.start_us = start_us
        self.speed = speed
        self._under = under
        self._began_us = under.now_us()

    def now_us(self) -> int:
        return self.start_us + int((self._under.now_us() - self._began_us) * self.speed)

    def wait_until(self, at_us: int, stop: threading.Event) -> bool:
        under_us = self._began_us + int((at_us - self.start_us) / self.speed)
        return self._under.wait_until(under_us, stop)


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
