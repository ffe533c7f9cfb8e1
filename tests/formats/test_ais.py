"""AIS sentences to columns: every value equal to what pyais decodes, every refusal with its line."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from functools import reduce
from itertools import pairwise
from operator import xor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais import IterMessages
from pyais.encode import encode_dict

from samsyn.base.clock import parse_iso
from samsyn.formats import ais, ais_compiled
from samsyn.formats.ais import AisDecoder
from samsyn.formats.ais_layouts import COMMON, LAYOUTS, fields_of
from samsyn.formats.codes import Emergency, TimeSource
from samsyn.formats.decoded import Decoded, Problem
from tests.compiled import built

NOW_US = parse_iso("2026-11-21T20:00:00Z")
GOOD = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n"
COMPARED_LINES = 20_000


@pytest.fixture(scope="module", autouse=True, params=["numpy", "compiled"])
def reader(request, tmp_path_factory):
    """All of this holds for the reader in numpy and for the compiled one."""
    before = ais_compiled.built
    numpy = request.param == "numpy"
    ais_compiled.built = None if numpy else built("formats/_ais", tmp_path_factory.mktemp("ais"))
    yield
    ais_compiled.built = before


def decode(data: bytes, **options) -> Decoded:
    return AisDecoder(**options).decode(data, NOW_US)


def sentence(body: bytes) -> bytes:
    return b"!" + body + b"*%02X\n" % reduce(xor, body, 0)


def encoded(**fields) -> bytes:
    return "".join(line + "\n" for line in encode_dict(fields, talker_id="AI")).encode()


def plain(value: object) -> object:
    """As a test compares it: NaN and masked are None, floats rounded to the column's precision."""
    if value is None or value is np.ma.masked or (isinstance(value, float) and np.isnan(value)):
        return None
    return round(float(value), 6) if isinstance(value, float | np.floating) else value


def by_pyais(message) -> dict[str, object]:
    """What one message says, by pyais alone, with "not available" left out as the standard has it."""
    said = message.asdict(enum_as_int=True)
    kind = said["msg_type"]
    absent = {"lat": 91.0, "lon": 181.0, "heading": 511, "status": 15}
    absent["speed"] = {9: 1023, 27: 63}.get(kind, 102.3)
    row: dict[str, object] = {"mmsi": said["mmsi"], "message_type": kind}
    for field, column in (
        ("lat", "lat"),
        ("lon", "lon"),
        ("speed", "speed_kn"),
        ("course", "course_deg"),
        ("heading", "heading_deg"),
        ("status", "nav_status"),
        ("ship_type", "ship_type"),
        ("accuracy", "position_accurate"),
        ("raim", "raim"),
        ("shipname", "name"),
        ("name", "name"),
        ("callsign", "callsign"),
        ("text", "text"),
    ):
        value = said.get(field)
        if kind == 17 and value is not None:  # pyais leaves these in minutes
            value /= 60
        if (
            value is None
            or value == absent.get(field)
            or (field in ("course", "heading") and value >= 360)
        ):
            continue
        row[column] = value.split("@")[0].strip() or None if isinstance(value, str) else value
    if kind == 9 and said["alt"] < 4095:
        row["altitude_ft"] = said["alt"] / 0.3048
    return {name: plain(value) for name, value in row.items() if value is not None}


def by_us(out: Decoded) -> list[dict[str, object]]:
    named = {n: v for n, v in out.columns.items() if n not in ("time_us", "time_source", "emergency")}
    named["mmsi"] = named.pop("craft") - ais.SEA_DOMAIN
    rows = [dict(zip(named, values, strict=True)) for values in zip(*named.values(), strict=True)]
    return [{n: plain(v) for n, v in row.items() if plain(v) is not None} for row in rows]


def all_by_pyais(data: bytes) -> list[dict[str, object]]:
    wanted = {kind for kind in LAYOUTS if isinstance(kind, int)} | {24}
    rows = []
    # what a receiver wrote behind the checksum makes pyais misread the fill bits
    plain_lines = re.sub(rb"(\*[0-9A-Fa-f]{2}),[^\n]*", rb"\1", data).splitlines()
    for found in IterMessages(plain_lines):
        if found.ais_id in wanted:
            try:
                message = found.decode()
                row = by_pyais(message)
                if "ship_type" in row:  # pyais folds reserved numbers into others; we keep them
                    row["ship_type"] = found.bv.get(fields_of(type(message))["ship_type"].offset, 8)
                if "text" in row:  # pyais makes a character of bits that are too few for one
                    begins = fields_of(type(message))["text"].offset
                    whole = (len(found.payload) * 6 - found.fill_bits - begins) // 6
                    row["text"] = str(row["text"])[:whole]
                rows.append({n: v for n, v in row.items() if (n, v) != ("ship_type", 0)})
            except Exception:  # noqa: BLE001 - whatever pyais cannot decode we need not either
                continue
    return rows


@pytest.mark.parametrize(
    ("name", "messages", "vessels"),
    [
        ("dma_aisabnormal_ais-sample.txt.gz", 26_077, 1_438),
        ("dma_212123000_drift_1.ais", 3_130, 1),
        ("dma_aislib_stream_example.txt", 4_051, 1_390),
        ("nmea-sample.txt.gz", 82_748, 10_286),
    ],
)
def test_the_recordings_decode_exactly_as_pyais_does(data_dir, name, messages, vessels):
    path = data_dir / "sea" / name
    data = gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
    out = decode(data)
    assert out.messages == messages
    moving = np.isin(out.columns["message_type"], (1, 2, 3, 18, 19)) & ~np.isnan(out.columns["lat"])
    assert len(np.unique(out.columns["craft"][moving])) == vessels
    some = b"".join(data.splitlines(keepends=True)[:COMPARED_LINES])
    ours, theirs = by_us(decode(some)), all_by_pyais(some)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert our == their


def test_every_message_type_decodes_as_pyais_does(data_dir):
    lines = (data_dir / "sea" / "libais_test.aivdm").read_bytes().splitlines(keepends=True)
    sentences = [line for line in lines if line.startswith(b"!AIVDM,1,1")]
    compared = 0
    for line in sentences:
        out, theirs = decode(line), all_by_pyais(line)
        if out.rows and theirs:
            assert by_us(out) == theirs, line
            compared += 1
    assert compared > 40


def test_every_field_of_pyais_is_handled_or_ignored_by_name():
    for kind, layout in LAYOUTS.items():
        known = set(fields_of(layout.pyais_class))
        said = {*layout.numbers, *layout.texts, *layout.ignored}
        assert known - COMMON == said, kind
        assert not set(layout.numbers) & layout.ignored


def test_times_of_the_danish_recording(data_dir):
    out = decode(gzip.decompress((data_dir / "sea" / "dma_aisabnormal_ais-sample.txt.gz").read_bytes()))
    assert out.columns["time_us"].min() == parse_iso("2013-11-12T12:00:00.011Z")
    assert (
        parse_iso("2013-11-12T12:04:59Z")
        <= out.columns["time_us"].max()
        < parse_iso("2013-11-12T12:05:00Z")
    )
    assert set(out.columns["time_source"].tolist()) == {TimeSource.PGHP}
    assert not out.refused


@given(cuts=st.lists(st.integers(1, 400), max_size=12))
@settings(max_examples=30, deadline=None)
def test_it_does_not_matter_where_the_input_is_cut(cuts):
    lines = (
        b"$PGHP,1,2013,11,12,12,0,0,11,219,,2190067,1,62*26\n"
        + GOOD
        + b"!AIVDM,2,1,3,A,56K8@vh2:w;D`OG??R0dTq9UF0l59F222222221@:HE694o`0@ORT80j0`<r3PDR,0*0D\n"
        + GOOD
        + b"!AIVDM,2,2,3,A,E0JH882,2*52\n"
        + GOOD.replace(b"*23", b"*24")
    )
    ends = [i + 1 for i, c in enumerate(lines) if c == 10]
    edges = sorted({0, len(lines), *(max((e for e in ends if e <= c), default=0) for c in cuts)})
    decoder, rows, refused = AisDecoder(), [], Counter()
    for a, b in pairwise(edges):
        out = decoder.decode(lines[a:b], NOW_US)
        rows += by_us(out) if out.rows else []
        refused += out.refused
    assert rows == by_us(decode(lines))
    assert refused == {"checksum": 1}


def test_a_wrong_checksum_is_refused_with_its_line_and_the_rest_is_kept():
    out = decode(GOOD + GOOD.replace(b"*23", b"*32") + GOOD)
    assert (out.rows, out.lines) == (2, 3)
    assert out.refused == {"checksum": 1}
    assert next(p for p in out.problems if p.reason == "checksum").line == 2


def test_binary_noise_between_good_lines():
    noise = bytes(i for i in range(256) if i != ord("\n")) * 20
    out = decode(noise + b"\n" + GOOD + noise + b"\n\x00\xff" + GOOD + noise[:200] + b"\n")
    assert out.rows == 2  # the second good one stands behind noise in its line
    assert out.refused["line-too-long"] == 2
    assert sum(out.refused.values()) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (sentence(b"AIVDM,1,1,,A,,0"), "malformed"),
        (sentence(b"AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,7"), "malformed"),
        (sentence(b"AIVDM,1,2,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0"), "malformed"),
        (sentence(b"AIVDM,1,1,,A,13HOI:0P"), "malformed"),
        (b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0\n", "malformed"),
        (sentence(b"AIVDM,1,1,,A,13HO~:0P0000VOHLCnHQKwvL05Ip,0"), "payload"),
        (sentence(b"AIVDM,1,1,,A,13HOI:0P0000,0"), "too-short"),
        (sentence(b"AIVDM,1,1,,A,1,0"), "too-short"),
        (sentence(b"AIVDM,1,1,,A,t3HOI:0P0000VOHLCnHQKwvL05Ip,0"), "unknown-type"),
        (sentence(b"AIVDM,2,2,3,A,E0JH882,2"), "fragment-orphan"),
        (b"MSG,3,111,11111,4CA123\n", "not-nmea"),
    ],
)
def test_what_is_refused_and_why(line, reason):
    out = decode(GOOD + line + GOOD)
    assert out.refused == {reason: 1}
    assert [p.line for p in out.problems if p.reason == reason] == [2]
    assert out.rows == 2


def test_a_message_whose_second_part_never_comes():
    decoder = AisDecoder()
    first = b"!AIVDM,2,1,3,A,56K8@vh2:w;D`OG??R0dTq9UF0l59F222222221@:HE694o`0@ORT80j0`<r3PDR,0*0D\n"
    decoder.decode(GOOD + first, NOW_US)
    assert decoder.finish().problems == [Problem("fragment-missing", line=2)]


def test_tag_blocks_give_the_time_if_their_checksum_fits():
    body = b"s:2190067,c:1384257600"
    tag = b"\\" + body + b"*%02X" % reduce(xor, body, 0) + b"\\"
    out = decode(tag + GOOD)
    assert out.columns["time_us"].tolist() == [1_384_257_600_000_000]
    assert out.columns["time_source"].tolist() == [TimeSource.TAG_BLOCK]
    wrong = decode(tag.replace(b"2190067", b"2190068") + GOOD)
    assert wrong.refused == {"tag-block": 1}
    assert wrong.columns["time_us"].tolist() == [NOW_US]


def test_lines_without_time_take_the_given_day_or_the_time_of_reading_and_say_so():
    out = decode(GOOD)
    assert out.columns["time_source"].tolist() == [TimeSource.RECEIVED]
    assert [p.reason for p in out.problems] == ["time-unknown"]
    day_us = parse_iso("2013-11-12T00:00:00Z")
    dated = decode(GOOD, day_us=day_us)
    assert dated.columns["time_source"].tolist() == [TimeSource.GIVEN_DATE]
    assert 0 <= dated.columns["time_us"][0] - day_us < 60_000_000


def test_a_live_stream_does_not_lend_an_old_time():
    body = b"c:1384257600"
    tag = b"\\" + body + b"*%02X" % reduce(xor, body, 0) + b"\\"
    for live, later in ((True, TimeSource.RECEIVED), (False, TimeSource.TAG_BLOCK)):
        decoder = AisDecoder(live=live)
        sources = [
            decoder.decode(data, NOW_US + at_s * 1_000_000).columns["time_source"].tolist()
            for at_s, data in ((0, tag + GOOD + GOOD), (3, GOOD), (9, GOOD))
        ]
        assert sources == [[TimeSource.TAG_BLOCK] * 2, [TimeSource.TAG_BLOCK], [later]]


def test_the_time_a_receiver_wrote_behind_the_sentence():
    out = decode(b"!AIVDM,1,1,,A,15B4FT5000JRP>PE6E68Nbkl0PS5,0*70,b003669794,1272412827\n")
    assert out.columns["time_us"].tolist() == [1_272_412_827_000_000]
    assert out.columns["time_source"].tolist() == [TimeSource.RECORDED]


@pytest.mark.parametrize(
    ("mmsi", "expected"),
    [
        (970_219_001, Emergency.AIS_SART),
        (972_219_001, Emergency.AIS_MOB),
        (974_219_001, Emergency.AIS_EPIRB),
    ],
)
def test_distress_devices(mmsi, expected):
    active = decode(encoded(type=1, mmsi=mmsi, lat=55.0, lon=12.0, status=14))
    assert active.columns["emergency"].tolist() == [expected]
    tested = decode(encoded(type=1, mmsi=mmsi, lat=55.0, lon=12.0, status=15))
    assert tested.columns["emergency"].tolist() == [Emergency.NONE]


@pytest.mark.parametrize(
    ("text", "expected"), [("SART ACTIVE", Emergency.AIS_SART), ("SART TEST", Emergency.NONE)]
)
def test_a_devices_own_text_says_whether_it_is_in_use(text, expected):
    out = decode(
        encoded(type=14, mmsi=970_219_001, text=text) + encoded(type=14, mmsi=219000123, text="X")
    )
    assert out.columns["emergency"].tolist() == [expected, None]
    assert out.columns["text"] == [text, "X"]


def test_a_text_as_long_as_may_be():
    text = "A" * 150 + "ACTIVE"
    data = encoded(type=14, mmsi=219000123, text=text) + encoded(type=12, mmsi=1, dest_mmsi=2, text=text)
    assert decode(data).columns["text"] == [text, text]


def test_the_place_of_a_reference_station_and_of_a_clock():
    data = encoded(type=17, mmsi=2190047, lon=12 * 60 + 30, lat=55 * 60 + 30)
    data += encoded(type=11, mmsi=219000123, lon=12.5, lat=55.5, year=2013)
    out = decode(data)
    assert out.columns["lat"].tolist() == pytest.approx([55.5, 55.5])
    assert out.columns["lon"].tolist() == pytest.approx([12.5, 12.5])


def test_latitude_91_and_mmsi_0():
    out = decode(encoded(type=1, mmsi=0, lat=91.0, lon=181.0, speed=102.3, course=360.0, heading=511))
    assert out.columns["craft"].tolist() == [ais.SEA_DOMAIN]
    assert all(np.isnan(out.columns[name][0]) for name in ("lat", "lon", "speed_kn", "course_deg"))


@given(data=st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_it_fall_over(data):
    out = decode(data + b"\n" + GOOD)
    assert out.rows >= 1
    assert out.lines == data.count(b"\n") + 2


@given(
    payload=st.text(
        st.sampled_from("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw~"), max_size=75
    )
)
@settings(max_examples=150, deadline=None)
def test_no_payload_makes_it_fall_over(payload):
    out = decode(sentence(b"AIVDM,1,1,,A," + payload.encode() + b",0"))
    assert out.rows + sum(out.refused.values()) + out.messages >= 1
