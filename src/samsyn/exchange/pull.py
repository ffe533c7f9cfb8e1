"""Fetching from one partner: a thread of its own, one request in flight, forever.

    checkpoint -> entries, receive, entries, receive, ... cosign -> live (wait for news) -> entries ...

A node that was away catches up by the very same rounds; the partner makes the next batch while one is
applied. Whatever the partner does, at most two batches of it are in memory, its replies have a size and
a time in which they must come, and other partners' threads do not notice. A batch that the mirror
refuses leaves the last good state: the link says so, in words, and tries again slowly, since only a
person can mend it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from typing import Protocol

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.errors import Refused
from samsyn.exchange.ask import Asker, run_until, trouble
from samsyn.exchange.card import Card
from samsyn.exchange.link import LinkState, State, explain
from samsyn.exchange.serve import note_size

log = logging.getLogger(__name__)

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
        self._asker = Asker(
            card, me=me, request_key=request_key, realm=realm, wall=wall, per_minute=OWN_RATE
        )
        self._clock = wall
        self._jitter = jitter
        self._changed = changed
        self._in_touch = False
        self._owes_cosignature = mirror.size > 0  # it may have been lost on its way when we stopped
        self._failures = 0
        self._state = LinkState(partner=card.name, applied_size=mirror.size)

    def state(self) -> LinkState:
        """How the link stands; may be read from any thread."""
        return self._state

    def run(self, stop: threading.Event) -> None:
        """Pull until `stop` is set; returns promptly then, also out of a wait for the partner."""
        run_until(stop, self._pull(stop), self.card.name)

    async def _pull(self, stop: threading.Event) -> None:
        async with self._asker.client() as client:
            while not stop.is_set():
                try:
                    await self._round(client, stop)
                    self._failures = 0
                    continue
                except Exception as e:  # a link outlives our own faults (a full disk) and is retried
                    found = trouble(e)
                    if found is None:
                        log.exception("link to %s", self.card.name)
                    self._failed(*(found or ("down", "own-fault")), str(e))
                self._clock.wait_until(self._clock.now_us() + self._back_off_us(), stop)

    async def _round(self, client: httpx.AsyncClient, stop: threading.Event) -> None:
        """One wait for news, and all that is new. Raises what ends the round."""
        began_us = self._clock.now_us()
        held = self._mirror.size
        waits = self._in_touch and not self._owes_cosignature
        path = f"/exchange/live?after={held}" if waits else "/exchange/checkpoint"
        self._heard(_size(await self._asker.ask(client, stop, "GET", path, limits.CHECKPOINT_BYTES)))
        await self._fetch(client, stop)
        if self._owes_cosignature:
            await self._cosign(client, stop)
        if self._in_touch and self._mirror.size == held:
            self._clock.wait_until(began_us + ROUND_US_MIN, stop)
        self._in_touch = True
        self._set("up", None)

    async def _fetch(self, client: httpx.AsyncClient, stop: threading.Event) -> None:
        """All that is new, a batch at a time. While one is applied, the partner makes the next."""
        ahead: asyncio.Task[bytes] | None = None
        full = True  # so far every batch was: it is known where the next begins
        try:
            while self._state.their_size != self._mirror.size and not stop.is_set():
                before = self._mirror.size
                batch = await (ahead or self._entries(client, stop, before))
                ahead, until = None, before + limits.BATCH_ENTRIES
                if full and until < self._state.their_size:
                    ahead = await self._begun(client, stop, until)
                self._mirror.receive(batch)
                if self._mirror.size == before:
                    raise Refused("no-progress", "the partner's channel changed but nothing came")
                self._owes_cosignature = True
                self._heard(max(self._state.their_size, self._mirror.size))
                self._set("up", None)
                if self._mirror.size != until:
                    # let it come and pass it over, once a round: a request that is broken off takes its
                    # connection with it, and the next one may be on it already
                    if ahead is not None:
                        await asyncio.wait({ahead})
                    await _dropped(ahead)
                    ahead, full = None, False
        finally:
            await _dropped(ahead)

    async def _entries(
        self,
        client: httpx.AsyncClient,
        stop: threading.Event,
        after: int,
        sent: asyncio.Event | None = None,
    ) -> bytes:
        path = f"/exchange/entries?after={after}&limit={limits.BATCH_ENTRIES}"
        return await self._asker.ask(client, stop, "GET", path, limits.BATCH_BYTES, sent=sent)

    async def _begun(
        self, client: httpx.AsyncClient, stop: threading.Event, after: int
    ) -> asyncio.Task[bytes]:
        """Asking for the entries from `after` on; the request is out, or it has failed."""
        sent = asyncio.Event()
        asking = asyncio.create_task(self._entries(client, stop, after, sent))
        out = asyncio.create_task(sent.wait())
        await asyncio.wait({asking, out}, return_when=asyncio.FIRST_COMPLETED)
        out.cancel()
        return asking

    async def _cosign(self, client: httpx.AsyncClient, stop: threading.Event) -> None:
        """Confirm what is applied; if it cannot be confirmed yet, that stays owed."""
        note = self._mirror.cosigned()
        if note is not None:
            path = "/exchange/cosign"
            await self._asker.ask(client, stop, "POST", path, limits.CHECKPOINT_BYTES, note)
            self._owes_cosignature = False

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


async def _dropped(asking: asyncio.Task[bytes] | None) -> None:
    """Asked for and not needed: the connection is given up, and what came of it is not looked at."""
    if asking is not None:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def _size(note: bytes) -> int:
    try:
        return note_size(note)
    except ValueError as e:
        raise Refused("odd-reply", "what should be a checkpoint is none") from e
