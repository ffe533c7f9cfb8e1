"""Fetching one partner's live tracks: a thread of its own beside the one that pulls its channel.

A frame that is refused is refused whole, and the link says so in words; the last good one stays until
it is stale. That a partner cannot be reached is told by the channel's link, not once more here.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Protocol

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.errors import Refused
from samsyn.exchange.ask import Asker, run_until, trouble
from samsyn.exchange.card import Card

log = logging.getLogger(__name__)

OWN_RATE = limits.FRAME_REQUESTS_PER_MINUTE * 9 // 10  # below what the partner allows
ROUND_US_MIN = 2 * SECOND_US  # even where a fast exercise has more frames than that


class FrameMirror(Protocol):
    """What is shown of the partner's live tracks (`channels.frame_mirror.FrameMirror`)."""

    @property
    def sequence(self) -> int:
        """Number of the last frame taken."""
        ...

    def receive(self, frame: bytes) -> bool:
        """Verify and show; False where it is the one held. Raises `Refused` and keeps the last."""
        ...


class FramePuller:
    """Pulls the frames that the partner of `card` makes for this node into `mirror`.

    Parameters as for `pull.Puller`. changed: called when a frame was shown or refused.
    """

    def __init__(
        self,
        card: Card,
        mirror: FrameMirror,
        *,
        me: str,
        request_key: Ed25519PrivateKey,
        realm: str,
        wall: Clock,
        jitter: random.Random,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._mirror = mirror
        self._asker = Asker(
            card, me=me, request_key=request_key, realm=realm, wall=wall, per_minute=OWN_RATE
        )
        self._name = card.name
        self._clock = wall
        self._jitter = jitter
        self._changed = changed
        self._failures = 0
        self._refused: str | None = None

    @property
    def refused(self) -> str | None:
        """Why the partner's last frame was not taken; None where it was."""
        return self._refused

    def run(self, stop: threading.Event) -> None:
        """Pull until `stop` is set; returns promptly then, also out of a wait for the partner."""
        run_until(stop, self._pull(stop), self._name)

    async def _pull(self, stop: threading.Event) -> None:
        async with self._asker.client() as client:
            while not stop.is_set():
                began_us = self._clock.now_us()
                try:
                    await self._round(client, stop)
                    self._failures = 0
                    self._clock.wait_until(began_us + ROUND_US_MIN, stop)
                    continue
                except Exception as e:  # tracks outlive our own faults and are asked for again
                    if trouble(e) is None:
                        log.exception("live tracks of %s", self._name)
                self._failures += 1
                self._clock.wait_until(self._clock.now_us() + self._back_off_us(), stop)

    async def _round(self, client: httpx.AsyncClient, stop: threading.Event) -> None:
        """One wait for a newer frame. A reply that is no frame to be taken is noted and raised."""
        path = f"/exchange/frame?after={max(self._mirror.sequence, 0)}"
        frame = await self._asker.ask(client, stop, "GET", path, limits.FRAME_BYTES)
        try:
            news = self._mirror.receive(frame)
        except Refused as e:
            if e.reason != self._refused:
                log.warning("live tracks of %s: %s %s", self._name, e.reason, e)
            self._note(e.reason)
            raise
        if news or self._refused:
            self._note(None)

    def _note(self, refused: str | None) -> None:
        self._refused = refused
        self._changed()

    def _back_off_us(self) -> int:
        """Doubles from the shortest to the longest, half of it chance; a refusal waits the longest."""
        longest_s = limits.PULL_BACKOFF_S_MAX
        most_s = min(longest_s, limits.PULL_BACKOFF_S_MIN * 2 ** min(self._failures, 16))
        return int((longest_s if self._refused else most_s) * self._jitter.uniform(0.5, 1.0) * SECOND_US)
