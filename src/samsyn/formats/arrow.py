"""Arrow IPC streams from outside, read strictly: one agreed schema, no nulls, no compression.

Read by hand, because what comes is not to be trusted: nothing is unpacked, every offset is held
against the bytes that are there, and memory stays within a few times the input. The layout is that of
the Arrow columnar format 1.0 (Schema.fbs, Message.fbs; FlatBuffers underneath).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from samsyn.base.errors import InputError, LimitError

Column = npt.NDArray[Any] | list[str]

TEXT: Final = "text"
"""In a schema: LargeUtf8. All others are named as numpy names them: int64, uint8, float32, ..."""

_CONTINUES: Final = 0xFFFF_FFFF
_SCHEMA, _RECORD_BATCH = 1, 3  # MessageHeader
_INT, _FLOAT, _LARGE_UTF8 = 2, 3, 20  # Type
_FLOATS: Final = {1: "float32", 2: "float64"}  # Precision
_BATCHES_MAX: Final = 64


def read_stream(data: bytes, schema: Mapping[str, str], rows_max: int) -> dict[str, Column]:
    """The columns of a stream, each of one length, in the order of `schema`.

    Raises `InputError` for anything that is not such a stream, `LimitError` beyond `rows_max` rows.
    """
    try:
        return _read(data, schema, rows_max)
    except (struct.error, ValueError, IndexError, OverflowError) as e:
        raise InputError(f"not an Arrow stream of the agreed columns: {e}") from e


def _read(data: bytes, schema: Mapping[str, str], rows_max: int) -> dict[str, Column]:
    at, header = _message(data, 0)
    if header is None or header.kind != _SCHEMA or header.body:
        raise ValueError("it does not begin with a schema")
    found = _fields(header.table)
    if found != dict(schema) or list(found) != list(schema):
        raise ValueError("other columns")
    parts: list[dict[str, Column]] = []
    rows = 0
    while True:
        at, header = _message(data, at)
        if header is None:
            break
        if header.kind != _RECORD_BATCH or len(parts) >= _BATCHES_MAX:
            raise ValueError("something that is no batch of rows, or too many of them")
        length = header.table.number(0, "<q")
        rows += max(length, 0)
        if rows > rows_max:
            raise LimitError(f"more than {rows_max} rows")
        parts.append(_batch(header, schema, length))
    if at != len(data):
        raise ValueError("bytes after its end")
    return {name: _together([part[name] for part in parts], kind) for name, kind in schema.items()}


def _together(parts: list[Column], kind: str) -> Column:
    if kind == TEXT:
        return [text for part in parts for text in part]
    return np.concatenate([np.empty(0, kind), *parts])


class _Table:
    """A FlatBuffers table."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        vtable = at - _unpack("<i", data, at)
        size = _unpack("<H", data, vtable)
        self._offsets = [_unpack("<H", data, vtable + n) for n in range(4, min(size, 64), 2)]

    def place(self, field: int) -> int:
        """Where a field's value is; 0 where it has none."""
        offset = self._offsets[field] if field < len(self._offsets) else 0
        return self._at + offset if offset else 0

    def number(self, field: int, form: str) -> int:
        at = self.place(field)
        return _unpack(form, self._data, at) if at else 0

    def follow(self, field: int) -> int:
        """Where what a field points to begins. Raises `ValueError` where it has none."""
        at = self.place(field)
        if not at:
            raise ValueError("a part is missing")
        return at + _unpack("<I", self._data, at)

    def table(self, field: int) -> _Table:
        return _Table(self._data, self.follow(field))

    def tables(self, field: int) -> list[_Table]:
        at, count = self._vector(field)
        places = [at + 4 * n for n in range(count)]
        return [_Table(self._data, p + _unpack("<I", self._data, p)) for p in places]

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """A vector of structs of two 64-bit integers."""
        at, count = self._vector(field)
        return [struct.unpack_from("<qq", self._data, at + 16 * n) for n in range(count)]

    def text(self, field: int) -> str:
        at = self.follow(field)
        length = _unpack("<I", self._data, at)
        return self._data[at + 4 : at + 4 + length].decode()

    def _vector(self, field: int) -> tuple[int, int]:
        at = self.follow(field)
        count = _unpack("<I", self._data, at)
        if count > 256:
            raise ValueError("too many parts")
        return at + 4, count


class _Header(NamedTuple):
    kind: int
    table: _Table
    body: memoryview


def _unpack(form: str, data: bytes, at: int) -> int:
    if at < 0:  # which `struct` would count from the end
        raise ValueError("it points before its beginning")
    value: int = struct.unpack_from(form, data, at)[0]
    return value


def _message(data: bytes, at: int) -> tuple[int, _Header | None]:
    """The message at `at`, None for the end of the stream, and where the next one begins."""
    if _unpack("<I", data, at) != _CONTINUES:
        raise ValueError("no message begins here")
    size = _unpack("<i", data, at + 4)
    at += 8
    if size == 0:
        return at, None
    if not 0 < size <= len(data) - at:
        raise ValueError("a message is cut short")
    inside = data[at : at + size]
    message = _Table(inside, _unpack("<I", inside, 0))
    length = message.number(3, "<q")
    at += size
    if not 0 <= length <= len(data) - at:
        raise ValueError("a body is cut short")
    header = _Header(message.number(1, "<B"), message.table(2), memoryview(data)[at : at + length])
    return at + length, header


def _fields(schema: _Table) -> dict[str, str]:
    if schema.number(0, "<h") != 0:
        raise ValueError("not little-endian")
    fields = schema.tables(1)
    return {field.text(0): _type(field) for field in fields}


def _type(field: _Table) -> str:
    kind = field.number(2, "<B")
    if field.place(4):
        raise ValueError("a dictionary")
    if kind == _LARGE_UTF8:
        return TEXT
    if kind == _INT:
        inner = field.table(3)
        return ("int" if inner.number(1, "<B") else "uint") + str(inner.number(0, "<i"))
    if kind == _FLOAT:
        return _FLOATS.get(field.table(3).number(0, "<h"), "?")
    return "?"


def _batch(header: _Header, schema: Mapping[str, str], length: int) -> dict[str, Column]:
    if header.table.place(3) or length < 0:
        raise ValueError("it is compressed, or of no length")
    nodes, buffers = header.table.pairs(1), header.table.pairs(2)
    if len(nodes) != len(schema) or any(node != (length, 0) for node in nodes):
        raise ValueError("columns of unequal length, or with nulls")
    if len(buffers) != sum(3 if kind == TEXT else 2 for kind in schema.values()):
        raise ValueError("another number of buffers")
    parts = iter([_buffer(header.body, *buffer) for buffer in buffers])
    made: dict[str, Column] = {}
    for name, kind in schema.items():
        next(parts)  # which rows are null: none
        if kind == TEXT:
            made[name] = _texts(next(parts), next(parts), length)
        else:
            made[name] = np.frombuffer(next(parts), np.dtype(kind).newbyteorder("<"), length)
    return made


def _buffer(body: memoryview, offset: int, length: int) -> memoryview:
    if not (0 <= offset <= len(body) and 0 <= length <= len(body) - offset):
        raise ValueError("a buffer lies outside the body")
    return body[offset : offset + length]


def _texts(offsets: memoryview, data: memoryview, length: int) -> list[str]:
    if not length:
        return []
    ends = np.frombuffer(offsets, "<i8", length + 1)
    if ends[0] < 0 or ends[-1] > len(data) or (np.diff(ends) < 0).any():
        raise ValueError("texts overlap or lie outside")
    whole, cut = bytes(data), ends.tolist()
    return [whole[a:b].decode() for a, b in pairwise(cut)]
