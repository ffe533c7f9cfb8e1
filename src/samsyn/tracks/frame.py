"""One frame of the live picture: the tracks of a viewport as an Arrow IPC stream."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import polars as pl

from samsyn.base.clock import SECOND_US
from samsyn.base.limits import PICTURE_FRAME_TRACKS
from samsyn.formats.codes import SQUAWK_EMERGENCY
from samsyn.observations.craft import DOMAIN_SEA, NUMBER_MASK
from samsyn.observations.schema import Emergency
from samsyn.tracks.state import AIR_SHOWN_US, SEA_SHOWN_US
from samsyn.tracks.table import ABSENT_U8, TrackTable, domain_of

ON_GROUND: Final = 1
EMERGENCY: Final = 2
IMPLAUSIBLE: Final = 4
EXERCISE: Final = 8

BoundingBox = tuple[float, float, float, float]  # west, south, east, north; degrees


def frame(table: TrackTable, bbox: BoundingBox, now_us: int) -> bytes:
    """An uncompressed Arrow IPC stream, one row a track, at most `limits.PICTURE_FRAME_TRACKS`.

    domain UInt8 | number UInt32 | lat, lon Float32 deg | course_deg, speed_kn, altitude_ft Float32,
    NaN where absent | age_s Float32 since last heard | flags UInt8: ON_GROUND, EMERGENCY,
    IMPLAUSIBLE, EXERCISE. A craft key does not fit a JavaScript number, hence domain and number.
    """
    west, south, east, north = bbox
    view = table.viewport(
        west, south, east, north, now_us=now_us, max_age_us=SEA_SHOWN_US, limit=PICTURE_FRAME_TRACKS
    )
    domain = domain_of(view.craft)
    shown = (domain == DOMAIN_SEA) | (view.age_s <= AIR_SHOWN_US / SECOND_US)
    calls = ~np.isin(view.emergency, (ABSENT_U8, Emergency.NONE, Emergency.MEDICAL))
    calls |= np.isin(view.squawk, tuple(SQUAWK_EMERGENCY))
    bits = (
        np.where(view.on_ground == 1, ON_GROUND, 0)
        | np.where(calls, EMERGENCY, 0)
        | np.where(view.marks != 0, IMPLAUSIBLE, 0)
        | np.where(view.exercise == 1, EXERCISE, 0)
    )
    columns = {
        "domain": domain,
        "number": (view.craft & NUMBER_MASK).astype(np.uint32),
        "lat": view.lat.astype(np.float32),
        "lon": view.lon.astype(np.float32),
        "course_deg": view.course_deg,
        "speed_kn": view.speed_kn,
        "altitude_ft": view.altitude_ft,
        "age_s": view.age_s,
        "flags": bits.astype(np.uint8),
    }
    out = io.BytesIO()
    pl.DataFrame(columns).filter(shown).write_ipc_stream(out, compression="uncompressed")
    return out.getvalue()
