"""One SQLite file per realm, one writer at a time.

WAL with synchronous=FULL: what a finished `write` did survives kill -9 and power loss. Several
processes may open the file (the CLI signs while the node runs); SQLite's own lock orders them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from samsyn.base.errors import ConfigError

BUSY_MS = 30_000
LOG_PAGES = 2000  # 32 MB of write-ahead log before it is folded in: seldom enough to cost little
PAGE_BYTES = 16_384  # several signed statements to a page: half the work of keeping them


class Database:
    """A SQLite file with a schema made of the parts that use it.

    One connection guarded by a lock for writing, and one connection per thread for reading, so
    that a reader never waits for a writer. `connection`: another class only where a disk that fails
    is simulated.
    """

    def __init__(
        self, path: Path, *schemas: str, connection: type[sqlite3.Connection] = sqlite3.Connection
    ) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        try:
            self._writer = self._connect()
            with self._lock:
                for schema in schemas:
                    self._writer.executescript(schema)
        except sqlite3.DatabaseError as e:
            raise ConfigError(f"cannot open the store: {e}", where=str(path)) from e

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, factory=self._connection
        )
        db.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        db.execute(f"PRAGMA page_size={PAGE_BYTES}")  # of a new file
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA secure_delete=ON")  # a purged body must not linger in free pages
        return db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is durable when the block ends, or none of it."""
        with self._lock:
            if self._in_transaction():  # nested in a caller's transaction: theirs decides
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            self._local.writing = True
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:  # whatever it was, the half-done work must not stay
                if self._in_transaction():  # SQLite ends it itself where the disk is full
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._local.writing = False

    def _in_transaction(self) -> bool:
        return self._writer.in_transaction

    def read(self) -> sqlite3.Connection:
        """This thread's connection for reading: what is committed and, inside this thread's own
        `write`, what that has written so far (other threads never see half a transaction)."""
        if getattr(self._local, "writing", False):
            return self._writer
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._connect()
            db.execute("PRAGMA query_only=ON")
            self._local.db = db
            self._readers.append(db)  # without the lock, which a writer may hold for long
        return db

    def add_column(self, table: str, column: str, definition: str) -> bool:
        """Bring a file of before up to the schema; whether the column was missing.

        Within a `write` of the caller's, who may then fill it. Names are ours, never from outside.
        """

        def there(db: sqlite3.Connection) -> bool:
            return any(row[1] == column for row in db.execute(f"PRAGMA table_info({table})"))

        if there(self.read()):
            return False
        with self.write() as db:
            if there(db):  # another process was faster
                return False
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")
        return True

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """What this thread reads inside the block is all of one moment, whatever is written meanwhile.

        Not for inside a `write`. While it lasts the write-ahead log cannot be emptied.
        """
        db = self.read()
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("COMMIT")

    def checkpoint(self) -> bool:
        """Fold the WAL into the file and empty it, so that purged bodies are gone from disk too.

        False where a reader in the middle of something kept it from being emptied: try again.
        """
        with self._lock:
            row = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(row[0] == 0)

    def close(self) -> None:
        with self._lock:
            for db in [*self._readers, self._writer]:
                db.close()
            self._readers.clear()


def first_after(db: sqlite3.Connection, table: str, at_us: int) -> tuple[int, int] | None:
    """(id, at_us) of the first row that was written after a time; None where none was.

    For tables whose rows come in order of time: halving finds it without an index on the time. What a
    clock that was set back left is passed over. `table` is a name of ours, never from outside.
    """
    last = f"SELECT id, at_us FROM {table} WHERE id <= ? ORDER BY id DESC LIMIT 1"  # noqa: S608  own names
    (high,) = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()  # noqa: S608
    row = db.execute(last, (high,)).fetchone()
    if row is None or row[1] <= at_us:
        return None
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        before = db.execute(last, (middle,)).fetchone()
        low, high = (middle, high) if before is None or before[1] <= at_us else (low, middle)
    found = db.execute(last, (high,)).fetchone()
    return int(found[0]), int(found[1])
