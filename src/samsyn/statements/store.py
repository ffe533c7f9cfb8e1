"""What was said and what was received: one row a version, with every disclosure held of it.

- `(jti, ver)` has one signed part, for ever: another one is equivocation and is refused.
- A `jti` belongs to the originator who used it first.
- The highest version of a `jti` stands; lower ones are superseded; withdrawn is final for all.
- Who passes on another's statement can end only its own way (`through`).
- Purged means that no byte of the body is in the database any more; the hash of the signed part
  stays, so that the row still says which statement it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from samsyn.base.database import Database
from samsyn.base.encoding import to_json
from samsyn.base.errors import Refused
from samsyn.statements import attachments, through, times
from samsyn.statements.reread import reread
from samsyn.statements.statement import Statement
from samsyn.statements.through import Way

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS statement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  jti TEXT NOT NULL, ver INTEGER NOT NULL, iss TEXT NOT NULL, kind TEXT NOT NULL,
  state TEXT NOT NULL, received_from TEXT, at_us INTEGER NOT NULL,
  jwt_hash BLOB NOT NULL, body BLOB, marking TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS statement_jti ON statement (jti, ver);
"""
    + through.SCHEMA
    + times.SCHEMA
    + attachments.SCHEMA
)

State = Literal["standing", "superseded", "withdrawn"]


class Stored(msgspec.Struct, frozen=True):
    """A version as the store holds it, in the order of the table's columns."""

    id: int  # in order of arrival here; stays home
    jti: str
    ver: int
    iss: str
    kind: str
    state: State
    received_from: str | None  # the partner through whom it came first; None: said here
    at_us: int
    jwt_hash: bytes
    body: bytes | None
    marking: str  # stays when the body is purged, so that who may know of the statement stays decided

    @property
    def purged(self) -> bool:
        return self.body is None

    @property
    def statement(self) -> Statement | None:
        """What is held of it, read from its bytes; verified before it was put here. None once purged."""
        return reread(self.body) if self.body is not None else None


class StatementStore:
    """All statements of one realm. Reads see what is committed, and the caller's own transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.attachments = attachments.AttachmentStore(db)
        _add_marking(db)

    def put(self, statement: Statement, received_from: str | None, at_us: int) -> Stored:
        """Keep a verified statement; of one held already, keep the disclosures of both.

        A statement that was withdrawn stays withdrawn, and where it was purged nothing of it is
        kept again: the returned state says so. Raises `Refused("equivocation")` with both as
        evidence, and `Refused("version-by-another-originator")`.
        """
        return self.put_many([statement], received_from, at_us)[0]

    def put_many(
        self,
        statements: Sequence[Statement],
        received_from: str | None,
        at_us: int,
        *,
        passed_on: Collection[str] = (),
    ) -> list[Stored]:
        """`put` for many in one transaction: all are kept or none.

        passed_on: ids of what this node has passed on already; a way that opens now is a late one.
        """
        done: list[Stored] = []
        with self._db.write() as db:
            known = _known(db, {statement.jti for statement in statements})
            ways = through.ways_of(db, known) if known else {}
            new: list[Statement] = []
            for statement in statements:
                if statement.jti not in known and received_from in (None, statement.iss):
                    new.append(statement)
                    known.add(statement.jti)
                    continue
                done += _insert_new(db, new, received_from, at_us)
                new = []
                held = _versions(db, statement.jti) if statement.jti in known else []
                final = through.is_final(ways.get(statement.jti, ()), statement.iss)
                put = _put(db, held, statement, received_from, at_us, final)
                if received_from not in (None, statement.iss) or statement.jti in ways:
                    _by_way(db, held, statement, received_from, statement.jti in passed_on)
                    ways.setdefault(statement.jti, [])
                    (put,) = (s for s in _versions(db, statement.jti) if s.ver == statement.ver)
                if statement.jti in ways or put.state == "withdrawn":
                    times.turned(db, statement.jti, at_us)
                done.append(put)
                known.add(statement.jti)
            done += _insert_new(db, new, received_from, at_us)
        return done

    def get(self, jti: str, ver: int | None = None) -> Stored | None:
        """That version, or the one that stands, or the highest one there is."""
        row = (
            self._db.read()
            .execute(
                "SELECT * FROM statement WHERE jti = ? AND ver = coalesce(?, ver) "
                "ORDER BY state = 'standing' DESC, ver DESC LIMIT 1",
                (jti, ver),
            )
            .fetchone()
        )
        return _stored(row) if row else None

    def get_many(self, names: Collection[tuple[str, int]]) -> list[Stored]:
        """Those of the versions named (jti, ver) that are held, each once, in no certain order."""
        rows = self._db.read().execute(
            "SELECT * FROM statement WHERE (jti, ver) IN "
            "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))",
            (to_json(list(names)).decode(),),
        )
        return [_stored(row) for row in rows]

    def stamps(self, names: Collection[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """Of those versions named (jti, ver) whose body is held: bytes that stay the same for as long as
        the body does. What was said here is held whole until it goes; what others said can shrink."""
        rows = self._db.read().execute(
            "SELECT jti, ver, jwt_hash, CASE WHEN received_from IS NULL THEN NULL ELSE body END "
            "FROM statement WHERE body IS NOT NULL AND (jti, ver) IN "
            "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))",
            (to_json(list(names)).decode(),),
        )
        return {(jti, ver): sha256(body).digest() if body else hashed for jti, ver, hashed, body in rows}

    def by_ids(self, ids: Collection[int]) -> list[Stored]:
        """Those of the rows named by `Stored.id` that there are, in the order of arrival."""
        rows = self._db.read().execute(
            "SELECT * FROM statement WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (to_json(list(ids)).decode(),),
        )
        return [_stored(row) for row in rows]

    def versions(self, jti: str) -> list[Stored]:
        """All versions held of a statement, lowest first."""
        return _versions(self._db.read(), jti)

    def versions_of(self, jtis: Collection[str]) -> dict[str, list[Stored]]:
        """All versions held of each of these statements, lowest first: one question for many."""
        found: dict[str, list[Stored]] = {}
        rows = self._db.read().execute(
            "SELECT * FROM statement WHERE jti IN (SELECT value FROM json_each(?)) ORDER BY ver",
            (to_json(list(jtis)).decode(),),
        )
        for row in rows:
            stored = _stored(row)
            found.setdefault(stored.jti, []).append(stored)
        return found

    def known(self, jtis: Collection[str]) -> set[str]:
        """Those of `jtis` of which a version is held: one question for many."""
        return _known(self._db.read(), jtis)

    def withdraw(self, jti: str, purge: bool, at_us: int) -> int:
        """Let a statement no longer stand, all its versions. Returns how many are held here.

        With `purge` their bodies go; `Database.checkpoint` after the transaction then empties the
        write-ahead log of them as well. `at_us` is not kept where nothing is held.
        """
        with self._db.write() as db:
            done = db.execute("UPDATE statement SET state = 'withdrawn' WHERE jti = ?", (jti,))
            times.turned(db, jti, at_us)
            through.end_own(db, jti, through.PURGED if purge else through.WITHDRAWN)
            if purge:
                db.execute("UPDATE statement SET body = NULL WHERE jti = ?", (jti,))
            return done.rowcount

    def bodies(self, after: int, limit: int) -> list[Stored]:
        """Versions whose body is held, in order of arrival, from the one after row `after` on."""
        rows = self._db.read().execute(
            "SELECT * FROM statement WHERE id > ? AND body IS NOT NULL ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [_stored(row) for row in rows]

    def ways(self, jtis: Collection[str]) -> dict[str, list[Way]]:
        """How statements came, of those that not only their originator gave."""
        return through.ways_of(self._db.read(), jtis)

    def end_way(self, jti: str, via: str, purge: bool, at_us: int) -> None:
        """Who passed it on takes it back: `through` says what is left. Nothing happens where nothing
        came by that way."""
        with self._db.write() as db:
            through.end(db, jti, via, through.PURGED if purge else through.WITHDRAWN)
            ways, held = through.ways_of(db, [jti]).get(jti, []), _versions(db, jti)
            if ways and held:
                through.settle(db, jti, held[0].iss, ways)
                times.turned(db, jti, at_us)

    def page(
        self,
        *,
        before: int | None = None,
        limit: int = 100,
        states: Sequence[State] = (),
        markings: Collection[str] | None = None,
        latest: bool = False,
    ) -> list[Stored]:
        """The newest to arrive first; `before` is the `id` of the last one of the page before.

        states: only these; none given: all. markings: only these; None: all. latest: of each
        statement the version that `get` gives alone, whether or not the others fit.
        """
        wanted = to_json(states).decode()
        may = None if markings is None else to_json(sorted(markings)).decode()
        rows = self._db.read().execute(
            "SELECT * FROM statement WHERE id < coalesce(?, 9e18) "
            "AND (? = '[]' OR state IN (SELECT value FROM json_each(?))) "
            "AND (? IS NULL OR marking IN (SELECT value FROM json_each(?))) "
            "AND NOT (? AND EXISTS (SELECT 1 FROM statement AS o WHERE o.jti = statement.jti "
            "AND (o.state = 'standing', o.ver) > (statement.state = 'standing', statement.ver))) "
            "ORDER BY id DESC LIMIT ?",
            (before, wanted, wanted, may, may, latest, limit),
        )
        return [_stored(row) for row in rows]


def _add_marking(db: Database) -> None:
    """A ledger of before has no markings beside its bodies; of what is purged there, none is known."""
    if (
        db.read()
        .execute("SELECT 1 FROM pragma_table_info('statement') WHERE name = 'marking'")
        .fetchone()
    ):
        return
    with db.write() as writing:
        if not db.add_column("statement", "marking", "TEXT NOT NULL DEFAULT ''"):
            return
        rows = writing.execute("SELECT id, body FROM statement WHERE body IS NOT NULL").fetchall()
        writing.executemany(
            "UPDATE statement SET marking = ? WHERE id = ?",
            ((reread(body).marking, id_) for id_, body in rows),
        )


def _known(db: sqlite3.Connection, jtis: Collection[str]) -> set[str]:
    rows = db.execute(
        "SELECT jti FROM statement WHERE jti IN (SELECT value FROM json_each(?))",
        (to_json(list(jtis)).decode(),),
    )
    return {jti for (jti,) in rows}


def _versions(db: sqlite3.Connection, jti: str) -> list[Stored]:
    rows = db.execute("SELECT * FROM statement WHERE jti = ? ORDER BY ver", (jti,))
    return [_stored(row) for row in rows]


def _stored(row: tuple[Any, ...]) -> Stored:
    return Stored(*row)


def _put(
    db: sqlite3.Connection,
    held: Sequence[Stored],
    statement: Statement,
    received_from: str | None,
    at_us: int,
    final: bool,
) -> Stored:
    """`final`: what of it ended is ended for good."""
    if held and held[0].iss != statement.iss:
        raise Refused(
            "version-by-another-originator",
            f"{statement.iss} uses the id of a statement by {held[0].iss}",
            evidence={"received": statement.present()},
        )
    same = next((h for h in held if h.ver == statement.ver), None)
    if same:
        return _widen(db, same, statement, at_us, final)
    return _insert(db, held, statement, received_from, at_us, final)


def _by_way(
    db: sqlite3.Connection,
    before: Sequence[Stored],
    statement: Statement,
    via: str | None,
    late: bool,
) -> None:
    """Write down how it came; at the first way that is not its originator's, that one's too."""
    jti, iss = statement.jti, statement.iss
    if not through.ways_of(db, [jti]):
        through.keep(db, jti, [_direct(held) for held in before if held.received_from == iss])
    if via is not None:
        slots = frozenset(statement.disclosures)
        through.keep(db, jti, [Way(via, statement.ver, slots, late=late)])
    through.settle(db, jti, iss, through.ways_of(db, [jti])[jti])


def _direct(held: Stored) -> Way:
    statement = held.statement
    slots = frozenset(statement.disclosures) if statement else frozenset()
    ended = through.OPEN
    if held.state == "withdrawn":
        ended = through.PURGED if held.purged else through.WITHDRAWN
    return Way(held.iss, held.ver, slots, ended=ended)


def _widen(
    db: sqlite3.Connection, held: Stored, statement: Statement, at_us: int, final: bool
) -> Stored:
    """Add the disclosures of another view of the same version; all of them where a purge by a way that
    ended had left none."""
    if held.jwt_hash != sha256(statement.jwt).digest():
        raise Refused(
            "equivocation",
            f"{statement.iss} has signed two statements under one name "
            f"({statement.jti}, version {statement.ver})",
            evidence={"held": held.body or held.jwt_hash, "received": statement.present()},
        )
    before = held.statement
    had = before.disclosures.keys() if before else frozenset()
    if (before is None and final) or (before and statement.disclosures.keys() <= had):
        return held
    times.gained(db, held.id, at_us, statement.disclosures.keys() - had)
    body = (before.merged(statement) if before else statement).present()
    db.execute("UPDATE statement SET body = ? WHERE id = ?", (body, held.id))
    return msgspec.structs.replace(held, body=body)


def _insert(
    db: sqlite3.Connection,
    held: Sequence[Stored],
    statement: Statement,
    received_from: str | None,
    at_us: int,
    final: bool,
) -> Stored:
    state: State = "standing"
    body: bytes | None = statement.present()
    if final and any(h.state == "withdrawn" for h in held):
        state = "withdrawn"
        body = None if any(h.purged for h in held) else body
    elif any(h.ver > statement.ver for h in held):
        state = "superseded"
    elif held:
        db.execute(
            "UPDATE statement SET state = 'superseded' WHERE jti = ? AND state = 'standing'",
            (statement.jti,),
        )
    row = _row(statement, state, received_from, at_us, body)
    return _stored((db.execute(_INSERT, row).lastrowid, *row))


def _insert_new(
    db: sqlite3.Connection, statements: Sequence[Statement], received_from: str | None, at_us: int
) -> list[Stored]:
    """Keep statements of which no version is held and that came from their originators: all stand."""
    if not statements:
        return []
    rows = [_row(s, "standing", received_from, at_us, s.present()) for s in statements]
    db.executemany(_INSERT, rows)
    (last,) = db.execute("SELECT last_insert_rowid()").fetchone()  # AUTOINCREMENT: one after the other
    return [Stored(id_, *row) for id_, row in enumerate(rows, last - len(rows) + 1)]


_INSERT: Final = (
    "INSERT INTO statement "
    "(jti, ver, iss, kind, state, received_from, at_us, jwt_hash, body, marking) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _row(
    statement: Statement, state: State, received_from: str | None, at_us: int, body: bytes | None
) -> tuple[Any, ...]:
    jwt_hash = sha256(statement.jwt).digest()
    return (
        *(statement.jti, statement.ver, statement.iss, statement.kind, state),
        *(received_from, at_us, jwt_hash, body, statement.marking),
    )
