"""Recordings that are asked into a running node. The queue is a table: the node looks into it."""

from __future__ import annotations

from typing import NamedTuple

from samsyn.base.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS replays (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, kind TEXT NOT NULL, speed REAL NOT NULL,
  state TEXT NOT NULL DEFAULT 'asked', progress REAL NOT NULL DEFAULT 0,
  rows INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '',
  marking TEXT NOT NULL DEFAULT ''
);
"""


class Replay(NamedTuple):
    """One recording that was asked for, and how far it has been played."""

    id: int
    source: str
    kind: str
    speed: float
    state: str  # asked, running, done, failed
    progress: float
    rows: int
    refused: int
    problem: str
    marking: str  # of what is in it; "": the node's usual one


class Replays:
    """One row a recording: asked for by the command line, played and reported by the node."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.add_column("replays", "marking", "TEXT NOT NULL DEFAULT ''")

    def ask(self, source: str, kind: str, speed: float, marking: str = "") -> int:
        with self._db.write() as db:
            made = db.execute(
                "INSERT INTO replays (source, kind, speed, marking) VALUES (?,?,?,?)",
                (source, kind, speed, marking),
            )
            return int(made.lastrowid or 0)

    def get(self, replay_id: int) -> Replay:
        row = self._db.read().execute("SELECT * FROM replays WHERE id=?", (replay_id,)).fetchone()
        return Replay(*row)

    def take(self) -> Replay | None:
        """The next one asked for, marked as running; None while another runs."""
        with self._db.write() as db:
            if db.execute("SELECT 1 FROM replays WHERE state='running'").fetchone():
                return None
            row = db.execute("SELECT * FROM replays WHERE state='asked' ORDER BY id LIMIT 1").fetchone()
            if row is None:
                return None
            db.execute("UPDATE replays SET state='running' WHERE id=?", (row[0],))
            return Replay(*row)._replace(state="running")

    def note(
        self, replay_id: int, state: str, progress: float, rows: int, refused: int, problem: str = ""
    ) -> None:
        with self._db.write() as db:
            db.execute(
                "UPDATE replays SET state=?, progress=?, rows=?, refused=?, problem=? WHERE id=?",
                (state, progress, rows, refused, problem, replay_id),
            )

    def abandon(self) -> None:
        """At a node's start: what ran when it was stopped has failed."""
        with self._db.write() as db:
            db.execute(
                "UPDATE replays SET state='failed', problem='the node was stopped' WHERE state='running'"
            )
