"""Beast's binary stream of Mode S frames, as readsb, dump1090 and the Mode-S Beast send it (port 30005).

    1a 33  6 bytes of counter  1 of signal  14 of frame         33: 112 bits, 32: 56 bits (7 bytes)

31 is Mode A/C (2 bytes, nobody's address), 34 the receiver's status. A byte 1a after the type is
written twice, so a single one always begins a frame: after any damage the next frame is found again.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from samsyn.base import limits
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.modes import Frames, ModesFrames, Timed
from samsyn.formats.ticks import TickClock

_BYTE: Final = rb"(?:[^\x1a]|\x1a\x1a)"
# A whole frame; or one that the end of the piece cuts; or escaped bytes that belong to neither.
_FRAME: Final = re.compile(
    rb"\x1a(?:3(%(b)s{21})|2(%(b)s{14})|1(%(b)s{9})|4(%(b)s{21})|((?:[1-4]%(b)s{0,20}\x1a?)?)\Z"
    rb"|\x1a(?:\x1a\x1a){0,4096})" % {b"b": _BYTE},
    re.DOTALL,
)
_LONG, _SHORT, _MODE_AC, _STATUS, _CUT = range(1, 6)
_LEFT: Final = {_MODE_AC: "Mode A/C", _STATUS: "status"}  # known, and not about any one aircraft
NOISE_BYTES: Final = 64 * limits.KIB
_SHOWN: Final = 20
_HEAD: Final = 7  # counter and signal


class BeastDecoder:
    """One stream, piece by piece. At most one unfinished frame is held between pieces."""

    def __init__(self, begin_us: int | None = None, *, live: bool = False) -> None:
        self._frames = ModesFrames()
        self._clock = TickClock(begin_us, live=live)
        self._held = b""
        self._offset = 0  # of the held bytes in the stream
        self._noise = b""  # as it began, while it lasts
        self._noise_bytes = 0

    def decode(self, piece: bytes, received_us: int) -> Decoded:
        """Columns of the frames that become whole in `piece`."""
        out = Decoded()
        data = self._held + piece
        end, timed = 0, []
        for found in _FRAME.finditer(data):
            kind = found.lastindex
            if kind is None:  # escaped bytes that belong to no frame: part of the noise around them
                continue
            self._heard_noise(data[end : found.start()])
            if kind == _CUT:
                end = found.start()
                break
            self._tell_noise(self._offset + found.start(), out)
            end = found.end()
            if kind in _LEFT:
                out.messages += 1
                out.types[_LEFT[kind]] += 1
                continue
            said = found[kind].replace(b"\x1a\x1a", b"\x1a")
            offset = self._offset + found.start()
            ticks = int.from_bytes(said[:6], "big")
            at_us = self._clock.time_us(ticks, received_us, partial(out.refuse, offset=offset))
            timed.append(Timed(said[_HEAD:].hex(), at_us, self._clock.source, offset))
        else:
            self._heard_noise(data[end:])
            end = len(data)
        if self._noise_bytes > NOISE_BYTES:
            self._tell_noise(self._offset + end, out)
        self._held = data[end:]
        self._offset += end
        self._frames.read(Frames.of(timed, "offset"), out)
        return out

    def finish(self) -> Decoded:
        """The stream has ended; what comes next is another one's, with the same aircraft."""
        out = Decoded()
        self._tell_noise(self._offset, out)
        if self._held:
            out.refuse("too-short", offset=self._offset, detail=self._held.hex())
        self._offset += len(self._held)
        self._held = b""
        return out

    def _heard_noise(self, noise: bytes) -> None:
        self._noise = (self._noise + noise[:_SHOWN])[:_SHOWN]
        self._noise_bytes += len(noise)

    def _tell_noise(self, end: int, out: Decoded) -> None:
        """Noise is told when it ends, so that pieces do not matter; endless noise before that."""
        if self._noise_bytes:
            detail = f"{self._noise_bytes} bytes: {shown(self._noise)}"
            out.refuse("malformed", offset=end - self._noise_bytes, detail=detail)
        self._noise, self._noise_bytes = b"", 0
