"""The columns of a live track as a partner may get it: the one table that sender and receiver share.

There are no nulls: what is absent, was not heard or may not be had is one and the same value, so that
nobody can tell which of the three it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

NO_CRAFT: Final = -1
EXACT: Final = 4
RUNGS: Final = ("region", "area", "spot", "exact")  # their codes in `place`: 1 to 4; 0: no place
NO_CODE: Final = 255
NO_SQUAWK: Final = 65_535


@dataclass(frozen=True)
class Column:
    """One column: its type, the value that says nothing, the range of all others, and what it holds."""

    dtype: type[pl.DataType]
    absent: Any  # None: always there
    least: float
    most: float
    meaning: str


COLUMNS: Final = {
    "craft": Column(pl.Int64, NO_CRAFT, 1 << 32, (3 << 32) - 1, "domain << 32 | number"),
    "domain": Column(pl.UInt8, None, 1, 2, "1 sea, 2 air"),
    "place": Column(pl.UInt8, None, 0, 4, "0 none, 1 region, 2 area, 3 spot, 4 exact"),
    "lat": Column(pl.Float64, np.nan, -90, 90, "deg WGS 84; of a coarse place the centre of its cell"),
    "lon": Column(pl.Float64, np.nan, -180, 180, "deg WGS 84; of a coarse place the centre of its cell"),
    "heard_s": Column(
        pl.Int64, None, 0, 1 << 40, "s since 1970 UTC: time of the position, rounded down"
    ),
    "altitude_ft": Column(pl.Float32, np.nan, -10_000, 1_000_000, "ft"),
    "speed_kn": Column(pl.Float32, np.nan, 0, 10_000, "kn over ground"),
    "course_deg": Column(pl.Float32, np.nan, 0, 360, "deg true, over ground"),
    "heading_deg": Column(pl.Float32, np.nan, 0, 360, "deg"),
    "vertical_rate_fpm": Column(pl.Float32, np.nan, -100_000, 100_000, "ft/min, negative: descent"),
    "nav_status": Column(pl.UInt8, NO_CODE, 0, 15, "navigational status (ITU-R M.1371)"),
    "on_ground": Column(pl.UInt8, NO_CODE, 0, 1, "1: an aircraft says that it is on the ground"),
    "implausible": Column(pl.UInt8, NO_CODE, 0, 1, "1: something about it cannot be right"),
    "ship_type": Column(pl.UInt8, NO_CODE, 0, 254, "type of ship and cargo (ITU-R M.1371)"),
    "squawk": Column(pl.UInt16, NO_SQUAWK, 0, 7_777, "Mode A code, its octal digits read as decimal"),
    "emergency": Column(pl.UInt8, NO_CODE, 0, 254, "formats.codes.Emergency"),
    "callsign": Column(pl.String, "", 0, 0, "radio call sign or flight number"),
    "name": Column(pl.String, "", 0, 0, "name of a ship or of an aid to navigation"),
}

MOVING: Final = (
    "place",
    "lat",
    "lon",
    "heard_s",
    "altitude_ft",
    "speed_kn",
    "course_deg",
    "heading_deg",
    "vertical_rate_fpm",
    "nav_status",
    "on_ground",
    "implausible",
)
"""Columns that belong to one moment: of several states of a craft they are taken from one whole."""

UNSHOWABLE: Final = "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
"""A regular expression: characters of texts that no frame carries (line ends, turns of direction)."""

SCHEMA: Final = {name: column.dtype for name, column in COLUMNS.items()}


def nothing() -> pl.DataFrame:
    """No tracks."""
    return pl.DataFrame(schema=SCHEMA)
