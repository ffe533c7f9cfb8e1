"""Handling labels: the Traffic Light Protocol 2.0 (FIRST, 2022), from open to closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MARKINGS: Final = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")

_RANKS = {marking: rank for rank, marking in enumerate(MARKINGS)}


def rank(marking: str) -> int:
    """0 for the most open. Raises `ValueError` for a label that is none: never guess a lower one."""
    try:
        return _RANKS[marking]
    except KeyError:
        raise ValueError(f"{marking!r} is no marking; use one of {', '.join(MARKINGS)}") from None


def strictest(markings: Iterable[str]) -> str:
    """The most closed of several: what is derived from others carries it. TLP:CLEAR of none."""
    return max(markings, key=rank, default=MARKINGS[0])
