"""Mode S frames to columns. rs1090 decodes them; positions are put together here.

How frames come, as lines or as Beast's binary stream, is for `avr` and `beast`.
Frames are given to rs1090 without times: it then answers for every frame, in order, and pairs nothing.
Pairing is ours (`cpr`): it never mixes surface with airborne, nor depends on where a stream is cut.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import rs1090

from samsyn.base import limits
from samsyn.formats.codes import SQUAWK_EMERGENCY, Emergency
from samsyn.formats.cpr import Frame, Positions
from samsyn.formats.decoded import Decoded
from samsyn.formats.states import AIR_DOMAIN

EMERGENCIES: Final = {
    "none": Emergency.NONE,
    "general": Emergency.GENERAL,
    "medical": Emergency.MEDICAL,
    "minimum_fuel": Emergency.MINIMUM_FUEL,
    "no_communication": Emergency.NO_COMMUNICATIONS,
    "unlawful_interference": Emergency.UNLAWFUL_INTERFERENCE,
    "downed_aircraft": Emergency.DOWNED,
    "reserved": Emergency.NONE,
}
OWN_ADDRESS: Final = ("17", "11")  # formats whose parity proves the address
# The least NIC that a type code allows (DO-260B table 2-14); supplements that would raise it are left.
NIC_LEAST: Final = {
    5: 11, 6: 10, 7: 8, 8: 0,
    9: 11, 10: 10, 11: 8, 12: 7, 13: 6, 14: 5, 15: 4, 16: 2, 17: 1, 18: 0,
    20: 11, 21: 10, 22: 0,
}  # fmt: skip
# Every field that rs1090 gives, in any frame: read below, or left by name.
HANDLED: Final = frozenset({
    "df", "icao24", "tisb", "bds", "tc", "altitude", "squawk", "callsign", "groundspeed", "track",
    "heading", "vertical_rate", "emergency_state", "NACp", "SIL", "capability", "vs", "parity",
    "lat_cpr", "lon_cpr", "subtype",
})  # fmt: skip
# Air data (TAS, IAS), autopilot settings, versions and supplements; and registers that Comm-B
# replies (DF 20, 21) do not name themselves: what they hold is inferred, which is no observation.
IGNORED: Final = frozenset({
    "timestamp", "frame", "NUCp", "NICa", "NICb", "NICc", "NACv", "NICbaro", "nic_baro", "source",
    "time_sync", "vrate_src", "geo_minus_baro", "TAS", "IAS", "wake_vortex", "version", "TAH", "HRD",
    "SILs", "SILsupp", "sl", "ri", "BAI", "BAQ", "GVA", "SDA", "selected_altitude", "selected_heading",
    "barometric_setting", "tcas_operational", "autopilot", "vnav_mode", "alt_hold", "approach_mode",
    "lnav_mode", "OM", "CC", "TCAS_operational", "threat_identity", "L/W", "fs", "dr", "um", "st",
})  # fmt: skip


class Timed(NamedTuple):
    """A frame, in hex digits: when it was heard, by whose clock, and where in the input it lies."""

    frame: str
    time_us: int
    time_source: int
    line: int | None = None
    offset: int | None = None


class ModesFrames:
    """Frames of one receiver, piece by piece; remembers proven addresses and their positions."""

    def __init__(self) -> None:
        self._confirmed: dict[str, Positions] = {}
        self._near: tuple[float, float] | None = None

    def read(self, timed: list[Timed], out: Decoded) -> None:
        """Puts the columns of some frames into `out`; one row a frame that says something."""
        if not timed:
            return
        rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        said: Any = rs1090.decode([t.frame for t in timed], batch=len(timed))
        for at, message in zip(timed, said, strict=True):
            if message is None:
                out.refuse("checksum", line=at.line, offset=at.offset, detail=at.frame)
            else:
                self._take(at, message, rows, out)
        out.rows = len(rows["time_us"])
        if out.rows:
            out.columns = dict(rows)

    def _take(
        self, at: Timed, message: dict[str, Any], rows: dict[str, list[Any]], out: Decoded
    ) -> None:
        """One frame: who, and what it says."""
        kind, address = message["df"], message.get("icao24")
        out.messages += 1
        out.types[f"DF{kind}"] += 1
        for name in message.keys() - _KNOWN:
            if not name.startswith("bds"):
                out.unhandled[name] += 1
        if address is None:
            out.refuse("no-craft", line=at.line, offset=at.offset)
            return
        own = kind in OWN_ADDRESS or (kind == "18" and message.get("tisb") == "ADSB_ES_NT")
        if kind == "18" and not own:
            detail = f"{address} {message.get('tisb')}"
            out.refuse("address-not-icao", line=at.line, offset=at.offset, detail=detail)
            return
        if own and address not in self._confirmed:
            if len(self._confirmed) >= limits.TRACKS:
                self._confirmed.clear()
            self._confirmed[address] = Positions()
        if address not in self._confirmed:
            out.refuse("address-unconfirmed", line=at.line, offset=at.offset, detail=address)
            return
        row = _facts(kind, message)
        if "lat_cpr" in message:
            surface = message["bds"] == "06"
            frame = Frame(at.time_us, message["lat_cpr"], message["lon_cpr"], message["parity"] == "odd")
            place = self._confirmed[address].take(frame, surface, self._near)
            if place:
                row["lat"], row["lon"] = self._near = place
        if row:
            row["time_us"], row["time_source"] = at.time_us, at.time_source
            row["craft"] = AIR_DOMAIN + int(address, 16)
            row["message_type"] = int(kind)
            for name in _COLUMNS:
                rows[name].append(row.get(name))


def _facts(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    """Columns that one frame fills, without the position."""
    row: dict[str, Any] = {}
    for name, column in (
        ("altitude", "altitude_ft"),
        ("groundspeed", "speed_kn"),
        ("track", "course_deg"),
        ("heading", "heading_deg"),
        ("vertical_rate", "vertical_rate_fpm"),
        ("NACp", "nac_p"),
        ("SIL", "sil"),
    ):
        value = message.get(name)
        if value is not None:
            row[column] = value
    callsign = (message.get("callsign") or "").strip()
    if callsign:
        row["callsign"] = callsign
    squawk = message.get("squawk")
    if squawk is not None:
        row["squawk"] = int(squawk)
        row["emergency"] = SQUAWK_EMERGENCY.get(row["squawk"], Emergency.NONE)
    state = EMERGENCIES.get(message.get("emergency_state", ""))
    if state:  # a state beats the squawk; "none" must not hide 7700
        row["emergency"] = state
    elif state is not None:
        row.setdefault("emergency", state)
    bds = message.get("bds")
    if bds in ("05", "06"):
        row["on_ground"] = bds == "06"
        row["nic"] = NIC_LEAST.get(message["tc"])
    elif kind == "11" and message.get("capability") in ("airborne", "ground"):
        row["on_ground"] = message["capability"] == "ground"
    elif kind in ("0", "16") and message.get("vs") == 1:
        row["on_ground"] = True
    return row


_ALWAYS: Final = ("time_us", "craft", "time_source", "message_type")
_COLUMNS: Final = (
    *_ALWAYS, "lat", "lon", "altitude_ft", "on_ground", "speed_kn", "course_deg", "heading_deg",
    "vertical_rate_fpm", "squawk", "emergency", "callsign", "nic", "nac_p", "sil",
)  # fmt: skip
_KNOWN: Final = HANDLED | IGNORED
