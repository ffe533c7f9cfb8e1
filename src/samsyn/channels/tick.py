"""One tick of the door: from queued acts and ended delays to the entries of each reader's channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.channels.given import HELD_US, Account, Cut, Holding, Operation, Same
from samsyn.channels.leaf import release_leaf, withdraw_leaf
from samsyn.channels.outbox import Queued
from samsyn.channels.sources import Sources
from samsyn.policy import Decision, Passing, Policy, facts_of
from samsyn.statements.reread import reread
from samsyn.statements.sign import signed_by
from samsyn.statements.statement import Statement
from samsyn.statements.store import StatementStore

Entry = tuple[bytes, bytes]  # leaf, private
Entries = list[Entry]

_Name = tuple[str, int]  # jti, version; version 0 for a withdrawal, which is of all
_Back = dict[str, dict[str | None, bool]]  # by statement, from whom (None: all): with purge
_Asked = dict[_Name, set[str] | None]  # for which readers; None: for all
_PART: Final = 64  # statements in memory at once: few enough for a processor's own memory


class TickReport(msgspec.Struct, frozen=True):
    """What a tick did. Counts of entries, but `decided` (statements) and `delayed` (reader's waits)."""

    decided: int = 0
    released: int = 0
    widened: int = 0
    withdrawn: int = 0
    delayed: int = 0
    purged: bool = False
    ended: frozenset[str] = frozenset()  # statements of which some view ended: withdrawn or replaced
    readers: dict[str, int] = {}  # new entries by reader
    next_due_us: int | None = None

    @property
    def entries(self) -> int:
        return self.released + self.widened + self.withdrawn


class _Wanted(msgspec.Struct):
    """A version that may be released: to all readers, or to those whose delay has ended."""

    jti: str
    ver: int
    readers: set[str] | None
    at_us: int
    statement: Statement
    foreign: bool
    passing: Passing | None


class _Out(msgspec.Struct):
    """What a tick adds to one reader's channel, which had `first` entries before."""

    first: int
    entries: Entries


class Tick:
    """Works inside the door's transaction; lives for one tick.

    size_of: entries that a reader's channel has before this tick.
    node: this node's name; what others said is released only as they let it be (`sources`).
    exercise: the realm; statements of the other one never leave.
    retired: keys whose statements are given to nobody any more.
    waiting: readers for whom nothing new is released now; what would be is held back.
    """

    def __init__(
        self,
        statements: StatementStore,
        account: Account,
        policy: Policy,
        *,
        size_of: Callable[[str], int],
        sources: Sources,
        node: str,
        exercise: bool,
        now_us: int,
        waiting: Collection[str] = (),
        retired: Collection[Ed25519PublicKey] = (),
    ) -> None:
        self._retired = retired
        self._waiting = waiting
        self._statements = statements
        self._account = account
        self._policy = policy
        self._size_of = size_of
        self._sources = sources
        self._node = node
        self._exercise = exercise
        self._now_us = now_us
        self._outs: dict[str, _Out] = {}
        self._given: dict[str, list[Same]] = {}
        self._delays: list[tuple[str, str, int, int]] = []
        self._cut_ids: dict[Cut, int] = {}
        self._counts: Counter[Operation] = Counter()
        self._ended: set[str] = set()
        self._barred: set[tuple[str, str]] = set()  # (jti, reader): withdrawn from in this tick

    @property
    def channels(self) -> dict[str, Entries]:
        """The new entries of each reader that has any."""
        return {reader: out.entries for reader, out in self._outs.items()}

    def run(self, acts: Sequence[Queued], due: Iterable[tuple[str, str, int]]) -> TickReport:
        """Decide and write down; `channels` then holds the new entries of each reader."""
        back: _Back = {}
        for act in acts:
            if act.op == "withdraw":
                of = back.setdefault(act.jti, {})
                of[act.reader] = of.get(act.reader, False) or act.purge
        self._barred = {(jti, r) for jti, of in back.items() for r in of if r is not None}
        whole = {jti for jti, of in back.items() if None in of}
        asked = _asked(acts, due, whole, self._own(whole))
        self._account.drop(whole)  # before what is asked for anew is held back
        self._account.drop_for(self._barred)
        decided = delayed = 0
        # by id: the place of an entry must tell nothing of when it was queued or what lay between
        names = sorted([*asked, *((jti, 0) for jti in back)])
        for at in range(0, len(names), _PART):
            part = names[at : at + _PART]
            decided += self._run_part(part, asked, back)
            self._account.record(self._now_us, self._given)
            self._account.hold(self._delays)
            delayed += len(self._delays)
            self._given.clear()
            self._delays.clear()
        return TickReport(
            decided=decided,
            released=self._counts["release"],
            widened=self._counts["widen"],
            withdrawn=self._counts["withdraw"],
            delayed=delayed,
            purged=any(of.get(None, False) for of in back.values()),
            ended=frozenset(self._ended),
            readers={reader: len(out.entries) for reader, out in self._outs.items()},
            next_due_us=self._account.next_due_us(),
        )

    def _run_part(self, names: Sequence[_Name], asked: _Asked, back: _Back) -> int:
        """Some of a tick's statements, in order; returns how many were decided."""
        wanted = self._wanted([name for name in names if name in asked], asked)
        decisions = self._policy.decide_many(
            [facts_of(w.statement, w.at_us, foreign=w.foreign, passing=w.passing) for w in wanted],
            self._now_us,
        )
        decided = {(w.jti, w.ver): (w, d) for w, d in zip(wanted, decisions, strict=True)}
        holdings = self._account.holdings({jti for jti, _ in names})
        for name in names:
            held = holdings.setdefault(name[0], {})
            if name[1] == 0:
                self._withdraw(name[0], back[name[0]], held)
            elif name in decided:
                self._release(*decided[name], held)
        return len(wanted)

    def _wanted(self, names: Sequence[_Name], asked: _Asked) -> list[_Wanted]:
        """Of the versions asked for, those that stand and may leave at all.

        What a newer version has superseded is not said any more: were it still released, say at the
        end of a delay, it would reach readers whom the newer one no longer reaches.
        """
        found = []
        for stored in self._statements.get_many(names):
            if stored.state != "standing" or stored.body is None:
                continue
            if any(signed_by(stored.body, key) for key in self._retired):
                continue
            statement = reread(stored.body)
            if statement.exercise == self._exercise:
                found.append(
                    _Wanted(
                        jti=stored.jti,
                        ver=stored.ver,
                        readers=asked[stored.jti, stored.ver],
                        at_us=stored.at_us,
                        statement=statement,
                        foreign=stored.iss != self._node,
                        passing=self._sources.passing(statement, self._policy.partners),
                    )
                )
        return found

    def _release(self, wanted: _Wanted, decisions: Sequence[Decision], held: dict[str, Holding]) -> None:
        """Write one version to the channels of all readers that may have it now; a reader who may not,
        and has an earlier one, is told that this no longer stands."""
        jti, ver = wanted.jti, wanted.ver
        same: dict[tuple[int, bool], tuple[Decision, list[str]]] = {}  # readers who are told the same
        rows: list[Same] = []
        for reader, decision in zip(self._policy.partners, decisions, strict=True):
            if wanted.readers is not None and reader not in wanted.readers:
                continue
            before = held.get(reader) if held else None
            if (before is not None and before.withdrawn) or (jti, reader) in self._barred:
                continue
            if not decision.released:
                if before is not None and before.ver < ver:
                    rows.append(self._take_back(jti, reader, before, purge=False))
                continue
            if reader in self._waiting:
                self._delays.append((reader, jti, ver, HELD_US))
                continue
            later_us = decision.not_before_us if decision.reason == "delayed" else decision.widens_us
            if later_us is not None:
                self._delays.append((reader, jti, ver, later_us))
            if decision.reason == "delayed":
                continue
            widen = False
            if before is not None:
                self._ended.add(jti)
                widen = before.ver == ver
                if before.ver > ver or (widen and decision.slots <= before.slots):
                    continue
            same.setdefault((id(decision), widen), (decision, []))[1].append(reader)
        views = wanted.statement.view_hashes(decision.slots for decision, _ in same.values())
        for ((_, widen), (decision, readers)), view in zip(same.items(), views, strict=True):
            cut = self._cut_id(decision)
            entry = release_leaf(jti, ver, view, widen=widen), b"%d" % cut
            index = {reader: self._add(reader, entry) for reader in readers}
            rows.append(Same("widen" if widen else "release", ver, cut, False, index))
        self._keep(jti, rows)

    def _withdraw(self, jti: str, of: Mapping[str | None, bool], held: dict[str, Holding]) -> None:
        """Write a withdrawal to exactly the channels that hold the statement: of all, or of those it is
        withdrawn from. Only the first ends the statement itself, and only an own one: what others said
        was ended when they ended it."""
        stored = self._statements.get(jti)
        if stored is None:
            return
        everywhere = None in of
        rows = []
        for reader, holding in list(held.items()):
            purge = of.get(None, False) or of.get(reader, False)
            if (everywhere or reader in of) and (
                not holding.withdrawn or (purge and not holding.purged)
            ):
                rows.append(self._take_back(jti, reader, holding, purge=purge))
                # who is told of the end is not given it again in this tick
                held[reader] = msgspec.structs.replace(holding, withdrawn=True)
        self._keep(jti, rows)
        if everywhere and stored.iss == self._node:
            self._statements.withdraw(jti, of[None], self._now_us)

    def _own(self, jtis: Iterable[str]) -> set[str]:
        """Those of `jtis` that this node said itself."""
        found = {jti: self._statements.get(jti) for jti in jtis}
        return {jti for jti, stored in found.items() if stored is not None and stored.iss == self._node}

    def _take_back(self, jti: str, reader: str, holding: Holding, *, purge: bool) -> Same:
        self._ended.add(jti)
        if purge:
            self._account.recall(jti, reader)
        index = self._add(reader, (withdraw_leaf(jti, holding.ver, purge), b""))
        return Same("withdraw", holding.ver, 0, purge, {reader: index})

    def _add(self, reader: str, entry: Entry) -> int:
        """Put an entry at the end of a reader's channel; returns its index."""
        out = self._outs.get(reader)
        if out is None:
            out = self._outs[reader] = _Out(self._size_of(reader), [])
        out.entries.append(entry)
        return out.first + len(out.entries) - 1

    def _keep(self, jti: str, rows: list[Same]) -> None:
        if rows:
            self._given.setdefault(jti, []).extend(rows)
            for row in rows:
                self._counts[row.op] += len(row.index)

    def _cut_id(self, decision: Decision) -> int:
        cut = Cut(decision.slots, decision.rules)
        found = self._cut_ids.get(cut)
        if found is None:
            found = self._cut_ids[cut] = self._account.cut_id(cut)
        return found


def _asked(
    acts: Sequence[Queued],
    due: Iterable[tuple[str, str, int]],
    withdrawn: Collection[str],
    own: Collection[str],
) -> _Asked:
    """The versions asked for, each once, and for which readers; nothing of what was withdrawn.

    What this node has withdrawn of its own stays so. What others said may come again by another way,
    within the same tick: then what was asked for after the withdrawal holds.
    """
    last = {act.jti: n for n, act in enumerate(acts) if act.op == "withdraw" and act.reader is None}
    told = [
        (act.reader, act.jti, act.ver)
        for n, act in enumerate(acts)
        if act.op == "release" and act.jti not in own and n > last.get(act.jti, -1)
    ]
    asked: _Asked = {}
    for reader, jti, ver in [*(one for one in due if one[1] not in withdrawn), *told]:
        readers = asked.setdefault((jti, ver), set())
        if reader is None:
            asked[jti, ver] = None
        elif readers is not None:
            readers.add(reader)
    return asked
