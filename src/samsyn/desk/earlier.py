"""The picture of an earlier time: what this node held then, and what a partner had been given by then.

Nothing is made up for it: statements by when they came here, were widened and withdrawn; a partner's by
when they were written to its channel. What was purged since is gone from the past, too; that it was
there is told. Nobody sees more of the past than of now: a version above the clearance, or one of a
statement whose latest is, is not there, and no time tells of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec

from samsyn.channels.door import Door
from samsyn.statements.store import State, StatementStore, Stored
from samsyn.statements.times import Changes, Times

SHOWN: Final = 500  # statements, the newest ones of then
PAGE: Final = 500


class Then(NamedTuple):
    """One statement at an earlier time: the version of then, in its state of then.

    unknown: slots of that version that came later.
    """

    stored: Stored
    unknown: frozenset[str]


class Earlier:
    """Looks back in one realm's store; all times are the realm's."""

    def __init__(self, statements: StatementStore, times: Times, door: Door) -> None:
        self._statements = statements
        self._door = door
        self._times = times

    def held(self, at_us: int, markings: Collection[str], limit: int = SHOWN) -> list[Then]:
        """What was held at `at_us` and is within `markings`, the last that had come first."""
        found: dict[str, list[Stored]] = {}
        before = self._times.first_after(at_us)
        while len(found) < limit:
            page = self._statements.page(before=before, limit=PAGE, markings=markings)
            new = dict.fromkeys(s.jti for s in page if s.at_us <= at_us and s.jti not in found)
            versions = self._statements.versions_of(new)
            found |= {jti: versions[jti] for jti in new if _latest(versions[jti]).marking in markings}
            if len(page) < PAGE:
                break
            before = page[-1].id
        shown = list(found.values())[:limit]
        changes = self._times.of([stored.id for versions in shown for stored in versions])
        return [_then(versions, changes, at_us, markings) for versions in shown]

    def next_us(self, at_us: int, markings: Collection[str]) -> int | None:
        """When what is held changed next, as far as one may see; None: not since."""
        changes = (
            self._times.next_us(at_us, markings),
            self._door.next_us(at_us, lambda jti, ver: self._seen(jti, ver, markings)),
        )
        return min((us for us in changes if us is not None), default=None)

    def first_us(self, markings: Collection[str]) -> int | None:
        """When the first statement came that one may see; None while none has."""
        return self._times.first_us(markings)

    def _seen(self, jti: str, ver: int, markings: Collection[str]) -> bool:
        latest, given = self._statements.get(jti), self._statements.get(jti, ver)
        return all(stored is not None and stored.marking in markings for stored in (latest, given))


def _latest(versions: list[Stored]) -> Stored:
    """The version that the store gives where none is asked for."""
    return max(versions, key=lambda stored: (stored.state == "standing", stored.ver))


def _then(versions: list[Stored], changes: Changes, at_us: int, markings: Collection[str]) -> Then:
    """versions: all that are held of one statement, lowest first; one at least had come by then."""
    there = [
        (stored, changes.withdrawn(stored.id, at_us, stored.state == "withdrawn"))
        for stored in versions
        if stored.at_us <= at_us and stored.marking in markings
    ]
    stands = [stored for stored, withdrawn in there if not withdrawn]
    stored = stands[-1] if stands else there[-1][0]
    state: State = "standing" if stands else "withdrawn"
    return Then(msgspec.structs.replace(stored, state=state), changes.later(stored.id, at_us))
