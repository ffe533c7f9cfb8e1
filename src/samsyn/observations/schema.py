"""The one table of columns, and batches made by it.

A batch is a `polars.DataFrame` with exactly the columns of `SCHEMA`, in that order. Absent is null.
Rows without a position are allowed: names and types of ships, a squawk alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from samsyn.formats.codes import Emergency, TimeSource

__all__ = ["COLUMNS", "SCHEMA", "Column", "Emergency", "TimeSource", "empty_batch", "make_batch"]


@dataclass(frozen=True)
class Column:
    """One column: what it holds, in which unit, and who says so."""

    name: str
    dtype: type[pl.DataType]
    unit: str
    meaning: str
    source: str


_AIS = "AIS (ITU-R M.1371)"
_ADSB = "ADS-B (ICAO Doc 9871)"

# `feed` and `originator` are plain strings: one value fills a batch, Parquet's dictionary packs it,
# and batches of different feeds join without a shared table of categories.
COLUMNS: Final = (
    Column("time_us", pl.Int64, "us UTC", "when the observation was made; see time_source", "any"),
    Column("craft", pl.Int64, "", "domain << 32 | number (observations.craft)", "any"),
    Column("feed", pl.String, "", "name of the feed it came by", "settings"),
    Column("originator", pl.String, "", "organisation whose feed it is", "settings"),
    Column("exercise", pl.Boolean, "", "true: not real, or not now", "settings"),
    Column("lat", pl.Float64, "deg WGS 84", "latitude, as claimed", "any"),
    Column("lon", pl.Float64, "deg WGS 84", "longitude, as claimed", "any"),
    Column("altitude_ft", pl.Float32, "ft", "pressure altitude (1013.25 hPa), else geometric", "any"),
    Column("on_ground", pl.Boolean, "", "an aircraft says that it is on the ground", _ADSB),
    Column("speed_kn", pl.Float32, "kn", "speed over ground", "any"),
    Column("course_deg", pl.Float32, "deg true", "course over ground", "any"),
    Column(
        "heading_deg",
        pl.Float32,
        "deg",
        "where the bow or nose points; true, or magnetic if need be",
        "any",
    ),
    Column("vertical_rate_fpm", pl.Float32, "ft/min", "climb, negative: descent", _ADSB),
    Column("nav_status", pl.UInt8, "code", "navigational status 0-14; 15, not defined, is absent", _AIS),
    Column("squawk", pl.UInt16, "code", "Mode A code, its octal digits read as decimal: 7700", _ADSB),
    Column("emergency", pl.UInt8, "code", "formats.codes.Emergency", "any"),
    Column("message_type", pl.UInt8, "code", "AIS message type; Mode S downlink format", "any"),
    Column("callsign", pl.String, "", "radio call sign or flight number", "any"),
    Column("name", pl.String, "", "name of a ship or of an aid to navigation", _AIS),
    Column("text", pl.String, "", "safety-related text, as broadcast", _AIS),
    Column("ship_type", pl.UInt8, "code", "type of ship and cargo", _AIS),
    Column("position_accurate", pl.Boolean, "", "position better than 10 m", _AIS),
    Column("raim", pl.Boolean, "", "receiver checks its satellites (RAIM)", _AIS),
    Column("nic", pl.UInt8, "code", "navigation integrity category", _ADSB),
    Column("nac_p", pl.UInt8, "code", "navigation accuracy category, position", _ADSB),
    Column("sil", pl.UInt8, "code", "source integrity level", _ADSB),
    Column("time_source", pl.UInt8, "code", "formats.codes.TimeSource", "feed"),
    Column("marks", pl.UInt16, "bits", "observations.plausible.Mark", "plausible"),
)

SCHEMA: Final[dict[str, type[pl.DataType]]] = {c.name: c.dtype for c in COLUMNS}

_ALWAYS: Final = ("time_us", "craft", "time_source")
_GIVEN: Final = ("feed", "originator", "exercise", "marks")

Values = Sequence[Any] | np.ndarray[Any, Any] | pl.Series


def make_batch(
    columns: Mapping[str, Values], *, feed: str, originator: str, exercise: bool
) -> pl.DataFrame:
    """A batch of the columns given; the others are null and `marks` is 0.

    Values may be lists (None is absent), numpy arrays (NaN is absent), numpy masked arrays (masked
    is absent) or series. Raises `ValueError` for an unknown column, unequal lengths, or where
    time_us, craft or time_source is missing.
    """
    unknown = [name for name in columns if name not in SCHEMA or name in _GIVEN]
    missing = [name for name in _ALWAYS if name not in columns]
    if unknown or missing:
        raise ValueError(f"a batch with columns unknown {unknown} and missing {missing}")
    rows = len(columns["time_us"])
    if any(len(values) != rows for values in columns.values()):
        raise ValueError(f"columns of unequal length: { ({n: len(v) for n, v in columns.items()}) }")
    fixed: dict[str, Any] = {"feed": feed, "originator": originator, "exercise": exercise, "marks": 0}
    made = []
    for name, dtype in SCHEMA.items():
        if name in columns:
            made.append(_series(name, columns[name], dtype))
        else:
            made.append(pl.Series(name, [fixed.get(name)], dtype=dtype).new_from_index(0, rows))
    batch = pl.DataFrame(made)
    if batch["time_us"].null_count() or batch["craft"].null_count():
        raise ValueError("a row without time or craft")
    return batch


def empty_batch() -> pl.DataFrame:
    """A batch of no rows."""
    return pl.DataFrame(schema=SCHEMA)


def _series(name: str, values: Values, dtype: type[pl.DataType]) -> pl.Series:
    if isinstance(values, np.ma.MaskedArray):
        series = pl.Series(name, values.data).cast(dtype)
        absent = np.ma.getmaskarray(values)
        return series.set(pl.Series(absent), None) if absent.any() else series
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return pl.Series(name, values, nan_to_null=True).cast(dtype)
    if isinstance(values, pl.Series):
        return values.alias(name).cast(dtype)
    return pl.Series(name, values, dtype=dtype)
