"""State vectors as the OpenSky network gives them, in the three spellings met in the field:

    {"time": 1626098400, "states": [["3c4591", "BOX413  ", "Germany", ...], ...]}     REST
    time,icao24,lat,lon,velocity,heading,...                                          CSV of its database
    [{"timestamp": 1543225095000, "icao24": "4ab179", "latitude": ..., ...}, ...]     library `traffic`

REST and CSV have metres and metres per second, the third has feet and knots. Plain JSON tables by
column ({"timestamp": {"0": ...}, ...}) are the third turned on its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from samsyn.base.encoding import from_json
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.lines import csv_fields
from samsyn.formats.states import (
    FEET_PER_METRE,
    FPM_PER_M_S,
    KNOTS_PER_M_S,
    TIME_S_MAX,
    Reader,
    StateRows,
    times_us,
    with_squawk_emergency,
)

# Places in a REST state vector (OpenSky API documentation); 2 country, 12 sensors, 15 spi, 16 position
# source and 17 category are left.
REST: Final = {
    "craft": 0, "callsign": 1, "time_position": 3, "last_contact": 4, "lon": 5, "lat": 6,
    "baro_altitude": 7, "on_ground": 8, "velocity": 9, "track": 10, "vertical_rate": 11,
    "geo_altitude": 13, "squawk": 14,
}  # fmt: skip
REST_WIDTHS: Final = (17, 18)
CSV: Final = {
    "craft": "icao24", "callsign": "callsign", "time_position": "lastposupdate",
    "last_contact": "lastcontact", "lon": "lon", "lat": "lat", "baro_altitude": "baroaltitude",
    "on_ground": "onground", "velocity": "velocity", "track": "heading", "vertical_rate": "vertrate",
    "geo_altitude": "geoaltitude", "squawk": "squawk",
}  # fmt: skip
CSV_NEEDED: Final = frozenset({"time", "icao24", "lat", "lon"})
CSV_IGNORED: Final = frozenset({"time", "alert", "spi", "serials", "hour", "x_speed", "y_speed"})
TRAFFIC_NEEDED: Final = frozenset({"timestamp", "icao24"})
TRAFFIC_HANDLED: Final = TRAFFIC_NEEDED | frozenset({
    "latitude", "longitude", "altitude", "geoaltitude", "groundspeed", "track", "vertical_rate",
    "callsign", "squawk", "onground", "last_position",
})  # fmt: skip
TRAFFIC_IGNORED: Final = frozenset({
    "origin", "destination", "flight_id", "typecode", "registration", "spi", "alert", "hour",
    "serials", "index",
})  # fmt: skip


class OpenskyDecoder:
    """Documents or lines of one source, one after another."""

    def __init__(self) -> None:
        self._states = StateRows()
        self._header: list[str] | None = None
        self._line = 0

    def decode_json(self, document: bytes) -> Decoded:
        """The rows of one JSON document. A document of another shape is refused as a whole."""
        out = Decoded()
        try:
            said = from_json(document)
        except ValueError as e:
            out.refuse("not-json", offset=getattr(e, "pos", 0), detail=str(e)[:120])
            return out
        if isinstance(said, dict) and isinstance(said.get("timestamp"), dict):
            said = _turned(said)
        if isinstance(said, dict) and "states" in said:
            self._rest([] if said["states"] is None else said["states"], out)  # null: nobody there
        elif isinstance(said, list) and all(
            isinstance(r, dict) and r.keys() >= TRAFFIC_NEEDED for r in said
        ):
            self._traffic(said, out)
        else:
            what = f"neither `states` nor rows with timestamp and icao24 in {shown(document, 60)}"
            out.refuse("shape", offset=0, detail=what)
        return out

    def decode_csv(self, lines: bytes) -> Decoded:
        """The rows of whole CSV lines; the first line that ever comes is the header."""
        out = Decoded()
        texts = [line.rstrip("\r") for line in lines.decode("utf-8", "replace").split("\n")[:-1]]
        out.lines = len(texts)
        first = self._line + 1
        self._line += len(texts)
        if self._header is None and texts:
            self._header = [name.strip() for name in texts[0].split(",")]
            if not set(self._header) >= CSV_NEEDED:
                out.refuse("header", line=1, detail=shown(texts[0].encode()))
            for name in set(self._header) - set(CSV.values()) - CSV_IGNORED:
                out.unhandled[name[:60]] += 1
            texts, first = texts[1:], first + 1
        if self._header is None or not set(self._header) >= CSV_NEEDED:
            if texts:
                out.refuse("header", line=first, count=len(texts))
            return out
        rows, numbers = [], []
        for i, fields in enumerate(map(csv_fields, texts)):
            if len(fields) == len(self._header):
                rows.append({n: v or None for n, v in zip(self._header, fields, strict=True)})
                numbers.append(first + i)
            elif texts[i]:
                out.refuse("malformed", line=first + i, detail=shown(texts[i].encode()))
        if rows:
            self._metric(Reader(rows, out, numbers), CSV, out)
        return out

    def _rest(self, states: Any, out: Decoded) -> None:
        if not isinstance(states, list):
            out.refuse("shape", offset=0, detail="`states` is no list")
            return
        rows = [row for row in states if isinstance(row, list) and len(row) in REST_WIDTHS]
        if len(rows) < len(states):
            out.refuse(
                "shape", detail="a state of another width than 17 or 18", count=len(states) - len(rows)
            )
        if rows:
            self._metric(Reader(rows, out), REST, out)

    def _metric(self, read: Reader, names: Any, out: Decoded) -> None:
        squawk = read.squawks(names["squawk"])
        barometric = read.numbers(names["baro_altitude"], -5_000, 50_000)
        geometric = read.numbers(names["geo_altitude"], -5_000, 50_000)
        columns: dict[str, Any] = {
            "craft": read.addresses(names["craft"]),
            "lat": read.numbers(names["lat"], -1_000, 1_000),
            "lon": read.numbers(names["lon"], -1_000, 1_000),
            "altitude_ft": np.where(np.isnan(barometric), geometric, barometric) * FEET_PER_METRE,
            "on_ground": read.flags(names["on_ground"]),
            "speed_kn": read.numbers(names["velocity"], 0, 5_000) * KNOTS_PER_M_S,
            "course_deg": read.numbers(names["track"], 0, 360) % 360,
            "vertical_rate_fpm": read.numbers(names["vertical_rate"], -500, 500) * FPM_PER_M_S,
            "squawk": squawk,
            "emergency": with_squawk_emergency(None, squawk),
            "callsign": read.texts(names["callsign"]),
        }
        placed = times_us(read.numbers(names["time_position"], 0, TIME_S_MAX))
        heard = times_us(read.numbers(names["last_contact"], 0, TIME_S_MAX))
        if names is CSV:
            heard = np.where(heard < 0, times_us(read.numbers("time", 0, TIME_S_MAX)), heard)
        self._states.rows(columns, placed, heard, out)

    def _traffic(self, rows: Sequence[dict[str, Any]], out: Decoded) -> None:
        if not rows:
            return
        read = Reader(rows, out)
        read.note_unhandled(TRAFFIC_HANDLED | TRAFFIC_IGNORED)
        squawk = read.squawks("squawk")
        barometric = read.numbers("altitude", -10_000, 150_000)
        columns: dict[str, Any] = {
            "craft": read.addresses("icao24"),
            "lat": read.numbers("latitude", -1_000, 1_000),
            "lon": read.numbers("longitude", -1_000, 1_000),
            "altitude_ft": np.where(
                np.isnan(barometric), read.numbers("geoaltitude", -10_000, 150_000), barometric
            ),
            "on_ground": read.flags("onground"),
            "speed_kn": read.numbers("groundspeed", 0, 10_000),
            "course_deg": read.numbers("track", 0, 360) % 360,
            "vertical_rate_fpm": read.numbers("vertical_rate", -100_000, 100_000),
            "squawk": squawk,
            "emergency": with_squawk_emergency(None, squawk),
            "callsign": read.texts("callsign"),
        }
        heard = times_us(read.numbers("timestamp", 0, TIME_S_MAX * 1e3) / 1e3)
        placed = times_us(read.numbers("last_position", 0, TIME_S_MAX * 1e3) / 1e3)
        self._states.rows(columns, placed, heard, out)


def _turned(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a table that is written by column. Columns of another shape are left out."""
    columns = {name: values for name, values in table.items() if isinstance(values, dict)}
    return [{name: values.get(i) for name, values in columns.items()} for i in table["timestamp"]]
