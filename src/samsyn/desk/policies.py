"""The release policies of one realm: proposed, in force, superseded, rejected. The file is a draft.

What is in force stands here and nowhere else, byte for byte as it was proposed. It comes into force
by two persons: one proposes, another approves. The first one of a realm is founded from the file, at
a time when nothing was ever released. A text, once proposed, never changes (a trigger holds that); a
changed mind is another proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from samsyn.base.clock import Clock
from samsyn.base.database import Database
from samsyn.base.encoding import from_json, sha256, to_json
from samsyn.base.errors import InputError
from samsyn.base.limits import POLICY_BYTES
from samsyn.desk.diary import Diary

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS policy (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL CHECK (state IN ('proposed', 'in-force', 'superseded', 'rejected')),
  text TEXT NOT NULL, sha256 TEXT NOT NULL,
  proposed_by TEXT NOT NULL, proposed_us INTEGER NOT NULL, preview TEXT NOT NULL,
  decided_by TEXT NOT NULL DEFAULT '', decided_us INTEGER, why TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS policy_in_force ON policy (state) WHERE state = 'in-force';
CREATE TRIGGER IF NOT EXISTS policy_stays BEFORE UPDATE OF text, sha256, proposed_by ON policy
BEGIN SELECT RAISE(ABORT, 'what was proposed does not change'); END;
CREATE TRIGGER IF NOT EXISTS policy_kept BEFORE DELETE ON policy
BEGIN SELECT RAISE(ABORT, 'a policy is not forgotten'); END;
"""

State = Literal["proposed", "in-force", "superseded", "rejected"]
Preview = Mapping[str, Any]  # counts and ids only: what is purged must not live on in it

FOUNDING: Final = "(founding)"  # stands for a proposer; no account can be called so
_COLUMNS: Final = (
    "id, state, text, sha256, proposed_by, proposed_us, preview, decided_by, decided_us, why"
)


class KeptPolicy(msgspec.Struct, frozen=True):
    """One policy, as it was proposed and what became of it; in the order of the table's columns."""

    id: int
    state: State
    text: str
    sha256: str  # of the text in UTF-8, in hex
    proposed_by: str
    proposed_us: int
    preview: dict[str, Any]  # as it was when it was proposed or, once decided, then
    decided_by: str  # who approved or rejected it
    decided_us: int | None
    why: str  # of a rejection

    @property
    def name(self) -> str:
        """As errors name its place: `policy 3:12 rule sea-alerts`."""
        return f"policy {self.id}"


class Policies:
    """Reading and changing them. Any process of this home may; the node looks at `version`."""

    def __init__(self, db: Database, diary: Diary, clock: Clock) -> None:
        self._db = db
        self._diary = diary
        self._clock = clock

    def version(self) -> int:
        """Another number when another policy is in force; 0: none. Cheap: asked at every tick."""
        row = self._db.read().execute("SELECT id FROM policy WHERE state = 'in-force'").fetchone()
        return int(row[0]) if row else 0

    def in_force(self) -> KeptPolicy | None:
        """Raises `InputError` where its text is not the one that was approved."""
        found = self._where("state = 'in-force'")
        return _whole(found[0]) if found else None

    def founded(self) -> bool:
        """Whether any policy was ever in force here."""
        return bool(self._where("state IN ('in-force', 'superseded') LIMIT 1"))

    def get(self, id_: int) -> KeptPolicy:
        """Raises `InputError` where there is none of that number, or its text was tampered with."""
        found = self._where("id = ?", id_)
        if not found:
            raise InputError(f"there is no policy {id_}", do="see: samsyn policy list")
        return _whole(found[0])

    def all(self) -> list[KeptPolicy]:
        """Newest first."""
        return self._where("1 ORDER BY id DESC")

    def found(self, text: str) -> KeptPolicy:
        """Take a first policy into force: nothing was released before. Once a realm.

        Raises `InputError` where one was in force already.
        """
        with self._db.write():
            if self.founded():
                raise InputError("a policy was in force here already", do="propose the new one")
            id_ = self._insert(text, FOUNDING, {}, "in-force")
            self._diary.write("node", "policy-founded", policy=id_, sha256=digest(text))
        return self.get(id_)

    def propose(self, text: str, *, by: str, preview: Preview) -> KeptPolicy:
        """Keep a text for another person to decide on. Raises `InputError` where it is in force."""
        with self._db.write():
            now = self.in_force()
            if now is not None and now.sha256 == digest(text):
                raise InputError(f"this very text is in force: policy {now.id}")
            id_ = self._insert(text, by, preview, "proposed")
            self._diary.write(by, "policy-proposed", policy=id_, sha256=digest(text))
        return self.get(id_)

    def approve(self, id_: int, *, by: str, seen: str, preview: Preview, instead_of: int) -> None:
        """Take a proposal into force, in place of the one that is.

        by: another person than who proposed it. seen: hash of the text that this person looked at.
        instead_of: the `version` that the preview compared it with. Raises `InputError` where any of
        the three does not hold, or it is no proposal any more.
        """
        with self._db.write() as db:
            kept = self._proposal(id_)
            if by in (kept.proposed_by, FOUNDING, ""):
                raise InputError(
                    "who proposed a policy cannot approve it", do="a second release officer must"
                )
            if seen != kept.sha256:
                raise InputError(
                    f"policy {id_} is not the text that was looked at", do="preview it, then approve"
                )
            if instead_of != self.version():
                raise InputError(
                    "another policy has come into force meanwhile", do="preview it again, then approve"
                )
            db.execute("UPDATE policy SET state = 'superseded' WHERE state = 'in-force'")
            self._decide(id_, "in-force", by, preview=to_json(preview).decode())
            self._diary.write(
                by,
                "policy-approved",
                policy=id_,
                sha256=kept.sha256,
                proposed_by=kept.proposed_by,
                instead_of=instead_of,
                preview=dict(preview),
            )

    def reject(self, id_: int, *, by: str, why: str) -> None:
        """Anybody who may propose may reject, also their own. Raises `InputError`."""
        if not why.strip():
            raise InputError("a rejection says why", do="give the reason")
        with self._db.write():
            kept = self._proposal(id_)
            self._decide(id_, "rejected", by, why=why)
            self._diary.write(by, "policy-rejected", policy=id_, sha256=kept.sha256, why=why)

    def _proposal(self, id_: int) -> KeptPolicy:
        kept = self.get(id_)
        if kept.state != "proposed":
            raise InputError(
                f"policy {id_} is decided already: {kept.state}", do="see: samsyn policy list"
            )
        return kept

    def _insert(self, text: str, by: str, preview: Preview, state: State) -> int:
        if len(text.encode()) > POLICY_BYTES:
            raise InputError(f"a policy has at most {POLICY_BYTES} bytes")
        with self._db.write() as db:
            row = (state, text, digest(text), by, self._clock.now_us(), to_json(preview).decode())
            made = db.execute(
                "INSERT INTO policy (state, text, sha256, proposed_by, proposed_us, preview)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
            return int(made.lastrowid or 0)

    def _decide(self, id_: int, state: State, by: str, *, why: str = "", preview: str = "") -> None:
        with self._db.write() as db:
            db.execute(
                "UPDATE policy SET state = ?, decided_by = ?, decided_us = ?, why = ?,"
                " preview = coalesce(nullif(?, ''), preview) WHERE id = ?",
                (state, by, self._clock.now_us(), why, preview, id_),
            )

    def _where(self, condition: str, *given: int) -> list[KeptPolicy]:
        rows = self._db.read().execute(
            f"SELECT {_COLUMNS} FROM policy WHERE {condition}",  # noqa: S608  our own words only
            given,
        )
        return [_kept(row) for row in rows]


def digest(text: str) -> str:
    """By which a policy's text is known: SHA-256 of its UTF-8, in hex."""
    return sha256(text.encode()).hex()


def _kept(row: Sequence[Any]) -> KeptPolicy:
    id_, state, text, sha256_, by, at_us, preview, *decided = row
    return KeptPolicy(id_, state, text, sha256_, by, at_us, from_json(preview.encode()), *decided)


def _whole(kept: KeptPolicy) -> KeptPolicy:
    """Raises `InputError` where the text is not the one that its hash names."""
    if digest(kept.text) != kept.sha256:
        raise InputError(
            f"the text of policy {kept.id} was changed in the store", do="propose it anew from its file"
        )
    return kept
