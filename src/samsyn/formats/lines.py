"""Cuts a stream of bytes into whole lines, in bounded memory whatever comes."""

from __future__ import annotations

import csv
from typing import NamedTuple

from samsyn.base import limits


class TooLong(NamedTuple):
    """A line that was thrown away because it never ended."""

    offset: int  # where it began
    length: int  # how much of it was seen until now


class LineCutter:
    """Holds back the unfinished line between pieces; drops one that exceeds `limit` bytes.

    >>> cutter = LineCutter()
    >>> cutter.push(b"one\\ntw"), cutter.push(b"o\\n"), cutter.rest()
    (b'one\\n', b'two\\n', b'')
    """

    def __init__(self, limit: int = limits.LINE_BYTES) -> None:
        self._limit = limit
        self._tail = b""
        self._offset = 0  # of the tail's first byte in the stream
        self._skipping = 0  # bytes already thrown away of a line without end
        self.too_long: list[TooLong] = []  # for the caller to read and clear

    def push(self, piece: bytes) -> bytes:
        """Whole lines, each with its newline. Lines over the limit are in `too_long` instead.

        Only a line that spans pieces is measured here; a decoder measures those within one.
        """
        if self._skipping:
            end = piece.find(b"\n")
            if end < 0:
                self._skipping += len(piece)
                self._offset += len(piece)
                return b""
            self._skipping += end
            self.too_long.append(TooLong(self._offset - self._skipping + end, self._skipping))
            self._skipping = 0
            self._offset += end + 1
            piece = piece[end + 1 :]
        data = self._tail + piece
        cut = data.rfind(b"\n") + 1
        whole, self._tail = data[:cut], data[cut:]
        self._offset += cut
        if len(self._tail) > self._limit:
            self._skipping = len(self._tail)
            self._offset += len(self._tail)
            self._tail = b""
        return whole

    def rest(self) -> bytes:
        """What is left when the stream ends, without a newline. The cutter begins anew."""
        if self._skipping:
            self.too_long.append(TooLong(self._offset - self._skipping, self._skipping))
            self._skipping = 0
        rest, self._tail = self._tail, b""
        self._offset += len(rest)
        return rest


def csv_fields(line: str, delimiter: str = ",") -> list[str]:
    """The fields of one line of CSV; none where it is not written as CSV is."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
