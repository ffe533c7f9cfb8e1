"""What a statement that is held here comes from, looked up: its sources, and the consents about them.

- `consent`: which consents of other originators are about which statement.
- `refers`: which own statements were made of which others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from samsyn.base import limits
from samsyn.base.database import Database
from samsyn.channels.onward import Consent, Source, consent_of, passing_of, until_us
from samsyn.policy import Passing
from samsyn.policy.rules import ONWARD_RANK
from samsyn.statements.refs import Ref, refs_of
from samsyn.statements.statement import Statement
from samsyn.statements.store import StatementStore, Stored

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS consent (
  jti TEXT PRIMARY KEY, about TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS consent_about ON consent (about);
CREATE TABLE IF NOT EXISTS refers (
  source TEXT NOT NULL, own TEXT NOT NULL, PRIMARY KEY (source, own)
) WITHOUT ROWID;
"""

_NO: Final = "no"


class Sources:
    """Reads the statement store with one node's eyes, and keeps the two tables."""

    def __init__(self, db: Database, statements: StatementStore, node: str) -> None:
        self._db = db
        self._statements = statements
        self._node = node

    def passing(self, statement: Statement, readers: Iterable[str]) -> Passing | None:
        """What other originators allow of it; None where it is our own and made of nothing foreign."""
        sources = self.of(statement)
        return passing_of(sources, readers) if sources is not None else None

    def of(self, statement: Statement) -> list[Source] | None:
        """The foreign statements that it is, or is made of; None where it is our own and names none.

        One that is named and no longer stands here, or too many of them, let nothing go further.
        """
        if statement.iss != self._node:
            return [self._source(statement, statement.onward, itself=True)]
        if "refs" not in statement.slots:  # nearly all
            return None
        found: dict[str, Source] = {}
        seen = {statement.jti}
        todo: list[tuple[Ref, bool]] = [(ref, True) for ref in refs_of(statement.slots)]
        while todo:
            ref, named = todo.pop()  # named: by ourselves, who held it when we signed
            if ref.jti in seen:
                continue
            seen.add(ref.jti)
            if len(seen) > limits.SOURCES:
                return [*found.values(), Source(ref.originator, _NO, itself=False, direct=False)]
            stored = self._statements.get(ref.jti, ref.ver) or self._statements.get(ref.jti)
            source = stored.statement if stored else None
            if stored is not None and source is not None:
                todo += [(further, stored.iss == self._node) for further in refs_of(source.slots)]
            if ref.originator == self._node or (stored is None and not named):
                continue
            if stored is None or source is None or stored.state == "withdrawn":
                found[ref.jti] = Source(ref.originator, _NO, itself=False, direct=False)
            else:
                found[ref.jti] = self._source(source, self._strictest(stored, source), itself=False)
        return list(found.values()) or None

    def consents(self, jti: str, originator: str) -> tuple[Consent, ...]:
        """The originator's consents to us about its statement that stand here, oldest first.

        By the time that they were signed: entries of one tick come in an order that says nothing. Of
        two at one time, or without any, a refusal is the later.
        """
        rows = self._db.read().execute("SELECT jti FROM consent WHERE about = ?", (jti,))
        found: list[tuple[int, bool, int, Consent]] = []
        for stored in [self._statements.get(row[0]) for row in rows.fetchall()]:
            statement = stored.statement if stored else None
            if stored is None or statement is None or stored.state != "standing":
                continue
            slots = statement.slots
            consent = consent_of(slots, self._node)
            if consent is not None and (stored.iss, slots.get("body.about")) == (originator, jti):
                at_us = until_us(slots.get("time.exact", ""))
                found.append((at_us, not consent.given, stored.id, consent))
        return tuple(consent for *_, consent in sorted(found, key=lambda each: each[:3]))

    def asked_about(self, jtis: Collection[str]) -> set[str]:
        """Those of `jtis` that some consent is about."""
        db = self._db.read()
        if not jtis or db.execute("SELECT 1 FROM consent LIMIT 1").fetchone() is None:
            return set()
        return _column(db, "SELECT about FROM consent WHERE about IN", jtis)

    def abouts(self, jtis: Collection[str]) -> set[str]:
        """What those of `jtis` that are consents are about."""
        return _column(self._db.read(), "SELECT about FROM consent WHERE jti IN", jtis)

    def made_of(self, jti: str) -> set[str]:
        """Ids of own statements that name it."""
        return _column(self._db.read(), "SELECT own FROM refers WHERE source IN", [jti])

    def derived(self) -> set[str]:
        """Ids of all own statements that name any."""
        return {row[0] for row in self._db.read().execute("SELECT DISTINCT own FROM refers")}

    def note_consent(self, consent: Statement) -> None:
        """Remember what a consent is about."""
        about = consent.slots.get("body.about")
        if isinstance(about, str):
            with self._db.write() as db:
                db.execute(
                    "INSERT INTO consent VALUES (?, ?) ON CONFLICT DO UPDATE SET about = excluded.about",
                    (consent.jti, about),
                )

    def note_refs(self, own: Statement) -> None:
        """Remember what an own statement was made of."""
        with self._db.write() as db:
            db.executemany(
                "INSERT INTO refers VALUES (?, ?) ON CONFLICT DO NOTHING",
                ((ref.jti, own.jti) for ref in refs_of(own.slots)),
            )

    def bereft(self) -> list[tuple[str, str]]:
        """(own, source): own statements that stand and name one that was withdrawn, oldest first."""
        rows = self._db.read().execute(
            "SELECT DISTINCT o.jti, s.jti FROM refers r"
            " JOIN statement s ON s.jti = r.source AND s.state = 'withdrawn'"
            " JOIN statement o ON o.jti = r.own AND o.state = 'standing'"
            " WHERE NOT EXISTS"
            "  (SELECT 1 FROM statement t WHERE t.jti = r.source AND t.state = 'standing')"
            " ORDER BY o.id, s.id"
        )
        return [(own, source) for own, source in rows if self._names(own, source)]

    def _names(self, own: str, source: str) -> bool:
        stored = self._statements.get(own)
        statement = stored.statement if stored else None
        return statement is not None and any(r.jti == source for r in refs_of(statement.slots))

    def _source(self, statement: Statement, onward: str, *, itself: bool) -> Source:
        jti, iss = statement.jti, statement.iss
        ways = self._statements.ways([jti]).get(jti)
        return Source(
            originator=iss,
            onward=onward,
            itself=itself,
            # no ways are written down of what came from its originator alone
            direct=ways is None or any(way.via == iss and not way.ended for way in ways),
            consents=self.consents(jti, iss) if onward == "ask" else (),
        )

    def _strictest(self, stored: Stored, source: Statement) -> str:
        """Of the version that was named and the one that stands now."""
        now = self._statements.get(stored.jti)
        latest = now.statement if now else None
        words = [source.onward, latest.onward if latest else _NO]
        return min(words, key=lambda word: ONWARD_RANK.get(word, -1))


def _column(db: sqlite3.Connection, question: str, jtis: Collection[str]) -> set[str]:
    rows = db.execute(
        f"{question} (SELECT value FROM json_each(?))",  # noqa: S608  our own words only
        (msgspec.json.encode(sorted(jtis)).decode(),),
    )
    return {row[0] for row in rows}
