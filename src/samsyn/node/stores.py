"""One realm of a home, opened: the database, what lies in it, and the keys to sign with."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn import channels
from samsyn.base.clock import Clock, ExerciseClock, SystemClock
from samsyn.base.database import Database
from samsyn.base.errors import ConfigError
from samsyn.base.settings import Home, Realm, Settings
from samsyn.channels.door import Door
from samsyn.channels.frame_mirror import FrameMirror
from samsyn.channels.given import Account
from samsyn.channels.mirror import Mirror
from samsyn.channels.outbox import Outbox
from samsyn.channels.retired import Retired, by_key
from samsyn.channels.sources import Sources
from samsyn.desk import (
    asking,
    findings,
    handling,
    history,
    imports,
    policies,
    replays,
    saved,
    signed_in,
    tallies,
    verified,
)
from samsyn.desk.accounts import Account as Person
from samsyn.desk.accounts import load_accounts
from samsyn.desk.asking import Asking
from samsyn.desk.diary import Diary
from samsyn.desk.earlier import Earlier
from samsyn.desk.findings import FindingStore
from samsyn.desk.handling import HandlingStore
from samsyn.desk.history import FactHistory
from samsyn.desk.imports import Importer
from samsyn.desk.notices import notices
from samsyn.desk.pen import Pen
from samsyn.desk.policies import Policies
from samsyn.desk.refused import RefusedCounts
from samsyn.desk.released import Releases
from samsyn.desk.replays import Replays
from samsyn.desk.retention import Retention
from samsyn.desk.review import Review
from samsyn.desk.saved import SavedViews
from samsyn.desk.signed_in import SignedIn
from samsyn.desk.tallies import TallyStore
from samsyn.desk.verified import Verified
from samsyn.exchange.card import Card, public_key
from samsyn.exchange.roster import Roster
from samsyn.exchange.succession import own_past
from samsyn.interfaces.readers import Readers
from samsyn.log import store as log_store
from samsyn.log.store import LogStore
from samsyn.policy import Facts, Policy, facts_of
from samsyn.policy import load as load_policy
from samsyn.policy import parse as parse_policy
from samsyn.policy import read_text as read_policy
from samsyn.statements import expired
from samsyn.statements import store as statement_store
from samsyn.statements.expired import Expired
from samsyn.statements.keys import load as load_keys
from samsyn.statements.reread import reread
from samsyn.statements.second import Second
from samsyn.statements.store import StatementStore, Stored
from samsyn.statements.times import Times
from samsyn.subjects import KINDS
from samsyn.tracks.partners import PartnerTracks

SCHEMAS = (
    statement_store.SCHEMA,
    expired.SCHEMA,
    log_store.SCHEMA,
    channels.SCHEMA,
    findings.SCHEMA,
    replays.SCHEMA,
    tallies.SCHEMA,
    policies.SCHEMA,
    asking.SCHEMA,
    handling.SCHEMA,
    saved.SCHEMA,
    signed_in.SCHEMA,
    history.SCHEMA,
    imports.SCHEMA,
    verified.SCHEMA,
)


class Stores:
    """Everything of one realm that is on disk. Several processes may hold it; one may run it."""

    def __init__(
        self,
        home: Home,
        realm: Realm | None = None,
        wall: Clock | None = None,
        connection: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        """`connection`: see `Database`. Raises `ConfigError` where the home is not usable."""
        self.home = home
        self.settings: Settings = home.settings()
        self.realm: Realm = realm or self.settings.node.realm
        self.wall = wall or SystemClock()
        self.clock = _realm_clock(self.settings, self.realm, self.wall)
        self.keys = load_keys(home.keys)
        self.roster = Roster(home.partners, self.settings.node.name)
        self.tokens = Readers(home.readers)
        folder = home.realm(self.realm)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.db = Database(home.ledger(self.realm), *SCHEMAS, connection=connection)
        self.statements = StatementStore(self.db)
        self.expired = Expired(self.db)
        self.logs = LogStore(self.db)
        self.outbox = Outbox(self.db)
        self.findings = FindingStore(self.db)
        self.tallies = TallyStore(self.db)
        self.replays = Replays(self.db)
        self.diary = Diary(
            self.db, self.logs, node=self.me, realm=self.realm, keys=self.keys, clock=self.wall
        )
        self.handling = HandlingStore(self.db, self.diary, self.clock)
        self.saved = SavedViews(self.db)
        self.verified = Verified(self.db, self.diary, self.wall)
        self.signed_in = SignedIn(self.db)
        self.policies = Policies(self.db, self.diary, self.wall)
        self.history = FactHistory(self.db, self.statements, self.facts_of)
        self.refused = RefusedCounts(self.diary, self.wall)
        self.pen = Pen(
            self.db,
            self.statements,
            self.outbox,
            self.diary,
            node=self.settings.node.name,
            realm=self.realm,
            keys=self.keys,
            clock=self.clock,
            keep_personal_us=self.settings.store.keep_personal_us(),
        )
        self.importer = Importer(self.db, self.statements, self.pen, exercise=self.realm == "exercise")
        self.asking = Asking(
            self.db, self.statements, self.pen, node=self.settings.node.name, clock=self.clock
        )
        self.sources = Sources(self.db, self.statements, self.settings.node.name)
        self.second = Second()
        self._lock: int | None = None
        self._residue = False

    @property
    def me(self) -> str:
        return self.settings.node.name

    def statement_keys(self) -> dict[str, Ed25519PublicKey]:
        """Whose signatures this node can check: its partners', present and former, and its own."""
        cards = [*self.roster.former(), *self.roster.all()]
        keys = {card.name: public_key(card.statement_key) for card in cards}
        return {**keys, self.me: self.keys.statement.public_key()}

    def retired(self, partner: str) -> tuple[Retired, ...]:
        """The keys that a partner had before, with the size of its channel to us in this realm."""
        return tuple(
            _retired(one.old, one.sizes.get(self.realm, 0)) for one in self.roster.retired(partner)
        )

    def own_retired(self, reader: str) -> tuple[Retired, ...]:
        """The keys that this node had before, with the size of its channel to `reader` then."""
        return tuple(
            _retired(one.card, one.sizes.get(self.realm, {}).get(reader, 0))
            for one in own_past(self.home.keys)
        )

    def former_log_keys(self, partner: str) -> list[Ed25519PublicKey]:
        return [one.log_key for one in self.retired(partner)]

    def former_statement_keys(self) -> dict[str, list[Ed25519PublicKey]]:
        """By originator: keys that it had before, our own too."""
        cards = [*self.roster.former(), *self.roster.all()]
        former = {card.name: self.retired(card.name) for card in cards}
        former[self.me] = self.own_retired("")
        return {name: [one.statement_key for one in keys] for name, keys in former.items() if keys}

    def door(self) -> Door:
        return Door(
            self.db,
            self.statements,
            self.logs,
            node=self.me,
            realm=self.realm,
            keys=self.keys,
            clock=self.clock,
            tell=self.diary.released,
            waiting=self.waiting,
            retired=self.own_retired(""),
        )

    def earlier(self, door: Door) -> Earlier:
        """Looking back at statements, and at what `door` had given."""
        return Earlier(self.statements, Times(self.db), door)

    def releases(self) -> Releases:
        """What readers were given, for who asks afterwards."""
        return Releases(Account(self.db), self.logs, self.statements, self.me, self.realm)

    def retention(self) -> Retention:
        return Retention(
            self.db,
            self.statements,
            self.expired,
            self.outbox,
            self.diary,
            rules=self.settings.retention,
            keep_personal_us=self.settings.store.keep_personal_us(),
            clock=self.clock,
        )

    def mirror(self, card: Card) -> Mirror:
        """Our copy of a partner's channel. Large batches are verified in a second process."""
        return Mirror(
            self.db,
            self.statements,
            self.logs,
            partner=card.name,
            statement_key=public_key(card.statement_key),
            log_key=public_key(card.log_key),
            me=self.me,
            key=self.keys.log,
            realm=self.realm,
            clock=self.clock,
            keys=self.statement_keys,
            verify=by_key(self.second.verify_many, self.former_statement_keys),
            retired=self.retired(card.name),
            refused=self.refused.note,
        )

    def notices(self) -> list[dict[str, Any]]:
        """What a person should see to."""
        asides = (p for card in self.roster.all() for p in self.mirror(card).set_aside())
        return notices(self.sources, asides)

    def take_aside(self) -> int:
        """Take what partners passed on and was set aside until its originator's card came."""
        return sum(self.mirror(card).take_aside() for card in self.roster.all())

    def frame_mirror(self, card: Card, tracks: PartnerTracks) -> FrameMirror:
        """What is taken of a partner's live tracks, and shown in `tracks`."""
        return FrameMirror(
            partner=card.name,
            log_key=public_key(card.log_key),
            me=self.me,
            realm=self.realm,
            tracks=tracks,
        )

    def policy(self) -> Policy:
        """The policy in force; where none ever was, the file, which the first start takes.

        Raises `SamsynError` with file, line and rule.
        """
        now = self.policies.in_force()
        if now is None:
            return load_policy(self.home.policy, partners=list(self.readers()), kinds=KINDS)
        return self.parse(now.text, now.name)

    def parse(self, text: str, name: str) -> Policy:
        """A policy's text, among the partners there are. Raises `ConfigError` with line and rule."""
        return parse_policy(text, name, partners=list(self.readers()), kinds=KINDS)

    def facts_of(self, stored: Stored) -> Facts:
        """What rules look at in a held statement; what others allow of it is asked at the door."""
        return facts_of(reread(stored.body or b""), stored.at_us, foreign=stored.iss != self.me)

    def accounts(self) -> tuple[Person, ...]:
        """The organisation's own people. Raises `ConfigError`."""
        return load_accounts(self.home.accounts)

    def review(self, door: Door) -> Review:
        """Deciding on policies, with what `door` has given."""
        return Review(
            self.db,
            policies=self.policies,
            history=self.history,
            statements=self.statements,
            door=door,
            outbox=self.outbox,
            diary=self.diary,
            clock=self.clock,
            parse=self.parse,
        )

    def found(self) -> None:
        """Take the file into force where no policy ever was. Raises `ConfigError`; then none is."""
        if not self.policies.founded():
            text = read_policy(self.home.policy)
            self.parse(text, self.home.policy.name)
            self.policies.found(text)

    def file_differs(self) -> bool:
        """Whether the policy file is another text than the policy that is in force."""
        now = self.policies.in_force()
        try:
            return now is not None and read_policy(self.home.policy) != now.text
        except ConfigError:  # a file that is gone or unreadable is certainly not what is in force
            return True

    def readers(self) -> dict[str, Ed25519PublicKey | None]:
        """Who has a channel here, with the key that cosigns it; None: a reader without a node.

        Raises `SamsynError` where the files that say so cannot be used.
        """
        partners = {card.name: public_key(card.log_key) for card in self.roster.all()}
        names = [reader.name for reader in self.tokens.all()]
        both = sorted(partners.keys() & names) + ([self.me] if self.me in names else [])
        if both:
            raise ConfigError(
                f"{', '.join(both)} is a reader without a node and a node, too",
                where=str(self.home.readers),
                do="take one of them away",
            )
        return {**dict.fromkeys(names), **partners}

    def waiting(self) -> frozenset[str]:
        """To whom nothing new is released: partners suspended or about to leave, and revoked readers."""
        return self.roster.waiting() | self.tokens.revoked()

    def forget(self) -> None:
        """Let what was purged go from the copy for previews too; cheap where nothing was."""
        self._residue = self.history.forget() or self._residue
        if self._residue and self.db.checkpoint():
            self._residue = False

    def take_lock(self) -> None:
        """One running node a realm. Raises `ConfigError` where there is one already."""
        handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise ConfigError(
                "a node runs on this home already",
                where=str(self.home.realm(self.realm)),
                do="stop it first, or use another --home",
            ) from None
        self._lock = handle

    def runs(self) -> bool:
        """Whether some process runs a node on this realm."""
        handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(handle)
        return False

    @property
    def _lock_file(self) -> Path:
        return self.home.realm(self.realm) / "lock"

    def close(self) -> None:
        self.second.close()
        self.db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Stores:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.refused.flush(all_of_them=True)
            self.forget()
        finally:
            self.close()


def _retired(card: Card, size: int) -> Retired:
    return Retired(public_key(card.statement_key), public_key(card.log_key), size)


def _realm_clock(settings: Settings, realm: Realm, wall: Clock) -> Clock:
    """The actual realm has the machine's time, an exercise its own."""
    if realm == "actual":
        return wall
    exercise = settings.exercise
    start_us, began_us = exercise.start_us(), exercise.began_us()
    return ExerciseClock(wall.now_us() if start_us is None else start_us, exercise.speed, wall, began_us)
