"""Objects of other systems become statements of ours, told under the name of their source.

What is signed is that we hold these objects from that source. Each object is taken once: the ledger
keeps by its id which source gave it, in which version, by which creator, and in which statement
it stands. So the same document again changes nothing, a newer version is the next version of that
statement. What is gone at its source goes from everybody: its statement is withdrawn with a purge, and
the others in it are told anew. An id belongs to the source, and to the creator, that used it first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, Literal

import msgspec

from samsyn.base import limits
from samsyn.base.database import Database
from samsyn.base.encoding import to_json
from samsyn.base.errors import ConfigError
from samsyn.desk.pen import Pen, Signing
from samsyn.feeds.objects import marking_of
from samsyn.formats.foreign import Foreign, Problem, as_said, room_of, strict
from samsyn.statements.marking import MARKINGS
from samsyn.statements.statement import Draft
from samsyn.statements.store import StatementStore, Stored
from samsyn.subjects import reference
from samsyn.subjects.common import SUBJECTS

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS imported (
  object TEXT PRIMARY KEY, source TEXT NOT NULL, version_us INTEGER NOT NULL, creator TEXT NOT NULL,
  digest BLOB NOT NULL, jti TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS imported_source ON imported (source);
CREATE INDEX IF NOT EXISTS imported_jti ON imported (jti);
CREATE TABLE IF NOT EXISTS import_place (source TEXT PRIMARY KEY, after TEXT NOT NULL) WITHOUT ROWID;
"""

_CREATORS_TOLD: Final = 8  # of one statement, in its slot `sources`
_ROOM_BYTES: Final = 46_000  # of the objects of one statement: they are one slot


class ImportSource(msgspec.Struct, frozen=True, kw_only=True):
    """Who gives, and what we make of it. marking: of objects that say nothing of their handling.
    creators: whose objects it may give; none: anybody's."""

    name: str
    format: Literal["stix", "misp"]
    marking: str = MARKINGS[-1]
    onward: str = "no"
    category: str = "cyber"
    creators: frozenset[str] = frozenset()

    def check(self) -> None:
        """Raises `ConfigError`."""
        where = f"import from {self.name}"
        if self.marking not in MARKINGS:
            raise ConfigError(f"{self.marking!r} is no marking", where=where)
        if self.category not in SUBJECTS:
            raise ConfigError(f"{self.category!r} is no subject", where=where)
        if not 0 < len(self.name) <= 100:
            raise ConfigError("a source needs a name of at most 100 characters", where=where)


class Taken(msgspec.Struct):
    """What came of objects, by what was done with each; and of statements. Adds up."""

    objects: Counter[str] = msgspec.field(default_factory=Counter)  # new, changed, same, older, gone
    refused: Counter[str] = msgspec.field(default_factory=Counter)  # by reason
    statements: int = 0  # signed, further versions too
    withdrawn: int = 0
    problems: list[Problem] = msgspec.field(default_factory=list)  # the first ones word for word

    def refuse(self, problem: Problem) -> None:
        self.refused[problem.reason] += 1
        if len(self.problems) < limits.FEED_PROBLEMS_KEPT:
            self.problems.append(problem)


class _Row(msgspec.Struct, gc=False):
    """What the ledger has of one object. jti: None once it is gone."""

    source: str
    version_us: int
    creator: str
    digest: bytes
    jti: str | None


class _Work:
    """What one batch changes, before anything of it is written."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}  # by object: new ones, and those as they are to be
        self.fresh: dict[str, Foreign] = {}  # by object: they go into new statements
        self.out: dict[str, set[bytes]] = {}  # by statement: what leaves it
        self.purge: set[str] = set()  # statements of which something must go from everybody
        self.into: dict[str, dict[str, Foreign]] = {}  # by statement and object: what takes its place


class Importer:
    """One realm's."""

    def __init__(self, db: Database, statements: StatementStore, pen: Pen, *, exercise: bool) -> None:
        self._db = db
        self._statements = statements
        self._pen = pen
        self._exercise = exercise

    def take(
        self, source: ImportSource, found: Iterable[Foreign | Problem], *, by: str, taken: Taken
    ) -> Iterator[int]:
        """Take objects, some thousand in one transaction each; gives how many were looked at after each.

        What is not taken is told to `taken`, and nothing of it is kept.
        """
        batch: list[Foreign] = []
        for one in found:
            if isinstance(one, Problem):
                taken.refuse(one)
                continue
            batch.append(one)
            if len(batch) >= limits.IMPORT_BATCH_OBJECTS:
                self._take(source, batch, by, taken)
                yield len(batch)
                batch = []
        if batch:
            self._take(source, batch, by, taken)
            yield len(batch)

    def complete(self, source: ImportSource, seen: Collection[str], *, by: str, taken: Taken) -> None:
        """What the source gave before and is not among `seen` is gone."""
        rows = self._db.read().execute(
            "SELECT object FROM imported WHERE source = ? AND jti IS NOT NULL", (source.name,)
        )
        missing = sorted({object_ for (object_,) in rows} - set(seen))
        for at in range(0, len(missing), limits.IMPORT_BATCH_OBJECTS):
            with self._db.write():
                part = missing[at : at + limits.IMPORT_BATCH_OBJECTS]
                work = _Work()
                for object_, row in self._known(part).items():
                    self._leave(work, object_, row, row.version_us, taken)
                self._write(source, work, by, taken)

    def place(self, source: str) -> str:
        """Up to where a collection was read; "" for one of which nothing was."""
        row = self._db.read().execute("SELECT after FROM import_place WHERE source = ?", (source,))
        found = row.fetchone()
        return str(found[0]) if found else ""

    def set_place(self, source: str, after: str) -> None:
        with self._db.write() as db:
            db.execute("INSERT OR REPLACE INTO import_place VALUES (?, ?)", (source, after))

    def _take(self, source: ImportSource, batch: Sequence[Foreign], by: str, taken: Taken) -> None:
        with self._db.write():
            work = _Work()
            work.rows = self._known([one.id for one in batch])
            before = {id_: row.digest for id_, row in work.rows.items()}
            for one in batch:
                reason = self._judge(source, one, work, taken)
                if reason:
                    taken.refuse(Problem(reason, one.id))
            changed = {id_: row for id_, row in work.rows.items() if before.get(id_) != row.digest}
            work.rows = {**changed, **{i: r for i, r in work.rows.items() if r.jti is None}}
            self._write(source, work, by, taken)

    def _judge(self, source: ImportSource, one: Foreign, work: _Work, taken: Taken) -> str:
        """Why an object is not taken, or ""; and what is to be done with it into `work`."""
        if source.creators and one.creator and one.creator not in source.creators:
            return "creator"
        if one.room_bytes > _ROOM_BYTES or len(one.text) > reference.OBJECT_CHARACTERS:
            return "too-large"
        row = work.rows.get(one.id)
        if row is None:
            if one.removed:
                taken.objects["gone"] += 1
                return ""
            work.rows[one.id] = _Row(source.name, one.version_us, one.creator, one.digest, "")
            work.fresh[one.id] = one
            taken.objects["new"] += 1
            return ""
        if one.digest == row.digest and not one.removed:
            taken.objects["same"] += 1
            return ""
        if source.name != row.source:
            return "another-source"
        if one.version_us and one.version_us < row.version_us:
            taken.objects["older"] += 1
            return ""
        if one.creator != row.creator:
            return "another-creator"
        if one.removed:
            self._leave(work, one.id, row, one.version_us, taken)
            return ""
        if one.version_us and one.version_us == row.version_us:
            return "twice" if one.id in work.fresh else "changed"
        self._replace(work, one, row)
        taken.objects["changed"] += 1
        return ""

    def _replace(self, work: _Work, one: Foreign, row: _Row) -> None:
        if row.jti:
            work.out.setdefault(row.jti, set()).add(row.digest)
            work.into.setdefault(row.jti, {})[one.id] = one
        else:  # it came in this batch, or was gone and is there again
            work.fresh[one.id] = one
        row.version_us, row.digest, row.jti = one.version_us, one.digest, row.jti or ""

    def _leave(self, work: _Work, id_: str, row: _Row, version_us: int, taken: Taken) -> None:
        if row.jti is None:
            taken.objects["same"] += 1
            return
        if row.jti:
            work.out.setdefault(row.jti, set()).add(row.digest)
            work.purge.add(row.jti)
            work.into.get(row.jti, {}).pop(id_, None)
        work.fresh.pop(id_, None)
        row.version_us, row.jti = version_us, None
        work.rows[id_] = row
        taken.objects["gone"] += 1

    def _write(self, source: ImportSource, work: _Work, by: str, taken: Taken) -> None:
        signings: list[Signing] = []
        told: list[tuple[list[str], int]] = []  # which objects stand in which signing
        for jti in sorted(work.out):
            stored = self._statements.get(jti)
            into = work.into.get(jti, {})
            if stored is None or stored.state != "standing" or stored.statement is None:
                continue  # a person withdrew it: what came of it stays gone
            stay = self._stay(source, stored, work.out[jti], into)
            work.fresh |= {one.id: one for one in into.values()}
            if jti in work.purge or not stay:
                self._pen.withdraw(jti, purge=True, why=f"gone at {source.name}", by=by)
                taken.withdrawn += 1
            if not stay:
                continue
            slots = {**stored.statement.slots, "body.objects": [text for text, _ in stay]}
            slots["title"] = _title(source, len(stay), slots["tags"])
            draft = self._draft(source, stored.marking, slots)
            told.append(([id_ for _, id_ in stay], len(signings)))
            if jti in work.purge:  # a further version would leave the earlier one with who holds it
                for id_, row in self._known([id_ for _, id_ in stay]).items():
                    work.rows.setdefault(id_, row)
                signings.append(Signing(draft, None, 1))
            else:
                signings.append(Signing(draft, jti, stored.ver + 1))
        for marking, part in _packed(source, work.fresh.values()):
            told.append(([one.id for one in part], len(signings)))
            signings.append(Signing(self._draft(source, marking, _slots(source, part)), None, 1))
        if signings:
            signed = self._pen.sign_many(signings, by=by, did="import", source=source.name)
            taken.statements += len(signed)
            for ids, n in told:
                for id_ in ids:
                    if id_ in work.rows:
                        work.rows[id_].jti = signed[n].jti
        self._keep(work.rows)

    def _stay(
        self, source: ImportSource, stored: Stored, out: set[bytes], into: dict[str, Foreign]
    ) -> list[tuple[str, str]]:
        """The objects that a statement is to hold from now on, each with its id. What fits in is taken
        out of `into`."""
        rows = self._db.read().execute(
            "SELECT digest, object FROM imported WHERE jti = ?", (stored.jti,)
        )
        ids = dict(rows.fetchall())
        held = stored.statement
        stay: list[tuple[str, str]] = []
        for text in held.slots["body.objects"] if held else []:
            digest = _digest(text)
            if digest not in out:
                stay.append((text, ids[digest]))
        room_bytes = sum(room_of(text) for text, _ in stay)
        for one in list(into.values()):
            room_bytes += one.room_bytes
            if marking_of(one, source.marking) == stored.marking and room_bytes <= _ROOM_BYTES:
                stay.append((one.text, into.pop(one.id).id))
        return stay

    def _draft(self, source: ImportSource, marking: str, slots: dict[str, Any]) -> Draft:
        onward = "no" if marking == MARKINGS[-1] else source.onward
        return Draft(
            kind=reference.NAME, marking=marking, onward=onward, exercise=self._exercise, slots=slots
        )

    def _known(self, objects: Collection[str]) -> dict[str, _Row]:
        rows = self._db.read().execute(
            "SELECT object, source, version_us, creator, digest, jti FROM imported"
            " WHERE object IN (SELECT value FROM json_each(?))",
            (to_json(list(objects)).decode(),),
        )
        return {row[0]: _Row(*row[1:]) for row in rows}

    def _keep(self, rows: dict[str, _Row]) -> None:
        with self._db.write() as db:
            db.executemany(
                "INSERT OR REPLACE INTO imported (object, source, version_us, creator, digest, jti)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                ((id_, r.source, r.version_us, r.creator, r.digest, r.jti) for id_, r in rows.items()),
            )


def _packed(source: ImportSource, fresh: Iterable[Foreign]) -> Iterator[tuple[str, list[Foreign]]]:
    """Objects by statement: of one marking, one type, one bundle, as many as fit."""
    groups: dict[tuple[str, str, str], list[Foreign]] = {}
    for one in fresh:
        type_ = one.type if not one.bundle else ""
        groups.setdefault((marking_of(one, source.marking), type_, one.bundle), []).append(one)
    for (marking, _, _), found in groups.items():
        part: list[Foreign] = []
        room_bytes = 0
        for one in found:
            if part and (
                room_bytes + one.room_bytes > _ROOM_BYTES or len(part) >= limits.IMPORT_TOGETHER
            ):
                yield marking, part
                part, room_bytes = [], 0
            part.append(one)
            room_bytes += one.room_bytes
        yield marking, part


def _slots(source: ImportSource, part: Sequence[Foreign]) -> dict[str, Any]:
    tags = list(dict.fromkeys(tag for one in part for tag in one.tags))[:32]
    creators = sorted({one.creator for one in part if one.creator})[:_CREATORS_TOLD]
    return {
        "title": _title(source, len(part), tags),
        "sources": [source.name, *creators],
        "tags": tags,
        "body.source": source.name,
        "body.format": source.format,
        "body.category": source.category,
        "body.objects": [one.text for one in part],
    }


def _title(source: ImportSource, count: int, tags: Sequence[str]) -> str:
    """Says nothing of what the objects say: it may go where they may not."""
    what = tags[1] if source.format == "stix" and len(tags) > 1 else source.format
    return f"{source.name}: {count} {what}"[:200]


def _digest(text: str) -> bytes:
    data = text.encode()
    return as_said(data, strict(data))[1]
