"""What comes in changes what goes out: what others' statements, withdrawals and consents mean for what
was passed on, or may be now.

The acts are queued in the transaction in which the cause becomes durable. Nothing is decided here: the
door decides at its next tick. Where only some readers are concerned, only they are decided for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from samsyn.base.database import Database
from samsyn.channels.given import Account, Holding
from samsyn.channels.onward import consented
from samsyn.channels.outbox import Act, Outbox
from samsyn.channels.sources import Sources
from samsyn.policy import Cap
from samsyn.policy.rules import tells_at_most
from samsyn.statements.statement import Statement
from samsyn.statements.store import StatementStore, Stored
from samsyn.statements.through import rests, sound

_UNASKED: Final = ("circle", "free")
_Row = tuple[Act, str, int, bool, str | None]


class Ripples:
    """One realm's, of one node. Every method belongs into its caller's transaction."""

    def __init__(self, db: Database, statements: StatementStore, node: str) -> None:
        self._statements = statements
        self._account = Account(db)
        self._outbox = Outbox(db)
        self._sources = Sources(db, statements, node)

    def passed_on(self, jtis: Collection[str]) -> set[str]:
        """Those of `jtis` of which some reader was given something."""
        return self._account.given_of(jtis) if jtis else set()

    def arrived(self, statements: Sequence[Statement], passed_on: Collection[str]) -> None:
        """Foreign statements were kept; `passed_on` are those of which something had been passed on.

        Nearly all ask for a consent that there is not, and nothing is queued for them.
        """
        asking = [s for s in statements if s.onward not in _UNASKED]
        answered = self._sources.asked_about({s.jti for s in asking})
        rows: list[_Row] = [
            ("release", s.jti, s.ver, False, None)
            for s in statements
            if s.onward in _UNASKED or s.jti in answered or s.jti in passed_on
        ]
        if rows:
            self._outbox.put_many(rows)
        consents = [s for s in asking if s.kind == "consent"]
        for consent in consents:
            self._sources.note_consent(consent)
        self._reconsider(self._sources.abouts([s.jti for s in consents]) if consents else ())

    def withdrawn(self, jtis: Mapping[str, bool]) -> None:
        """Their originators have withdrawn these: id to whether with purge."""
        rows: list[_Row] = [
            ("withdraw", jti, 0, jtis[jti], None) for jti in sorted(self.passed_on(jtis.keys()))
        ]
        if rows:
            self._outbox.put_many(rows)
        if jtis:
            self._reconsider(self._sources.abouts(jtis.keys()))

    def way_ended(self, jti: str, originator: str, *, purge: bool) -> None:
        """Who passed a statement on to us has taken it back.

        What we passed on of it stays only where it rests on another way, and only with readers who
        were given no more than came by such ways.
        """
        ways = self._statements.ways([jti]).get(jti, [])
        if self.passed_on([jti]):
            if not rests(ways, originator):
                self._outbox.put("withdraw", jti, 0, purge=purge)
            elif purge:
                left = sound(ways, originator)
                beyond = {
                    given.reader
                    for _, given in self._account.entries(jti)
                    if given.cut
                    and not self._account.cut(given.cut).slots <= left.get(given.ver, frozenset())
                }
                rows: list[_Row] = [("withdraw", jti, 0, True, reader) for reader in sorted(beyond)]
                self._outbox.put_many(rows)
        self._reconsider(self._sources.abouts([jti]))

    def _reconsider(self, jtis: Iterable[str]) -> None:
        """Consents about these have come, changed or gone."""
        for jti in sorted(jtis):
            stored = self._statements.get(jti)
            statement = stored.statement if stored else None
            if stored is None or statement is None or stored.state != "standing":
                continue
            allowed = consented(self._sources.consents(jti, stored.iss))
            rows: list[_Row] = [
                ("release", name, ver, False, reader)
                for name, ver in [(jti, stored.ver), *self._made_of(jti)]
                for reader in sorted(allowed)
            ]
            if statement.onward == "ask":
                held = self._account.holdings([jti]).get(jti, {})
                rows += [
                    ("withdraw", jti, 0, True, reader)
                    for reader, holding in sorted(held.items())
                    if not holding.withdrawn and _beyond(stored, holding, allowed.get(reader))
                ]
            if rows:
                self._outbox.put_many(rows)

    def _made_of(self, jti: str) -> list[tuple[str, int]]:
        found = [self._statements.get(own) for own in sorted(self._sources.made_of(jti))]
        return [(stored.jti, stored.ver) for stored in found if stored is not None]


def _beyond(stored: Stored, holding: Holding, cap: Cap | None) -> bool:
    """Whether a reader has what no consent lets it have. That a consent has ended calls nothing back."""
    return cap is None or not all(
        tells_at_most(stored.kind, slot, cap.place, cap.time) for slot in holding.slots
    )
