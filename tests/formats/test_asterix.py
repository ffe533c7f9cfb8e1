"""ASTERIX: what records say, what is no observation, and captures of it."""

from __future__ import annotations

import math
import random
import struct
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import DAY_US, HOUR_US, parse_iso
from samsyn.base.geo import bearing_deg
from samsyn.formats.asterix import AsterixBlocks, Span, fill
from samsyn.formats.asterix_columns import HANDLED, HANDLED_PARTS, IGNORED
from samsyn.formats.asterix_items import (
    LEFT,
    PROFILES,
    Compound,
    Explicit,
    Extended,
    Fixed,
    Repeated,
    Shape,
    read_record,
)
from samsyn.formats.asterix_stream import AsterixStream
from samsyn.formats.codes import Emergency, TimeSource
from samsyn.formats.decoded import Decoded
from samsyn.formats.radar import METRES_PER_NM, Polar, Site, place
from samsyn.formats.states import AIR_DOMAIN
from samsyn.formats.unnamed import AIR_TRACK_DOMAIN

from .blocks import block, ethernet, ident, of_day, pcap, pcapng, record, signed, udp

DAY = parse_iso("2023-11-14T00:00:00Z")
NOON = DAY + 12 * HOUR_US
AT_S = NOON / 1e6
ICAO = bytes.fromhex("4ca123")
SOURCE = b"\x19\x0d"  # 25/13
TRACK = {
    "010": SOURCE, "070": of_day(12), "040": b"\0\7", "080": b"\0",
    "105": signed(55.5, 180 / (1 << 25), 4) + signed(12.5, 180 / (1 << 25), 4),
    "380.ADR": ICAO, "380.ID": ident("SAM123"),
}  # fmt: skip
TARGET = {
    "010": SOURCE, "140": of_day(12), "020": b"\xa0", "220": ICAO, "161": b"\0\7",
    "040": struct.pack(">HH", 60 * 256, 0x4000),
}  # fmt: skip
REPORT = {
    "010": SOURCE, "040": b"\0", "071": of_day(12), "080": ICAO,
    "130": signed(-55.5, 180 / (1 << 23), 3) + signed(-12.5, 180 / (1 << 23), 3),
}  # fmt: skip


def told(category: int, items: dict[str, bytes], **settings: object) -> tuple[dict, Counter]:
    """The one row of one record, and what was refused."""
    out = Decoded()
    blocks = AsterixBlocks(**settings)  # type: ignore[arg-type]  # a dict of sites, at most
    rows = blocks.read(block(category, record(category, items)), NOON, out)
    return (rows[0] if rows else {}), out.refused


def test_a_system_track():
    row, refused = told(62, {
        **TRACK, "185": struct.pack(">hh", 400, -400), "060": bytes([0o76 >> 2 & 0xF | 0, 0]),
        "136": signed(350 * 100, 25, 2), "220": signed(-640, 6.25, 2), "380.COM": b"\x24\0",
        "380.MHG": b"\x80\0",
    })  # fmt: skip
    assert not refused
    assert (row["lat"], row["lon"]) == (pytest.approx(55.5, abs=1e-5), pytest.approx(12.5, abs=1e-5))
    assert row["craft"] == AIR_DOMAIN + 0x4CA123
    assert (row["time_us"], row["callsign"], row["altitude_ft"]) == (NOON, "SAM123", 35_000)
    assert row["speed_kn"] == pytest.approx(100 * 2**0.5 * 3_600 / 1_852)
    assert (row["course_deg"], row["heading_deg"]) == (pytest.approx(135), 180)
    assert row["vertical_rate_fpm"] == pytest.approx(-640, abs=4)
    assert row["on_ground"] is True


def test_a_radar_target_stands_where_the_radar_sees_it():
    sites = {"25/13": (55.0, 12.0, 30.0)}
    items = {**TARGET, "070": b"\x0f\xc0", "090": signed(30_000, 25, 2),
             "200": struct.pack(">HH", 2_048, 0x8000), "230": b"\0\0", "240": ident("SAM9")}  # fmt: skip
    row, refused = told(48, items, sites=sites)
    assert not refused
    assert (row["squawk"], row["emergency"]) == (7700, Emergency.GENERAL)
    assert (row["altitude_ft"], row["speed_kn"], row["course_deg"]) == (30_000, 450.0, 180.0)
    assert row["on_ground"] is False
    # 60 NM away in a straight line, nearly 5 NM up, due east
    assert slant_m((55.0, 12.0, 30.0), (row["lat"], row["lon"], 30_000 * 0.3048)) == pytest.approx(
        60 * METRES_PER_NM, abs=5
    )
    assert 54.9 < row["lat"] < 55.0  # a way that begins due east bends to the equator
    assert row["lon"] > 13.6


def slant_m(*places: tuple[float, float, float]) -> float:
    """The straight line between two places of latitude, longitude and height."""
    flat = 1 / 298.257223563
    e2, axes = flat * (2 - flat), []
    for lat, lon, height_m in places:
        y, x = math.radians(lat), math.radians(lon)
        prime_m = 6_378_137 / math.sqrt(1 - e2 * math.sin(y) ** 2)
        out_m = (prime_m + height_m) * math.cos(y)
        up_m = (prime_m * (1 - e2) + height_m) * math.sin(y)
        axes.append((out_m * math.cos(x), out_m * math.sin(x), up_m))
    return math.dist(*axes)


def test_a_radar_whose_place_is_unknown_gives_rows_without_position():
    row, refused = told(48, TARGET)
    assert "lat" not in row
    assert row["craft"] == AIR_DOMAIN + 0x4CA123
    assert refused == {"no-site": 1}


def test_a_radar_tells_its_place_in_its_own_messages():
    here = signed(30, 1, 2) + b"".join(signed(d, 180 / (1 << 23), 3) for d in (55.0, 12.0))
    north = record(34, {"010": SOURCE, "000": b"\1", "030": of_day(12), "120": here})
    out = Decoded()
    blocks = AsterixBlocks()
    blocks.read(block(34, north), NOON, out)
    (row,) = blocks.read(block(48, record(48, TARGET)), NOON, out)
    expected = place(Site(55.0, 12.0, 30.0), Polar(60.0, 90.0, None))
    assert (row["lat"], row["lon"]) == pytest.approx(expected, abs=1e-4)
    assert out.types == {"CAT034": 1, "CAT048": 1}
    assert not out.refused


@given(
    lat=st.floats(-80, 80), lon=st.floats(-179, 179), azimuth=st.floats(0, 359.9),
    range_nm=st.floats(0, 250), altitude=st.none() | st.floats(0, 45_000),
)  # fmt: skip
@settings(max_examples=200)
def test_a_place_seen_by_radar_is_as_far_as_it_was_seen(lat, lon, azimuth, range_nm, altitude):
    found = place(Site(lat, lon, 100.0), Polar(range_nm, azimuth, altitude))
    height_m = 100.0 if altitude is None else altitude * 0.3048
    if range_nm * METRES_PER_NM > abs(height_m - 100):
        away_m = slant_m((lat, lon, 100.0), (*found, height_m))
        assert away_m == pytest.approx(range_nm * METRES_PER_NM, abs=60)
        if range_nm > 30:
            towards = (bearing_deg(lat, lon, *found) - azimuth + 180) % 360 - 180
            assert abs(towards) < 0.6  # the sphere's bearing is not quite the ellipsoid's


def test_an_ads_b_report():
    row, refused = told(21, {
        **REPORT, "145": signed(33_000, 25, 2), "155": struct.pack(">H", 0x7FFF & -100),
        "160": struct.pack(">HH", 2_048, 0x2000), "170": ident("SAM7"), "200": b"\x14",
        "210": b"\x10", "090": b"\x11\x70", "070": b"\x04\x70",
    })  # fmt: skip
    assert not refused
    assert (row["lat"], row["lon"]) == (pytest.approx(-55.5, abs=1e-4), pytest.approx(-12.5, abs=1e-4))
    assert (row["altitude_ft"], row["vertical_rate_fpm"]) == (33_000, -625)
    assert (row["speed_kn"], row["course_deg"]) == (450, 45)
    assert (row["nic"], row["sil"], row["nac_p"]) == (8, 3, 8)
    assert (row["squawk"], row["emergency"]) == (2160, Emergency.UNLAWFUL_INTERFERENCE)


@pytest.mark.parametrize(
    ("category", "change", "reason"),
    [
        (62, {"080": b"\x01\x80"}, "not-real"),
        (62, {"080": b"\x01\x01\x01\x80"}, "extrapolated"),
        (62, {"070": b"\xff\xff\xff"}, "no-time"),
        (62, {"070": None}, "no-time"),
        (62, {"380.ADR": None, "040": None}, "no-craft"),
        (62, {"380.ADR": b"\0\0\0", "040": None}, "no-craft"),
        (48, {"020": b"\xb0"}, "not-real"),
        (48, {"020": b"\xa2"}, "not-real"),
        (48, {"020": b"\xa1\x80"}, "not-real"),
        (48, {"220": None, "161": None}, "no-craft"),
        (48, {"220": None, "010": None}, "no-craft"),
        (21, {"080": None, "161": b"\0\7"}, "no-craft"),
        (21, {"040": b"\x60"}, "address-not-icao"),
        (21, {"040": b"\x01\x20"}, "not-real"),
        (21, {"040": b"\x01\x10"}, "not-real"),
        (21, {"040": b"\x02"}, "not-real"),
    ],
)
def test_what_is_no_observation(category, change, reason):
    plain = {62: TRACK, 48: TARGET, 21: REPORT}[category]
    items = {name: raw for name, raw in {**plain, **change}.items() if raw is not None}
    row, refused = told(category, items, sites={"25/13": (55.0, 12.0)})
    assert (row, refused) == ({}, {reason: 1})


@pytest.mark.parametrize(
    ("category", "change", "track"),
    [
        (48, {"220": None}, 7),
        (48, {"220": b"\0\0\0", "161": b"\xff\xff"}, 0xFFF),
        (62, {"380.ADR": None}, 7),
        (62, {"380.ADR": b"\xff\xff\xff", "040": b"\xff\xff"}, 0xFFFF),
    ],
)
def test_a_track_without_an_address_goes_by_its_number(category, change, track):
    plain = {62: TRACK, 48: TARGET}[category]
    items = {name: raw for name, raw in {**plain, **change}.items() if raw is not None}
    row, refused = told(category, items, sites={"25/13": (55.0, 12.0)})
    assert not refused
    assert row["craft"] == AIR_TRACK_DOMAIN + (0x190D0000 | track)


def test_a_field_that_cannot_be_is_told_and_the_rest_of_its_row_kept():
    wrong = signed(91.0, 180 / (1 << 25), 4) + signed(12.5, 180 / (1 << 25), 4)
    row, refused = told(62, {**TRACK, "105": wrong, "380.ID": b"\xff" * 6, "380.SAB": b"\0\7"})
    assert row["craft"]
    assert not {"lat", "callsign", "emergency"} & row.keys()
    assert refused == {"wrong-value": 3}


@pytest.mark.parametrize("raw", [b"\x80\0", b"\x40\0"])
def test_replies_not_validated_or_garbled_say_nothing(raw):
    row, _ = told(48, {**TARGET, "070": raw, "090": raw})
    assert not {"squawk", "emergency", "altitude_ft"} & row.keys()


def test_a_military_emergency():
    row, _ = told(62, {**TRACK, "080": b"\x01\x01\x10"})
    assert row["emergency"] == Emergency.GENERAL


@pytest.mark.parametrize(
    ("near", "hours", "expected"),
    [
        ("2023-11-14T23:59:59Z", 0.001, "2023-11-15T00:00:03.593750Z"),
        ("2023-11-15T00:00:01Z", 23.999, "2023-11-14T23:59:56.398437Z"),
        ("2023-11-14T12:00:00Z", 12, "2023-11-14T12:00:00Z"),
    ],
)
def test_the_day_is_the_one_that_is_nearest(near, hours, expected):
    out = Decoded()
    data = block(62, record(62, {**TRACK, "070": of_day(hours)}))
    (row,) = AsterixBlocks().read(data, parse_iso(near), out)
    assert abs(row["time_us"] - parse_iso(expected)) < 9_000


def test_every_item_is_read_or_left_by_name():
    for category, profile in PROFILES.items():
        names = {item[0] for item in profile if item}
        assert HANDLED[category] | IGNORED[category] == names
        assert not HANDLED[category] & IGNORED[category]
    parts = next(i[1] for i in PROFILES[62] if i and i[0] == "380")
    assert isinstance(parts, Compound)
    assert {p[0] for p in parts.parts if p} >= HANDLED_PARTS
    assert not set(PROFILES) & set(LEFT)


def contents(shape: Shape, rng: random.Random, name: str) -> dict[str, bytes]:
    """A random content for an item."""
    if isinstance(shape, Fixed):
        return {name: rng.randbytes(shape.size)}
    if isinstance(shape, Explicit):
        size = rng.randint(1, 5)
        return {name: bytes([size]) + rng.randbytes(size - 1)}
    if isinstance(shape, Repeated):
        count = rng.randint(0, 3)
        return {name: bytes([count]) + rng.randbytes(count * shape.size)}
    if isinstance(shape, Extended):
        parts = [rng.randbytes(shape.size) for _ in range(rng.randint(1, 3))]
        last = len(parts) - 1
        return {name: b"".join(p[:-1] + bytes([p[-1] & 0xFE | (i < last)]) for i, p in enumerate(parts))}
    made: dict[str, bytes] = {}
    parts = [p for p in shape.parts if p]
    for part in rng.sample(parts, rng.randint(1, min(3, len(parts)))):
        made |= contents(part[1], rng, f"{name}.{part[0]}")
    return made


def random_items(category: int, rng: random.Random, most: int) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    there = [item for item in PROFILES[category] if item]
    for name, shape in rng.sample(there, rng.randint(1, min(most, len(there)))):
        made |= contents(shape, rng, name)
    return made


@pytest.mark.parametrize("category", sorted(PROFILES))
def test_whatever_items_there_are_each_is_found(category):
    rng = random.Random(category)
    for _ in range(200):
        items = random_items(category, rng, 99)
        data = record(category, items)
        found, end = read_record(PROFILES[category], data + b"\xff", 0)
        assert end == len(data)
        assert {n: raw for n, raw in found.items() if n in items} == items


def capture() -> list[tuple[float, bytes]]:
    blocks = [block(62, record(62, {**TRACK, "070": of_day(12 + i / 900)})) for i in range(20)]
    return [(AT_S + 4 * i, ethernet(udp(b))) for i, b in enumerate(blocks)]


def decoded(data: bytes, edges: list[int] | None = None, **kwargs: object) -> tuple[list, Counter]:
    stream = AsterixStream(AsterixBlocks(), **kwargs)  # type: ignore[arg-type]
    rows, refused = [], Counter()
    cuts = edges or [0, len(data)]
    outs = [stream.decode(data[a:b], NOON) for a, b in pairwise(cuts)]
    for out in [*outs, stream.finish()]:
        refused += out.refused
        if out.rows:
            rows += zip(*(out.columns[n] for n in ("time_us", "lat", "time_source")), strict=True)
    return rows, refused


@pytest.mark.parametrize("written", [
    pcap(capture()), pcap(capture(), order=">"), pcapng(capture()), pcapng(capture(), order=">"),
    pcap([(t, p[:12] + b"\x81\0\0\7\x88\xa8\0\7" + p[12:]) for t, p in capture()]),
    pcap([(t, p[14:]) for t, p in capture()], link=101),
    pcap([(t, b"\2\0\0\0" + p[14:]) for t, p in capture()], link=0),
    pcap([(t, bytes(14) + p[12:]) for t, p in capture()], link=113),
    pcap([(t, p[12:14] + bytes(18) + p[14:]) for t, p in capture()], link=276),
    pcap([(t, ethernet(udp(p[42:], version=6))) for t, p in capture()]),
    pcap([(t, p + b"padding") for t, p in capture()]),
])  # fmt: skip
def test_captures_in_every_wrapping(written):
    rows, refused = decoded(written)
    assert not refused
    assert [t for t, *_ in rows] == [NOON + i * 4_000_000 for i in range(20)]
    assert {s for *_, s in rows} == {TimeSource.RECORDED}


@given(cuts=st.lists(st.integers(0, 3_000), max_size=10), ng=st.booleans())
@settings(max_examples=60, deadline=None)
def test_it_does_not_matter_where_a_capture_is_cut(cuts, ng):
    data = (pcapng if ng else pcap)(capture())
    edges = sorted({0, len(data), *(min(c, len(data)) for c in cuts)})
    assert decoded(data, edges) == decoded(data)


def test_packets_that_hold_no_whole_datagram_are_counted():
    data = capture()[0][1][42:]
    packets = [udp(data, fragment=0x2000), udp(data, fragment=5), udp(data, protocol=6), udp(data)[:-3]]
    whole = [(AT_S, ethernet(p)) for p in packets] + [(AT_S, bytes(20)), *capture()]
    rows, refused = decoded(pcap(whole))
    assert len(rows) == 20
    assert refused == {"fragment-ip": 2, "not-udp": 2, "too-short": 1}


def test_a_damaged_capture_is_found_again():
    data, rng = pcap(capture()), random.Random(2)
    for _ in range(200):
        damaged = bytearray(data)
        at = rng.randrange(24, len(data))
        damaged[at] ^= 1 << rng.randrange(8)
        rows, refused = decoded(bytes(damaged))
        assert len(rows) >= 18
        cut, refused = decoded(data[:at])
        assert len(cut) == (at - 24) // ((len(data) - 24) // 20)
        assert sum(refused.values()) == ((at - 24) % ((len(data) - 24) // 20) > 0)


def test_plain_blocks_have_the_day_of_the_settings_and_go_past_midnight():
    hours = (23.99, 23.999, 0.001, 0.01)
    data = b"".join(block(62, record(62, {**TRACK, "070": of_day(h)})) for h in hours)
    rows, refused = decoded(data, day_us=DAY)
    days = [(t - DAY) // DAY_US for t, *_ in rows]
    assert (days, refused) == ([0, 0, 1, 1], Counter())
    assert {s for *_, s in rows} == {TimeSource.GIVEN_DATE}
    assert {s for *_, s in decoded(data)[0]} == {TimeSource.RECEIVED}
    assert {s for *_, s in decoded(data, live=True)[0]} == {TimeSource.RECORDED}


@given(cuts=st.lists(st.integers(0, 400), max_size=10), noise=st.binary(max_size=30))
@settings(max_examples=100, deadline=None)
def test_plain_blocks_behind_noise_are_found_again(cuts, noise):
    one = block(62, record(62, TRACK))
    data = one * 3 + b"\xff\0" + noise + one * 4
    edges = sorted({0, len(data), *(min(c, len(data)) for c in cuts)})
    rows, _ = decoded(data, edges)
    assert len(rows) >= 4
    assert decoded(data) == decoded(data, edges)


def test_other_categories_are_counted_by_name_or_refused():
    out = Decoded()
    blocks = AsterixBlocks()
    for data in (
        block(65, record(65, {"010": SOURCE, "000": b"\1"})),
        block(23, b"??"),
        block(200, b"?"),
    ):
        blocks.read(data, NOON, out)
    assert out.types == {"CAT065": 1, "CAT023 blocks": 1}
    assert out.refused == {"unknown-type": 1}


def test_a_bad_record_costs_the_rest_of_its_block_and_no_other():
    good = record(62, TRACK)
    out = Decoded()
    data = block(62, good, b"\x40", good) + block(62, good) + block(62, good, good[:-2]) + b"\x3e\0\2"
    rows = AsterixBlocks().read(data, NOON, out, offset=100)
    assert len(rows) == 3
    assert out.refused == {"malformed": 1, "too-short": 2}
    assert out.problems[0].offset == 103 + len(good)


@given(data=st.binary(max_size=200), category=st.sampled_from([21, 34, 48, 62, 63, 65, 99]))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_it_fall_over(data, category):
    out = Decoded()
    blocks = AsterixBlocks({"25/13": (55.0, 12.0)})
    given = block(category, data) + block(62, record(62, TRACK))
    rows = blocks.rows_of(len(given))
    blocks.take(rows, given, [Span(0, len(given), NOON, 0)], out)
    fill(rows, TimeSource.RECORDED, out)
    assert rows.last_us() == NOON
    for wrapped in (data, b"\xd4\xc3\xb2\xa1" + data, b"\x0a\x0d\x0d\x0a" + data):
        decoded(wrapped)


@pytest.mark.parametrize(
    ("name", "packets", "types", "refused", "rows"),
    [
        ("cat_034_048", 100, {"CAT048": 128, "CAT034": 34}, {"no-site": 108}, 128),
        ("cat_062_065", 1, {"CAT062": 2, "CAT065": 1}, {}, 2),
        # CAT062 before edition 1.0: another profile, and every time of day that is found is impossible
        ("asterix", 100, {"CAT062": 82}, {"no-time": 82, "too-short": 36, "malformed": 36}, 0),
    ],
)
def test_recorded_captures(data_dir, name, packets, types, refused, rows):
    stream = AsterixStream(AsterixBlocks())
    path = data_dir / "air" / f"croatia_{name}.pcap"
    out = stream.decode(path.read_bytes(), 0)
    assert (out.lines, out.types, out.rows) == (packets, types, rows)
    assert (out.refused, stream.finish().refused) == (refused, {})
    pyasteryx = pytest.importorskip("pyasteryx")
    theirs = Counter(m.category for m in pyasteryx.Decoder(on_error="skip").decode_pcap(path))
    assert theirs == {int(k[3:]): n for k, n in types.items() if k[3:] in ("021", "048", "062")}
