"""Files of observations: what their names say, and which of them count.

    root/DAY/FEED/FIRST-LAST.HEARD-HEARD.parquet

DAY is that of the rows' own time (UTC), FEED the feed's name as a folder. FIRST-LAST are the numbers
of the pieces that a file holds: 7-7 is one piece as it was written, 0-7 is eight of them merged.
HEARD-HEARD says from when to when its rows were heard (microseconds UTC). A merged file counts in place
of the pieces that it holds, so a crash between writing it and deleting them neither loses nor doubles a
row.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from samsyn.base.clock import DAY_US
from samsyn.observations.schema import SCHEMA

STORED: Final[dict[str, type[pl.DataType]]] = {**SCHEMA, "heard_us": pl.Int64, "marking": pl.String}
"""The columns of a batch, and what only the store says: `heard_us`, when a row came in (each row has its
own, so that it tells the order of arrival too), and `marking`, that of its feed then."""

ROW_GROUP_ROWS: Final = 65_536  # what a reader can skip by its least and greatest value
PENDING: Final = ".pending"
TORN: Final = ".torn"
_NAME: Final = re.compile(r"(\d+)(?:-(\d+)\.(\d+)-(\d+))?\.parquet")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, order=True)
class Piece:
    """One file that counts. heard_us is None for a file from before arrivals were written down."""

    day: str
    folder: str
    first: int
    last: int
    heard_us: tuple[int, int] | None
    path: Path

    def heard_within(self, from_us: int | None, to_us: int | None) -> bool:
        """Whether it may hold rows heard from `from_us` until before `to_us`; None is no bound."""
        if self.heard_us is None:
            return True
        first_us, last_us = self.heard_us
        return (from_us is None or last_us >= from_us) and (to_us is None or first_us < to_us)


def pieces(
    root: Path, days: Collection[str] | None = None, folders: Collection[str] | None = None
) -> list[Piece]:
    """The files that count, by day, feed and number; of these days and feeds' folders, None: all."""
    found: list[Piece] = []
    for day in sorted(_folders(root)):
        if days is not None and day.name not in days:
            continue
        for feed in sorted(_folders(day)):
            if folders is None or feed.name in folders:
                found += in_folder(feed)
    return found


def in_folder(folder: Path) -> list[Piece]:
    """The files that count in the folder of one day and feed, in order of their numbers."""
    every = all_in_folder(folder)
    return [p for p in every if not any(holds(other, p) for other in every)]


def all_in_folder(folder: Path) -> list[Piece]:
    """Merged files and the pieces that they hold, in order of their first numbers."""
    found = []
    for name in _names(folder):
        if parts := _NAME.fullmatch(name):
            first, last = int(parts[1]), int(parts[2] or parts[1])
            heard_us = (int(parts[3]), int(parts[4])) if parts[3] else None
            found.append(Piece(folder.parent.name, folder.name, first, last, heard_us, folder / name))
    return sorted(found, key=lambda p: (p.first, p.last))


def holds(merged: Piece, piece: Piece) -> bool:
    """Whether `merged` counts in place of `piece`, another file of its folder."""
    wider = merged.last - merged.first > piece.last - piece.first
    return wider and merged.first <= piece.first and piece.last <= merged.last


def piece_name(first: int, last: int, heard_us: tuple[int, int]) -> str:
    return f"{first}-{last}.{heard_us[0]}-{heard_us[1]}.parquet"


def folder_name(feed: str) -> str:
    """A feed's name as a folder: other characters than letters, digits, - and _ become _."""
    return _UNSAFE.sub("_", feed)[:64] or "_"


def day_of(number: int) -> date:
    """The day with a number since 1970. Days outside the calendar (a time that is nonsense) are kept
    under its first and last day."""
    span = min(max(number, (date.min - _EPOCH).days), (date.max - _EPOCH).days)
    return _EPOCH + timedelta(days=span)


def days_between(from_us: int, to_us: int) -> set[str] | None:
    """Names of the days from `from_us` until before `to_us`; None where they are very many."""
    if to_us - from_us >= 4_000 * DAY_US:
        return None
    return {day_of(n).isoformat() for n in range(from_us // DAY_US, (to_us - 1) // DAY_US + 1)}


def write_whole(frame: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
    """A Parquet file that is there whole or not at all, and durable when this returns."""
    pending = path.with_name(path.name + PENDING)
    options: dict[str, Any] = {"compression": "zstd", "row_group_size": ROW_GROUP_ROWS}
    if isinstance(frame, pl.LazyFrame):
        frame.sink_parquet(pending, maintain_order=True, **options)
    else:
        frame.write_parquet(pending, **options)
    with pending.open("rb") as written:
        os.fsync(written.fileno())
    pending.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that came and went in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def ends_whole(path: Path) -> bool:
    """Whether a Parquet file has its footer (it ends with the format's four-byte mark)."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        return file.read() == b"PAR1"


def _folders(root: Path) -> list[Path]:
    try:
        with os.scandir(root) as found:
            return [Path(entry.path) for entry in found if entry.is_dir()]
    except FileNotFoundError:  # nothing was kept yet, or its time was over
        return []


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return [entry.name for entry in found]
    except FileNotFoundError:
        return []
