"""How often something may be done: so many a minute, all at once or spread."""

from __future__ import annotations

from samsyn.base.clock import MINUTE_US


class Allowance:
    """`per_minute` at once at most, and as many again a minute (a token bucket). Not thread-safe."""

    def __init__(self, per_minute: int, now_us: int) -> None:
        self._full_us = MINUTE_US
        self._price_us = MINUTE_US / per_minute
        self._saved_us = float(self._full_us)
        self._at_us = now_us

    def take(self, now_us: int) -> int:
        """0 if it may be done now, else the microseconds until it may (and nothing is taken)."""
        gained_us = max(0, now_us - self._at_us)  # a clock set back gives nothing, and takes nothing
        self._saved_us = min(self._full_us, self._saved_us + gained_us)
        self._at_us = now_us
        if self._saved_us < self._price_us:
            return int(self._price_us - self._saved_us) + 1
        self._saved_us -= self._price_us
        return 0
