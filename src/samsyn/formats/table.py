"""Tables of positions in whatever columns somebody chose: CSV lines, GeoJSON points, JSON lists.

A map says which of their columns is which of ours, and units say how theirs are measured; names that
mean one thing only (LAT, SOG, BaseDateTime) need no map. Their columns that are neither mapped nor left
by name are counted as unhandled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import SECOND_US
from samsyn.base.encoding import from_json
from samsyn.formats.ais import SEA_DOMAIN
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.lines import csv_fields
from samsyn.formats.states import (
    AIR_DOMAIN,
    FEET_PER_METRE,
    FPM_PER_M_S,
    KNOTS_PER_M_S,
    TIME_S_MAX,
    Floats,
    Ints,
    Reader,
    taken,
    with_squawk_emergency,
)

LAT, LON, ALTITUDE = "@lat", "@lon", "@alt"  # of a GeoJSON point
IDENTITIES: Final = ("mmsi", "icao")
_SPEED: Final = {"kn": 1.0, "m/s": KNOTS_PER_M_S, "km/h": KNOTS_PER_M_S / 3.6, "kn/10": 0.1}
_HEIGHT: Final = {"ft": 1.0, "m": FEET_PER_METRE, "fl": 100.0}
_CLIMB: Final = {"ft/min": 1.0, "m/s": FPM_PER_M_S}
_ANGLE: Final = {"deg": 1.0, "deg/10": 0.1}
# Ours: units (the first is ours), what may be in them in our unit, and what stands for "not available".
NUMBERS: Final[dict[str, tuple[dict[str, float], float, float, float | None]]] = {
    "lat": ({"deg": 1.0, "deg*1e7": 1e-7}, -1_000, 1_000, 91.0),
    "lon": ({"deg": 1.0, "deg*1e7": 1e-7}, -1_000, 1_000, 181.0),
    "altitude_ft": (_HEIGHT, -10_000, 150_000, None),
    "speed_kn": (_SPEED, 0, 10_000, 102.3),
    "course_deg": (_ANGLE, 0, 360, None),
    "heading_deg": (_ANGLE, 0, 360, 511.0),
    "vertical_rate_fpm": (_CLIMB, -100_000, 100_000, None),
}
CODES: Final = {"nav_status": 15, "ship_type": 255, "nic": 15, "nac_p": 15, "sil": 3}
FLAGS: Final = ("on_ground", "position_accurate", "raim")
TEXTS: Final = ("callsign", "name")
OURS: Final = frozenset({"time", *IDENTITIES, *NUMBERS, *CODES, *FLAGS, *TEXTS, "squawk"})
TIME_UNITS: Final = {"s": SECOND_US, "ms": 1_000, "us": 1}
# Their names that mean one thing only, as `_plain` writes them; the first that is there is taken.
KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "time": ("time", "timestampexternal", "timestamp", "basedatetime", "base_date_time", "datetime",
             "date_time", "time_utc"),
    "mmsi": ("mmsi",),
    "icao": ("icao24", "icao"),
    "lat": (LAT, "lat", "latitude", "latitude_degrees"),
    "lon": (LON, "lon", "lng", "long", "longitude", "longitude_degrees"),
    "speed_kn": ("speed_kn", "sog", "sog_knots"),
    "course_deg": ("course_deg", "cog", "cog_degrees"),
    "heading_deg": ("heading_deg", "heading", "true_heading", "trueheading"),
    "altitude_ft": ("altitude_ft",),
    "vertical_rate_fpm": ("vertical_rate_fpm",),
    "nav_status": ("nav_status", "navstat"),
    "ship_type": ("vesseltype", "shiptype"),
    "name": ("vesselname", "vessel_name", "shipname", "ship_name", "name"),
    "callsign": ("callsign", "call_sign"),
    "squawk": ("squawk",),
    "raim": ("raim",),
    "position_accurate": ("posacc", "position_accurate"),
    "on_ground": ("on_ground", "onground"),
}  # fmt: skip
DELIMITERS: Final = ",;\t|"


class TableDecoder:
    """One source, piece by piece.

    columns:   ours to theirs, for what `KNOWN` does not say; "" takes nothing for a column of ours.
    units:     ours to the unit of theirs (`NUMBERS`); for time also a strptime format.
    ignore:    their columns that are left by name.
    offset_us: how far times without a zone are ahead of UTC.
    Raises `ValueError` naming a column or unit that is not ours.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        ignore: Iterable[str] = (),
        offset_us: int = 0,
    ) -> None:
        self._columns = dict(columns or {})
        self._units = dict(units or {})
        self._ignore = frozenset(ignore)
        self._offset_us = offset_us
        for name in {*self._columns, *self._units} - OURS:
            raise ValueError(name)
        for name, unit in self._units.items():
            if name != "time" and unit not in NUMBERS.get(name, ({},))[0]:
                raise ValueError(f"{name} in {unit}")
        self._header: list[str] | None = None
        self._delimiter = ","
        self._line = 0
        self._said: dict[int, tuple[int, str, str]] = {}

    def decode_csv(self, data: bytes) -> Decoded:
        """The rows of whole lines; the first that names a place and a craft is the header."""
        out = Decoded()
        texts = data.decode("utf-8-sig" if self._line == 0 else "utf-8", "replace").split("\n")[:-1]
        out.lines = len(texts)
        rows: list[dict[str, Any]] = []
        numbers: list[int] = []
        for number, raw in enumerate(texts, self._line + 1):
            text = raw.rstrip("\r")
            if self._header is None:
                self._begin(text, number, out)
            elif text:
                fields = csv_fields(text, self._delimiter)
                if len(fields) != len(self._header):
                    out.refuse("malformed", line=number, detail=shown(text.encode()))
                    continue
                rows.append({n: v.strip() or None for n, v in zip(self._header, fields, strict=True)})
                numbers.append(number)
        self._line += len(texts)
        if rows:
            self._fill(Reader(rows, out, numbers))
        return out

    def end_csv(self) -> Decoded:
        """The file or connection has ended; the next one has a header of its own."""
        self._header, self._line = None, 0
        return Decoded()

    def decode_json(self, document: bytes) -> Decoded:
        """The rows of one document: GeoJSON points, a list of objects, or an object that holds one.

        Polled again, an object that says the same place at the same time makes no row.
        """
        out = Decoded()
        try:
            said = from_json(document)
        except ValueError as e:
            out.refuse("not-json", offset=getattr(e, "pos", 0), detail=str(e)[:120])
            return out
        found = _listed(said)
        if found is None:
            detail = f"no list of objects in {shown(document, 60)}"
            out.refuse("shape", offset=0, detail=detail)
            return out
        rows = [row for row in map(_feature, found) if row is not None]
        if len(rows) < len(found):
            out.refuse("shape", detail="no object, or no point", count=len(found) - len(rows))
        beside = {n: v for n, v in said.items() if _single(v)} if isinstance(said, dict) else {}
        time_named = self._theirs({_plain(n) for n in beside}, beside).get("time")
        if time_named:  # of the whole document
            rows = [{time_named: beside[time_named], **row} for row in rows]
        if rows:
            self._fill(Reader(rows, out), again=False)
        return out

    def _begin(self, text: str, line: int, out: Decoded) -> None:
        """Takes a line for the header, if it can be."""
        plain = text.lstrip("#").strip()
        delimiter = max(DELIMITERS, key=plain.count)
        names = [name.strip() for name in csv_fields(plain, delimiter)]
        theirs = self._theirs({_plain(n) for n in names}, names)
        if {"lat", "lon", "time"} <= theirs.keys() and any(i in theirs for i in IDENTITIES):
            self._header, self._delimiter = names, delimiter
        elif text and not text.startswith("#"):
            out.refuse("header", line=line, detail=shown(text.encode()))

    def _theirs(self, plain: set[str], names: Iterable[str]) -> dict[str, str]:
        """Ours to theirs, of the names that there are."""
        found = {ours: name for ours, name in self._columns.items() if name in set(names)}
        by_plain = {_plain(name): name for name in names}
        for ours, known in KNOWN.items():
            if ours not in self._columns:
                name = next((by_plain[k] for k in known if k in plain), None)
                if name is not None and name not in found.values():
                    found[ours] = name
        return found

    def _fill(self, read: Reader, *, again: bool = True) -> None:
        out = read.out
        names = {name: None for row in read.rows for name in row}
        theirs = self._theirs({_plain(n) for n in names}, names)
        read.note_unhandled(frozenset(theirs.values()) | self._ignore)
        craft, time_us = self._craft(read, theirs), self._times(read, theirs)
        columns: dict[str, Any] = {"craft": craft, "time_us": time_us}
        columns |= self._numbers(read, theirs)
        for ours, high in CODES.items():
            if ours in theirs:
                columns[ours] = read.codes(theirs[ours], high)
        if "nav_status" in columns:
            columns["nav_status"] = np.ma.masked_equal(columns["nav_status"], 15)
        for ours in FLAGS:
            if ours in theirs:
                columns[ours] = read.flags(theirs[ours])
        for ours in TEXTS:
            if ours in theirs:
                columns[ours] = read.texts(theirs[ours])
        if "squawk" in theirs:
            columns["squawk"] = read.squawks(theirs["squawk"])
            columns["emergency"] = with_squawk_emergency(None, columns["squawk"])
        kept = np.flatnonzero((craft >= 0) & (time_us > 0))
        if not again:
            kept = self._new(columns, kept)
        out.messages += len(craft)
        out.types["row"] += len(craft)
        out.rows = len(kept)
        if out.rows:
            out.columns = {name: taken(values, kept) for name, values in columns.items()}
            out.columns["time_source"] = np.full(len(kept), TimeSource.RECORDED, dtype=np.uint8)

    def _numbers(self, read: Reader, theirs: Mapping[str, str]) -> dict[str, Floats]:
        found = {}
        for ours, (units, low, high, absent) in NUMBERS.items():
            if ours in theirs:
                if ours == "course_deg" and "mmsi" in theirs:
                    absent = 360.0  # not north: AIS has no other word for "not available"
                factor = units[self._units.get(ours, next(iter(units)))]
                sentinel = None if absent is None else absent / factor
                values = (
                    read.numbers(theirs[ours], low / factor, high / factor, absent=sentinel) * factor
                )
                found[ours] = values % 360 if ours in ("course_deg", "heading_deg") else values
        return found

    def _craft(self, read: Reader, theirs: Mapping[str, str]) -> Ints:
        """Keys by MMSI or by ICAO address, whichever a row has; -1 for a row of nobody."""
        of_ship = read.values(theirs["mmsi"]) if "mmsi" in theirs else [None] * len(read.rows)
        of_aircraft = read.values(theirs["icao"]) if "icao" in theirs else [None] * len(read.rows)
        keys = []
        for i, (mmsi, icao) in enumerate(zip(of_ship, of_aircraft, strict=True)):
            key = _ship(mmsi)
            if key < 0:
                key = _aircraft(icao)
            if key < 0:
                read.refuse("no-craft", i, repr(icao if mmsi is None else mmsi)[:60])
            keys.append(key)
        return np.array(keys, dtype=np.int64)

    def _times(self, read: Reader, theirs: Mapping[str, str]) -> Ints:
        found = []
        values = read.values(theirs["time"]) if "time" in theirs else [None] * len(read.rows)
        for i, value in enumerate(values):
            time_us = _time_us(value, self._units.get("time", ""), self._offset_us)
            if time_us is None:
                read.refuse("no-time", i, repr(value)[:60])
            found.append(time_us or -1)
        return np.array(found, dtype=np.int64)

    def _new(self, columns: Mapping[str, Any], rows: Ints) -> Ints:
        """Those of the rows that do not say the same again."""
        if len(self._said) > limits.TRACKS:
            self._said.clear()
        nowhere = np.full(len(columns["craft"]), np.nan)
        lat, lon = columns.get("lat", nowhere), columns.get("lon", nowhere)
        kept = []
        for i in rows.tolist():
            now = (int(columns["time_us"][i]), repr(float(lat[i])), repr(float(lon[i])))
            if self._said.get(int(columns["craft"][i])) != now:
                self._said[int(columns["craft"][i])] = now
                kept.append(i)
        return np.array(kept, dtype=np.int64)


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _single(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _listed(said: Any) -> list[Any] | None:
    """The list of objects in a document."""
    if isinstance(said, dict):
        if isinstance(said.get("features"), list):
            return list(said["features"])
        lists = [v for v in said.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        empty = [v for v in said.values() if v == []]
        return lists[0] if len(lists) == 1 else empty[0] if empty and not lists else None
    return said if isinstance(said, list) else None


def _feature(found: Any) -> dict[str, Any] | None:
    """An object as a row; of a GeoJSON feature its properties and its point. None for anything else."""
    if not isinstance(found, dict):
        return None
    if found.get("type") != "Feature":
        return found
    geometry, properties = found.get("geometry"), found.get("properties")
    place = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") != "Point" or not isinstance(place, list):
        return None
    beside = {
        n: v for n, v in found.items() if n not in ("type", "geometry", "properties", "id", "bbox")
    }
    row = {**beside, **(properties if isinstance(properties, dict) else {})}
    return {**row, **dict(zip((LON, LAT, ALTITUDE), place, strict=False))}


def _ship(value: Any) -> int:
    text = _whole(value)
    return SEA_DOMAIN + int(text) if text.isdigit() and len(text) <= 9 and int(text) else -1


def _aircraft(value: Any) -> int:
    text = str(value).strip().lower()
    good = isinstance(value, str) and len(text) == 6 and not text.strip("0123456789abcdef")
    return AIR_DOMAIN + int(text, 16) if good else -1


def _whole(value: Any) -> str:
    """A number that somebody may have written as a float or as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value).strip().removesuffix(".0")
    return text if text.isascii() else ""


def _time_us(value: Any, unit: str, offset_us: int) -> int | None:
    """A time as microseconds since 1970: a number in `unit`, or text. None where there is none.

    Without a unit the size of a number says it: of seconds, milliseconds and microseconds since 1970
    only one falls between 1973 and 2100.
    """
    most_us = TIME_S_MAX * SECOND_US
    try:
        if isinstance(value, bool) or value is None:
            return None
        if unit and unit not in TIME_UNITS:
            said = datetime.strptime(str(value).strip(), unit)
        elif isinstance(value, str) and not _is_number(value):
            said = datetime.fromisoformat(value.strip())
        else:
            number = float(value)
            sizes = [TIME_UNITS[unit]] if unit else list(TIME_UNITS.values())
            fits = [
                s for s in sizes if (100_000_000 * SECOND_US if not unit else 0) < number * s < most_us
            ]
            return round(number * fits[0]) if fits else None
        naive = said.tzinfo is None
        since = (said.replace(tzinfo=UTC) if naive else said) - datetime(1970, 1, 1, tzinfo=UTC)
        time_us = round(since.total_seconds() * SECOND_US) - (offset_us if naive else 0)
    except (ValueError, OverflowError, TypeError):
        return None
    return time_us if 0 < time_us < most_us else None


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
