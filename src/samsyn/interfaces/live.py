"""A reader's live tracks, cut from its newest frame, as features and by craft."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol

import orjson
import polars as pl

from samsyn.base.clock import SECOND_US, iso
from samsyn.channels.frame import own_rows
from samsyn.formats import features
from samsyn.interfaces.asked import Area, Span
from samsyn.interfaces.port import Channel

_DOMAINS: Final = {1: "sea", 2: "air"}
_RUNGS: Final = (None, "region", "area", "spot", "exact")
_FRAMES: Final = 6  # of one reader, so that a page that was begun can be read to its end: a minute
_ABSENT: Final = {"nav_status": 255, "on_ground": 255, "implausible": 255, "ship_type": 255,
                  "emergency": 255, "squawk": 65_535, "callsign": "", "name": ""}  # fmt: skip
_FIGURES: Final = ("altitude_ft", "speed_kn", "course_deg", "heading_deg", "vertical_rate_fpm")


class Asked(Protocol):
    """What of the tracks is asked for. at: where to read on."""

    @property
    def bbox(self) -> Area | None: ...
    @property
    def span(self) -> Span | None: ...
    @property
    def limit(self) -> int: ...
    @property
    def at(self) -> int: ...


class _Frame(NamedTuple):
    sequence: int
    rows: pl.DataFrame


class Live:
    """The newest frames of each reader. A page that was begun goes on in the frame that it began in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: dict[str, OrderedDict[int, pl.DataFrame]] = {}

    def page(self, channel: Channel, asked: Asked) -> tuple[list[bytes], int | None]:
        """At most `limit` tracks from `at` on, each as a feature; and where to read on, or None.

        `at` is the number of a frame and a row in it; of a frame that is gone nothing is found.
        """
        sequence, row = divmod(asked.at, 1 << 20)
        frame = self._frame(channel, sequence or None)
        if frame is None:
            return [], None
        rows = frame.rows.with_row_index("row").filter(pl.col("row") >= row)
        if asked.bbox is not None:
            inside = pl.col("lat").is_between(asked.bbox.south, asked.bbox.north)
            west, east = pl.col("lon") >= asked.bbox.west, pl.col("lon") <= asked.bbox.east
            around = asked.bbox.west > asked.bbox.east
            rows = rows.filter(inside & ((west | east) if around else (west & east)))
        if asked.span is not None:
            rows = rows.filter(pl.col("heard_s").is_between(asked.span.begin_s, asked.span.end_s))
        found = [_feature(frame.sequence, one) for one in rows.head(asked.limit).iter_rows(named=True)]
        if rows.height <= asked.limit:
            return found, None
        return found, frame.sequence << 20 | int(rows["row"][asked.limit])

    def one(self, channel: Channel, id_: str) -> bytes | None:
        """The track of this id in the newest frame."""
        frame = self._frame(channel, None)
        for row in frame.rows.with_row_index("row").iter_rows(named=True) if frame else ():
            if _id(frame.sequence if frame else 0, row) == id_:
                return _feature(frame.sequence if frame else 0, row)
        return None

    def rows(self, channel: Channel) -> Iterator[dict[str, Any]]:
        """Those of the newest frame that have a name and a place, as `formats.cot_out` wants them."""
        frame = self._frame(channel, None)
        for row in frame.rows.iter_rows(named=True) if frame else ():
            if row["craft"] and row["place"]:
                told = _properties(row)
                yield {
                    **told,
                    "air": row["domain"] == 2,
                    "lat": row["lat"],
                    "lon": row["lon"],
                    "heard_us": row["heard_s"] * SECOND_US,
                }

    def _frame(self, channel: Channel, sequence: int | None) -> _Frame | None:
        data = channel.frame()
        with self._lock:
            held = self._frames.setdefault(channel.name, OrderedDict())
            if data:
                newest, rows = own_rows(data, set(held))
                if rows is not None:
                    held[newest] = rows
                    while len(held) > _FRAMES:
                        held.popitem(last=False)
                if sequence is None:
                    return _Frame(newest, held[newest])
            elif sequence is None:
                return None
            found = held.get(sequence)
        return None if found is None else _Frame(sequence, found)


def _id(sequence: int, row: dict[str, Any]) -> str:
    """A craft's own id; of one without a name, one that holds in this frame only."""
    return str(row["craft"] or f"{sequence}.{row['row']}")


def _feature(sequence: int, row: dict[str, Any]) -> bytes:
    id_ = _id(sequence, row)
    if not row["place"]:
        made = {"type": "Feature", "id": id_, "geometry": None, "properties": _properties(row)}
        return orjson.dumps(made)
    return orjson.dumps(features.track(id_, row["lon"], row["lat"], _properties(row)))


def _properties(row: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "craft": row["craft"] or None,
        "domain": _DOMAINS[row["domain"]],
        "place_rung": _RUNGS[row["place"]],
        "heard": iso(row["heard_s"] * SECOND_US),
    }
    told |= {name: round(row[name], 1) for name in _FIGURES if row[name] == row[name]}
    told |= {name: row[name] for name, absent in _ABSENT.items() if row[name] != absent}
    return {name: value for name, value in told.items() if value is not None}
