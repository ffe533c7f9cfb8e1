"""Findings of our own watch, and which of them the organisation has signed. They never leave home."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from samsyn.base.database import Database
from samsyn.watch.finding import Finding

SCHEMA = """
CREATE TABLE IF NOT EXISTS findings (
  key TEXT PRIMARY KEY, detector TEXT NOT NULL, state TEXT NOT NULL, updated_us INTEGER NOT NULL,
  body BLOB NOT NULL, jti TEXT, ver INTEGER, signed_state TEXT, found_us INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS findings_by_time ON findings (updated_us);
"""


class Signed(NamedTuple):
    """How far a finding is signed: the statement's id and version, and the state it told."""

    jti: str
    ver: int
    state: str


class Kept(NamedTuple):
    """The newest revision of a finding, the statement made of it, if any, and when it was first found:
    the time of its first revision; 0 where a store of before did not keep it."""

    finding: Finding
    jti: str | None
    found_us: int


class FindingStore:
    """Findings by key, the newest revision of each, with the statement made of it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.add_column("findings", "found_us", "INTEGER NOT NULL DEFAULT 0")

    def put(self, finding: Finding, found_us: int | None = None) -> None:
        """Keep the newest revision of a finding; an older one never replaces a newer.

        found_us: when it was found, where that was not when it happened but in looking back.
        """
        with self._db.write() as db:
            db.execute(
                "INSERT INTO findings (key, detector, state, updated_us, body, found_us) "
                "VALUES (?,?,?,?,?,?) "
                "ON CONFLICT (key) DO UPDATE SET state=excluded.state, updated_us=excluded.updated_us, "
                "body=excluded.body WHERE excluded.updated_us >= findings.updated_us",
                (
                    finding.key,
                    finding.detector,
                    finding.state,
                    finding.updated_us,
                    msgspec.json.encode(finding),
                    finding.updated_us if found_us is None else found_us,
                ),
            )

    def signed(self, key: str) -> Signed | None:
        row = (
            self._db.read()
            .execute("SELECT jti, ver, signed_state FROM findings WHERE key=?", (key,))
            .fetchone()
        )
        return Signed(*row) if row and row[0] else None

    def set_signed(self, key: str, jti: str, ver: int, state: str) -> None:
        with self._db.write() as db:
            db.execute(
                "UPDATE findings SET jti=?, ver=?, signed_state=? WHERE key=?", (jti, ver, state, key)
            )

    def newest(self, limit: int = 500) -> list[Kept]:
        """Those that changed last come first."""
        rows = self._db.read().execute(
            "SELECT body, jti, found_us FROM findings ORDER BY updated_us DESC, key LIMIT ?", (limit,)
        )
        return [Kept(msgspec.json.decode(body, type=Finding), jti, us) for body, jti, us in rows]
