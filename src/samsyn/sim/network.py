"""The network between the nodes: it loses, delays, doubles, reorders and is cut for days."""

from __future__ import annotations

import heapq
import random
from typing import NamedTuple

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US


class Ask(NamedTuple):
    """A reader asks for the entries of its channel from `after` on."""

    after: int
    limit: int


class Reply(NamedTuple):
    """A batch; `wrong` names what a compromised node did to it, and the reasons that may refuse it."""

    batch: bytes
    wrong: str = ""
    reasons: frozenset[str] = frozenset()


class Cosign(NamedTuple):
    """A reader's cosignature."""

    note: bytes


class Sent(NamedTuple):
    """Something on its way; `number` keeps those of one instant apart."""

    at_us: int
    number: int
    sender: str
    to: str
    what: Ask | Reply | Cosign


class Network:
    """What is on its way between nodes, and which of them cannot hear each other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._sent: list[Sent] = []
        self._number = 0
        self._cut_until_us: dict[frozenset[str], int] = {}
        self.calm = False

    def send(self, now_us: int, sender: str, to: str, what: Ask | Reply | Cosign) -> None:
        """Hand something over; whether, when and how often it arrives is chance until it is `calm`."""
        chance = self._chance
        if self.calm:
            self._put(now_us + SECOND_US, sender, to, what)
            return
        if now_us < self._cut_until_us.get(frozenset((sender, to)), 0) or chance.random() < 0.1:
            return
        for _ in range(2 if chance.random() < 0.1 else 1):
            longest_us = chance.choice([SECOND_US, SECOND_US, SECOND_US, MINUTE_US, 3 * HOUR_US])
            self._put(now_us + chance.randrange(longest_us), sender, to, what)

    def cut(self, one: str, other: str, now_us: int) -> None:
        """For up to a day; what is on its way is lost."""
        pair = frozenset((one, other))
        self._cut_until_us[pair] = now_us + self._chance.randrange(DAY_US)
        self._sent = [s for s in self._sent if frozenset((s.sender, s.to)) != pair]
        heapq.heapify(self._sent)

    def mend(self) -> None:
        """From now on everything arrives, once, and soon; also what was still on its way."""
        self.calm = True
        self._cut_until_us.clear()

    def arrived(self, now_us: int) -> Sent | None:
        """The next that has arrived by now."""
        if self._sent and self._sent[0].at_us <= now_us:
            return heapq.heappop(self._sent)
        return None

    def next_us(self) -> int | None:
        return self._sent[0].at_us if self._sent else None

    def _put(self, at_us: int, sender: str, to: str, what: Ask | Reply | Cosign) -> None:
        self._number += 1
        heapq.heappush(self._sent, Sent(at_us, self._number, sender, to, what))
