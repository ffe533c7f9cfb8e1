"""The live picture for people of different clearance: one table for all that each of them may see.

A layer holds what the feeds of its marking and of every more open one have heard, and nothing else:
what a closed feed says of a craft is in no row, no column and no age of a layer below.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import polars as pl

from samsyn.tracks.table import TrackTable


class Layers:
    """order: the markings from open to closed. present: those that feeds have. marking_of: of a feed's
    name; what is none of `order` is as closed as can be."""

    def __init__(
        self, order: Sequence[str], present: Collection[str], marking_of: Callable[[str], str | None]
    ) -> None:
        self._order = tuple(order)
        self._marking_of = marking_of
        self._tables: dict[str, TrackTable] = {marking: TrackTable(smooth=True) for marking in present}

    def update(self, batch: pl.DataFrame) -> None:
        """Take in a batch (observations.schema); one thread only. Raises `LimitError` like a table."""
        feeds = {feed: self._rank(feed) for feed in batch["feed"].unique().to_list()}
        for rank in sorted(set(feeds.values())):
            self._open(rank)
        for marking, table in self._tables.items():
            seen = [feed for feed, rank in feeds.items() if rank <= self._order.index(marking)]
            if len(seen) == len(feeds):
                table.update(batch)
            elif seen:
                table.update(batch.filter(pl.col("feed").is_in(seen)))

    def upto(self, markings: Collection[str]) -> TrackTable:
        """The table of all that somebody may see who is cleared for these; empty where there is none."""
        mine = [marking for marking in self._tables if marking in markings]
        return self._tables[max(mine, key=self._order.index)] if mine else TrackTable(1)

    def _open(self, rank: int) -> None:
        """One that nobody announced holds what is below it only from then on."""
        if self._order[rank] not in self._tables:
            self._tables = {**self._tables, self._order[rank]: TrackTable(smooth=True)}

    def _rank(self, feed: str) -> int:
        marking = self._marking_of(feed)
        return self._order.index(marking) if marking in self._order else len(self._order) - 1
