"""Who of our own people has taken what upon them: acknowledged, owned, due when. Never leaves home.

An alert asks for somebody until a person has acknowledged it, also when it has closed or was
withdrawn meanwhile: nothing vanishes before it was seen. One acknowledgement is for the whole
situation; later versions do not ask again, they are shown as changed since.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from samsyn.base.clock import Clock, iso
from samsyn.base.database import Database
from samsyn.base.errors import InputError
from samsyn.desk.diary import Diary

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS handling (
  jti TEXT PRIMARY KEY, acknowledged_by TEXT, acknowledged_us INTEGER, acknowledged_ver INTEGER,
  owner TEXT, owner_us INTEGER, due_us INTEGER
) WITHOUT ROWID;
"""

Step = Literal["acknowledge", "take", "let-go", "due"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)


def known_step(word: str) -> Step:
    """Raises `InputError` for a step that is none."""
    for step in STEPS:
        if step == word:
            return step
    raise InputError(f"{word!r} is no step", do="use one of " + ", ".join(STEPS))


class Handling(msgspec.Struct, frozen=True):
    """How far we are with one statement; times are of the realm's clock."""

    acknowledged_by: str | None = None
    acknowledged_us: int | None = None
    acknowledged_ver: int | None = None
    owner: str | None = None
    owner_us: int | None = None
    due_us: int | None = None

    def until(self, at_us: int) -> Handling:
        """What of it was done by a time. Only the last owner is kept, and no hour of setting a time."""
        acknowledged = self.acknowledged_us is not None and self.acknowledged_us <= at_us
        owned = self.owner_us is not None and self.owner_us <= at_us
        return Handling(
            self.acknowledged_by if acknowledged else None,
            self.acknowledged_us if acknowledged else None,
            self.acknowledged_ver if acknowledged else None,
            self.owner if owned else None,
            self.owner_us if owned else None,
        )


UNHANDLED: Final = Handling()
_COLUMNS: Final = ", ".join(Handling.__struct_fields__)


class HandlingStore:
    """One row a statement that somebody has touched; each step is in the diary too."""

    def __init__(self, db: Database, diary: Diary, clock: Clock) -> None:
        self._db = db
        self._diary = diary
        self._clock = clock
        self.changes = 0  # counted, so that open pages are told

    def get(self, jti: str) -> Handling:
        row = (
            self._db.read()
            .execute(f"SELECT {_COLUMNS} FROM handling WHERE jti = ?", (jti,))  # noqa: S608  own names
            .fetchone()
        )
        return Handling(*row) if row else UNHANDLED

    def step(self, jti: str, ver: int, step: Step, by: str, due_us: int | None = None) -> Handling:
        """Take one step with the statement's version `ver`; durable on return.

        acknowledge: once; who was first stays. take: also from somebody who had it. let-go: nobody
        has it any more. due: by when, None for no time.
        """
        now_us = self._clock.now_us()
        with self._db.write() as db:
            before = self.get(jti)
            after = _after(before, ver, step, by, now_us, due_us)
            if after == before:
                return before
            db.execute(
                f"REPLACE INTO handling (jti, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (jti, *msgspec.structs.astuple(after)),
            )
            due = {"due": iso(after.due_us) if after.due_us else "none"} if step == "due" else {}
            self._diary.write(by, step, id=jti, ver=ver, **due)
        self.changes += 1
        return after


def _after(before: Handling, ver: int, step: Step, by: str, now_us: int, due_us: int | None) -> Handling:
    replace = msgspec.structs.replace
    if step == "acknowledge":
        if before.acknowledged_by:
            return before
        return replace(before, acknowledged_by=by, acknowledged_us=now_us, acknowledged_ver=ver)
    if step == "take":
        return before if before.owner == by else replace(before, owner=by, owner_us=now_us)
    if step == "let-go":
        return replace(before, owner=None, owner_us=None)
    return replace(before, due_us=due_us)
