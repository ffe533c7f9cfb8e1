"""Cursor on Target: whose positions are read, what is left, and what is refused."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.clock import parse_iso
from samsyn.formats.ais import SEA_DOMAIN
from samsyn.formats.cot import HANDLED, IGNORED, CotDecoder
from samsyn.formats.states import AIR_DOMAIN
from samsyn.formats.unnamed import AIR_TRACK_DOMAIN, SEA_TRACK_DOMAIN, unit_number

AT = "2023-11-14T22:13:20.5Z"


def message(
    uid: str = "MMSI-219000123", kind: str = "a-f-S-X-M", more: str = "", inside: str = "",
    place: str = 'lat="55.5" lon="12.75" hae="0" ce="10" le="10"', at: str = AT,
) -> bytes:  # fmt: skip
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" time="{at}" start="{at}" stale="{at}" '
        f'how="m-g" {more}><point {place}/><detail><contact callsign="SAMPLE"/>'
        f'<track speed="10" course="90"/>{inside}</detail></event>'
    ).encode()


def decoded(data: bytes, edges: list[int] | None = None) -> tuple[list[tuple], Counter]:
    decoder = CotDecoder()
    outs = [decoder.decode(data[a:b], 0) for a, b in pairwise(edges or [0, len(data)])]
    outs.append(decoder.finish())
    rows = [
        row for o in outs if o.rows
        for row in zip(*(o.columns[n] for n in ("craft", "time_us", "lat", "lon")), strict=True)
    ]  # fmt: skip
    return rows, sum((o.refused for o in outs), Counter())


@pytest.mark.parametrize(
    ("uid", "craft"),
    [
        ("MMSI-219000123", SEA_DOMAIN + 219000123),
        ("ais.219000123", SEA_DOMAIN + 219000123),
        ("ICAO-4CA123", AIR_DOMAIN + 0x4CA123),
        ("ADSB.4ca123", AIR_DOMAIN + 0x4CA123),
        ("PATROL-7", SEA_TRACK_DOMAIN + unit_number("PATROL-7")),
        ("MMSI-21900012", SEA_TRACK_DOMAIN + unit_number("MMSI-21900012")),
    ],
)
def test_whose_position_it_is(uid, craft):
    out = CotDecoder().decode(message(uid), 0)
    told = {n: v[0] for n, v in out.columns.items()}
    assert (told["craft"], told["time_us"]) == (craft, parse_iso(AT))
    assert (told["lat"], told["lon"], told["course_deg"]) == (55.5, 12.75, 90)
    assert told["speed_kn"] == pytest.approx(19.438, abs=0.001)
    assert told["callsign"] == "SAMPLE"
    assert (out.refused, out.unhandled) == (Counter(), Counter())


def test_a_unit_in_the_air_that_nobody_names_is_a_track():
    out = CotDecoder().decode(message("RADAR-12", kind="a-u-A") + message("RADAR-12", kind="a-u-A-M"), 0)
    assert out.columns["craft"].tolist() == [AIR_TRACK_DOMAIN + unit_number("RADAR-12")] * 2
    assert out.columns["altitude_ft"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (message("ANDROID-1", kind="a-f-G-U-C"), "no-craft"),
        (message("ANDROID-1", kind="a-f"), "no-craft"),
        (message(" "), "no-craft"),
        (message(at="yesterday"), "no-time"),
        (message(at="1970-01-01T00:00:00Z"), "no-time"),
        (message(kind="a-k-S"), "not-real"),
        (message(kind="a-j-A"), "not-real"),
        (message(more='opex="e-SAMPLE"'), "not-real"),
        (message(more='opex="s"'), "not-real"),
        (message()[:-20] + b"</event>", "malformed"),
        (b"nonsense </event>", "malformed"),
        (message()[:90], "too-short"),
        (message(inside="x" * limits.COT_BYTES), "document-too-large"),
        (b'<event uid="MMSI-219000123"><!DOCTYPE a></event>', "malformed"),
    ],
)
def test_what_is_refused(said, reason):
    rows, refused = decoded(message() + said + (b"" if reason == "too-short" else message()))
    assert refused == {reason: 1}
    assert len(rows) == (1 if reason == "too-short" else 2)


def test_other_messages_are_counted_and_left():
    out = CotDecoder().decode(message(kind="b-t-f") + message(kind="u-d-f") + message(), 0)
    assert out.types == {"b-t-f": 1, "u-d-f": 1, "a-f-S": 1}
    assert (out.rows, out.refused) == (1, Counter())


def test_no_position_is_none():
    unknown = 'lat="0.0" lon="0.0" hae="9999999.0" ce="9999999.0" le="9999999.0"'
    out = CotDecoder().decode(message("ICAO-4ca123", place=unknown), 0)
    assert np.isnan([out.columns[n][0] for n in ("lat", "lon", "altitude_ft")]).all()
    out = CotDecoder().decode(message(place='lat="north" lon="12.75"'), 0)
    assert out.refused == {"wrong-value": 1}


def test_what_nobody_knows_is_counted_and_what_is_left_is_left_whole():
    inside = '<surprise colour="red"/><remarks source="x">Hello <b at="1"/></remarks>'
    out = CotDecoder().decode(message(inside=inside, more='access="Undefined" mood="good"'), 0)
    assert out.unhandled == {"surprise.colour": 1, "event.mood": 1}
    assert not HANDLED & IGNORED


def test_entities_are_refused_before_they_grow():
    bomb = b'<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    inside = message(inside="<remarks>&b;</remarks>")
    rows, refused = decoded(bomb + inside + message())
    assert len(rows) == 1
    assert refused == {"malformed": 2}  # what stands before the message, and an entity of nobody's
    rows, refused = decoded(b'<event x="' + b'"><!DOCTYPE b SYSTEM "file:///etc/passwd">' + inside)
    assert not rows
    assert refused


@given(cuts=st.lists(st.integers(0, 2_000), max_size=10))
@settings(max_examples=50, deadline=None)
def test_it_does_not_matter_where_the_stream_is_cut(cuts):
    said = [message(place=f'lat="{55 + i / 10}" lon="12"') for i in range(6)]
    data = b'<?xml version="1.0"?>\n<events>' + b"\n".join(said) + b"</events>"
    edges = sorted({0, len(data), *(min(c, len(data)) for c in cuts)})
    assert decoded(data, edges) == decoded(data)
    assert len(decoded(data)[0]) == 6


def test_a_flipped_byte_costs_at_most_the_two_messages_that_it_joins():
    data, rng = b"\n".join(message(place=f'lat="{55 + i}" lon="12"') for i in range(5)), random.Random(3)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        rows, refused = decoded(bytes(damaged))
        assert len(rows) >= 3
        assert len(rows) >= 4 or refused


@given(data=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_make_it_fall_over(data):
    rows, _ = decoded(b"<event " + data + b"</event>" + message())
    assert rows


def test_memory_of_a_stream_without_an_end_is_bounded():
    decoder, outs = CotDecoder(), []
    for _ in range(100):
        outs.append(decoder.decode(b"<event " + b"x" * 100_000, 0))
        assert len(decoder._held) <= limits.COT_BYTES
    assert sum(o.refused["document-too-large"] for o in outs) == 100
    assert decoder.decode(b"</event>" + message(), 0).rows == 1


def test_a_symbol_tells_the_type_of_a_ship_and_nothing_of_her_side() -> None:
    data = b"".join(
        [
            message(kind="a-h-S-X-F"),
            message(kind="a-f-S", inside='<__milsym id="10063000001401010000"/>'),
            message(kind="a-f-S"),
            message(uid="ICAO-4CA123", kind="a-f-A-C-F"),
        ]
    )
    types = CotDecoder().decode(data, 0).columns["ship_type"]
    assert types.tolist() == [30, 70, None, None]
