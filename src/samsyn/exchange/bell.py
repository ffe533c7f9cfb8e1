"""The bell between the node's threads, which write channels, and the loop, in which partners wait."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Bell:
    """Wakes those who wait for their channel to grow. Rung from any thread, after a tick that wrote."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rings = 0
        self._closed = False
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    def ring(self) -> None:
        with self._lock:
            self._rings += 1
            waiting, self._waiting = self._waiting, {}
        for future, loop in waiting.items():
            with contextlib.suppress(RuntimeError):  # its loop has ended meanwhile
                loop.call_soon_threadsafe(_wake, future)

    def close(self) -> None:
        """Wake everybody, and let nobody wait again."""
        self._closed = True
        self.ring()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def rings(self) -> int:
        """Read before looking, handed to `rung_after`: a ring in between is not missed."""
        return self._rings

    async def rung_after(self, rings: int) -> None:
        """Wait until the bell has rung more than `rings` times, or is closed."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._rings > rings or self._closed:
                return
            future = loop.create_future()
            self._waiting[future] = loop
        try:
            await future
        finally:
            with self._lock:
                self._waiting.pop(future, None)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
