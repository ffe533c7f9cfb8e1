"""Logs in SQLite, as a channel uses them: ticks, proofs for a reader, starting again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.database import Database
from samsyn.log import merkle
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.log.store import SCHEMA, LogStore

LOG = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return Database(tmp_path / "ledger.sqlite", SCHEMA)


def entries(first: int, count: int) -> list[tuple[bytes, bytes]]:
    return [(b"leaf %d" % n, b"private %d" % n) for n in range(first, first + count)]


def test_a_tick_appends_signs_and_is_read_back(db: Database) -> None:
    logs = LogStore(db)
    assert logs.size("fi") == 0
    assert logs.root("fi") == merkle.EMPTY_ROOT
    with db.write():
        assert logs.append("fi", entries(0, 3)) == 3
        size, root = logs.head("fi")  # its own tick sees it before it is committed
        logs.set_checkpoint("fi", sign_checkpoint("fi", size, root, LOG))
    assert size == 3
    assert logs.entries("fi", 1, 10) == entries(1, 2)
    assert logs.checkpoint("fi") == sign_checkpoint("fi", 3, logs.root("fi"), LOG)
    assert logs.audit("fi").problems == ()


def test_a_tick_that_fails_leaves_nothing(db: Database) -> None:
    logs = LogStore(db)
    logs.append("fi", entries(0, 2))
    before = logs.head("fi")
    with pytest.raises(RuntimeError), db.write():
        logs.append("fi", entries(2, 300))
        logs.set_checkpoint("fi", b"never")
        raise RuntimeError
    assert logs.head("fi") == before
    assert logs.checkpoint("fi") is None
    assert logs.append("fi", entries(2, 1)) == 3
    assert logs.audit("fi").problems == ()


def test_other_threads_see_only_what_is_committed(db: Database) -> None:
    logs = LogStore(db)
    seen = []
    with db.write():
        logs.append("fi", entries(0, 5))
        thread = threading.Thread(target=lambda: seen.append(logs.size("fi")))
        thread.start()
        thread.join()
    assert seen == [0]


def test_logs_do_not_know_each_other(db: Database) -> None:
    logs = LogStore(db)
    logs.append("fi", entries(0, 300))
    logs.append("se", entries(7, 2))
    assert logs.names() == ["fi", "se"]
    assert logs.entries("se", 0, 10) == entries(7, 2)
    assert logs.audit("fi").problems == logs.audit("se").problems == ()


def test_a_log_of_nothing(db: Database) -> None:
    logs = LogStore(db)
    assert logs.append("fi", []) == 0
    assert logs.entries("fi", 0, 10) == []
    assert logs.checkpoint("fi") is None
    assert logs.consistency("fi", 0, 0) == []
    logs.set_checkpoint("fi", sign_checkpoint("fi", 0, merkle.EMPTY_ROOT, LOG))
    assert logs.audit("fi").problems == ()
    assert logs.append("fi", entries(0, 1)) == 1
    assert logs.checkpoint("fi") is not None


def test_starting_again_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Database(tmp_path / "a.sqlite", SCHEMA)
    LogStore(first).append("fi", entries(0, 700))
    root = LogStore(first).root("fi")
    first.close()
    logs = LogStore(Database(tmp_path / "a.sqlite", SCHEMA))
    assert logs.root("fi") == root
    logs.append("fi", entries(700, 1))
    assert logs.audit("fi").problems == ()
    assert logs.root_at("fi", 700) == root


def test_the_private_part_does_not_enter_the_hash(db: Database) -> None:
    logs = LogStore(db)
    logs.append("a", [(b"leaf", b"rule 1")])
    logs.append("b", [(b"leaf", b"rule 2")])
    assert logs.root("a") == logs.root("b")


@settings(deadline=None, max_examples=25)
@given(sizes=st.lists(st.integers(0, 600), min_size=1, max_size=8), data=st.data())
def test_any_ticks_give_one_tree_and_every_proof(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject
) -> None:
    db = Database(tmp_path_factory.mktemp("log") / "a.sqlite", SCHEMA)
    logs, total = LogStore(db), 0
    for size in sizes:
        logs.append("a", entries(total, size))
        total += size
    hashes = [merkle.leaf_hash(leaf) for leaf, _ in entries(0, total)]
    root = merkle.root_of(hashes)
    assert logs.head("a") == (total, root)
    first, count = data.draw(st.integers(0, total + 3)), data.draw(st.integers(0, 700))
    assert logs.entries("a", first, count) == entries(0, total)[first : first + count]
    old = data.draw(st.integers(0, total))
    old_root = logs.root_at("a", old)
    assert old_root == merkle.root_of(hashes[:old])
    assert merkle.verify_consistency(old, total, logs.consistency("a", old, total), old_root, root)
    if total:
        index = data.draw(st.integers(0, total - 1))
        proof = logs.inclusion("a", index, total)
        assert merkle.verify_inclusion(hashes[index], index, total, proof, root)
    db.close()


def test_proofs_reach_over_tiles_of_tiles(db: Database) -> None:
    """70,000 entries: the third level of tiles begins at 65,536."""
    logs = LogStore(db)
    for first in range(0, 70_000, 10_000):
        logs.append("a", entries(first, 10_000))
    root = logs.root("a")
    for old in (1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999):
        proof = logs.consistency("a", old, 70_000)
        assert merkle.verify_consistency(old, 70_000, proof, logs.root_at("a", old), root)
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        leaf = merkle.leaf_hash(b"leaf %d" % index)
        assert merkle.verify_inclusion(leaf, index, 70_000, logs.inclusion("a", index, 70_000), root)
    assert logs.audit("a").problems == ()
