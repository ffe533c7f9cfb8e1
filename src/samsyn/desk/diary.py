"""The node's own audit trail: who did what here, in a log that never leaves home.

Releases stand in the channels' logs; here stands what people and the node did to cause them, and
the head of each channel after each tick that wrote to it: so neither can be changed without the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from samsyn.base.clock import Clock, iso
from samsyn.base.database import Database
from samsyn.base.encoding import b64url, from_json, sha256, to_json, unb64url
from samsyn.base.errors import InputError
from samsyn.base.settings import Realm
from samsyn.channels.door import Written
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.log.store import LogStore
from samsyn.statements.keys import NodeKeys

NODE = "node"  # who did what no person did
RELEASED = "release"  # what an entry is called that tells the channels' new heads

PAGE = 1_000
NEWEST = 200  # read at once from the end


def diary_origin(node: str, realm: Realm) -> str:
    """The log's name. The slash-free last part can be no reader's: names have no dot."""
    return f"samsyn.{node}/{realm}/.diary"


class Noted(msgspec.Struct, frozen=True):
    """One entry of the diary: its place there, when (RFC 3339, wall time), who, what, and of what."""

    number: int
    at: str
    by: str
    did: str
    what: dict[str, Any]


class Diary:
    """Several processes may write: each entry and its checkpoint are one transaction."""

    def __init__(
        self, db: Database, logs: LogStore, *, node: str, realm: Realm, keys: NodeKeys, clock: Clock
    ) -> None:
        self._db = db
        self._logs = logs
        self._origin = diary_origin(node, realm)
        self._keys = keys
        self._clock = clock
        self._places = AESSIV(sha256(b"samsyn places in the diary" + keys.log.private_bytes_raw()))

    def write(self, by: str, did: str, **what: Any) -> None:
        """`by` (a person, a standing order, the node) `did` something: "withdraw", "sign-in", ...

        `what`: values that JSON has.
        """
        entry = {"at": iso(self._clock.now_us()), "by": by, "did": did, **what}
        with self._db.write():
            self._logs.append(self._origin, [(to_json(entry), b"")])
            size, root = self._logs.head(self._origin)
            note = sign_checkpoint(self._origin, size, root, self._keys.log)
            self._logs.set_checkpoint(self._origin, note)

    def released(self, written: Sequence[Written]) -> None:
        """The channels that a tick wrote to, in the tick's own transaction."""
        channels = [
            {"reader": w.reader, "from": w.first, "size": w.size, "root": b64url(w.root)}
            for w in written
        ]
        self.write(NODE, RELEASED, channels=channels)

    def entries(self) -> Iterator[Noted]:
        """All of it, oldest first. Raises `ValueError` at an entry that cannot be read."""
        return read_entries(self._logs, self._origin)

    def newest(self, before: int | None = None) -> Iterator[Noted]:
        """Those before a place, or all of them: the newest first. Raises `ValueError` as `entries`."""
        end = self._logs.size(self._origin)
        end = end if before is None else min(before, end)
        while end > 0:
            first = max(end - NEWEST, 0)
            page = list(enumerate(self._logs.entries(self._origin, first, end - first), first))
            yield from (_noted(number, data) for number, (data, _) in reversed(page))
            end = first

    def head(self) -> tuple[int, str]:
        """How many entries there are, and the root over them (base64url)."""
        size, root = self._logs.head(self._origin)
        return size, b64url(root)

    def had(self, size: int, root: str) -> bool:
        """Whether the diary still begins with what it was when this was its head."""
        try:
            return b64url(self._logs.root_at(self._origin, size)) == root
        except ValueError:  # it never was that long
            return False

    def place(self, number: int) -> str:
        """A place in the diary for somebody who may not know how many entries there are: it tells
        nothing, is always the same for the same place, and `number` reads it."""
        return b64url(self._places.encrypt(number.to_bytes(8, "big"), None))

    def number(self, place: str) -> int:
        """Raises `InputError` for what is no place."""
        try:
            return int.from_bytes(self._places.decrypt(unb64url(place), None), "big")
        except (ValueError, InvalidTag):
            raise InputError("this is no place in the audit log", do="begin at its end") from None

    def checkpoint(self) -> bytes | None:
        """The diary's signed head; None while nothing was ever written.

        Kept elsewhere (on paper, by an auditor) it shows later that nothing was cut off or changed.
        """
        return self._logs.checkpoint(self._origin)


def read_entries(logs: LogStore, origin: str) -> Iterator[Noted]:
    """Each entry of a diary's log, oldest first. Raises `ValueError` at one that cannot be read."""
    for first in range(0, logs.size(origin), PAGE):
        for number, (data, _) in enumerate(logs.entries(origin, first, PAGE), first):
            yield _noted(number, data)


def _noted(number: int, data: bytes) -> Noted:
    said = from_json(data)
    try:
        at, by, did = (str(said.pop(name)) for name in ("at", "by", "did"))
    except (AttributeError, KeyError) as e:
        raise ValueError(f"entry {number} of the diary is none") from e
    return Noted(number, at, by, did, said)
