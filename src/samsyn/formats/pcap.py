"""Captures of network traffic: the UDP datagrams in a pcap or pcapng file, with their times.

Ethernet (VLAN tags too), Linux "cooked", loopback and raw IP; IPv4 and IPv6. A datagram that was sent in
several packets is not put together again but counted.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from samsyn.base import limits
from samsyn.base.clock import DAY_US, SECOND_US
from samsyn.formats.decoded import Decoded
from samsyn.formats.states import TIME_S_MAX

PACKET_BYTES: Final = 256 * limits.KIB  # as tcpdump: none is longer
MAGICS: Final = {  # byte order, and parts of a second
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000), b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000), b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}  # fmt: skip
NG_MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_FILE_HEAD, _PACKET_HEAD, _BLOCK_HEAD = 24, 16, 12
_INTERFACE, _PACKET = 1, 6  # blocks of pcapng
_ETHERNET, _RAW, _COOKED, _COOKED_2 = 1, 101, 113, 276
_LOOPBACKS: Final = frozenset({0, 108})
_IP, _IP6, _VLAN = 0x0800, 0x86DD, frozenset({0x8100, 0x88A8, 0x9100})
_UDP: Final = 17
MIB: Final = limits.MIB
SEARCH_BYTES: Final = PACKET_BYTES  # after damage; no packet found in so much, and the rest is given up


class Datagram(NamedTuple):
    """What one packet carried, when it was captured, and where that lies in the file."""

    time_us: int
    data: bytes
    offset: int


class PcapReader:
    """One capture, piece by piece. At most one unfinished packet is held."""

    def __init__(self) -> None:
        self._held = b""
        self._offset = 0  # of the held bytes in the file
        self._order = ""  # of bytes; empty before the file's head
        self._ng = False
        self._links: list[tuple[int, int]] = []  # of each interface: link type, parts of a second
        self._last_us: int | None = None
        self._lost = 0  # bytes passed over since something was damaged

    def push(self, piece: bytes, out: Decoded) -> list[Datagram]:
        """The datagrams that become whole in `piece`. Refusals are counted in `out`."""
        found: list[Datagram] = []
        self._scan(self._held + piece, found, out, last=False)
        return found

    def finish(self, out: Decoded) -> list[Datagram]:
        """The capture has ended. What is behind a packet that never became whole, if anything."""
        found: list[Datagram] = []
        held, offset = len(self._held), self._offset - self._lost
        if held or self._lost:
            self._scan(self._held, found, out, last=True)
        if self._lost:
            whole = held == self._lost
            out.refuse(
                "too-short" if whole else "malformed", offset=offset, detail=f"{self._lost} bytes"
            )
        self._held, self._order, self._links, self._lost = b"", "", [], 0
        return found

    def _scan(self, data: bytes, found: list[Datagram], out: Decoded, *, last: bool) -> None:
        at = 0
        if not self._order and len(data) >= _FILE_HEAD:
            at = self._head(data)
        while at < len(data):
            size = self._size(data, at) if self._order else 0
            if size == 0 and not last:
                break
            if size <= 0:
                step = self._step(data, at) if self._lost < SEARCH_BYTES else len(data) - at
                self._lost += step
                at += step
                continue
            self._tell_lost(at, out)
            self._take(data, at, size, found, out)
            at += size
        self._held = data[at:]
        self._offset += at

    def _head(self, data: bytes) -> int:
        """Reads how the file is written; the bytes of it that are done with."""
        if data[:4] == NG_MAGIC:
            self._ng, self._order = True, "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
            return 0  # it is a block like the others
        self._ng = False
        self._order, parts = MAGICS.get(data[:4], ("<", 1_000_000))
        self._links = [(struct.unpack_from(self._order + "I", data, 20)[0] & 0xFFFF, parts)]
        return _FILE_HEAD

    def _step(self, data: bytes, at: int) -> int:
        """How far to the next place where a packet may begin: no length has its highest byte set."""
        highest = (7 if self._order == "<" else 4) if self._ng else (11 if self._order == "<" else 8)
        zero = data.find(b"\0", at + 1 + highest)
        return (zero if zero >= 0 else max(len(data), at + 1 + highest)) - highest - at

    def _size(self, data: bytes, at: int) -> int:
        """Bytes of the packet or block at `at`: 0 where more must come to know, -1 where none can be."""
        head = _BLOCK_HEAD if self._ng else _PACKET_HEAD
        if at + head > len(data):
            return 0
        if self._ng:
            size: int = struct.unpack_from(self._order + "I", data, at + 4)[0]
            if not _BLOCK_HEAD <= size <= PACKET_BYTES or size % 4:
                return -1
            if at + size > len(data):
                return 0
            return size if data[at + 4 : at + 8] == data[at + size - 4 : at + size] else -1
        seconds, part, kept, whole = struct.unpack_from(self._order + "4I", data, at)
        if not (0 < kept <= PACKET_BYTES and kept <= whole <= MIB and part < self._links[0][1]):
            return -1
        near_us = self._last_us if self._lost else None  # anything may look like a packet: be strict
        if near_us is not None and abs(seconds * SECOND_US - near_us) > DAY_US:
            return -1
        return int(head + kept) if at + head + kept <= len(data) else 0

    def _tell_lost(self, at: int, out: Decoded) -> None:
        if self._lost:
            offset = self._offset + at - self._lost
            out.refuse("malformed", offset=offset, detail=f"{self._lost} bytes that are no packet")
            self._lost = 0

    def _take(self, data: bytes, at: int, size: int, found: list[Datagram], out: Decoded) -> None:
        offset = self._offset + at
        if not self._ng:
            seconds, part = struct.unpack_from(self._order + "2I", data, at)
            link, parts = self._links[0]
            time_us = seconds * SECOND_US + part * SECOND_US // parts
            packet = data[at + _PACKET_HEAD : at + size]
        else:
            kind = struct.unpack_from(self._order + "I", data, at)[0]
            if kind == _INTERFACE:
                self._links.append(_interface(data[at : at + size], self._order))
            if kind != _PACKET:
                return
            interface, high, low, kept = struct.unpack_from(self._order + "4I", data, at + 8)
            if interface >= len(self._links) or kept > size - 32:
                out.refuse("malformed", offset=offset, detail=f"a packet of interface {interface}")
                return
            link, parts = self._links[interface]
            time_us = (high << 32 | low) * SECOND_US // parts
            packet = data[at + 28 : at + 28 + kept]
        out.lines += 1
        if not 0 < time_us < TIME_S_MAX * SECOND_US:
            out.refuse("no-time", offset=offset, detail="of capture")
            return
        self._last_us = time_us
        try:
            begin, end = _payload(packet, link)
        except _Left as e:
            out.refuse(str(e), offset=offset)
            return
        before = 28 if self._ng else _PACKET_HEAD
        found.append(Datagram(time_us, packet[begin:end], offset + before + begin))


class _Left(Exception):
    """A packet that holds no whole datagram; says the reason."""


def _interface(block: bytes, order: str) -> tuple[int, int]:
    """Link type and parts of a second of a pcapng interface (option 9 says the latter)."""
    parts, at = 1_000_000, 16
    while at + 4 <= len(block) - 4:
        option, size = struct.unpack_from(order + "2H", block, at)
        if option == 0:
            break
        if option == 9 and size == 1 and at + 4 < len(block):
            said = block[at + 4]
            parts = 1 << (said & 63) if said & 0x80 else 10 ** min(said, 18)
        at += 4 + (size + 3) // 4 * 4
    return struct.unpack_from(order + "H", block, 8)[0], parts


def _payload(packet: bytes, link: int) -> tuple[int, int]:
    """Where what the UDP datagram in a packet carries begins and ends. Raises `_Left`."""
    try:
        kind, at = _network(packet, link)
        if kind == _IP:
            return _udp_in_ip(packet, at)
        if kind == _IP6 and packet[at + 6] == _UDP:
            return _udp(packet, at + 40)
    except (IndexError, struct.error) as e:
        raise _Left("too-short") from e
    raise _Left("not-udp")


def _network(packet: bytes, link: int) -> tuple[int, int]:
    """Which network protocol a packet has, and where it begins."""
    if link == _ETHERNET:
        at = 12
        while _short(packet, at) in _VLAN:
            at += 4
        return _short(packet, at), at + 2
    if link == _COOKED:
        return _short(packet, 14), 16
    if link == _COOKED_2:
        return _short(packet, 0), 20
    if link in _LOOPBACKS or link == _RAW:
        at = 4 if link in _LOOPBACKS else 0
        return (_IP if packet[at] >> 4 == 4 else _IP6), at
    raise _Left("not-udp")


def _udp_in_ip(packet: bytes, at: int) -> tuple[int, int]:
    if packet[at + 9] != _UDP:
        raise _Left("not-udp")
    if _short(packet, at + 6) & 0x3FFF:  # more of it follows, or came before
        raise _Left("fragment-ip")
    return _udp(packet, at + (packet[at] & 15) * 4)


def _udp(packet: bytes, at: int) -> tuple[int, int]:
    size = _short(packet, at + 4)
    if size < 8 or at + size > len(packet):
        raise _Left("too-short")
    return at + 8, at + size


def _short(packet: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", packet, at)[0])
