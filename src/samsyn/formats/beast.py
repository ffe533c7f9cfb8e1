"""Beast's binary stream of Mode S frames, as readsb, dump1090 and the Mode-S Beast send it (port 30005).

    1a 33  6 bytes of counter  1 of signal  14 of frame         33: 112 bits, 32: 56 bits (7 bytes)

31 is Mode A/C (2 bytes, nobody's address), 34 the receiver's status. A byte 1a after the type is
written twice, so a single one always begins a frame: after any damage the next frame is found again.
"""

from __future__ import annotations

import re
from functools import partial
from types import ModuleType
from typing import Final

import numpy as np

from samsyn.base import limits
from samsyn.formats import modes_compiled
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.modes import Frames, ModesFrames, Timed
from samsyn.formats.modes_said import LONG_BYTES
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
_LEFT_TYPES: Final = {1: _LEFT[_MODE_AC], 4: _LEFT[_STATUS]}  # by their types on the wire
_SHORTEST: Final = 11  # bytes of a frame
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
        out, frames = Decoded(), _Gathered()
        data = self._held + piece
        end, at, cut = 0, 0, False
        while at < len(data) and not cut:
            if at == end and modes_compiled.built:
                end = at = self._in_a_row(modes_compiled.built, data, at, received_us, out, frames)
            found = _FRAME.search(data, at)
            if found is None:
                break
            at, kind = found.end(), found.lastindex
            if kind is None:  # escaped bytes that belong to no frame: part of the noise around them
                continue
            self._heard_noise(data[end : found.start()])
            if kind == _CUT:
                end, cut = found.start(), True
                continue
            self._tell_noise(self._offset + found.start(), out)
            end = at
            if kind in _LEFT:
                out.messages += 1
                out.types[_LEFT[kind]] += 1
                continue
            said = found[kind].replace(b"\x1a\x1a", b"\x1a")
            offset = self._offset + found.start()
            ticks = int.from_bytes(said[:6], "big")
            at_us = self._clock.time_us(ticks, received_us, partial(out.refuse, offset=offset))
            frames.one(Timed(said[_HEAD:].hex(), at_us, self._clock.source, offset))
        if not cut:
            self._heard_noise(data[end:])
            end = len(data)
        if self._noise_bytes > NOISE_BYTES:
            self._tell_noise(self._offset + end, out)
        self._held = data[end:]
        self._offset += end
        self._frames.read(frames.all(), out)
        return out

    def _in_a_row(
        self, compiled: ModuleType, data: bytes, at: int, received_us: int, out: Decoded,
        frames: _Gathered,
    ) -> int:  # fmt: skip
        """Takes the frames that follow each other from `at` on; where they end. What comes then, noise
        or a frame that is cut, is not for compiled code."""
        room = (len(data) - at) // _SHORTEST
        types, length = np.empty((2, room), np.uint8)
        begins, ticks = np.empty((2, room), np.int64)
        raw = np.empty((room, LONG_BYTES), np.uint8)
        count, end = compiled.beast(data, at, types, begins, ticks, raw, length)
        if not count:
            return at
        self._tell_noise(self._offset + at, out)
        for number, name in _LEFT_TYPES.items():
            if left := int(np.count_nonzero(types[:count] == number)):
                out.messages += left
                out.types[name] += left
        some = np.flatnonzero(length[:count])
        offset = begins[some] + self._offset
        time_us = self._clock.times_us(
            ticks[some], received_us, lambda i: partial(out.refuse, offset=int(offset[i]))
        )
        source = np.full(len(some), self._clock.source, np.uint8)
        frames.many(Frames(raw[some], length[some], time_us, source, offset, "offset"))
        return int(end)

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


class _Gathered:
    """Frames of one piece, found one by one or many at once, in their order."""

    def __init__(self) -> None:
        self._parts: list[Frames] = []
        self._timed: list[Timed] = []

    def one(self, timed: Timed) -> None:
        self._timed.append(timed)

    def many(self, frames: Frames) -> None:
        if self._timed:
            self._parts.append(Frames.of(self._timed, "offset"))
            self._timed = []
        self._parts.append(frames)

    def all(self) -> Frames:
        self.many(Frames.of([], "offset"))
        names = ("raw", "length", "time_us", "time_source", "at")
        made = (np.concatenate([getattr(part, name) for part in self._parts]) for name in names)
        raw, length, time_us, source, at = made
        return Frames(raw, length, time_us, source, at, "offset")
