"""Plain arrays: columns of a batch with a sentinel instead of null, and state by slot that grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[Any]


def floats(column: pl.Series) -> Array:
    """float32 or float64 as the column is; absent is NaN."""
    return column.to_numpy()


def whole(column: pl.Series, absent: int) -> Array:
    """The column's own integer type; absent is `absent`, a value that the source never sends."""
    filled = column.fill_null(absent) if column.null_count() else column
    return filled.to_numpy()


def flags(column: pl.Series) -> Array:
    """int8: 1 true, 0 false, -1 absent."""
    return column.cast(pl.Int8).fill_null(-1).to_numpy()


def codes(column: pl.Series, table: list[str]) -> Array:
    """int16 index of each text in `table`, which grows; absent is -1. For columns of few values."""
    found = column.unique(maintain_order=True).to_list()
    for text in found:
        if text is not None and text not in table:
            table.append(text)
    if len(found) == 1:
        return np.full(len(column), table.index(found[0]) if found[0] is not None else -1, np.int16)
    return column.replace_strict(
        table, list(range(len(table))), default=-1, return_dtype=pl.Int16
    ).to_numpy()


class SlotArrays:
    """State of every craft: named arrays addressed by slot, all of one length, which grows.

    spec: name -> (dtype, value of a fresh slot) or (dtype, value, width) for a row of values a slot.
    """

    def __init__(self, spec: Mapping[str, tuple[Any, ...]], capacity: int = 1024) -> None:
        self._spec = dict(spec)
        self._arrays: dict[str, Array] = {}
        self._size = 0
        self.reserve(capacity)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def names(self) -> list[str]:
        return list(self._spec)

    def reserve(self, count: int) -> None:
        """Room for slots 0 to `count` - 1. Arrays got before may be stale afterwards."""
        if count <= self._size:
            return
        size = max(count, 2 * self._size)
        for name, (dtype, fresh, *width) in self._spec.items():
            grown = np.full((size, *width), fresh, dtype)
            if self._size:
                grown[: self._size] = self._arrays[name]
            self._arrays[name] = grown
        self._size = size
