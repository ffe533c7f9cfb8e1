"""Tracks of a period as files for other programs: GeoParquet and GPX, with their markings.

A craft's rows become parts that are split where it was silent (`tracks.past.breaks_in`), where it
crosses 180 degrees. Positions that physics forbids are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl
import shapely

from samsyn.base import limits
from samsyn.base.errors import InputError
from samsyn.formats import geoparquet, gpx
from samsyn.observations.craft import craft_text
from samsyn.observations.reader import Area, Observations, Wanted
from samsyn.tracks.past import Sight, breaks_in
from samsyn.tracks.table import POSITION_MARKS

FEET_M: Final = 0.3048
FORMATS: Final = ("geoparquet", "gpx")
COLUMNS: Final = (
    "time_us", "craft", "lat", "lon", "altitude_ft", "speed_kn", "course_deg", "marks", "name",
    "callsign", "feed", "originator", "exercise", "marking",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """from_us, to_us: by the rows' own time, the end not in it. craft: keys; None: all. feeds: names."""

    from_us: int
    to_us: int
    area: Area | None = None
    craft: Collection[int] | None = None
    feeds: Collection[str] | None = None


@dataclass(frozen=True)
class Part:
    """A craft's positions without a break: arrays of one length, and what is said of them."""

    craft: str
    name: str
    number: int
    time_us: Any
    lat: Any
    lon: Any
    altitude_ft: Any
    feeds: list[str]
    originators: list[str]
    markings: list[str]
    exercise: bool


def parts_of(observations: Observations, asked: Asked, sight: Sight) -> list[Part]:
    """What `sight` lets be seen of what was asked for, by craft and time.

    Raises `InputError` for more than `limits.EXPORT_POSITIONS`.
    """
    wanted = Wanted(
        from_us=asked.from_us,
        to_us=asked.to_us,
        area=asked.area,
        craft=asked.craft,
        feeds=asked.feeds,
        not_feeds=sight.closed,
        markings=sight.markings,
    )
    if observations.count(wanted) > limits.EXPORT_POSITIONS:
        raise InputError(
            f"more than {limits.EXPORT_POSITIONS} positions",
            where="--from, --to",
            do="ask for a shorter period, an area or some craft",
        )
    rows = observations.read(wanted, COLUMNS)
    return [part for (key,), own in _by_craft(rows) for part in _parts(int(key), own)]


def geoparquet_bytes(parts: list[Part], said: dict[str, str]) -> bytes:
    """A GeoParquet file: for each part its line (of one position: a point), and their times."""
    table = pl.DataFrame(
        {
            "craft": [p.craft for p in parts],
            "name": [p.name for p in parts],
            "part": [p.number for p in parts],
            "from": [int(p.time_us[0]) for p in parts],
            "to": [int(p.time_us[-1]) for p in parts],
            "positions": [len(p.time_us) for p in parts],
            "times": [p.time_us.tolist() for p in parts],
            "altitudes_ft": [_or_none(p.altitude_ft) for p in parts],
            "feeds": [p.feeds for p in parts],
            "originators": [p.originators for p in parts],
            "markings": [p.markings for p in parts],
            "exercise": [p.exercise for p in parts],
        },
        schema=_TABLE,
    )
    shapes = [_shape(p) for p in parts]
    return geoparquet.packed(
        table,
        [shapely.to_wkb(shape) for shape in shapes],
        [shape.bounds for shape in shapes],
        sorted({shape.geom_type for shape in shapes}),
        said,
    )


def gpx_pieces(parts: list[Part], description: str, at_us: int) -> Iterator[str]:
    """A GPX document: one track a craft, one segment a part."""
    return gpx.write(_gpx_tracks(parts), description, at_us)


_TABLE: Final[dict[str, Any]] = {
    "craft": pl.String,
    "name": pl.String,
    "part": pl.Int32,
    "from": pl.Datetime("us", "UTC"),
    "to": pl.Datetime("us", "UTC"),
    "positions": pl.Int64,
    "times": pl.List(pl.Datetime("us", "UTC")),
    "altitudes_ft": pl.List(pl.Float32),
    "feeds": pl.List(pl.String),
    "originators": pl.List(pl.String),
    "markings": pl.List(pl.String),
    "exercise": pl.Boolean,
}


def _by_craft(rows: pl.DataFrame) -> list[tuple[Any, pl.DataFrame]]:
    """Rows with a position that physics allows, and with a name, by craft in order of time."""
    rows = rows.filter((pl.col("marks") & POSITION_MARKS) == 0)
    placed = pl.col("lat").is_not_null() & pl.col("lon").is_not_null()
    rows = rows.filter(placed.any().over("craft")).sort("craft", "time_us", maintain_order=True)
    return list(rows.partition_by("craft", as_dict=True, maintain_order=True).items())


def _parts(craft: int, rows: pl.DataFrame) -> Iterator[Part]:
    names = rows.select(pl.coalesce("name", "callsign")).to_series().drop_nulls()
    rows = rows.filter(pl.col("lat").is_not_null() & pl.col("lon").is_not_null())
    time_us, lon = rows["time_us"].to_numpy(), rows["lon"].to_numpy()
    around = np.flatnonzero(np.abs(np.diff(lon)) > 180) + 1
    edges = sorted({0, *breaks_in(time_us, craft), *around.tolist(), rows.height})
    for number, (a, b) in enumerate(pairwise(edges)):
        part = rows[a:b]
        yield Part(
            craft=craft_text(craft),
            name="" if names.is_empty() else str(names[-1]),
            number=number,
            time_us=time_us[a:b],
            lat=part["lat"].to_numpy(),
            lon=lon[a:b],
            altitude_ft=part["altitude_ft"].to_numpy(),
            feeds=_values(part["feed"]),
            originators=_values(part["originator"]),
            markings=_values(part["marking"]),
            exercise=bool(part["exercise"].any()),
        )


def _values(column: pl.Series) -> list[str]:
    return sorted(str(value) for value in column.drop_nulls().unique())


def _shape(part: Part) -> Any:
    places = np.column_stack([part.lon, part.lat])
    return shapely.Point(places[0]) if len(places) == 1 else shapely.LineString(places)


def _or_none(values: Any) -> list[float | None]:
    return [None if value != value else float(value) for value in values]


def _gpx_tracks(parts: list[Part]) -> Iterator[gpx.GpxTrack]:
    craft = dict[str, list[Part]]()
    for part in parts:
        craft.setdefault(part.craft, []).append(part)
    for name, own in craft.items():
        markings = sorted({marking for part in own for marking in part.markings})
        exercise = ["EXERCISE"] if any(part.exercise for part in own) else []
        yield gpx.GpxTrack(
            name=name,
            description=" ".join([*exercise, *markings, own[0].name]).strip(),
            source=", ".join(sorted({feed for part in own for feed in part.feeds})),
            segments=[_points(part) for part in own],
        )


def _points(part: Part) -> list[gpx.Point]:
    feet = _or_none(part.altitude_ft)
    return [
        (float(lat), float(lon), None if ft is None else ft * FEET_M, int(at_us))
        for lat, lon, ft, at_us in zip(part.lat, part.lon, feet, part.time_us, strict=True)
    ]
