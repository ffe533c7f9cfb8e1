"""Observations as a recording of the kind `columns`, which reads them again."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from samsyn.formats.states import TIME_S_MAX
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, DOMAIN_SEA_TRACK, DOMAIN_SHIFT, NUMBER_MASK
from samsyn.observations.schema import SCHEMA

# what the reader of a recording knows itself: the setting and the clock say it
NOT_TOLD = frozenset({"time_us", "feed", "originator", "exercise", "time_source", "marks"})
COLUMNS = tuple(name for name in SCHEMA if name not in NOT_TOLD and name != "craft")


def write(path: Path, batches: Iterable[pl.DataFrame]) -> int:
    """A compressed recording of batches (observations.schema), in their order. Returns its rows.

    Rows of a time that the kind does not read, before 1970 or after its end, are left out.
    """
    rows = 0
    with gzip.open(path, "wb", compresslevel=3) as file:
        file.write(",".join(["time", "craft", *COLUMNS]).encode() + b"\n")
        for batch in batches:
            number = pl.col("craft") & NUMBER_MASK
            sea = pl.format("mmsi:{}", number.cast(pl.String).str.zfill(9))
            digits = [_digit(number // 16**digit % 16) for digit in range(7, -1, -1)]
            domain = pl.col("craft") // (1 << DOMAIN_SHIFT)
            at = pl.from_epoch("time_us", time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            text = pl.col(pl.String).str.replace_all(r"[\r\n]", " ")
            told = batch.filter(pl.col("time_us").is_between(1, TIME_S_MAX * 1_000_000, closed="left"))
            told = told.with_columns(text).select(
                at.alias("time"),
                pl.when(domain == DOMAIN_SEA)
                .then(sea)
                .when(domain == DOMAIN_AIR)
                .then(pl.format("icao:{}", pl.concat_str(digits[2:])))
                .when(domain == DOMAIN_SEA_TRACK)
                .then(pl.format("sea-track:{}", pl.concat_str(digits)))
                .otherwise(pl.format("air-track:{}", pl.concat_str(digits)))
                .alias("craft"),
                *COLUMNS,
            )
            file.write(told.write_csv(include_header=False).encode())
            rows += told.height
    return rows


def _digit(value: pl.Expr) -> pl.Expr:
    return value.replace_strict(list(range(16)), list("0123456789abcdef"), return_dtype=pl.String)
