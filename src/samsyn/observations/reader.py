"""Reading what is kept: by period, arrival, feed, craft and area. Nothing on disk is changed.

Another process may read while a node writes: pieces are only added, merged and, when their time is
over, deleted; a file that goes while it is being read is looked up again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from samsyn.observations.files import (
    STORED,
    Piece,
    days_between,
    ends_whole,
    folder_name,
    pieces,
)

log = logging.getLogger("samsyn.observations")

BATCH_ROWS: Final = 131_072  # aimed at in one batch of a long period
TRIES: Final = 3  # to read while files are merged

Area = tuple[float, float, float, float]  # west, south, east, north; degrees


@dataclass(frozen=True)
class Wanted:
    """Which rows; None is no bound. Spans hold their beginning and not their end.

    from_us, to_us:             the rows' own time.
    heard_from_us, heard_to_us: when they came in.
    feeds, not_feeds:           names of feeds, and of feeds that are left out.
    folders:                    where feeds lie (`files.folder_name`).
    markings:                   of their feeds when they came in; rows of which none was written down
                                are left out then.
    craft:                      keys (observations.craft).
    area:                       degrees; west > east crosses 180.
    """

    from_us: int | None = None
    to_us: int | None = None
    heard_from_us: int | None = None
    heard_to_us: int | None = None
    feeds: Collection[str] | None = None
    not_feeds: Collection[str] = ()
    folders: Collection[str] | None = None
    markings: Collection[str] | None = None
    craft: Collection[int] | None = None
    area: Area | None = None

    def rows(self) -> pl.Expr:
        """The condition on a row of `files.STORED`."""
        found = pl.lit(value=True)
        for low, high, name in (
            (self.from_us, self.to_us, "time_us"),
            (self.heard_from_us, self.heard_to_us, "heard_us"),
        ):
            if low is not None:
                found &= pl.col(name) >= low
            if high is not None:
                found &= pl.col(name) < high
        for values, name in ((self.feeds, "feed"), (self.craft, "craft"), (self.markings, "marking")):
            if values is not None:
                found &= pl.col(name).is_in(list(values))
        if self.not_feeds:
            found &= ~pl.col("feed").is_in(list(self.not_feeds))
        if self.area is not None:
            west, south, east, north = self.area
            lon = pl.col("lon")
            found &= pl.col("lat").is_between(south, north)
            found &= lon.is_between(west, east) if west <= east else (lon >= west) | (lon <= east)
        return found


class Observations:
    """What is on disk under one root. Threads may share it.

    A file that cannot be read is passed over; `torn` names it, and each is logged once.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.torn: set[Path] = set()
        self._whole: set[Path] = set()

    def read(self, wanted: Wanted, columns: Collection[str] = tuple(STORED)) -> pl.DataFrame:
        """The rows wanted, in order of arrival, with some columns of `files.STORED`."""
        every = [*dict.fromkeys([*columns, "heard_us"])]
        rows = self._collect(wanted, lambda lazy: lazy.select(*every))
        return rows.sort("heard_us", maintain_order=True).select(*columns)

    def batches(
        self,
        wanted: Wanted,
        columns: Collection[str] = tuple(STORED),
        rows: int = BATCH_ROWS,
    ) -> Iterator[pl.DataFrame]:
        """The same as `read`, in batches of about so many rows: memory stays bounded, however long the
        period. None is empty."""
        span = self._span(wanted)
        if span is None:
            return
        at_us, last_us = span
        width_us = rows  # rows have arrivals of their own, so these are no more rows than microseconds
        while at_us <= last_us:
            until_us = min(at_us + width_us, last_us + 1)
            part = replace(wanted, heard_from_us=at_us, heard_to_us=until_us)
            if width_us > rows and self.count(part) > 2 * rows:
                width_us //= 2
                continue
            batch = self.read(part, columns)
            if batch.height:
                yield batch
            if batch.height <= rows // 2:
                width_us *= 2
            at_us = until_us

    def arrivals(self, wanted: Wanted) -> tuple[int, int] | None:
        """When the first and the last of the rows wanted came in; None where there are none."""
        heard = (pl.col("heard_us").min().alias("first"), pl.col("heard_us").max().alias("last"))
        found = self._collect(wanted, lambda lazy: lazy.select(*heard))
        first, last = found.select(pl.col("first").min(), pl.col("last").max()).row(0)
        return None if first is None else (int(first), int(last))

    def _span(self, wanted: Wanted) -> tuple[int, int] | None:
        """Between which arrivals the rows wanted are, by the names of files; None: there are none."""
        files, held = self._now(wanted)
        spans = [piece.heard_us for piece in files if piece.heard_us is not None]
        spans += [(int(part["heard_us"][0]), int(part["heard_us"][-1])) for part in held]
        if any(piece.heard_us is None for piece in files) and (old := self.arrivals(wanted)):
            spans.append(old)
        if not spans:
            return None
        low, high = min(first for first, _ in spans), max(last for _, last in spans)
        return (
            low if wanted.heard_from_us is None else max(low, wanted.heard_from_us),
            high if wanted.heard_to_us is None else min(high, wanted.heard_to_us - 1),
        )

    def first_arrival(self, wanted: Wanted) -> int | None:
        """When the first of the rows wanted came in; quick where one of the oldest files has one."""
        files, held = self._now(wanted)
        for piece in sorted(files, key=lambda p: p.heard_us or (0, 0)):
            first = self._lazy([piece], wanted).select(pl.col("heard_us").min()).collect().item()
            if first is not None:
                return int(first)
        found = [part.filter(wanted.rows())["heard_us"] for part in held]
        return min((int(heard[0]) for heard in found if len(heard)), default=None)

    def feed_names(self, wanted: Wanted) -> list[str]:
        """The feeds that the rows wanted came by."""
        rows = self._collect(wanted, lambda lazy: lazy.select(pl.col("feed").unique()))
        return sorted(str(feed) for feed in rows["feed"].unique())

    def folders(self) -> list[str]:
        """The folders of all feeds of which something is kept (`files.folder_name`)."""
        return sorted({piece.folder for piece in pieces(self.root)})

    def _collect(self, wanted: Wanted, ask: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
        """What is asked of the rows on disk, and below it what is asked of each batch in memory."""
        left = TRIES
        while True:
            files, held = self._now(wanted)
            left -= 1
            try:
                found = [ask(self._lazy(files, wanted)).collect()]
            except FileNotFoundError:  # merged, or its time was over, since it was listed
                if not left:
                    raise
            except pl.exceptions.PolarsError:
                if not left or not self._find_torn(files):
                    raise
            else:
                found += [ask(part.lazy().filter(wanted.rows())).collect() for part in held]
                return pl.concat(found)

    def _now(self, wanted: Wanted) -> tuple[list[Piece], list[pl.DataFrame]]:
        """The files that may hold rows wanted, and batches not on disk yet, as of one instant."""
        return self._pieces(wanted), []

    def _lazy(self, files: list[Piece], wanted: Wanted) -> pl.LazyFrame:
        if not files:
            return pl.LazyFrame(schema=STORED)
        # files from before a column was there have it empty
        rows = pl.scan_parquet(
            [piece.path for piece in files], schema=STORED, missing_columns="insert", glob=False
        )
        if any(piece.heard_us is None for piece in files):
            rows = rows.with_columns(pl.col("heard_us").fill_null(pl.col("time_us")))
        return rows.select(*STORED).filter(wanted.rows())

    def count(self, wanted: Wanted) -> int:
        """How many rows are wanted."""
        return int(self._collect(wanted, lambda lazy: lazy.select(pl.len())).sum().item())

    def _pieces(self, wanted: Wanted) -> list[Piece]:
        """The files that may hold rows wanted and can be read."""
        days = None
        if wanted.from_us is not None and wanted.to_us is not None:
            days = days_between(wanted.from_us, wanted.to_us)
        folders = wanted.folders
        if folders is None and wanted.feeds is not None:
            folders = {folder_name(name) for name in wanted.feeds}
        return [
            piece
            for piece in pieces(self.root, days, folders)
            if piece.heard_within(wanted.heard_from_us, wanted.heard_to_us) and self._usable(piece.path)
        ]

    def _usable(self, path: Path) -> bool:
        if path in self._whole:
            return True
        if path in self.torn:
            return False
        try:
            whole = ends_whole(path)
        except FileNotFoundError:
            return False
        if not whole:
            self._note_torn(path)
            return False
        self._whole.add(path)
        return True

    def _find_torn(self, files: list[Piece]) -> bool:
        """Of files that could not be read together: which of them it is. False where it is none."""
        before = len(self.torn)
        for piece in files:
            try:
                self._lazy([piece], Wanted()).collect()
            except FileNotFoundError:
                continue
            except pl.exceptions.PolarsError:
                self._whole.discard(piece.path)
                self._note_torn(piece.path)
        return len(self.torn) > before

    def _note_torn(self, path: Path) -> None:
        if path not in self.torn:
            self.torn.add(path)
            log.warning("a file of observations is damaged and passed over: %s", path)
