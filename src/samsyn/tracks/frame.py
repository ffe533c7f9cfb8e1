"""One frame of the live picture: the tracks of a viewport as an Arrow IPC stream."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import polars as pl

from samsyn.base.clock import SECOND_US
from samsyn.base.limits import PICTURE_FRAME_TRACKS
from samsyn.formats import symbols
from samsyn.formats.codes import SQUAWK_EMERGENCY
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, NUMBER_MASK, UNNAMED_FROM, in_air
from samsyn.observations.schema import Emergency
from samsyn.tracks.partners import PartnerTracks
from samsyn.tracks.released import NO_CODE, NO_CRAFT
from samsyn.tracks.state import AIR_SHOWN_US, SEA_SHOWN_US
from samsyn.tracks.table import ABSENT_U8, TrackTable

ON_GROUND: Final = 1
EMERGENCY: Final = 2
IMPLAUSIBLE: Final = 4
EXERCISE: Final = 8
FROM_PARTNER: Final = 16
UNNAMED: Final = 32  # a track that nobody names: its domain in a key is two higher

BoundingBox = tuple[float, float, float, float]  # west, south, east, north; degrees


def frame(
    table: TrackTable, bbox: BoundingBox, now_us: int, partners: PartnerTracks | None = None
) -> bytes:
    """An uncompressed Arrow IPC stream, one row a track, at most `limits.PICTURE_FRAME_TRACKS`: our own
    tracks, and of partners' those whose craft is not among our own.

    domain UInt8 | number UInt32 | lat, lon Float32 deg | course_deg, speed_kn, altitude_ft Float32,
    NaN where absent | age_s Float32 since last heard | flags UInt8: ON_GROUND, EMERGENCY,
    IMPLAUSIBLE, EXERCISE, FROM_PARTNER, UNNAMED | symbol UInt8: which of `formats.symbols.codes`. A
    craft key does not fit a JavaScript number, hence domain and number; a partner's track whose craft is
    not told has number 0.
    """
    west, south, east, north = bbox
    view = table.viewport(
        west, south, east, north, now_us=now_us, max_age_us=SEA_SHOWN_US, limit=PICTURE_FRAME_TRACKS
    )
    flies = in_air(view.craft)
    shown = ~flies | (view.age_s <= AIR_SHOWN_US / SECOND_US)
    calls = ~np.isin(view.emergency, (ABSENT_U8, Emergency.NONE, Emergency.MEDICAL))
    calls |= np.isin(view.squawk, tuple(SQUAWK_EMERGENCY))
    bits = (
        np.where(view.on_ground == 1, ON_GROUND, 0)
        | np.where(calls, EMERGENCY, 0)
        | np.where(view.marks != 0, IMPLAUSIBLE, 0)
        | np.where(view.exercise == 1, EXERCISE, 0)
        | np.where(view.craft >= UNNAMED_FROM, UNNAMED, 0)
    )
    columns = {
        "domain": np.where(flies, DOMAIN_AIR, DOMAIN_SEA).astype(np.uint8),
        "number": (view.craft & NUMBER_MASK).astype(np.uint32),
        "lat": view.lat.astype(np.float32),
        "lon": view.lon.astype(np.float32),
        "course_deg": view.course_deg,
        "speed_kn": view.speed_kn,
        "altitude_ft": view.altitude_ft,
        "age_s": view.age_s,
        "flags": bits.astype(np.uint8),
        "symbol": symbols.index(view.craft, view.ship_type),
    }
    rows = pl.DataFrame(columns).filter(shown)
    if partners is not None:
        others = FROM_PARTNER | (EXERCISE if partners.exercise else 0)
        rows = pl.concat([rows, _of_partners(partners.rows(), table, bbox, now_us, others)])
    out = io.BytesIO()
    rows.head(PICTURE_FRAME_TRACKS).rechunk().write_ipc_stream(out, compression="uncompressed")
    return out.getvalue()


def _of_partners(
    rows: pl.DataFrame, table: TrackTable, bbox: BoundingBox, now_us: int, flags: int
) -> pl.DataFrame:
    west, south, east, north = bbox
    lat, lon = pl.col("lat"), pl.col("lon")
    beside = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    rows = rows.filter(lat.is_not_nan() & (lat >= south) & (lat <= north) & beside)
    rows = rows.filter(~pl.Series(table.shows(rows["craft"].to_numpy(), now_us), dtype=pl.Boolean))
    calls = pl.col("emergency").is_in([NO_CODE, int(Emergency.NONE), int(Emergency.MEDICAL)]).not_()
    calls |= pl.col("squawk").is_in([int(code) for code in SQUAWK_EMERGENCY])
    bits = (
        pl.when(pl.col("on_ground") == 1).then(ON_GROUND).otherwise(0)
        + pl.when(calls).then(EMERGENCY).otherwise(0)
        + pl.when(pl.col("implausible") == 1).then(IMPLAUSIBLE).otherwise(0)
        + flags
    )
    told = pl.col("craft") != NO_CRAFT
    # a craft that is not told has no number, and in its place only its domain
    key = rows.select(
        pl.when(told).then("craft").otherwise(pl.col("domain").cast(pl.Int64) * (1 << 32))
    ).to_series()
    drawn = symbols.index(key.to_numpy(), rows["ship_type"].to_numpy())
    return rows.select(
        "domain",
        pl.when(told).then(pl.col("craft") & NUMBER_MASK).otherwise(0).cast(pl.UInt32).alias("number"),
        lat.cast(pl.Float32),
        lon.cast(pl.Float32),
        "course_deg",
        "speed_kn",
        "altitude_ft",
        ((now_us - pl.col("heard_us")) / SECOND_US).clip(0).cast(pl.Float32).alias("age_s"),
        bits.cast(pl.UInt8).alias("flags"),
        pl.Series("symbol", drawn, dtype=pl.UInt8),
    )
