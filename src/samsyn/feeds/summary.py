"""What is in a source, in a few figures: for `samsyn feed try`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from samsyn.base.clock import iso
from samsyn.formats.codes import TimeSource
from samsyn.observations.craft import (
    DOMAIN_AIR,
    DOMAIN_AIR_TRACK,
    DOMAIN_SEA,
    DOMAIN_SEA_TRACK,
    DOMAIN_SHIFT,
)
from samsyn.observations.plausible import Mark

_DOMAINS = {
    DOMAIN_SEA: "sea",
    DOMAIN_AIR: "air",
    DOMAIN_SEA_TRACK: "sea-track",
    DOMAIN_AIR_TRACK: "air-track",
}


class Summary:
    """Adds up batches."""

    def __init__(self) -> None:
        self.rows = 0
        self.positions = 0
        self._craft: set[int] = set()
        self._types: Counter[str] = Counter()
        self._marks: Counter[str] = Counter()
        self._time_sources: Counter[str] = Counter()
        self._first_us: int | None = None
        self._last_us: int | None = None
        self._area: tuple[float, float, float, float] | None = None  # west, south, east, north

    def add(self, batch: pl.DataFrame) -> None:
        """Take the rows of one batch into account."""
        if batch.is_empty():
            return
        self.rows += batch.height
        self._craft.update(batch["craft"].unique().to_list())
        for kind, count in _counted(batch["message_type"].drop_nulls()):
            self._types[str(kind)] += count
        for source, count in _counted(batch["time_source"].drop_nulls()):
            self._time_sources[TimeSource(source).name.lower()] += count
        for mark in Mark:
            count = int((batch["marks"] & int(mark) != 0).sum())
            if count:
                self._marks[(mark.name or "").lower().replace("_", "-")] += count
        times = batch["time_us"]
        first, last = int(times.min()), int(times.max())  # type: ignore[arg-type]  # not empty: checked
        self._first_us = first if self._first_us is None else min(first, self._first_us)
        self._last_us = last if self._last_us is None else max(last, self._last_us)
        self._add_area(batch.filter(pl.col("marks") == 0).select("lat", "lon").drop_nulls())

    def told(self) -> dict[str, Any]:
        """rows, positions, craft (and by domain), first and last time, area, and counts by type,
        mark and source of time; plain values that go into JSON."""
        domains = Counter(_DOMAINS[key >> DOMAIN_SHIFT] for key in self._craft)
        return {
            "rows": self.rows,
            "positions": self.positions,
            "craft": len(self._craft),
            "first": None if self._first_us is None else iso(self._first_us),
            "last": None if self._last_us is None else iso(self._last_us),
            "area": None if self._area is None else [round(edge, 4) for edge in self._area],
            "domains": dict(domains),
            "message_types": dict(self._types),
            "marks": dict(self._marks),
            "time_sources": dict(self._time_sources),
        }

    def _add_area(self, places: pl.DataFrame) -> None:
        self.positions += places.height
        if places.is_empty():
            return
        lat, lon = places["lat"].to_numpy(), places["lon"].to_numpy()
        west, south, east, north = float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())
        if self._area:
            west, south = min(west, self._area[0]), min(south, self._area[1])
            east, north = max(east, self._area[2]), max(north, self._area[3])
        self._area = (west, south, east, north)


def _counted(values: pl.Series) -> list[tuple[Any, int]]:
    counts = values.value_counts()
    return list(zip(counts[values.name].to_list(), counts["count"].to_list(), strict=True))
