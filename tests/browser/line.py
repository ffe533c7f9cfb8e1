"""A line between browser and node that a test can cut without a word, or make slow."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from urllib.parse import urlsplit

PIECE = 2_048  # of what is carried at a time
TICK_S = 0.02


class Line:
    """Carries TCP from a port of its own to that of `url`, until `close`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._loop = asyncio.new_event_loop()
        self._dead: set[asyncio.Task[None]] = set()
        self._cut = False
        self._bytes_s = 0.0  # 0: as fast as it goes
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def cut(self) -> None:
        """From now on nothing comes through, and nobody is told: no reset, no end of the stream."""
        self._cut = True

    def mend(self) -> None:
        """New connections work again; those that were open when it was cut stay dead."""
        self._cut = False

    def slow(self, bytes_s: float) -> None:
        """So many bytes a second, of each connection; 0 for as fast as it goes."""
        self._bytes_s = bytes_s

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(*self._to)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE):
                if self._cut:  # this connection will never speak again
                    await asyncio.Event().wait()
                if self._bytes_s:
                    await asyncio.sleep(len(piece) / self._bytes_s)
                sink.write(piece)
                await sink.drain()
        while self._cut:  # an end of the stream would be a word
            await asyncio.sleep(TICK_S)
        sink.close()
