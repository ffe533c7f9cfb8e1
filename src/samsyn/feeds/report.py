"""What a feed did: heard, understood, refused, and why."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from samsyn.base import limits
from samsyn.formats.decoded import REASONS, Decoded


class FeedProblem(msgspec.Struct, frozen=True):
    """One refusal as a person reads it: where (source and line or byte), what, and the words."""

    reason: str
    where: str
    what: str  # English
    what_sv: str
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f": {self.detail}" if self.detail else "")


class FeedReport:
    """Counts of one feed; read by other threads while it runs.

    lines, messages, rows: read, understood, made. refused: by reason, complete. problems: the first
    `limits.FEED_PROBLEMS_KEPT` of them. first_us, last_us: times of rows. last_heard_us: the clock when
    bytes last came, the feed's heartbeat.
    """

    def __init__(self, name: str, kind: str, source: str) -> None:
        self.name = name
        self.kind = kind
        self.source = source
        self.lines = 0
        self.messages = 0
        self.rows = 0
        self.bytes = 0
        self.types: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.unhandled: Counter[str] = Counter()
        self.problems: list[FeedProblem] = []
        self.first_us: int | None = None
        self.last_us: int | None = None
        self.last_heard_us: int | None = None
        self.connected = False

    def add(self, out: Decoded) -> None:
        """Take over the counts of one decoded piece."""
        self.lines += out.lines
        self.messages += out.messages
        self.rows += out.rows
        # made anew, not changed: another thread may be reading the old one
        self.types = self.types + out.types
        self.refused = self.refused + out.refused
        self.unhandled = self.unhandled + out.unhandled
        for problem in out.problems:
            self._tell(problem.reason, problem.where(), problem.detail)
        if out.rows:
            times = np.asarray(out.columns["time_us"])
            first, last = int(times.min()), int(times.max())
            self.first_us = first if self.first_us is None else min(self.first_us, first)
            self.last_us = last if self.last_us is None else max(self.last_us, last)

    def refuse(
        self, reason: str, *, offset: int | None = None, detail: str = "", count: int = 1
    ) -> None:
        """Count something that went wrong with the source itself, not with what it said."""
        self.refused = self.refused + Counter({reason: count})
        self._tell(reason, "" if offset is None else f"byte {offset}", detail)

    def _tell(self, reason: str, where: str, detail: str) -> None:
        if len(self.problems) < limits.FEED_PROBLEMS_KEPT:
            said = REASONS[reason]
            place = f"{self.source.removeprefix('file:')}: {where}" if where else self.source
            self.problems.append(FeedProblem(reason, place, said["en"], said["sv"], detail))
