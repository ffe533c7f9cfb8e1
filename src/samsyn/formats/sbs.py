"""SBS-1 (BaseStation) lines, as readsb and dump1090 give them at port 30003.

    MSG,3,1,1,4CA123,1,2023/11/14,22:13:20.500,2023/11/14,22:13:20.512,,35000,,,55.5,12.5,,,0,0,0,0

By place: 1 transmission type, 4 address, 6-7 date and time of the message, 8-9 of its writing, 10 call
sign, 11 altitude, 12 speed over ground, 13 track, 14 latitude, 15 longitude, 16 vertical rate, 17
squawk, 19 emergency, 21 on ground. Left by name: 2, 3, 5 the writer's own numbers, 18 alert, 20 ident.
The dates are the writing machine's own: local time, by its settings.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from samsyn.base.clock import SECOND_US
from samsyn.formats.codes import Emergency, TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.states import TIME_S_MAX, Reader, taken, with_squawk_emergency

WIDTH: Final = 22
_ADDRESS, _DATE, _WRITTEN = 4, 6, 8
_CALLSIGN, _ALTITUDE, _SPEED, _TRACK, _LAT, _LON, _RATE, _SQUAWK = range(10, 18)
_EMERGENCY, _GROUND = 19, 21
TYPES: Final = frozenset("12345678")
OTHERS: Final = frozenset({"SEL", "ID", "AIR", "STA", "CLK"})  # what the writing program does
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SbsDecoder:
    """One stream of lines. `offset_us`: how far the writer's clock is ahead of UTC."""

    def __init__(self, offset_us: int = 0) -> None:
        self._offset_us = offset_us
        self._line = 0
        self._told_no_time = False
        self._last_us: int | None = None

    def decode(self, data: bytes, received_us: int) -> Decoded:
        """Columns of whole lines; one row a message.

        A line without a date has the last time that its stream said, and before any that of receipt.
        """
        out = Decoded()
        lines = data.split(b"\n")[:-1]
        out.lines = len(lines)
        rows: list[list[str | None]] = []
        numbers: list[int] = []
        for number, raw in enumerate(lines, self._line + 1):
            fields = [f.strip() for f in raw.decode("ascii", "replace").split(",")]
            if fields == [""]:
                continue
            wrong = _wrong(fields)
            if wrong:
                out.refuse(wrong, line=number, detail=shown(raw))
                continue
            out.messages += 1
            out.types["MSG " + fields[1] if fields[0] == "MSG" else fields[0]] += 1
            if fields[0] == "MSG":
                rows.append([f or None for f in fields])
                numbers.append(number)
        self._line += len(lines)
        times = []
        for row in rows:
            self._last_us = self._time_us(row) or self._last_us
            times.append(self._last_us)
        if rows:
            self._fill(Reader(rows, out, lines=numbers), times, received_us)
        return out

    def _time_us(self, row: list[str | None]) -> int | None:
        """The time in a line: of the message, else of its writing; None where neither can be."""
        for at in (_DATE, _WRITTEN):
            try:
                said = datetime.fromisoformat(f"{row[at]}T{row[at + 1]}".replace("/", "-"))
            except ValueError:
                continue
            since = said.replace(tzinfo=UTC) - _EPOCH
            time_us = round(since.total_seconds() * SECOND_US) - self._offset_us
            if 0 < time_us < TIME_S_MAX * SECOND_US:
                return time_us
        return None

    def _fill(self, read: Reader, times: list[int | None], received_us: int) -> None:
        out = read.out
        unknown = np.array([t is None for t in times])
        squawk = read.squawks(_SQUAWK)
        craft = read.addresses(_ADDRESS)
        columns: dict[str, Any] = {
            "craft": craft,
            "time_us": np.array([received_us if t is None else t for t in times], dtype=np.int64),
            "time_source": np.where(unknown, TimeSource.RECEIVED, TimeSource.RECORDED).astype(np.uint8),
            "lat": read.numbers(_LAT, -1_000, 1_000),
            "lon": read.numbers(_LON, -1_000, 1_000),
            "altitude_ft": read.numbers(_ALTITUDE, -10_000, 150_000),
            "on_ground": read.flags(_GROUND),
            "speed_kn": read.numbers(_SPEED, 0, 10_000),
            "course_deg": read.numbers(_TRACK, 0, 360) % 360,
            "vertical_rate_fpm": read.numbers(_RATE, -100_000, 100_000),
            "squawk": squawk,
            "emergency": _emergency(read.flags(_EMERGENCY), squawk),
            "callsign": read.texts(_CALLSIGN),
        }
        if unknown.any() and not self._told_no_time:
            self._told_no_time = True
            out.refuse("time-unknown", line=read.line(int(np.argmax(unknown))), count=0)
        kept = np.flatnonzero(craft >= 0)
        out.rows = len(kept)
        if out.rows:
            out.columns = {name: taken(values, kept) for name, values in columns.items()}


def _wrong(fields: list[str]) -> str | None:
    """The reason for which a line is none of SBS-1, or None."""
    if fields[0] in OTHERS:
        return None
    if fields[0] != "MSG" or len(fields) != WIDTH:
        return "malformed"
    return None if fields[1] in TYPES else "unknown-type"


def _emergency(flag: Any, squawk: Any) -> Any:
    """The flag says that there is one, the squawk which."""
    absent = np.ma.MaskedArray(np.zeros(len(flag), dtype=np.uint8), np.ma.getmaskarray(flag))
    meant = with_squawk_emergency(absent, squawk)
    raised = np.ma.filled(flag, False) & (meant.filled(Emergency.NONE) == Emergency.NONE)
    return np.ma.MaskedArray(
        np.where(raised, Emergency.GENERAL, meant.data).astype(np.uint8), np.ma.getmaskarray(meant)
    )
