"""Our own columns as CSV: for extracts and for whoever has data in another shape.

    # SOURCE: who recorded it, licence
    time,craft,lat,lon,altitude_ft,speed_kn,course_deg
    2018-11-26T09:38:15Z,icao:4ab179,55.061195,14.76704,325,126,116

`time` (RFC 3339) and `craft` are needed; any other name is a column of `observations.schema`. Empty
is absent. Lines that begin with # are comments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from samsyn.base.clock import SECOND_US, parse_iso
from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Lines
from samsyn.feeds.recording import NOT_TOLD
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.lines import csv_fields
from samsyn.formats.states import TIME_S_MAX
from samsyn.observations.craft import craft_from_text
from samsyn.observations.schema import SCHEMA

NEEDED = ("time", "craft")
_TRUTH = {"true": True, "false": False}
_MOST: dict[type[pl.DataType], int] = {pl.UInt8: 0xFF, pl.UInt16: 0xFFFF}


class ColumnsDecoder:
    """One file or stream; the first line that is no comment is the header."""

    def __init__(self) -> None:
        self._header: list[str] | None = None
        self._line = 0

    def decode(self, data: bytes, received_us: int) -> Decoded:
        """The rows of whole lines. A row with a value that cannot be is refused as a whole."""
        out = Decoded()
        lines = data.decode("utf-8", "replace").split("\n")[:-1]
        out.lines = len(lines)
        rows: list[dict[str, Any]] = []
        for number, line in enumerate(lines, self._line + 1):
            text = line.rstrip("\r")
            if not text or text.startswith("#"):
                continue
            fields = csv_fields(text)
            if self._header is None:
                self._header = self._checked(fields, number, out)
            elif not self._header:
                out.refuse("header", line=number)
            elif len(fields) != len(self._header):
                out.refuse("malformed", line=number, detail=shown(text.encode()))
            else:
                self._row(dict(zip(self._header, fields, strict=True)), number, rows, out)
        self._line += len(lines)
        if rows:
            out.rows = out.messages = len(rows)
            out.columns = {name: [row[name] for row in rows] for name in rows[0]}
            out.columns["time_us"] = np.array(out.columns["time_us"], dtype=np.int64)
            out.columns["time_source"] = np.full(len(rows), TimeSource.RECORDED, dtype=np.uint8)
        return out

    def end(self) -> Decoded:
        self._header = None
        return Decoded()

    def _checked(self, header: list[str], line: int, out: Decoded) -> list[str]:
        """The header, or none where it lacks what is needed or names what is no column of ours."""
        wrong = [n for n in header if n != "time" and (n not in SCHEMA or n in NOT_TOLD)]
        if wrong or not set(header) >= set(NEEDED) or len(set(header)) < len(header):
            out.refuse("header", line=line, detail=", ".join(wrong)[:80])
            return []
        return header

    def _row(self, said: dict[str, str], line: int, rows: list[dict[str, Any]], out: Decoded) -> None:
        try:
            row: dict[str, Any] = {"time_us": parse_iso(said["time"])}
            if not 0 < row["time_us"] < TIME_S_MAX * SECOND_US:
                raise ValueError(said["time"])
        except ValueError:
            out.refuse("no-time", line=line, detail=said["time"][:40])
            return
        try:
            row["craft"] = craft_from_text(said["craft"])
        except ValueError:
            out.refuse("no-craft", line=line, detail=said["craft"][:40])
            return
        for name, text in said.items():
            if name in NEEDED:
                continue
            try:
                row[name] = _value(text, SCHEMA[name])
            except (ValueError, OverflowError, KeyError):
                out.refuse("wrong-value", line=line, detail=f"{name}={text[:40]}")
                return
        rows.append(row)


def _value(text: str, dtype: type[pl.DataType]) -> Any:
    """A field's value; None where empty. Raises `ValueError`, `OverflowError` or `KeyError`."""
    if not text:
        return None
    if dtype == pl.String:
        return text
    if dtype == pl.Boolean:
        return _TRUTH[text]
    if dtype.is_float():
        value = float(text)
        if not np.isfinite(value):
            raise ValueError(text)
        return value
    number = int(text)
    if not 0 <= number <= _MOST[dtype]:
        raise ValueError(text)
    return number


def decoder(settings: FeedSettings) -> Decoder:
    columns = ColumnsDecoder()
    return Lines(columns.decode, columns.end)
