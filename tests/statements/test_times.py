"""When what is held changed: arrivals, withdrawals, wider views, ways that end."""

from __future__ import annotations

from pathlib import Path

import pytest

from samsyn.base.database import Database, first_after
from samsyn.statements.marking import MARKINGS
from samsyn.statements.sign import parse, sign
from samsyn.statements.statement import Statement
from samsyn.statements.store import SCHEMA, StatementStore
from samsyn.statements.times import Times
from tests.statements.samples import DK, draft

NOW_US = 1_795_291_503_000_000


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return Database(tmp_path / "ledger.sqlite", SCHEMA)


@pytest.fixture
def store(db: Database) -> StatementStore:
    return StatementStore(db)


def say(jti: str | None = None, ver: int = 1) -> Statement:
    return sign(draft(), iss="dk", key=DK, jti=jti, ver=ver)


def test_a_withdrawal_has_its_time_and_only_the_first(db: Database, store: StatementStore) -> None:
    said = say()
    id_ = store.put(said, None, NOW_US).id
    store.withdraw(said.jti, False, NOW_US + 10)
    store.withdraw(said.jti, True, NOW_US + 20)  # purged later: it was withdrawn before
    changes = Times(db).of([id_])
    assert [changes.withdrawn(id_, NOW_US + t, True) for t in (0, 9, 10, 20)] == [
        False, False, True, True,
    ]  # fmt: skip
    assert changes.turns == {id_: [(NOW_US + 10, True)]}


def test_a_version_that_comes_after_the_withdrawal_was_never_open(
    db: Database, store: StatementStore
) -> None:
    first = say()
    store.put(first, "dk", NOW_US)
    store.withdraw(first.jti, False, NOW_US + 10)
    late = store.put(say(first.jti, 2), "dk", NOW_US + 20)
    assert Times(db).of([late.id]).withdrawn(late.id, NOW_US + 20, True)


def test_slots_that_came_later_are_named_with_their_time(db: Database, store: StatementStore) -> None:
    said = say()
    narrow = parse(said.present(["title"]))
    id_ = store.put(narrow, "dk", NOW_US).id
    store.put(parse(said.present(["text", "title"])), "dk", NOW_US + 5)
    store.put(narrow, "dk", NOW_US + 7)  # brings nothing
    changes = Times(db).of([id_])
    assert changes.later(id_, NOW_US + 4) == {"text"}
    assert changes.later(id_, NOW_US + 5) == frozenset()


def test_a_way_that_ends_and_one_that_opens_again_turn_it(db: Database, store: StatementStore) -> None:
    said = say()
    id_ = store.put(said, "se", NOW_US).id
    store.end_way(said.jti, "se", False, NOW_US + 10)
    store.put(said, "fi", NOW_US + 20)
    assert Times(db).of([id_]).turns == {id_: [(NOW_US + 10, True), (NOW_US + 20, False)]}


def test_what_an_older_store_withdrew_counts_as_withdrawn_all_along(
    db: Database, store: StatementStore
) -> None:
    said = say()
    id_ = store.put(said, None, NOW_US).id
    with db.write() as writing:
        writing.execute("UPDATE statement SET state = 'withdrawn'")
    assert Times(db).of([id_]).withdrawn(id_, NOW_US, True)


def test_the_next_change_is_whichever_comes_first(db: Database, store: StatementStore) -> None:
    times = Times(db)
    assert times.first_us(MARKINGS) is None and times.next_us(0, MARKINGS) is None
    said = [say() for _ in range(5)]
    for n, one in enumerate(said):
        store.put(one, None, NOW_US + 100 * n)
    store.withdraw(said[0].jti, True, NOW_US + 250)
    assert times.first_us(MARKINGS) == NOW_US
    assert [times.next_us(NOW_US + t, MARKINGS) for t in (-1, 0, 200, 250, 300, 400)] == [
        NOW_US, NOW_US + 100, NOW_US + 250, NOW_US + 300, NOW_US + 400, None,
    ]  # fmt: skip
    assert [times.first_after(NOW_US + t) for t in (-1, 0, 399, 400)] == [1, 2, 5, None]


def test_rows_that_are_gone_do_not_mislead_the_halving(db: Database, store: StatementStore) -> None:
    for n in range(9):
        store.put(say(), None, NOW_US + 10 * n)
    with db.write() as writing:
        writing.execute("DELETE FROM statement WHERE id IN (1, 2, 5, 6, 8)")
    assert first_after(db.read(), "statement", NOW_US - 1) == (3, NOW_US + 20)
    found = first_after(db.read(), "statement", NOW_US + 30)
    assert found is not None and found[1] == NOW_US + 60
