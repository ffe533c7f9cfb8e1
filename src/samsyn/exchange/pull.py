"""Fetching from one partner: a thread of its own, one batch in flight, forever.

    checkpoint -> entries, receive, entries, receive, ... cosign -> live (wait for news) -> entries ...

A node that was away catches up by the very same rounds. Whatever the partner does, at most one batch
of it is in memory, its replies have a size and a time in which they must come, and other partners'
threads do not notice. A batch that the mirror refuses leaves the last good state: the link says so, in
words, and tries again slowly, since only a person can mend it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
import threading
from collections.abc import Callable
from typing import Protocol

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.errors import Refused
from samsyn.exchange.allowance import Allowance
from samsyn.exchange.card import Card
from samsyn.exchange.link import LinkState, State, explain
from samsyn.exchange.serve import note_size
from samsyn.exchange.signing import Signer
from samsyn.exchange.tls import client_context

log = logging.getLogger(__name__)

IDLE_S = 5.0  # shorter than the server keeps an idle connection (listen.KEEP_ALIVE_S)
LIVE_MARGIN_S = 15.0  # what a wake-up reply may take beyond the agreed wait
OWN_RATE = limits.REQUESTS_PER_MINUTE * 9 // 10  # below what the partner allows
ROUND_US_MIN = SECOND_US  # a round without news takes at least this, whatever the partner answers


class Mirror(Protocol):
    """This node's copy of the partner's channel (`channels.mirror.Mirror`)."""

    @property
    def size(self) -> int:
        """Entries held durably."""
        ...

    def receive(self, batch: bytes) -> object:
        """Verify and apply, all or nothing. Raises `Refused` and keeps the old state."""
        ...

    def cosigned(self) -> bytes | None:
        """A cosignature of the latest head that is wholly applied; None while there is none."""
        ...


class Puller:
    """Pulls the channel that the partner of `card` keeps for this node into `mirror`.

    me, request_key, realm: who asks, and in which realm. wall: wall time. changed: called when the
    link's state or what is held has changed. jitter: how long to back off exactly, so that many nodes
    do not come at once.
    """

    def __init__(
        self,
        card: Card,
        mirror: Mirror,
        *,
        me: str,
        request_key: Ed25519PrivateKey,
        realm: str,
        wall: Clock,
        jitter: random.Random,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.card = card
        self._mirror = mirror
        self._signer = Signer(me, request_key, realm, wall)
        self._clock = wall
        self._jitter = jitter
        self._changed = changed
        self._pace = Allowance(OWN_RATE, wall.now_us())
        self._in_touch = False
        self._owes_cosignature = mirror.size > 0  # it may have been lost on its way when we stopped
        self._failures = 0
        self._state = LinkState(partner=card.name, applied_size=mirror.size)

    def state(self) -> LinkState:
        """How the link stands; may be read from any thread."""
        return self._state

    def run(self, stop: threading.Event) -> None:
        """Pull until `stop` is set; returns promptly then, also out of a wait for the partner."""
        asyncio.run(self._until(stop))

    async def _until(self, stop: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        pulling = asyncio.create_task(self._pull(stop))

        def watch() -> None:
            stop.wait()
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(pulling.cancel)

        threading.Thread(target=watch, name=f"stop-{self.card.name}", daemon=True).start()
        await asyncio.gather(pulling, return_exceptions=True)

    async def _pull(self, stop: threading.Event) -> None:
        async with httpx.AsyncClient(
            base_url=f"https://{self.card.address}",
            verify=client_context(self.card.certificate),
            trust_env=False,  # no proxies, certificates or passwords from the surroundings
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "samsyn"},
            timeout=httpx.Timeout(limits.CONNECT_WAIT_S, read=limits.LIVE_WAIT_S + LIVE_MARGIN_S),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=IDLE_S),
        ) as client:
            while not stop.is_set():
                try:
                    await self._round(client, stop)
                    self._failures = 0
                    continue
                except Refused as e:
                    self._failed("refused", e.reason, str(e))
                except (TimeoutError, httpx.ReadTimeout):
                    self._failed("down", "slow-reply", "no whole reply in time")
                except httpx.HTTPError as e:
                    wrong = _certificate_error(e)
                    self._failed(
                        *(("refused", "wrong-certificate") if wrong else ("down", "unreachable")), str(e)
                    )
                except _Busy:
                    self._failed("down", "busy", "the partner is busy")
                except Exception:  # a link outlives our own faults (a full disk, say) and is retried
                    log.exception("link to %s", self.card.name)
                    self._failed("down", "own-fault", "")
                self._clock.wait_until(self._clock.now_us() + self._back_off_us(), stop)

    async def _round(self, client: httpx.AsyncClient, stop: threading.Event) -> None:
        """One wait for news, and all that is new. Raises what ends the round."""
        began_us = self._clock.now_us()
        held = self._mirror.size
        waits = self._in_touch and not self._owes_cosignature
        path = f"/exchange/live?after={held}" if waits else "/exchange/checkpoint"
        self._heard(_size(await self._ask(client, stop, "GET", path, limits.CHECKPOINT_BYTES)))
        while self._state.their_size != self._mirror.size and not stop.is_set():
            before = self._mirror.size
            path = f"/exchange/entries?after={before}&limit={limits.BATCH_ENTRIES}"
            self._mirror.receive(await self._ask(client, stop, "GET", path, limits.BATCH_BYTES))
            if self._mirror.size == before:
                raise Refused("no-progress", "the partner's channel changed but nothing came")
            self._owes_cosignature = True
            self._heard(max(self._state.their_size, self._mirror.size))
            self._set("up", None)
        if self._owes_cosignature:
            await self._cosign(client, stop)
        if self._in_touch and self._mirror.size == held:
            self._clock.wait_until(began_us + ROUND_US_MIN, stop)
        self._in_touch = True
        self._set("up", None)

    async def _cosign(self, client: httpx.AsyncClient, stop: threading.Event) -> None:
        """Confirm what is applied; if it cannot be confirmed yet, that stays owed."""
        note = self._mirror.cosigned()
        if note is not None:
            await self._ask(client, stop, "POST", "/exchange/cosign", limits.CHECKPOINT_BYTES, note)
            self._owes_cosignature = False

    async def _ask(
        self,
        client: httpx.AsyncClient,
        stop: threading.Event,
        method: str,
        path: str,
        bytes_max: int,
        body: bytes = b"",
    ) -> bytes:
        """The body of a good reply. Raises `Refused`, `_Busy`, `TimeoutError`, `httpx.HTTPError`."""
        while wait_us := self._pace.take(self._clock.now_us()):
            if not self._clock.wait_until(self._clock.now_us() + wait_us, stop):
                raise asyncio.CancelledError
        request = client.build_request(method, path, content=body or None)
        self._signer.sign(request, self.card, body)
        async with asyncio.timeout(limits.REPLY_WAIT_S):
            reply = await client.send(request, stream=True)
            try:
                if reply.status_code in (429, 503):
                    raise _Busy
                if reply.status_code != 200:
                    reason = _REFUSALS.get(reply.status_code, "odd-reply")
                    raise Refused(reason, f"the partner answers {reply.status_code} to {path}")
                return await _read(reply, bytes_max)
            finally:
                await reply.aclose()

    def _heard(self, their_size: int) -> None:
        """Note what the partner says. A refused link stays refused until its batch is accepted."""
        now_us = self._clock.now_us()
        self._set(
            self._state.state, self._state.refused_reason, their_size=their_size, last_heard_us=now_us
        )

    def _failed(self, state: State, reason: str, what: str) -> None:
        if reason != self._state.refused_reason:
            log.warning("link to %s: %s %s", self.card.name, reason, what)
        self._failures += 1
        self._in_touch = False
        self._set(state, reason)

    def _set(self, state: State, reason: str | None, **changed: int) -> None:
        en, sv = explain(reason) if reason else ("", "")
        before = self._state
        self._state = msgspec.structs.replace(
            self._state,
            state=state,
            refused_reason=reason,
            en=en,
            sv=sv,
            applied_size=self._mirror.size,
            **changed,
        )
        if msgspec.structs.replace(before, last_heard_us=None) != msgspec.structs.replace(
            self._state, last_heard_us=None
        ):
            self._changed()

    def _back_off_us(self) -> int:
        """Doubles from the shortest to the longest, half of it chance; a refusal waits the longest."""
        longest_s = limits.PULL_BACKOFF_S_MAX
        most_s = min(longest_s, limits.PULL_BACKOFF_S_MIN * 2 ** min(self._failures, 16))
        if self._state.state == "refused" and self._state.refused_reason != "not-accepted":
            most_s = longest_s
        return int(most_s * self._jitter.uniform(0.5, 1.0) * SECOND_US)


_REFUSALS = {404: "not-accepted", 409: "not-taken"}


class _Busy(Exception):
    """The partner asks us to come back later."""


async def _read(reply: httpx.Response, bytes_max: int) -> bytes:
    body = bytearray()
    async for piece in reply.aiter_raw():  # raw: nothing is unpacked, so nothing can swell
        body += piece
        if len(body) > bytes_max:
            raise Refused("oversized-reply", f"a reply longer than {bytes_max} bytes")
    return bytes(body)


def _size(note: bytes) -> int:
    try:
        return note_size(note)
    except ValueError as e:
        raise Refused("odd-reply", "what should be a checkpoint is none") from e


def _certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
