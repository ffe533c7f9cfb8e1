"""ASTERIX as it comes: a capture of datagrams, datagrams themselves, or blocks one after another."""

from __future__ import annotations

import re
from typing import Final

from samsyn.base import limits
from samsyn.base.clock import DAY_US
from samsyn.formats.asterix import HEAD, AsterixBlocks, Span, fill
from samsyn.formats.asterix_items import LEFT, PROFILES
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded
from samsyn.formats.pcap import MAGICS, NG_MAGIC, Datagram, PcapReader

SOUGHT_BYTES: Final = 4 * limits.KIB  # behind damage no block longer than this is looked for
NOISE_BYTES: Final = 64 * limits.KIB
_KNOWN: Final = frozenset(PROFILES) | frozenset(LEFT)
_KNOWN_TABLE: Final = bytes(category in _KNOWN for category in range(256))
_ANY_KNOWN: Final = re.compile(b"[" + re.escape(bytes(sorted(_KNOWN))) + b"]")
_MAGICS: Final = frozenset({*MAGICS, NG_MAGIC})


class AsterixStream:
    """One source, piece by piece; the first bytes tell a capture from plain blocks.

    `day_us`: a time on the day on which a recording of plain blocks begins. `live`: our clock says the
    day.
    """

    def __init__(self, blocks: AsterixBlocks, day_us: int | None = None, *, live: bool = False) -> None:
        self._blocks = blocks
        self._day_us = None if live or day_us is None else day_us + DAY_US // 2
        self._live = live
        self._near_us = self._day_us
        self._pcap: PcapReader | None = None
        self._held = b""
        self._offset = 0
        self._lost = 0
        self._told_no_time = False
        self._last_us: int | None = None

    def decode(self, piece: bytes, received_us: int) -> Decoded:
        """Columns of the blocks that become whole in `piece`."""
        out = Decoded()
        if self._pcap is None and not self._live and self._offset == 0:
            piece, self._held = self._held + piece, b""
            if len(piece) < 4:
                self._held = piece
                return out
            if piece[:4] in _MAGICS:
                self._pcap = PcapReader()
        if self._pcap is None:
            self._plain(piece, received_us, out)
            return out
        self._captured(self._pcap.push(piece, out), out)
        return out

    def finish(self) -> Decoded:
        """The file or connection has ended."""
        out = Decoded()
        if self._pcap:
            self._captured(self._pcap.finish(out), out)
        elif self._held or self._lost:
            self._plain(b"", 0 if self._last_us is None else self._last_us, out, last=True)
            if self._lost:
                offset = self._offset - self._lost
                out.refuse("too-short", offset=offset, detail=f"{self._lost} bytes")
        self._pcap, self._held, self._offset, self._lost = None, b"", 0, 0
        return out

    def _captured(self, datagrams: list[Datagram], out: Decoded) -> None:
        data, spans, begin = b"".join(datagram.data for datagram in datagrams), [], 0
        for time_us, payload, offset in datagrams:
            spans.append(Span(begin, begin + len(payload), time_us, offset))
            begin += len(payload)
        rows = self._blocks.rows_of(len(data))
        self._blocks.take(rows, data, spans, out)
        fill(rows, TimeSource.RECORDED, out)

    def _plain(self, piece: bytes, received_us: int, out: Decoded, *, last: bool = False) -> None:
        """Blocks without anything around them."""
        self._last_us = received_us
        data, at = self._held + piece, 0
        rows = self._blocks.rows_of(len(data))
        while at + HEAD <= len(data) or (last and at < len(data)):
            size = int.from_bytes(data[at + 1 : at + HEAD], "big")
            after = at + size
            wrong = data[at] not in _KNOWN or size <= HEAD or (last and after > len(data))
            if not wrong and after > len(data) and not self._lost:
                break
            # anything may look like a block: behind damage, one counts when another follows
            if self._lost and not wrong:
                wrong = size > SOUGHT_BYTES or (after < len(data) and data[after] not in _KNOWN)
                if not wrong and after > len(data):
                    break
            if wrong:
                found = _ANY_KNOWN.search(data, at + 1)
                step = (found.start() if found else len(data)) - at
                self._lost += step
                at += step
                if self._lost > NOISE_BYTES:  # endless noise is told before it ends
                    self._tell_lost(at, out, still=True)
                continue
            self._tell_lost(at, out)
            end = max(after, self._blocks.run(data, at, _KNOWN_TABLE))
            near_us = received_us if self._near_us is None else self._near_us
            before = len(rows)
            span = Span(at, end, near_us, self._offset + at)
            self._blocks.take(rows, data, [span], out, chain=not self._live)
            if len(rows) > before and not self._live:
                self._near_us = rows.last_us()
            at = end
        self._held = data[at:]
        self._offset += at
        if len(rows) and not self._live and self._day_us is None and not self._told_no_time:
            self._told_no_time = True
            out.refuse("time-unknown", offset=0, count=0)
        source = TimeSource.RECORDED if self._live else TimeSource.RECEIVED
        fill(rows, source if self._day_us is None else TimeSource.GIVEN_DATE, out)

    def _tell_lost(self, at: int, out: Decoded, *, still: bool = False) -> None:
        if self._lost > still:
            offset = self._offset + at - self._lost
            out.refuse("malformed", offset=offset, detail=f"{self._lost} bytes that are no block")
            self._lost = int(still)  # behind damage until a block is found
