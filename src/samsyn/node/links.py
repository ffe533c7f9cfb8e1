"""The pullers: one thread a partner, begun and ended as cards come and go."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from samsyn.exchange.card import Card
from samsyn.exchange.pull import Puller
from samsyn.node.stores import Stores

STOP_S = 10


class _Link(NamedTuple):
    card: Card
    puller: Puller
    stop: threading.Event
    thread: threading.Thread


class Links:
    """What fetches from the partners. `changed` is called when something came or a link turned."""

    def __init__(self, stores: Stores, changed: Callable[[], None]) -> None:
        self._stores = stores
        self._changed = changed
        self._links: dict[str, _Link] = {}

    def set(self, cards: Sequence[Card]) -> None:
        """Pull from exactly these: begin what is new, end what is gone, begin anew what has changed."""
        wanted = {card.name: card for card in cards}
        gone = [name for name, link in self._links.items() if wanted.get(name) != link.card]
        ended = [self._links.pop(name) for name in gone]
        for link in ended:
            link.stop.set()
        for link in ended:  # two pullers must not write one mirror
            link.thread.join(STOP_S)
        for name in wanted.keys() - self._links.keys():
            self._links[name] = self._begin(wanted[name])

    def puller(self, partner: str) -> Puller | None:
        """The one that pulls from a partner; None where none does."""
        link = self._links.get(partner)
        return link.puller if link else None

    def stop(self) -> None:
        self.set(())

    def _begin(self, card: Card) -> _Link:
        stores = self._stores
        puller = Puller(
            card,
            stores.mirror(card),
            me=stores.me,
            request_key=stores.keys.request,
            realm=stores.realm,
            wall=stores.wall,
            jitter=random.Random(),  # noqa: S311  only so that nodes do not all come at once
            changed=self._changed,
        )
        stop = threading.Event()
        thread = threading.Thread(target=puller.run, args=(stop,), name=f"pull-{card.name}", daemon=True)
        thread.start()
        return _Link(card, puller, stop, thread)
