"""Makes Mode S frames, so that tests know what is in them. Written from ICAO Doc 9871 and Annex 10."""

from __future__ import annotations

import math

import numpy as np

from samsyn.formats.decoded import Decoded

POLYNOMIAL = 0xFFF409  # Annex 10 volume IV, 3.1.2.3.3
LETTERS = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ#####_###############0123456789######"


def rows_of(out: Decoded) -> list[dict[str, object]]:
    """Rows as a person reads them: what is absent is None."""
    columns = {name: listed(values) for name, values in out.columns.items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def listed(values) -> list[object]:
    """A column with None for what is NaN or masked."""
    if isinstance(values, np.ma.MaskedArray):
        absent = np.ma.getmaskarray(values).tolist()
        return [None if gone else v for v, gone in zip(values.data.tolist(), absent, strict=True)]
    listed = values if isinstance(values, list) else values.tolist()
    return [None if isinstance(v, float) and math.isnan(v) else v for v in listed]


def with_parity(data: int, bits: int, overlay: int = 0) -> str:
    """A frame of `bits` data bits followed by 24 of parity, as hex digits."""
    rest = data << 24
    for i in range(bits):
        if rest >> (bits + 23 - i) & 1:
            rest ^= (0x1000000 | POLYNOMIAL) << (bits - 1 - i)
    return f"{data << 24 | (rest & 0xFFFFFF) ^ overlay:0{(bits + 24) // 4}x}"


def squitter(address: int, message: int, *, kind: int = 17, capability: int = 5) -> str:
    """Extended squitter: DF 17 (or 18, then `capability` is the control field)."""
    return with_parity((kind << 3 | capability) << 80 | address << 56 | message, 88)


def all_call(address: int) -> str:
    return with_parity((11 << 3 | 5) << 24 | address, 32)


def identity_reply(address: int, squawk: int) -> str:
    """DF 5: the address is in the parity."""
    return with_parity(5 << 27 | _identity(squawk), 32, overlay=address)


def beast(frame: str, ticks: int, signal: int = 0x80) -> bytes:
    """A frame in Beast's envelope; also two bytes of Mode A/C."""
    raw = ticks.to_bytes(6, "big") + bytes([signal]) + bytes.fromhex(frame)
    kind = {4: b"1", 14: b"2", 28: b"3"}[len(frame)]
    return b"\x1a" + kind + raw.replace(b"\x1a", b"\x1a\x1a")


def callsign(text: str) -> int:
    letters = [LETTERS.index(c) if c != " " else 32 for c in text.ljust(8)]
    value = 4 << 51
    for i, letter in enumerate(letters):
        value |= letter << (42 - 6 * i)
    return value


def emergency(state: int, squawk: int) -> int:
    """Type code 28, subtype 1."""
    return 28 << 51 | 1 << 48 | state << 45 | _identity(squawk) << 32


def velocity(east_kn: int, north_kn: int, climb_fpm: int) -> int:
    """Type code 19, subtype 1: over ground, subsonic."""
    value = 19 << 51 | 1 << 48
    value |= (east_kn < 0) << 42 | (abs(east_kn) + 1) << 32
    value |= (north_kn < 0) << 31 | (abs(north_kn) + 1) << 21
    return value | 1 << 20 | (climb_fpm < 0) << 19 | (abs(climb_fpm) // 64 + 1) << 10


def airborne(lat: float, lon: float, altitude_ft: int, *, odd: bool) -> int:
    """Type code 11, barometric altitude in steps of 25 ft."""
    steps = (altitude_ft + 1000) // 25
    height = (steps >> 4) << 5 | 1 << 4 | steps & 0xF
    y, x = encoded(lat, lon, odd=odd, span=360.0)
    return 11 << 51 | height << 36 | odd << 34 | y << 17 | x


def surface(lat: float, lon: float, *, odd: bool) -> int:
    """Type code 7, not moving."""
    y, x = encoded(lat, lon, odd=odd, span=90.0)
    return 7 << 51 | 1 << 44 | odd << 34 | y << 17 | x


def encoded(lat: float, lon: float, *, odd: bool, span: float) -> tuple[int, int]:
    """Compact position report of a place: 17 bits each."""
    step = span / (60 - odd)
    y = math.floor((1 << 17) * (lat % step) / step + 0.5)
    exact = step * (y / (1 << 17) + math.floor(lat / step))
    step = span / max(zones(exact) - odd, 1)
    x = math.floor((1 << 17) * (lon % step) / step + 0.5)
    return y % (1 << 17), x % (1 << 17)


def zones(lat: float) -> int:
    """Longitude zones by trial: the largest number whose limit is still north of `lat`."""
    for count in range(59, 1, -1):
        part = (1 - math.cos(math.pi / 30)) / (1 - math.cos(2 * math.pi / count))
        if abs(lat) <= math.degrees(math.acos(math.sqrt(part))):
            return count
    return 1


def _identity(squawk: int) -> int:
    """Thirteen bits C1 A1 C2 A2 C4 A4 X B1 D1 B2 D2 B4 D4."""
    a, b, c, d = (int(digit) for digit in f"{squawk:04d}")
    bits = 0
    for digit, places in ((a, (11, 9, 7)), (b, (5, 3, 1)), (c, (12, 10, 8)), (d, (4, 2, 0))):
        for bit, place in enumerate(places):
            bits |= (digit >> bit & 1) << place
    return bits
