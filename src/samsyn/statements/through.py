"""By which ways a statement came: from its originator directly, and through others who passed it on.

Most statements come from their originator alone; of those nothing is written here. Once another node
passes one on, every way of it has its rows: which versions and slots came by it, and whether it ended.

- What the originator itself withdraws is withdrawn, whoever else still passes it on.
- Who passed it on can end only its own way. The statement stands while a way is left.
- A purge by such a way takes what came by no other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

import msgspec

from samsyn.base.encoding import to_json
from samsyn.statements.reread import reread

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS through (
  jti TEXT NOT NULL, via TEXT NOT NULL, ver INTEGER NOT NULL, slots TEXT NOT NULL,
  early TEXT NOT NULL, ended INTEGER NOT NULL, late INTEGER NOT NULL, PRIMARY KEY (jti, via, ver)
) WITHOUT ROWID;
"""

Ended = Literal[0, 1, 2]
OPEN: Final[Ended] = 0
WITHDRAWN: Final[Ended] = 1
PURGED: Final[Ended] = 2


class Way(msgspec.Struct, frozen=True):
    """One version as it came by one way.

    late: it came when the statement had been passed on from here already. What was passed on rests on
    what was there before, or came from the originator; a late way may go in a circle and rest on
    ourselves. early: those of the slots that came when it had not.
    """

    via: str
    ver: int
    slots: frozenset[str]
    early: frozenset[str] = frozenset()
    ended: Ended = OPEN
    late: bool = False


Ways = Sequence[Way]


def ways_of(db: sqlite3.Connection, jtis: Collection[str]) -> dict[str, list[Way]]:
    """By statement; only of those that came through others too. One question for many."""
    rows = db.execute(
        "SELECT jti, via, ver, slots, early, ended, late FROM through"
        " WHERE jti IN (SELECT value FROM json_each(?)) ORDER BY jti, via, ver",
        (to_json(list(jtis)).decode(),),
    )
    found: dict[str, list[Way]] = {}
    for jti, via, ver, slots, early, ended, late in rows:
        way = Way(via, ver, _names(slots), _names(early), ended, bool(late))
        found.setdefault(jti, []).append(way)
    return found


_names = msgspec.json.Decoder(frozenset[str]).decode


def keep(db: sqlite3.Connection, jti: str, ways: Iterable[Way]) -> None:
    """Write ways down; of one that is there already, the slots of both, and it is as late as it was."""
    known = {(way.via, way.ver): way for way in ways_of(db, [jti]).get(jti, ())}
    for way in ways:
        before = known.get((way.via, way.ver), way)
        slots = way.slots | before.slots
        early = before.early if way.late else before.early | way.slots
        db.execute(
            "INSERT INTO through VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " slots = excluded.slots, early = excluded.early, ended = max(ended, excluded.ended)",
            (
                jti,
                way.via,
                way.ver,
                to_json(sorted(slots)).decode(),
                to_json(sorted(early)).decode(),
                way.ended,
                before.late,
            ),
        )


def end(db: sqlite3.Connection, jti: str, via: str, ended: Ended) -> None:
    """The way ends, for all versions that came by it."""
    db.execute("UPDATE through SET ended = max(ended, ?) WHERE jti = ? AND via = ?", (ended, jti, via))


def end_own(db: sqlite3.Connection, jti: str, ended: Ended) -> None:
    """The originator has withdrawn it, for good: `settle` and `rests` then ask for no other way. Those
    stay as they are: who passed it on may not have heard yet."""
    row = db.execute(
        "SELECT iss FROM statement JOIN through USING (jti) WHERE jti = ? LIMIT 1", (jti,)
    ).fetchone()
    if row:
        end(db, jti, row[0], ended)
        keep(db, jti, [Way(row[0], 0, frozenset(), ended=ended)])


def is_final(ways: Ways, originator: str) -> bool:
    """Whether what ended is ended for good: by its originator, of whom alone it came where there are no
    `ways`. What another passed on and took back may come again by a third."""
    return not ways or any(way.ended and way.via == originator for way in ways)


def settle(db: sqlite3.Connection, jti: str, originator: str, ways: Ways) -> None:
    """Make states and bodies what the ways leave of them."""
    final = max((way.ended for way in ways if way.via == originator), default=OPEN)
    live = {way.ver for way in ways if not way.ended} if final == OPEN else set()
    kept: dict[int, frozenset[str]] = {}
    if final != PURGED:
        for way in ways:
            if way.ended != PURGED:
                kept[way.ver] = kept.get(way.ver, frozenset()) | way.slots
    rows = db.execute("SELECT id, ver, body FROM statement WHERE jti = ?", (jti,)).fetchall()
    for id_, ver, body in rows:
        after = _cut(body, kept.get(ver))
        db.execute(
            "UPDATE statement SET state = ?, body = ? WHERE id = ?", (_state(ver, live), after, id_)
        )


def _state(ver: int, live: Collection[int]) -> str:
    """Of the versions that still stand somewhere the highest stands here; lower ones are superseded."""
    top = max(live, default=0)
    return "standing" if ver == top else "superseded" if ver < top else "withdrawn"


def _cut(body: bytes | None, slots: frozenset[str] | None) -> bytes | None:
    if body is None or slots is None:
        return None
    held = reread(body)
    if held.disclosures.keys() <= slots:
        return body
    return held.present(slots & held.disclosures.keys())


def sound(ways: Ways, originator: str) -> dict[int, frozenset[str]]:
    """By version, the slots that what was passed on may rest on: not those that may have come round."""
    found: dict[int, frozenset[str]] = {}
    for way in ways:
        if way.ended != PURGED:
            slots = way.slots if way.via == originator else way.early
            found[way.ver] = found.get(way.ver, frozenset()) | slots
    return found


def rests(ways: Ways, originator: str) -> bool:
    """Whether what was passed on still rests on something: a way that is open and was there before, or
    the originator's own; on nothing once the originator has withdrawn it."""
    if any(way.ended and way.via == originator for way in ways):
        return False
    return any(not way.ended and (not way.late or way.via == originator) for way in ways)
