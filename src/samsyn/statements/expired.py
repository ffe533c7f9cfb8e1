"""Bodies that this node let go of by itself: their time was over, or their originator had left.

Nobody withdrew these statements. Hash, id and version stay as of anything purged, and this table says
that the body is not missing but gone, when and why.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

from samsyn.base.database import Database

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS expired (
  jti TEXT NOT NULL, ver INTEGER NOT NULL, at_us INTEGER NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (jti, ver)
) WITHOUT ROWID;
"""

Why = Literal["retention", "partner-left"]


class Expired:
    """What expired in one realm. After a transaction that expires, `Database.checkpoint` empties the
    write-ahead log of the bodies as well."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def expire(self, versions: Collection[tuple[str, int]], at_us: int, why: Why) -> int:
        """Let go of the bodies of these (jti, ver); returns how many were still there."""
        gone = 0
        with self._db.write() as db:
            for jti, ver in versions:
                done = db.execute(
                    "UPDATE statement SET body = NULL WHERE jti = ? AND ver = ? AND body IS NOT NULL",
                    (jti, ver),
                )
                if done.rowcount:
                    gone += 1
                    row = (jti, ver, at_us, why)
                    db.execute("INSERT INTO expired VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        return gone

    def held_from(self, partner: str) -> list[tuple[str, int]]:
        """(jti, ver) of all that came through a partner and of which a body is held here."""
        rows = self._db.read().execute(
            "SELECT jti, ver FROM statement WHERE received_from = ? AND body IS NOT NULL", (partner,)
        )
        return [(jti, ver) for jti, ver in rows]

    def has(self, jti: str, ver: int) -> bool:
        row = self._db.read().execute("SELECT 1 FROM expired WHERE jti = ? AND ver = ?", (jti, ver))
        return row.fetchone() is not None

    def count(self) -> int:
        """How many versions expired here so far."""
        return int(self._db.read().execute("SELECT count(*) FROM expired").fetchone()[0])
