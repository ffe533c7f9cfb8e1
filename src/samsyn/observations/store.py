"""Observations on disk: Parquet by day and feed, kept for a while.

A file is written beside its place and renamed into it, so a crash leaves no half file (`files`). Rows
still in memory when the process dies are lost: an observation is nobody's word yet, and nothing
acknowledged them. The node calls `flush` every so often to bound that.

Each row is kept with the time at which it came in, by the realm's clock, and no two with the same: what
is read back comes in the very order in which the watch saw it, and as it was known at any instant.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from samsyn.base import limits
from samsyn.base.clock import DAY_US, HOUR_US
from samsyn.observations.files import (
    PENDING,
    Piece,
    all_in_folder,
    day_of,
    folder_name,
    piece_name,
    pieces,
    write_whole,
)
from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.schema import SCHEMA

ROWS_PER_FILE: Final = 32 * limits.FEED_BATCH_ROWS
BACK_US_MAX: Final = HOUR_US
"""A clock that goes back by less than this is waited for: arrivals go on where they were. By more, it
was wrong before, and is believed now."""

_Key = tuple[date, str]


class ObservationStore(Observations):
    """The observations of one realm, for the one process that writes them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._lock = threading.RLock()
        self._held: dict[_Key, list[pl.DataFrame]] = {}
        self._rows_held: dict[_Key, int] = {}
        self._heard_us = max((p.heard_us[1] for p in pieces(root) if p.heard_us), default=0)
        for left in root.glob(f"*/*/*{PENDING}"):  # what a crash left half written
            left.unlink()

    def append(self, batch: pl.DataFrame, now_us: int, marking: str | None = None) -> None:
        """Keep the rows of a batch; they reach the disk in bulk, or with `flush`.

        now_us: the realm's time. marking: that of their feed.
        """
        if batch.is_empty():
            return
        if batch.schema != SCHEMA:
            raise ValueError("not a batch: other columns than observations.schema")
        with self._lock:
            if now_us < self._heard_us - BACK_US_MAX:
                self._heard_us = now_us - 1
            begin_us = max(self._heard_us + 1, now_us)
            self._heard_us = begin_us + batch.height - 1
            heard = pl.int_range(begin_us, begin_us + batch.height, dtype=pl.Int64)
            batch = batch.with_columns(
                heard.alias("heard_us"), pl.lit(marking, pl.String).alias("marking")
            )
            for (day_number, feed), part in _by_day_and_feed(batch):
                key = (day_of(day_number), folder_name(feed))
                self._held.setdefault(key, []).append(part)
                self._rows_held[key] = self._rows_held.get(key, 0) + part.height
                if self._rows_held[key] >= ROWS_PER_FILE:
                    self._write(key)

    def flush(self) -> None:
        """Write everything held in memory; durable when this returns."""
        with self._lock:
            for key in list(self._held):
                self._write(key)

    def scan(self, start_us: int, end_us: int, feeds: Collection[str] | None = None) -> pl.DataFrame:
        """Batch of the rows with start_us <= time_us < end_us, those still in memory included, in
        order of arrival."""
        return self.read(Wanted(from_us=start_us, to_us=end_us, feeds=feeds), tuple(SCHEMA))

    def drop(self, folder: Path) -> bool:
        """Forget what lies in the folder of one day and feed, unless more of it is in memory."""
        with self._lock:
            if (date.fromisoformat(folder.parent.name), folder.name) in self._held:
                return False
            shutil.rmtree(folder)
            return True

    def folders(self) -> list[str]:
        with self._lock:
            return sorted({*super().folders(), *(folder for _, folder in self._held)})

    def _now(self, wanted: Wanted) -> tuple[list[Piece], list[pl.DataFrame]]:
        with self._lock:  # a batch must not be written between the two
            for key, parts in self._held.items():
                if len(parts) > 1:  # many small batches would be asked one by one, again and again
                    self._held[key] = [pl.concat(parts)]
            held = [
                parts[0]
                for (_, folder), parts in self._held.items()
                if wanted.folders is None or folder in wanted.folders
            ]
            return self._pieces(wanted), held

    def _write(self, key: _Key) -> None:
        parts = self._held.pop(key, [])
        self._rows_held.pop(key, None)
        if not parts:
            return
        day, feed = key
        folder = self.root / day.isoformat() / feed
        folder.mkdir(parents=True, exist_ok=True)
        number = max((piece.last for piece in all_in_folder(folder)), default=-1) + 1
        rows = pl.concat(parts)
        heard_us = (int(rows["heard_us"][0]), int(rows["heard_us"][-1]))
        write_whole(rows, folder / piece_name(number, number, heard_us))


def _by_day_and_feed(batch: pl.DataFrame) -> list[tuple[tuple[int, str], pl.DataFrame]]:
    day = pl.col("time_us") // DAY_US
    low, high = batch.select(day.min().alias("low"), day.max().alias("high")).row(0)
    if low == high and batch["feed"].n_unique() == 1:  # nearly always
        return [((low, batch["feed"][0]), batch)]
    parts = batch.with_columns(day.alias("_day")).partition_by(["_day", "feed"], as_dict=True)
    return [((int(d), str(feed)), part.drop("_day")) for (d, feed), part in parts.items()]
