"""Tracks as they stood at an instant that is over, made again from what is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from samsyn.base import limits
from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US
from samsyn.base.errors import InputError
from samsyn.observations.craft import craft_text, in_air
from samsyn.observations.files import STORED
from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.schema import SCHEMA
from samsyn.tracks.frame import BoundingBox, frame
from samsyn.tracks.hours import NOT_AHEAD, state_before
from samsyn.tracks.table import POSITION_MARKS, TrackTable

AHEAD_US: Final = 5 * MINUTE_US  # read at once, for a replay that goes on from there
GAP_SEA_US: Final = 30 * MINUTE_US  # a trail breaks where its craft was silent for longer than this:
GAP_AIR_US: Final = 2 * MINUTE_US  # ships report every three minutes at anchor, aircraft every second
TIME_US_MAX: Final = 1 << 62
UPDATE_ROWS: Final = 262_144  # a table takes no more craft at once than half of all that it may hold
POINT: Final = ("time_us", "lat", "lon", "altitude_ft", "speed_kn", "course_deg", "heading_deg")


@dataclass(frozen=True)
class Sight:
    """What one person may see of the past.

    markings: of a feed when its rows came in. closed: feeds whose marking is stricter by now.
    """

    markings: frozenset[str]
    closed: frozenset[str]

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of some rows (observations.files.STORED) that may be seen."""
        seen = pl.col("marking").is_in(list(self.markings))
        return rows.filter(seen & ~pl.col("feed").is_in(list(self.closed)))


@dataclass
class _Held:
    """A table as of an instant, and rows heard after it, read ahead until another."""

    sight: Sight
    table: TrackTable
    at_us: int
    ahead: pl.DataFrame
    ahead_us: int


class PastTracks:
    """Thread-safe; answers one question at a time, so that replays cannot take the node's cores.

    A few tables stay in memory where the last questions left them: to go on from there costs only
    the rows between.
    """

    def __init__(self, observations: Observations) -> None:
        self._observations = observations
        self._lock = threading.Lock()
        self._held: list[_Held] = []  # last used last

    def frame(self, at_us: int, bbox: BoundingBox, sight: Sight, now_us: int) -> bytes:
        """`tracks.frame.frame` as it was at `at_us`: of what had been heard then, with its ages then.

        Of what is not over at `now_us` there is no past: the frame is that of `now_us`.
        """
        at_us = max(min(at_us, now_us), 0)
        with self._lock:
            held = self._table(at_us, sight, now_us)
            return frame(held.table, bbox, at_us)

    def trail(
        self, craft: int, from_us: int, to_us: int, sight: Sight, known_us: int | None = None
    ) -> dict[str, Any]:
        """Where one craft was from `from_us` until before `to_us`, by its own times.

        known_us: leave out what came in only after this. Positions that physics forbids are left out
        and counted.

        {craft, from_us, to_us, exercise: bool, points: {time_us, lat, lon, altitude_ft, speed_kn,
        course_deg, heading_deg: lists of one length, None where absent}, breaks: places in them at
        which a new part begins after a silence, rows: how many there were, doubted: how many were
        left out}. Of more than `limits.TRAIL_POINTS` rows so many are given, evenly taken. Raises
        `InputError` for a span that is empty or longer than `limits.TRAIL_SPAN_S`.
        """
        span_us = limits.TRAIL_SPAN_S * SECOND_US
        if not 0 < to_us - from_us <= span_us or not 0 <= from_us < TIME_US_MAX:
            days = limits.TRAIL_SPAN_S // 86_400
            raise InputError(
                f"a trail is of a span of at most {days} days",
                where="from, to",
                do="ask for a shorter span",
            )
        wanted = Wanted(
            from_us=from_us,
            to_us=to_us,
            heard_to_us=None if known_us is None else known_us + 1,
            craft=(craft,),
            markings=sight.markings,
            not_feeds=sight.closed,
        )
        with self._lock:
            rows = self._observations.read(wanted, (*POINT, "marks", "exercise"))
        return _trail(craft, from_us, to_us, rows)

    def begins_us(self, sight: Sight) -> int | None:
        """When the first row came in that is kept and may be seen; None where there is none."""
        wanted = Wanted(markings=sight.markings, not_feeds=sight.closed)
        return self._observations.first_arrival(wanted)

    def forget(self) -> None:
        """Let go of what is held in memory: rows of it may have been deleted."""
        with self._lock:
            self._held.clear()

    def _table(self, at_us: int, sight: Sight, now_us: int) -> _Held:
        near = [h for h in self._held if h.sight == sight and 0 <= at_us - h.at_us <= HOUR_US]
        if near:
            held = max(near, key=lambda h: h.at_us)
            self._held.remove(held)
        else:
            held = self._made(at_us, sight)
        self._held.append(held)
        del self._held[: -limits.PAST_TABLES]
        self._go_on(held, at_us, now_us)
        return held

    def _made(self, at_us: int, sight: Sight) -> _Held:
        """A table of the last full state of each feed, and what was heard since then."""
        parts, since = [], dict[int, list[str]]()
        for folder in self._observations.folders():
            from_us, rows = state_before(self._observations, folder, at_us)
            if rows is not None:
                parts.append(rows)
            since.setdefault(from_us, []).append(folder)
        for from_us, folders in since.items():
            heard = Wanted(heard_from_us=from_us, heard_to_us=at_us + 1, folders=folders)
            parts.append(self._observations.read(heard))
        table = TrackTable()
        for rows in _in_order(sight.of(pl.concat([pl.DataFrame(schema=STORED), *parts]))):
            table.update(rows)
        return _Held(sight, table, at_us, pl.DataFrame(schema=STORED), at_us)

    def _go_on(self, held: _Held, at_us: int, now_us: int) -> None:
        """Take in what was heard until `at_us`."""
        if at_us > held.ahead_us:
            # what comes in after now is not there to be read
            until_us = min(at_us + AHEAD_US, now_us)
            heard = Wanted(heard_from_us=held.ahead_us + 1, heard_to_us=until_us + 1)
            more = held.sight.of(self._observations.read(heard))
            held.ahead, held.ahead_us = pl.concat([held.ahead, more]), until_us
        due = int(held.ahead["heard_us"].search_sorted(at_us, side="right"))
        for rows in _in_order(held.ahead[:due]):
            held.table.update(rows)
        held.ahead, held.at_us = held.ahead[due:], at_us


def _in_order(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Batches (observations.schema) in order of arrival, as a table has to see them that gets at once
    what it then got little by little: without rows that came after a newer one of their craft, and
    without doubted positions where there was another."""
    newest = pl.col("time_us").cum_max().over("craft")
    rows = rows.sort("heard_us").filter(NOT_AHEAD).filter(pl.col("time_us") == newest)
    doubted = (pl.col("marks") & POSITION_MARKS) != 0
    if rows.select(doubted.any()).item():
        there = pl.col("lat").is_not_null().cum_sum().over("craft") > 1
        keep = pl.when(~(doubted & there))
        rows = rows.with_columns(keep.then("lat"), keep.then("lon"))
    yield from rows.select(*SCHEMA).iter_slices(UPDATE_ROWS)


def _trail(craft: int, from_us: int, to_us: int, rows: pl.DataFrame) -> dict[str, Any]:
    placed = rows.filter(pl.col("lat").is_not_null() & pl.col("lon").is_not_null())
    good = placed.filter((pl.col("marks") & POSITION_MARKS) == 0)
    good = good.sort("time_us", maintain_order=True)
    breaks = breaks_in(good["time_us"].to_numpy(), craft)
    if good.height > limits.TRAIL_POINTS:
        at = np.unique(np.linspace(0, good.height - 1, limits.TRAIL_POINTS).round().astype(np.int64))
        shown = good[at]
        breaks = sorted({int(np.searchsorted(at, b)) for b in breaks})
    else:
        shown = good
    return {
        "craft": craft_text(craft),
        "from_us": from_us,
        "to_us": to_us,
        "exercise": bool(good["exercise"].any()),
        "points": shown.select(*POINT).to_dict(as_series=False),
        "breaks": breaks,
        "rows": good.height,
        "doubted": placed.height - good.height,
    }


def breaks_in(time_us: Any, craft: int) -> list[int]:
    """Places at which a craft's times (an array, ascending) go on after a gap."""
    gap_us = GAP_AIR_US if in_air(craft) else GAP_SEA_US
    return [int(at) + 1 for at in np.flatnonzero(np.diff(time_us) > gap_us)]
