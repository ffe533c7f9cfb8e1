"""The state of all craft of one feed at one instant: copies that nothing changes afterwards.

What leaves the node is cut from such states, one for each feed: what one feed heard of a craft must
not show in what another feed is released with.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from samsyn.base import geo, limits
from samsyn.base.clock import HOUR_US, MINUTE_US
from samsyn.observations.craft import DOMAIN_SHIFT, in_air
from samsyn.tracks.arrays import Array
from samsyn.tracks.released import UNSHOWABLE

# How long a craft that is not heard any more is shown. Ships report every few minutes at anchor,
# and where a ship was last seen matters for hours; an aircraft is elsewhere in minutes.
SEA_SHOWN_US: Final = 6 * HOUR_US
AIR_SHOWN_US: Final = 10 * MINUTE_US

FINEST_CELLS: Final = 7
"""Coarser cells are always parents of cells of this resolution: H3 is not exactly nested."""

Ints = npt.NDArray[np.int64]
Cells = npt.NDArray[np.uint64]


class TrackState:
    """One row a craft that has a position, sorted by `craft`; columns as the track table has them.

    at_us: the instant that it is of; what was heard later is not in it.
    """

    def __init__(self, feed: str, at_us: int, columns: Mapping[str, Array]) -> None:
        self.feed = feed
        self.at_us = at_us
        self.columns = columns
        self._cells: dict[int, Cells] = {}
        self._texts: dict[str, pl.Series] = {}

    def __len__(self) -> int:
        return len(self.columns["craft"])

    @cached_property
    def domain(self) -> Array:
        """uint8: observations.craft.DOMAIN_SEA or DOMAIN_AIR."""
        return (self.columns["craft"] >> DOMAIN_SHIFT).astype(np.uint8)

    def texts(self, name: str) -> pl.Series:
        """A column of texts, "" where there is none, none longer than `limits.TRACK_TEXT_CHARACTERS`."""
        if name not in self._texts:
            made = pl.Series(name, self.columns[name].tolist(), dtype=pl.String)
            made = made.fill_null("").str.replace_all(UNSHOWABLE, " ")
            self._texts[name] = made.str.head(limits.TRACK_TEXT_CHARACTERS)
        return self._texts[name]

    def parents(self, resolution: int) -> Cells:
        """The cell of each position, made from its finest one: how a place is told coarsely."""
        return geo.parents(self.cells(FINEST_CELLS), resolution)

    def cells(self, resolution: int) -> Cells:
        """The cell of each position itself at any resolution."""
        if resolution not in self._cells:
            self._cells[resolution] = geo.cells(self.columns["lat"], self.columns["lon"], resolution)
        return self._cells[resolution]


def shown(craft: Ints, position_us: Ints, now_us: int) -> npt.NDArray[np.bool_]:
    """Whether each craft, by the time of its position, is still shown."""
    shown_us = np.where(in_air(craft), AIR_SHOWN_US, SEA_SHOWN_US)
    return position_us >= now_us - shown_us
