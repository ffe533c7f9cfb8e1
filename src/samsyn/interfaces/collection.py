"""A reader's channel as a collection of STIX objects, each with a place and a time of adding.

The place of an object is its entry's index in the channel and a fixed number within that entry, so
reading on from a place neither loses nor repeats anything, whatever times are equal and whatever was
withdrawn meanwhile. What was withdrawn or replaced is gone; a revoked `report` stands in its place.

A reader that is offline must not learn from a time when within the hour something was released: the
time of adding is the end of the hour of the release, and a millisecond more for each entry before it
in that hour. So it is above every time at which a client may have looked before.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Collection as Some
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from samsyn.base import limits
from samsyn.base.clock import HOUR_US
from samsyn.channels.leaf import Leaf, Withdraw
from samsyn.formats import stix
from samsyn.formats.view import View, view_uid
from samsyn.interfaces.port import Channel
from samsyn.statements.reread import reread

_STEP_US: Final = 1_000  # STIX writes milliseconds
_SHARED: Final = -1  # the index of what is the same for every reader


class Place(NamedTuple):
    """Where an object stands."""

    entry: int
    piece: int


BEGIN: Final = Place(_SHARED, 0)


class Placed(NamedTuple):
    """One object, where it stands, and when it was added (us, see above)."""

    place: Place
    added_us: int
    object: dict[str, Any]


class Asked(NamedTuple):
    """Which objects: of these ids, of these types, with these versions; None: any. A version is
    `modified`, or `created` where an object has none of that, as text."""

    ids: Some[str] | None = None
    types: Some[str] | None = None
    versions: Some[str] | None = None

    def has(self, made: dict[str, Any]) -> bool:
        return (
            (self.ids is None or made["id"] in self.ids)
            and (self.types is None or made["type"] in self.types)
            and (self.versions is None or version(made) in self.versions)
        )


class Page(NamedTuple):
    """Some objects, and where to read on; None: that was all."""

    objects: Sequence[Placed]
    next: Place | None


class _Entry(NamedTuple):
    added_us: int
    uid: UUID | None  # of the view that it gives
    ended: UUID | None  # of the view that it ends


class Collection:
    """One reader's. Reads each entry of the channel once; views when they are asked for."""

    def __init__(self, node: str, organisation: str, realm: Literal["actual", "exercise"]) -> None:
        self._node = node
        self._exercise = realm == "exercise"
        self._shared = stix.shared(node, organisation)
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._added_us: list[int] = []
        self._standing: dict[str, UUID] = {}  # by statement
        self._first: dict[UUID, int] = {}  # the entry that gave a view first
        self._last: dict[UUID, int] = {}  # the last that tells of it

    def page(
        self,
        channel: Channel,
        asked: Asked,
        limit: int,
        *,
        at: Place = BEGIN,
        added_after_us: int | None = None,
    ) -> Page:
        """At most `limit` objects that stand at `at` or behind it."""
        self._take_up(channel)
        if added_after_us is not None:
            begin = bisect_right(self._added_us, added_after_us)
            at = max(at, Place(begin, 0)) if begin else at
        found: list[Placed] = []
        size = 0
        for seen, index in enumerate(self._indexes(asked, at.entry)):
            if seen >= limits.READER_PAGE_ENTRIES:
                return Page(found, Place(index, 0))
            for placed in self._of_entry(channel, index):
                if placed.place < at or not asked.has(placed.object):
                    continue
                if len(found) >= limit or size > limits.BATCH_BYTES:
                    return Page(found, placed.place)
                found.append(placed)
                size += sum(len(str(value)) for value in placed.object.values())
        return Page(found, None)

    def _indexes(self, asked: Asked, begin: int) -> Iterator[int]:
        """The entries that may have what is asked for, from `begin` on."""
        end = len(self._entries)
        if asked.ids is None:
            return iter(range(begin, end) if end else ())
        entries = {self._last.get(_uid(id_), _SHARED) for id_ in asked.ids} | {_SHARED}
        return iter(sorted(index for index in entries if begin <= index < end) if end else ())

    def _of_entry(self, channel: Channel, index: int) -> Iterator[Placed]:
        if index == _SHARED:
            # with the first entry: a client that had begun before there was any gets them, too
            for n, one in enumerate(self._shared):
                yield Placed(Place(_SHARED, n), self._added_us[0], one)
            return
        entry = self._entries[index]
        # these three have fixed numbers: a page begun before one of them went must not lose the next
        for n, made in enumerate((self._ended(entry, index), *self._view(channel, entry, index))):
            if made is not None:
                yield Placed(Place(index, n), entry.added_us, made)

    def _ended(self, entry: _Entry, index: int) -> dict[str, Any] | None:
        uid = entry.ended
        if uid is None or self._last[uid] != index:
            return None
        times_us = self._created_us(uid), entry.added_us - HOUR_US
        return stix.ended(uid, *times_us, self._node, exercise=self._exercise)

    def _view(self, channel: Channel, entry: _Entry, index: int) -> list[dict[str, Any] | None]:
        uid = entry.uid
        if uid is None or self._last[uid] != index:
            return []
        body = channel.view(index)
        if body is None:  # its withdrawal is about to be written
            return []
        said = reread(body)
        view = View(
            uid=uid,
            created_us=self._created_us(uid),
            modified_us=entry.added_us - HOUR_US,
            iss=said.iss,
            jti=said.jti,
            ver=said.ver,
            kind=said.kind,
            marking=said.marking,
            onward=said.onward,
            exercise=said.exercise,
            slots=said.slots,
        )
        return [stix.report(view, self._node), stix.location(view, self._node)]

    def _created_us(self, uid: UUID) -> int:
        """When a view was given first; of the hour of that, as all that is told."""
        return self._entries[self._first[uid]].added_us - HOUR_US

    def _take_up(self, channel: Channel) -> None:
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
        self._entries.append(_Entry(added_us, uid, ended))
        self._added_us.append(added_us)


def version(made: dict[str, Any]) -> str:
    """The version of an object, as TAXII counts them."""
    return str(made.get("modified", made["created"]))


def _uid(id_: str) -> UUID:
    """The part of a STIX id that names the view; of what is none, one that names nothing."""
    try:
        return UUID(id_.partition("--")[2])
    except ValueError:
        return UUID(int=0)
