"""AIS payloads to columns.

pyais knows the messages: which fields they have, where, how wide, signed or not. Its tables
(`decoder_plan`) are read here field by field over all messages of one type at once, instead of
making an object for each message. Tests hold every value equal to what pyais itself decodes.
"""

from __future__ import annotations

from collections.abc import Callable
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

from samsyn.base.clock import SECOND_US
from samsyn.formats.codes import Emergency, TimeSource
from samsyn.formats.decoded import Decoded
from samsyn.formats.nmea import NO_TIME, NmeaReader, Payloads

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

SEA_DOMAIN: Final = 1 << 32  # observations.craft: the key of a ship is this plus its MMSI
FEET_PER_METRE: Final = 1 / 0.3048
CARRY_US: Final = 5 * SECOND_US
TYPES: Final = range(1, 28)  # ITU-R M.1371-5
_SART_ACTIVE: Final = 14  # navigational status
_DEVICES: Final = {970: Emergency.AIS_SART, 972: Emergency.AIS_MOB, 974: Emergency.AIS_EPIRB}
_LONGEST: Final = 1_008  # bits of the longest message that is read (types 12 and 14)


class Field(NamedTuple):
    """Where one field of a message lies, from pyais."""

    offset: int
    width: int
    signed: bool


# Raw integers to the units of the schema. "Not available" is NaN or masked (M.1371 annex 8).
Converter = Callable[[Ints], Any]


def _minutes_10000(not_available: int) -> Converter:
    return lambda raw: _nan_where(raw == not_available, (10 * raw + 3) // 6 / 1e6)


def _minutes_10(not_available: int) -> Converter:
    return lambda raw: _nan_where(raw == not_available, (10_000 * raw + 3) // 6 / 1e6)


def _scaled(not_available: int, factor: float = 1.0) -> Converter:
    """From `not_available` on there is no value."""
    return lambda raw: _nan_where(raw >= not_available, raw / factor)


def _code(not_available: int) -> Converter:
    return lambda raw: np.ma.masked_equal(raw.astype(np.uint8), not_available)


def _altitude_ft(raw: Ints) -> Any:
    return _nan_where(raw >= 4095, raw * FEET_PER_METRE)


def _flag(raw: Ints) -> Any:
    return raw.astype(bool)


def _nan_where(absent: Bools, value: Any) -> Any:
    return np.where(absent, np.nan, value)


_LAT, _LON = _minutes_10000(91 * 600_000), _minutes_10000(181 * 600_000)
_PLACE: Final[dict[str, tuple[str, Converter]]] = {
    "lat": ("lat", _LAT),
    "lon": ("lon", _LON),
    "accuracy": ("position_accurate", _flag),
    "raim": ("raim", _flag),
}
_MOVING: Final[dict[str, tuple[str, Converter]]] = {
    **_PLACE,
    "speed": ("speed_kn", _scaled(1023, 10.0)),
    "course": ("course_deg", _scaled(3600, 10.0)),
    "heading": ("heading_deg", _scaled(360)),
}
_STATUS: Final[tuple[str, Converter]] = ("nav_status", _code(15))
_SHIP_TYPE: Final[tuple[str, Converter]] = ("ship_type", _code(0))
_TEXT: Final = {"shipname": "name", "name": "name", "callsign": "callsign", "text": "text"}
_DIMENSIONS: Final = frozenset({"to_bow", "to_stern", "to_port", "to_starboard", "epfd"})
# In every message: the first three are read apart, the others say nothing about the craft.
_COMMON: Final = frozenset({"msg_type", "mmsi", "second", "repeat", "radio", "spare_1", "spare_2"})


class Layout(NamedTuple):
    """What is read of one kind of message, and what is left by name."""

    pyais_class: Any
    numbers: dict[str, tuple[str, Converter]]  # pyais field -> column and converter
    texts: tuple[str, ...]  # pyais fields; `_TEXT` names the columns
    ignored: frozenset[str]
    needed: str  # a message that ends before the end of this field is too short

    def field(self, name: str) -> Field:
        return _fields(self.pyais_class)[name]


@cache
def _fields(pyais_class: Any) -> dict[str, Field]:
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
            "alt": ("altitude_ft", _altitude_ft),
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

_PART_NUMBER: Final = Field(38, 2, signed=False)
_MMSI: Final = _fields(MSG_CLASS[1])["mmsi"]

# Six-bit values of the payload's characters (M.1371 annex 8 / IEC 61162-1); 255: not one of them.
_SIX: Final = np.full(256, 255, dtype=np.uint8)
_SIX[48:88] = np.arange(40)
_SIX[96:120] = np.arange(40, 64)
_LETTER: Final = np.array([*range(64, 96), *range(32, 64)], dtype=np.uint8)


class AisDecoder:
    """One stream of AIS sentences to columns, piece by piece.

    `day_us` is the start of the day that the settings give for a recording whose lines carry no
    time: then only the second within the minute is known, from the message itself. A `live` stream
    that says a time now and then lends it to lines of the next `CARRY_US` only; in a recording it
    holds until the next.
    """

    def __init__(self, day_us: int | None = None, *, live: bool = False) -> None:
        self.reader = NmeaReader()
        self._day_us = day_us
        self._live = live
        self._time_said_us = 0
        self._told_no_time = False

    def decode(self, data: bytes, received_us: int) -> Decoded:
        """Columns of the messages that become whole in `data`, which must end with a newline.

        `received_us` is the time of rows whose stream says none.
        """
        out = Decoded()
        if self._live and received_us - self._time_said_us > CARRY_US:
            self.reader.forget_time()
        payloads = self.reader.read(data, out)
        if self.reader.said_time:
            self._time_said_us = received_us
        rows = _Rows(payloads)
        rows.fill(out)
        if len(rows.keep):
            self._set_times(rows, received_us, out)
            out.columns = rows.columns()
            out.rows = len(rows.keep)
        return out

    def finish(self) -> Decoded:
        """The stream has ended. Counts the messages that never became whole."""
        out = Decoded()
        self.reader.finish(out)
        return out

    def _set_times(self, rows: _Rows, received_us: int, out: Decoded) -> None:
        untimed = rows.time_us == NO_TIME
        if not untimed.any():
            return
        if not self._told_no_time:
            self._told_no_time = True
            out.refuse(
                "time-unknown", line=int(rows.payloads.line[rows.keep[np.argmax(untimed)]]), count=0
            )
        if self._day_us is None:
            rows.time_us = np.where(untimed, received_us, rows.time_us)
            rows.time_source = np.where(untimed, TimeSource.RECEIVED, rows.time_source)
        else:
            second_us = np.where(rows.second < 60, rows.second, 0) * SECOND_US
            rows.time_us = np.where(untimed, self._day_us + second_us, rows.time_us)
            rows.time_source = np.where(untimed, TimeSource.GIVEN_DATE, rows.time_source)


class _Rows:
    """The columns of one piece, filled type by type."""

    def __init__(self, payloads: Payloads) -> None:
        self.payloads = payloads
        count = len(payloads.start)
        self._six = _SIX[payloads.buffer]
        self._bits = payloads.length * 6 - payloads.fill_bits
        self._made: dict[str, Any] = {}
        self._kept = np.zeros(count, dtype=bool)
        self.mmsi = np.zeros(count, dtype=np.int64)
        self.second = np.full(count, 60, dtype=np.int64)
        self.type = self._six[payloads.start].astype(np.int64) if count else payloads.start

    def fill(self, out: Decoded) -> None:
        """Reads every message; counts types and refusals in `out`."""
        count = len(self.type)
        widest = np.minimum(self.payloads.length, _LONGEST // 6 + 1)
        wrong = np.zeros(count, dtype=bool)
        if count:
            bad = np.r_[0, np.cumsum(self._six == 255, dtype=np.int32)]
            wrong = bad[self.payloads.start + widest] > bad[self.payloads.start]
        unknown = ~wrong & ~np.isin(self.type, TYPES)
        self._refuse(out, "payload", wrong)
        self._refuse(out, "unknown-type", unknown)
        usable = ~wrong & ~unknown
        short = usable & (self._bits < _MMSI.offset + _MMSI.width)
        types, counts = np.unique(self.type[usable & ~short], return_counts=True)
        for message_type, number in zip(types.tolist(), counts.tolist(), strict=True):
            out.types[str(message_type)] += number
            out.messages += number
            rows = np.flatnonzero(usable & ~short & (self.type == message_type))
            for layout, part in self._layouts(message_type, rows):
                field = layout.field(layout.needed)
                enough = self._bits[part] >= field.offset + field.width
                short[part[~enough]] = True
                self._read(layout, part[enough])
        self._refuse(out, "too-short", short)
        self.keep = np.flatnonzero(self._kept)
        self.mmsi, self.second, self.type = (c[self.keep] for c in (self.mmsi, self.second, self.type))
        self.time_us = self.payloads.time_us[self.keep]
        self.time_source = self.payloads.time_source[self.keep]

    def columns(self) -> dict[str, Any]:
        made = {name: self._column(values) for name, values in self._made.items()}
        made["time_us"] = self.time_us
        made["time_source"] = self.time_source.astype(np.uint8)
        made["craft"] = self.mmsi + SEA_DOMAIN
        made["message_type"] = self.type.astype(np.uint8)
        emergency = self._emergency(made.get("nav_status"), made.get("text"))
        if emergency is not None:
            made["emergency"] = emergency
        return made

    def _column(self, values: Any) -> Any:
        return [values[i] for i in self.keep.tolist()] if isinstance(values, list) else values[self.keep]

    def _emergency(self, nav_status: Any, text: list[str | None] | None) -> Any:
        """Set for distress devices only: which one it is, or none while it is tested.

        In use they say status 14, and "SART ACTIVE" or the like in a text; under test neither.
        """
        device = self.mmsi // 1_000_000
        is_device = np.isin(device, list(_DEVICES))
        if not is_device.any():
            return None
        active = np.zeros(len(device), dtype=bool)
        if nav_status is not None:
            active = np.ma.filled(nav_status == _SART_ACTIVE, False)
        if text is not None:
            active |= np.array([t is not None and "ACTIVE" in t for t in text])
        value = np.zeros(len(device), dtype=np.uint8)
        for number, emergency in _DEVICES.items():
            value[(device == number) & active] = emergency
        return np.ma.MaskedArray(value, ~is_device)

    def _layouts(self, message_type: int, rows: Ints) -> list[tuple[Layout, Ints]]:
        """The layouts of a type's messages, each with its rows; none for types without columns."""
        if message_type != 24:
            return [(LAYOUTS[message_type], rows)] if message_type in LAYOUTS else []
        matrix = self._matrix(rows, 40)
        part, mmsi = _extract(matrix, _PART_NUMBER), _extract(matrix, _MMSI)
        auxiliary = mmsi // 10_000_000 == 98
        return [
            (LAYOUTS["24A"], rows[part == 0]),
            (LAYOUTS["24B"], rows[(part == 1) & ~auxiliary]),
            (LAYOUTS["24B auxiliary"], rows[(part == 1) & auxiliary]),
        ]

    def _read(self, layout: Layout, rows: Ints) -> None:
        if not len(rows):
            return
        fields = _fields(layout.pyais_class)
        read = [name for name in fields if name in layout.numbers or name in layout.texts]
        matrix = self._matrix(rows, max(fields[n].offset + fields[n].width for n in [*read, "mmsi"]))
        self._kept[rows] = True
        self.mmsi[rows] = _extract(matrix, _MMSI)
        if "second" in fields and layout.pyais_class not in (MSG_CLASS[4], MSG_CLASS[11]):
            self.second[rows] = _extract(matrix, fields["second"])
        for name, (column, converter) in layout.numbers.items():
            field = fields[name]
            values = converter(_extract(matrix, field))
            self._put(column, rows, values, self._bits[rows] >= field.offset + field.width)
        for name in layout.texts:
            texts = self._made.setdefault(_TEXT[name], [None] * len(self.type))
            whole = (self._bits[rows] - fields[name].offset) // 6  # what is less is no character
            for row, text in zip(rows.tolist(), _texts(matrix, fields[name], whole), strict=True):
                texts[row] = text

    def _put(self, column: str, rows: Ints, values: Any, there: Bools) -> None:
        """Numbers into a column; NaN or masked where the message ends before them."""
        if values.dtype.kind == "f":
            made = self._made.setdefault(column, np.full(len(self.type), np.nan))
            made[rows] = np.where(there, values, np.nan)
        else:
            count = len(self.type)
            empty = np.ma.MaskedArray(np.zeros(count, dtype=values.dtype), np.ones(count, dtype=bool))
            made = self._made.setdefault(column, empty)
            made[rows] = np.ma.MaskedArray(values, np.ma.getmaskarray(values) | ~there)

    def _matrix(self, rows: Ints, bits: int) -> Bytes:
        """Six-bit values of the messages `rows`, one row each, zero past a message's end."""
        width = -(-bits // 6)
        at = np.arange(width)
        six = self._six[self.payloads.start[rows, None] + at]
        matrix: Bytes = np.where(at < self.payloads.length[rows, None], six, np.uint8(0))
        return np.ascontiguousarray(matrix.T)

    def _refuse(self, out: Decoded, reason: str, where: Bools) -> None:
        for i in np.flatnonzero(where).tolist():
            kind = f"type {int(self.type[i])}" if self.type[i] != 255 else ""
            out.refuse(reason, line=int(self.payloads.line[i]), detail=kind)


def _extract(matrix: Bytes, field: Field) -> Ints:
    """One field of all messages: its characters put together, shifted and masked."""
    first, last = field.offset // 6, (field.offset + field.width - 1) // 6
    value = np.zeros(matrix.shape[1], dtype=np.int64)
    for i in range(first, last + 1):
        value = value << 6 | matrix[i]
    value = value >> ((last + 1) * 6 - field.offset - field.width) & ((1 << field.width) - 1)
    if field.signed:
        value -= (value >> (field.width - 1)) << field.width
    return value


def _texts(matrix: Bytes, field: Field, whole: Ints) -> list[str | None]:
    """Six-bit text up to its first @, spaces around it gone; None where nothing is left.

    `whole`: how many characters each message has room for.
    """
    chars = field.width // 6
    letters = np.empty((matrix.shape[1], chars), dtype=np.uint8)
    for i in range(chars):
        letters[:, i] = _LETTER[_extract(matrix, Field(field.offset + 6 * i, 6, signed=False))]
    raw = letters.tobytes()
    ends = (np.arange(matrix.shape[1]) * chars + np.clip(whole, 0, chars)).tolist()
    found = (raw[i * chars : end].split(b"@")[0].strip() for i, end in enumerate(ends))
    return [text.decode("ascii") or None for text in found]
