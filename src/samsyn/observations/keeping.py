"""What becomes of files with time: many small ones become one, and what is over goes.

Nothing here is in the way of who writes or reads. A merged file is whole before it counts, and what it
holds is deleted only at the next step: whoever was reading it has read it by then.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from samsyn.base.clock import DAY_US
from samsyn.observations.files import (
    STORED,
    TORN,
    Piece,
    all_in_folder,
    day_of,
    ends_whole,
    holds,
    in_folder,
    piece_name,
    write_whole,
)
from samsyn.observations.store import ObservationStore

log = logging.getLogger("samsyn.observations")

PIECES_MAX: Final = 24  # of a day that is not over, before its small ones become one
SMALL_BYTES: Final = 8 << 20
MERGES: Final = 4  # in one step

KeepFor = Callable[[str, Collection[str]], int]


@dataclass(frozen=True)
class Done:
    """What one step did: files merged away, folders (of one day and feed) gone, files found damaged."""

    merged: int = 0
    gone: int = 0
    torn: int = 0


class Keeping:
    """keep_us: how long what lies in a feed's folder (`files.folder_name`) under some markings is kept
    after it came in; microseconds."""

    def __init__(self, store: ObservationStore, keep_us: KeepFor) -> None:
        self._store = store
        self._keep_us = keep_us
        self._held: set[Path] = set()  # files that a merged one holds, as of the last step
        self._markings: dict[Path, frozenset[str]] = {}

    def step(self, now_us: int) -> Done:
        """One look at every folder. `now_us` is the realm's time. Raises `OSError` (a full disk)."""
        merged = gone = torn = 0
        held: set[Path] = set()
        for folder in sorted(self._store.root.glob("????-??-??/*/")):
            if self._over(folder, now_us):
                gone += self._store.drop(folder)
                continue
            every = all_in_folder(folder)
            for piece in every:
                if any(holds(other, piece) for other in every):
                    if piece.path in self._held:
                        piece.path.unlink(missing_ok=True)
                    else:
                        held.add(piece.path)
            due = _due(in_folder(folder), now_us)
            if len(due) > 1 and merged < MERGES:
                merged += 1
                torn += self._merge(folder, due)
        self._held = held
        for day in self._store.root.glob("????-??-??/"):
            if not any(day.iterdir()):
                shutil.rmtree(day)
        return Done(merged, gone, torn)

    def _merge(self, folder: Path, due: list[Piece]) -> int:
        """Make one file of several whose numbers follow one another. Returns how many were damaged:
        those are put aside by name."""
        torn = [piece for piece in due if not _readable(piece)]
        for piece in torn:
            piece.path.rename(piece.path.with_name(piece.path.name + TORN))
            log.warning("a file of observations is damaged and put aside: %s", piece.path)
        good = [piece for piece in due if piece not in torn]
        if len(good) < 2:
            return len(torn)
        heard = [piece.heard_us for piece in good if piece.heard_us is not None]
        span_us = (min(h[0] for h in heard), max(h[1] for h in heard)) if heard else (0, 0)
        rows = pl.scan_parquet(
            [piece.path for piece in good], schema=STORED, missing_columns="insert", glob=False
        ).select(*STORED)
        rows = rows.with_columns(pl.col("heard_us").fill_null(pl.col("time_us")))
        write_whole(rows, folder / piece_name(good[0].first, good[-1].last, span_us))
        return len(torn)

    def _over(self, folder: Path, now_us: int) -> bool:
        """Whether all of a folder came in longer ago than it is kept."""
        files = all_in_folder(folder)
        newest_us = max((_came_us(piece) for piece in files), default=None)
        if newest_us is None:  # states of full hours, or nothing
            newest_us = _end_us(folder.parent.name)
        return newest_us + self._keep_us(folder.name, self._marked(folder, files)) <= now_us

    def _marked(self, folder: Path, files: list[Piece]) -> frozenset[str]:
        """The markings of what lies in a folder, each file read once."""
        found: set[str] = set()
        for piece in files:
            if piece.path not in self._markings:
                self._markings[piece.path] = _markings_in(piece.path)
            found |= self._markings[piece.path]
        return frozenset(found)


def _due(files: list[Piece], now_us: int) -> list[Piece]:
    """Of the files of a folder those to be made one: all when its day is over, else the small ones at
    the end of many."""
    if files and _end_us(files[0].day) <= now_us and all(_came_us(p) + DAY_US <= now_us for p in files):
        return files
    if len(files) <= PIECES_MAX:
        return []
    at = len(files)
    while at and files[at - 1].path.stat().st_size < SMALL_BYTES:
        at -= 1
    return files[at:]


def _came_us(piece: Piece) -> int:
    """When the last row of a file came in; where nobody wrote it down, when its day was over."""
    return piece.heard_us[1] if piece.heard_us is not None else _end_us(piece.day)


def _end_us(day: str) -> int:
    return ((date.fromisoformat(day) - day_of(0)).days + 1) * DAY_US


def _markings_in(path: Path) -> frozenset[str]:
    try:
        rows = pl.scan_parquet(path, schema=STORED, missing_columns="insert", glob=False)
        found = rows.select(pl.col("marking").unique()).collect()["marking"]
    except (pl.exceptions.PolarsError, FileNotFoundError):
        return frozenset()
    return frozenset(found.drop_nulls().to_list())


def _readable(piece: Piece) -> bool:
    """Whether every byte of a file can be read."""
    try:
        if not ends_whole(piece.path):
            return False
        pl.scan_parquet(piece.path, glob=False).select(pl.all().hash().sum()).collect()
    except pl.exceptions.PolarsError:
        return False
    return True
