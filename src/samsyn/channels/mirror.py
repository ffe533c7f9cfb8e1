"""What this node holds of one partner's channel to it, applied batch by batch.

A batch is admitted whole or refused whole (`admit`). What is admitted becomes durable in one
transaction, purges included; only when the channel's whole head is applied, and the purged bytes
have left the write-ahead log too, is that head cosigned: a cosignature at size N says *received and
applied, purges included, up to N*.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.database import Database
from samsyn.base.errors import InputError, Refused
from samsyn.channels import batch as wire
from samsyn.channels.admit import (
    Admission,
    Held,
    Holdings,
    MirrorState,
    admit,
    admit_again,
    admit_entries,
    read_leaves,
    set_aside,
)
from samsyn.channels.aside import Asides
from samsyn.channels.leaf import Leaf
from samsyn.channels.names import channel_origin, witness_name
from samsyn.channels.refusals import Problem, Refusals
from samsyn.channels.retired import Retired, open_head
from samsyn.channels.ripples import Ripples
from samsyn.log.checkpoint import parse_checkpoint
from samsyn.log.note import parse_note
from samsyn.log.store import LogStore
from samsyn.log.witness import cosign
from samsyn.statements.sign import Verify, verify_many
from samsyn.statements.statement import Statement
from samsyn.statements.store import StatementStore
from samsyn.subjects import KINDS

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mirror (
  log TEXT PRIMARY KEY, size INTEGER NOT NULL, frontier BLOB NOT NULL, seen BLOB NOT NULL,
  applied BLOB, accepted_us INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Applied(msgspec.Struct, frozen=True):
    """What one batch changed here. `behind`: entries of the channel still to be asked for."""

    size: int
    statements: int
    withdrawals: int
    behind: int


class Mirror:
    """One partner's channel as held here. One batch at a time.

    keys: every originator whose statement key is known here, asked for at each batch: a partner may
    pass on what others said, and whose word it is stands or falls with their own signature.
    verify: `verify_many`, or what does as it does in another process.
    retired: keys that the partner had before; `verify` must know them too (`retired.by_key`).
    refused: told of each refused batch: the partner, "batch", and the reason.
    """

    def __init__(
        self,
        db: Database,
        statements: StatementStore,
        logs: LogStore,
        *,
        partner: str,
        statement_key: Ed25519PublicKey,
        log_key: Ed25519PublicKey,
        me: str,
        key: Ed25519PrivateKey,
        realm: Literal["actual", "exercise"],
        clock: Clock,
        keys: Callable[[], Mapping[str, Ed25519PublicKey]] = dict,
        verify: Verify = verify_many,
        refused: Callable[[str, str, str], None] = lambda *_: None,
        retired: tuple[Retired, ...] = (),
    ) -> None:
        self._retired = retired
        self._refused = refused
        self.partner = partner
        self.origin = channel_origin(partner, realm, me)
        self._db = db
        self._statements = statements
        self._logs = logs
        self._statement_key = statement_key
        self._log_key = log_key
        self._witness = witness_name(me)
        self._key = key
        self._realm: Literal["actual", "exercise"] = realm
        self._clock = clock
        self._verify = verify
        self._keys = keys
        self._me = me
        self._asides = Asides(db, self.origin, partner)
        self._ripples = Ripples(db, statements, me)
        self._refusals = Refusals(db, self.origin, partner)
        self._lock = threading.Lock()
        # a crash may have come between a purge and the emptying of the write-ahead log
        self._residue = True
        self._known_size = self.size

    @property
    def size(self) -> int:
        """Entries applied: the next batch begins here."""
        row = self._db.read().execute("SELECT size FROM mirror WHERE log = ?", (self.origin,)).fetchone()
        return int(row[0]) if row else 0

    @property
    def accepted_us(self) -> int | None:
        """When the last batch was taken."""
        row = (
            self._db.read()
            .execute("SELECT accepted_us FROM mirror WHERE log = ?", (self.origin,))
            .fetchone()
        )
        return int(row[0]) if row else None

    def receive(self, data: bytes, *, by_hand: bool = False) -> Applied:
        """Take an encoded batch: durable when this returns.

        by_hand: it was carried as a file. Then nobody lies who brings what is held already: such
        entries are compared with what is held and passed over. And nobody lies who brings a later
        file before an earlier one, or an old file late: that is an `InputError` that says what to
        bring, and is not held against the partner.

        Raises `Refused` with the old state untouched and the batch kept as evidence.
        """
        with self._lock:
            while True:
                size = self.size
                try:
                    return self._receive(wire.decode(data), by_hand)
                except Refused as refused:
                    if by_hand and self.size != size:
                        continue  # the running node took entries meanwhile: look at the batch again
                    self._refusals.keep(data, refused, self._clock.now_us())
                    self._refused(self.partner, "batch", refused.reason)
                    raise

    def cosigned(self) -> bytes | None:
        """The latest head that is wholly applied, cosigned; None while there is none."""
        with self._lock:
            row = (
                self._db.read()
                .execute("SELECT applied FROM mirror WHERE log = ?", (self.origin,))
                .fetchone()
            )
            if row is None or row[0] is None or not self._scrubbed():
                return None
            return cosign(bytes(row[0]), self._witness, self._key, self._clock.now_us() // SECOND_US)

    def problems(self) -> list[Problem]:
        """Refused batches, latest first, with their evidence."""
        return self._refusals.problems()

    def set_aside(self) -> list[Problem]:
        """What the partner passed on and is not shown, latest first, with its evidence."""
        return self._asides.problems()

    def take_aside(self) -> int:
        """Take what waited for a card that is here by now; returns how many statements that were.

        What turns out not to be in order stays aside, and `set_aside` says why.
        """
        with self._lock, self._db.write():
            state = self._state()
            waiting = self._asides.waiting(state.keys.keys()) if state.keys else []
            fit: dict[int, Statement] = {}
            for one in waiting:
                try:
                    (statement,) = self._verify([one.view], state.keys)
                    aside = set_aside(state, statement, self._held({one.jti}).get(one.jti, {}))
                    if statement.kind in KINDS:
                        KINDS[statement.kind].check_held(statement.slots)
                except Refused as refused:
                    self._asides.judged(one.id, refused.reason)
                    continue
                if aside is not None:
                    self._asides.judged(one.id, aside.reason, aside.other)
                else:
                    fit[one.id] = statement
            self._asides.taken(fit.keys())
            self._put(list(fit.values()), self._clock.now_us())
        return len(fit)

    def _receive(self, batch: wire.Batch, by_hand: bool) -> Applied:
        state = self._state()
        if by_hand:
            return self._by_hand(batch, state)
        leaves = read_leaves(batch)
        return self._apply(state, admit(state, batch, leaves, self._holdings(leaves), self._verify))

    def _by_hand(self, batch: wire.Batch, state: MirrorState) -> Applied:
        note = batch.checkpoint.encode()
        head = open_head(note, self.origin, self._log_key, self._retired)
        if batch.after > state.size:
            raise InputError(
                f"entries {state.size} to {batch.after - 1} of this channel are missing",
                do=f"bring the file that holds them, or ask for one made with --since {state.size}",
            )
        older = head.size < (state.seen.size if state.seen else 0)
        beyond = batch.after + len(batch.entries) > state.size
        if older and beyond:
            raise InputError(
                "this file was made before another that was begun here",
                do="bring the later file again, or a new one",
            )
        if batch.after == state.size and not older:
            return self._receive(batch, by_hand=False)
        origin, size = self.origin, state.size
        past = msgspec.structs.replace(
            state,
            size=batch.after,
            frontier=self._logs.frontier_at(origin, batch.after).pack(),
            seen=None if older else state.seen,
        )
        held = [leaf for leaf, _ in self._logs.entries(origin, batch.after, size - batch.after)]
        root = self._logs.root_at(origin, head.size) if head.size <= size else None
        admission = admit_again(state, past, batch, held, root)
        if not beyond:
            return Applied(size, 0, 0, max(0, head.size - size))
        rest = msgspec.structs.replace(batch, after=size, entries=batch.entries[len(held) :])
        leaves = read_leaves(rest)
        return self._apply(
            state, admit_entries(state, rest, leaves, admission, self._holdings(leaves), self._verify)
        )

    def _holdings(self, leaves: list[Leaf]) -> Holdings:
        """What is held of the statements that a batch names; of what was purged, that it was."""
        named = {leaf.id for leaf in leaves}
        held = {**self._asides.held(named), **self._held(named)}
        # it may have been purged before it was ever read: then no version of it is held
        for jti in self._refusals.purged(named):
            versions = held.get(jti, {})
            if not any(h.here for h in versions.values()):
                held[jti] = {**versions, 0: Held("", b"", True, None)}
        return held

    def _held(self, jtis: set[str]) -> dict[str, dict[int, Held]]:
        """What is held, and what of it came by this channel."""
        known = self._statements.known(jtis)
        ways = self._statements.ways(known) if known else {}
        found: dict[str, dict[int, Held]] = {}
        for jti in known:
            mine = {way.ver: way for way in ways.get(jti, ()) if way.via == self.partner}
            for s in self._statements.versions(jti):
                here, ended = s.received_from == self.partner, s.state == "withdrawn"
                if jti in ways:
                    here, ended = s.ver in mine, s.ver in mine and mine[s.ver].ended > 0
                held = Held(s.iss, s.jwt_hash, here and ended, s.body, here)
                found.setdefault(jti, {})[s.ver] = held
        return found

    def _state(self) -> MirrorState:
        row = (
            self._db.read()
            .execute("SELECT size, frontier, seen FROM mirror WHERE log = ?", (self.origin,))
            .fetchone()
        )
        size, frontier, seen = row or (0, b"", b"")
        return MirrorState(
            origin=self.origin,
            partner=self.partner,
            me=self._me,
            realm=self._realm,
            statement_key=self._statement_key,
            keys={name: key for name, key in self._keys().items() if name != self._me},
            log_key=self._log_key,
            size=size,
            frontier=frontier,
            seen=parse_checkpoint(parse_note(seen).text) if seen else None,  # was checked when kept
            seen_note=seen,
            retired=self._retired,
        )

    def _apply(self, state: MirrorState, admission: Admission) -> Applied:
        now_us = self._clock.now_us()
        purged = {w.id for w in admission.withdrawals if w.purge}
        with self._db.write() as db:
            if self.size != state.size:  # another process took a batch meanwhile
                raise Refused("replayed-entry", "these entries were taken by another process")
            self._logs.append(self.origin, [(leaf, b"") for leaf in admission.leaves])
            if admission.asides:
                self._asides.keep(admission.asides, now_us)
            self._put(admission.statements, now_us)
            if admission.withdrawals:
                self._withdraw({w.id: w.id in purged for w in admission.withdrawals}, now_us)
            db.execute(
                "INSERT INTO mirror VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (log) DO UPDATE SET"
                " size = excluded.size, frontier = excluded.frontier, seen = excluded.seen,"
                " applied = coalesce(excluded.applied, applied), accepted_us = excluded.accepted_us",
                (
                    self.origin,
                    admission.size,
                    admission.frontier,
                    admission.note,
                    admission.note if admission.whole else None,
                    now_us,
                ),
            )
            if admission.whole:
                self._logs.set_checkpoint(self.origin, admission.note)
        self._known_size = admission.size
        return Applied(
            size=admission.size,
            statements=len(admission.statements),
            withdrawals=len(admission.withdrawals),
            behind=admission.head.size - admission.size,
        )

    def _put(self, statements: Sequence[Statement], now_us: int) -> None:
        """Keep what may have come from its originator or by others, and what that means for us."""
        # of a first version from its originator nothing can have been passed on
        maybe = {s.jti for s in statements if s.iss != self.partner or s.ver > 1}
        passed_on = self._ripples.passed_on(maybe)
        self._statements.put_many(statements, self.partner, now_us, passed_on=passed_on)
        through_us = {s.jti: s.iss for s in statements if s.iss != self.partner}
        for jti in self._refusals.withdrawn_unread(through_us):
            self._statements.withdraw(jti, True, now_us)
        self._ripples.arrived(statements, passed_on)

    def _withdraw(self, purges: Mapping[str, bool], now_us: int) -> None:
        """The partner takes back what it said itself, and its own way of what others said."""
        whole: dict[str, bool] = {}
        for jti, purge in purges.items():
            stored = self._statements.get(jti)
            if stored is not None and stored.iss == self.partner:
                self._statements.withdraw(jti, purge, now_us)
                whole[jti] = purge
            elif stored is not None and stored.iss != self._me:
                self._statements.end_way(jti, self.partner, purge, now_us)
                self._ripples.way_ended(jti, stored.iss, purge=purge)
            self._asides.end(jti, purge)
        self._ripples.withdrawn(whole)
        purged = {jti for jti, purge in purges.items() if purge}
        if purged:
            self._refusals.purge(purged)
            self._asides.purge(purged, self.partner)
            self._residue = True

    def _scrubbed(self) -> bool:
        """Whether no purged byte is left on disk; tries to make it so."""
        if self.size != self._known_size:  # another process has taken entries: there may be purges
            self._known_size, self._residue = self.size, True
        if self._residue and self._db.checkpoint():
            self._residue = False
        return not self._residue
