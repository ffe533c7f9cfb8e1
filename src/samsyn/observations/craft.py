"""Who a row is about: one integer key for ships and aircraft alike, and its text.

key = domain << 32 | number        domain 1 sea: number is the MMSI; 2 air: the ICAO 24-bit address
"""

from __future__ import annotations

import re
from typing import Final

DOMAIN_SEA: Final = 1
DOMAIN_AIR: Final = 2
DOMAIN_SHIFT: Final = 32
NUMBER_MASK: Final = (1 << DOMAIN_SHIFT) - 1

_TEXT = re.compile(r"^(?:mmsi:(\d{9,10})|icao:([0-9a-f]{6}))$")


def craft_key(domain: int, number: int) -> int:
    """The key of a craft. Raises `ValueError` for an unknown domain or a number over 32 bits."""
    if domain not in (DOMAIN_SEA, DOMAIN_AIR) or not 0 <= number <= NUMBER_MASK:
        raise ValueError(f"no craft has domain {domain} and number {number}")
    return domain << DOMAIN_SHIFT | number


def craft_text(key: int) -> str:
    """`mmsi:212123000` or `icao:4ca123`. Raises `ValueError` for what is no key."""
    domain, number = key >> DOMAIN_SHIFT, key & NUMBER_MASK
    if domain == DOMAIN_SEA:
        return f"mmsi:{number:09d}"
    if domain == DOMAIN_AIR and number < 1 << 24:
        return f"icao:{number:06x}"
    raise ValueError(f"{key} is no craft key")


def craft_from_text(text: str) -> int:
    """The inverse of `craft_text`. Raises `ValueError`."""
    found = _TEXT.match(text)
    if not found:
        raise ValueError(f"{text!r} is no craft; write mmsi:212123000 or icao:4ca123")
    if found[1]:
        return craft_key(DOMAIN_SEA, int(found[1]))
    return craft_key(DOMAIN_AIR, int(found[2], 16))
