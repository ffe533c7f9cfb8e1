"""What each reader was given: the home side's own account beside the channels. Never leaves.

- `given`: for each statement, which entry of which reader's channel says what of it.
- `cut`: the sets of slots, and the rules that let them out, that those entries refer to.
- `pending`: what a delay holds back, so that it survives a restart.
- `recalled`: whose purge was ordered in one reader's channel while the statement itself stays here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal

import msgspec

from samsyn.base.database import Database, first_after
from samsyn.base.encoding import sha256, to_json
from samsyn.policy.decision import RuleAndWhy

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS given (
  id INTEGER PRIMARY KEY, jti TEXT NOT NULL, at_us INTEGER NOT NULL, entries BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS given_jti ON given (jti);
CREATE TABLE IF NOT EXISTS cut (
  id INTEGER PRIMARY KEY, slots TEXT NOT NULL, rules TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pending (
  reader TEXT NOT NULL, jti TEXT NOT NULL, ver INTEGER NOT NULL, not_before_us INTEGER NOT NULL,
  PRIMARY KEY (jti, reader, ver)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_due ON pending (not_before_us);
CREATE TABLE IF NOT EXISTS recalled (
  jti TEXT NOT NULL, reader TEXT NOT NULL, PRIMARY KEY (jti, reader)
) WITHOUT ROWID;
"""

HELD_US: Final = 2**62
"""When what waits for a suspended reader is due: when somebody says so."""

Operation = Literal["release", "widen", "withdraw"]


class Given(msgspec.Struct, frozen=True):
    """One entry of one reader's channel. `cut` is 0 for a withdrawal."""

    reader: str
    op: Operation
    ver: int
    index: int
    cut: int
    purge: bool


class Same(msgspec.Struct, array_like=True):
    """Entries that say the same to several readers, as they are kept: where each has its own."""

    op: Operation
    ver: int
    cut: int
    purge: bool
    index: dict[str, int]  # by reader

    def each(self) -> list[Given]:
        return [Given(r, self.op, self.ver, n, self.cut, self.purge) for r, n in self.index.items()]


class Cut(msgspec.Struct, frozen=True):
    """Which slots leave, and by which rules (id and why)."""

    slots: frozenset[str]
    rules: tuple[RuleAndWhy, ...]


class Holding(msgspec.Struct, frozen=True):
    """Where one reader stands with one statement."""

    ver: int
    slots: frozenset[str]  # of that version
    withdrawn: bool = False
    purged: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Same]).decode


class Account:
    """Reading and writing the three tables; writing in the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cuts: dict[int, Cut] = {}

    def entries(self, jti: str) -> list[tuple[int, Given]]:
        """All entries about a statement, oldest first, with the time of each."""
        rows = self._db.read().execute(
            "SELECT at_us, entries FROM given WHERE jti = ? ORDER BY id", (jti,)
        )
        return [(at_us, g) for at_us, packed in rows for same in _decode(packed) for g in same.each()]

    def of_reader(self, reader: str) -> list[tuple[int, str, Given]]:
        """All that one reader was given: (at_us, jti, entry), in the order of its channel."""
        rows = self._db.read().execute("SELECT at_us, jti, entries FROM given ORDER BY id")
        found = [
            (at_us, jti, given)
            for at_us, jti, packed in rows
            for same in _decode(packed)
            if reader in same.index
            for given in same.each()
            if given.reader == reader
        ]
        return sorted(found, key=lambda one: one[2].index)

    def given_of(self, jtis: Collection[str]) -> set[str]:
        """Those of `jtis` of which some entry of some channel tells."""
        rows = self._db.read().execute(
            "SELECT DISTINCT jti FROM given WHERE jti IN (SELECT value FROM json_each(?))",
            (to_json(sorted(jtis)).decode(),),
        )
        return {row[0] for row in rows}

    def next_us(self, at_us: int, counts: Callable[[str, int], bool]) -> int | None:
        """When the next entry after a time was written, to whomever: of those (jti, ver) that count."""
        first = first_after(self._db.read(), "given", at_us)
        if first is None:
            return None
        rows = self._db.read().execute(
            "SELECT at_us, jti, entries FROM given WHERE id >= ? ORDER BY id", first[:1]
        )
        for us, jti, packed in rows:
            if any(counts(jti, ver) for ver in sorted({same.ver for same in _decode(packed)})):
                return int(us)
        return None

    def purge_index(self, jti: str, reader: str) -> int | None:
        """The entry of this reader's channel that orders the purge of a statement."""
        purges = (g.index for _, g in self.entries(jti) if g.reader == reader and g.purge)
        return next(purges, None)

    def holdings(
        self, jtis: Collection[str], until_us: int | None = None
    ) -> dict[str, dict[str, Holding]]:
        """By statement and reader; only those that were given something. until_us: as it stood then."""
        found: dict[str, dict[str, Holding]] = {}
        rows = self._db.read().execute(
            "SELECT jti, entries FROM given WHERE jti IN (SELECT value FROM json_each(?)) "
            "AND at_us <= coalesce(?, at_us) ORDER BY id",
            (to_json(sorted(jtis)).decode(), until_us),
        )
        for jti, packed in rows:
            readers = found.setdefault(jti, {})
            for given in (g for same in _decode(packed) for g in same.each()):
                readers[given.reader] = self._after(readers.get(given.reader), given)
        return found

    def _after(self, before: Holding | None, given: Given) -> Holding:
        if given.op == "withdraw":
            slots = before.slots if before else frozenset()
            return Holding(given.ver, slots, True, given.purge)
        slots = self.cut(given.cut).slots
        if before is not None and before.ver == given.ver:
            slots |= before.slots
        return Holding(given.ver, slots)

    def record(self, at_us: int, given: Mapping[str, Sequence[Same]]) -> None:
        """Keep the entries of one tick, by statement."""
        with self._db.write() as db:
            db.executemany(
                "INSERT INTO given (jti, at_us, entries) VALUES (?, ?, ?)",
                ((jti, at_us, _encode(entries)) for jti, entries in given.items()),
            )

    def cut(self, id_: int) -> Cut:
        found = self._cuts.get(id_)
        if found is None:
            row = self._db.read().execute("SELECT slots, rules FROM cut WHERE id = ?", (id_,)).fetchone()
            slots = msgspec.json.decode(row[0], type=frozenset[str])
            rules = msgspec.json.decode(row[1], type=tuple[RuleAndWhy, ...])
            found = self._cuts[id_] = Cut(slots, rules)
        return found

    def cut_id(self, cut: Cut) -> int:
        """The number of a cut, kept where it is new.

        Made from what the cut says, so that a number never comes to mean another cut, not even
        when the transaction that first used it is rolled back.
        """
        slots, rules = to_json(sorted(cut.slots)), to_json(cut.rules)
        id_ = int.from_bytes(sha256(slots + b"\n" + rules)[:8], "big") >> 1 | 1
        with self._db.write() as db:
            row = (id_, slots.decode(), rules.decode())
            db.execute("INSERT INTO cut VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
        return id_

    def hold(self, rows: Sequence[tuple[str, str, int, int]]) -> None:
        """Keep for later: (reader, jti, ver, not before)."""
        with self._db.write() as db:
            db.executemany(
                "INSERT INTO pending VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET not_before_us = excluded.not_before_us",
                rows,
            )

    def drop(self, jtis: Collection[str]) -> None:
        """Forget what is pending of statements that were withdrawn."""
        with self._db.write() as db:
            db.executemany("DELETE FROM pending WHERE jti = ?", ((jti,) for jti in jtis))

    def drop_for(self, rows: Collection[tuple[str, str]]) -> None:
        """Forget what is pending of statements for one reader each: (jti, reader)."""
        with self._db.write() as db:
            db.executemany("DELETE FROM pending WHERE jti = ? AND reader = ?", sorted(rows))

    def recall(self, jti: str, reader: str) -> None:
        """A purge was ordered of this reader: nothing of the statement is cut for it any more."""
        with self._db.write() as db:
            db.execute("INSERT INTO recalled VALUES (?, ?) ON CONFLICT DO NOTHING", (jti, reader))

    def recalled(self, jti: str, reader: str) -> bool:
        row = self._db.read().execute(
            "SELECT 1 FROM recalled WHERE jti = ? AND reader = ?", (jti, reader)
        )
        return row.fetchone() is not None

    def recalled_of(self, jtis: Collection[str], reader: str) -> set[str]:
        """`recalled`, for many at once."""
        rows = self._db.read().execute(
            "SELECT jti FROM recalled WHERE reader = ? AND jti IN (SELECT value FROM json_each(?))",
            (reader, to_json(sorted(jtis)).decode()),
        )
        return {jti for (jti,) in rows}

    def withdrawals(self, after: int) -> tuple[list[tuple[str, Given]], int]:
        """(jti, entry) of all that was withdrawn, from whomever, in rows later than `after` (0: in all);
        and up to where was read, for the next time."""
        db = self._db.read()
        last = int(db.execute("SELECT coalesce(max(id), 0) FROM given").fetchone()[0])
        rows = db.execute(
            # most rows are releases: they are passed over unread
            "SELECT jti, entries FROM given WHERE id > ? AND id <= ? AND instr(entries, ?) ORDER BY id",
            (after, last, b"withdraw"),
        )
        found = [
            (jti, given) for jti, packed in rows for same in _decode(packed) for given in same.each()
        ]
        return [one for one in found if one[1].op == "withdraw"], last

    def pending(self, reader: str) -> int:
        """How many releases wait for this reader: for a delay to end, or for it to be served again."""
        row = self._db.read().execute("SELECT count(*) FROM pending WHERE reader = ?", (reader,))
        return int(row.fetchone()[0])

    def held_back(self, reader: str) -> int:
        """How many releases wait for a suspended reader."""
        row = self._db.read().execute(
            "SELECT count(*) FROM pending WHERE reader = ? AND not_before_us = ?", (reader, HELD_US)
        )
        return int(row.fetchone()[0])

    def end_hold(self, reader: str, *, decide: bool) -> None:
        """What was held back for a reader is decided at the next tick, or forgotten."""
        of = (reader, HELD_US)
        with self._db.write() as db:
            if decide:
                db.execute(
                    "UPDATE pending SET not_before_us = 0 WHERE reader = ? AND not_before_us = ?", of
                )
            else:
                db.execute("DELETE FROM pending WHERE reader = ? AND not_before_us = ?", of)

    def held_by(self, reader: str) -> list[tuple[str, int]]:
        """(jti, version) of what a reader was given and was not told to purge."""
        last: dict[str, tuple[int, bool]] = {}
        for _, jti, given in self.of_reader(reader):
            last[jti] = given.ver, given.purge or last.get(jti, (0, False))[1]
        return [(jti, ver) for jti, (ver, purged) in last.items() if not purged]

    def next_due_us(self) -> int | None:
        """When the next delay ends."""
        row = (
            self._db.read()
            .execute("SELECT min(not_before_us) FROM pending WHERE not_before_us < ?", (HELD_US,))
            .fetchone()
        )
        return int(row[0]) if row[0] is not None else None


def take_due(db: sqlite3.Connection, now_us: int, limit: int) -> list[tuple[str, str, int]]:
    """(reader, jti, ver) whose delay has ended, taken out in the caller's transaction."""
    rows = db.execute(
        "SELECT reader, jti, ver FROM pending WHERE not_before_us <= ?"
        " ORDER BY not_before_us, jti, reader, ver LIMIT ?",
        (now_us, limit),
    ).fetchall()
    db.executemany("DELETE FROM pending WHERE reader = ? AND jti = ? AND ver = ?", rows)
    return rows
