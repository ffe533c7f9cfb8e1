"""What an organisation tells everybody: CAP 1.2 alerts, an Atom feed (RFC 4287), a calendar (RFC 5545).

    <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>5f3e...</identifier>
      <sender>samsyn.dk</sender><sent>2026-11-21T20:00:00-00:00</sent><status>Actual</status>...

Nothing is made up where a view does not say it: urgency and severity are Unknown, and certainty is
what the view's confidence says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID
from xml.etree import ElementTree as ET  # written only, never read

from icalendar import Calendar, Event

from samsyn.base.clock import SECOND_US, iso
from samsyn.formats.view import View, finest_place, finest_time, when
from samsyn.formats.xml import legible

CAP_MEDIA_TYPE: Final = "application/cap+xml"
ATOM_MEDIA_TYPE: Final = "application/atom+xml"
CALENDAR_MEDIA_TYPE: Final = "text/calendar; charset=utf-8"

_CAP: Final = "urn:oasis:names:tc:emergency:cap:1.2"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_GEORSS: Final = "http://www.georss.org/georss"
# CAP 1.2, 3.2.2, category: of what a view is about
_CATEGORIES: Final = {
    "sea": "Transport", "air": "Transport", "land": "Security", "space": "Infra", "cyber": "Infra",
    "information": "Security",
}  # fmt: skip
_CERTAINTY: Final = {"high": "Likely", "medium": "Possible", "low": "Unlikely"}
_EXERCISE: Final = "EXERCISE "
_DIGITS: Final = 5
_DAY: Final = timedelta(days=1)

ET.register_namespace("cap", _CAP)
ET.register_namespace("georss", _GEORSS)


class Told(NamedTuple):
    """That something was told: the id, and when."""

    uid: UUID
    at_us: int


def cap(view: View, sender: str, organisation: str, before: Sequence[Told] = ()) -> bytes:
    """One alert. before: what everybody was told earlier, which this one takes the place of."""
    told = Told(view.uid, view.modified_us)
    kind = "Update" if before else "Alert"
    found = _cap_head(told, str(view.uid), sender, kind, before, exercise=view.exercise)
    info = _put(found, "info")
    _put(info, "language", "en")
    _put(info, "category", _CATEGORIES.get(_about(view), "Other"))
    _put(info, "event", str(view.slots.get("body.detector", view.kind)))
    _put(info, "urgency", "Unknown")
    _put(info, "severity", "Unknown")
    _put(info, "certainty", _CERTAINTY.get(str(view.slots.get("confidence")), "Unknown"))
    _put(info, "senderName", organisation)
    _put(info, "headline", title(view))
    if text := _text(view):
        _put(info, "description", text)
    place = finest_place(view.slots)
    if place is not None:
        area = _put(info, "area")
        _put(area, "areaDesc", f"{place.rung} around {place.lat:.2f} {place.lon:.2f}")
        # a circle of the place's own precision: no view is drawn finer than it is
        radius_km = round(place.precision_m / 1000, 3)
        _put(area, "circle", f"{place.lat:.{_DIGITS}f},{place.lon:.{_DIGITS}f} {radius_km}")
    return _written(found)


def cap_cancel(before: Told, at_us: int, sender: str, *, exercise: bool) -> bytes:
    """The end of an alert that was withdrawn: it says nothing of what that said."""
    told = Told(before.uid, at_us)
    name = f"{before.uid}-end"
    return _written(_cap_head(told, name, sender, "Cancel", (before,), exercise=exercise))


def atom(views: Iterable[View], *, base: str, sender: str, organisation: str, updated_us: int) -> bytes:
    """A feed of views, newest first. base: the address that all links begin with."""
    feed = ET.Element(f"{{{_ATOM}}}feed")
    _atom(feed, "id", f"urn:samsyn:{sender}")
    _atom(feed, "title", organisation)
    _atom(feed, "updated", iso(updated_us))
    ET.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=f"{base}/public/atom.xml")
    _atom(ET.SubElement(feed, f"{{{_ATOM}}}author"), "name", organisation)
    for view in views:
        entry = ET.SubElement(feed, f"{{{_ATOM}}}entry")
        _atom(entry, "id", f"urn:uuid:{view.uid}")
        _atom(entry, "title", title(view))
        _atom(entry, "updated", iso(view.modified_us))
        _atom(entry, "published", iso(view.created_us))
        ET.SubElement(entry, f"{{{_ATOM}}}category", term=view.kind)
        link = {"rel": "alternate", "type": CAP_MEDIA_TYPE, "href": f"{base}/public/cap/{view.uid}"}
        ET.SubElement(entry, f"{{{_ATOM}}}link", link)
        _atom(entry, "summary", _text(view) or title(view))
        place = finest_place(view.slots)
        if place is not None:
            point = ET.SubElement(entry, f"{{{_GEORSS}}}point")
            point.text = f"{place.lat:.{_DIGITS}f} {place.lon:.{_DIGITS}f}"
    return _written(feed)


def calendar(views: Iterable[View], *, sender: str, organisation: str) -> bytes:
    """Views that say a time, each as long as it is known: an instant, an hour, or a day."""
    made = Calendar()
    made.add("prodid", f"-//Samsyn//{sender}//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", organisation)
    for view in views:
        found = when(str(finest_time(view.slots) or ""))
        if found is None:
            continue
        begin, length = found
        whole_day = length == _DAY
        entry = Event()
        entry.add("uid", f"{view.jti}@{sender}")
        entry.add("sequence", view.ver)
        entry.add("dtstamp", _datetime(view.modified_us))
        entry.add("dtstart", begin.date() if whole_day else begin)
        if length:
            entry.add("dtend", (begin + length).date() if whole_day else begin + length)
        entry.add("summary", title(view))
        if text := _text(view):
            entry.add("description", text)
        entry.add("categories", [view.kind, *(["EXERCISE"] if view.exercise else [])])
        place = finest_place(view.slots)
        if place is not None:
            entry.add("geo", (place.lat, place.lon))
        made.add_component(entry)
    return bytes(made.to_ical())


def title(view: View) -> str:
    """What stands above a view, with the word that it is an exercise."""
    said = str(view.slots.get("title", view.kind))
    return f"{_EXERCISE}{said}" if view.exercise else said


def _cap_head(
    told: Told, name: str, sender: str, kind: str, before: Sequence[Told], *, exercise: bool
) -> ET.Element:
    found = ET.Element(f"{{{_CAP}}}alert")
    _put(found, "identifier", name)
    _put(found, "sender", sender)
    _put(found, "sent", _cap_time(told.at_us))
    _put(found, "status", "Exercise" if exercise else "Actual")
    _put(found, "msgType", kind)
    _put(found, "scope", "Public")
    if exercise:  # CAP 1.2, 3.2.1, status: which exercise is to stand in <note>
        _put(found, "note", "EXERCISE EXERCISE EXERCISE: nothing of this is actual")
    if before:
        listed = " ".join(f"{sender},{one.uid},{_cap_time(one.at_us)}" for one in before)
        _put(found, "references", listed)
    return found


def _about(view: View) -> str:
    craft = str(view.slots.get("body.craft", "")).partition(":")[0]
    return str(view.slots.get("body.category") or {"mmsi": "sea", "icao": "air"}.get(craft, ""))


def _text(view: View) -> str:
    return "\n\n".join(str(view.slots[name]) for name in ("summary", "text") if view.slots.get(name))


def _datetime(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC)


def _cap_time(at_us: int) -> str:
    """CAP 1.2, 3.2.1: no Z; UTC is -00:00."""
    return f"{iso(at_us // SECOND_US * SECOND_US)[:-1]}-00:00"


def _put(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    made = ET.SubElement(parent, f"{{{_CAP}}}{name}")
    made.text = None if text is None else legible(text)
    return made


def _atom(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = legible(text)


def _written(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
