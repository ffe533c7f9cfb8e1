"""Counts behind a layer of the picture: so many craft in one place in one span of time."""

from __future__ import annotations

from typing import Literal

import msgspec

Layer = Literal["interference", "activity"]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What one feed heard in one place in one span; a later one of the same place, span and feed
    replaces it.

    place: an H3 cell, or the name of a zone and a class of craft. begin_us: when the span begins.
    """

    layer: Layer
    begin_us: int
    place: str
    domain: Literal["sea", "air"]
    feed: str
    figures: dict[str, float]
