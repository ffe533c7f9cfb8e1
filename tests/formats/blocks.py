"""Makes ASTERIX blocks and captures, so that tests know what is in them."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from samsyn.formats.asterix_items import PROFILES, Compound, Profile


def block(category: int, *records: bytes) -> bytes:
    """A data block."""
    body = b"".join(records)
    return bytes([category]) + struct.pack(">H", 3 + len(body)) + body


def record(category: int, items: Mapping[str, bytes]) -> bytes:
    """A record of raw items by name; parts of compound items as `380.ADR`."""
    return _written(PROFILES[category], items, "")


def _written(profile: Profile, items: Mapping[str, bytes], prefix: str) -> bytes:
    bits, body = [], b""
    left = {name.removeprefix(prefix).partition(".")[0] for name in items if name.startswith(prefix)}
    for item in profile:
        there = item is not None and item[0] in left
        bits.append(there)
        if item is not None and there:
            name, shape = item
            if isinstance(shape, Compound):
                body += _written(shape.parts, items, f"{prefix}{name}.")
            else:
                body += items[prefix + name]
            left.discard(name)
    assert not left, left
    while bits and not bits[-1]:
        bits.pop()
    octets = [bits[i : i + 7] for i in range(0, len(bits), 7)] or [[]]
    head = bytes(
        sum(there << (7 - i) for i, there in enumerate(octet)) | (n < len(octets) - 1)
        for n, octet in enumerate(octets)
    )
    return head + body


def of_day(hours: float) -> bytes:
    """A time of day in 1/128 s."""
    return int(hours * 3_600 * 128).to_bytes(3, "big")


def ident(text: str) -> bytes:
    """Eight characters of six bits."""
    bits = 0
    for c in text.ljust(8):
        bits = bits << 6 | (ord(c) & 63)
    return bits.to_bytes(6, "big")


def signed(value: float, per_tick: float, size: int) -> bytes:
    return round(value / per_tick).to_bytes(size, "big", signed=True)


def udp(payload: bytes, *, fragment: int = 0, protocol: int = 17, version: int = 4) -> bytes:
    """An IP packet that carries a datagram."""
    datagram = struct.pack(">4H", 8600, 8600, 8 + len(payload), 0) + payload
    if version == 6:
        return struct.pack(">IHBB", 6 << 28, len(datagram), protocol, 1) + bytes(32) + datagram
    size = 20 + len(datagram)
    head = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, fragment, 1, protocol, 0)
    return head + bytes([127, 0, 0, 1, 239, 1, 1, 1]) + datagram


def ethernet(packet: bytes, *vlans: int) -> bytes:
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    tags = b"".join(struct.pack(">HH", tag, 7) for tag in vlans)
    return bytes(12) + tags + kind + packet


def pcap(packets: list[tuple[float, bytes]], link: int = 1, order: str = "<") -> bytes:
    """A capture; times in seconds since 1970."""
    made = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, link)
    for at_s, packet in packets:
        part = round(at_s % 1 * 1e6)
        made += struct.pack(order + "4I", int(at_s), part, len(packet), len(packet)) + packet
    return made


def pcapng(packets: list[tuple[float, bytes]], link: int = 1, order: str = "<") -> bytes:
    """The same as pcapng, with times in nanoseconds."""

    def one(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + size

    made = one(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    option = struct.pack(order + "HHB3x", 9, 1, 9) + bytes(4)
    made += one(1, struct.pack(order + "HHI", link, 0, 0) + option)
    for at_s, packet in packets:
        at = round(at_s * 1e6) * 1_000
        head = struct.pack(order + "5I", 0, at >> 32, at & 0xFFFFFFFF, len(packet), len(packet))
        made += one(6, head + packet)
    return made
