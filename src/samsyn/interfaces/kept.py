"""Finished pieces of views, kept in memory so that a page is not made anew for every reader and request.

A thing kept must never outlive what it was made of. Two guards hold that, each alone: what is kept is
given out only where the statement's bytes, asked for at that moment, are still those it was made
from (`stamp`); and what ended is dropped from memory at the tick that ended it (`forget`), also where
somebody was just making it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable
from typing import Any, Final

from samsyn.base import limits

_OVERHEAD_BYTES: Final = 500  # of one thing's place in the tables


class Kept:
    """The least lately used go first; at most `limits.READER_KEPT_BYTES` together. For any thread."""

    def __init__(self, room_bytes: int = limits.READER_KEPT_BYTES) -> None:
        self._room_bytes = room_bytes
        self._lock = threading.Lock()
        self._things: OrderedDict[Hashable, tuple[str, bytes, Any, int]] = OrderedDict()
        self._of: dict[str, set[Hashable]] = {}  # keys, by statement
        self._forgotten = 0
        self.bytes = 0

    @property
    def now(self) -> int:
        """To be read before a thing is made, for `put`."""
        return self._forgotten

    def get(self, key: Hashable, stamp: bytes | None) -> Any | None:
        """What was put under `key` and made from bytes of this `stamp`; None where there is none. What
        was made of others is dropped; a `stamp` of None says that there are no bytes any more."""
        with self._lock:
            found = self._things.get(key)
            if found is None:
                return None
            if found[1] != stamp:
                self._drop(key)
                return None
            self._things.move_to_end(key)
            return found[2]

    def put(
        self, key: Hashable, jti: str, stamp: bytes, thing: Any, size_bytes: int, since: int
    ) -> None:
        """Keep a thing made of statement `jti`; not where something was forgotten after `since`."""
        with self._lock:
            if since != self._forgotten:
                return
            if key in self._things:
                self._drop(key)
            self._things[key] = jti, stamp, thing, size_bytes + _OVERHEAD_BYTES
            self._of.setdefault(jti, set()).add(key)
            self.bytes += size_bytes + _OVERHEAD_BYTES
            while self.bytes > self._room_bytes:
                self._drop(next(iter(self._things)))

    def forget(self, jtis: Collection[str] | None = None) -> None:
        """Drop all that was made of these statements; None: everything."""
        with self._lock:
            self._forgotten += 1
            for jti in list(self._of) if jtis is None else jtis:
                for key in list(self._of.get(jti, ())):
                    self._drop(key)

    def _drop(self, key: Hashable) -> None:
        jti, _, _, size_bytes = self._things.pop(key)
        self.bytes -= size_bytes
        keys = self._of[jti]
        keys.discard(key)
        if not keys:
            del self._of[jti]
