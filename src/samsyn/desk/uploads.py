"""Files that people have attached to a report which they are still writing: in memory, for an hour.

Nothing of them is on disk before the report is signed; a node that starts anew asks for them again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from hashlib import sha256

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.errors import InputError, LimitError


class Uploads:
    """By person and hash. clock: what the hour is measured by."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[int, bytes]] = {}

    def keep(self, user: str, digest: str, body: bytes) -> None:
        """Raises `InputError` where the hash is of other bytes, `LimitError` at too many."""
        if not body or sha256(body).hexdigest() != digest:
            raise InputError("the file did not arrive whole", where="sha256", do="attach it again")
        now_us = self._clock.now_us()
        with self._lock:
            self._forget(now_us - limits.ATTACHMENT_WAITS_S * SECOND_US)
            mine = sum(1 for owner, other in self._kept if owner == user and other != digest)
            if mine >= limits.ATTACHMENTS_WAITING or len(self._kept) >= limits.ATTACHMENTS_WAITING_ALL:
                raise LimitError("too many files wait for a report", do="sign one, or wait for an hour")
            self._kept[user, digest] = now_us, body

    def of(self, user: str, digests: Collection[str]) -> list[bytes]:
        """Those of these that this person gave."""
        with self._lock:
            return [self._kept[user, d][1] for d in digests if (user, d) in self._kept]

    def drop(self, user: str, digests: Collection[str]) -> None:
        with self._lock:
            for digest in digests:
                self._kept.pop((user, digest), None)

    def _forget(self, before_us: int) -> None:
        for name in [name for name, (at_us, _) in self._kept.items() if at_us <= before_us]:
            del self._kept[name]
