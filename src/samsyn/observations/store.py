"""Observations on disk: Parquet by day and feed, kept for a while.

    root/2026-11-21/NAME/0.parquet, 1.parquet, ...

A file is written beside its place and renamed into it, so a crash leaves no half file. Rows still in
memory when the process dies are lost: an observation is nobody's word yet, and nothing acknowledged
them. The node calls `flush` every so often to bound that.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from samsyn.base import limits
from samsyn.base.clock import DAY_US
from samsyn.base.errors import InputError
from samsyn.observations.schema import SCHEMA, empty_batch

ROWS_PER_FILE: Final = 32 * limits.FEED_BATCH_ROWS
_EPOCH: Final = date(1970, 1, 1)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_PENDING = ".pending"


class ObservationStore:
    """The observations of one realm. Threads may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._held: dict[tuple[date, str], list[pl.DataFrame]] = {}
        self._rows_held: dict[tuple[date, str], int] = {}
        for left in root.glob(f"*/*/*{_PENDING}"):  # what a crash left half written
            left.unlink()

    def append(self, batch: pl.DataFrame) -> None:
        """Keep the rows of a batch; they reach the disk in bulk, or with `flush`."""
        if batch.is_empty():
            return
        if batch.schema != SCHEMA:
            raise ValueError("not a batch: other columns than observations.schema")
        with self._lock:
            for (day_number, feed), part in _by_day_and_feed(batch):
                key = (_day(day_number), folder_name(feed))
                self._held.setdefault(key, []).append(part)
                self._rows_held[key] = self._rows_held.get(key, 0) + part.height
                if self._rows_held[key] >= ROWS_PER_FILE:
                    self._write(key)

    def flush(self) -> None:
        """Write everything held in memory; durable when this returns."""
        with self._lock:
            for key in list(self._held):
                self._write(key)

    def scan(self, start_us: int, end_us: int, feeds: Collection[str] | None = None) -> pl.LazyFrame:
        """Rows with start_us <= time_us < end_us, those still in memory included; in no special order.

        Raises `InputError` naming the file where one on disk is damaged.
        """
        self.flush()
        folders = None if feeds is None else {folder_name(name) for name in feeds}
        days = (
            {d.isoformat() for d in _days(start_us, end_us)}
            if end_us - start_us < 4000 * DAY_US
            else None
        )
        files = [
            path
            for path in sorted(self.root.glob("*/*/*.parquet"))
            if (days is None or path.parent.parent.name in days)
            and (folders is None or path.parent.name in folders)
        ]
        for path in files:
            if not _ends_whole(path):
                raise InputError("a file of observations is damaged", where=str(path), do="move it away")
        if not files:
            return empty_batch().lazy()
        # files from before a column was there have it empty
        rows = pl.scan_parquet(files, schema=SCHEMA, missing_columns="insert").select(*SCHEMA)
        wanted = (pl.col("time_us") >= start_us) & (pl.col("time_us") < end_us)
        if feeds is not None:
            wanted &= pl.col("feed").is_in(list(feeds))
        return rows.filter(wanted)

    def drop_before(self, day: date) -> int:
        """Forget all days before `day` (UTC). Returns how many days went."""
        gone = 0
        with self._lock:
            for key in [k for k in self._held if k[0] < day]:
                del self._held[key], self._rows_held[key]
            for folder in sorted(self.root.glob("????-??-??")):
                if folder.name < day.isoformat():
                    shutil.rmtree(folder)
                    gone += 1
        return gone

    def _write(self, key: tuple[date, str]) -> None:
        parts = self._held.pop(key, [])
        self._rows_held.pop(key, None)
        if not parts:
            return
        day, feed = key
        folder = self.root / day.isoformat() / feed
        folder.mkdir(parents=True, exist_ok=True)
        number = max((int(p.stem) for p in folder.glob("*.parquet") if p.stem.isdigit()), default=-1) + 1
        pending = folder / f"{number}{_PENDING}"
        pl.concat(parts).write_parquet(pending, compression="zstd")
        with pending.open("rb") as written:
            os.fsync(written.fileno())
        pending.rename(folder / f"{number}.parquet")


def folder_name(feed: str) -> str:
    """A feed's name as a folder: other characters than letters, digits, - and _ become _."""
    return _UNSAFE.sub("_", feed)[:64] or "_"


def _by_day_and_feed(batch: pl.DataFrame) -> list[tuple[tuple[int, str], pl.DataFrame]]:
    day = pl.col("time_us") // DAY_US
    low, high = batch.select(day.min().alias("low"), day.max().alias("high")).row(0)
    if low == high and batch["feed"].n_unique() == 1:  # nearly always
        return [((low, batch["feed"][0]), batch)]
    parts = batch.with_columns(day.alias("_day")).partition_by(["_day", "feed"], as_dict=True)
    return [((int(d), str(feed)), part.drop("_day")) for (d, feed), part in parts.items()]


def _day(number: int) -> date:
    """Days outside the calendar (a time that is nonsense) are kept under its first and last day."""
    span = min(max(number, (date.min - _EPOCH).days), (date.max - _EPOCH).days)
    return _EPOCH + timedelta(days=span)


def _days(start_us: int, end_us: int) -> list[date]:
    return [_day(n) for n in range(start_us // DAY_US, (end_us - 1) // DAY_US + 1)]


def _ends_whole(path: Path) -> bool:
    """Whether a Parquet file has its footer (it ends with the format's four-byte mark)."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        return file.read() == b"PAR1"
