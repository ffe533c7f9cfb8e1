"""The queue of acts that wait for the door: what is to be released, what is to be withdrawn.

An act is for all readers or for one. A release for one decides for that reader alone: what made it
necessary may be none of the others' business, and deciding anew for them could show it.

Durable when `put` returns, or with the caller's own transaction (a statement and its release are
kept together or not at all). Any process of this home may write it; the node's tick empties it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from samsyn.base.database import Database

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, op TEXT NOT NULL CHECK (op IN ('release', 'withdraw')),
  jti TEXT NOT NULL, ver INTEGER NOT NULL, purge INTEGER NOT NULL, reader TEXT
);
"""

Act = Literal["release", "withdraw"]


class Queued(NamedTuple):
    """One act that waits. `reader`: for whom; None: for all."""

    id: int
    op: Act
    jti: str
    ver: int
    purge: bool
    reader: str | None


class Outbox:
    """What this node's own people and standing orders asked the door to do."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.add_column("outbox", "reader", "TEXT")

    def put(
        self, op: Act, jti: str, ver: int, *, purge: bool = False, reader: str | None = None
    ) -> None:
        """Ask for the release of a version, or for the withdrawal of the whole statement.

        reader: only to, or from, that reader. A withdrawal from one reader leaves the statement
        standing here and with everyone else; nothing of it is released to that reader again.
        """
        self.put_many([(op, jti, ver, purge, reader)])

    def put_many(self, acts: Iterable[tuple[Act, str, int, bool, str | None]]) -> None:
        """Several acts in their order: (op, jti, ver, purge, reader or None for all)."""
        with self._db.write() as db:
            db.executemany(
                "INSERT INTO outbox (op, jti, ver, purge, reader) VALUES (?, ?, ?, ?, ?)", acts
            )

    def waiting(self, reader: str | None = None) -> int:
        """How many acts wait; those for one reader alone where it is named."""
        row = self._db.read().execute(
            "SELECT count(*) FROM outbox WHERE ? IS NULL OR reader = ?", (reader, reader)
        )
        return int(row.fetchone()[0])


def take(db: sqlite3.Connection, limit: int, *, releases: bool = True) -> list[Queued]:
    """The oldest acts, taken out of the queue in the caller's transaction.

    releases: False leaves what is to be released where it is.
    """
    rows = db.execute(
        "SELECT id, op, jti, ver, purge, reader FROM outbox WHERE ? OR op = 'withdraw'"
        " ORDER BY id LIMIT ?",
        (releases, limit),
    )
    taken = [Queued(id_, op, jti, ver, bool(purge), reader) for id_, op, jti, ver, purge, reader in rows]
    if taken:  # the oldest: exactly what was asked for up to the last of them
        db.execute(
            "DELETE FROM outbox WHERE id <= ? AND (? OR op = 'withdraw')", (taken[-1].id, releases)
        )
    return taken
