"""The one door out: takes what is queued, asks the policy, and writes the readers' channels.

One tick is one transaction: queue, decisions, entries, signed heads. A crash leaves all of it or
none, so nothing acknowledged is lost and nothing is written twice; starting again is the normal
path. The entries of a tick stand in the order of their statements' random ids, so order tells a
reader nothing of what it was not given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.clock import Clock
from samsyn.base.database import Database
from samsyn.base.errors import ConfigError, InputError, Refused
from samsyn.channels import given, outbox
from samsyn.channels.figures import Figures, Standings
from samsyn.channels.frames import Frames
from samsyn.channels.given import Account, Holding, Operation
from samsyn.channels.names import channel_origin
from samsyn.channels.onward import passing_of, why_not
from samsyn.channels.reader import Cutter, ReaderChannel
from samsyn.channels.retired import Retired
from samsyn.channels.sources import Sources
from samsyn.channels.tick import Tick, TickReport
from samsyn.log.checkpoint import open_checkpoint, sign_checkpoint
from samsyn.log.store import LogStore
from samsyn.policy import Explanation, Facts, Policy, facts_of
from samsyn.policy.decision import RuleAndWhy
from samsyn.statements.keys import NodeKeys
from samsyn.statements.sign import signed_by
from samsyn.statements.store import StatementStore, Stored

SCHEMA: Final = outbox.SCHEMA + given.SCHEMA


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of one reader's channel about a statement, for the home side."""

    reader: str
    op: Operation
    ver: int
    index: int  # in that reader's channel
    at_us: int
    applied: bool  # the reader has cosigned beyond this entry
    slots: frozenset[str]  # empty for a withdrawal
    rules: tuple[RuleAndWhy, ...]
    purge: bool


class Written(msgspec.Struct, frozen=True):
    """What one tick did to one reader's channel: entries `first` to `size` - 1 are new, under `root`."""

    reader: str
    first: int
    size: int
    root: bytes


class Door:
    """The release side of one realm of a node.

    Without a policy nothing is released: what is queued waits for one. Withdrawals go out anyway.
    tell: told of each tick that wrote entries, inside the tick's transaction. waiting: asked at each
    tick for the readers to whom nothing new is released (suspended ones); they are told of
    withdrawals all the same. retired: keys that this node had before: what is signed with them is not
    released to anybody who does not have it, since nobody would take it.
    """

    def __init__(
        self,
        db: Database,
        statements: StatementStore,
        logs: LogStore,
        *,
        node: str,
        realm: Literal["actual", "exercise"],
        keys: NodeKeys,
        clock: Clock,
        tell: Callable[[Sequence[Written]], None] = lambda _: None,
        waiting: Callable[[], Collection[str]] = tuple,
        retired: Sequence[Retired] = (),
    ) -> None:
        self._retired = tuple(retired)
        self._waiting = waiting
        self._tell = tell
        self._db = db
        self._statements = statements
        self._logs = logs
        self._node = node
        self._realm = realm
        self._exercise = realm == "exercise"
        self._keys = keys
        self._clock = clock
        self._account = Account(db)
        self._standings = Standings(db, self._account)
        self.frames = Frames(node=node, realm=realm, key=keys.log, clock=clock, waiting=waiting)
        self._sources = Sources(db, statements, node)
        self._policy: Policy | None = None
        self._current: Callable[[], bool] = lambda: True
        self._readers: dict[str, ReaderChannel] = {}
        # a crash may have come between a purge and the emptying of the write-ahead log
        self._residue = True

    @property
    def policy(self) -> Policy | None:
        return self._policy

    def set_policy(
        self,
        policy: Policy | None,
        readers: Mapping[str, Ed25519PublicKey | None],
        current: Callable[[], bool] = lambda: True,
    ) -> None:
        """Decide by `policy` from now on; None: by none, for a file that cannot be read.

        `readers`: each reader's log key, which cosigns; None: it has no node. `current`: asked in each
        tick's transaction whether this is still the policy in force; where it is not, what is queued
        waits for the next.

        Opens a channel, empty, for every reader, whether a rule names it or not: a reader without a
        rule cannot tell that from a reader with nothing to read. What was released stays released.
        Raises `ConfigError` where the policy knows a partner that is no reader.
        """
        strangers = sorted(set(policy.partners) - readers.keys()) if policy else []
        if strangers:
            raise ConfigError(f"no key is known for {', '.join(strangers)}", do="add the partner's card")
        channels = {name: self._open(name, key) for name, key in sorted(readers.items())}
        self.frames.set_policy(policy, channels)
        self._policy, self._readers, self._current = policy, channels, current

    def close(self) -> None:
        """Release nothing from now on, to nobody; the channels stay readable."""
        self._policy = None
        self.frames.set_policy(None, self._readers)

    def reader(self, name: str) -> ReaderChannel | None:
        """The channel of a reader; None where there is no such reader."""
        return self._readers.get(name)

    def tick(self) -> TickReport:
        """Do what is queued and what is due: durable when this returns."""
        now_us = self._clock.now_us()
        with self._db.write() as db:
            policy = self._policy if self._current() else None
            acts = outbox.take(db, limits.TICK_STATEMENTS, releases=policy is not None)
            due = given.take_due(db, now_us, limits.TICK_STATEMENTS) if policy else []
            tick = Tick(
                self._statements,
                self._account,
                policy or Policy((), ()),
                size_of=lambda reader: self._logs.size(self._origin(reader)),
                sources=self._sources,
                node=self._node,
                exercise=self._exercise,
                now_us=now_us,
                waiting=self._waiting(),
                retired=[former.statement_key for former in self._retired],
            )
            report = tick.run(acts, due)
            written = [self._write(reader, entries) for reader, entries in tick.channels.items()]
            if written:
                self._tell(written)
        self._residue = self._residue or report.purged
        if self._residue and self._db.checkpoint():
            self._residue = False
        return report

    def scrub(self) -> None:
        """Bodies were purged beside a tick: the next one empties the write-ahead log of them."""
        self._residue = True

    def explain(self, jti: str, reader: str) -> Explanation:
        """Why the reader has, will have or has not the statement's latest version, as of now.

        Raises `InputError` for a statement that is not held here.
        """
        stored = self._statements.get(jti)
        if stored is None:
            raise InputError("there is no such statement here", where=jti)
        statement = stored.statement
        if stored.state == "withdrawn" or statement is None:
            return _no(reader, "it was withdrawn", "det är återkallat")
        if any(signed_by(statement.jwt, former.statement_key) for former in self._retired):
            return _no(
                reader,
                "it is signed with a key that was replaced; sign a new version of it",
                "det är signerat med en nyckel som ersatts; signera en ny version av det",
            )
        if statement.exercise != self._exercise:
            return _no(reader, "it is of the other realm", "det hör till den andra verkligheten")
        if self._policy is None:
            return _no(reader, "no policy is in force", "ingen policy gäller")
        now_us, sources = self._clock.now_us(), self._sources.of(statement)
        passing = None
        if sources is not None:
            missed = why_not(sources, reader, now_us)
            if missed is not None:
                return _no(reader, *missed)
            passing = passing_of(sources, self._policy.partners)
        foreign = stored.iss != self._node
        facts = facts_of(statement, stored.at_us, foreign=foreign, passing=passing)
        return self._policy.explain(facts, reader, now_us)

    def facts_of(self, stored: Stored, readers: Collection[str]) -> Facts | None:
        """What rules look at, with what other originators allow `readers` of it; None once purged."""
        statement = stored.statement
        if statement is None:
            return None
        return facts_of(
            statement,
            stored.at_us,
            foreign=stored.iss != self._node,
            passing=self._sources.passing(statement, readers),
        )

    def derived(self) -> set[str]:
        """Ids of own statements that were made of others."""
        return self._sources.derived()

    def delivered(self, jti: str) -> list[Delivered]:
        """What of a statement stands in which reader's channel, oldest first."""
        cosigned: dict[str, int] = {}
        found = []
        for at_us, entry in self._account.entries(jti):
            if entry.reader not in cosigned:
                sizes = self._logs.cosigned(self._origin(entry.reader))
                cosigned[entry.reader] = sizes.get(entry.reader, 0)
            cut = self._account.cut(entry.cut) if entry.cut else None
            found.append(
                Delivered(
                    reader=entry.reader,
                    op=entry.op,
                    ver=entry.ver,
                    index=entry.index,
                    at_us=at_us,
                    applied=cosigned[entry.reader] > entry.index,
                    slots=cut.slots if cut else frozenset(),
                    rules=cut.rules if cut else (),
                    purge=entry.purge,
                )
            )
        return found

    def holdings(
        self, jtis: Collection[str], until_us: int | None = None
    ) -> dict[str, dict[str, Holding]]:
        """Where each reader stands with each of these statements; only those that were given any.

        until_us: where each stood then.
        """
        return self._account.holdings(jtis, until_us)

    def next_us(self, at_us: int, counts: Callable[[str, int], bool]) -> int | None:
        """When something was next given to anybody after a time: of those (jti, ver) that count."""
        return self._account.next_us(at_us, counts)

    def applied(self, reader: str) -> tuple[int, int]:
        """Entries in a reader's channel, and how many of them it has cosigned as applied."""
        origin = self._origin(reader)
        return self._logs.size(origin), self._logs.cosigned(origin).get(reader, 0)

    def figures(self, reader: str) -> Figures:
        """How it stands with a reader, in figures."""
        return self._standings.of(reader, *self.applied(reader))

    def _origin(self, reader: str) -> str:
        return channel_origin(self._node, self._realm, reader)

    def _open(self, name: str, key: Ed25519PublicKey | None) -> ReaderChannel:
        origin = self._origin(name)
        note = self._logs.checkpoint(origin)
        try:
            open_checkpoint(note or b"", origin, self._keys.log.public_key())
        except Refused:  # there is none yet, or it is by a key that was replaced
            self._seal(origin)
        cutter = Cutter(name, self._statements, self._account)
        return ReaderChannel(
            name,
            origin,
            self._logs,
            cutter,
            self._keys.log.public_key(),
            key,
            lambda: self.frames.latest(name),
            [former.log_key for former in self._retired],
        )

    def _write(self, reader: str, entries: Sequence[tuple[bytes, bytes]]) -> Written:
        origin = self._origin(reader)
        first = self._logs.size(origin)
        self._logs.append(origin, entries)
        size, root = self._seal(origin)
        return Written(reader, first, size, root)

    def _seal(self, origin: str) -> tuple[int, bytes]:
        size, root = self._logs.head(origin)
        self._logs.set_checkpoint(origin, sign_checkpoint(origin, size, root, self._keys.log))
        return size, root


def _no(reader: str, en: str, sv: str) -> Explanation:
    return Explanation(
        released=False,
        rule=None,
        why=None,
        en=f"Not released to {reader}: {en}.",
        sv=f"Lämnas inte till {reader}: {sv}.",
    )
