"""Cursor on Target (MIL-STD-6090 and TAK): XML messages, of which only positions are read.

    <event version="2.0" uid="MMSI-219000123" type="a-f-S-X-M" time="2023-11-14T22:13:20Z" start="..."
      stale="..." how="m-g"><point lat="55.5" lon="12.75" hae="0" ce="10" le="10"/>
      <detail><contact callsign="SAMPLE"/><track speed="5.8" course="185.4"/></detail></event>

A uid is whatever its writer chose. Those that hold an MMSI or an ICAO address (MMSI-219000123,
ICAO-4CA123) are craft of ours. Other units in the air and on the sea are tracks that nobody names
(`unnamed`); those on land are counted and left. A message is parsed from its `<event`
on, so that no document type, and with it no entity, can come before: those are how a small message
becomes a large one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from xml.parsers import expat  # no document type gets past `_no_doctype`

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import SECOND_US
from samsyn.formats import symbols
from samsyn.formats.ais import SEA_DOMAIN
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.states import (
    AIR_DOMAIN,
    FEET_PER_METRE,
    KNOTS_PER_M_S,
    TIME_S_MAX,
    Reader,
    taken,
)
from samsyn.formats.unnamed import AIR_TRACK_DOMAIN, SEA_TRACK_DOMAIN, unit_number

_END: Final = b"</event>"
_AROUND: Final = re.compile(rb"<\?xml[^>]*>|</?events>")  # what may stand between messages
_BEGIN: Final = re.compile(rb"<event[\s>]")
_SHIP: Final = re.compile(r"(?:MMSI|AIS)[-.:_](\d{9})", re.IGNORECASE)
_AIRCRAFT: Final = re.compile(r"(?:ICAO|ICAO24|ADSB|MODE-?S)[-.:_]([0-9a-f]{6})", re.IGNORECASE)
_ATOM: Final = re.compile(r"a-[pufnsaho.jk](-|$)")  # things, by affiliation; others: points drawn, chat
_UNITS: Final = {"-A": AIR_TRACK_DOMAIN, "-S": SEA_TRACK_DOMAIN}  # battle dimension: air, sea surface
_AT_SEA: Final = (SEA_DOMAIN >> 32, SEA_TRACK_DOMAIN >> 32)
NOT_REAL: Final = frozenset("jk")  # affiliations of exercises: joker, faker
UNKNOWN: Final = 9_999_999.0  # metres, where nothing is known
HANDLED: Final = frozenset({
    "event.uid", "event.type", "event.time", "event.opex", "point.lat", "point.lon", "point.hae",
    "point.ce", "contact.callsign", "track.speed", "track.course", "__milsym.id",
})  # fmt: skip
# How long it holds and how it came to be, who may read it (the feed's own marking goes), and what TAK
# puts beside a position for its users.
IGNORED: Final = frozenset({
    "event.version", "event.start", "event.stale", "event.how", "event.access", "event.qos",
    "event.caveat", "event.releasableTo", "point.le", "contact.endpoint", "contact.phone",
    "track.slope", "track.eCourse", "track.eSpeed", "uid.Droid", "precisionlocation.altsrc",
    "precisionlocation.geopointsrc", "status.battery", "status.readiness",
})  # fmt: skip
# Elements that are left with all that is in them.
IGNORED_ELEMENTS: Final = frozenset({
    "detail", "remarks", "takv", "__group", "link", "archive", "color", "usericon", "marti", "dest",
    "_flow-tags_", "_aiscot_", "_adsbcot_", "__milicon", "shape", "height", "strokeColor",
})  # fmt: skip


class CotDecoder:
    """One stream of messages, piece by piece; no more of one is held than `limits.COT_BYTES`."""

    def __init__(self) -> None:
        self._held = b""
        self._offset = 0  # of the held bytes in the stream

    def decode(self, piece: bytes, received_us: int) -> Decoded:
        """Columns of the messages that become whole in `piece`; one row each."""
        out = Decoded()
        data, at = self._held + piece, 0
        rows: list[dict[str, Any]] = []
        places: list[int] = []
        while (end := data.find(_END, at)) >= 0:
            end += len(_END)
            row = self._message(data[at:end], self._offset + at, out)
            if row is not None:
                rows.append(row)
                places.append(self._offset + at)
            at = end
        self._held, self._offset = data[at:], self._offset + at
        if len(self._held) > limits.COT_BYTES:
            out.refuse("document-too-large", offset=self._offset, detail=f"{len(self._held)} bytes")
            kept = self._held[-len(_END) :]  # the end of the message may be half there
            self._offset += len(self._held) - len(kept)
            self._held = kept
        if rows:
            _fill(rows, out)
        return out

    def finish(self) -> Decoded:
        """The file or connection has ended."""
        out = Decoded()
        if self._held.strip() and _BEGIN.search(self._held):
            out.refuse("too-short", offset=self._offset, detail=shown(self._held.strip()))
        self._offset += len(self._held)
        self._held = b""
        return out

    def _message(self, raw: bytes, offset: int, out: Decoded) -> dict[str, Any] | None:
        """What one message says, by `element.attribute`; None where it is not a craft's position."""
        begins = [found.start() for found in _BEGIN.finditer(raw)]
        before = _AROUND.sub(b"", raw[: begins[0]] if begins else raw)
        if before.strip():
            out.refuse("malformed", offset=offset, detail=shown(before.strip()))
        if not begins or len(raw) - begins[-1] > limits.COT_BYTES:
            if begins:
                out.refuse("document-too-large", offset=offset + begins[-1])
            return None
        if len(begins) > 1:  # the end of the one before never came
            out.refuse("too-short", offset=offset + begins[0], detail=shown(raw[begins[0] :]))
        try:
            said = _attributes(raw[begins[-1] :], out)
        except expat.ExpatError as e:
            out.refuse("malformed", offset=offset + begins[-1], detail=str(e))
            return None
        out.messages += 1
        kind = str(said.get("event.type"))
        out.types["-".join(kind.split("-")[:3])[:20]] += 1
        if not _ATOM.match(kind):
            return None
        if kind[2] in NOT_REAL or str(said.get("event.opex", "o"))[:1] in ("e", "s"):
            out.refuse("not-real", offset=offset, detail=shown(kind.encode()))
            return None
        said["craft"] = _craft(str(said.get("event.uid")), kind)
        said["time_us"] = _time_us(str(said.get("event.time")))
        for name, reason, what in (("craft", "no-craft", "uid"), ("time_us", "no-time", "time")):
            if said[name] < 0:
                detail = shown(str(said.get(f"event.{what}")).encode())
                out.refuse(reason, offset=offset, detail=detail)
                return None
        return said


def _attributes(raw: bytes, out: Decoded) -> dict[str, Any]:
    """All attributes by `element.attribute`. Raises `ExpatError`."""
    said: dict[str, Any] = {}
    left: list[str] = []  # elements that are left, as deep as we are in them

    def begin(name: str, attributes: dict[str, str]) -> None:
        if left or name in IGNORED_ELEMENTS - {"detail"}:
            left.append(name)
            return
        for attribute, value in attributes.items():
            key = f"{name}.{attribute}"
            if key in HANDLED:
                said.setdefault(key, value)
            elif key not in IGNORED:
                out.unhandled[key[:60]] += 1

    def end(name: str) -> None:
        if left:
            left.pop()

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.Parse(raw, True)
    return said


def _fill(rows: list[dict[str, Any]], out: Decoded) -> None:
    read = Reader(rows, out)
    lat, lon = read.numbers("point.lat", -1_000, 1_000), read.numbers("point.lon", -1_000, 1_000)
    around_m = read.numbers("point.ce", 0, 1e9)
    nowhere = (lat == 0) & (lon == 0) & (around_m >= UNKNOWN)  # how TAK says that it has no position
    columns: dict[str, Any] = {
        "craft": np.array([row["craft"] for row in rows], dtype=np.int64),
        "time_us": np.array([row["time_us"] for row in rows], dtype=np.int64),
        "lat": np.where(nowhere, np.nan, lat),
        "lon": np.where(nowhere, np.nan, lon),
        "speed_kn": read.numbers("track.speed", 0, 5_000, absent=UNKNOWN) * KNOTS_PER_M_S,
        "course_deg": read.numbers("track.course", 0, 360, absent=UNKNOWN) % 360,
        "callsign": read.texts("contact.callsign"),
        "ship_type": _ship_types(rows),
        "altitude_ft": read.numbers("point.hae", -5_000, 50_000, absent=UNKNOWN) * FEET_PER_METRE,
    }
    at_sea = np.isin(columns["craft"] >> 32, _AT_SEA)
    columns["altitude_ft"] = np.where(at_sea, np.nan, columns["altitude_ft"])
    order = np.arange(len(rows))
    out.rows = len(rows)
    out.columns = {name: taken(values, order) for name, values in columns.items()}
    out.columns["time_source"] = np.full(len(rows), TimeSource.RECORDED, dtype=np.uint8)


def _ship_types(rows: list[dict[str, Any]]) -> np.ma.MaskedArray[Any, Any]:
    """What the symbols say of ships, as AIS has it; nothing of whose side they were taken for."""
    said = [
        symbols.ship_type_of(str(row.get("__milsym.id", "")), str(row["event.type"]))
        if row["craft"] >> 32 in _AT_SEA
        else None
        for row in rows
    ]
    absent = np.array([one is None for one in said])
    return np.ma.MaskedArray(np.array([one or 0 for one in said], dtype=np.uint8), absent)


def _craft(uid: str, kind: str) -> int:
    """The key of who a message is about, -1 where that is no craft. kind: "a-f-S-X-M"."""
    ship = _SHIP.fullmatch(uid.strip())
    if ship:
        return SEA_DOMAIN + int(ship[1])
    aircraft = _AIRCRAFT.fullmatch(uid.strip())
    if aircraft:
        return AIR_DOMAIN + int(aircraft[1], 16)
    domain = _UNITS.get(kind[3:5])
    return -1 if domain is None or not uid.strip() else domain + unit_number(uid.strip())


def _time_us(text: str) -> int:
    try:
        said = datetime.fromisoformat(text.strip())
    except ValueError:
        return -1
    since = said.replace(tzinfo=said.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    time_us = round(since.total_seconds() * SECOND_US)
    return time_us if 0 < time_us < TIME_S_MAX * SECOND_US else -1
