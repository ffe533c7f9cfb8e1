"""What a partner can reach: its own channel, and nothing else.

    GET  /healthz                        open to all: {"ok":true}
    GET  /exchange/checkpoint            the channel's checkpoint, a signed note
    GET  /exchange/entries?after=&limit= a batch
    POST /exchange/cosign                a cosignature: applied up to there
    GET  /exchange/live?after=           the checkpoint, as soon as its size is not `after`, or later
    GET  /exchange/frame?after=          the newest frame of live tracks, once it is above `after`
    GET  /exchange/attachment/ID/VER/SHA256   an attachment that a view of the channel names; else empty

Which channel is decided by who signed the request; no path, parameter or header names one. Whoever is
not a partner, or cannot show it, or asks for what is not there, gets one and the same reply, so the
port tells a stranger nothing, not even whom this node knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from samsyn.base import limits
from samsyn.base.allowance import Allowance
from samsyn.base.clock import Clock
from samsyn.base.errors import NotYetError, Refused, SamsynError
from samsyn.channels.frame import frame_sequence
from samsyn.exchange.bell import Bell
from samsyn.exchange.card import Card
from samsyn.exchange.roster import Roster
from samsyn.exchange.signing import Received, Verifier

log = logging.getLogger(__name__)

CHANNEL_THREADS = 4  # kept for good: each holds one reading connection of the store
SIZE_DIGITS = 18
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")
Handler = Callable[[Request, "Channel", bytes], Awaitable[Response]]


class Channel(Protocol):
    """What a partner's requests may touch (`channels.reader.ReaderChannel`). Called from threads."""

    @property
    def name(self) -> str: ...
    def checkpoint(self) -> bytes: ...
    def entries(self, after: int, limit: int) -> bytes: ...
    def cosign(self, note: bytes) -> None: ...
    def frame(self) -> bytes: ...
    def attachment(self, jti: str, ver: int, digest: str) -> bytes: ...


def partner_routes(
    channel_for: Callable[[str], Channel | None],
    roster: Roster,
    wall_clock: Clock,
    me: Card,
    *,
    realm: str,
    bell: Bell,
    cosigned: Callable[[], None] = lambda: None,
    refused: Callable[[str, str, str], None] = lambda *_: None,
) -> Starlette:
    """The app that partners reach.

    channel_for: the channel of a partner by name, None where there is none. me: this node's own card.
    cosigned: called after a partner's cosignature was taken. refused: told of each request in a known
    partner's name that is refused: the partner, "request" or "cosignature", and the reason; it must
    not wait. Close `bell` to end all waits.
    """

    def told(partner: str, what: str, reason: str) -> None:
        if partner and _known(roster, partner):
            refused(partner, what, reason)

    verifier = Verifier(roster, me, realm, wall_clock)
    gate = _Gate(channel_for, verifier, wall_clock, bell, cosigned, told)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        gate.close()

    app = Starlette(
        routes=[
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/exchange/checkpoint", gate.answer(gate.checkpoint), methods=["GET"]),
            Route("/exchange/entries", gate.answer(gate.entries), methods=["GET"]),
            Route("/exchange/cosign", gate.answer(gate.cosign), methods=["POST"]),
            Route("/exchange/live", gate.answer(gate.live), methods=["GET"]),
            Route("/exchange/frame", gate.answer(gate.frame), methods=["GET"]),
            Route(
                "/exchange/attachment/{jti}/{ver}/{digest}",
                gate.answer(gate.attachment),
                methods=["GET"],
            ),
        ],
        exception_handlers={404: _no_such_thing, 405: _no_such_thing},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


class _Gate:
    """Lets a partner's request through to that partner's channel."""

    def __init__(
        self,
        channel_for: Callable[[str], Channel | None],
        verifier: Verifier,
        clock: Clock,
        bell: Bell,
        cosigned: Callable[[], None],
        refused: Callable[[str, str, str], None],
    ) -> None:
        self._refused = refused
        self._channel_for = channel_for
        self._verifier = verifier
        self._clock = clock
        self._bell = bell
        self._cosigned = cosigned
        self._allowances: dict[tuple[str, str], Allowance] = {}
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._threads = ThreadPoolExecutor(CHANNEL_THREADS, thread_name_prefix="channel")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def answer(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint: `handler` for partners, one and the same refusal for everybody else."""

        async def endpoint(request: Request) -> Response:
            try:
                admitted = await self._admit(request)
            except (SamsynError, ValueError, TimeoutError, ClientDisconnect) as e:
                log.info("refused a request: %s", e)
                if isinstance(e, Refused):
                    self._refused(e.where, "request", e.reason)
                return _refusal()
            except Exception:  # whatever it was, a stranger must see the one refusal
                log.exception("could not judge a request")
                return _refusal()
            if admitted is None:
                return _too_many()
            try:
                return await handler(request, *admitted)
            except ValueError:  # the query is not as it must be
                return _refusal()
            except NotYetError:
                return Response(b'{"error":"come back"}', 503, _HEADERS)
            except SamsynError as e:
                log.warning("%s: %s", admitted[0].name, e)
                reason = e.reason if isinstance(e, Refused) else "not-taken"
                cosigns = request.url.path.endswith("/cosign")
                self._refused(admitted[0].name, "cosignature" if cosigns else "request", reason)
                return Response(b'{"error":"not taken"}', 409, _HEADERS)
            except Exception:  # our own fault (a full disk, say) must not show the partner any detail
                log.exception("could not answer %s", admitted[0].name)
                return Response(b'{"error":"out of order"}', 503, _HEADERS)

        return endpoint

    async def _admit(self, request: Request) -> tuple[Channel, bytes] | None:
        """The caller's channel and the body it sent; None where it asks too often."""
        received = _received(request)
        caller = self._verifier.verify(received)
        async with asyncio.timeout(limits.REQUEST_READ_S):
            body = await _body(request)
        self._verifier.check_body(received, caller, body)
        if not self._may(caller.partner, "request", limits.REQUESTS_PER_MINUTE):
            return None
        self._verifier.spend(caller)
        channel = await self._in_thread(self._channel_for, caller.partner)
        if channel is None or channel.name != caller.partner:
            raise Refused("no-channel", "there is no channel of that name", where=caller.partner)
        return channel, body

    def _may(self, partner: str, what: str, per_minute: int) -> bool:
        """Whether a partner may do once more what it may do `per_minute` times."""
        now_us = self._clock.now_us()
        allowance = self._allowances.get((partner, what))
        if allowance is None:
            allowance = self._allowances[partner, what] = Allowance(per_minute, now_us)
        if allowance.take(now_us):
            self._refused(partner, "request", "too-many-requests")
            return False
        return True

    async def _in_thread(self, work: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    async def checkpoint(self, request: Request, channel: Channel, _body: bytes) -> Response:
        _query(request)
        return _Reply(await self._in_thread(channel.checkpoint), headers=_HEADERS_NOTE)

    async def entries(self, request: Request, channel: Channel, _body: bytes) -> Response:
        after, limit = _query(request, "after", "limit")
        if limit < 1:
            raise ValueError("limit")
        batch = await self._in_thread(channel.entries, after, min(limit, limits.BATCH_ENTRIES))
        return _Reply(batch, headers=_HEADERS_BATCH)

    async def cosign(self, request: Request, channel: Channel, body: bytes) -> Response:
        _query(request)
        if len(body) > limits.CHECKPOINT_BYTES:
            raise ValueError("too long for a note")
        await self._in_thread(channel.cosign, body)
        self._cosigned()
        return Response(b'{"ok":true}', headers=_HEADERS)

    async def live(self, request: Request, channel: Channel, _body: bytes) -> Response:
        (after,) = _query(request, "after")
        changed = await self._waited(
            channel.name, "live", channel.checkpoint, lambda note: note_size(note) != after
        )
        return _Reply(changed, headers=_HEADERS_NOTE)

    async def frame(self, request: Request, channel: Channel, _body: bytes) -> Response:
        (after,) = _query(request, "after")
        if not self._may(channel.name, "frame", limits.FRAME_REQUESTS_PER_MINUTE):
            return _too_many()
        newer = await self._waited(
            channel.name, "frame", channel.frame, lambda frame: frame_sequence(frame) > after
        )
        return _Reply(newer, headers=_HEADERS_BATCH)

    async def attachment(self, request: Request, channel: Channel, _body: bytes) -> Response:
        _query(request)
        asked = request.path_params
        if not (_ID.fullmatch(asked["jti"]) and _SHA256.fullmatch(asked["digest"])):
            raise ValueError("no name of an attachment")
        ver = _number(asked["ver"])
        if not self._may(channel.name, "attachment", limits.ATTACHMENT_REQUESTS_PER_MINUTE):
            return _too_many()
        found = await self._in_thread(channel.attachment, asked["jti"], ver, asked["digest"])
        return _Reply(found, headers=_HEADERS_BATCH)

    async def _waited(
        self, partner: str, what: str, look: Callable[[], bytes], is_news: Callable[[bytes], bool]
    ) -> bytes:
        """What `look` gives, once that is news or the wait is over; at once where too many wait."""
        wait_s = limits.LIVE_WAIT_S if self._waiting[partner, what] < limits.LIVE_WAITS else 0.0
        self._waiting[partner, what] += 1
        try:
            return await self._changed(look, is_news, wait_s)
        finally:
            self._waiting[partner, what] -= 1

    async def _changed(
        self, look: Callable[[], bytes], is_news: Callable[[bytes], bool], wait_s: float
    ) -> bytes:
        rings = self._bell.rings
        found = await self._in_thread(look)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not is_news(found) and not self._bell.closed:
                    await self._bell.rung_after(rings)
                    rings = self._bell.rings
                    found = await self._in_thread(look)
        return found


def _known(roster: Roster, name: str) -> bool:
    try:
        return roster.get(name) is not None
    except SamsynError:  # a card that cannot be used: no partner can be behind the request
        return False


def note_size(note: bytes) -> int:
    """The tree size a checkpoint claims: its second line (C2SP tlog-checkpoint). Nothing is verified.

    Raises `ValueError`.
    """
    lines = note.split(b"\n", 2)
    if len(lines) < 3:
        raise ValueError("not a checkpoint")
    return _number(lines[1].decode("ascii"))


_HEADERS = {"content-type": "application/json", "cache-control": "no-store"}
_HEADERS_NOTE = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
_HEADERS_BATCH = {"content-type": "application/octet-stream", "cache-control": "no-store"}


class _Reply(Response):
    """Sent in pieces, so that a reader that takes none of them is noticed (see `listen`)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        step = limits.REPLY_PIECE_BYTES
        for begin in range(0, max(1, len(self.body)), step):
            piece, more = self.body[begin : begin + step], begin + step < len(self.body)
            await send({"type": "http.response.body", "body": piece, "more_body": more})


def _too_many() -> Response:
    return Response(b'{"error":"too many requests"}', 429, _HEADERS)


def _refusal() -> Response:
    return Response(b'{"error":"no such thing"}', 404, _HEADERS)


async def _no_such_thing(_request: Request, _error: Exception) -> Response:
    return _refusal()


async def _healthz(_request: Request) -> Response:
    return Response(b'{"ok":true}', headers=_HEADERS)


def _received(request: Request) -> Received:
    """What the signature is checked against: the request line and headers as they came."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    target = path.decode("ascii") + ("?" + query.decode("ascii") if query else "")
    return Received(request.method, f"https://node{target}", request.headers)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limits.REQUEST_BODY_BYTES:
            raise ValueError("the body is too long")
    return bytes(body)


def _query(request: Request, *names: str) -> list[int]:
    """The query's numbers, which must be exactly `names`, each once. Raises `ValueError`."""
    found = dict(request.query_params.multi_items())
    if len(request.query_params.multi_items()) != len(names) or set(found) != set(names):
        raise ValueError("the query is not as it must be")
    return [_number(found[name]) for name in names]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= SIZE_DIGITS):
        raise ValueError("not a number")
    return int(text)
