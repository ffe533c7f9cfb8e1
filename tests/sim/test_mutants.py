"""The simulation finds what it is for: with a bug put in on purpose, some seed breaks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from samsyn.base.clock import DAY_US
from samsyn.channels import admit, mirror, outbox, sources
from samsyn.channels.given import Account
from samsyn.channels.mirror import Mirror
from samsyn.channels.refusals import Refusals
from samsyn.channels.ripples import Ripples
from samsyn.channels.tick import Tick
from samsyn.log.store import LogStore
from samsyn.policy import Passing, Policy
from samsyn.sim import run
from samsyn.statements.store import StatementStore

SEEDS = (34, 74, 109, 4, 13, 33, *range(1, 61))
Patch = pytest.MonkeyPatch


def forgets_to_purge(patch: Patch) -> None:
    honest = Mirror._apply

    def apply(self: Mirror, state: Any, admission: Any) -> Any:
        kept = [msgspec.structs.replace(w, purge=False) for w in admission.withdrawals]
        return honest(self, state, msgspec.structs.replace(admission, withdrawals=kept))

    patch.setattr(Mirror, "_apply", apply)


def doubles_an_entry(patch: Patch) -> None:
    honest = Tick._add

    def add(self: Tick, reader: str, entry: Any) -> int:
        honest(self, reader, entry)
        return honest(self, reader, entry)

    patch.setattr(Tick, "_add", add)


def commits_halfway(db: sqlite3.Connection) -> None:
    db.execute("COMMIT")
    db.execute("BEGIN IMMEDIATE")


def takes_from_the_queue_in_a_transaction_of_its_own(patch: Patch) -> None:
    honest = outbox.take

    def take(db: sqlite3.Connection, limit: int, *, releases: bool = True) -> Any:
        acts = honest(db, limit, releases=releases)
        commits_halfway(db)
        return acts

    patch.setattr(outbox, "take", take)


def appends_in_a_transaction_of_its_own(patch: Patch) -> None:
    honest = LogStore.append

    def append(self: LogStore, log: str, entries: Any) -> int:
        size = honest(self, log, entries)
        with self._db.write() as db:
            commits_halfway(db)
        return size

    patch.setattr(LogStore, "append", append)


def cosigns_what_is_not_yet_applied(patch: Patch) -> None:
    patch.setattr(admit.Admission, "whole", property(lambda self: True))


def cosigns_before_the_bytes_are_gone(patch: Patch) -> None:
    patch.setattr(Mirror, "_scrubbed", lambda self: True)


def keeps_what_was_purged_as_evidence(patch: Patch) -> None:
    patch.setattr(Refusals, "purged", lambda self, jtis: set())


def forgets_delays(patch: Patch) -> None:
    honest = Policy.decide_many
    patch.setattr(Policy, "decide_many", lambda self, facts, us: honest(self, facts, us + DAY_US))


def forgets_what_waits(patch: Patch) -> None:
    patch.setattr(Account, "hold", lambda self, rows: None)


def does_not_look_for_forks(patch: Patch) -> None:
    patch.setattr(admit, "verify_consistency", lambda *args: True)


def takes_any_realm(patch: Patch) -> None:
    patch.setattr(admit, "_check_statement", lambda *args: None)


def takes_what_was_withdrawn(patch: Patch) -> None:
    patch.setattr(admit, "_check_order", lambda *args: None)


def takes_any_id(patch: Patch) -> None:
    patch.setattr(admit, "_check_ours", lambda *args: None)


def counts_a_batch_as_taken_that_was_refused(patch: Patch) -> None:
    honest = Mirror._receive

    def receive(self: Mirror, *args: Any) -> Any:
        try:
            return honest(self, *args)
        except mirror.Refused:
            with self._db.write() as db:
                db.execute("UPDATE mirror SET size = size + 1 WHERE log = ?", (self.origin,))
            raise

    patch.setattr(Mirror, "_receive", receive)


def passes_on_whatever_it_has(patch: Patch) -> None:
    patch.setattr(sources, "passing_of", lambda of, readers: Passing(frozenset(readers), False, ()))


def forgets_whom_it_passed_it_on_to(patch: Patch) -> None:
    patch.setattr(Ripples, "withdrawn", lambda self, jtis: None)


def forgets_those_behind_who_passed_it_on(patch: Patch) -> None:
    patch.setattr(Ripples, "way_ended", lambda self, *args, **kwargs: None)


def keeps_what_a_consent_no_longer_allows(patch: Patch) -> None:
    patch.setattr(Ripples, "_reconsider", lambda self, jtis: None)


def never_ends_a_way(patch: Patch) -> None:
    patch.setattr(StatementStore, "end_way", lambda self, jti, via, purge, at_us: None)


def keeps_the_old_version_with_who_may_not_have_the_new(patch: Patch) -> None:
    honest = Tick._release

    def release(self: Tick, wanted: Any, decisions: Any, held: Any) -> None:
        newer = {reader: h for reader, h in held.items() if h.ver >= wanted.ver}
        honest(self, wanted, decisions, newer)

    patch.setattr(Tick, "_release", release)


MUTANTS = [
    passes_on_whatever_it_has,
    forgets_whom_it_passed_it_on_to,
    forgets_those_behind_who_passed_it_on,
    keeps_what_a_consent_no_longer_allows,
    never_ends_a_way,
    keeps_the_old_version_with_who_may_not_have_the_new,
    forgets_to_purge,
    doubles_an_entry,
    takes_from_the_queue_in_a_transaction_of_its_own,
    appends_in_a_transaction_of_its_own,
    cosigns_what_is_not_yet_applied,
    cosigns_before_the_bytes_are_gone,
    keeps_what_was_purged_as_evidence,
    forgets_delays,
    forgets_what_waits,
    does_not_look_for_forks,
    takes_any_realm,
    takes_what_was_withdrawn,
    takes_any_id,
    counts_a_batch_as_taken_that_was_refused,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__)
def test_a_bug_is_found(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    mutant(monkeypatch)
    assert any(_breaks(seed) for seed in SEEDS)


def _breaks(seed: int) -> bool:
    """A bug may also show as an error that the node itself raises."""
    try:
        return bool(run(seed).broken)
    except Exception:  # noqa: BLE001  whatever it is, an honest run raises nothing at all
        return True
