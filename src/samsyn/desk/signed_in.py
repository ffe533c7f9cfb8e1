"""Sessions of the picture that outlive a restart of the node."""

from __future__ import annotations

from typing import Final, NamedTuple

from samsyn.base.database import Database

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sessions (
  digest BLOB PRIMARY KEY, user TEXT NOT NULL, proof BLOB NOT NULL, until_us INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Session(NamedTuple):
    """proof: SHA-256 of the account's password hash as it was at sign-in. until_us: microseconds UTC."""

    user: str
    proof: bytes
    until_us: int


class SignedIn:
    """By the SHA-256 of their tokens: who reads the ledger can sign in with none of it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> dict[bytes, Session]:
        rows = self._db.read().execute("SELECT digest, user, proof, until_us FROM sessions")
        return {digest: Session(*rest) for digest, *rest in rows}

    def add(self, digest: bytes, session: Session, now_us: int) -> None:
        """Those that have ended by `now_us` are forgotten."""
        with self._db.write() as db:
            db.execute("DELETE FROM sessions WHERE until_us <= ?", (now_us,))
            db.execute("REPLACE INTO sessions VALUES (?, ?, ?, ?)", (digest, *session))

    def forget(self, digest: bytes) -> None:
        with self._db.write() as db:
            db.execute("DELETE FROM sessions WHERE digest = ?", (digest,))
