"""The node's own audit trail: who did what here, in a log that never leaves home.

Releases stand in the channels' logs; here stands what people and the node did to cause them.
"""

from __future__ import annotations

from typing import Any

from samsyn.base.clock import Clock, iso
from samsyn.base.database import Database
from samsyn.base.encoding import to_json
from samsyn.base.settings import Realm
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.log.store import LogStore
from samsyn.statements.keys import NodeKeys


def diary_origin(node: str, realm: Realm) -> str:
    """The log's name. The slash-free last part can be no reader's: names have no dot."""
    return f"samsyn.{node}/{realm}/.diary"


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

    def write(self, by: str, did: str, **what: str | int | bool | dict[str, Any]) -> None:
        """`by` (a person, a standing order, the node) `did` something: "withdraw", "sign-in", ..."""
        entry = {"at": iso(self._clock.now_us()), "by": by, "did": did, **what}
        with self._db.write():
            self._logs.append(self._origin, [(to_json(entry), b"")])
            size, root = self._logs.head(self._origin)
            note = sign_checkpoint(self._origin, size, root, self._keys.log)
            self._logs.set_checkpoint(self._origin, note)
