"""How long bodies are kept: the duty that travels with a statement, and our own rules; the earlier wins.

A statement of a partner whose time is over loses its body here; hash, id and version stay. Where we
had passed it on, it is first withdrawn from those who got it through us, and goes when that is
written. A statement of our own is withdrawn from all, with purge, once the last day that it names for
itself has passed: we said that nobody would hold it longer, and that includes those whom we gave it.

A little at each tick: the store is gone through from one end to the other, again and again, so a rule
that is changed takes hold without any list to be made anew. But nothing goes when it is come by: a
reader could count what lies between two of its statements by the time between their ends. What ends
within a day is remembered, and goes with all else that ends at that instant; what is found too
late goes with all that was found too late, at the end of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from samsyn.base import limits
from samsyn.base.clock import DAY_US, Clock, parse_iso
from samsyn.base.database import Database
from samsyn.base.settings import RetentionRule
from samsyn.channels.given import Account
from samsyn.channels.outbox import Outbox
from samsyn.desk.diary import NODE, Diary
from samsyn.statements.expired import Expired
from samsyn.statements.statement import Statement
from samsyn.statements.store import StatementStore, Stored

AHEAD_US: Final = DAY_US
"""How long beforehand an end is remembered: going once through a store has to take less."""


class Done(msgspec.Struct, frozen=True):
    """What one step let go of: bodies purged here, statements whose withdrawal was queued."""

    expired: int = 0
    withdrawn: int = 0


def until_us(
    stored: Stored, statement: Statement, rules: Sequence[RetentionRule], keep_personal_us: int
) -> int | None:
    """When a body must be gone (microseconds UTC); None: nothing ends it.

    The end of its day `retain_until`, or, for what others said, of the first of our own rules to end,
    whichever comes first. Personal data that names no day of its own is kept for `keep_personal_us`.
    """
    ends = []
    if statement.retain_until is not None:
        ends.append(parse_iso(f"{statement.retain_until}T00:00:00Z") + DAY_US)
    elif statement.personal:
        ends.append(stored.at_us + keep_personal_us)
    if stored.received_from is not None:
        ends += [stored.at_us + rule.keep_us() for rule in rules if _speaks_of(rule, stored)]
    return min(ends, default=None)


def _speaks_of(rule: RetentionRule, stored: Stored) -> bool:
    wanted = ((rule.marking, stored.marking), (rule.kind, stored.kind))
    return all(
        said in ("", found) for said, found in (*wanted, (rule.received_from, stored.received_from))
    )


class Retention:
    """Goes through one realm's statements. `clock` is the realm's."""

    def __init__(
        self,
        db: Database,
        statements: StatementStore,
        expired: Expired,
        outbox: Outbox,
        diary: Diary,
        *,
        rules: Sequence[RetentionRule],
        keep_personal_us: int,
        clock: Clock,
    ) -> None:
        self._db = db
        self._statements = statements
        self._expired = expired
        self._account = Account(db)
        self._outbox = outbox
        self._diary = diary
        self._rules = rules
        self._keep_personal_us = keep_personal_us
        self._clock = clock
        self._after = 0
        self._coming: dict[tuple[str, int], int] = {}  # (jti, ver): when it ends
        self._late: set[tuple[str, int]] = set()  # had ended when it was found

    def step(self) -> Done:
        """Look at the next few bodies. Durable when this returns; where bodies expired, the write-ahead
        log still has them (`Door.scrub`)."""
        now_us = self._clock.now_us()
        found = self._statements.bodies(self._after, limits.RETENTION_SLICE)
        for stored in found:
            self._note(stored, now_us)
        names = {name for name, end_us in self._coming.items() if end_us <= now_us}
        if not found:  # the end of the store
            names |= self._late
            self._late = set()
        self._after = found[-1].id if found else 0
        if not names:
            return Done()
        for name in names:
            self._coming.pop(name, None)
        return self._let_go(self._still_due(names, now_us), now_us)

    def _note(self, stored: Stored, now_us: int) -> None:
        name, end_us = (stored.jti, stored.ver), self._end_us(stored)
        if end_us is None or end_us > now_us + AHEAD_US:
            self._coming.pop(name, None)
        elif end_us > now_us or name in self._coming:
            self._coming[name] = end_us
        else:
            self._late.add(name)

    def _end_us(self, stored: Stored) -> int | None:
        statement = stored.statement
        if statement is None:
            return None
        return until_us(stored, statement, self._rules, self._keep_personal_us)

    def _still_due(self, names: Iterable[tuple[str, int]], now_us: int) -> list[Stored]:
        """Those of the versions whose time is over and of which there is a body."""
        due = []
        for stored in sorted(self._statements.get_many(list(names)), key=lambda stored: stored.id):
            end_us = self._end_us(stored)
            if end_us is not None and end_us <= now_us:
                due.append(stored)
        return due

    def _let_go(self, due: Sequence[Stored], now_us: int) -> Done:
        with self._db.write():
            gone: list[tuple[str, int]] = []
            withdrawn = 0
            for stored in due:
                if stored.received_from is None:
                    withdrawn += self._withdraw(stored)
                elif readers := self._readers(stored.jti):
                    withdrawn += self._withdraw(stored, readers)
                else:
                    gone.append((stored.jti, stored.ver))
            expired = self._expired.expire(gone, now_us, "retention")
            if expired or withdrawn:
                self._diary.write(NODE, "expire", bodies=expired, withdrawn=withdrawn)
        return Done(expired, withdrawn)

    def _withdraw(self, stored: Stored, readers: Sequence[str] = ()) -> int:
        """Queue it; only a statement's latest version speaks for it."""
        latest = self._statements.get(stored.jti)
        if latest is None or latest.ver != stored.ver:
            return 0
        acts = [("withdraw", stored.jti, stored.ver, True, reader) for reader in readers or (None,)]
        self._outbox.put_many(acts)  # type: ignore[arg-type]
        return 1

    def _readers(self, jti: str) -> list[str]:
        """Who was given it through us and was not told to purge it."""
        held = self._account.holdings([jti]).get(jti, {})
        return sorted(reader for reader, holding in held.items() if not holding.purged)
