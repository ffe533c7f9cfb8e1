"""readsb's traces (`trace_full_ICAO.json`): where one aircraft was, as a receiver or aggregator kept it.

    {"icao": "4ca123", "timestamp": 1700000000.0, "trace": [
      [0.5, 55.5, 12.5, 35000, 450.5, 180.0, 0, -64, {"flight": "SAM123  "}, "adsb_icao", 35400, -32]]}

Of a point, by place: 0 seconds after `timestamp`, 1 latitude, 2 longitude, 3 altitude in feet or
"ground", 4 speed, 5 track, 7 vertical rate, 8 fields as in aircraft.json (now and then), 10 geometric
altitude, 11 geometric rate. Left by name: 6 flags (the next point is far off, a new flight begins, rate
or altitude is geometric), 9 where from, 12 airspeed, 13 roll.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from samsyn.base.encoding import from_json
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.readsb import EMERGENCIES, HANDLED, IGNORED
from samsyn.formats.states import TIME_S_MAX, Reader, taken, times_us, with_squawk_emergency

_TIME, _LAT, _LON, _ALTITUDE, _SPEED, _TRACK, _, _RATE, _FIELDS = range(9)
_GEOMETRIC, _GEOMETRIC_RATE = 10, 11
POINT_WIDTHS: Final = range(9, 15)
DOCUMENT_IGNORED: Final = frozenset(
    {"r", "t", "desc", "ownOp", "year", "dbFlags", "version", "noRegData"}
)
DOCUMENT_HANDLED: Final = frozenset({"icao", "timestamp", "trace"})


def decode_trace(document: bytes) -> Decoded:
    """The points of one trace, one row each. A document of another shape is refused as a whole."""
    out = Decoded()
    try:
        said = from_json(document)
    except ValueError as e:
        out.refuse("not-json", offset=getattr(e, "pos", 0), detail=str(e)[:120])
        return out
    if not isinstance(said, dict) or not isinstance(said.get("trace"), list):
        out.refuse("shape", offset=0, detail=f"no list `trace` in {shown(document, 60)}")
        return out
    for name in said.keys() - DOCUMENT_HANDLED - DOCUMENT_IGNORED:
        out.unhandled[str(name)[:60]] += 1
    start_s = Reader([said], out).numbers("timestamp", 0, TIME_S_MAX)[0]
    craft = Reader([said], out).addresses("icao")[0]
    if not start_s > 0:
        out.refuse("no-time", offset=0, detail=f"timestamp={said.get('timestamp')!r}"[:80])
    if craft < 0 or not start_s > 0:
        return out
    points = [p for p in said["trace"] if isinstance(p, list) and len(p) in POINT_WIDTHS]
    if len(points) < len(said["trace"]):
        detail = f"a point of another width than {POINT_WIDTHS[0]} to {POINT_WIDTHS[-1]}"
        out.refuse("shape", detail=detail, count=len(said["trace"]) - len(points))
    if points:
        _fill(points, int(craft), float(start_s), out)
    return out


def _fill(points: list[list[Any]], craft: int, start_s: float, out: Decoded) -> None:
    out.messages = len(points)
    out.types["point"] = len(points)
    fields = Reader([p[_FIELDS] if isinstance(p[_FIELDS], dict) else {} for p in points], out)
    fields.note_unhandled(HANDLED | IGNORED)
    ground = np.array([p[_ALTITUDE] == "ground" for p in points])
    read = Reader([_without_ground(p) for p in points], out)
    barometric = read.numbers(_ALTITUDE, -10_000, 150_000)
    squawk = fields.squawks("squawk")
    columns: dict[str, Any] = {
        "lat": read.numbers(_LAT, -1_000, 1_000),
        "lon": read.numbers(_LON, -1_000, 1_000),
        "altitude_ft": _first(barometric, read.numbers(_GEOMETRIC, -10_000, 150_000)),
        "on_ground": np.ma.MaskedArray(ground, ~ground & np.isnan(barometric)),
        "speed_kn": read.numbers(_SPEED, 0, 10_000),
        "course_deg": read.numbers(_TRACK, 0, 360) % 360,
        "heading_deg": _first(
            fields.numbers("true_heading", 0, 360), fields.numbers("mag_heading", 0, 360)
        )
        % 360,
        "vertical_rate_fpm": _first(
            read.numbers(_RATE, -100_000, 100_000), read.numbers(_GEOMETRIC_RATE, -100_000, 100_000)
        ),
        "squawk": squawk,
        "emergency": with_squawk_emergency(fields.mapped("emergency", EMERGENCIES), squawk),
        "callsign": fields.texts("flight"),
        "nic": fields.codes("nic", 15),
        "nac_p": fields.codes("nac_p", 15),
        "sil": fields.codes("sil", 3),
    }
    after_s = read.numbers(_TIME, -1e6, 1e6)
    time_us = times_us(start_s + after_s)
    timed = np.flatnonzero(time_us > 0)
    if len(timed) < len(points):
        out.refuse("no-time", count=len(points) - len(timed))
    out.rows = len(timed)
    if out.rows:
        out.columns = {name: taken(values, timed) for name, values in columns.items()}
        out.columns["craft"] = np.full(len(timed), craft, dtype=np.int64)
        out.columns["time_us"] = time_us[timed]
        out.columns["time_source"] = np.full(len(timed), TimeSource.RECORDED, dtype=np.uint8)


def _without_ground(point: list[Any]) -> list[Any]:
    return [None if i == _ALTITUDE and v == "ground" else v for i, v in enumerate(point)]


def _first(one: Any, other: Any) -> Any:
    """`one` where it is there, else `other`."""
    return np.where(np.isnan(one), other, one)
