"""ASTERIX data blocks to columns: CAT021 (ADS-B), CAT048 (radar), CAT062 (system tracks).

    category, 1 byte    length of the block, 2 bytes, these three included    records

A record says the time of day and no date, and the wire does not say the edition: the current profiles
are assumed, and a record whose values cannot be (a 25th hour) is refused. CAT048 says where a target is
as seen from the radar: `sites` tells where radars stand, or their own CAT034 does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from samsyn.base.clock import DAY_US, SECOND_US
from samsyn.formats import asterix_columns, asterix_compiled, radar
from samsyn.formats.asterix_columns import Row
from samsyn.formats.asterix_items import LEFT, PROFILES, Cut, Undefined, read_record
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded

HEAD: Final = 3  # bytes of category and length
TIME_ITEMS: Final = {  # the first that is there is the time of a row; with its unit in 1/128 s
    21: ("071", "073", "075", "072", "077"), 34: ("030",), 48: ("140",), 62: ("070",),
}  # fmt: skip
ROWS: Final = {
    21: asterix_columns.adsb,
    48: asterix_columns.radar_target,
    62: asterix_columns.system_track,
}


_PLAN: Final = asterix_compiled.make_plan(TIME_ITEMS)
_REFUSALS: Final = 4_096  # room for those of one call of the compiled reader


class Span(NamedTuple):
    """Blocks one after another: where they lie in some data, a time that is near them (see
    `AsterixBlocks.read`), and where they begin in the input."""

    begin: int
    end: int
    near_us: int
    offset: int


class Rows:
    """The rows of one piece, as the reader in Python makes them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def __len__(self) -> int:
        return len(self.rows)

    def put(self, rows: list[Row]) -> None:
        """More rows, behind those that are there."""
        self.rows += rows

    def last_us(self) -> int:
        """The time of the last row."""
        return int(self.rows[-1]["time_us"])

    def columns(self) -> dict[str, Any]:
        """As the schema has them."""
        names = {name for row in self.rows for name in row}
        return {name: [row.get(name) for row in self.rows] for name in names}


def fill(rows: Rows | asterix_compiled.Rows, time_source: TimeSource, out: Decoded) -> None:
    """Puts rows into the columns of `out`."""
    if len(rows):
        out.rows = len(rows)
        out.columns = rows.columns()
        out.columns["time_source"] = np.full(len(rows), int(time_source), np.uint8)


class AsterixBlocks:
    """Blocks of one source. `sites`: "SAC/SIC" of radars to latitude, longitude (and height, metres)."""

    def __init__(self, sites: Mapping[str, Sequence[float]] | None = None) -> None:
        self._sites = {name: radar.Site(*place) for name, place in (sites or {}).items()}
        self._told_sites: set[str] = set()
        self._compiled = asterix_compiled.built
        self._quick_sites = asterix_compiled.Sites()
        for name, site in self._sites.items():
            self._quick_sites.put(name, site)

    def rows_of(self, data_bytes: int) -> Rows | asterix_compiled.Rows:
        """Where `take` puts the rows of so many bytes."""
        return asterix_compiled.Rows(data_bytes) if self._compiled else Rows()

    def run(self, data: bytes, at: int, known: bytes) -> int:
        """Where the whole blocks of `known` categories (256 flags) from `at` on end, if that is quickly
        told; else `at`."""
        return self._compiled.run(data, at, known) if self._compiled else at

    def take(
        self,
        rows: Rows | asterix_compiled.Rows,
        data: bytes,
        spans: Sequence[Span],
        out: Decoded,
        *,
        chain: bool = False,
    ) -> None:
        """Puts the rows of all blocks in some spans of `data` behind `rows`; counts refusals in `out`.

        chain: each block is near the last row before it, and only the first near its span's time.
        """
        quick = all(0 <= span.near_us <= asterix_compiled.NEAR_US_MAX for span in spans)
        if quick and isinstance(rows, asterix_compiled.Rows):
            self._take_quickly(rows, data, spans, out, chain=chain)
            return
        for begin, end, near_us, offset in spans:
            rows.put(self.read(data[begin:end], near_us, out, offset, chain=chain))

    def _take_quickly(
        self,
        rows: asterix_compiled.Rows,
        data: bytes,
        spans: Sequence[Span],
        out: Decoded,
        *,
        chain: bool,
    ) -> None:
        """By compiled code; what it leaves, block by block in Python."""
        assert self._compiled
        begins, ends, nears, offsets = np.array(spans, np.int64).reshape(-1, 4).T.copy()
        refusals, counts = np.empty((_REFUSALS, 5), np.int64), np.zeros(256, np.int64)
        given, made = (data, begins, ends, nears), (*rows.arrays(), refusals, counts)
        span, at, near_us = 0, spans[0].begin if spans else 0, spans[0].near_us if spans else 0
        while span < len(spans):
            plan = (*_PLAN, *self._quick_sites.arrays())
            span, at, rows.count, refused, unplaced, near_us = self._compiled.read(
                span, at, near_us, chain, rows.count, rows.room, given, plan, made
            )
            asterix_compiled.tell(refusals[:refused], (begins, offsets), data, out)
            if unplaced:
                out.refused["no-site"] += unplaced
            if span == len(spans):
                break
            size = int.from_bytes(data[at + 1 : at + HEAD], "big")
            end = at + size if HEAD <= size <= int(ends[span]) - at else int(ends[span])
            offset = int(offsets[span]) + at - int(begins[span])
            left = self.read(data[at:end], near_us, out, offset)
            rows.put(left)
            if chain and left:
                near_us = left[-1]["time_us"]
            at = end
        asterix_compiled.count(counts, out)

    def read(
        self, blocks: bytes, near_us: int, out: Decoded, offset: int = 0, *, chain: bool = False
    ) -> list[Row]:
        """Rows of whole blocks, as a datagram or a file holds them; refusals are counted in `out`.

        near_us: a time less than half a day from that of the blocks; the date comes from it.
        offset:  of the blocks in the input, to tell of what is refused. chain: as in `take`.
        """
        rows: list[Row] = []
        at = 0
        while at < len(blocks):
            size = int.from_bytes(blocks[at + 1 : at + HEAD], "big")
            if size < HEAD or at + size > len(blocks):
                out.refuse("too-short", offset=offset + at, detail=f"a block of {size} bytes")
                break
            before = len(rows)
            self._block(blocks[at : at + size], near_us, offset + at, rows, out)
            if chain and len(rows) > before:
                near_us = rows[-1]["time_us"]
            at += size
        return rows

    def _block(self, block: bytes, near_us: int, offset: int, rows: list[Row], out: Decoded) -> None:
        category = block[0]
        if category not in PROFILES:
            if category in LEFT:
                out.messages += 1
                out.types[f"CAT{category:03d} blocks"] += 1
            else:
                out.refuse("unknown-type", offset=offset, detail=f"category {category}")
            return
        at = HEAD
        while at < len(block):
            begin = at
            try:
                items, at = read_record(PROFILES[category], block, at)
            except (Cut, Undefined) as e:
                reason = "too-short" if isinstance(e, Cut) else "malformed"
                detail = f"CAT{category:03d} {e}".strip()
                out.refuse(reason, offset=offset + begin, detail=f"{detail}, the rest of the block")
                return
            out.messages += 1
            out.types[f"CAT{category:03d}"] += 1
            row = self._row(category, items, near_us, offset + begin, out)
            if row:
                rows.append(row)

    def _row(
        self, category: int, items: dict[str, bytes], near_us: int, offset: int, out: Decoded
    ) -> Row | None:
        """What a record says, or None where that is nothing about an aircraft."""
        source = f"{items['010'][0]}/{items['010'][1]}" if "010" in items else ""
        if category == 34:
            self._learn_site(source, items)
        if category not in ROWS:
            return None
        said = next((items[name] for name in TIME_ITEMS[category] if name in items), None)
        time_us = None if said is None else _dated(int.from_bytes(said, "big"), near_us)
        if time_us is None:
            detail = "" if said is None else f"CAT{category:03d} time of day {said.hex()}"
            out.refuse("no-time", offset=offset, detail=detail)
            return None
        try:
            craft, row = ROWS[category](items)
        except asterix_columns.NoRow as e:
            out.refuse(e.reason, offset=offset, detail=f"CAT{category:03d} {e.detail}".strip())
            return None
        for problem in row.pop("wrong", ()):
            out.refuse("wrong-value", offset=offset, detail=f"CAT{category:03d} {problem}")
        polar = row.pop("polar", None)
        if polar:
            self._place(source, polar, row, offset, out)
        row["time_us"] = time_us
        row["craft"] = craft
        return row

    def _learn_site(self, source: str, items: dict[str, bytes]) -> None:
        """A radar says where it stands (I034/120); what the settings say goes before it."""
        if "120" in items and source not in self._sites:
            self._sites[source] = asterix_columns.site(items["120"])
            self._quick_sites.put(source, self._sites[source])

    def _place(self, source: str, polar: radar.Polar, row: Row, offset: int, out: Decoded) -> None:
        site = self._sites.get(source)
        if site is None:
            told = source in self._told_sites
            self._told_sites.add(source)
            if not told:
                out.refuse("no-site", offset=offset, detail=source)
                self._quick_sites.told(source)
            else:
                out.refused["no-site"] += 1
            return
        row["lat"], row["lon"] = radar.place(site, polar)


def _dated(ticks: int, near_us: int) -> int | None:
    """The moment nearest to `near_us` at that time of day, in 1/128 s; None for a 25th hour."""
    of_day_us = ticks * SECOND_US // 128
    if of_day_us >= DAY_US:
        return None
    days = (near_us - of_day_us + DAY_US // 2) // DAY_US
    time_us = days * DAY_US + of_day_us
    return time_us if time_us > 0 else None
