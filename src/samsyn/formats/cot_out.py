"""Views and live tracks as Cursor on Target messages, for TAK clients: XML, or TAK protocol 1.

What is drawn there is a spot with the view's title and text; craft are drawn as unknown, since who
hears a craft does not know whose it is. An exercise is marked in the message (opex "e") and in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from xml.etree import ElementTree as ET  # written, and read only as we wrote it

from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US, iso
from samsyn.formats import symbols
from samsyn.formats.ais import SEA_DOMAIN
from samsyn.formats.states import AIR_DOMAIN
from samsyn.formats.view import View, finest_place, finest_time
from samsyn.formats.xml import legible

UNKNOWN: Final = "9999999"  # metres: what is not known
VIEW_TYPE: Final = "b-m-p-s-p-i"  # a spot on the map
DELETED_TYPE: Final = "t-x-d-d"
PONG: Final = "takPong"
_PONG_TYPE: Final = "t-x-c-t-r"
_M_S_PER_KNOT: Final = 1852 / 3600
_METRES_PER_FOOT: Final = 0.3048
_VIEW_STALE_US: Final = 24 * HOUR_US  # a statement holds until it is withdrawn; it is sent anew before
_TRACK_STALE_US: Final = 2 * MINUTE_US
_COLOURS: Final = {"alert": "-65536", "report": "-256"}  # ARGB as TAK counts: red, yellow


def of_view(view: View, node: str, now_us: int) -> bytes | None:
    """One message; None for a view that says no place, which cannot be drawn on a map."""
    place = finest_place(view.slots)
    if place is None:
        return None
    made, detail = _message(uid_of(view.jti, node), VIEW_TYPE, now_us, _VIEW_STALE_US, view.exercise)
    made.set("how", "h-g-i-g-o")  # from a person or a machine at another place
    _point(made, place.lat, place.lon, max(place.precision_m, 1.0))
    title = str(view.slots.get("title", view.kind))
    ET.SubElement(detail, "contact", callsign=legible(f"EXERCISE {title}" if view.exercise else title))
    said = [str(view.slots[name]) for name in ("summary", "text") if view.slots.get(name)]
    time = finest_time(view.slots)
    head = f"{view.marking}. {view.kind} by {view.iss}, version {view.ver}" + (
        f", {time}" if time else ""
    )
    ET.SubElement(detail, "remarks", source=node).text = legible("\n".join([head, *said]))
    ET.SubElement(detail, "color", argb=_COLOURS.get(view.kind, "-1"))
    attributes = {"originator": view.iss, "statement": view.jti, "marking": view.marking}
    ET.SubElement(detail, "samsyn", {**attributes, "place": place.rung})
    return _written(made)


def of_track(row: Mapping[str, Any], node: str, now_us: int, *, exercise: bool) -> bytes:
    """One live track as a reader's frame has it: craft ("mmsi:..." or "icao:..."), air, lat, lon,
    heard_us; speed_kn, course_deg, altitude_ft, name, callsign, ship_type where there are."""
    kind, _, number = str(row["craft"]).partition(":")
    uid = f"{'MMSI' if kind == 'mmsi' else 'ICAO'}-{number}"
    key = SEA_DOMAIN + int(number) if kind == "mmsi" else AIR_DOMAIN + int(number, 16)
    code, type_ = symbols.drawn(key, row.get("ship_type"), exercise=exercise)
    made, detail = _message(uid, type_, int(row["heard_us"]), _TRACK_STALE_US, exercise, now_us)
    made.set("how", "m-g")
    height_ft = row.get("altitude_ft")
    height = UNKNOWN if height_ft is None else f"{height_ft * _METRES_PER_FOOT:.0f}"
    _point(made, row["lat"], row["lon"], row.get("precision_m") or None, height)
    name = str(row.get("name") or row.get("callsign") or number)
    ET.SubElement(detail, "contact", callsign=legible(f"EXERCISE {name}" if exercise else name))
    motion = {
        "speed": None if row.get("speed_kn") is None else f"{row['speed_kn'] * _M_S_PER_KNOT:.2f}",
        "course": None if row.get("course_deg") is None else f"{row['course_deg']:.1f}",
    }
    held = {name: value for name, value in motion.items() if value is not None}
    if held:
        ET.SubElement(detail, "track", held)
    ET.SubElement(detail, "__milsym", id=code)
    ET.SubElement(detail, "remarks", source=node).text = "heard by a receiver; whose it is, is not said"
    return _written(made)


def deleted(uid: str, type_: str, now_us: int, *, exercise: bool) -> bytes:
    """That a thing is to be taken off the map."""
    made, detail = _message(f"{uid}-deleted", DELETED_TYPE, now_us, MINUTE_US, exercise)
    made.set("how", "h-g-i-g-o")
    _point(made, 0.0, 0.0, None)
    ET.SubElement(detail, "link", uid=uid, relation="p-p", type=type_)
    ET.SubElement(detail, "__forcedelete")
    return _written(made)


def pong(now_us: int) -> bytes:
    """What a client waits for that asks whether we are there."""
    made, _ = _message(PONG, _PONG_TYPE, now_us, MINUTE_US, exercise=False)
    made.set("how", "h-g-i-g-o")
    _point(made, 0.0, 0.0, None)
    return _written(made)


def uid_of(jti: str, node: str) -> str:
    """Of all versions of a statement: the newer takes the place of the older on the map."""
    return f"samsyn.{node}.{jti}"


def to_protocol_1(message: bytes) -> bytes:
    """A message as TAK protocol 1 sends it in a stream: a mark, the length, protobuf."""
    return bytes(_protobuf().xml2proto(message.decode(), _protobuf().TAKProtoVer.STREAM))


@lru_cache(maxsize=1)
def _protobuf() -> Any:
    import takproto  # 20 MB of descriptors that a node without TAK clients does not need

    return takproto


def _message(
    uid: str, type_: str, at_us: int, stale_us: int, exercise: bool, now_us: int | None = None
) -> tuple[ET.Element, ET.Element]:
    made = ET.Element("event", version="2.0", uid=legible(uid), type=type_)
    made.set("time", _time(at_us))
    made.set("start", _time(at_us))
    made.set("stale", _time((at_us if now_us is None else max(at_us, now_us)) + stale_us))
    if exercise:
        made.set("opex", "e")
    return made, ET.SubElement(made, "detail")


def _point(
    made: ET.Element, lat: float, lon: float, error_m: float | None, height_m: str = UNKNOWN
) -> None:
    ce = UNKNOWN if error_m is None else f"{error_m:.0f}"
    point = ET.Element("point", lat=f"{lat:.6f}", lon=f"{lon:.6f}", hae=height_m, ce=ce, le=UNKNOWN)
    made.insert(0, point)


def _time(at_us: int) -> str:
    return iso(at_us // SECOND_US * SECOND_US)


def _written(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8"))
