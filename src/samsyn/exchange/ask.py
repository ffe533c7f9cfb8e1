"""Asking one partner's node: pinned, signed, no faster than agreed, and never more than agreed back."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Coroutine
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.allowance import Allowance
from samsyn.base.clock import Clock
from samsyn.base.errors import Refused
from samsyn.exchange.card import Card
from samsyn.exchange.link import State
from samsyn.exchange.signing import Signer
from samsyn.exchange.tls import client_context

IDLE_S = 5.0  # shorter than the server keeps an idle connection (listen.KEEP_ALIVE_S)
LIVE_MARGIN_S = 15.0  # what a wake-up reply may take beyond the agreed wait
_REFUSALS = {404: "not-accepted", 409: "not-taken"}


class Busy(Exception):
    """The partner asks us to come back later."""


class Asker:
    """Sends this node's requests to the node of `card`, at most `per_minute`. `wall`: wall time."""

    def __init__(
        self,
        card: Card,
        *,
        me: str,
        request_key: Ed25519PrivateKey,
        realm: str,
        wall: Clock,
        per_minute: int,
    ) -> None:
        self.card = card
        self._signer = Signer(me, request_key, realm, wall)
        self._clock = wall
        self._pace = Allowance(per_minute, wall.now_us())

    def client(self) -> httpx.AsyncClient:
        """A connection to that node and no other, to be closed by who asked for it."""
        return httpx.AsyncClient(
            base_url=f"https://{self.card.address}",
            verify=client_context(self.card.certificate),
            trust_env=False,  # no proxies, certificates or passwords from the surroundings
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "samsyn"},
            timeout=httpx.Timeout(limits.CONNECT_WAIT_S, read=limits.LIVE_WAIT_S + LIVE_MARGIN_S),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=IDLE_S),
        )

    async def ask(
        self,
        client: httpx.AsyncClient,
        stop: threading.Event,
        method: str,
        path: str,
        bytes_max: int,
        body: bytes = b"",
        sent: asyncio.Event | None = None,
    ) -> bytes:
        """The body of a good reply; `sent` is set once the request is out.

        Raises `Refused`, `Busy`, `TimeoutError`, `httpx.HTTPError`.
        """
        while wait_us := self._pace.take(self._clock.now_us()):
            if not self._clock.wait_until(self._clock.now_us() + wait_us, stop):
                raise asyncio.CancelledError

        async def trace(step: str, _: object) -> None:
            if sent is not None and step == "http11.send_request_body.complete":
                sent.set()

        request = client.build_request(method, path, content=body or None, extensions={"trace": trace})
        self._signer.sign(request, self.card, body)
        async with asyncio.timeout(limits.REPLY_WAIT_S):
            reply = await client.send(request, stream=True)
            try:
                if reply.status_code in (429, 503):
                    raise Busy
                if reply.status_code != 200:
                    reason = _REFUSALS.get(reply.status_code, "odd-reply")
                    raise Refused(reason, f"the partner answers {reply.status_code} to {path}")
                return await read(reply, bytes_max)
            finally:
                await reply.aclose()


async def read(reply: httpx.Response, bytes_max: int) -> bytes:
    """The body of a reply. Raises `Refused` ("oversized-reply")."""
    body = bytearray()
    async for piece in reply.aiter_raw():  # raw: nothing is unpacked, so nothing can swell
        body += piece
        if len(body) > bytes_max:
            raise Refused("oversized-reply", f"a reply longer than {bytes_max} bytes")
    return bytes(body)


def run_until(stop: threading.Event, work: Coroutine[Any, Any, None], name: str) -> None:
    """Run `work` in a loop of its own until it ends or `stop` is set; returns promptly then."""
    asyncio.run(_until(stop, work, name))


async def _until(stop: threading.Event, work: Coroutine[Any, Any, None], name: str) -> None:
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(work)

    def watch() -> None:
        stop.wait()
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(running.cancel)

    threading.Thread(target=watch, name=f"stop-{name}", daemon=True).start()
    await asyncio.gather(running, return_exceptions=True)


def trouble(error: Exception) -> tuple[State, str] | None:
    """State and reason of a link on which asking raised `error`; None for our own fault."""
    if isinstance(error, Refused):
        return "refused", error.reason
    if isinstance(error, TimeoutError | httpx.ReadTimeout):
        return "down", "slow-reply"
    if isinstance(error, httpx.HTTPError):
        return ("refused", "wrong-certificate") if _certificate_error(error) else ("down", "unreachable")
    return ("down", "busy") if isinstance(error, Busy) else None


def _certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
