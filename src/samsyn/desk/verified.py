"""What the last check of a realm's proofs found. It is kept here, beside what the diary tells of it."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from samsyn.base.clock import Clock, iso
from samsyn.base.database import Database
from samsyn.desk.diary import Diary

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS verified (
  one INTEGER PRIMARY KEY CHECK (one = 1), outcome TEXT NOT NULL
);
"""


class CheckedPart(msgspec.Struct, frozen=True):
    """One thing that was checked, how many items it has, and what is wrong with them."""

    what: str
    checked: int
    problems: tuple[str, ...]


class Outcome(msgspec.Struct, frozen=True):
    """size, root: the head that the diary had when the check began. at: when it was done (RFC 3339).
    problems: of a check that could not be made at all, why not."""

    at: str
    by: str
    size: int
    root: str
    parts: tuple[CheckedPart, ...]
    problem: str = ""

    @property
    def sound(self) -> bool:
        return not self.problem and not any(part.problems for part in self.parts)


class Check(Protocol):
    """What runs a check, beside everything else that the node does."""

    def start(self, by: str) -> bool:
        """Begin one; False where one runs already."""
        ...

    def running(self) -> bool: ...


class Verified:
    """The last outcome, in the realm's ledger."""

    def __init__(self, db: Database, diary: Diary, wall: Clock) -> None:
        self._db = db
        self._diary = diary
        self._wall = wall

    def last(self) -> Outcome | None:
        row = self._db.read().execute("SELECT outcome FROM verified").fetchone()
        return msgspec.json.decode(row[0], type=Outcome) if row else None

    def put(
        self, by: str, size: int, root: str, parts: tuple[CheckedPart, ...], problem: str = ""
    ) -> None:
        """Keep an outcome, and tell the diary that somebody asked and what was found."""
        at = iso(self._wall.now_us())
        outcome = Outcome(at=at, by=by, size=size, root=root, parts=parts, problem=problem)
        wrong = sum(len(part.problems) for part in parts) + bool(problem)
        with self._db.write() as db:
            db.execute("REPLACE INTO verified VALUES (1, ?)", (msgspec.json.encode(outcome).decode(),))
            self._diary.write(by, "verify", size=size, root=root, problems=wrong)
