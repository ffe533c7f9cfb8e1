"""Mode S frames as lines of hexadecimal digits, in the spellings met in the field.

1698140962.119813,8d3944ed9914580ea0bc818e26c6               seconds since 1970, frame
1698140962.171425,1a33000023bb50f025903907dbc1b5...          the same, frame in Beast's envelope
*8d3944ed9914580ea0bc818e26c6;                               AVR: no time, so that of receipt
@00009a3b1c208d3944ed9914580ea0bc818e26c6;                   with the receiver's counter (also %)
<00009a3b1c20ff8d3944ed9914580ea0bc818e26c6;                 with counter and signal
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from types import ModuleType
from typing import Final

import numpy as np

from samsyn.base.clock import SECOND_US
from samsyn.formats import modes_compiled
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.modes import Frames, ModesFrames, Timed
from samsyn.formats.modes_said import LONG_BYTES
from samsyn.formats.states import TIME_S_MAX
from samsyn.formats.ticks import TickClock

FRAME_DIGITS: Final = (14, 28)  # 56 and 112 bits
BEAST: Final = {b"1a32": 14, b"1a33": 28}  # escape and type; then 6 bytes of counter, 1 of signal
_BEAST_HEAD: Final = 18
_COUNTER_DIGITS: Final = 12
_BEFORE_FRAME: Final = {b"*": 0, b":": 0, b"@": 12, b"%": 12, b"<": 14}  # digits of counter and signal
_RECORDED, _PLAIN, _OTHER, _COUNTED = 1, 2, 3, 4  # of a line, as `_modes.c` knows them; 0: blank


class AvrDecoder:
    """One stream of lines, piece by piece. `begin_us` and `live`: as in `ticks`."""

    def __init__(self, begin_us: int | None = None, *, live: bool = False) -> None:
        self._frames = ModesFrames()
        self._clock = TickClock(begin_us, live=live)
        self._line = 0

    def decode(self, data: bytes, received_us: int) -> Decoded:
        """Columns of the frames in `data`, whole lines."""
        out = Decoded()
        out.lines = data.count(b"\n")
        if modes_compiled.built:
            frames = self._quick(modes_compiled.built, data, received_us, out)
        else:
            lines = enumerate(data.split(b"\n")[:-1], self._line + 1)
            frames = Frames.of(self._timed(lines, received_us, out), "line")
        self._line += out.lines
        self._frames.read(frames, out)
        return out

    def _quick(self, compiled: ModuleType, data: bytes, received_us: int, out: Decoded) -> Frames:
        """The commonest spellings by compiled code; the other lines one by one, and with them those that
        have a counter, since one line's time may hang on the one before."""
        count = out.lines
        kind, length = np.empty((2, count), np.uint8)
        ends, time_us = np.empty((2, count), np.int64)
        raw = np.zeros((count, LONG_BYTES), np.uint8)
        compiled.lines(data, TIME_S_MAX * SECOND_US, kind, ends, time_us, raw, length)
        time_us[kind == _PLAIN] = received_us
        source = np.where(kind == _PLAIN, TimeSource.RECEIVED, TimeSource.RECORDED).astype(np.uint8)
        other, counted = np.flatnonzero(kind == _OTHER), np.flatnonzero(kind == _COUNTED)
        if len(other):
            other = np.sort(np.concatenate([other, counted]))
        elif len(counted):
            line = (counted + self._line + 1).tolist()
            time_us[counted] = self._clock.times_us(
                time_us[counted], received_us, lambda i: partial(out.refuse, line=line[i])
            )
            kind[counted], source[counted] = _RECORDED, self._clock.source
        begins = np.where(other > 0, ends[other - 1] + 1, 0)
        texts = (data[a:b] for a, b in zip(begins.tolist(), ends[other].tolist(), strict=True))
        numbers = (other + self._line + 1).tolist()
        timed = self._timed(zip(numbers, texts, strict=True), received_us, out)
        for frame in timed:
            i = frame.at - self._line - 1
            kind[i], time_us[i], source[i] = _RECORDED, frame.time_us, frame.time_source
            length[i] = len(frame.frame) // 2
            raw[i, : length[i]] = np.frombuffer(bytes.fromhex(frame.frame), np.uint8)
        some = np.flatnonzero((kind == _RECORDED) | (kind == _PLAIN))
        at = some + self._line + 1
        return Frames(raw[some], length[some], time_us[some], source[some], at, "line")

    def _timed(self, lines: Iterable[tuple[int, bytes]], received_us: int, out: Decoded) -> list[Timed]:
        """The frames of numbered lines; what is none is refused."""
        timed = []
        for number, raw in lines:
            line = raw.strip().lower()
            if not line or line.startswith(b"#"):
                continue
            if line[:1] in _BEFORE_FRAME:
                found = self._avr(line, number, received_us, out)
            else:
                found = _recorded(line, number)
            if found:
                timed.append(found)
            else:
                named = line.partition(b",")
                timeless = named[2] and _frame(named[2]) and _time_us(named[0]) is None
                out.refuse("no-time" if timeless else "malformed", line=number, detail=shown(raw))
        return timed

    def _avr(self, line: bytes, number: int, received_us: int, out: Decoded) -> Timed | None:
        before = _BEFORE_FRAME[line[:1]]
        frame = _frame(line[1 + before :].rstrip(b";"))
        counter = _digits(line[1 : 1 + _COUNTER_DIGITS]) if before else "0"
        if frame is None or counter is None:
            return None
        if not before:
            return Timed(frame, received_us, TimeSource.RECEIVED, number)
        at_us = self._clock.time_us(int(counter, 16), received_us, partial(out.refuse, line=number))
        return Timed(frame, at_us, self._clock.source, number)


def _recorded(line: bytes, number: int) -> Timed | None:
    seconds, _, text = line.partition(b",")
    time_us, frame = _time_us(seconds), _frame(text)
    if time_us is None or frame is None:
        return None
    return Timed(frame, time_us, TimeSource.RECORDED, number)


def _time_us(seconds: bytes) -> int | None:
    """Exact to the microsecond: a float holds less of a present-day time than it seems."""
    whole, _, part = seconds.partition(b".")
    if not whole.isdigit() or (part and not part.isdigit()) or len(whole) > 10:
        return None
    value = int(whole) * SECOND_US + int(part[:6].ljust(6, b"0") or b"0")
    return value if 0 < value < TIME_S_MAX * SECOND_US else None


def _frame(text: bytes) -> str | None:
    """The hex digits of a frame, taken out of Beast's envelope; None where it is none."""
    digits = BEAST.get(text[:4])
    if digits and len(text) == _BEAST_HEAD + digits:
        text = text[_BEAST_HEAD:]
    return _digits(text) if len(text) in FRAME_DIGITS else None


def _digits(text: bytes) -> str | None:
    return None if text.translate(None, b"0123456789abcdef") or not text else text.decode("ascii")
