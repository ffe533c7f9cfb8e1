"""What one reader may see: its channel, entry by entry, and the views that stand in it now.

Every interface for readers without a node is made of this and of nothing else, so that all of them
show the same set: TAXII (`collection`), and whatever else serves readers. What an interface adds is a
`Maker`, which turns a `View` into finished pieces in its own format; they are kept (`kept`) for as
long as the view stands, by the maker's name.

    seen = seens.of(channel)                  # with what came since the last time
    for index in range(seen.size): ...        # entries, in the channel's order
    seen.made(channel, indexes, maker)        # of those entries whose view stands

A reader that is offline must not learn from a time when within the hour something was released: the
time of adding is the end of the hour of the release, and a millisecond more for each entry before it
in that hour. So it is above every time at which a client may have looked before.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from samsyn.base import limits
from samsyn.base.clock import HOUR_US
from samsyn.channels.leaf import Leaf, Withdraw
from samsyn.formats.view import View, view_uid
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.port import Channel
from samsyn.statements.reread import reread

_STEP_US: Final = 1_000  # STIX writes milliseconds

Made = TypeVar("Made")


class Maker(Protocol[Made]):
    """Turns views into what an interface serves."""

    @property
    def name(self) -> str:
        """Another for whatever makes something else of one view."""

    def make(self, view: View) -> Made: ...

    def size_bytes(self, made: Made) -> int:
        """What it takes in memory, about."""


class Entry(NamedTuple):
    """One entry of the channel. added_us: see above. jti, ver: of which statement it tells. uid: of the
    view that it gives; ended: of the view that it withdraws or replaces; None: of none."""

    added_us: int
    jti: str
    ver: int
    uid: UUID | None
    ended: UUID | None


class Seen:
    """One reader's. Reads each entry of the channel once; views when they are asked for."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._added_us: list[int] = []
        self._standing: dict[str, UUID] = {}  # by statement
        self._first: dict[UUID, int] = {}  # the entry that gave a view first
        self._last: dict[UUID, int] = {}  # the last that tells of it

    @property
    def size(self) -> int:
        """Entries taken up."""
        return len(self._entries)

    def entry(self, index: int) -> Entry:
        return self._entries[index]

    def stands(self, index: int) -> bool:
        """Whether the view that an entry gives is the newest of its statement, as the channel says."""
        uid = self._entries[index].uid
        return uid is not None and self._last[uid] == index

    def ended(self, index: int) -> UUID | None:
        """The view that this entry ended, where no later entry tells of it."""
        uid = self._entries[index].ended
        return uid if uid is not None and self._last[uid] == index else None

    def index_of(self, uid: UUID) -> int | None:
        """The last entry that tells of a view."""
        return self._last.get(uid)

    def created_us(self, uid: UUID) -> int:
        """When a view was given first; of the hour of that, as all that is told."""
        return self._entries[self._first[uid]].added_us - HOUR_US

    def released_us(self, index: int) -> int:
        """When an entry was written; of the hour of that, as all that is told."""
        return self._entries[index].added_us - HOUR_US

    def after(self, added_us: int) -> int:
        """The first entry that was added later than `added_us`."""
        return bisect_right(self._added_us, added_us)

    def made(self, channel: Channel, indexes: Sequence[int], maker: Maker[Made]) -> dict[int, Made]:
        """What `maker` makes of the views of these entries, in the order asked for; nothing for an entry
        whose view does not stand, was purged, or was taken back by its originator this moment."""
        entries = {index: self._entries[index] for index in indexes if self.stands(index)}
        since = self._kept.now
        stamps = channel.stamps({(e.jti, e.ver) for e in entries.values()})
        found: dict[int, Made] = {}
        anew: dict[int, tuple[tuple[str, UUID, int, int], bytes]] = {}
        for index, entry in entries.items():
            stamp, uid = stamps.get((entry.jti, entry.ver)), entry.uid
            if uid is None:
                continue
            key = maker.name, uid, self.created_us(uid), entry.added_us
            kept = self._kept.get(key, stamp)
            if kept is not None:
                found[index] = kept
            elif stamp is not None:
                anew[index] = key, stamp
        for index, body in channel.views(list(anew)).items() if anew else ():
            key, stamp = anew[index]
            made = found[index] = maker.make(self._view(index, key[1], body))
            jti = self._entries[index].jti
            self._kept.put(key, jti, stamp, made, maker.size_bytes(made), since)
        # not kept ones first: what is kept hangs on what others asked for, of which nobody may learn
        return {index: found[index] for index in entries if index in found}

    def _view(self, index: int, uid: UUID, body: bytes) -> View:
        said = reread(body)
        return View(
            uid=uid,
            created_us=self.created_us(uid),
            modified_us=self.released_us(index),
            iss=said.iss,
            jti=said.jti,
            ver=said.ver,
            kind=said.kind,
            marking=said.marking,
            onward=said.onward,
            exercise=said.exercise,
            slots=said.slots,
        )

    def take_up(self, channel: Channel) -> None:
        """Read what was written to the channel since."""
        with self._lock:
            while channel.size > len(self._entries):
                for leaf, at_us in channel.leaves(len(self._entries), limits.BATCH_ENTRIES):
                    self._take(leaf, at_us)

    def _take(self, leaf: Leaf, at_us: int) -> None:
        index = len(self._entries)
        added_us = (at_us // HOUR_US + 1) * HOUR_US
        if self._added_us:
            added_us = max(added_us, self._added_us[-1] + _STEP_US)
        before = self._standing.pop(leaf.id, None)
        uid = None
        if not isinstance(leaf, Withdraw):
            uid = self._standing[leaf.id] = view_uid(leaf.id, leaf.ver, leaf.view)
            self._first.setdefault(uid, index)
            self._last[uid] = index
        ended = before if before != uid else None
        if ended is not None:
            self._last[ended] = index
        # in this order: a page that is being read looks at entries by their number
        self._added_us.append(added_us)
        self._entries.append(Entry(added_us, leaf.id, leaf.ver, uid, ended))


class Seens:
    """What each reader may see, for all interfaces together."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._seen: dict[str, Seen] = {}

    def of(self, channel: Channel) -> Seen:
        """That of one channel, with what was written to it since."""
        seen = self._seen.get(channel.name)
        if seen is None:
            seen = self._seen.setdefault(channel.name, Seen(self._kept))
        seen.take_up(channel)
        return seen
