"""GeoParquet 1.1 (geoparquet.org/releases/v1.1.0): a table with geometries, as one Parquet file.

Geometries are WKB in a column `geometry`, longitude first in degrees (OGC:CRS84, which is what no `crs`
means). A second column of boxes lets readers skip what is elsewhere (`covering`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from samsyn.base.encoding import to_json

VERSION: Final = "1.1.0"
GEOMETRY: Final = "geometry"
BOX: Final = "bbox"
_SIDES: Final = ("xmin", "ymin", "xmax", "ymax")

Boxes = Any  # float array, a row of west, south, east, north for each geometry


def packed(
    table: pl.DataFrame,
    wkb: Sequence[bytes],
    boxes: Boxes,
    types: Sequence[str],
    said: Mapping[str, str],
) -> bytes:
    """The file of `table` with one geometry a row.

    types: which there are, by their GeoJSON names. said: more of the file's own metadata, such as its
    marking.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, len(_SIDES))
    sides = [pl.Series(name, boxes[:, i]) for i, name in enumerate(_SIDES)]
    whole = table.with_columns(
        pl.Series(GEOMETRY, list(wkb), dtype=pl.Binary), pl.DataFrame(sides).to_struct(BOX)
    )
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(types),
        "covering": {BOX: {side: [BOX, side] for side in _SIDES}},
    }
    if len(boxes):
        column[BOX] = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    geo = {"version": VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    file = io.BytesIO()
    whole.write_parquet(file, compression="zstd", metadata={"geo": to_json(geo).decode(), **said})
    return file.getvalue()
