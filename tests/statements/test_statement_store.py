"""What is kept of statements, and what is gone when it is purged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.database import Database
from samsyn.base.errors import Refused
from samsyn.base.ids import new_id
from samsyn.statements.sign import parse, sign
from samsyn.statements.statement import Statement
from samsyn.statements.store import SCHEMA, StatementStore
from tests.statements.samples import DK, SE, draft, slots

NOW_US = 1_795_291_503_000_000


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return Database(tmp_path / "ledger.sqlite", SCHEMA)


@pytest.fixture
def store(db: Database) -> StatementStore:
    return StatementStore(db)


def say(jti: str | None = None, ver: int = 1) -> Statement:
    return sign(draft(), iss="dk", key=DK, jti=jti, ver=ver)


def test_what_is_put_is_got(store: StatementStore) -> None:
    said = say()
    put = store.put(said, None, NOW_US)
    assert put == store.get(said.jti) == store.get(said.jti, 1)
    assert (put.state, put.purged, put.received_from, put.at_us) == ("standing", False, None, NOW_US)
    assert put.statement == said
    assert store.get(new_id()) is None
    assert store.get(said.jti, 2) is None


def test_a_view_received_twice_is_one_row_and_a_wider_one_widens_it(store: StatementStore) -> None:
    said = say()
    narrow, wide = parse(said.present(["title"])), parse(said.present(["text", "title"]))
    first = store.put(narrow, "dk", NOW_US)
    assert store.put(narrow, "se", NOW_US + 1) == first
    widened = store.put(parse(said.present(["author"])), "se", NOW_US + 2)
    assert widened.statement is not None
    assert set(widened.statement.slots) == {"title", "author"}
    assert (widened.id, widened.received_from, widened.at_us) == (first.id, "dk", NOW_US)
    store.put(wide, "dk", NOW_US)
    store.put(narrow, "dk", NOW_US)  # a narrower one takes nothing away
    held = store.get(said.jti)
    assert held is not None
    assert held.statement is not None
    assert set(held.statement.slots) == {"title", "text", "author"}


def test_two_signed_parts_under_one_name_are_equivocation(store: StatementStore) -> None:
    said, other = say(), None
    store.put(said, None, NOW_US)
    other = say(said.jti)
    with pytest.raises(Refused) as caught:
        store.put(other, "dk", NOW_US)
    assert caught.value.reason == "equivocation"
    assert caught.value.evidence == {"held": said.present(), "received": other.present()}
    held = store.get(said.jti)
    assert held is not None
    assert held.statement == said


def test_equivocation_is_told_also_after_a_purge(store: StatementStore) -> None:
    said = say()
    store.put(said, None, NOW_US)
    store.withdraw(said.jti, True, NOW_US)
    with pytest.raises(Refused, match="two statements under one name"):
        store.put(say(said.jti), "dk", NOW_US)


def test_a_version_by_another_originator(store: StatementStore) -> None:
    said = say()
    store.put(said, None, NOW_US)
    for ver in (1, 2):
        with pytest.raises(Refused) as caught:
            store.put(sign(draft(), iss="se", key=SE, jti=said.jti, ver=ver), "se", NOW_US)
        assert caught.value.reason == "version-by-another-originator"


def test_one_bad_statement_keeps_the_whole_batch_out(store: StatementStore) -> None:
    said = say()
    store.put(said, None, NOW_US)
    batch = [say(), say(said.jti), say()]
    with pytest.raises(Refused):
        store.put_many(batch, "dk", NOW_US)
    assert [store.get(s.jti) for s in (batch[0], batch[2])] == [None, None]
    assert len(store.put_many([batch[0], batch[2]], "dk", NOW_US)) == 2


def test_versions_are_found_by_name_and_only_what_is_held(store: StatementStore) -> None:
    jti = new_id()
    held = store.put_many([say(jti, 1), say(jti, 2), say()], None, NOW_US)
    found = store.get_many([(jti, 1), (jti, 7), (new_id(), 1), (held[2].jti, 1)])
    assert {(f.jti, f.ver) for f in found} == {(jti, 1), (held[2].jti, 1)}
    assert store.get_many([]) == []


def test_what_is_kept_together_is_told_as_it_is_held(store: StatementStore) -> None:
    store.put(say(), None, NOW_US)
    jti, batch = new_id(), [say(), say(), say()]
    mixed = [say(jti, 1), batch[0], say(jti, 2), batch[1], batch[0], batch[2]]
    done = store.put_many(mixed, "dk", NOW_US)
    assert [(d.jti, d.ver) for d in done] == [(s.jti, s.ver) for s in mixed]
    assert [d.id for d in done] == [2, 3, 4, 5, 3, 6]
    assert store.versions(jti)[1] == done[2] and store.by_ids([3, 5, 6]) == [done[i] for i in (1, 3, 5)]


@settings(deadline=None, max_examples=20)
@given(st.permutations([1, 2, 3, 5]))
def test_the_highest_version_stands_whatever_order_they_come_in(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    store = StatementStore(Database(tmp_path_factory.mktemp("s") / "a.sqlite", SCHEMA))
    jti = new_id()
    for ver in order:
        store.put(say(jti, ver), None, NOW_US)
    states = {held.ver: held.state for held in store.versions(jti)}
    assert states == {1: "superseded", 2: "superseded", 3: "superseded", 5: "standing"}
    held = store.get(jti)
    assert held is not None
    assert held.ver == 5


def test_withdrawn_is_final_for_every_version(store: StatementStore) -> None:
    jti = new_id()
    store.put_many([say(jti, 1), say(jti, 2)], None, NOW_US)
    assert store.withdraw(jti, False, NOW_US) == 2
    assert {held.state for held in store.versions(jti)} == {"withdrawn"}
    assert all(held.statement for held in store.versions(jti))  # withdrawn, not purged
    later = store.put(say(jti, 3), "dk", NOW_US)
    assert (later.state, later.purged) == ("withdrawn", False)
    store.withdraw(jti, True, NOW_US)
    assert all(held.purged for held in store.versions(jti))
    last = store.put(say(jti, 4), "dk", NOW_US)
    assert (last.state, last.purged, last.statement) == ("withdrawn", True, None)
    assert store.withdraw(new_id(), True, NOW_US) == 0


def test_a_purged_statement_is_not_revived_by_hearing_it_again(store: StatementStore) -> None:
    said = say()
    store.put(said, "dk", NOW_US)
    store.withdraw(said.jti, True, NOW_US)
    again = store.put(said, "fi", NOW_US)
    assert (again.state, again.statement) == ("withdrawn", None)


def test_no_byte_of_a_purged_body_is_left_on_disk(tmp_path: Path, db: Database) -> None:
    """Searched for in the raw files: the database, its write-ahead log, whatever lies beside them."""
    store = StatementStore(db)
    kept, gone = say(), sign(draft({**slots(), "text": "unspeakable " * 400}), iss="dk", key=DK)
    store.put(kept, None, NOW_US)
    store.put(parse(gone.present(["title"])), "dk", NOW_US)
    store.put(gone, "dk", NOW_US)  # widened: the narrower body must not stay behind either
    store.put_many([say() for _ in range(50)], None, NOW_US)
    _, payload, signature = gone.jwt.split(b".")
    pieces = [payload[20:1900], signature, *(d[4:34] for d in gone.disclosures.values())]
    pieces.append(gone.disclosures["text"])  # these words no other statement has
    windows = {piece[at : at + 30] for piece in pieces for at in range(0, len(piece) - 29, 30)}
    before = raw(tmp_path)
    assert sum(window in before for window in windows) > 0.9 * len(windows)  # a page ends within some

    store.withdraw(gone.jti, True, NOW_US)
    db.checkpoint()
    left = raw(tmp_path)
    assert not [window for window in windows if window in left]
    assert kept.jwt in left
    held = store.get(gone.jti)
    assert held is not None
    assert held.jwt_hash in left  # hashes stay


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_pages_are_newest_first_and_end(store: StatementStore) -> None:
    said = [say() for _ in range(7)]
    store.put_many(said, None, NOW_US)
    store.withdraw(said[5].jti, False, NOW_US)
    seen = []
    page = store.page(limit=3)
    while page:
        seen += [held.jti for held in page]
        page = store.page(before=page[-1].id, limit=3)
    assert seen == [s.jti for s in reversed(said)]
    assert [h.jti for h in store.page(states=["withdrawn"])] == [said[5].jti]
    assert len(store.page(states=["standing", "superseded"])) == 6


def test_a_callers_transaction_decides(store: StatementStore, db: Database) -> None:
    said = say()
    with pytest.raises(RuntimeError), db.write():
        store.put(said, None, NOW_US)
        assert store.get(said.jti) is not None  # its own thread sees it
        raise RuntimeError
    assert store.get(said.jti) is None


def test_what_was_put_is_there_after_starting_again(tmp_path: Path) -> None:
    said = say()
    first = Database(tmp_path / "a.sqlite", SCHEMA)
    StatementStore(first).put(said, None, NOW_US)
    first.close()
    held = StatementStore(Database(tmp_path / "a.sqlite", SCHEMA)).get(said.jti)
    assert held is not None
    assert held.statement == said
