"""A reader's channel as a collection of STIX objects, each with a place and a time of adding.

The place of an object is its entry's index in the channel and a fixed number within that entry, so
reading on from a place neither loses nor repeats anything, whatever times are equal and whatever was
withdrawn meanwhile. What was withdrawn or replaced is gone; a revoked `report` stands in its place.
What the reader may see at all, and the times of adding, are `seen`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Collection as Some
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from uuid import UUID

from samsyn.base import limits
from samsyn.base.errors import NotYetError
from samsyn.formats import stix_profiles
from samsyn.formats.stix import Finished, finished
from samsyn.formats.stix_profiles import Profile
from samsyn.formats.view import View
from samsyn.interfaces.port import Channel
from samsyn.interfaces.seen import Seen, Seens

_SHARED: Final = -1  # the index of what is the same for every reader
_ENDED: Final = 0  # the number of the revoked report within its entry; then come the view's own
_AHEAD: Final = 8, 256  # entries looked at in one go: at least and at first, and at most


class Place(NamedTuple):
    """Where an object stands."""

    entry: int
    piece: int


BEGIN: Final = Place(_SHARED, 0)


class Placed(NamedTuple):
    """One object, where it stands, and when it was added (us, see `seen`)."""

    place: Place
    added_us: int
    object: Finished


class Asked(NamedTuple):
    """Which objects: of these ids, of these types, with these versions; None: any. A version is
    `modified`, or `created` where an object has none of that, as text."""

    ids: Some[str] | None = None
    types: Some[str] | None = None
    versions: Some[str] | None = None

    def has(self, made: Finished) -> bool:
        return (
            (self.ids is None or made.id in self.ids)
            and (self.types is None or made.type in self.types)
            and (self.versions is None or made.version in self.versions)
        )


class Page(NamedTuple):
    """Some objects, and where to read on; None: that was all."""

    objects: Sequence[Placed]
    next: Place | None


class _Held:
    """In which entries of a channel objects of others stand; up to entry `end`, so far."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entries: dict[str, set[int]] = {}
        self.end = 0


class StixMaker:
    """Views as finished STIX objects, in the shapes of one profile."""

    def __init__(self, node: str, profile: Profile) -> None:
        self.name = f"stix {profile}"
        self._node = node
        self._profile: Profile = profile

    def make(self, view: View) -> tuple[Finished, ...]:
        return tuple(stix_profiles.objects(view, self._node, self._profile))

    def size_bytes(self, made: tuple[Finished, ...]) -> int:
        return sum(len(one.data) for one in made)


class Collections:
    """Those of all readers of one profile, of what `node` released to each."""

    def __init__(
        self,
        node: str,
        organisation: str,
        realm: Literal["actual", "exercise"],
        seens: Seens,
        profile: Profile,
    ) -> None:
        self._node = node
        self._exercise = realm == "exercise"
        self._profile: Profile = profile
        self._shared = [finished(made) for made in stix_profiles.shared(node, organisation, profile)]
        self._maker = StixMaker(node, profile)
        self._seens = seens
        self._held: dict[str, _Held] = {}  # by reader

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
        seen = self._seens.of(channel)
        if added_after_us is not None:
            begin = seen.after(added_after_us)
            at = max(at, Place(begin, 0)) if begin else at
        found: list[Placed] = []
        size_bytes = looked = 0
        indexes, ahead = self._indexes(channel, seen, asked, at.entry), _AHEAD[0]
        while indexes:
            part, indexes = indexes[:ahead], indexes[ahead:]
            looked += len(part)
            for placed in self._of_entries(channel, seen, part):
                if placed.place < at or not asked.has(placed.object):
                    continue
                if len(found) >= limit or size_bytes > limits.BATCH_BYTES:
                    return Page(found, placed.place)
                found.append(placed)
                size_bytes += len(placed.object.data)
            # as many as the rest of the page will take, if they give what those before gave
            ahead = (limit + 1 - len(found)) * looked // (len(found) or 1) + 1
            ahead = min(max(ahead, _AHEAD[0]), _AHEAD[1])
            if looked >= limits.READER_PAGE_ENTRIES and indexes:
                return Page(found, Place(indexes[0], 0))
        return Page(found, None)

    def _indexes(self, channel: Channel, seen: Seen, asked: Asked, begin: int) -> Sequence[int]:
        """The entries that may have what is asked for, from `begin` on. Raises `NotYetError`."""
        end = seen.size
        if not end:
            return ()
        if asked.ids is None:
            return range(begin, end)
        found = {_SHARED}
        shared = {one.id for one in self._shared}
        for id_ in asked.ids:
            index = seen.index_of(self._uid(id_))
            if index is not None:
                found.add(index)
            elif id_ not in shared:
                found |= self._where(channel, seen, id_)
        return sorted(index for index in found if begin <= index < end)

    def _where(self, channel: Channel, seen: Seen, id_: str) -> set[int]:
        """The entries that hold somebody else's object of this id. Raises `NotYetError` where the
        channel is too long to be looked through for one request: the next one goes on."""
        held = self._held.setdefault(channel.name, _Held())
        with held.lock:
            end = min(seen.size, held.end + limits.READER_PAGE_ENTRIES)
            while held.end < end:
                part = range(held.end, min(held.end + _AHEAD[1], end))
                for index, made in seen.made(channel, part, self._maker).items():
                    for one in made:
                        if self._uid(one.id) != seen.entry(index).uid:
                            held.entries.setdefault(one.id, set()).add(index)
                held.end = part[-1] + 1
            if id_ not in held.entries and held.end < seen.size:
                raise NotYetError("the channel is being looked through", do="ask again")
            return held.entries.get(id_, set())

    def _of_entries(self, channel: Channel, seen: Seen, indexes: Sequence[int]) -> Iterator[Placed]:
        if indexes[0] == _SHARED:
            # with the first entry: a client that had begun before there was any gets them, too
            for n, one in enumerate(self._shared):
                yield Placed(Place(_SHARED, n), seen.entry(0).added_us, one)
            indexes = indexes[1:]
        made = seen.made(channel, indexes, self._maker)
        for index in indexes:
            added_us = seen.entry(index).added_us
            # these have fixed numbers: a page begun before one of them went must not lose the next
            ended = seen.ended(index)
            if ended is not None:
                yield Placed(Place(index, _ENDED), added_us, self._revoked(seen, ended, index))
            for n, one in enumerate(made.get(index, ()), _ENDED + 1):
                if self._is_own(seen, index, one):
                    yield Placed(Place(index, n), added_us, one)

    def _is_own(self, seen: Seen, index: int, one: Finished) -> bool:
        """Not where an object that somebody signed has the id of one that is made of another view."""
        uid = self._uid(one.id)
        return uid == seen.entry(index).uid or seen.index_of(uid) is None

    def _revoked(self, seen: Seen, uid: UUID, index: int) -> Finished:
        times_us = seen.created_us(uid), seen.released_us(index)
        return stix_profiles.ended(uid, *times_us, self._node, self._profile, exercise=self._exercise)

    def _uid(self, id_: str) -> UUID:
        return _view_of(id_, self._profile)


@lru_cache(maxsize=65_536)  # a page asks for each of its objects
def _view_of(id_: str, profile: Profile) -> UUID:
    """The view of an object of this id; of what is none, one that there is not."""
    type_, _, rest = id_.partition("--")
    try:
        return stix_profiles.own_uuid(UUID(rest), type_, profile)
    except ValueError:
        return UUID(int=0)
