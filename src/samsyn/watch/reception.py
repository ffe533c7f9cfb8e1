"""What our receivers hear, span by span: which parts of the map, whether each feed runs as usual, and
how often a craft that is there is heard.

So *our receiver fell silent* and *the craft fell silent* never look the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from samsyn.tracks.arrays import Array, SlotArrays, trues

CELL_LAT_DEG: Final = 0.25  # 15 NM
CELL_LON_DEG: Final = 0.5  # 15 NM at 60 degrees north
_ROWS: Final = int(180 / CELL_LAT_DEG)
_COLUMNS: Final = int(360 / CELL_LON_DEG)

_FOLLOW: Final = 0.2
_FOLLOW_UNUSUAL: Final = 0.02
_LEARN_SPANS: Final = 3  # before that many spans nothing is usual

FEEDS: Final = 64  # told apart in what reaches where; of more, some share a place
_TIMES_MAX: Final = 400.0  # craft-spans of a cell and feed; then old ones count half: antennas change
_WITHIN: Final = 7  # of nine cells; an edge leaves out three, chance one or two
_GROWN_MAX: Final = 1e9

HOURS: Final = 24
_PRIOR: Final = 4.0  # spans of the whole day that one hour of a cell begins with
_MISSED_MAX: Final = 12  # a craft unheard for longer was perhaps not there: it teaches nothing


class Reception:
    """Counts the craft of one domain heard in each cell and by each feed in one span of time."""

    def __init__(self) -> None:
        self._cells = np.zeros((_ROWS + 2, _COLUMNS + 2), np.uint16)  # a rim saves testing for edges
        self._counted = SlotArrays({"span": (np.int64, -1), "cell": (np.int64, -1)})
        self._span = 0
        self._touched: list[Array] = []
        self._last_span = np.full_like(self._cells, -1, np.int32)  # in which a cell was last heard
        self._heard = np.zeros(0)
        self._usual = np.zeros(0)
        self._spans = np.zeros(0, np.int64)
        self._ran = np.zeros(0, np.int64)
        self._visits = np.zeros(self._cells.size)  # craft that came into a cell, times _grown
        self._grown = 1.0

    def hear(self, slots: Array, lat: Array, lon: Array, feed: Array, feeds: int) -> None:
        """One position each of different craft; feed: code of the feed, of `feeds` that there are."""
        if feeds > len(self._heard):
            more = (0, feeds - len(self._heard))
            self._heard, self._usual = np.pad(self._heard, more), np.pad(self._usual, more)
            self._spans, self._ran = np.pad(self._spans, more), np.pad(self._ran, more)
        self._heard[:feeds] += np.bincount(feed, minlength=feeds)[:feeds]
        self._counted.reserve(int(slots.max()) + 1 if len(slots) else 0)
        cell = _cell(lat, lon)
        moved = self._counted["cell"][slots] != cell
        new = (self._counted["span"][slots] != self._span) | moved
        if not np.count_nonzero(new):
            return
        np.add.at(self._visits, cell[moved], self._grown)
        slots, cell = slots[new], cell[new]
        self._counted["span"][slots], self._counted["cell"][slots] = self._span, cell
        np.add.at(self._cells.reshape(-1), cell, 1)
        self._last_span.reshape(-1)[cell] = self._span
        self._touched.append(cell)

    def others(self, lat: Array, lon: Array) -> Array:
        """How many craft were heard in this span in the cell of each place and the eight about it."""
        found: Array = np.sum([self._cells.reshape(-1)[cell] for cell in _around(lat, lon)], axis=0)
        return found

    def covers(self, lat: Array, lon: Array, spans: int) -> Array:
        """Whether the cell of each place was heard in the last `spans` spans."""
        found: Array = self._lately(_cell(lat, lon), spans)
        return found

    def is_within(self, lat: Array, lon: Array, spans: int) -> Array:
        """Whether so many of the nine cells about each place were heard in the last `spans` spans that
        it lies within what is received: beside an edge a whole side is missing."""
        heard = np.sum([self._lately(cell, spans) for cell in _around(lat, lon)], axis=0)
        found: Array = heard >= _WITHIN
        return found

    def _lately(self, cell: Array, spans: int) -> Array:
        last = self._last_span.reshape(-1)[cell]
        found: Array = (last >= 0) & (last >= self._span - spans)
        return found

    def visits(self, lat: Array, lon: Array) -> Array:
        """How many craft came into the nine cells about each place, one that crosses them three times;
        those of long ago count less, as `next_span` says."""
        found: Array = np.sum([self._visits[cell] for cell in _around(lat, lon)], axis=0) / self._grown
        return found

    def runs(self, share: float) -> Array:
        """For each feed whether it made at least `share` of its usual rate in this span."""
        found: Array = (self._spans >= _LEARN_SPANS) & (self._heard >= share * self._usual)
        return found

    def running(self) -> Array:
        """For each feed what it made in this span over what is usual for it, at most 1."""
        usual = np.maximum(self._usual, 1e-9)
        found: Array = np.minimum(self._heard / usual, 1.0)
        return found

    def ran(self, feed: Array) -> Array:
        """In how many spans so far each of these feeds ran."""
        found: Array = self._ran[feed]
        return found

    def next_span(self, share: float, spans: float = np.inf) -> None:
        """Ends the span: learns the feeds' rates and forgets the rest; visits within so many spans."""
        self._grown *= 1 + 1 / spans  # those to come count more: cheaper than all that were less
        if self._grown > _GROWN_MAX:
            self._visits /= self._grown
            self._grown = 1.0
        runs = self._heard >= share * self._usual
        self._ran += runs
        follow = np.where(runs, _FOLLOW, _FOLLOW_UNUSUAL)
        follow = np.where(self._spans == 0, 1.0, follow)
        self._usual += follow * (self._heard - self._usual)
        self._spans += 1
        self._heard[:] = 0
        self._span += 1
        for cell in self._touched:
            self._cells.reshape(-1)[cell] = 0
        self._touched.clear()


class Expected:
    """In which share of spans a craft in an H3 cell is heard, by the hour of the day (UTC).

    Learned from craft that were heard again: the spans between were missed while they were there.
    A craft that is never heard again teaches nothing, so what is looked for is not taken for usual.
    And of those heard there at all, which share each feed hears: while one is out, the others may hear.
    """

    def __init__(self) -> None:
        self._row: dict[int, int] = {}
        self._heard = np.zeros((64, HOURS))
        self._missed = np.zeros((64, HOURS))
        self._by = np.zeros((64, FEEDS), np.float32)  # craft-spans heard by a feed
        self._of = np.zeros((64, FEEDS), np.float32)  # of so many heard by any while that feed ran

    def hear(self, cells: Array, hour: int) -> None:
        """Different craft heard in a span, by their cells (uint64)."""
        some, counts = np.unique(cells, return_counts=True)
        rows = self._rows(some)  # first: it may put a longer array in place
        self._heard[rows, hour] += counts

    def heard_by(self, cells: Array, feeds: Array, runs: Array) -> None:
        """Different craft heard in a span: their cells, the feeds that heard each (a bit each, uint64),
        and which feeds ran."""
        some, place = np.unique(cells, return_inverse=True)
        rows, craft = self._rows(some), np.bincount(place)
        for feed in trues(runs).tolist():
            heard = (feeds >> np.uint64(feed % FEEDS)) & np.uint64(1)
            self._of[rows, feed % FEEDS] += craft
            self._by[rows, feed % FEEDS] += np.bincount(place, weights=heard)
        many = rows[self._of[rows].max(axis=1) > _TIMES_MAX]
        self._of[many] /= 2
        self._by[many] /= 2

    def reach(self, cells: Array, runs: Array) -> tuple[Array, Array]:
        """Of craft that are heard at all in these cells, the largest share that one of the feeds that
        run hears, and which that is; 0 where none does, and little where few were heard so far."""
        row = np.array([self._row.get(cell, -1) for cell in cells.tolist()], np.int64)
        share = np.zeros((len(row), len(runs)), np.float32)
        running = trues(runs)
        at = np.ix_(row, running % FEEDS)
        share[:, running] = self._by[at] / (self._of[at] + 1)
        share[row < 0] = 0
        feed = share.argmax(axis=1) if len(runs) else np.zeros(len(row), np.int64)
        return share[np.arange(len(row)), feed] if len(runs) else np.zeros(len(row)), feed

    def miss(self, cells: Array, spans: Array, hour: int) -> None:
        """Craft heard again, by a cell that they were in meanwhile, and the spans missed there."""
        short = spans <= _MISSED_MAX
        rows = self._rows(cells[short])  # first: it may put a longer array in place
        np.add.at(self._missed[:, hour], rows, spans[short])

    def share(self, cells: Array, hour: int) -> Array:
        """Expected share of spans heard; 0 for a cell in which nobody was ever heard."""
        row = np.array([self._row.get(cell, -1) for cell in cells.tolist()], np.int64)
        heard, missed = self._heard[row], self._missed[row]
        all_heard, all_missed = heard.sum(axis=1), missed.sum(axis=1)
        day = (all_heard + 1) / (all_heard + all_missed + 2)
        at = heard[:, hour] + missed[:, hour]
        found = (heard[:, hour] + _PRIOR * day) / (at + _PRIOR)
        return np.where((row < 0) | (all_heard == 0), 0.0, found)

    def _rows(self, cells: Array) -> Array:
        known = self._row
        rows = np.array([known.setdefault(cell, len(known)) for cell in cells.tolist()], np.int64)
        if len(known) > len(self._heard):
            more = ((0, len(known)), (0, 0))
            self._heard, self._missed = np.pad(self._heard, more), np.pad(self._missed, more)
            self._by, self._of = np.pad(self._by, more), np.pad(self._of, more)
        return rows


def _around(lat: Array, lon: Array) -> list[Array]:
    middle = _cell(lat, lon)
    return [middle + south * (_COLUMNS + 2) + west for south in (-1, 0, 1) for west in (-1, 0, 1)]


def _cell(lat: Array, lon: Array) -> Array:
    row = np.minimum(np.maximum((lat + 90) / CELL_LAT_DEG, 0), _ROWS - 1).astype(np.int64)
    column = np.minimum((lon + 180) % 360 / CELL_LON_DEG, _COLUMNS - 1).astype(np.int64)
    found: Array = (row + 1) * (_COLUMNS + 2) + column + 1
    return found
