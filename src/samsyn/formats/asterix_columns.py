"""What the items of ASTERIX records mean, as columns. Scales: EUROCONTROL-SPEC-0149, the item's number.

Each category has a function from items to the aircraft's key and a row; `polar` in it is what only
the radar's place turns into a position, `wrong` what a field held that it cannot.
"""

from __future__ import annotations

import math
from typing import Any, Final

from samsyn.formats.codes import SQUAWK_EMERGENCY, Emergency
from samsyn.formats.radar import Polar, Site
from samsyn.formats.states import AIR_DOMAIN, KNOTS_PER_M_S
from samsyn.formats.unnamed import AIR_TRACK_DOMAIN, track_number

Items = dict[str, bytes]
Row = dict[str, Any]

KNOTS_PER_TICK: Final = 3_600 / (1 << 14)  # speeds are in 2^-14 NM/s
FEET_PER_FL_TICK: Final = 25.0  # quarters of a flight level
FEET_PER_TICK: Final = 6.25
DEGREES_PER_TICK: Final = 360 / (1 << 16)
# I021/200 PS and I062/380 SAB STAT: emergency state of ADS-B
STATES: Final = (
    Emergency.NONE, Emergency.GENERAL, Emergency.MEDICAL, Emergency.MINIMUM_FUEL,
    Emergency.NO_COMMUNICATIONS, Emergency.UNLAWFUL_INTERFERENCE, Emergency.DOWNED,
)  # fmt: skip
ON_GROUND: Final = {0: False, 1: True, 2: False, 3: True}  # I048/230, I062/380 COM: flight status
_LETTERS: Final = " ABCDEFGHIJKLMNOPQRSTUVWXYZ????? ???????????????0123456789??????"

# What is read of each category, and what is left by name: how the station works and how sure it is of
# itself, what the autopilot is told, the weather, registers of Mode S, flight plans, ages of parts.
HANDLED: Final = {
    21: frozenset({"010", "040", "071", "072", "073", "075", "077", "080", "130", "131", "140", "145",
                   "152", "155", "157", "160", "170", "070", "090", "200", "210"}),
    34: frozenset({"010", "030", "120"}),
    48: frozenset({"010", "140", "020", "040", "070", "090", "161", "220", "240", "200", "230"}),
    62: frozenset({"010", "040", "070", "105", "185", "060", "245", "380", "080", "136", "130", "135",
                   "220"}),
    63: frozenset(), 65: frozenset(),
}  # fmt: skip
IGNORED: Final = {
    21: frozenset({"161", "015", "150", "151", "074", "076", "230", "165", "020", "220", "146", "148",
                   "110", "016", "008", "271", "132", "250", "260", "400", "295", "RE", "SP"}),
    34: frozenset({"000", "020", "041", "050", "060", "070", "100", "110", "090", "RE", "SP"}),
    48: frozenset({"130", "250", "042", "170", "210", "030", "080", "100", "110", "120", "260",
                   "055", "050", "065", "060", "SP", "RE"}),
    62: frozenset({"015", "100", "210", "290", "200", "295", "390", "270", "300", "110", "120",
                   "510", "500", "340", "RE", "SP"}),
    63: frozenset({"010", "015", "030", "050", "060", "070", "080", "081", "090", "091", "092", "RE",
                   "SP"}),
    65: frozenset({"010", "000", "015", "030", "020", "040", "050", "RE", "SP"}),
}  # fmt: skip
HANDLED_PARTS: Final = frozenset(
    {"ADR", "ID", "MHG", "COM", "SAB", "BVR", "GVR", "TAN", "GSP"}
)  # I062/380


class NoRow(Exception):
    """A record that is no observation of an aircraft; why, as in `decoded.REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def radar_target(items: Items) -> tuple[int, Row]:
    """CAT048: one target of one radar."""
    kind = items.get("020", b"\0")
    test = len(kind) > 1 and kind[0] & 1 and kind[1] & 0x80
    if kind[0] & 0x12 or test:  # SIM, RAB (a field monitor), TST
        raise NoRow("not-real", f"020={kind.hex()}")
    craft = _craft(items, "220", "161", 0xFFF)
    row: Row = {}
    _squawk(row, items.get("070"))
    if "090" in items:
        level = _unsigned(items["090"])
        if not level & 0xC000:  # V, G: not validated, garbled
            row["altitude_ft"] = _signed14(level) * FEET_PER_FL_TICK
    if "040" in items:
        distance, azimuth = _unsigned(items["040"][:2]), _unsigned(items["040"][2:])
        row["polar"] = Polar(distance / 256, azimuth * DEGREES_PER_TICK, row.get("altitude_ft"))
    if "200" in items:
        row["speed_kn"] = _unsigned(items["200"][:2]) * KNOTS_PER_TICK
        row["course_deg"] = _unsigned(items["200"][2:]) * DEGREES_PER_TICK
    if "230" in items:
        row["on_ground"] = ON_GROUND.get(items["230"][0] >> 2 & 7)
    _callsign(row, items.get("240"))
    _military(row, len(kind) > 1 and kind[1] & 0x10)
    return craft, row


def adsb(items: Items) -> tuple[int, Row]:
    """CAT021, edition 2.1 and later: one report of ADS-B, as a ground station hands it on."""
    kind = items.get("040", b"\0")
    more = kind[1] if len(kind) > 1 else 0
    if kind[0] & 0x02 or more & 0x30:  # RAB; SIM, TST
        raise NoRow("not-real", f"040={kind.hex()}")
    if kind[0] >> 5 not in (0, 1):  # a surface vehicle's, anonymous or reserved address
        raise NoRow("address-not-icao", f"040={kind.hex()}")
    craft = _craft(items, "080")
    row: Row = {}
    if "131" in items or "130" in items:
        raw = items.get("131", items.get("130", b""))
        _latlon(row, raw, 180 / (1 << (30 if "131" in items else 23)))
    if len(kind) > 1:
        row["on_ground"] = bool(more & 0x40)
    if "145" in items:
        row["altitude_ft"] = _signed(items["145"]) * FEET_PER_FL_TICK
    elif "140" in items and items["140"] != b"\x7f\xff":  # "greater than"
        row["altitude_ft"] = _signed(items["140"]) * FEET_PER_TICK
    rate = items.get("155", items.get("157"))
    if rate and not rate[0] & 0x80:  # RE: beyond what fits
        row["vertical_rate_fpm"] = _signed15(_unsigned(rate)) * FEET_PER_TICK
    if "160" in items and not items["160"][0] & 0x80:
        row["speed_kn"] = _unsigned(items["160"][:2]) * KNOTS_PER_TICK
        row["course_deg"] = _unsigned(items["160"][2:]) * DEGREES_PER_TICK
    if "152" in items:
        row["heading_deg"] = _unsigned(items["152"]) * DEGREES_PER_TICK
    _squawk(row, items.get("070"))
    if "200" in items:
        _state(row, items["200"][0] >> 2 & 7)
        _military(row, items["200"][0] & 0x20)
    _quality(row, items.get("090", b""), items.get("210"))
    _callsign(row, items.get("170"))
    return craft, row


def system_track(items: Items) -> tuple[int, Row]:
    """CAT062: one track of a centre that combines its sensors."""
    status = items.get("080", b"\0")
    if len(status) > 1 and status[1] & 0x80:  # SIM
        raise NoRow("not-real", f"080={status.hex()}")
    if len(status) > 3 and status[3] & 0x80:  # CST: nobody saw it lately
        raise NoRow("extrapolated", f"080={status.hex()}")
    craft = _craft(items, "380.ADR", "040", 0xFFFF)
    row: Row = {}
    if "105" in items:
        _latlon(row, items["105"], 180 / (1 << 25))
    if "185" in items:
        east, north = _signed(items["185"][:2]) / 4, _signed(items["185"][2:]) / 4  # m/s
        row["speed_kn"] = math.hypot(east, north) * KNOTS_PER_M_S
        row["course_deg"] = math.degrees(math.atan2(east, north)) % 360
    elif "380.GSP" in items and "380.TAN" in items:
        row["speed_kn"] = _signed(items["380.GSP"]) * KNOTS_PER_TICK
        row["course_deg"] = _unsigned(items["380.TAN"]) * DEGREES_PER_TICK
    if "380.MHG" in items:
        row["heading_deg"] = _unsigned(items["380.MHG"]) * DEGREES_PER_TICK
    _track_altitude(row, items)
    rate = items.get("220", items.get("380.BVR", items.get("380.GVR")))
    if rate is not None:
        row["vertical_rate_fpm"] = _signed(rate) * FEET_PER_TICK
    _squawk(row, items.get("060"))
    if "380.COM" in items:
        row["on_ground"] = ON_GROUND.get(items["380.COM"][0] >> 2 & 7)
    if "380.SAB" in items:
        _state(row, items["380.SAB"][1] & 7)
        if items["380.SAB"][0] & 0x02:  # GBS; not set may mean not known
            row["on_ground"] = True
    _military(row, len(status) > 2 and status[2] & 0x10)
    _callsign(row, items.get("380.ID", items["245"][1:] if "245" in items else None))
    return craft, row


def site(raw: bytes) -> Site:
    """I034/120: where a radar stands."""
    per_degree = (1 << 23) / 180
    return Site(_signed(raw[2:5]) / per_degree, _signed(raw[5:8]) / per_degree, float(_signed(raw[:2])))


def _track_altitude(row: Row, items: Items) -> None:
    """Measured, else calculated without correction for the day's pressure, else geometric."""
    if "136" in items:
        row["altitude_ft"] = _signed(items["136"]) * FEET_PER_FL_TICK
    elif "135" in items and not items["135"][0] & 0x80:
        row["altitude_ft"] = _signed15(_unsigned(items["135"])) * FEET_PER_FL_TICK
    elif "130" in items:
        row["altitude_ft"] = _signed(items["130"]) * FEET_PER_TICK


def _craft(items: Items, address: str, track: str = "", mask: int = 0) -> int:
    """The key of an aircraft by its address, else of a track by its number (of so many bits)."""
    number = _unsigned(items.get(address, b""))
    if number not in (0, 0xFFFFFF):
        return AIR_DOMAIN + number
    if track in items and "010" in items:
        return AIR_TRACK_DOMAIN + track_number(items["010"], _unsigned(items[track]) & mask)
    if address not in items:
        raise NoRow("no-craft", "without an aircraft's address")
    raise NoRow("no-craft", f"address {number:06x}")


def _latlon(row: Row, raw: bytes, degrees_per_tick: float) -> None:
    half = len(raw) // 2
    lat, lon = _signed(raw[:half]) * degrees_per_tick, _signed(raw[half:]) * degrees_per_tick
    if abs(lat) > 90 or abs(lon) > 180:
        row.setdefault("wrong", []).append(f"position {lat:.4f} {lon:.4f}")
    else:
        row["lat"], row["lon"] = lat, lon


def _squawk(row: Row, raw: bytes | None) -> None:
    """Mode 3/A: four octal digits below flags; only a validated reply that is not garbled counts."""
    if raw is None or raw[0] & 0xC0:
        return
    code = _unsigned(raw) & 0xFFF
    row["squawk"] = int(f"{code:o}")
    row["emergency"] = SQUAWK_EMERGENCY.get(row["squawk"], Emergency.NONE)


def _state(row: Row, state: int) -> None:
    """An emergency state beats the squawk; "none" must not hide 7700."""
    if state >= len(STATES):
        row.setdefault("wrong", []).append(f"emergency state {state}")
    elif STATES[state] or "emergency" not in row:
        row["emergency"] = STATES[state]


def _military(row: Row, flag: int) -> None:
    """ME: a military emergency, which says no more than that."""
    if flag and not row.get("emergency"):
        row["emergency"] = Emergency.GENERAL


def _quality(row: Row, raw: bytes, version: bytes | None) -> None:
    """I021/090. NIC is there from version 1 of ADS-B; version 0 has another measure in its place."""
    if raw and version and version[0] >> 3 & 7 in (1, 2):
        row["nic"] = raw[0] >> 1 & 0xF
    if len(raw) > 1:
        row["sil"] = raw[1] >> 5 & 3
        row["nac_p"] = raw[1] >> 1 & 0xF


def _callsign(row: Row, raw: bytes | None) -> None:
    """Eight characters of six bits (ICAO Annex 10)."""
    if raw is None:
        return
    bits = _unsigned(raw)
    text = "".join(_LETTERS[bits >> shift & 63] for shift in range(42, -1, -6)).strip()
    if "?" in text:
        row.setdefault("wrong", []).append(f"call sign {raw.hex()}")
    elif text:
        row["callsign"] = text


def _unsigned(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def _signed14(value: int) -> int:
    return (value & 0x1FFF) - (value & 0x2000)


def _signed15(value: int) -> int:
    return (value & 0x3FFF) - (value & 0x4000)
