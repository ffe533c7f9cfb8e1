"""Attachments of what is held: which there are, the bytes of those that are here, and taking in more."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from samsyn.base import limits
from samsyn.base.clock import Clock
from samsyn.base.errors import InputError, LimitError
from samsyn.desk.diary import Diary
from samsyn.desk.uploads import Uploads
from samsyn.statements.attachments import Attachment, Value, named
from samsyn.statements.store import StatementStore, Stored

_UNKNOWN_TYPE: Final = "application/octet-stream"


class Listed(NamedTuple):
    """One that a statement names, and whether its bytes are here."""

    attachment: Attachment
    here: bool


class Wanted(NamedTuple):
    """One whose bytes are not here, and the partners who gave us its name, the first one first."""

    jti: str
    ver: int
    attachment: Attachment
    partners: tuple[str, ...]


class Attaching:
    """`statements` of one realm; what is taken in is told to the diary.

    fetch: has one here that is not, by statement, hash and who wants it; it asks partners, and so is
    the node's. uploads: what people attach to reports that they are writing.
    """

    def __init__(
        self,
        statements: StatementStore,
        diary: Diary,
        clock: Clock,
        *,
        fetch: Callable[[str, str, str], object],
    ) -> None:
        self.fetch = fetch
        self.uploads = Uploads(clock)
        self._statements = statements
        self._diary = diary
        self._clock = clock

    def listed(self, stored: Stored) -> list[Listed]:
        """Those that a version names, as far as its slots are held."""
        statement = stored.statement
        found = named(statement.slots) if statement else []
        here = self._statements.attachments.held(stored.jti, stored.ver) if found else frozenset()
        return [Listed(one, one.sha256 in here) for one in found]

    def body(self, jti: str, digest: str) -> tuple[Attachment, bytes]:
        """Raises `InputError` where the statement names no such one, or its bytes are not here."""
        stored, one = self._named(jti, digest)
        body = self._statements.attachments.get(jti, stored.ver, one.sha256)
        if body is None:
            raise InputError(
                f"the file {one.name} is not here", where=jti, do="fetch it: samsyn attachment fetch"
            )
        return one, body

    def wanted(self, jti: str, digest: str) -> Wanted | None:
        """None: its bytes are here. Raises `InputError` where the statement names no such one."""
        stored, one = self._named(jti, digest)
        if one.sha256 in self._statements.attachments.held(jti, stored.ver):
            return None
        ways = self._statements.ways([jti]).get(jti, [])
        came = [stored.received_from, *(w.via for w in ways if not w.ended and one.slot in w.slots)]
        partners = dict.fromkeys(partner for partner in came if partner is not None)
        return Wanted(jti, stored.ver, one, tuple(partners))

    def take(self, jti: str, digest: str, body: bytes, *, by: str, via: str) -> None:
        """Keep the bytes of one, however they came. Raises `InputError`, and `Refused`
        ("another-attachment") where they are not what the statement names."""
        stored, one = self._named(jti, digest)
        kept = self._statements.attachments.put(jti, stored.ver, one, body, self._clock.now_us())
        if not kept:
            raise InputError("the statement was purged meanwhile", where=jti)
        self._diary.write(by, "attachment", id=jti, ver=stored.ver, sha256=one.sha256, via=via)

    def _named(self, jti: str, digest: str) -> tuple[Stored, Attachment]:
        """`digest`: all of the hash, or as much of its beginning as tells which is meant."""
        stored = self._statements.get(jti)
        statement = stored.statement if stored else None
        if stored is None or statement is None:
            raise InputError(f"we hold no statement {jti}", do="see: samsyn statements")
        found = [one for one in named(statement.slots) if digest and one.sha256.startswith(digest)]
        if len(found) != 1:
            raise InputError(
                f"{digest!r} is no attachment of this statement",
                where=jti,
                do="see: samsyn attachment list",
            )
        return stored, found[0]


def read_file(path: Path) -> tuple[Value, bytes]:
    """What a statement says of a file, and the file. Raises `InputError`, `LimitError`."""
    try:
        with path.open("rb") as file:
            body = file.read(limits.ATTACHMENT_BYTES + 1)
    except OSError as e:
        raise InputError(f"cannot read it: {e.strerror}", where=str(path)) from e
    if not body:
        raise InputError("it is empty", where=str(path))
    if len(body) > limits.ATTACHMENT_BYTES:
        raise LimitError(
            "it is too large to be attached",
            where=str(path),
            do=f"{limits.ATTACHMENT_BYTES // limits.MIB} MiB at most",
        )
    type_ = mimetypes.guess_type(path.name)[0] or _UNKNOWN_TYPE
    digest = sha256(body).hexdigest()
    return Value(sha256=digest, name=path.name, type=type_, size=len(body)), body
