"""ASTERIX data blocks to columns: CAT021 (ADS-B), CAT048 (radar), CAT062 (system tracks).

    category, 1 byte    length of the block, 2 bytes, these three included    records

A record says the time of day and no date, and the wire does not say the edition: the current profiles
are assumed, and a record whose values cannot be (a 25th hour) is refused. CAT048 says where a target is
as seen from the radar: `sites` tells where radars stand, or their own CAT034 does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from samsyn.base.clock import DAY_US, SECOND_US
from samsyn.formats import asterix_columns, radar
from samsyn.formats.asterix_columns import Row
from samsyn.formats.asterix_items import LEFT, PROFILES, Cut, Undefined, read_record
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded
from samsyn.formats.states import AIR_DOMAIN

HEAD: Final = 3  # bytes of category and length
TIME_ITEMS: Final = {  # the first that is there is the time of a row; with its unit in 1/128 s
    21: ("071", "073", "075", "072", "077"), 34: ("030",), 48: ("140",), 62: ("070",),
}  # fmt: skip
ROWS: Final = {
    21: asterix_columns.adsb,
    48: asterix_columns.radar_target,
    62: asterix_columns.system_track,
}


def fill(rows: list[Row], time_source: TimeSource, out: Decoded) -> None:
    """Puts rows into the columns of `out`."""
    if rows:
        out.rows = len(rows)
        names = {name for row in rows for name in row}
        out.columns = {name: [row.get(name) for row in rows] for name in names}
        out.columns["time_source"] = [int(time_source)] * len(rows)


class AsterixBlocks:
    """Blocks of one source. `sites`: "SAC/SIC" of radars to latitude, longitude (and height, metres)."""

    def __init__(self, sites: Mapping[str, Sequence[float]] | None = None) -> None:
        self._sites = {name: radar.Site(*place) for name, place in (sites or {}).items()}
        self._told_sites: set[str] = set()

    def read(self, blocks: bytes, near_us: int, out: Decoded, offset: int = 0) -> list[Row]:
        """Rows of whole blocks, as a datagram or a file holds them; refusals are counted in `out`.

        near_us: a time less than half a day from that of the blocks; the date comes from it.
        offset:  of the blocks in the input, to tell of what is refused.
        """
        rows: list[Row] = []
        at = 0
        while at < len(blocks):
            size = int.from_bytes(blocks[at + 1 : at + HEAD], "big")
            if size < HEAD or at + size > len(blocks):
                out.refuse("too-short", offset=offset + at, detail=f"a block of {size} bytes")
                break
            self._block(blocks[at : at + size], near_us, offset + at, rows, out)
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
            address, row = ROWS[category](items)
        except asterix_columns.NoRow as e:
            out.refuse(e.reason, offset=offset, detail=f"CAT{category:03d} {e.detail}".strip())
            return None
        for problem in row.pop("wrong", ()):
            out.refuse("wrong-value", offset=offset, detail=f"CAT{category:03d} {problem}")
        polar = row.pop("polar", None)
        if polar:
            self._place(source, polar, row, offset, out)
        row["time_us"] = time_us
        row["craft"] = AIR_DOMAIN + address
        return row

    def _learn_site(self, source: str, items: dict[str, bytes]) -> None:
        """A radar says where it stands (I034/120); what the settings say goes before it."""
        if "120" in items and source not in self._sites:
            self._sites[source] = asterix_columns.site(items["120"])

    def _place(self, source: str, polar: radar.Polar, row: Row, offset: int, out: Decoded) -> None:
        site = self._sites.get(source)
        if site is None:
            told = source in self._told_sites
            self._told_sites.add(source)
            if not told:
                out.refuse("no-site", offset=offset, detail=source)
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
