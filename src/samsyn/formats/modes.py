"""Mode S frames to columns. Compiled code reads the frequent ones (`_modes.c`), rs1090 the others.

How frames come, as lines or as Beast's binary stream, is for `avr` and `beast`.
Frames are given to rs1090 without times: it then answers for every frame, in order, and pairs nothing.
Pairing is ours (`cpr`): it never mixes surface with airborne, nor depends on where a stream is cut.
Where nothing was compiled, rs1090 reads them all, with the same outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import rs1090

from samsyn.formats import modes_compiled
from samsyn.formats.codes import SQUAWK_EMERGENCY, Emergency
from samsyn.formats.decoded import Decoded
from samsyn.formats.modes_said import LONG_BYTES, PythonPlaces, Said, Status
from samsyn.formats.states import AIR_DOMAIN

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

POLYNOMIAL: Final = 0x1FFF409
SUPERSONIC: Final = 2  # subtype of a velocity

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
    "lnav_mode", "NICs", "OM", "CC", "TCAS_operational", "threat_identity", "L/W", "fs", "dr", "um",
    "st",
})  # fmt: skip


class Timed(NamedTuple):
    """A frame, in hex digits: when it was heard, by whose clock, and where in the input it lies."""

    frame: str
    time_us: int
    time_source: int
    at: int


@dataclass
class Frames:
    """Frames as arrays of one length, in order of arrival.

    raw: 14 bytes each, of a short frame the first seven. where: "line" or "offset", what `at` counts.
    """

    raw: Bytes
    length: Bytes
    time_us: Ints
    time_source: Bytes
    at: Ints
    where: str

    @classmethod
    def of(cls, timed: list[Timed], where: str) -> Frames:
        """The same of frames one by one."""
        raw = b"".join(bytes.fromhex(t.frame).ljust(LONG_BYTES, b"\0") for t in timed)
        return cls(
            raw=np.frombuffer(raw, np.uint8).reshape(-1, LONG_BYTES),
            length=np.array([len(t.frame) // 2 for t in timed], np.uint8),
            time_us=np.array([t.time_us for t in timed], np.int64),
            time_source=np.array([t.time_source for t in timed], np.uint8),
            at=np.array([t.at for t in timed], np.int64),
            where=where,
        )

    def __len__(self) -> int:
        return len(self.length)

    def bytes_of(self, i: int) -> bytes:
        """One frame."""
        return self.raw[i, : self.length[i]].tobytes()


class ModesFrames:
    """Frames of one receiver, piece by piece; remembers proven addresses and their positions."""

    def __init__(self) -> None:
        self._compiled = modes_compiled.built
        self._places = modes_compiled.Places() if self._compiled else PythonPlaces()

    def read(self, frames: Frames, out: Decoded) -> None:
        """Puts the columns of some frames into `out`; one row a frame that says something."""
        if not len(frames):
            return
        said = Said(len(frames))
        if self._compiled:
            said.read(self._compiled, frames)
        refused = _rare(frames, said, out)
        lat, lon = self._places.take(said, frames.time_us)
        for i in np.flatnonzero(said.status == Status.WRONG).tolist():
            refused.append((i, "checksum", frames.bytes_of(i).hex()))
        for i in np.flatnonzero(said.status == Status.UNPROVEN).tolist():
            refused.append((i, "address-unconfirmed", f"{int(said.address[i]):06x}"))
        for i, reason, detail in sorted(refused):
            out.refuse(reason, **{frames.where: int(frames.at[i])}, detail=detail)
        _columns(frames, said, (lat, lon), out)


def _rare(frames: Frames, said: Said, out: Decoded) -> list[tuple[int, str, str]]:
    """Has rs1090 read what nobody has yet, and counts all frames; what it refuses, and why."""
    rare = np.flatnonzero(said.status == Status.RARE).tolist()
    told: Any = rs1090.decode([frames.bytes_of(i).hex() for i in rare], batch=len(rare)) if rare else []
    refused: list[tuple[int, str, str]] = []
    for i, message in zip(rare, told, strict=True):
        raw = frames.bytes_of(i)
        if message is None or not _proven(message["df"], raw):
            said.status[i] = Status.WRONG
            continue
        kind = message["df"]
        out.types[f"DF{kind}"] += 1
        for name in message.keys() - _KNOWN:
            if not name.startswith("bds"):
                out.unhandled[name] += 1
        said.status[i] = Status.LEFT
        address = message.get("icao24")
        own = kind in OWN_ADDRESS or (kind == "18" and message.get("tisb") == "ADSB_ES_NT")
        if address is None:
            refused.append((i, "no-craft", ""))
        elif kind == "18" and not own:
            refused.append((i, "address-not-icao", f"{address} {message.get('tisb')}"))
        else:
            said.status[i] = Status.OWN if own else Status.SAID
            said.address[i] = int(address, 16)
            said.put(i, _facts(kind, mended(message, raw)))
            if "lat_cpr" in message:
                surface, odd = message["bds"] == "06", message["parity"] == "odd"
                said.cpr[i] = 1 + surface, odd, message["lat_cpr"], message["lon_cpr"]
    quick = np.ones(len(frames), bool)
    quick[rare] = False
    quick &= said.status != Status.WRONG
    for kind, count in enumerate(np.bincount(said.kind[quick]).tolist()):
        if count:
            out.types[f"DF{kind}"] += count
    out.messages += int((said.status != Status.WRONG).sum())
    return refused


def _columns(frames: Frames, said: Said, place: tuple[Any, Any], out: Decoded) -> None:
    """The rows of frames that say something about a craft that is known to be there."""
    believed = (said.status == Status.OWN) | (said.status == Status.SAID)
    keep = np.flatnonzero(believed & (said.something() | ~np.isnan(place[0])))
    out.rows = len(keep)
    if not out.rows:
        return
    out.columns = {
        "time_us": frames.time_us[keep],
        "craft": AIR_DOMAIN + said.address[keep],
        "time_source": frames.time_source[keep],
        "message_type": frames.raw[keep, 0] >> 3,
        "lat": place[0][keep],
        "lon": place[1][keep],
        **said.columns(keep),
    }


def mended(message: dict[str, Any], raw: bytes) -> dict[str, Any]:
    """A velocity over ground as the standard has it (Doc 9871, table A-2-9): a component of 0 is not
    known, and a supersonic one counts in 4 kn. rs1090 takes both as they are."""
    if message.get("bds") != "09" or "groundspeed" not in message:
        return message
    bits = int.from_bytes(raw[4:11], "big")
    if not (bits >> 32 & 0x3FF and bits >> 21 & 0x3FF):
        return {k: v for k, v in message.items() if k not in ("groundspeed", "track")}
    if bits >> 48 & 7 == SUPERSONIC:
        return message | {"groundspeed": message["groundspeed"] * 4}
    return message


def _proven(kind: str, raw: bytes) -> bool:
    """Whether the parity of a frame that names its address fits. rs1090 looks at that of DF 17 alone."""
    if kind not in ("11", "18"):
        return True
    rest = 0
    for byte in raw[:-3]:
        rest = (rest << 8 & 0xFFFFFF) ^ _REMAINDERS[rest >> 16 ^ byte]
    rest ^= int.from_bytes(raw[-3:], "big")
    return not rest & (_NOT_WHO_ASKED if kind == "11" else 0xFFFFFF)


def _remainder(byte: int) -> int:
    """Of one byte by the polynomial of Annex 10 volume IV, 3.1.2.3.3."""
    rest = byte << 16
    for _ in range(8):
        rest = rest << 1 ^ (POLYNOMIAL if rest & 0x800000 else 0)
    return rest


_REMAINDERS: Final = tuple(_remainder(byte) for byte in range(256))
_NOT_WHO_ASKED: Final = 0xFFFF80  # of an all-call reply: the last seven bits may name the interrogator


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


_KNOWN: Final = HANDLED | IGNORED
