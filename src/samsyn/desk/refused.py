"""What partners sent that was refused, for the diary: counted, so that nobody can flood it.

Whoever refuses only counts, in memory, from any thread. `flush` writes: of each partner, matter and
reason the first at once, and what came after it once a minute, as a number. A hostile partner so
adds at most two entries a minute for each reason that there is.
"""

from __future__ import annotations

import threading
from collections import Counter

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, Clock
from samsyn.desk.diary import NODE, Diary

Matter = tuple[str, str, str]  # partner, "batch" | "cosignature" | "request", reason


class RefusedCounts:
    """Counts refusals and tells the diary of them. `clock` is wall time."""

    def __init__(self, diary: Diary, clock: Clock) -> None:
        self._diary = diary
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[Matter] = Counter()
        self._told_us: dict[Matter, int] = {}

    def note(self, partner: str, what: str, reason: str) -> None:
        """One refusal: of a partner's "batch", "cosignature" or "request"."""
        with self._lock:
            if len(self._counts) < limits.REFUSAL_MATTERS or (partner, what, reason) in self._counts:
                self._counts[partner, what, reason] += 1

    def flush(self, *, all_of_them: bool = False) -> None:
        """Write what is due; with `all_of_them` (at the end of the process) whatever was counted."""
        now_us = self._clock.now_us()
        with self._lock:
            due = {
                matter: count
                for matter, count in self._counts.items()
                if all_of_them or abs(now_us - self._told_us.get(matter, -MINUTE_US)) >= MINUTE_US
            }
            for matter in due:
                del self._counts[matter]
                self._told_us[matter] = now_us
            self._told_us = {
                matter: at_us for matter, at_us in self._told_us.items() if now_us - at_us < MINUTE_US
            }
        for (partner, what, reason), count in sorted(due.items()):
            self._diary.write(NODE, "refuse", partner=partner, what=what, reason=reason, count=count)
