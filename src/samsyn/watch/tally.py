"""Counts behind a layer of the picture: so many craft in one place in one span of time."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Layer = Literal["interference", "activity"]

JOIN: Final = "+"  # no feed has it in its name


def named(feed: str) -> list[str]:
    """The feeds that a tally rests on."""
    return feed.split(JOIN)


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What one feed heard in one place in one span; a later one of the same place, span and feed
    replaces it.

    place: an H3 cell, or zone/class of craft. begin_us: when the span begins. feed: several joined by
    `JOIN` where what they heard was counted together.
    """

    layer: Layer
    begin_us: int
    place: str
    domain: Literal["sea", "air"]
    feed: str
    figures: dict[str, float]
