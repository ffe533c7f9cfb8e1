"""One tick of the door: from queued acts and ended delays to the entries of each reader's channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from samsyn.channels.given import Account, Cut, Given, Holding, Operation
from samsyn.channels.leaf import release_leaf, withdraw_leaf
from samsyn.channels.outbox import Queued
from samsyn.policy import Decision, Policy, facts_of
from samsyn.statements.statement import Statement, view_hash
from samsyn.statements.store import StatementStore, Stored

Entries = list[tuple[bytes, bytes]]  # leaf, private


class TickReport(msgspec.Struct, frozen=True):
    """What a tick did. Counts of entries, but `decided` (statements) and `delayed` (reader's waits)."""

    decided: int = 0
    released: int = 0
    widened: int = 0
    withdrawn: int = 0
    delayed: int = 0
    purged: bool = False
    readers: dict[str, int] = {}  # new entries by reader
    next_due_us: int | None = None

    @property
    def entries(self) -> int:
        return self.released + self.widened + self.withdrawn


class _Wanted(msgspec.Struct):
    """A version that may be released: to all readers, or to those whose delay has ended."""

    stored: Stored
    statement: Statement
    readers: set[str] | None


class Tick:
    """Works inside the door's transaction; lives for one tick.

    size_of: entries that a reader's channel has before this tick.
    may_leave: whether a statement is one that this door may release at all.
    """

    def __init__(
        self,
        statements: StatementStore,
        account: Account,
        policy: Policy,
        *,
        size_of: Callable[[str], int],
        may_leave: Callable[[Stored, Statement], bool],
        now_us: int,
    ) -> None:
        self._statements = statements
        self._account = account
        self._policy = policy
        self._size_of = size_of
        self._may_leave = may_leave
        self._now_us = now_us
        self.channels: dict[str, Entries] = {}
        self._first: dict[str, int] = {}
        self._given: dict[str, list[Given]] = {}
        self._delays: list[tuple[str, str, int, int]] = []
        self._cut_ids: dict[Cut, int] = {}
        self._counts: Counter[Operation] = Counter()

    def run(self, acts: Sequence[Queued], due: Iterable[tuple[str, str, int]]) -> TickReport:
        """Decide and write down; `channels` then holds the new entries of each reader."""
        purges: dict[str, bool] = {}
        for act in acts:
            if act.op == "withdraw":
                purges[act.jti] = purges.get(act.jti, False) or act.purge
        wanted = self._wanted(acts, due, purges)
        names = [(w.stored.jti, w.stored.ver) for w in wanted] + [(jti, 0) for jti in purges]
        holdings = self._account.holdings({jti for jti, _ in names})
        decisions = self._policy.decide_many(
            [facts_of(w.statement, w.stored.at_us) for w in wanted], self._now_us
        )
        # by id: the place of an entry must tell nothing of when it was queued or what lay between
        for n in sorted(range(len(names)), key=names.__getitem__):
            jti = names[n][0]
            held = holdings.setdefault(jti, {})
            if n < len(wanted):
                self._release(wanted[n], decisions[n], held)
            else:
                self._withdraw(jti, purges[jti], held)
        self._account.record(self._now_us, self._given)
        self._account.hold(self._delays)
        self._account.drop(purges)
        return TickReport(
            decided=len(wanted),
            released=self._counts["release"],
            widened=self._counts["widen"],
            withdrawn=self._counts["withdraw"],
            delayed=len(self._delays),
            purged=any(purges.values()),
            readers={reader: len(entries) for reader, entries in self.channels.items()},
            next_due_us=self._account.next_due_us(),
        )

    def _wanted(
        self, acts: Sequence[Queued], due: Iterable[tuple[str, str, int]], purges: Mapping[str, bool]
    ) -> list[_Wanted]:
        """The versions asked for that may leave at all, each once; nothing of what is withdrawn."""
        asked: dict[tuple[str, int], set[str] | None] = {}
        for reader, jti, ver in due:
            readers = asked.setdefault((jti, ver), set())
            if readers is not None:
                readers.add(reader)
        for act in acts:
            if act.op == "release":
                asked[act.jti, act.ver] = None
        found = []
        for (jti, ver), readers in asked.items():
            stored = self._statements.get(jti, ver) if jti not in purges else None
            if stored is None or stored.state == "withdrawn":
                continue
            statement = stored.statement
            if statement is not None and self._may_leave(stored, statement):
                found.append(_Wanted(stored, statement, readers))
        return found

    def _release(self, wanted: _Wanted, decisions: Sequence[Decision], held: dict[str, Holding]) -> None:
        """Write one version to the channels of all readers that may have it now."""
        jti, ver = wanted.stored.jti, wanted.stored.ver
        made: dict[tuple[frozenset[str], bool], bytes] = {}  # readers with the same view share its leaf
        for reader, decision in zip(self._policy.partners, decisions, strict=True):
            if not decision.released or (wanted.readers is not None and reader not in wanted.readers):
                continue
            later_us = decision.not_before_us if decision.reason == "delayed" else decision.widens_us
            if later_us is not None:
                self._delays.append((reader, jti, ver, later_us))
            if decision.reason == "delayed":
                continue
            before = held.get(reader)
            if before is not None and (before.withdrawn or before.ver > ver):
                continue
            widen = before is not None and before.ver == ver
            if widen and before is not None and decision.slots <= before.slots:
                continue
            leaf = made.get((decision.slots, widen))
            if leaf is None:
                view = view_hash(wanted.statement.present(decision.slots))
                leaf = made[decision.slots, widen] = release_leaf(jti, ver, view, widen=widen)
            cut = self._cut_id(decision)
            self._add(reader, jti, "widen" if widen else "release", ver, leaf, cut)
            held[reader] = Holding(
                ver, decision.slots | (before.slots if widen and before else frozenset())
            )

    def _withdraw(self, jti: str, purge: bool, held: Mapping[str, Holding]) -> None:
        """Write a withdrawal to exactly the channels that hold the statement."""
        for reader, holding in held.items():
            if not holding.withdrawn or (purge and not holding.purged):
                leaf = withdraw_leaf(jti, holding.ver, purge)
                self._add(reader, jti, "withdraw", holding.ver, leaf, 0, purge)
        self._statements.withdraw(jti, purge, self._now_us)

    def _add(
        self, reader: str, jti: str, op: Operation, ver: int, leaf: bytes, cut: int, purge: bool = False
    ) -> None:
        entries = self.channels.get(reader)
        if entries is None:
            entries = self.channels[reader] = []
            self._first[reader] = self._size_of(reader)
        index = self._first[reader] + len(entries)
        entries.append((leaf, b"%d" % cut))
        self._given.setdefault(jti, []).append(Given(reader, op, ver, index, cut, purge))
        self._counts[op] += 1

    def _cut_id(self, decision: Decision) -> int:
        cut = Cut(decision.slots, decision.rules)
        found = self._cut_ids.get(cut)
        if found is None:
            found = self._cut_ids[cut] = self._account.cut_id(cut)
        return found
