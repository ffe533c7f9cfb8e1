"""Changes that a hurried hand might make to what readers without a node are served; each is a leak.

Each patches the real code in one place, and must be found by pairs of histories (`neighbours`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from pytest import MonkeyPatch
from starlette.responses import Response

from samsyn.formats import cot_out
from samsyn.interfaces import ogc, port, public, seen, tak, taxii
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.live import Live
from samsyn.interfaces.port import No

Mutant = Callable[[MonkeyPatch], None]


def _in_all(channel: Any, sql: str) -> int:
    """A figure of the whole store."""
    return int(channel._logs._db.read().execute(sql).fetchone()[0] or 0)


def _known(channel: Any, id_: str) -> bool:
    """Whether the node holds a statement, whoever may have it."""
    return channel._cutter._statements.get(id_) is not None


# --- OGC API - Features


def features_number_what_matched_before_the_channel_is_looked_at(patch: MonkeyPatch) -> None:
    honest = ogc.Ogc._items

    def items(self: Any, base: str, name: str, query: Any, request: Any, channel: Any, **of: Any) -> Any:
        reply = honest(self, base, name, query, request, channel, **of)
        matched = _in_all(channel, "SELECT count(*) FROM statement")
        return Response(reply.body, headers={"ogc-number-matched": str(matched)})

    patch.setattr(ogc.Ogc, "_items", items)


def features_page_by_the_number_in_the_store(patch: MonkeyPatch) -> None:
    """A link `next` that goes on behind a row of the table of statements."""
    honest = ogc.Ogc._page

    def page(self: Any, channel: Any, kind: str, query: Any) -> Any:
        found, next_ = honest(self, channel, kind, query)
        return found, next_ and next_ * 1_000 + _in_all(channel, "SELECT max(rowid) FROM statement")

    patch.setattr(ogc.Ogc, "_page", page)


def features_tell_forbidden_from_unknown(patch: MonkeyPatch) -> None:
    honest = ogc.Ogc._item

    def item(self: Any, base: str, name: str, id_: str, channel: Any, **of: Any) -> Any:
        try:
            return honest(self, base, name, id_, channel, **of)
        except No:
            raise No(403 if _known(channel, id_) else 404) from None

    patch.setattr(ogc.Ogc, "_item", item)


def tracks_of_all_readers_are_one_table(patch: MonkeyPatch) -> None:
    """Frames are kept by their number only: whoever asks first has made it for all."""
    honest = Live._frame

    def frame(self: Any, channel: Any, sequence: int | None) -> Any:
        found = honest(self, channel, sequence)
        made = self.__dict__.setdefault("made", {})
        return found and made.setdefault(found.sequence, found)

    patch.setattr(Live, "_frame", frame)


# --- for everybody


def the_feed_is_as_new_as_the_node(patch: MonkeyPatch) -> None:
    honest = public.Public.answer

    def answer(self: Any, request: Any, channel: Any) -> Response:
        reply = honest(self, request, channel)
        reply.headers["last-modified"] = str(_in_all(channel, "SELECT max(at_us) FROM given"))
        return reply

    patch.setattr(public.Public, "answer", answer)


def the_feed_leaves_room_for_what_others_were_given(patch: MonkeyPatch) -> None:
    """The newest of all that was released, of which everybody is shown what is theirs."""
    honest = public.Public._newest

    def newest(self: Any, channel: Any) -> Any:
        others = _in_all(channel, "SELECT count(*) FROM given") - channel.size
        return honest(self, channel)[: max(0, 4 - others)]

    patch.setattr(public.Public, "_newest", newest)


def a_warning_that_is_not_for_all_is_gone_and_not_unknown(patch: MonkeyPatch) -> None:
    honest = public.Public._cap

    def cap(self: Any, channel: Any, id_: str) -> bytes:
        try:
            return honest(self, channel, id_)
        except No:
            raise No(405 if _known(channel, id_) else 404) from None

    patch.setattr(public.Public, "_cap", cap)


# --- TAK


def spots_are_numbered_as_they_lie_in_the_store(patch: MonkeyPatch) -> None:
    honest = tak._Client._of

    def of(self: Any, view: Any, now_us: int) -> list[bytes]:
        channel = self._server.channel(self._name)
        number = channel._cutter._statements.get(view.jti).id
        return [
            m.replace(b"</detail>", b"<no>%d</no></detail>" % number) for m in honest(self, view, now_us)
        ]

    patch.setattr(tak._Client, "_of", of)


def clients_are_told_whenever_anything_happened(patch: MonkeyPatch) -> None:
    honest = tak._Client._new

    def new(self: Any) -> Any:
        found = honest(self)
        channel = self._server.channel(self._name)
        size = _in_all(channel, "SELECT count(*) FROM given") if channel else 0
        before, self.size = getattr(self, "size", 0), size
        return [*found, cot_out.pong(0)] if found is not None and size != before else found

    patch.setattr(tak._Client, "_new", new)


def every_spot_that_goes_is_deleted_at_every_client(patch: MonkeyPatch) -> None:
    honest = tak._Client._ended

    def ended(self: Any, found: Any, now_us: int) -> list[bytes]:
        self._server.gone = getattr(self._server, "gone", {})
        for index in range(self._at, found.size):
            if found.entry(index).uid is None:
                self._server.gone.setdefault(found.entry(index).jti)
        told = honest(self, found, now_us)
        others = [jti for jti in self._server.gone if jti.encode() not in b"".join(told)]
        return told + [self._deleted(jti, now_us) for jti in others]

    patch.setattr(tak._Client, "_ended", ended)


# --- what all of them stand on


def readers_share_one_allowance(patch: MonkeyPatch) -> None:
    class Together(dict[str, Any]):
        def get(self, _: str, default: Any = None) -> Any:
            return super().get("all", default)

        def setdefault(self, _: str, value: Any = None) -> Any:
            return super().setdefault("all", value)

    honest = port._Port.__init__

    def init(self: Any, *given: Any) -> None:
        honest(self, *given)
        self._allowances = Together()

    patch.setattr(port._Port, "__init__", init)


def what_is_kept_is_kept_by_statement(patch: MonkeyPatch) -> None:
    """One reader's cut is given to another."""
    get, put = Kept.get, Kept.put
    patch.setattr(Kept, "get", lambda self, key, stamp: get(self, _less(key), stamp))
    patch.setattr(Kept, "put", lambda self, key, *more: put(self, _less(key), *more))
    patch.setattr(seen, "view_uid", lambda jti, ver, view: UUID(jti))


def _less(key: Any) -> Any:
    return key[:2]


def times_of_adding_go_on_from_reader_to_reader(patch: MonkeyPatch) -> None:
    """So that no two objects of a node are of one time."""
    latest: dict[str, int] = {"us": 0}
    honest = seen.Seen._take

    def take(self: Any, leaf: Any, at_us: int) -> None:
        honest(self, leaf, at_us)
        last = self._entries[-1]
        latest["us"] = added_us = max(last.added_us, latest["us"] + 1_000)
        self._entries[-1], self._added_us[-1] = last._replace(added_us=added_us), added_us

    def begin(self: Any, *given: Any, **named: Any) -> None:
        latest["us"] = 0  # another history's node
        first(self, *given, **named)

    first = seen.Seens.__init__
    patch.setattr(seen.Seens, "__init__", begin)
    patch.setattr(seen.Seen, "_take", take)


def a_collection_says_how_large_the_node_s_store_is(patch: MonkeyPatch) -> None:
    honest = taxii.Taxii._shown

    def shown(self: Any, caller: Any) -> dict[str, Any]:
        count = _in_all(caller.channel, "SELECT count(*) FROM given")
        return {**honest(self, caller), "description": json.dumps(count)}

    patch.setattr(taxii.Taxii, "_shown", shown)


BY_INTERFACE: list[Mutant] = [
    features_number_what_matched_before_the_channel_is_looked_at,
    features_page_by_the_number_in_the_store,
    features_tell_forbidden_from_unknown,
    tracks_of_all_readers_are_one_table,
    the_feed_is_as_new_as_the_node,
    the_feed_leaves_room_for_what_others_were_given,
    a_warning_that_is_not_for_all_is_gone_and_not_unknown,
    spots_are_numbered_as_they_lie_in_the_store,
    clients_are_told_whenever_anything_happened,
    every_spot_that_goes_is_deleted_at_every_client,
    readers_share_one_allowance,
    what_is_kept_is_kept_by_statement,
    times_of_adding_go_on_from_reader_to_reader,
    a_collection_says_how_large_the_node_s_store_is,
]
