"""The pullers: two threads a partner, begun and ended as cards come and go."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from samsyn.exchange.card import Card
from samsyn.exchange.pull import Puller
from samsyn.exchange.pull_frames import FramePuller
from samsyn.node.stores import Stores
from samsyn.tracks.partners import PartnerTracks

STOP_S = 10


class _Link(NamedTuple):
    card: Card
    puller: Puller
    frames: FramePuller
    stop: threading.Event
    threads: Sequence[threading.Thread]


class Links:
    """What fetches from the partners: their channels, and into `tracks` their live tracks. `changed` is
    called when something came or a link turned."""

    def __init__(self, stores: Stores, tracks: PartnerTracks, changed: Callable[[], None]) -> None:
        self._stores = stores
        self._tracks = tracks
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
            for thread in link.threads:
                thread.join(STOP_S)
            self._tracks.drop(link.card.name)
        for name in wanted.keys() - self._links.keys():
            self._links[name] = self._begin(wanted[name])

    def puller(self, partner: str) -> Puller | None:
        """The one that pulls from a partner; None where none does."""
        link = self._links.get(partner)
        return link.puller if link else None

    def refused_tracks(self, partner: str) -> str | None:
        """Why the newest live tracks of a partner were refused; None where they were not."""
        link = self._links.get(partner)
        return link.frames.refused if link else None

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
        frames = FramePuller(
            card,
            stores.frame_mirror(card, self._tracks),
            me=stores.me,
            request_key=stores.keys.request,
            realm=stores.realm,
            wall=stores.wall,
            jitter=random.Random(),  # noqa: S311  as above
            changed=self._changed,
        )
        stop = threading.Event()
        threads = [
            threading.Thread(target=work, args=(stop,), name=f"{what}-{card.name}", daemon=True)
            for what, work in (("pull", puller.run), ("tracks", frames.run))
        ]
        for thread in threads:
            thread.start()
        return _Link(card, puller, frames, stop, threads)
