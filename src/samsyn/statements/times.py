"""When what is held of statements changed here: so that one can look back at an earlier time.

When a version came stands with it. Here stands when it was withdrawn (or stood again by another
way), and when a wider view of it brought further slots. What was purged stays purged in the past too.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from samsyn.base.database import Database, first_after
from samsyn.base.encoding import to_json

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS statement_turned (
  id INTEGER PRIMARY KEY, statement INTEGER NOT NULL, at_us INTEGER NOT NULL, withdrawn INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS statement_turned_of ON statement_turned (statement);
CREATE INDEX IF NOT EXISTS statement_turned_at ON statement_turned (at_us);
CREATE TABLE IF NOT EXISTS statement_gained (
  id INTEGER PRIMARY KEY, statement INTEGER NOT NULL, at_us INTEGER NOT NULL, slots TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS statement_gained_of ON statement_gained (statement);
CREATE INDEX IF NOT EXISTS statement_gained_at ON statement_gained (at_us);
"""

# a version within the markings given, of a statement whose latest one is within them too
_SEEN: Final = (
    "s.marking IN (SELECT value FROM json_each(?2)) "
    "AND (SELECT o.marking FROM statement AS o WHERE o.jti = s.jti "
    "ORDER BY o.state = 'standing' DESC, o.ver DESC LIMIT 1) IN (SELECT value FROM json_each(?2))"
)

_FIRST_SEEN: Final = f"SELECT s.at_us FROM statement AS s WHERE s.id >= ?1 AND {_SEEN} LIMIT 1"  # noqa: S608

_names = msgspec.json.Decoder(frozenset[str]).decode


def turned(db: sqlite3.Connection, jti: str, at_us: int) -> None:
    """Write down which versions have been withdrawn, or stand again, since this was last asked."""
    db.execute(
        "INSERT INTO statement_turned (statement, at_us, withdrawn) "
        "SELECT s.id, ?, s.state = 'withdrawn' FROM statement AS s WHERE s.jti = ? "
        "AND (s.state = 'withdrawn') != coalesce((SELECT t.withdrawn FROM statement_turned AS t "
        "WHERE t.statement = s.id ORDER BY t.id DESC LIMIT 1), 0)",
        (at_us, jti),
    )


def gained(db: sqlite3.Connection, statement: int, at_us: int, slots: Iterable[str]) -> None:
    """Write down which slots of a version (`Stored.id`) came after it was first held."""
    db.execute(
        "INSERT INTO statement_gained (statement, at_us, slots) VALUES (?, ?, ?)",
        (statement, at_us, to_json(sorted(slots)).decode()),
    )


class Changes(msgspec.Struct, frozen=True):
    """What changed of some versions: by `Stored.id`, oldest first."""

    turns: dict[int, list[tuple[int, bool]]]  # (at_us, withdrawn)
    gains: dict[int, list[tuple[int, frozenset[str]]]]  # (at_us, slots)

    def withdrawn(self, statement: int, at_us: int, now: bool) -> bool:
        """Whether the version was withdrawn by then; now: whether it is. Where nobody wrote down when
        (a store of before), it counts as withdrawn all along."""
        turns = self.turns.get(statement, [])
        if not turns:
            return now
        last = bisect_right(turns, at_us, key=lambda turn: turn[0])
        return turns[last - 1][1] if last else not turns[0][1]

    def later(self, statement: int, at_us: int) -> frozenset[str]:
        """The version's slots that came after that time."""
        gains = self.gains.get(statement, [])
        return frozenset[str]().union(*(slots for at, slots in gains if at > at_us))


class Times:
    """Reading what `turned` and `gained` wrote down."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, statements: Collection[int]) -> Changes:
        """The changes of versions named by `Stored.id`."""
        ids = to_json(sorted(statements)).decode()
        turns: dict[int, list[tuple[int, bool]]] = {}
        for id_, at_us, withdrawn in self._rows("at_us, withdrawn", "turned", ids):
            turns.setdefault(id_, []).append((at_us, bool(withdrawn)))
        gains: dict[int, list[tuple[int, frozenset[str]]]] = {}
        for id_, at_us, slots in self._rows("at_us, slots", "gained", ids):
            gains.setdefault(id_, []).append((at_us, _names(slots)))
        return Changes(turns, gains)

    def first_after(self, at_us: int) -> int | None:
        """The row (`Stored.id`) of the first version that came after a time; None where none did."""
        found = first_after(self._db.read(), "statement", at_us)
        return found[0] if found else None

    def next_us(self, at_us: int, markings: Collection[str]) -> int | None:
        """When the next change after a time came: an arrival, a withdrawal, a wider view. Only of
        versions within `markings`, of statements whose latest version is."""
        first, seen = self.first_after(at_us), to_json(sorted(markings)).decode()
        turns = "SELECT min(t.at_us) FROM statement_{} AS t JOIN statement AS s ON s.id = t.statement"
        found = [
            self._one(_FIRST_SEEN, first, seen),
            *(
                self._one(f"{turns.format(table)} WHERE t.at_us > ?1 AND {_SEEN}", at_us, seen)
                for table in ("turned", "gained")
            ),
        ]
        return min((us for us in found if us is not None), default=None)

    def first_us(self, markings: Collection[str]) -> int | None:
        """When the first version came, of those that `next_us` counts."""
        seen = to_json(sorted(markings)).decode()
        return self._one(_FIRST_SEEN, 0, seen)

    def _rows(self, what: str, table: str, ids: str) -> sqlite3.Cursor:
        return self._db.read().execute(
            f"SELECT statement, {what} FROM statement_{table} WHERE statement IN "  # noqa: S608  own names
            "(SELECT value FROM json_each(?)) ORDER BY id",
            (ids,),
        )

    def _one(self, sql: str, *given: int | str | None) -> int | None:
        row = self._db.read().execute(sql, given).fetchone()
        return None if row is None or row[0] is None else int(row[0])
