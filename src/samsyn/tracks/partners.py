"""Partners' live tracks, as long as they are fresh: shown beside our own and kept nowhere.

They never come near the watch, the observation store or the table of our own tracks.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.limits import FRAME_STALE_S
from samsyn.observations.craft import craft_text
from samsyn.tracks.released import COLUMNS, NO_CRAFT, RUNGS, nothing

_ORDER: Final = ("place", "heard_us")  # of one craft from several partners: the finest, then the newest


@dataclass(frozen=True)
class _Shown:
    rows: pl.DataFrame
    came_us: int  # wall time
    number: int  # of all frames shown


class PartnerTracks:
    """Thread-safe. wall: for how long a frame is shown. clock: the realm's, for the age of positions."""

    def __init__(self, wall: Clock, clock: Clock, *, exercise: bool) -> None:
        self.exercise = exercise
        self._wall = wall
        self._clock = clock
        self._lock = threading.Lock()
        self._shown: dict[str, _Shown] = {}
        self._count = 0
        self._merged: tuple[tuple[int, ...], pl.DataFrame] | None = None

    def show(self, partner: str, rows: pl.DataFrame, at_us: int) -> None:
        """Show these rows (`tracks.released`) in place of the partner's last ones.

        at_us: the partner's clock when they were cut; positions age from there, so that a partner
        whose clock is wrong is shown no older or younger than it is.
        """
        ahead_us = self._clock.now_us() - at_us
        heard_us = pl.min_horizontal(pl.col("heard_s") * SECOND_US, at_us) + ahead_us
        made = rows.with_columns(heard_us.alias("heard_us"), pl.lit(partner).alias("partner"))
        with self._lock:
            self._count += 1
            self._shown[partner] = _Shown(made, self._wall.now_us(), self._count)

    def drop(self, partner: str) -> None:
        """Show nothing of a partner any more."""
        with self._lock:
            self._shown.pop(partner, None)

    def rows(self) -> pl.DataFrame:
        """All fresh rows, of one craft one: the columns of `tracks.released`, `partner`, `heard_us` by
        our own clock."""
        stale_us = self._wall.now_us() - FRAME_STALE_S * SECOND_US
        with self._lock:
            fresh = [s for _, s in sorted(self._shown.items()) if s.came_us >= stale_us]
            key = tuple(s.number for s in fresh)
            if self._merged is None or self._merged[0] != key:
                self._merged = key, _merged([s.rows for s in fresh])
            return self._merged[1]

    def one(self, craft: int) -> dict[str, Any] | None:
        """What is shown of a craft, with the names that the table of our own tracks gives its columns;
        `partner` and the rung of `place` beside. None for one that no partner shows."""
        rows = self.rows().filter(pl.col("craft") == craft)
        if not rows.height:
            return None
        found = rows.row(0, named=True)
        said = {n: None if _absent(n, v) else v for n, v in found.items() if n in COLUMNS}
        heard_us = found["heard_us"]
        return {
            **said,
            "craft": craft_text(craft),
            "place": RUNGS[found["place"] - 1] if found["place"] else None,
            "on_ground": None if said["on_ground"] is None else bool(said["on_ground"]),
            "time_us": heard_us,
            "position_us": heard_us,
            "partner": found["partner"],
        }


def _merged(frames: list[pl.DataFrame]) -> pl.DataFrame:
    none = nothing().with_columns(pl.lit(0, pl.Int64).alias("heard_us"), pl.lit("").alias("partner"))
    rows = pl.concat([none, *frames])
    named = rows.filter(pl.col("craft") != NO_CRAFT).sort(*_ORDER, descending=True, maintain_order=True)
    named = named.unique("craft", keep="first", maintain_order=True)
    return pl.concat([rows.filter(pl.col("craft") == NO_CRAFT), named])


def _absent(name: str, value: Any) -> bool:
    nothing = COLUMNS[name].absent
    return nothing is not None and (value == nothing or value != value)
