"""The disk under one node's store: it may fill up, and it may lose power at any write.

What survives a loss of power is not what SQLite would tidy up, but the bytes as they lay: the write-
ahead log with whatever had reached it, and where power went in the middle of a write, any mixture of
old and new sectors.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

SECTOR_BYTES: Final = 512
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "COMMIT", "PRAGMA wal_checkpoint")
_T = TypeVar("_T")


class PowerLost(BaseException):
    """The machine is gone: no handler of the node may run on. Not an `Exception` for that reason."""


class _Image(NamedTuple):
    """The two files that SQLite needs to recover; the third is only shared memory."""

    db: bytes
    wal: bytes


class Disk:
    """Counts the writes to one SQLite file, and fails at the one that was chosen."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self._path = path
        self._chance = chance
        self._writes = 0
        self._lost_at: int | None = None
        self._full_at: int | None = None
        self._left: _Image | None = None

    def lose_power_in(self, writes: int) -> None:
        """At the so-and-so-manieth write from now."""
        self._lost_at = self._writes + writes

    def fill_up_in(self, writes: int) -> None:
        """From that write on every one fails, until `mend`."""
        self._full_at = self._writes + writes

    def mend(self) -> None:
        """There is room, and no loss of power is in sight."""
        self._lost_at = self._full_at = None

    @property
    def is_full(self) -> bool:
        return self._full_at is not None and self._writes >= self._full_at

    def restore(self) -> None:
        """Put back what survived; all connections must be closed. Then the store can be opened."""
        if self._left is None:
            return
        for suffix, data in (("", self._left.db), ("-wal", self._left.wal), ("-shm", b"")):
            file = self._path.with_name(self._path.name + suffix)
            file.unlink(missing_ok=True)
            if data:
                file.write_bytes(data)
        self._left = None
        self._lost_at = None

    def connection(self) -> type[sqlite3.Connection]:
        """What `base.database` is to connect with."""
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                return disk._run(self, sql, lambda: sqlite3.Connection.execute(self, sql, parameters))

            def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
                return disk._run(self, sql, lambda: sqlite3.Connection.executemany(self, sql, rows))

        return Connection

    def _run(self, db: sqlite3.Connection, sql: str, do: Callable[[], _T]) -> _T:
        if self._left is not None and sql != "ROLLBACK":  # that one is void: these files are
            raise PowerLost
        if not sql.startswith(_WRITES):
            return do()
        self._writes += 1
        if self._lost_at is not None and self._writes >= self._lost_at:
            self._left = self._lose_power(sql, do)
            raise PowerLost
        if self.is_full:
            if db.in_transaction and self._chance.random() < 0.5:  # SQLite may end it by itself
                sqlite3.Connection.execute(db, "ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        return do()

    def _lose_power(self, sql: str, do: Callable[[], object]) -> _Image:
        before = self._image()
        if not sql.startswith(("COMMIT", "PRAGMA")):
            return before
        do()
        after = self._image()
        how_far = self._chance.choice(["nothing", "some", "some", "all"])
        if how_far == "nothing":
            return before
        if how_far == "all" or (sql == "COMMIT" and before.db != after.db):
            return after
        if sql == "COMMIT":
            return _Image(before.db, self._mixed(before.wal, after.wal))
        return _Image(self._mixed(before.db, after.db), before.wal)

    def _image(self) -> _Image:
        wal = self._path.with_name(self._path.name + "-wal")
        return _Image(self._path.read_bytes(), wal.read_bytes() if wal.exists() else b"")

    def _mixed(self, old: bytes, new: bytes) -> bytes:
        """Some sectors written, some not yet."""
        length = max(len(old), len(new))
        old, new = old.ljust(length, b"\0"), new.ljust(length, b"\0")
        found = bytearray(new)
        for at in range(0, length, SECTOR_BYTES):
            sector = slice(at, at + SECTOR_BYTES)
            if old[sector] != new[sector] and self._chance.random() < 0.5:
                found[sector] = old[sector]
        return bytes(found)
