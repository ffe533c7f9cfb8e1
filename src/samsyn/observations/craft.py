"""Who a row is about: one integer key for ships and aircraft alike, and its text.

key = domain << 32 | number        domain 1 sea: number is the MMSI; 2 air: the ICAO 24-bit address
                                   3, 4: a track of some sensor at sea or in the air, whose craft nobody
                                   names; number is the track's (`formats.unnamed`)

Odd domains move at sea, even ones in the air. Which named craft a track is: `tracks.associate`. Tracks
are shown at home; no finding is made of them, and they are not released.
"""

from __future__ import annotations

import re
from typing import Any, Final

DOMAIN_SEA: Final = 1
DOMAIN_AIR: Final = 2
DOMAIN_SEA_TRACK: Final = 3
DOMAIN_AIR_TRACK: Final = 4
DOMAIN_SHIFT: Final = 32
NUMBER_MASK: Final = (1 << DOMAIN_SHIFT) - 1

UNNAMED_FROM: Final = DOMAIN_SEA_TRACK << DOMAIN_SHIFT
"""Keys from here on are tracks that nobody names."""

_TEXT = re.compile(r"^(?:mmsi:(\d{9,10})|icao:([0-9a-f]{6})|(sea|air)-track:([0-9a-f]{8}))$")


def craft_key(domain: int, number: int) -> int:
    """The key of a craft. Raises `ValueError` for an unknown domain or a number over 32 bits."""
    if not DOMAIN_SEA <= domain <= DOMAIN_AIR_TRACK or not 0 <= number <= NUMBER_MASK:
        raise ValueError(f"no craft has domain {domain} and number {number}")
    return domain << DOMAIN_SHIFT | number


def in_air(key: Any) -> Any:
    """Whether a craft moves in the air; of one key or of an array of them."""
    return key >> DOMAIN_SHIFT & 1 == 0


def craft_text(key: int) -> str:
    """`mmsi:212123000`, `icao:4ca123`, `sea-track:190d0007`, `air-track:190d0007`.

    Raises `ValueError` for what is no key.
    """
    domain, number = key >> DOMAIN_SHIFT, key & NUMBER_MASK
    if domain == DOMAIN_SEA:
        return f"mmsi:{number:09d}"
    if domain == DOMAIN_AIR and number < 1 << 24:
        return f"icao:{number:06x}"
    if domain in (DOMAIN_SEA_TRACK, DOMAIN_AIR_TRACK):
        return f"{'air' if in_air(key) else 'sea'}-track:{number:08x}"
    raise ValueError(f"{key} is no craft key")


def craft_from_text(text: str) -> int:
    """The inverse of `craft_text`. Raises `ValueError`."""
    found = _TEXT.match(text)
    if not found:
        raise ValueError(f"{text!r} is no craft; write mmsi:212123000 or icao:4ca123")
    if found[1]:
        return craft_key(DOMAIN_SEA, int(found[1]))
    if found[3]:
        return craft_key(DOMAIN_AIR_TRACK if found[3] == "air" else DOMAIN_SEA_TRACK, int(found[4], 16))
    return craft_key(DOMAIN_AIR, int(found[2], 16))
