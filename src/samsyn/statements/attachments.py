"""What goes beside a statement: photos, plots, documents, each named in it by its hash.

A slot `attachment.1` to `attachment.4` names one: SHA-256, name, media type, size. The signature covers
what the slot says, so whoever holds the slot can check the bytes, wherever they came from. They are no
part of any channel: a holder asks for those that it wants, and gets those of slots that it was given.

Bytes are kept with the version that names them and go with its body. The trigger sees to that, so that
no way of purging can forget them. What others said may also shrink, where they take some of it back;
then all its attachments go, and those that are still allowed can be had again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any, Final, TypedDict

import msgspec

from samsyn.base import limits
from samsyn.base.database import Database
from samsyn.base.errors import Refused

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS attachment (
  jti TEXT NOT NULL, ver INTEGER NOT NULL, sha256 TEXT NOT NULL, at_us INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (jti, ver, sha256)
);
CREATE TRIGGER IF NOT EXISTS attachment_goes AFTER UPDATE OF body ON statement
WHEN OLD.body IS NOT NULL AND (NEW.body IS NULL OR length(NEW.body) < length(OLD.body))
BEGIN DELETE FROM attachment WHERE jti = NEW.jti AND ver = NEW.ver; END;
"""

SLOTS: Final = tuple(f"attachment.{n}" for n in range(1, limits.ATTACHMENTS + 1))

# A name is shown and saved as it came: no path, no hidden file, nothing that turns a text around.
_NEVER: Final = r"/\\\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069"
FILE_NAME: Final = rf"^[^.{_NEVER}][^{_NEVER}]{{0,119}}\Z"
MEDIA_TYPE: Final = r"^[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}\Z"


class Value(TypedDict):
    """What such a slot holds."""

    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    name: Annotated[str, msgspec.Meta(pattern=FILE_NAME)]
    type: Annotated[str, msgspec.Meta(pattern=MEDIA_TYPE)]
    size: Annotated[int, msgspec.Meta(ge=1, le=limits.ATTACHMENT_BYTES)]  # bytes


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One that a statement names."""

    slot: str
    sha256: str  # 64 hexadecimal digits
    name: str
    type: str  # media type, as its originator says
    size: int  # bytes

    def check(self, body: bytes) -> None:
        """Raises `Refused` ("another-attachment") where these are not its bytes."""
        if len(body) != self.size or sha256(body).hexdigest() != self.sha256:
            raise Refused(
                "another-attachment", f"these are not the bytes that the statement calls {self.name}"
            )


def named(slots: Mapping[str, Any]) -> list[Attachment]:
    """Those that slots name, in the slots' order.

    What is no such value names none: of a kind that we do not know, nobody has checked the slots.
    """
    found = []
    for slot in SLOTS:
        with contextlib.suppress(KeyError, msgspec.ValidationError):
            value = msgspec.convert(slots[slot], Value)
            found.append(Attachment(slot=slot, **{k: value[k] for k in Value.__annotations__}))  # type: ignore[literal-required]
    return found


class AttachmentStore:
    """Their bytes, of one realm. Writes join the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, jti: str, ver: int, attachment: Attachment, body: bytes, at_us: int) -> bool:
        """Keep the bytes of what a version names, while its own body is held; whether they are kept.

        Raises `Refused` ("another-attachment").
        """
        attachment.check(body)
        with self._db.write() as db:
            held = "SELECT 1 FROM statement WHERE jti = ? AND ver = ? AND body IS NOT NULL"
            if db.execute(held, (jti, ver)).fetchone() is None:
                return False
            row = (jti, ver, attachment.sha256, at_us, body)
            db.execute("INSERT INTO attachment VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        return True

    def get(self, jti: str, ver: int, digest: str) -> bytes | None:
        row = (
            self._db.read()
            .execute(
                "SELECT body FROM attachment WHERE jti = ? AND ver = ? AND sha256 = ?",
                (jti, ver, digest),
            )
            .fetchone()
        )
        return bytes(row[0]) if row else None

    def of_any_version(self, jti: str, digest: str) -> bytes | None:
        """The bytes that some version of a statement named: what a later one names again."""
        sql = "SELECT body FROM attachment WHERE jti = ? AND sha256 = ? LIMIT 1"
        row = self._db.read().execute(sql, (jti, digest)).fetchone()
        return bytes(row[0]) if row else None

    def held(self, jti: str, ver: int) -> frozenset[str]:
        """The hashes of those of a version that are here."""
        sql = "SELECT sha256 FROM attachment WHERE jti = ? AND ver = ?"
        return frozenset(digest for (digest,) in self._db.read().execute(sql, (jti, ver)))

    def all(self) -> Iterator[tuple[str, int, str, bytes]]:
        """Statement, version, hash and bytes of each, one after the other."""
        db: sqlite3.Connection = self._db.read()
        names = db.execute(
            "SELECT jti, ver, sha256 FROM attachment ORDER BY jti, ver, sha256"
        ).fetchall()
        for jti, ver, digest in names:
            body = self.get(jti, ver, digest)
            if body is not None:
                yield jti, ver, digest, body
