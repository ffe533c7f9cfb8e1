"""readsb's (and dump1090's) `aircraft.json`: what one receiver holds of every aircraft, as of `now`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from samsyn.base.encoding import from_json
from samsyn.formats.codes import Emergency
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.states import TIME_S_MAX, Reader, StateRows, times_us, with_squawk_emergency

EMERGENCIES: Final = {
    "none": Emergency.NONE,
    "general": Emergency.GENERAL,
    "lifeguard": Emergency.MEDICAL,
    "minfuel": Emergency.MINIMUM_FUEL,
    "nordo": Emergency.NO_COMMUNICATIONS,
    "unlawful": Emergency.UNLAWFUL_INTERFERENCE,
    "downed": Emergency.DOWNED,
    "reserved": Emergency.NONE,
}
HANDLED: Final = frozenset({
    "hex", "flight", "alt_baro", "alt_geom", "gs", "track", "true_heading", "mag_heading",
    "baro_rate", "geom_rate", "squawk", "emergency", "lat", "lon", "seen", "seen_pos", "nic",
    "nac_p", "sil",
})  # fmt: skip
# Registers of others (r, t, desc ...), what the autopilot is told, the air around, quality of the
# receiver's own making, and old positions.
IGNORED: Final = frozenset({
    "type", "r", "t", "desc", "ownOp", "year", "dbFlags", "category", "version", "nic_baro",
    "nac_v", "sil_type", "gva", "sda", "rc", "alert", "spi", "mlat", "tisb", "messages", "rssi",
    "ias", "tas", "mach", "track_rate", "roll", "calc_track", "wd", "ws", "oat", "tat", "nav_qnh",
    "nav_altitude_mcp", "nav_altitude_fms", "nav_heading", "nav_modes", "lastPosition", "rr_lat",
    "rr_lon", "r_dst", "r_dir", "receiverCount", "acas_ra", "gpsOkBefore", "gpsOkLat", "gpsOkLon",
    "recentReceiverIds", "route", "nogps",
})  # fmt: skip


class ReadsbDecoder:
    """Documents of one receiver, one after another."""

    def __init__(self) -> None:
        self._states = StateRows()

    def decode(self, document: bytes) -> Decoded:
        """The rows of one `aircraft.json`. A document of another shape is refused as a whole."""
        out = Decoded()
        try:
            said = from_json(document)
        except ValueError as e:
            out.refuse("not-json", offset=getattr(e, "pos", 0), detail=str(e)[:120])
            return out
        aircraft = said.get("aircraft") if isinstance(said, dict) else None
        now = said.get("now") if isinstance(said, dict) else None
        if not isinstance(aircraft, list) or isinstance(now, bool) or not isinstance(now, int | float):
            out.refuse(
                "shape", offset=0, detail=f"no `now` and list `aircraft` in {shown(document, 60)}"
            )
            return out
        if not 0 < now < TIME_S_MAX:
            out.refuse("no-time", offset=0, detail=f"now={now}")
            return out
        rows = [row for row in aircraft if isinstance(row, dict)]
        if len(rows) < len(aircraft):
            out.refuse("shape", detail="an aircraft that is no object", count=len(aircraft) - len(rows))
        if rows:
            self._fill(Reader(rows, out), float(now), out)
        return out

    def _fill(self, read: Reader, now_s: float, out: Decoded) -> None:
        read.note_unhandled(HANDLED | IGNORED)
        ground = np.array([v == "ground" for v in read.values("alt_baro")])
        barometric = Reader([_without_ground(row) for row in read.rows], out).numbers(
            "alt_baro", -10_000, 150_000
        )
        squawk = read.squawks("squawk")
        columns: dict[str, Any] = {
            "craft": read.addresses("hex"),
            "lat": read.numbers("lat", -1_000, 1_000),
            "lon": read.numbers("lon", -1_000, 1_000),
            "altitude_ft": _first(barometric, read.numbers("alt_geom", -10_000, 150_000)),
            "on_ground": np.ma.MaskedArray(ground, ~ground & np.isnan(barometric)),
            "speed_kn": read.numbers("gs", 0, 10_000),
            "course_deg": read.numbers("track", 0, 360) % 360,
            "heading_deg": _first(
                read.numbers("true_heading", 0, 360), read.numbers("mag_heading", 0, 360)
            )
            % 360,
            "vertical_rate_fpm": _first(
                read.numbers("baro_rate", -100_000, 100_000),
                read.numbers("geom_rate", -100_000, 100_000),
            ),
            "squawk": squawk,
            "emergency": with_squawk_emergency(read.mapped("emergency", EMERGENCIES), squawk),
            "callsign": read.texts("flight"),
            "nic": read.codes("nic", 15),
            "nac_p": read.codes("nac_p", 15),
            "sil": read.codes("sil", 3),
        }
        heard = now_s - read.numbers("seen", 0, 1e6)
        placed = now_s - read.numbers("seen_pos", 0, 1e6)
        self._states.rows(columns, times_us(placed), times_us(heard), out)


def _without_ground(row: dict[str, Any]) -> dict[str, Any]:
    return {"alt_baro": None if row.get("alt_baro") == "ground" else row.get("alt_baro")}


def _first(one: Any, other: Any) -> Any:
    """`one` where it is there, else `other`."""
    return np.where(np.isnan(one), other, one)
