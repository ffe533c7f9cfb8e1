"""The auditor's question: what was this reader given between two times, by which rule, is it gone?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from samsyn.base.clock import SECOND_US, iso
from samsyn.base.encoding import b64url
from samsyn.base.settings import Realm
from samsyn.channels.evidence import Released, ShownEntry
from samsyn.channels.given import Account, Given, Operation
from samsyn.channels.leaf import Leaf, read_leaf
from samsyn.channels.names import channel_origin
from samsyn.desk.items import finest
from samsyn.log.checkpoint import parse_checkpoint
from samsyn.log.note import parse_note
from samsyn.log.store import LogStore
from samsyn.policy.decision import RuleAndWhy
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.store import StatementStore, Stored

PAGE: Final = 500  # entries read at once


class GivenEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the reader's channel. Marking, title and left_out are None once the body is purged.

    place, time: the finest rung that was disclosed, or "none". applied_s: when the reader signed that
    it has applied this entry (its own clock, seconds UTC), None while it has not.
    """

    at_us: int
    entry: int
    op: Operation
    id: str
    ver: int
    kind: str | None
    marking: str | None
    title: str | None
    place: str
    time: str
    disclosed: tuple[str, ...]
    left_out: tuple[str, ...] | None
    rules: tuple[RuleAndWhy, ...]
    purge: bool
    purged: bool
    applied_s: int | None


def _one_key(one: bytes, other: bytes, origin: str) -> bool:
    """Whether the same log key signed both notes: a proof is judged by one card."""
    keys = [{s.key_id for s in parse_note(n).signatures if s.name == origin} for n in (one, other)]
    return keys[0] == keys[1]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The entries in their order, and sums over them."""

    to: str
    entries: list[GivenEntry]
    released: int
    widened: int
    withdrawn: int
    statements: int
    not_applied: int


def summed(to: str, entries: list[GivenEntry]) -> Answer:
    """An answer of these entries, all or some of those there are."""
    ops = [entry.op for entry in entries]
    return Answer(
        to=to,
        entries=entries,
        released=ops.count("release"),
        widened=ops.count("widen"),
        withdrawn=ops.count("withdraw"),
        statements=len({entry.id for entry in entries}),
        not_applied=sum(entry.applied_s is None for entry in entries),
    )


def plain(answer: Answer, between: Sequence[str]) -> dict[str, Any]:
    """An answer as JSON has it, with times as people write them: of the command and of the picture."""
    made: dict[str, Any] = msgspec.to_builtins(answer)
    for entry in made["entries"]:
        entry["at"] = iso(entry.pop("at_us"))
        applied_s = entry.pop("applied_s")
        entry["applied"] = None if applied_s is None else iso(applied_s * SECOND_US)
        entry["rules"] = [{"rule": rule, "why": why} for rule, why in entry["rules"]]
    return {"between": list(between), **made}


class Releases:
    """Asks one realm's stores. `clock` of all times is the realm's."""

    def __init__(
        self, account: Account, logs: LogStore, statements: StatementStore, node: str, realm: Realm
    ) -> None:
        self._account = account
        self._logs = logs
        self._statements = statements
        self._node = node
        self._realm = realm

    def answer(self, to: str, from_us: int, until_us: int) -> Answer:
        """Every entry written for `to` at or after `from_us` and before `until_us`."""
        times = self._logs.cosigned_times(self._origin(to), to)
        entries = [
            self._entry(at_us, jti, given, times)
            for at_us, jti, given in self._account.of_reader(to)
            if from_us <= at_us < until_us
        ]
        return summed(to, entries)

    def has(self, to: str) -> bool:
        """Whether anything was ever written for `to`, who may be gone."""
        return self._logs.size(self._origin(to)) > 0

    def told(self, to: str, first: int, size: int) -> Iterator[Leaf]:
        """What the entries from `first` on, up to `size`, of a reader's channel say."""
        origin = self._origin(to)
        while first < size:
            page = self._logs.entries(origin, first, min(size - first, PAGE))
            if not page:
                return
            first += len(page)
            yield from (read_leaf(leaf) for leaf, _ in page)

    def proof(self, answer: Answer, from_us: int, until_us: int) -> Released | None:
        """The same entries as evidence under the channel's signed head; None before there is one."""
        origin = self._origin(answer.to)
        note = self._logs.checkpoint(origin)
        if note is None:
            return None
        size = parse_checkpoint(parse_note(note).text).size
        cosigned = self._logs.cosignature(origin, answer.to)
        return Released(
            of=self._node,
            origin=origin,
            checkpoint=note.decode(),
            entries=[self._shown(origin, entry.entry, size) for entry in answer.entries],
            between=(iso(from_us), iso(until_us)),
            cosignature=cosigned.decode() if cosigned and _one_key(note, cosigned, origin) else None,
        )

    def _origin(self, reader: str) -> str:
        return channel_origin(self._node, self._realm, reader)

    def _shown(self, origin: str, index: int, size: int) -> ShownEntry:
        leaf, _ = self._logs.entries(origin, index, 1)[0]
        proof = self._logs.inclusion(origin, index, size)
        return ShownEntry(index, leaf.decode(), [b64url(hash_) for hash_ in proof])

    def _entry(self, at_us: int, jti: str, given: Given, times: Sequence[tuple[int, int]]) -> GivenEntry:
        stored: Stored | None = self._statements.get(jti, given.ver)
        statement = stored.statement if stored else None
        cut = self._account.cut(given.cut) if given.cut else None
        slots = cut.slots if cut else frozenset()
        left_out = tuple(sorted(set(statement.slots) - slots)) if statement and cut else None
        beyond = bisect_right(times, given.index, key=lambda time: time[0])
        return GivenEntry(
            at_us=at_us,
            entry=given.index,
            op=given.op,
            id=jti,
            ver=given.ver,
            kind=stored.kind if stored else None,
            marking=statement.marking if statement else None,
            title=str(statement.slots.get("title", "")) if statement else None,
            place=finest(slots, "place", PLACE_RUNGS),
            time=finest(slots, "time", TIME_RUNGS),
            disclosed=tuple(sorted(slots)),
            left_out=left_out,
            rules=cut.rules if cut else (),
            purge=given.purge,
            purged=stored is None or stored.purged,
            applied_s=times[beyond][1] if beyond < len(times) else None,
        )
