"""Cursor on Target for TAK clients: a stream of a reader's channel over TLS, as it grows.

A client shows the certificate that it was given (`samsyn reader certificate`), or says its name and
token in an <auth> message. It gets what stands in its channel and has a place, each new view, a
deletion for each that was withdrawn, and its live tracks. It is sent XML; protocol 1 on request.
Nothing of what it sends is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
from collections.abc import Callable
from typing import Final, Literal

from samsyn.base import limits
from samsyn.base.clock import Clock
from samsyn.base.errors import ConfigError, InputError, SamsynError
from samsyn.formats import cot_out, tak
from samsyn.formats.view import View
from samsyn.interfaces.live import Live
from samsyn.interfaces.port import Channel
from samsyn.interfaces.public import ViewMaker
from samsyn.interfaces.readers import Readers
from samsyn.interfaces.seen import Seen, Seens

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0  # how often it is looked for what is new
RENEW_LOOKS: Final = 6 * 3600  # looks after which everything is sent anew, before it is stale
SLOW_S: Final = 30.0  # a client that takes nothing for so long is let go
SIGN_IN_S: Final = 10.0
STOP_S: Final = 5.0
_PIECE: Final = 16 * 1024


class TakServer:
    """Listens in a thread with its own loop. `start`, `stop`, `address`."""

    def __init__(
        self,
        channel_for: Callable[[str], Channel | None],
        readers: Readers,
        wall: Clock,
        seens: Seens,
        host: str,
        port: int,
        context: ssl.SSLContext,
        *,
        node: str,
        realm: Literal["actual", "exercise"],
        refused: Callable[[str, str, str], None] = lambda *_: None,
        look_s: float = LOOK_S,
    ) -> None:
        """channel_for: the channel of a reader by name. context: one that may take certificates
        (`exchange.reader_certificates.readers_context`). refused: as in `port.reader_port`."""
        self._channel_for = channel_for
        self._readers = readers
        self._wall = wall
        self._seens = seens
        self._host, self._port, self._context = host.strip("[]"), port, context
        self._node, self._exercise = node, realm == "exercise"
        self._refused = refused
        self._look_s = look_s
        self._live = Live()
        self._clients: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="tak", daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        """Raises `ConfigError` where the port cannot be had."""
        self._thread.start()
        begun = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        try:
            self._server = begun.result(STOP_S)
        except OSError as e:
            self.stop()
            raise ConfigError(
                f"cannot listen: {e.strerror or e}",
                where=self.address,
                do="choose another port, or end what holds it",
            ) from e
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def address(self) -> str:
        """`host:port` as bound."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    def stop(self) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(STOP_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(
            self._meet,
            self._host,
            self._port,
            ssl=self._context,
            ssl_handshake_timeout=SIGN_IN_S,
            limit=_PIECE,
        )

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            if len(self._clients) <= limits.TAK_CLIENTS:
                await self._serve(reader, writer)
        except (OSError, TimeoutError, InputError) as e:  # ssl.SSLError is an OSError
            log.info("a TAK client went: %s", e)
        except SamsynError as e:
            log.warning("could not serve a TAK client: %s", e)
        finally:
            self._clients.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = tak.Conversation()
        name = await self._who(reader, writer, said)
        if name is None:
            self._refused("", "reader", "unknown-token")
            return
        client = _Client(self, name, writer)
        hearing = asyncio.create_task(client.hear(reader, said))
        telling = asyncio.create_task(client.tell())
        try:
            await asyncio.wait({hearing, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (hearing, telling):
                task.cancel()
            ended = await asyncio.gather(hearing, telling, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception):
                raise one

    async def _who(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: tak.Conversation
    ) -> str | None:
        """The reader's name: by its certificate, or where that is none or not enough by the first thing
        it says."""
        shown = writer.get_extra_info("ssl_object").getpeercert(True)
        if shown:
            held = self._readers.of_certificate(shown)
            if held is None or not held.both:
                return held.name if held is not None else None
        async with asyncio.timeout(SIGN_IN_S):
            while piece := await reader.read(_PIECE):
                for one in said.hear(piece):
                    known = self._readers.who(one.password, shown) if one.type == "auth" else None
                    return known if known is not None and one.username == known else None
        return None

    def channel(self, name: str) -> Channel | None:
        """A reader's, for as long as it has a token or a certificate."""
        if name in self._readers.revoked():
            return None
        found = self._channel_for(name)
        return found if found is not None and found.name == name else None


class _Client:
    """What one client has been told."""

    def __init__(self, server: TakServer, name: str, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._name = name
        self._writer = writer
        self._protocol_1 = False
        self._shown: dict[str, str] = {}  # by statement: the id of the view that is drawn
        self._tracks: dict[str, int] = {}  # by craft: of when it was sent
        self._looks = 0
        self._at = 0

    async def hear(self, reader: asyncio.StreamReader, said: tak.Conversation) -> None:
        while piece := await reader.read(_PIECE):
            for one in said.hear(piece):
                now_us = self._server._wall.now_us()
                if one.type == tak.PING:
                    await self._send(cot_out.pong(now_us))
                elif one.type == tak.ASKS_PROTOCOL and not self._protocol_1:
                    await self._send(tak.takes_protocol_1(now_us))
                    self._protocol_1 = True

    async def tell(self) -> None:
        loop = asyncio.get_running_loop()
        await self._send(tak.offers_protocol_1(self._server._wall.now_us()))
        while True:
            messages = await loop.run_in_executor(None, self._new)
            if messages is None:
                return
            for message in messages:
                await self._send(message)
            await asyncio.sleep(self._server._look_s)

    async def _send(self, message: bytes) -> None:
        made = cot_out.to_protocol_1(message) if self._protocol_1 else message
        self._writer.write(made)
        async with asyncio.timeout(SLOW_S):
            await self._writer.drain()

    def _new(self) -> list[bytes] | None:
        """What is to be sent now; None: nothing more, ever."""
        server = self._server
        channel = server.channel(self._name)
        if channel is None:
            return None
        now_us = server._wall.now_us()
        seen = server._seens.of(channel)
        messages = self._ended(seen, now_us)
        if self._looks % RENEW_LOOKS == 0:
            self._at = 0
        self._looks += 1
        messages += self._begun(channel, seen, now_us)
        return messages + self._live(channel, now_us)

    def _ended(self, seen: Seen, now_us: int) -> list[bytes]:
        """Deletions of what has no view that stands any more."""
        messages = []
        for index in range(self._at, seen.size):
            entry = seen.entry(index)
            if entry.uid is None and self._shown.pop(entry.jti, None) is not None:
                messages.append(self._deleted(entry.jti, now_us))
        return messages

    def _begun(self, channel: Channel, seen: Seen, now_us: int) -> list[bytes]:
        messages: list[bytes] = []
        while self._at < seen.size:
            some = range(self._at, min(self._at + limits.BATCH_ENTRIES, seen.size))
            made = seen.made(channel, [index for index in some if seen.stands(index)], ViewMaker())
            for view in made.values():
                messages += self._of(view, now_us)
            self._at = some.stop
        return messages

    def _of(self, view: View, now_us: int) -> list[bytes]:
        message = cot_out.of_view(view, self._server._node, now_us)
        if message is not None:
            self._shown[view.jti] = str(view.uid)
            return [message]
        if self._shown.pop(view.jti, None) is not None:  # it has no place any more
            return [self._deleted(view.jti, now_us)]
        return []

    def _deleted(self, jti: str, now_us: int) -> bytes:
        server = self._server
        uid = cot_out.uid_of(jti, server._node)
        return cot_out.deleted(uid, cot_out.VIEW_TYPE, now_us, exercise=server._exercise)

    def _live(self, channel: Channel, now_us: int) -> list[bytes]:
        server = self._server
        messages, still = [], {}
        for row in server._live.rows(channel):
            still[row["craft"]] = row["heard_us"]
            if self._tracks.get(row["craft"]) != row["heard_us"]:
                exercise = server._exercise
                messages.append(cot_out.of_track(row, server._node, now_us, exercise=exercise))
        self._tracks = still
        return messages
