"""Columns of a batch as plain arrays, with a sentinel instead of null: what loops over rows work on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from samsyn.observations import compiled
from samsyn.observations.schema import SCHEMA

Array = npt.NDArray[Any]

ABSENT_U8: Final = 255
ABSENT_U16: Final = 65_535
ABSENT_FLAG: Final = -1

# By the type in the schema: the type of the array, and what stands for null in it.
_PLAIN: Final[dict[type[pl.DataType], tuple[Any, int]]] = {
    pl.Float64: (np.float64, 0),  # NaN
    pl.Float32: (np.float32, 0),
    pl.Int64: (np.int64, 0),  # never null in a batch
    pl.UInt8: (np.uint8, ABSENT_U8),
    pl.UInt16: (np.uint16, ABSENT_U16),
    pl.Boolean: (np.int8, ABSENT_FLAG),
}
_PLACE: Final = {name: i for i, name in enumerate(SCHEMA)}


def plain(batch: pl.DataFrame, names: Iterable[str]) -> dict[str, Array]:
    """Columns of a batch (observations.schema; no texts) by name: floats with NaN, codes with 255 or
    65535, flags as int8 with -1 where absent. The arrays are the caller's own.

    Raises `KeyError` for a column of texts or none of the schema.
    """
    made = {name: np.empty(batch.height, _PLAIN[SCHEMA[name]][0]) for name in names}
    if compiled.built:
        places = np.array([_PLACE[name] for name in made], np.int64)
        absent = np.array([_PLAIN[SCHEMA[name]][1] for name in made], np.int64)
        compiled.built.plain(batch.__arrow_c_stream__(), places, absent, tuple(made.values()))
        return made
    for name, into in made.items():
        column, absent_value = batch[name], _PLAIN[SCHEMA[name]][1]
        if column.dtype == pl.Boolean:
            column = column.cast(pl.Int8)
        values = column.to_numpy()  # nulls come as float NaN
        if into.dtype.kind != "f" and column.null_count():
            values = np.where(np.isnan(values), absent_value, values)
        into[:] = values
    return made
