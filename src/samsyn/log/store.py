"""Append-only logs in SQLite: entries in bundles, hashes in tiles, one row of state a log.

What the tables promise each other, and `audit` checks:

- `log.frontier` is the right edge of the tree of `log.size` leaves: appending reads nothing else.
- `log_bundle` rows of a log lie end to end from 0 to `size`; one append writes one row.
- `log_tile` at level L holds, 256 to a row, the hashes of the complete subtrees of height 8 L
  (the tiles of C2SP tlog-tiles): a proof reads a few rows, however long the log is.

Everything of one append is written in one transaction, the caller's where there is one, so a crash
leaves the log as it was before or after and starting again needs no repair.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from samsyn.base.database import Database
from samsyn.base.errors import Refused
from samsyn.log import merkle
from samsyn.log.checkpoint import parse_checkpoint
from samsyn.log.note import parse_note

SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
  name TEXT PRIMARY KEY, size INTEGER NOT NULL, frontier BLOB NOT NULL, checkpoint BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_bundle (
  log TEXT NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
  leaves BLOB NOT NULL, private BLOB NOT NULL, PRIMARY KEY (log, first)
);
CREATE TABLE IF NOT EXISTS log_tile (
  log TEXT NOT NULL, level INTEGER NOT NULL, tile INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY (log, level, tile)
);
CREATE TABLE IF NOT EXISTS log_cosignature (
  log TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, note BLOB NOT NULL,
  PRIMARY KEY (log, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_cosigned (
  log TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, at_s INTEGER NOT NULL,
  PRIMARY KEY (log, name, size)
) WITHOUT ROWID;
"""

Entry = tuple[bytes, bytes]  # leaf: what the reader sees and hashes; private: what stays home

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode


class Audit(msgspec.Struct, frozen=True):
    """What recomputing a log from its leaves found. No problems: the log is what it says."""

    log: str
    size: int
    root: bytes
    problems: tuple[str, ...]


class LogStore:
    """All logs of one database. Reads see what is committed, and the caller's own open transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def names(self) -> list[str]:
        return [row[0] for row in self._db.read().execute("SELECT name FROM log ORDER BY name")]

    def append(self, log: str, entries: Sequence[Entry]) -> int:
        """Add entries at the end, durably once the caller's transaction is. Returns the new size."""
        with self._db.write() as db:
            frontier = _frontier(db, log)
            if not entries:
                return frontier.size
            first = frontier.size
            leaves, private = zip(*entries, strict=True)
            frontier.extend(map(merkle.leaf_hash, leaves))
            db.execute(
                "INSERT INTO log_bundle VALUES (?, ?, ?, ?, ?)",
                (log, first, len(entries), _pack(leaves), _pack(private)),
            )
            for level, hashes in frontier.grown.items():
                _write_tiles(db, log, level, first >> merkle.TILE_HEIGHT * level, hashes)
            db.execute(
                "INSERT INTO log VALUES (?, ?, ?, NULL) ON CONFLICT (name) DO UPDATE "
                "SET size = excluded.size, frontier = excluded.frontier",
                (log, frontier.size, frontier.pack()),
            )
            return frontier.size

    def size(self, log: str) -> int:
        """Number of entries; 0 for a log that nothing was ever written to."""
        row = self._db.read().execute("SELECT size FROM log WHERE name = ?", (log,)).fetchone()
        return int(row[0]) if row else 0

    def root(self, log: str) -> bytes:
        """The Merkle tree hash over all entries."""
        return _frontier(self._db.read(), log).root()

    def head(self, log: str) -> tuple[int, bytes]:
        """Size and root of one and the same moment."""
        frontier = _frontier(self._db.read(), log)
        return frontier.size, frontier.root()

    def entries(self, log: str, first: int, count: int) -> list[Entry]:
        """At most `count` entries from index `first` on, `(leaf, private)` each."""
        rows = self._db.read().execute(
            "SELECT first, leaves, private FROM log_bundle WHERE log = ? AND first >= coalesce("
            "(SELECT max(first) FROM log_bundle WHERE log = ? AND first <= ?), 0) "
            "AND first < ? ORDER BY first",
            (log, log, first, first + count),
        )
        found: list[Entry] = []
        for start, leaves, private in rows:
            begin = max(first - start, 0)
            pairs = zip(_unpack(leaves)[begin:], _unpack(private)[begin:], strict=True)
            found.extend(pairs)
        return found[:count]

    def consistency(self, log: str, old: int, new: int) -> list[bytes]:
        """Proof that size `old` begins size `new`. Raises `ValueError` for sizes the log never had."""
        tiles = self._tiles(log, new)
        return merkle.consistency(old, new, tiles.range_hash)

    def inclusion(self, log: str, index: int, size: int) -> list[bytes]:
        """Audit path of entry `index` at `size`. Raises `ValueError` where there is no such entry."""
        tiles = self._tiles(log, size)
        return merkle.inclusion(index, size, tiles.range_hash)

    def root_at(self, log: str, size: int) -> bytes:
        """The root that the log had at an earlier size. Raises `ValueError` for one it never had."""
        tiles = self._tiles(log, size)
        return tiles.range_hash(0, size) if size else merkle.EMPTY_ROOT

    def frontier_at(self, log: str, size: int) -> merkle.Frontier:
        """The right edge that the log had at an earlier size. Raises `ValueError` as `root_at`."""
        tiles = self._tiles(log, size)
        edge = merkle.complete_subtrees(0, size)
        return merkle.Frontier(size, [tiles.subtree(*place) for place in edge])

    def _tiles(self, log: str, size: int) -> _Tiles:
        if size > self.size(log):
            raise ValueError(f"the log {log} has never had {size} entries")
        return _Tiles(self._db.read(), log)

    def set_checkpoint(self, log: str, note: bytes) -> None:
        """Keep the log's latest signed checkpoint."""
        with self._db.write() as db:
            db.execute(
                "INSERT INTO log VALUES (?, 0, x'', ?) "
                "ON CONFLICT (name) DO UPDATE SET checkpoint = excluded.checkpoint",
                (log, note),
            )

    def checkpoint(self, log: str) -> bytes | None:
        row = self._db.read().execute("SELECT checkpoint FROM log WHERE name = ?", (log,)).fetchone()
        return bytes(row[0]) if row and row[0] is not None else None

    def add_cosignature(
        self, log: str, name: str, size: int, note: bytes, at_s: int | None = None
    ) -> None:
        """Keep a cosignature that the caller has checked; an older one never replaces a newer.

        at_s: when the witness signed it; the first time for each size is remembered for good.
        Raises `ValueError` for a size that the log never had.
        """
        with self._db.write() as db:
            if size > _frontier(db, log).size:
                raise ValueError(f"a cosignature of {name} at {size}, which {log} has not reached")
            db.execute(
                "INSERT INTO log_cosignature VALUES (?, ?, ?, ?) ON CONFLICT (log, name) DO UPDATE "
                "SET size = excluded.size, note = excluded.note WHERE excluded.size >= size",
                (log, name, size, note),
            )
            if at_s is not None:
                db.execute(
                    "INSERT INTO log_cosigned VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (log, name, size, at_s),
                )

    def cosigned_times(self, log: str, name: str) -> list[tuple[int, int]]:
        """Each size that a witness has cosigned and when it first did (seconds UTC), by size."""
        rows = self._db.read().execute(
            "SELECT size, at_s FROM log_cosigned WHERE log = ? AND name = ? ORDER BY size", (log, name)
        )
        return [(int(size), int(at_s)) for size, at_s in rows]

    def cosigned(self, log: str) -> dict[str, int]:
        """The largest size that each witness has cosigned."""
        rows = self._db.read().execute("SELECT name, size FROM log_cosignature WHERE log = ?", (log,))
        return {str(name): int(size) for name, size in rows}

    def cosignature(self, log: str, name: str) -> bytes | None:
        """The note that carries the cosignature counted in `cosigned`."""
        row = (
            self._db.read()
            .execute("SELECT note FROM log_cosignature WHERE log = ? AND name = ?", (log, name))
            .fetchone()
        )
        return bytes(row[0]) if row else None

    def audit(self, log: str) -> Audit:
        """Recompute the whole log from its leaves and compare all that is stored with that.

        Signatures are the caller's to check: keys are not known here.
        """
        db = self._db.read()
        frontier = merkle.Frontier()
        problems: list[str] = []
        stated = set(self._stated(log, problems))
        roots = {0: merkle.EMPTY_ROOT} if 0 in stated else {}
        for first, count, leaves in db.execute(
            "SELECT first, count, leaves FROM log_bundle WHERE log = ? ORDER BY first", (log,)
        ):
            try:
                bundle = _unpack(leaves)
            except msgspec.DecodeError:
                problems.append(f"the bundle of entries from {first} on cannot be read")
                continue
            if first != frontier.size or count != len(bundle):
                problems.append(f"entries {frontier.size} to {first} are missing or doubled")
            for leaf in bundle:
                frontier.append(merkle.leaf_hash(leaf))
                if frontier.size in stated:
                    roots[frontier.size] = frontier.root()
        row = db.execute("SELECT size, frontier FROM log WHERE name = ?", (log,)).fetchone()
        if row is None or row[0] != frontier.size or row[1] != frontier.pack():
            problems.append("the stored size or root is not that of the entries")
        problems += _wrong_tiles(db, log, frontier.grown)
        problems += self._wrong_heads(log, roots)
        return Audit(log, frontier.size, frontier.root(), tuple(problems))

    def _stated_notes(self, log: str) -> list[tuple[str, bytes]]:
        notes = [("the checkpoint", self.checkpoint(log) or b"")]
        rows = self._db.read().execute("SELECT name, note FROM log_cosignature WHERE log = ?", (log,))
        return [n for n in [*notes, *((f"the cosignature of {a}", bytes(b)) for a, b in rows)] if n[1]]

    def _stated(self, log: str, problems: list[str]) -> list[int]:
        found = []
        for what, note in self._stated_notes(log):
            try:
                found.append(parse_checkpoint(parse_note(note).text).size)
            except Refused as e:
                problems.append(f"{what} cannot be read: {e}")
        return found

    def _wrong_heads(self, log: str, roots: dict[int, bytes]) -> list[str]:
        found = []
        for what, note in self._stated_notes(log):
            try:
                head = parse_checkpoint(parse_note(note).text)
            except Refused:
                continue  # reported where the sizes were collected
            if roots.get(head.size) != head.root:
                found.append(f"{what} states another root at size {head.size}")
        return found


class _Tiles:
    """Subtree hashes of one log, read as needed; lives for one proof."""

    def __init__(self, db: sqlite3.Connection, log: str) -> None:
        self._db = db
        self._log = log
        self._read: dict[tuple[int, int], bytes] = {}

    def range_hash(self, begin: int, end: int) -> bytes:
        parts = [self.subtree(*s) for s in merkle.complete_subtrees(begin, end)]
        found = parts.pop()
        while parts:
            found = merkle.node_hash(parts.pop(), found)
        return found

    def subtree(self, height: int, index: int) -> bytes:
        level, above = divmod(height, merkle.TILE_HEIGHT)
        first = index << above  # in hashes of that level
        tile, at = divmod(first, merkle.TILE)
        hashes = self._tile(level, tile)[
            at * merkle.HASH_BYTES : (at + (1 << above)) * merkle.HASH_BYTES
        ]
        return merkle.root_of(merkle.split_hashes(hashes))

    def _tile(self, level: int, tile: int) -> bytes:
        if (level, tile) not in self._read:
            row = self._db.execute(
                "SELECT hashes FROM log_tile WHERE log = ? AND level = ? AND tile = ?",
                (self._log, level, tile),
            ).fetchone()
            self._read[level, tile] = row[0] if row else b""
        return self._read[level, tile]


def _frontier(db: sqlite3.Connection, log: str) -> merkle.Frontier:
    row = db.execute("SELECT size, frontier FROM log WHERE name = ?", (log,)).fetchone()
    return merkle.Frontier.unpack(row[0], row[1]) if row else merkle.Frontier()


def _write_tiles(db: sqlite3.Connection, log: str, level: int, first: int, hashes: list[bytes]) -> None:
    """Lay `hashes` from index `first` of `level` on into tiles; the first may be half full already."""
    at = 0
    while at < len(hashes):
        tile, used = divmod(first + at, merkle.TILE)
        part = b"".join(hashes[at : at + merkle.TILE - used])
        db.execute(
            "INSERT INTO log_tile VALUES (?, ?, ?, ?) ON CONFLICT (log, level, tile) DO UPDATE "
            "SET hashes = CAST(hashes || excluded.hashes AS BLOB)",
            (log, level, tile, part),
        )
        at += merkle.TILE - used


def _wrong_tiles(db: sqlite3.Connection, log: str, levels: dict[int, list[bytes]]) -> list[str]:
    found = []
    want = {
        (level, i // merkle.TILE): b"".join(hashes[i : i + merkle.TILE])
        for level, hashes in levels.items()
        for i in range(0, len(hashes), merkle.TILE)
    }
    rows = db.execute("SELECT level, tile, hashes FROM log_tile WHERE log = ?", (log,))
    for level, tile, hashes in rows:
        if want.pop((level, tile), None) != hashes:
            found.append(f"tile {tile} of level {level} is not what the entries give")
    found += [f"tile {tile} of level {level} is missing" for level, tile in want]
    return found
