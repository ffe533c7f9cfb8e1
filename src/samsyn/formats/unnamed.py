"""Tracks whose craft nobody names: who they are, as `observations.craft` has it.

    a radar's or centre's track      SAC, SIC and track number, 16 bits and 16
    a unit of somebody's own list    32 bits of the SHA-256 of what it is called there

A radar's number is used again for another craft when the first has gone: it is a name for minutes.
"""

from __future__ import annotations

import hashlib
from typing import Final

SEA_TRACK_DOMAIN: Final = 3 << 32
AIR_TRACK_DOMAIN: Final = 4 << 32


def track_number(source: bytes, number: int) -> int:
    """Of a radar's or centre's track: `source` its SAC and SIC, two bytes."""
    return int.from_bytes(source, "big") << 16 | number


def unit_number(name: str) -> int:
    """Of a unit by its name in somebody's list."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
