"""What TAK clients are sent, read by takproto and by our own reader; what they say, by any of them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
import takproto
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.errors import InputError
from samsyn.formats import cot_out, tak
from samsyn.formats.cot import CotDecoder
from samsyn.formats.view import View
from tests.formats.views import AT_US, view, views, without

TRACK = {
    "craft": "mmsi:219000123", "air": False, "lat": 58.125, "lon": 19.25, "heard_us": AT_US,
    "speed_kn": 12.0, "course_deg": 45.0, "name": "SALLY",
}  # fmt: skip


@given(one=views())
@settings(max_examples=100, deadline=None)
def test_a_view_is_a_spot_in_xml_and_in_protocol_1(one: View) -> None:
    made = cot_out.of_view(one, "dk", AT_US)
    assert (made is None) == (not any(slot.startswith("place.") for slot in one.slots))
    if made is None:
        return
    told = ET.fromstring(made)
    assert told.get("uid") == f"samsyn.dk.{one.jti}" and told.get("type") == cot_out.VIEW_TYPE
    assert (told.get("opex") == "e") == one.exercise
    contact = told.find("detail/contact")
    assert contact is not None and contact.get("callsign", "").startswith("EXERCISE ") == one.exercise
    event = takproto.parse_proto(bytearray(cot_out.to_protocol_1(made))).cotEvent
    assert event.uid == told.get("uid") and event.detail.contact.callsign == contact.get("callsign")
    assert event.lat == pytest.approx(float(told.find("point").get("lat")))  # type: ignore[union-attr,arg-type]


def test_a_coarse_place_is_told_as_coarse() -> None:
    one = view(slots=without(view().slots, "place.exact", "place.spot"))
    point = ET.fromstring(cot_out.of_view(one, "dk", AT_US) or b"").find("point")
    assert point is not None and float(point.get("ce", "0")) > 8_000


def test_a_track_is_of_unknown_affiliation_and_can_be_read_back() -> None:
    made = cot_out.of_track(TRACK, "dk", AT_US, exercise=False)
    assert ET.fromstring(made).get("type") == "a-u-S"
    found = CotDecoder().decode(made, AT_US)
    assert found.rows == 1 and found.columns["speed_kn"][0] == pytest.approx(12.0, abs=0.02)
    assert found.columns["lat"][0] == 58.125 and found.columns["time_us"][0] == AT_US
    marked = cot_out.of_track(TRACK, "dk", AT_US, exercise=True)
    assert CotDecoder().decode(marked, AT_US).rows == 0  # an exercise does not come in as real


def test_a_track_carries_its_symbol() -> None:
    made = cot_out.of_track({**TRACK, "ship_type": 82}, "dk", AT_US, exercise=False)
    told = ET.fromstring(made)
    symbol = told.find("detail/__milsym")
    assert told.get("type") == "a-u-S-X-M-O"
    assert symbol is not None and symbol.get("id") == "10013000001401090000"
    assert (
        "__milsym"
        in takproto.parse_proto(bytearray(cot_out.to_protocol_1(made))).cotEvent.detail.xmlDetail
    )
    found = CotDecoder().decode(made, AT_US)
    assert found.columns["ship_type"].tolist() == [80] and not found.unhandled
    drill = ET.fromstring(cot_out.of_track(TRACK, "dk", AT_US, exercise=True)).find("detail/__milsym")
    assert drill is not None and drill.get("id") == "10113000000000000000"


def test_a_deletion_names_what_goes() -> None:
    told = ET.fromstring(cot_out.deleted("samsyn.dk.x", cot_out.VIEW_TYPE, AT_US, exercise=False))
    link = told.find("detail/link")
    assert told.get("type") == "t-x-d-d" and link is not None and link.get("uid") == "samsyn.dk.x"


PING = b'<?xml version="1.0"?><event version="2.0" uid="takPing" type="t-x-c-t"><point/></event>'
AUTH = b'<auth><cot username="gis" password="a&amp;b" uid="1"/></auth>'


@given(cuts=st.lists(st.integers(1, 40), max_size=40))
def test_what_a_client_says_is_heard_however_it_is_cut(cuts: list[int]) -> None:
    packed = cot_out.to_protocol_1(cot_out.pong(AT_US))
    data = AUTH + b"\n" + PING + packed + PING
    listening, found = tak.Conversation(), []
    for cut in cuts:
        piece, data = data[:cut], data[cut:]
        found += listening.hear(piece)
    found += listening.hear(data)
    assert [one.type for one in found] == ["auth", tak.PING, tak.PING]
    assert (found[0].username, found[0].password) == ("gis", "a&b")


@pytest.mark.parametrize(
    "bad",
    [
        b'<!DOCTYPE a [<!ENTITY b "cc">]><event type="t-x-c-t">&b;</event>',
        b"<event><x></event>",
        b"a" * (limits.COT_BYTES + 1),
        b"\xbf\xff\xff\xff\xff\xff\xff",
        b"\xbf\xff\xff\xff\x7f",
    ],
    ids=["doctype", "not-xml", "too-long", "no-length", "too-long-by-its-own-word"],
)
def test_what_is_not_ours_ends_the_conversation(bad: bytes) -> None:
    with pytest.raises(InputError):
        tak.Conversation().hear(bad)
