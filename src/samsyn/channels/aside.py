"""What others passed on and is not shown: of an originator who is not known here, of one who has signed
two statements under one id and version, under an id that somebody else has used.

The partner who passed it on is not to blame, so its channel goes on. What waits for a card is kept
within limits and taken once the card is there; what is evidence is kept until it is purged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from samsyn.base import limits
from samsyn.base.database import Database
from samsyn.base.encoding import sha256, to_json
from samsyn.channels.admit import Held, SetAside
from samsyn.channels.refusals import Problem, reason_texts
from samsyn.statements.sign import parse
from samsyn.statements.statement import Statement

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS aside (
  id INTEGER PRIMARY KEY AUTOINCREMENT, log TEXT NOT NULL, jti TEXT NOT NULL, ver INTEGER NOT NULL,
  iss TEXT NOT NULL, reason TEXT NOT NULL, jwt_hash BLOB NOT NULL, ended INTEGER NOT NULL,
  at_us INTEGER NOT NULL, view BLOB, other BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS aside_name ON aside (log, jti, ver);
"""

UNKNOWN: Final = "unknown-originator"
_SHOWN: Final = 16  # problems told; further ones are counted in the last


class Waiting(msgspec.Struct, frozen=True):
    """One that waits for its originator's card."""

    id: int
    jti: str
    view: bytes


class Asides:
    """What was set aside of one partner's channel. Writes belong into the caller's transaction."""

    def __init__(self, db: Database, log: str, partner: str) -> None:
        self._db = db
        self._log = log
        self._partner = partner

    def keep(self, asides: Iterable[SetAside], at_us: int) -> None:
        """Of one that is kept already, a wider view comes instead; beyond the limits only the name."""
        with self._db.write() as db:
            for aside in asides:
                said = aside.statement
                before = db.execute(
                    "SELECT id, view FROM aside WHERE log = ? AND jti = ? AND ver = ?",
                    (self._log, said.jti, said.ver),
                ).fetchone()
                view = _wider(said, before[1] if before else None)
                other = aside.other or None
                room = self._has_room(len(view) + len(aside.other), before[0] if before else None)
                db.execute(
                    "INSERT INTO aside (log, jti, ver, iss, reason, jwt_hash, ended, at_us, view, other)"
                    " VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT (log, jti, ver) DO UPDATE SET"
                    " reason = excluded.reason, jwt_hash = excluded.jwt_hash, view = excluded.view,"
                    " other = excluded.other",
                    (
                        self._log,
                        said.jti,
                        said.ver,
                        said.iss,
                        aside.reason,
                        sha256(said.jwt),
                        at_us,
                        view if room else None,
                        other if room else None,
                    ),
                )

    def held(self, jtis: Collection[str]) -> dict[str, dict[int, Held]]:
        """Those of `jtis` that were set aside: what came by this channel came."""
        rows = self._db.read().execute(
            "SELECT jti, ver, iss, jwt_hash, ended FROM aside WHERE log = ?"
            " AND jti IN (SELECT value FROM json_each(?))",
            (self._log, to_json(sorted(jtis)).decode()),
        )
        found: dict[str, dict[int, Held]] = {}
        for jti, ver, iss, hash_, ended in rows:
            found.setdefault(jti, {})[ver] = Held(iss, hash_, bool(ended), None)
        return found

    def names(self) -> dict[str, set[int]]:
        """All that was set aside of this channel and not taken since: versions by id."""
        rows = self._db.read().execute("SELECT jti, ver FROM aside WHERE log = ?", (self._log,))
        found: dict[str, set[int]] = {}
        for jti, ver in rows:
            found.setdefault(jti, set()).add(ver)
        return found

    def end(self, jti: str, purge: bool) -> None:
        """The partner takes it back. What only waited is not needed any more; evidence goes by purge."""
        with self._db.write() as db:
            db.execute(
                "UPDATE aside SET ended = 1, view = CASE WHEN ? OR reason = ? THEN NULL ELSE view END,"
                " other = CASE WHEN ? THEN NULL ELSE other END WHERE log = ? AND jti = ?",
                (purge, UNKNOWN, purge, self._log, jti),
            )

    def purge(self, jtis: Collection[str], originator: str) -> None:
        """Who said it has it purged: whoever passed it on, nothing of it is kept."""
        with self._db.write() as db:
            db.execute(
                "UPDATE aside SET view = NULL, other = NULL WHERE iss = ?"
                " AND jti IN (SELECT value FROM json_each(?))",
                (originator, to_json(sorted(jtis)).decode()),
            )

    def waiting(self, known: Collection[str]) -> list[Waiting]:
        """Those whose originator is known by now."""
        rows = self._db.read().execute(
            "SELECT id, jti, view FROM aside WHERE log = ? AND reason = ? AND ended = 0"
            " AND view IS NOT NULL AND iss IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?",
            (self._log, UNKNOWN, to_json(sorted(known)).decode(), limits.BATCH_ENTRIES),
        )
        return [Waiting(*row) for row in rows]

    def taken(self, ids: Collection[int]) -> None:
        """They are held as statements now."""
        with self._db.write() as db:
            db.executemany("DELETE FROM aside WHERE id = ?", ((id_,) for id_ in ids))

    def judged(self, id_: int, reason: str, other: bytes = b"") -> None:
        """It was looked at, and stays aside for another reason."""
        with self._db.write() as db:
            db.execute("UPDATE aside SET reason = ?, other = ? WHERE id = ?", (reason, other, id_))

    def problems(self) -> list[Problem]:
        """What people should see to, by originator and reason, latest first."""
        rows = self._db.read().execute(
            "SELECT iss, reason, min(at_us), max(at_us), count(*), max(id), count(view) FROM aside"
            " WHERE log = ? AND (ended = 0 OR reason <> ?) GROUP BY iss, reason"
            " ORDER BY max(at_us) DESC, iss LIMIT ?",
            (self._log, UNKNOWN, _SHOWN),
        )
        return [self._problem(*row) for row in rows.fetchall()]

    def _problem(
        self, iss: str, reason: str, first_us: int, last_us: int, count: int, id_: int, views: int
    ) -> Problem:
        en, sv = reason_texts(reason)
        view, other = (
            self._db.read().execute("SELECT view, other FROM aside WHERE id = ?", (id_,)).fetchone()
        )
        evidence = {"received": view} if view is not None else {}
        return Problem(
            id=id_,
            partner=self._partner,
            reason=reason,
            what=f"{self._partner} passes on statements of {iss}: {count}, of which {views} are kept",
            en=en,
            sv=sv,
            first_us=first_us,
            last_us=last_us,
            count=count,
            evidence={**evidence, "held": other} if other else evidence,
        )

    def _has_room(self, more_bytes: int, instead_of: int | None) -> bool:
        count, taken = (
            self._db.read()
            .execute(
                "SELECT count(view), coalesce(sum(length(view) + coalesce(length(other), 0)), 0)"
                " FROM aside WHERE log = ? AND id IS NOT ?",
                (self._log, instead_of),
            )
            .fetchone()
        )
        return bool(count < limits.ASIDE_STATEMENTS and taken + more_bytes <= limits.ASIDE_BYTES)


def _wider(said: Statement, before: bytes | None) -> bytes:
    if before is None:
        return said.present()
    held = parse(before)
    return said.present() if held.jwt != said.jwt else held.merged(said).present()
