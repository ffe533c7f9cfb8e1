"""What still counts of all that was heard until a full hour: kept, so that no question reads a day.

    root/DAY/FEED/HH.state        DAY and HH of when rows were heard; Parquet

A state is some of the rows themselves, unchanged: of each craft its newest row, and for each column the
newest that had it. Read in order of arrival, followed by what was heard since, they give the same track
table as all rows from the beginning.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from samsyn.base.clock import DAY_US, HOUR_US
from samsyn.observations.files import STORED, day_of, ends_whole, pieces, write_whole
from samsyn.observations.plausible import Mark
from samsyn.observations.reader import Observations, Wanted
from samsyn.tracks.state import SEA_SHOWN_US
from samsyn.tracks.table import POSITION_MARKS

SPAN_US: Final = SEA_SHOWN_US
"""A craft that was silent for longer is in no state: the picture does not show it."""
NOT_AHEAD: Final = ((pl.col("marks") & int(Mark.BAD_TIME)) == 0) | (
    pl.col("time_us") <= pl.col("heard_us")
)
"""A row from a clock that ran ahead was not shown (`node.intake`)."""
_HOURS_OF_A_FILE: Final = 48  # looked at of one file: more is a clock that jumped

_NAME: Final = re.compile(r"(\d\d)\.state")
_KEYS: Final = ("craft", "feed", "marking")
_ALWAYS: Final = ("time_us", "craft", "feed", "originator", "exercise", "marks", "heard_us", "marking")
_ONCE: Final = tuple(name for name in STORED if name not in (*_ALWAYS, "lat", "lon"))


def still_counts(rows: pl.DataFrame, at_us: int) -> pl.DataFrame:
    """Of rows in order of arrival (`files.STORED`), those that a state at `at_us` holds."""
    heard, placed = pl.col("heard_us"), pl.col("lat").is_not_null()
    doubted = (pl.col("marks") & POSITION_MARKS) != 0
    latest = pl.col("time_us").cum_max().over(*_KEYS)
    rows = rows.filter(NOT_AHEAD).filter(pl.col("time_us") == latest)  # what came late changed nothing
    wanted = rows.group_by(*_KEYS).agg(
        heard.last().alias("newest"),
        pl.coalesce(heard.filter(placed & ~doubted).last(), heard.filter(placed).first()).alias("place"),
        *(heard.filter(pl.col(name).is_not_null()).last().alias(name) for name in _ONCE),
        pl.col("time_us").last().alias("_last_us"),
    )
    wanted = wanted.filter(pl.col("_last_us") > at_us - SPAN_US)
    picked = wanted.select(pl.concat_list("newest", "place", *_ONCE)).to_series().explode().unique()
    return rows.filter(heard.is_in(picked.drop_nulls().implode()))


def state_before(observations: Observations, folder: str, at_us: int) -> tuple[int, pl.DataFrame | None]:
    """The newest state of a feed's folder from `SPAN_US` before `at_us` or later: of when it is, and
    its rows. Without one: that instant itself, and None."""
    hour = at_us // HOUR_US
    for number in range(hour, hour - SPAN_US // HOUR_US, -1):
        path = _path(observations.root, folder, number)
        if path.is_file() and ends_whole(path):
            try:
                rows = pl.read_parquet(path, schema=STORED, missing_columns="insert")
            except (pl.exceptions.PolarsError, FileNotFoundError):  # damaged, or its time is over:
                continue  # the rows themselves are read instead
            return number * HOUR_US, rows.select(*STORED)
    return at_us - SPAN_US, None


def keep_states(observations: Observations, upto_us: int, most: int) -> int:
    """Write the states that are missing of the full hours until `upto_us`, at most so many; each
    rests on the one before it. Returns how many were written."""
    done = 0
    for folder, number in _missing(observations, upto_us):
        if done >= most:
            break
        at_us = number * HOUR_US
        from_us, before = state_before(observations, folder, at_us - HOUR_US)
        heard = Wanted(heard_from_us=from_us, heard_to_us=at_us, folders=(folder,))
        rows = observations.read(heard)
        if before is not None:
            rows = pl.concat([before, rows])
        path = _path(observations.root, folder, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(still_counts(rows, at_us), path)
        done += 1
    return done


def _missing(observations: Observations, upto_us: int) -> list[tuple[str, int]]:
    """Folder and hour of each state that is not there, although something was heard in its hour."""
    last = upto_us // HOUR_US
    wanted: set[tuple[str, int]] = set()
    for piece in pieces(observations.root):
        if piece.heard_us is not None:
            first_us, last_us = piece.heard_us
            end = min(last_us // HOUR_US + 1, last)
            hours = range(max(first_us // HOUR_US + 1, end - _HOURS_OF_A_FILE), end + 1)
            wanted |= {(piece.folder, number) for number in hours}
    there = {
        (path.parent.name, _number(path.parent.parent.name, int(found[1])))
        for path in observations.root.glob("*/*/*.state")
        if (found := _NAME.fullmatch(path.name)) is not None
    }
    return sorted(wanted - there, key=lambda one: one[1])


def _path(root: Path, folder: str, number: int) -> Path:
    """Of the state at the end of an hour: it lies with the hour before, of which it is made."""
    heard = number - 1
    day, hour = divmod(heard, DAY_US // HOUR_US)
    return root / day_of(day).isoformat() / folder / f"{hour:02}.state"


def _number(day: str, hour: int) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * 24 + hour + 1
