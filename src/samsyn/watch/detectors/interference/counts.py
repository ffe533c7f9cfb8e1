"""How many craft each cell had in the running hour, and how many of them lost their position there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from samsyn.base.limits import TALLIES
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.watch.cells import NOWHERE

# how a craft is in a cell, the worst that it was in that hour
WELL: Final = 0
POOR: Final = 1  # its accuracy has been poor ever since it was first heard: its receiver, perhaps
DEGRADED: Final = 2
LOST: Final = 3

STATES: Final = ("craft", "poor", "degraded", "lost")


@dataclass
class Cell:
    """One cell in one hour, in one domain. heard: by feed, each craft's slot and how it was."""

    number: int
    domain: int
    heard: dict[int, dict[int, int]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)  # of the first craft that were not well

    def craft(self) -> dict[int, int]:
        """By slot, the worst that any feed heard."""
        if len(self.heard) == 1:
            return next(iter(self.heard.values()))
        worst: dict[int, int] = {}
        for some in self.heard.values():
            for slot, state in some.items():
                worst[slot] = max(state, worst.get(slot, WELL))
        return worst


def figures(craft: dict[int, int]) -> dict[str, float]:
    """Craft in all, and those of each state that is not well."""
    counts = np.bincount(list(craft.values()), minlength=len(STATES))
    return {"craft": float(len(craft)), **{STATES[k]: float(counts[k]) for k in (POOR, DEGRADED, LOST)}}


class Counts:
    """The cells of the running hour. Each craft counts once in each cell that it is in."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], Cell] = {}
        self._held = SlotArrays(
            {"cell": (np.uint64, NOWHERE), "feed": (np.int16, -1), "state": (np.int8, -1)}
        )
        self._changed: set[tuple[int, int]] = set()

    def clear(self) -> None:
        """The hour is over."""
        self.cells = {}
        self._changed = set()
        self._held["cell"][:] = NOWHERE

    def add(
        self, slot: Array, cell: Array, feed: Array, state: Array, domain: int
    ) -> Iterator[tuple[int, Cell]]:
        """Different craft, where they are and how. Gives those that became worse in their cell, or
        came into it not well: place in the arrays and the cell."""
        held = self._held
        held.reserve(int(slot.max()) + 1 if len(slot) else 0)
        new = (held["cell"][slot] != cell) | (held["feed"][slot] != feed) | (held["state"][slot] < state)
        new &= cell != NOWHERE
        for k in trues(new).tolist():
            here = int(slot[k])
            held["cell"][here], held["feed"][here], held["state"][here] = cell[k], feed[k], state[k]
            key = (int(cell[k]), domain)
            found = self.cells.get(key)
            if found is None:
                if len(self.cells) >= TALLIES:
                    continue
                found = self.cells[key] = Cell(key[0], domain)
            some = found.heard.setdefault(int(feed[k]), {})
            before = some.get(here, -1)
            some[here] = max(before, int(state[k]))
            self._changed.add(key)
            if state[k] > max(before, WELL):
                yield k, found

    def changed(self) -> list[Cell]:
        """Cells whose counts changed since the last call."""
        found = [self.cells[key] for key in sorted(self._changed)]
        self._changed = set()
        return found
