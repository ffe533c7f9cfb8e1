"""AIS messages to columns in numpy: what is true, and what runs where there is no compiled reader.

The fields are read one by one, each over all messages of one type at once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from samsyn.formats.ais_layouts import LAYOUTS, MMSI, TEXTS, TYPES, Field, Layout, fields_of, second_of
from samsyn.formats.ais_messages import Messages
from samsyn.formats.decoded import Decoded
from samsyn.formats.nmea import NmeaReader, Payloads

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_LONGEST: Final = 1_008  # bits of the longest message that is read (types 12 and 14)
_PART_NUMBER: Final = Field(38, 2, signed=False)

# Six-bit values of the payload's characters (M.1371 annex 8 / IEC 61162-1); 255: not one of them.
_SIX: Final = np.full(256, 255, dtype=np.uint8)
_SIX[48:88] = np.arange(40)
_SIX[96:120] = np.arange(40, 64)
_LETTER: Final = np.array([*range(64, 96), *range(32, 64)], dtype=np.uint8)


class NumpyReader:
    """Sentences of one stream, piece by piece: what is said of it stands at `ais.AisDecoder`."""

    def __init__(self) -> None:
        self._nmea = NmeaReader()

    def read(self, data: bytes, out: Decoded) -> Messages:
        """The messages that become whole in `data`; refusals are counted in `out`."""
        rows = _Rows(self._nmea.read(data, out))
        rows.fill(out)
        return rows.messages()

    @property
    def said_time(self) -> bool:
        """Whether the last piece had a time in it."""
        return self._nmea.said_time

    def forget_time(self) -> None:
        """The last time that the stream said is too old for what comes now."""
        self._nmea.forget_time()

    def finish(self, out: Decoded) -> None:
        """The stream has ended: messages still open will never be whole."""
        self._nmea.finish(out)


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
        short = usable & (self._bits < MMSI.offset + MMSI.width)
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

    def messages(self) -> Messages:
        """What was read, one row a message that makes one."""
        keep = np.flatnonzero(self._kept)
        return Messages(
            time_us=self.payloads.time_us[keep],
            time_source=self.payloads.time_source[keep],
            line=self.payloads.line[keep],
            mmsi=self.mmsi[keep],
            type=self.type[keep],
            second=self.second[keep],
            values={name: _kept(values, keep) for name, values in self._made.items()},
        )

    def _layouts(self, message_type: int, rows: Ints) -> list[tuple[Layout, Ints]]:
        """The layouts of a type's messages, each with its rows; none for types without columns."""
        if message_type != 24:
            return [(LAYOUTS[message_type], rows)] if message_type in LAYOUTS else []
        matrix = self._matrix(rows, 40)
        part, mmsi = _extract(matrix, _PART_NUMBER), _extract(matrix, MMSI)
        auxiliary = mmsi // 10_000_000 == 98
        return [
            (LAYOUTS["24A"], rows[part == 0]),
            (LAYOUTS["24B"], rows[(part == 1) & ~auxiliary]),
            (LAYOUTS["24B auxiliary"], rows[(part == 1) & auxiliary]),
        ]

    def _read(self, layout: Layout, rows: Ints) -> None:
        if not len(rows):
            return
        fields = fields_of(layout.pyais_class)
        read = [name for name in fields if name in layout.numbers or name in layout.texts]
        matrix = self._matrix(rows, max(fields[n].offset + fields[n].width for n in [*read, "mmsi"]))
        self._kept[rows] = True
        self.mmsi[rows] = _extract(matrix, MMSI)
        second = second_of(layout)
        if second is not None:
            self.second[rows] = _extract(matrix, second)
        for name, (column, converter) in layout.numbers.items():
            field = fields[name]
            values = converter(_extract(matrix, field))
            self._put(column, rows, values, self._bits[rows] >= field.offset + field.width)
        for name in layout.texts:
            texts = self._made.setdefault(TEXTS[name], [None] * len(self.type))
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


def _kept(values: Any, keep: Ints) -> Any:
    return [values[i] for i in keep.tolist()] if isinstance(values, list) else values[keep]


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
