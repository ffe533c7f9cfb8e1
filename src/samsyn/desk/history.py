"""What rules may look at, of every statement held: a columnar copy, so that a change can be previewed.

Segments of Arrow IPC in the ledger itself: one file to keep, and what SQLite overwrites is gone. They
hold no title and no text. A trigger writes down which statements have changed since they were copied;
`sync` copies those anew and adds what is new, `forget` takes out what was purged. A statement that no
longer stands is in none.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Collection, Iterator
from typing import Final, Literal, NamedTuple

import polars as pl

from samsyn.base.database import Database
from samsyn.policy import Facts
from samsyn.policy.frame import FACT_SCHEMA, FACT_VERSION, FactRow, fact_row, fact_rows
from samsyn.policy.table import read_profile
from samsyn.statements.store import StatementStore, Stored

SEGMENT_BITS: Final = 16  # a segment is of so many ids, by their upper bits; the triggers say it too
PAGE: Final = 2_000  # statements read at once
COMPRESSION: Final[Literal["lz4"]] = "lz4"

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS history (
  segment INTEGER PRIMARY KEY, version INTEGER NOT NULL, serial INTEGER NOT NULL,
  upto INTEGER NOT NULL, rows BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS history_stale (
  id INTEGER PRIMARY KEY, times INTEGER NOT NULL, purged INTEGER NOT NULL
);
CREATE TRIGGER IF NOT EXISTS history_changed AFTER UPDATE ON statement
WHEN EXISTS (SELECT 1 FROM history WHERE segment = old.id >> 16 AND upto > old.id)
BEGIN
  INSERT INTO history_stale VALUES (old.id, 1, new.body IS NULL)
  ON CONFLICT DO UPDATE SET times = times + 1, purged = max(purged, excluded.purged);
END;
CREATE TRIGGER IF NOT EXISTS history_gone AFTER DELETE ON statement
WHEN EXISTS (SELECT 1 FROM history WHERE segment = old.id >> 16 AND upto > old.id)
BEGIN
  INSERT INTO history_stale VALUES (old.id, 1, 1)
  ON CONFLICT DO UPDATE SET times = times + 1, purged = 1;
END;
"""
_EMPTY: Final = pl.DataFrame(schema=FACT_SCHEMA)


class _Segment(NamedTuple):
    """One segment as it lies in the ledger; `serial` 0: not yet there."""

    number: int
    serial: int
    upto: int  # ids below it were looked at
    rows: pl.DataFrame

    @property
    def first(self) -> int:
        return self.number << SEGMENT_BITS

    @property
    def end(self) -> int:
        return self.number + 1 << SEGMENT_BITS


class FactHistory:
    """facts_of: what rules may look at, of a statement that is held with its body."""

    def __init__(
        self, db: Database, statements: StatementStore, facts_of: Callable[[Stored], Facts]
    ) -> None:
        self._db = db
        self._statements = statements
        self._facts_of = facts_of

    def behind(self) -> int:
        """How many statements `sync` would have to read."""
        (upto,) = self._one("SELECT coalesce(max(upto), 0) FROM history WHERE version = ?", FACT_VERSION)
        (new,) = self._one("SELECT count(*) FROM statement WHERE id >= ?", upto)
        (stale,) = self._one("SELECT count(*) FROM history_stale")
        return int(new) + int(stale)

    def sync(self, progress: Callable[[int], None] = lambda done: None) -> None:
        """Bring the copy up to date. progress: told how many more statements were read.

        Nothing is locked while statements are read, so that the door is not held up.
        """
        self._drop_other_versions()
        (last,) = self._one("SELECT coalesce(max(id), 0) FROM statement")
        for number in range((int(last) >> SEGMENT_BITS) + 1):
            while not self._sync_segment(number, progress):
                pass  # another process, or a purge, came between: once more on what it left

    def facts(
        self, since_us: int | None = None, markings: Collection[str] | None = None
    ) -> pl.DataFrame:
        """Rows of `FACT_SCHEMA`, as of the last `sync`: of statements held since `since_us` (None:
        all), and of these markings alone (None: all)."""
        parts = [_read(rows) for (rows,) in self._db.read().execute("SELECT rows FROM history")]
        facts = pl.concat([_EMPTY, *parts])
        if since_us is not None:
            facts = facts.filter(pl.col("at_us") >= since_us)
        if markings is not None:
            profiles = facts["profile"].unique().cast(pl.String())
            seen = [text for text in profiles if read_profile(text).marking in markings]
            facts = facts.filter(pl.col("profile").cast(pl.String()).is_in(seen))
        return facts

    def forget(self) -> bool:
        """Take out what was purged since; cheap where nothing was. Returns whether anything was.

        `Database.checkpoint` afterwards then empties the write-ahead log of it, too.
        """
        if not self._one("SELECT EXISTS (SELECT 1 FROM history_stale WHERE purged)")[0]:
            return False
        with self._db.write() as db:
            ids = [row[0] for row in db.execute("SELECT id FROM history_stale WHERE purged")]
            for number in sorted({id_ >> SEGMENT_BITS for id_ in ids}):
                if (segment := self._segment(number)) is not None:
                    left = segment.rows.filter(~pl.col("id").is_in(ids))
                    self._put(db, segment, segment.upto, left)
            db.execute("DELETE FROM history_stale WHERE purged")
        return True

    def _sync_segment(self, number: int, progress: Callable[[int], None]) -> bool:
        """False where the segment was changed meanwhile, and nothing was done."""
        segment = self._segment(number) or _Segment(number, 0, number << SEGMENT_BITS, _EMPTY)
        span = (segment.first, segment.end)
        stale = dict(
            self._db.read().execute("SELECT id, times FROM history_stale WHERE id >= ? AND id < ?", span)
        )
        (last,) = self._one(
            "SELECT coalesce(max(id), -1) FROM statement WHERE id >= ? AND id < ?", *span
        )
        if last < segment.upto and not stale:
            return True
        upto = max(segment.upto, int(last) + 1)
        ids = sorted({*stale, *range(segment.upto, upto)})
        fresh = fact_rows(self._rows(ids, progress))
        rows = pl.concat([segment.rows.filter(~pl.col("id").is_in(list(stale))), fresh])
        with self._db.write() as db:
            now = self._segment(number)
            if (now.serial if now else 0) != segment.serial:
                return False
            db.executemany("DELETE FROM history_stale WHERE id = ? AND times = ?", stale.items())
            self._put(db, segment, upto, rows)
        return True

    def _rows(self, ids: list[int], progress: Callable[[int], None]) -> Iterator[FactRow]:
        for at in range(0, len(ids), PAGE):
            part = ids[at : at + PAGE]
            for stored in self._statements.by_ids(part):
                if stored.state == "standing" and stored.body is not None:
                    yield fact_row(stored.jti, stored.ver, stored.id, self._facts_of(stored))
            progress(len(part))

    def _segment(self, number: int) -> _Segment | None:
        row = (
            self._db.read()
            .execute("SELECT serial, upto, rows FROM history WHERE segment = ?", (number,))
            .fetchone()
        )
        return _Segment(number, row[0], row[1], _read(row[2])) if row else None

    def _put(self, db: sqlite3.Connection, segment: _Segment, upto: int, rows: pl.DataFrame) -> None:
        packed = io.BytesIO()
        rows.write_ipc(packed, compression=COMPRESSION)
        db.execute(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET serial = excluded.serial, upto = excluded.upto, rows = excluded.rows",
            (segment.number, FACT_VERSION, segment.serial + 1, upto, packed.getvalue()),
        )

    def _drop_other_versions(self) -> None:
        if self._one("SELECT EXISTS (SELECT 1 FROM history WHERE version != ?)", FACT_VERSION)[0]:
            with self._db.write() as db:
                db.execute("DELETE FROM history")
                db.execute("DELETE FROM history_stale")

    def _one(self, sql: str, *given: int) -> tuple[int, ...]:
        row: tuple[int, ...] = self._db.read().execute(sql, given).fetchone()
        return row


def _read(packed: bytes) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(packed))
