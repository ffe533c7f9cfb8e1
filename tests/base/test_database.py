"""All of it durable, or none of it; and what is purged is gone from the disk."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from samsyn.base.database import Database
from samsyn.base.errors import ConfigError

SCHEMA = "CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, body BLOB)"


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return Database(tmp_path / "a.sqlite", SCHEMA)


def bodies(db: Database) -> list[bytes]:
    return [body for (body,) in db.read().execute("SELECT body FROM kept ORDER BY id")]


def put(db: Database, *found: bytes) -> None:
    with db.write() as tx:
        tx.executemany("INSERT INTO kept (body) VALUES (?)", [(body,) for body in found])


def test_what_is_written_is_there_for_the_next_who_opens(tmp_path: Path) -> None:
    first = Database(tmp_path / "a.sqlite", SCHEMA)
    put(first, b"one")
    first.close()
    assert bodies(Database(tmp_path / "a.sqlite", SCHEMA)) == [b"one"]


def test_half_done_work_does_not_stay(db: Database) -> None:
    put(db, b"one")
    with pytest.raises(KeyboardInterrupt), db.write() as tx:
        tx.execute("INSERT INTO kept (body) VALUES (?)", (b"two",))
        raise KeyboardInterrupt
    assert bodies(db) == [b"one"]
    put(db, b"three")
    assert bodies(db) == [b"one", b"three"]


def test_a_write_inside_a_write_is_part_of_it(db: Database) -> None:
    with pytest.raises(ValueError), db.write():
        put(db, b"inner")
        raise ValueError
    assert bodies(db) == []
    with db.write():
        put(db, b"inner")
        assert bodies(db) == [b"inner"]  # one's own work is seen before it is committed
    assert bodies(db) == [b"inner"]


def test_a_commit_that_fails_leaves_nothing_open(db: Database) -> None:
    with db.write() as tx:
        tx.execute("CREATE TABLE child (id INTEGER REFERENCES kept (id) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), db.write() as tx:
        tx.execute("INSERT INTO child VALUES (99)")  # found out only by the commit
    put(db, b"one")
    assert bodies(db) == [b"one"]


def test_a_reader_does_not_wait_for_a_writer(db: Database) -> None:
    put(db, b"one")
    seen: list[list[bytes]] = []
    with db.write() as tx:
        tx.execute("DELETE FROM kept")
        reader = threading.Thread(target=lambda: seen.append(bodies(db)))
        reader.start()
        reader.join(timeout=20)
    assert seen == [[b"one"]]


def test_reading_cannot_write(db: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        db.read().execute("DELETE FROM kept")


def test_threads_take_turns(db: Database) -> None:
    writers = [threading.Thread(target=lambda: [put(db, b"x") for _ in range(20)]) for _ in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(timeout=60)
    assert len(bodies(db)) == 80


def test_two_open_stores_of_one_file_take_turns(tmp_path: Path) -> None:
    one, two = (Database(tmp_path / "a.sqlite", SCHEMA) for _ in range(2))
    for _ in range(10):
        put(one, b"one")
        put(two, b"two")
    assert len(bodies(one)) == len(bodies(two)) == 20


def test_a_purged_body_leaves_no_bytes(db: Database, tmp_path: Path) -> None:
    secret = b"the exact place of the thing" * 50
    put(db, secret, b"other")
    db.checkpoint()
    assert secret[:28] in on_disk(tmp_path)
    with db.write() as tx:
        tx.execute("UPDATE kept SET body = NULL WHERE id = 1")
    db.checkpoint()
    assert secret[:28] not in on_disk(tmp_path)
    assert bodies(db) == [None, b"other"]


def on_disk(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.iterdir()))


def _write_and_die(path: Path) -> None:
    db = Database(path, SCHEMA)
    put(db, b"acknowledged")
    with db.write() as tx:
        tx.execute("INSERT INTO kept (body) VALUES (?)", (b"half done",))
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    child = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(path,))
    child.start()
    child.join(timeout=60)
    assert child.exitcode == -signal.SIGKILL
    assert bodies(Database(path, SCHEMA)) == [b"acknowledged"]


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"this is not a database" * 100)
    with pytest.raises(ConfigError, match="cannot open the store") as told:
        Database(tmp_path / "a.sqlite", SCHEMA)
    assert "a.sqlite" in str(told.value)


def test_a_folder_that_is_absent_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot open the store"):
        Database(tmp_path / "gone" / "a.sqlite", SCHEMA)


def test_a_file_of_before_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    before = Database(tmp_path / "x.sqlite", "CREATE TABLE IF NOT EXISTS t (a INTEGER);")
    with before.write() as db:
        db.execute("INSERT INTO t VALUES (1)")
    before.close()
    after = Database(tmp_path / "x.sqlite", "CREATE TABLE IF NOT EXISTS t (a INTEGER, b TEXT);")
    assert after.add_column("t", "b", "TEXT")
    assert not after.add_column("t", "b", "TEXT")
    assert after.read().execute("SELECT a, b FROM t").fetchall() == [(1, None)]
    after.close()
