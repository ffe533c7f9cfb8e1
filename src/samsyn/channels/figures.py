"""How it stands with each reader, in figures: sent, applied, waiting, withdrawn, purged."""

from __future__ import annotations

import threading
from typing import Final

import msgspec

from samsyn.base.database import Database
from samsyn.channels.given import Account
from samsyn.channels.outbox import Outbox

NAMES: Final = ("sent", "applied", "held", "withdrawn", "purges", "purged")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """sent, applied: entries of the reader's channel, and those that it has signed to have applied.
    held: versions whose release waits for a delay to end, or for a suspended reader to be served again,
    and acts for this reader alone that are not written yet. withdrawn: statements withdrawn from it;
    purges: of these, how many it was told to forget; purged: of these, how many it has signed for.
    """

    sent: int
    applied: int
    held: int
    withdrawn: int
    purges: int
    purged: int


class Standings:
    """Counts them for one realm. What was withdrawn is read once, then only what was added to it."""

    def __init__(self, db: Database, account: Account) -> None:
        self._account = account
        self._outbox = Outbox(db)
        self._lock = threading.Lock()
        self._read_to = 0
        # by reader, then statement: the entry that told of a purge, None where none did
        self._withdrawn: dict[str, dict[str, int | None]] = {}

    def of(self, reader: str, sent: int, applied: int) -> Figures:
        withdrawn = self._withdrawn_from(reader)
        purges = [entry for entry in withdrawn.values() if entry is not None]
        return Figures(
            sent=sent,
            applied=applied,
            held=self._account.pending(reader) + self._outbox.waiting(reader),
            withdrawn=len(withdrawn),
            purges=len(purges),
            purged=sum(entry < applied for entry in purges),
        )

    def _withdrawn_from(self, reader: str) -> dict[str, int | None]:
        with self._lock:
            found, self._read_to = self._account.withdrawals(self._read_to)
            for jti, given in found:
                held = self._withdrawn.setdefault(given.reader, {})
                if held.get(jti) is None:
                    held[jti] = given.index if given.purge else None
            return dict(self._withdrawn.get(reader, {}))
