"""The port of readers without a node: who asks, and whether it may; then one of the interfaces answers.

Whose channel is read comes from the token and the certificate of the connection (`exchange.listen`
hands it on), and from nothing else in a request. Unless they are somebody's there is one reply,
whatever was asked; with them, what is another reader's and what nobody has are answered by the same
bytes. Nothing can be written.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from samsyn.base import limits
from samsyn.base.allowance import Allowance
from samsyn.base.clock import Clock
from samsyn.base.errors import NotYetError, SamsynError
from samsyn.base.ids import EVERYBODY
from samsyn.channels.leaf import Leaf
from samsyn.interfaces.readers import Readers

log = logging.getLogger(__name__)

TITLES: Final = {
    400: "The request cannot be read",
    401: "Authentication is needed",
    403: "Nothing can be written here",
    404: "There is no such thing",
    405: "This is not done here",
    406: "This is not spoken here",
    429: "Too many requests",
    503: "Out of order; come back",
}
_THREADS: Final = 4


class Channel(Protocol):
    """What of a reader's channel is used (`channels.reader.ReaderChannel`). Called from threads."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    def leaves(self, after: int, limit: int) -> list[tuple[Leaf, int]]: ...
    def stamps(self, names: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], bytes]: ...
    def frame(self) -> bytes: ...
    def views(self, indexes: Sequence[int]) -> Mapping[int, bytes]: ...


class No(Exception):
    """Not an error: an answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Interface(Protocol):
    """One way to read a channel. Called from threads; nothing of it reads a request's body."""

    @property
    def open(self) -> bool:
        """Whether everybody may ask, and then reads the channel of `EVERYBODY`."""

    def owns(self, parts: Sequence[str]) -> bool:
        """Whether a path of these parts is one of its own."""

    def answer(self, request: Request, channel: Channel) -> Response:
        """Raises `No`."""

    def error(self, status: int) -> Response:
        """The same for every request of its paths that ends this way."""


def reader_port(
    channel_for: Callable[[str], Channel | None],
    readers: Readers,
    wall: Clock,
    interfaces: Sequence[Interface],
    *,
    refused: Callable[[str, str, str], None] = lambda *_: None,
) -> Starlette:
    """The app that readers without a node reach.

    channel_for: the channel of a reader by name. interfaces: the first answers what is none's.
    refused: told of each try without a token that is somebody's ("" for who it was), and of each
    request too many.
    """
    port = _Port(channel_for, readers, wall, interfaces, refused)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        port.close()

    app = Starlette(lifespan=lifespan)
    app.mount("/", port)
    return app


class _Port:
    def __init__(
        self,
        channel_for: Callable[[str], Channel | None],
        readers: Readers,
        wall: Clock,
        interfaces: Sequence[Interface],
        refused: Callable[[str, str, str], None],
    ) -> None:
        self._channel_for = channel_for
        self._readers = readers
        self._wall = wall
        self._interfaces = interfaces
        self._refused = refused
        self._allowances: dict[str, Allowance] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="reader")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        loop = asyncio.get_running_loop()
        try:
            reply = await loop.run_in_executor(self._threads, self._answer, request)
        except Exception:  # whatever it was, nobody outside may see any of it
            log.exception("could not answer a reader")
            reply = self._interfaces[0].error(503)
        await reply(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        parts = request.url.path.strip("/").split("/")
        interface = next((one for one in self._interfaces if one.owns(parts)), None)
        error = (interface or self._interfaces[0]).error
        try:
            channel = self._admit(request, open_=interface is not None and interface.open)
            if len(request.url.path) + len(request.url.query) > limits.READER_QUERY_CHARACTERS:
                raise No(400)
            if interface is None:
                raise No(404)
            return interface.answer(request, channel)
        except No as no:
            return error(no.status)
        except NotYetError:
            return error(503)
        except SamsynError as e:
            log.warning("could not answer a reader: %s", e)
            return error(503)

    def _admit(self, request: Request, *, open_: bool) -> Channel:
        """Raises `No` (401, 404, 429, 503)."""
        reader = self._everybody() if open_ else self._who(request)
        now_us = self._wall.now_us()
        allowance = self._allowances.get(reader)
        if allowance is None:
            made = Allowance(limits.READER_REQUESTS_PER_MINUTE, now_us)
            allowance = self._allowances.setdefault(reader, made)
        if allowance.take(now_us):
            self._refused(reader, "reader", "too-many-requests")
            raise No(429)
        channel = self._channel_for(reader)
        if channel is None or channel.name != reader:  # added this moment: the next tick opens it
            raise No(503)
        return channel

    def _everybody(self) -> str:
        held = self._readers.get(EVERYBODY)
        if held is None or not held.token:
            raise No(404)
        return EVERYBODY

    def _who(self, request: Request) -> str:
        """Raises `No` (401). What cannot be read in a header is as good as a wrong token: it must not be
        made up for by a certificate."""
        said = request.headers.get("authorization", "")
        name, token = _credentials(said)
        certificate = request.scope.get("state", {}).get("certificate")
        reader = self._readers.who(token, certificate) if token or not said else None
        if reader is None or name not in ("", reader):
            if said or certificate:
                why = "unknown-certificate" if certificate else "unknown-token"
                self._refused("", "reader", why)
            raise No(401)
        return reader


def _credentials(header: str) -> tuple[str, str]:
    """User and token: `Bearer x`, `Token x` (no user), or `Basic` of user:token. Empty if neither."""
    scheme, _, value = header.strip().partition(" ")
    match scheme.lower():
        case "bearer" | "token":
            return "", value.strip()
        case "basic":
            try:
                user, colon, token = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError, ValueError):
                return "", ""
            return (user, token) if colon and user else ("", "")
    return "", ""


def error_headers(status: int) -> dict[str, str]:
    """What goes with a status, whatever the interface."""
    if status == 401:
        return {"www-authenticate": 'Bearer realm="samsyn", Basic realm="samsyn"'}
    return {"retry-after": "5"} if status in (429, 503) else {}
