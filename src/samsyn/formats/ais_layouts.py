"""What is read of AIS messages: which field lies where, and how it becomes a value.

pyais knows the messages; its tables (`decoder_plan`) give offset, width and sign of every field. Here
stands which of them are read, into which column, and which are left by name.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pyais.messages import (
    MSG_CLASS,
    MessageType24PartA,
    MessageType24PartB,
    MessageType24PartBAuxiliaryCraft,
)

Ints = npt.NDArray[np.int64]

FEET_PER_METRE: Final = 1 / 0.3048
TYPES: Final = range(1, 28)  # ITU-R M.1371-5


class Field(NamedTuple):
    """Where one field of a message lies, from pyais."""

    offset: int
    width: int
    signed: bool


class Kind(IntEnum):
    """How a raw integer becomes a value; the numbers are known to `_ais.c`."""

    MINUTES = 0  # of arc, in `factor`ths of 1/10,000: degrees
    OVER = 1  # divided by the factor
    TIMES = 2
    CODE = 3
    FLAG = 4
    TEXT = 5


class Converter(NamedTuple):
    """Raw integers to the units of the schema. "Not available" is NaN or masked (M.1371 annex 8)."""

    kind: Kind
    absent: int = 0  # no value: this one, or, of what is divided or multiplied, from it on
    factor: float = 1

    def __call__(self, raw: Ints) -> Any:
        match self.kind:
            case Kind.MINUTES:
                value = (int(self.factor) * raw + 3) // 6 / 1e6
                return np.where(raw == self.absent, np.nan, value)
            case Kind.OVER:
                return np.where(raw >= self.absent, np.nan, raw / self.factor)
            case Kind.TIMES:
                return np.where(raw >= self.absent, np.nan, raw * self.factor)
            case Kind.CODE:
                return np.ma.masked_equal(raw.astype(np.uint8), self.absent)
            case _:
                return raw.astype(bool)


def _minutes_10000(absent: int) -> Converter:
    return Converter(Kind.MINUTES, absent, 10)


def _minutes_10(absent: int) -> Converter:
    return Converter(Kind.MINUTES, absent, 10_000)


def _scaled(absent: int, factor: float = 1.0) -> Converter:
    return Converter(Kind.OVER, absent, factor)


def _code(absent: int) -> Converter:
    return Converter(Kind.CODE, absent)


_ALTITUDE: Final = Converter(Kind.TIMES, 4095, FEET_PER_METRE)
_FLAG: Final = Converter(Kind.FLAG)
_LAT, _LON = _minutes_10000(91 * 600_000), _minutes_10000(181 * 600_000)
_PLACE: Final[dict[str, tuple[str, Converter]]] = {
    "lat": ("lat", _LAT),
    "lon": ("lon", _LON),
    "accuracy": ("position_accurate", _FLAG),
    "raim": ("raim", _FLAG),
}
_MOVING: Final[dict[str, tuple[str, Converter]]] = {
    **_PLACE,
    "speed": ("speed_kn", _scaled(1023, 10.0)),
    "course": ("course_deg", _scaled(3600, 10.0)),
    "heading": ("heading_deg", _scaled(360)),
}
_STATUS: Final[tuple[str, Converter]] = ("nav_status", _code(15))
_SHIP_TYPE: Final[tuple[str, Converter]] = ("ship_type", _code(0))
TEXTS: Final = {"shipname": "name", "name": "name", "callsign": "callsign", "text": "text"}
_DIMENSIONS: Final = frozenset({"to_bow", "to_stern", "to_port", "to_starboard", "epfd"})
# In every message: the first three are read apart, the others say nothing about the craft.
COMMON: Final = frozenset({"msg_type", "mmsi", "second", "repeat", "radio", "spare_1", "spare_2"})


class Layout(NamedTuple):
    """What is read of one kind of message, and what is left by name."""

    pyais_class: Any
    numbers: dict[str, tuple[str, Converter]]  # pyais field -> column and converter
    texts: tuple[str, ...]  # pyais fields; `TEXTS` names the columns
    ignored: frozenset[str]
    needed: str  # a message that ends before the end of this field is too short

    def field(self, name: str) -> Field:
        return fields_of(self.pyais_class)[name]


@cache
def fields_of(pyais_class: Any) -> dict[str, Field]:
    """The fields of a message, by pyais's names."""
    return {
        name: Field(offset, width, signed)
        for name, offset, width, signed, *_ in pyais_class.decoder_plan()
    }


_CLASS_A = {**_MOVING, "status": _STATUS}
_UTC = frozenset({"year", "month", "day", "hour", "minute"})  # the sender's own clock: no time of ours
_B_FLAGS = frozenset({"reserved_1", "reserved_2", "cs", "display", "dsc", "band", "msg22", "assigned"})
LAYOUTS: Final[dict[int | str, Layout]] = {
    **{t: Layout(MSG_CLASS[t], _CLASS_A, (), frozenset({"turn", "maneuver"}), "lat") for t in (1, 2, 3)},
    **{t: Layout(MSG_CLASS[t], _PLACE, (), _UTC | {"epfd"}, "lat") for t in (4, 11)},
    5: Layout(
        MSG_CLASS[5],
        {"ship_type": _SHIP_TYPE},
        ("callsign", "shipname"),
        _DIMENSIONS
        | {"ais_version", "imo", "month", "day", "hour", "minute", "draught", "destination", "dte"},
        "shipname",
    ),
    9: Layout(
        MSG_CLASS[9],
        {
            **_PLACE,
            "speed": ("speed_kn", _scaled(1023)),
            "course": _MOVING["course"],
            "alt": ("altitude_ft", _ALTITUDE),
        },
        (),
        frozenset({"reserved_1", "dte", "assigned"}),
        "lat",
    ),
    12: Layout(
        MSG_CLASS[12], {}, ("text",), frozenset({"seqno", "dest_mmsi", "retransmit"}), "retransmit"
    ),
    14: Layout(MSG_CLASS[14], {}, ("text",), frozenset(), "mmsi"),
    17: Layout(
        MSG_CLASS[17],
        {"lat": ("lat", _minutes_10(91 * 600)), "lon": ("lon", _minutes_10(181 * 600))},
        (),
        frozenset({"data"}),
        "lat",
    ),
    18: Layout(MSG_CLASS[18], _MOVING, (), _B_FLAGS, "lat"),
    19: Layout(
        MSG_CLASS[19],
        {**_MOVING, "ship_type": _SHIP_TYPE},
        ("shipname",),
        _DIMENSIONS | {"reserved_1", "reserved_2", "dte", "assigned"},
        "lat",
    ),
    21: Layout(
        MSG_CLASS[21],
        _PLACE,
        ("name",),
        _DIMENSIONS | {"aid_type", "off_position", "reserved_1", "virtual_aid", "assigned", "name_ext"},
        "lat",
    ),
    "24A": Layout(MessageType24PartA, {}, ("shipname",), frozenset({"partno"}), "shipname"),
    "24B": Layout(
        MessageType24PartB,
        {"ship_type": _SHIP_TYPE},
        ("callsign",),
        _DIMENSIONS - {"epfd"} | {"partno", "vendorid", "model", "serial"},
        "callsign",
    ),
    "24B auxiliary": Layout(
        MessageType24PartBAuxiliaryCraft,
        {"ship_type": _SHIP_TYPE},
        ("callsign",),
        frozenset({"partno", "vendorid", "model", "serial", "mothership_mmsi"}),
        "callsign",
    ),
    27: Layout(
        MSG_CLASS[27],
        {
            "lat": ("lat", _minutes_10(91 * 600)),
            "lon": ("lon", _minutes_10(181 * 600)),
            "accuracy": _PLACE["accuracy"],
            "raim": _PLACE["raim"],
            "speed": ("speed_kn", _scaled(63)),
            "course": ("course_deg", _scaled(360)),
            "status": _STATUS,
        },
        (),
        frozenset({"gnss"}),
        "course",
    ),
}

MMSI: Final = fields_of(MSG_CLASS[1])["mmsi"]


def second_of(layout: Layout) -> Field | None:
    """Where a message says the second within the minute; a clock's own time is none of ours."""
    if layout.pyais_class in (MSG_CLASS[4], MSG_CLASS[11]):
        return None
    return fields_of(layout.pyais_class).get("second")
