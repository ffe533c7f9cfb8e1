"""The compiled reader of AIS gives what the one in numpy gives, for whatever comes, cut wherever."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from functools import reduce
from itertools import pairwise
from operator import xor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais.encode import encode_dict

from samsyn.base import limits
from samsyn.base.clock import parse_iso
from samsyn.formats import ais, ais_compiled
from samsyn.formats.ais import AisDecoder
from samsyn.formats.decoded import Decoded
from tests.compiled import built

NOW_US = parse_iso("2026-11-21T20:00:00Z")
RECORDINGS = (
    "dma_aisabnormal_ais-sample.txt.gz", "dma_212123000_drift_1.ais", "dma_aislib_stream_example.txt",
    "nmea-sample.txt.gz", "libais_test.aivdm", "gpsd_sample.aivdm", "gpsd_ais-nmea.log",
    "gfw_segment_224051350.msg.gz",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def module(tmp_path_factory):
    before = ais_compiled.built
    ais_compiled.built = built("formats/_ais", tmp_path_factory.mktemp("ais"))
    yield
    ais_compiled.built = before


def decoders(**options) -> tuple[AisDecoder, AisDecoder]:
    """One that reads in numpy, one compiled."""
    compiled, plain = AisDecoder(**options), AisDecoder(**options)
    plain._reader = ais.NumpyReader()
    assert isinstance(compiled._reader, ais_compiled.CompiledReader)
    return plain, compiled


def told(out: Decoded) -> tuple:
    columns = {name: plain(values) for name, values in out.columns.items()}
    return columns, out.rows, out.lines, out.messages, out.types, out.refused, out.problems


def plain(values) -> object:
    """What can be compared at once: NaN is NaN, what is masked holds nothing, and 1 is not True."""
    if isinstance(values, list):
        return values
    if isinstance(values, np.ma.MaskedArray):
        absent = np.ma.getmaskarray(values)
        return values.dtype, absent.tobytes(), np.where(absent, 0, values.data).tobytes()
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), np.nan, values).tobytes()
    return values.dtype.kind, values.tobytes()


def alike(pieces: list[bytes], **options) -> Decoded:
    """The same of each piece both ways; all counts together."""
    plain, compiled = decoders(**options)
    total = Decoded()
    for number, piece in enumerate(pieces):
        at_us = NOW_US + number * 3_000_000
        out = compiled.decode(piece, at_us)
        assert told(out) == told(plain.decode(piece, at_us)), piece[:2_000]
        total.rows += out.rows
        total.types += out.types
        total.refused += out.refused
    assert told(compiled.finish()) == told(plain.finish())
    return total


def in_pieces(data: bytes, size: int) -> list[bytes]:
    ends = [0]
    while ends[-1] < len(data):
        ends.append(data.rfind(b"\n", ends[-1], ends[-1] + size) + 1 or len(data))
        if ends[-1] == ends[-2]:
            ends[-1] = len(data)
    return [data[a:b] for a, b in pairwise(ends)]


def recording(data_dir, name: str) -> bytes:
    raw = (data_dir / "sea" / name).read_bytes()
    return gzip.decompress(raw) if name.endswith("gz") else raw


@pytest.mark.parametrize("name", RECORDINGS)
def test_whole_recordings(data_dir, name):
    data = recording(data_dir, name)
    assert alike(in_pieces(data, limits.FEED_READ_BYTES)).rows or name.startswith("gfw")  # no NMEA
    alike(in_pieces(data[:300_000], 6_000), live=True)
    alike(in_pieces(data[:50_000], 700), day_us=parse_iso("2013-11-12T00:00:00Z"))


def sentence(body: bytes) -> bytes:
    return b"!" + body + b"*%02X\n" % reduce(xor, body, 0)


def tag(body: bytes) -> bytes:
    return b"\\" + body + b"*%02X\\" % reduce(xor, body, 0)


LINES = (
    b"$PGHP,1,2013,11,12,12,0,0,11,219,,2190067,1,62*26\n",
    b"$PGHP,1,2012,2,29,23,59,60,999,219,,2190067,1,62*00\n",
    b"$GPGGA,1,2*41\n", b"!A*41\n", b"$*00\n", b"!*00\n", b"\n", b"\r\n", b"#!x\n", b"\\\n", b"\\\\\n",
    b"!\n",
    sentence(b"AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0"),
    tag(b"s:r,c:1384257600") + sentence(b"AIVDM,1,1,,B,13HOI:0P0000VOHLCnHQKwvL05Ip,0"),
    tag(b"c:1384257600123") + sentence(b"AIVDO,1,1,,,33HOI:0P0000VOHLCnHQKwvL05Ip,2"),
    tag(b"si:x") + b"!" + b"x" * 40 + sentence(b"AIVDM,1,1,,A,B3HOI:0P0000VOHLCnHQKwvL05Ip,0"),
    b"!AIVDM,1,1,,A,15B4FT5000JRP>PE6E68Nbkl0PS5,0*70,b003669794,1272412827\n",
    b"!AIVDM,2,1,3,A,56K8@vh2:w;D`OG??R0dTq9UF0l59F222222221@:HE694o`0@ORT80j0`<r3PDR,0*0D\n",
    b"!AIVDM,2,2,3,A,E0JH882,2*52\n",
    sentence(b"AIVDM,3,1,1,A,58155N02;kw", ), sentence(b"AIVDM,3,2,1,A,58155N02;kw,0"),
    sentence(b"AIVDM,9,9,1,A,58155N02;kw,0"), sentence(b"AIVDM,1,1,,A,H52N>V@T4pF0lDdT,0"),
    sentence(b"AIVDM,1,1,,A,H3mr@L4NC=D62?P<7nmpl00@8220,0"),
    sentence(b"AIVDM,1,1,,B,K815>P8=5EikdUet,0"), sentence(b"AIVDM,1,1,,B,t815>P8=5EikdUet,0"),
    sentence(b"AIVDM,1,1,,B,K~15>P8=5EikdUet,0"), sentence(b"AIVDM,1,1,,B,1815,5"),
    *(line.encode() + b"\n" for line in encode_dict(
        {"type": 14, "mmsi": 970219001, "text": "SART ACTIVE" + "A" * 150}, talker_id="AI")),
    *(line.encode() + b"\n" for line in encode_dict(
        {"type": 19, "mmsi": 219001000, "shipname": " A B ", "lat": -55.1, "lon": -12.0, "speed": 3.3})),
    *(line.encode() + b"\n" for line in encode_dict(
        {"type": 9, "mmsi": 111219001, "alt": 1000, "lat": 55.1, "lon": 12.0, "speed": 200})),
)  # fmt: skip


def damaged(rng: random.Random) -> bytes:
    """A line of the above, with something done to it: its sum made right again, or not."""
    line = bytearray(rng.choice(LINES))
    for _ in range(rng.choice((0, 0, 0, 1, 1, 3))):
        at = rng.randrange(len(line) - 1) if len(line) > 1 else 0
        what = rng.randrange(4)
        if what == 0:
            line[at] = rng.choice(b"0159,*\\!$#AVDMc:\r \x00\xff`w~")
        elif what == 1:
            del line[at]
            line = line or bytearray(b"\n")
        elif what == 2:
            line[at:at] = line[at : at + rng.randrange(1, 9)]
        else:
            line[at:at] = rng.choice(LINES)[:-1]
    if rng.random() < 0.3 and line[:1] == b"!" and b"*" in line:
        body = bytes(line[1:]).split(b"*")[0]
        line = bytearray(sentence(body))
    return bytes(line) if line.endswith(b"\n") else bytes(line) + b"\n"


def many(count: int, seed: int) -> Decoded:
    rng = random.Random(seed)
    total = Decoded()
    for _ in range(count):
        pieces = [b"".join(damaged(rng) for _ in range(rng.randrange(1, 60))) for _ in range(4)]
        out = alike(pieces, live=rng.random() < 0.5)
        total.refused += out.refused
        total.types += out.types
    return total


def test_thousands_of_damaged_lines():
    seen = many(150, seed=3)
    reasons = {reason for reason in ais_compiled._REASONS if reason != "line-too-long"}
    assert {reason: seen.refused[reason] > 10 for reason in reasons} == dict.fromkeys(reasons, True)
    assert len(seen.types) > 10


@pytest.mark.nightly
def test_a_million_damaged_lines():
    for seed in range(100):
        many(90, seed)


@given(data=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data):
    alike([data + b"\n", LINES[12] + data + b"\n" + LINES[12]])


@given(
    kind=st.integers(0, 63),
    bits=st.lists(st.integers(0, 63), max_size=80),
    fill=st.integers(0, 5),
    parts=st.integers(1, 3),
)
@settings(max_examples=300, deadline=None)
def test_any_payload_of_any_type(kind, bits, fill, parts):
    text = bytes(v + 48 if v < 40 else v + 56 for v in [kind, *bits])
    size = -(-len(text) // parts)
    cuts = [text[i : i + size] for i in range(0, len(text), size)]
    lines = [
        sentence(b"AIVDM,%d,%d,%s,A,%s,%d" % (len(cuts), i, b"5" if parts > 1 else b"", cut, fill))
        for i, cut in enumerate(cuts, 1)
    ]
    alike([b"".join(lines)])
    alike(lines)


def test_more_open_messages_than_are_kept():
    first = [
        sentence(b"AIVDM,2,1,%c,%c,55P5TL01VIaAL@7W,0" % (a, b))
        for a in b"0123456789"
        for b in b"AB12abcd"
    ]
    second = [
        sentence(b"AIVDM,2,2,%c,%c,55P5TL01VIaAL@7W,0" % (a, b)) for a in b"0123456789" for b in b"AB12"
    ]
    out = alike([b"".join(first), b"".join(second)])
    assert out.refused["fragment-missing"] == 16


def test_long_lines_and_payloads():
    for length in (167, 168, 169, 170, 171, 1_000, limits.LINE_BYTES - 20, limits.LINE_BYTES):
        alike([sentence(b"AIVDM,1,1,,A,>" + b"w" * length + b",0") + LINES[12]])
        alike([sentence(b"AIVDM,1,1,,A,>" + b"w" * length + b"~,0") + LINES[12]])
        alike([sentence(b"AIVDM,2,1,1,A,>" + b"w" * length + b",0"), sentence(b"AIVDM,2,2,1,A,w~,0")])


def test_what_was_built_from_other_sources_is_left(monkeypatch):
    monkeypatch.setattr(ais_compiled, "built", None)
    assert isinstance(AisDecoder()._reader, ais.NumpyReader)


def test_a_plan_that_points_outside_is_not_taken(monkeypatch):
    fields = ais_compiled._PLAN.fields.copy()
    fields[3, 2] = 5_000
    monkeypatch.setattr(ais_compiled, "_PLAN", ais_compiled._PLAN._replace(fields=fields))
    with pytest.raises(ValueError, match="a plan"):
        AisDecoder().decode(LINES[12], NOW_US)


def test_counts_of_one_stream_are_its_own():
    one, other = AisDecoder(), AisDecoder()
    one.decode(LINES[0] + LINES[17], NOW_US)
    assert other.decode(LINES[18], NOW_US).refused == Counter({"fragment-orphan": 1})
    assert one.decode(LINES[18], NOW_US).rows == 1
