"""Mode S frames: what they say, who may say it, and where the aircraft is."""

from __future__ import annotations

import gzip
import math
from itertools import pairwise

import pytest
import rs1090
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.geo import distance_m
from samsyn.formats import modes_compiled
from samsyn.formats.avr import AvrDecoder
from samsyn.formats.codes import Emergency
from samsyn.formats.cpr import Frame, Positions, longitude_zones
from samsyn.formats.modes import HANDLED, IGNORED
from samsyn.formats.states import AIR_DOMAIN
from tests.compiled import built

from . import frames

ICAO = 0x4CA123
START_S = 1_698_140_962


@pytest.fixture(scope="module", autouse=True, params=["rs1090", "compiled"])
def way(request, tmp_path_factory):
    """All of this holds where rs1090 reads every frame, and where compiled code reads most."""
    before = modes_compiled.built
    alone = request.param == "rs1090"
    modes_compiled.built = None if alone else built("formats/_modes", tmp_path_factory.mktemp("modes"))
    yield
    modes_compiled.built = before


def line(second: float, frame: str) -> bytes:
    return f"{START_S + second:.6f},{frame}\n".encode()


def rows(data: bytes) -> list[dict[str, object]]:
    return frames.rows_of(AvrDecoder().decode(data, 0))


def test_what_frames_say():
    told = rows(
        line(0, frames.squitter(ICAO, frames.callsign("SAS123")))
        + line(1, frames.squitter(ICAO, frames.velocity(300, -400, -640)))
        + line(2, frames.identity_reply(ICAO, 2277))
    )
    assert [r["craft"] for r in told] == [AIR_DOMAIN + ICAO] * 3
    assert told[0]["callsign"] == "SAS123"
    assert (told[1]["speed_kn"], told[1]["vertical_rate_fpm"]) == (500.0, -640)
    assert told[1]["course_deg"] == pytest.approx(143.13, abs=0.01)
    assert (told[2]["squawk"], told[2]["emergency"]) == (2277, Emergency.NONE)
    assert told[2]["time_us"] == (START_S + 2) * 1_000_000


@pytest.mark.parametrize(
    ("state", "squawk", "expected"),
    [
        (0, 1000, Emergency.NONE),
        (1, 1000, Emergency.GENERAL),
        (2, 1000, Emergency.MEDICAL),
        (3, 1000, Emergency.MINIMUM_FUEL),
        (4, 7600, Emergency.NO_COMMUNICATIONS),
        (5, 7500, Emergency.UNLAWFUL_INTERFERENCE),
        (6, 1000, Emergency.DOWNED),
        (0, 7700, Emergency.GENERAL),
        (0, 7500, Emergency.UNLAWFUL_INTERFERENCE),
    ],
)
def test_emergencies(state, squawk, expected):
    (row,) = rows(line(0, frames.squitter(ICAO, frames.emergency(state, squawk))))
    assert (row["emergency"], row["squawk"]) == (expected, squawk)


def test_an_address_out_of_parity_counts_only_once_the_aircraft_was_heard_otherwise():
    reply = frames.identity_reply(ICAO, 7700)
    out = AvrDecoder().decode(line(0, reply) + line(1, frames.all_call(ICAO)) + line(2, reply), 0)
    assert out.refused == {"address-unconfirmed": 1}
    assert out.problems[0].line == 1
    assert out.columns["squawk"][-1] == 7700


def test_addresses_that_are_no_aircrafts():
    message = frames.callsign("RELAY")
    out = AvrDecoder().decode(line(0, frames.squitter(ICAO, message, kind=18, capability=1)), 0)
    assert out.refused == {"address-not-icao": 1}
    own = AvrDecoder().decode(line(0, frames.squitter(ICAO, message, kind=18, capability=0)), 0)
    assert own.rows == 1


PLACES = st.tuples(st.floats(-85, 85), st.floats(-179.9, 179.9))


def near_enough(place: tuple[float, float] | None, lat: float, lon: float) -> bool:
    return place is not None and distance_m(*place, lat, lon) < 20


@given(place=PLACES, later_odd=st.booleans())
@settings(max_examples=200)
def test_two_airborne_frames_give_the_place(place, later_odd):
    lat, lon = place
    positions = Positions()
    for i, odd in enumerate((not later_odd, later_odd)):
        frame = Frame(i, *frames.encoded(lat, lon, odd=odd, span=360.0), odd)
        found = positions.take(frame, False, None)
    # the two roundings may fall on either side of a change of zones: then there is none
    edge = len({longitude_zones(lat + d) for d in (-0.001, 0, 0.001)}) > 1
    assert near_enough(found, lat, lon) or (found is None and edge)


@given(place=PLACES, away=st.tuples(st.floats(-5, 5), st.floats(-5, 5)))
@settings(max_examples=200)
def test_two_surface_frames_give_the_place_nearest_to_the_neighbourhood(place, away):
    lat, lon = place
    near = (max(min(lat + away[0], 89.0), -89.0), lon + away[1])
    positions = Positions()
    for i, odd in enumerate((False, True)):
        frame = Frame(i, *frames.encoded(lat, lon, odd=odd, span=90.0), odd)
        found = positions.take(frame, True, near)
    edge = len({longitude_zones(lat + d) for d in (-0.001, 0, 0.001)}) > 1
    assert near_enough(found, lat, lon) or (found is None and edge)


def test_surface_and_airborne_frames_are_never_paired():
    positions = Positions()
    assert (
        positions.take(Frame(0, *frames.encoded(55.6, 12.6, odd=False, span=360.0), 0), False, None)
        is None
    )
    odd = Frame(1, *frames.encoded(55.6, 12.6, odd=True, span=90.0), 1)
    assert positions.take(odd, True, (55.0, 12.0)) is None


def test_frames_too_far_apart_are_no_pair():
    positions = Positions()
    positions.take(Frame(0, *frames.encoded(55.6, 12.6, odd=False, span=360.0), 0), False, None)
    late = Frame(11_000_000, *frames.encoded(55.6, 12.6, odd=True, span=360.0), 1)
    assert positions.take(late, False, None) is None


@given(lat=st.floats(-90, 90))
def test_zones_agree_with_their_definition(lat):
    if (
        len({frames.zones(lat + d) for d in (-1e-9, 0, 1e-9)}) == 1
    ):  # not on a limit, where rounding rules
        assert longitude_zones(lat) == frames.zones(lat)


def flight() -> bytes:
    data = line(0, frames.all_call(ICAO))
    for i in range(20):
        lat, lon = 55.0 + i / 500, 12.0 + i / 300
        data += line(i, frames.squitter(ICAO, frames.airborne(lat, lon, 3_000 + 25 * i, odd=i % 2 == 1)))
    for i in range(20, 26):
        data += line(i, frames.squitter(ICAO, frames.surface(55.04, 12.07, odd=i % 2 == 1)))
    return data


def test_a_flight_lands():
    told = rows(flight())
    placed = [(r["lat"], r["lon"], r["on_ground"]) for r in told if r["lat"] is not None]
    assert len(placed) == 25  # all but the first, which is half a pair
    assert [g for *_, g in placed] == [False] * 19 + [True] * 6
    assert all(distance_m(la, lo, 55.04, 12.07) < 20 for la, lo, ground in placed if ground)
    assert {r["nic"] for r in told[1:] if r["on_ground"] is False} == {8}


@given(cuts=st.lists(st.integers(1, 26), max_size=8))
@settings(max_examples=25, deadline=None)
def test_it_does_not_matter_where_the_input_is_cut(cuts):
    lines = flight().splitlines(keepends=True)
    edges = sorted({0, len(lines), *cuts})
    decoder, told = AvrDecoder(), []
    for a, b in pairwise(edges):
        out = decoder.decode(b"".join(lines[a:b]), 0)
        told += frames.rows_of(out)
    assert told == frames.rows_of(AvrDecoder().decode(b"".join(lines), 0))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"1698140962.1,8c3944ed38f9d058474fffda0a18\n", "checksum"),
        (b"1698140962.1,8c3944ed38f9d058474fffda0a1z\n", "malformed"),
        (b"1698140962.1,8c3944ed\n", "malformed"),
        (b"yesterday,8c3944ed38f9d058474fffda0a17\n", "no-time"),
        (b"99999999999,8c3944ed38f9d058474fffda0a17\n", "no-time"),
        (b"\x00\xff\xfe noise\n", "malformed"),
    ],
)
def test_what_is_refused_and_why(bad, reason):
    good = line(0, frames.all_call(ICAO))
    out = AvrDecoder().decode(good + bad + good, 0)
    assert out.refused == {reason: 1}
    assert out.problems[0].line == 2
    assert out.messages == 2


def test_avr_frames_have_the_time_of_receipt():
    frame = frames.squitter(ICAO, frames.callsign("SAS123"))
    out = AvrDecoder().decode(f"*{frame.upper()};\n@0123456789AB{frame};\n".encode(), 42)
    assert out.columns["time_us"].tolist() == [42, 42]


@given(data=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_make_it_fall_over(data):
    out = AvrDecoder().decode(b"1698140962.1," + data + b"\n" + line(0, frames.all_call(ICAO)), 0)
    assert out.messages >= 1


@given(digits=st.text("0123456789abcdef", min_size=28, max_size=28), short=st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_frame_makes_it_fall_over(digits, short):
    data = int(digits, 16) % (1 << (32 if short else 88))
    AvrDecoder().decode(line(0, frames.with_parity(data, 32 if short else 88)), 0)


def test_the_long_recording(data_dir):
    data = gzip.decompress((data_dir / "air" / "rs1090_long_flight.csv.gz").read_bytes())
    data += b"" if data.endswith(b"\n") else b"\n"
    out = AvrDecoder().decode(data, 0)
    assert (out.lines, out.messages) == (172_432, 172_432)
    assert out.refused == {"address-unconfirmed": 44, "address-not-icao": 1}
    assert out.unhandled == {}
    c = {n: frames.listed(out.columns[n]) for n in ("time_us", "craft", "lat", "lon")}
    ours = {
        (t, f"{key - AIR_DOMAIN:06x}"): (lat, lon)
        for t, key, lat, lon in zip(c["time_us"], c["craft"], c["lat"], c["lon"], strict=True)
        if lat is not None
    }
    split = [(float(time), frame[18:]) for time, frame in (t.split(",") for t in data.decode().split())]
    own = [(time, frame) for time, frame in split if frame[0] in "589"]  # formats with their own address
    theirs = rs1090.decode([frame for _, frame in own], [time for time, _ in own])
    # of the 30 addresses heard, seven are ground transmitters that only send system status, and one
    # is nobody's own
    assert len({m["icao24"] for m in theirs}) == 30
    assert len(set(c["craft"])) == 22
    placed = [m for m in theirs if m.get("latitude") is not None]
    assert (len(placed), len(ours)) == (11_347, 11_824)
    for m in placed:
        lat, lon = ours[(round(m["timestamp"] * 1e6), m["icao24"])]
        assert math.isclose(lat, m["latitude"], abs_tol=1e-9)
        assert math.isclose(lon, m["longitude"], abs_tol=1e-9)


def test_no_field_is_both_handled_and_ignored():
    assert not HANDLED & IGNORED
