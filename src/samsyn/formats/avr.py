"""Mode S frames as lines of hexadecimal digits, in the spellings met in the field.

1698140962.119813,8d3944ed9914580ea0bc818e26c6               seconds since 1970, frame
1698140962.171425,1a33000023bb50f025903907dbc1b5...          the same, frame in Beast's envelope
*8d3944ed9914580ea0bc818e26c6;                               AVR: no time, so that of receipt
@00009a3b1c208d3944ed9914580ea0bc818e26c6;                   with the receiver's counter (also %)
<00009a3b1c20ff8d3944ed9914580ea0bc818e26c6;                 with counter and signal
"""

from __future__ import annotations

from functools import partial
from typing import Final

from samsyn.base.clock import SECOND_US
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.modes import ModesFrames, Timed
from samsyn.formats.states import TIME_S_MAX
from samsyn.formats.ticks import TickClock

FRAME_DIGITS: Final = (14, 28)  # 56 and 112 bits
BEAST: Final = {b"1a32": 14, b"1a33": 28}  # escape and type; then 6 bytes of counter, 1 of signal
_BEAST_HEAD: Final = 18
_COUNTER_DIGITS: Final = 12
_BEFORE_FRAME: Final = {b"*": 0, b":": 0, b"@": 12, b"%": 12, b"<": 14}  # digits of counter and signal


class AvrDecoder:
    """One stream of lines, piece by piece. `begin_us` and `live`: as in `ticks`."""

    def __init__(self, begin_us: int | None = None, *, live: bool = False) -> None:
        self._frames = ModesFrames()
        self._clock = TickClock(begin_us, live=live)
        self._line = 0

    def decode(self, data: bytes, received_us: int) -> Decoded:
        """Columns of the frames in `data`, whole lines."""
        out = Decoded()
        timed = []
        lines = data.split(b"\n")[:-1]
        out.lines = len(lines)
        for number, raw in enumerate(lines, self._line + 1):
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
        self._line += len(lines)
        self._frames.read(timed, out)
        return out

    def _avr(self, line: bytes, number: int, received_us: int, out: Decoded) -> Timed | None:
        before = _BEFORE_FRAME[line[:1]]
        frame = _frame(line[1 + before :].rstrip(b";"))
        counter = _digits(line[1 : 1 + _COUNTER_DIGITS]) if before else "0"
        if frame is None or counter is None:
            return None
        if not before:
            return Timed(frame, received_us, TimeSource.RECEIVED, line=number)
        at_us = self._clock.time_us(int(counter, 16), received_us, partial(out.refuse, line=number))
        return Timed(frame, at_us, self._clock.source, line=number)


def _recorded(line: bytes, number: int) -> Timed | None:
    seconds, _, text = line.partition(b",")
    time_us, frame = _time_us(seconds), _frame(text)
    if time_us is None or frame is None:
        return None
    return Timed(frame, time_us, TimeSource.RECORDED, line=number)


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
