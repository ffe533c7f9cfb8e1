"""What receivers of 1090 MHz write: Beast's stream, AVR with a counter, SBS-1, readsb's traces."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import HOUR_US, SECOND_US
from samsyn.formats.avr import AvrDecoder
from samsyn.formats.beast import BeastDecoder
from samsyn.formats.codes import Emergency, TimeSource
from samsyn.formats.decoded import Decoded
from samsyn.formats.readsb_trace import DOCUMENT_HANDLED, DOCUMENT_IGNORED, decode_trace
from samsyn.formats.sbs import SbsDecoder
from samsyn.formats.states import AIR_DOMAIN
from samsyn.formats.ticks import MLAT_TICKS, TickClock

from . import frames

ICAO = 0x4CA123
BEGIN_US = 1_700_000_000 * SECOND_US
TICKS = 12 * SECOND_US  # of a second


def flight() -> list[bytes]:
    """Envelopes of one aircraft's frames, half a second apart; counters and frames full of 0x1a."""
    made = [frames.beast(frames.all_call(ICAO), 0x1A1A1A1A0000, 0x1A)]
    for i in range(1, 21):
        lat, lon = 55.0 + i / 500, 12.0 + i / 300
        frame = frames.squitter(ICAO, frames.airborne(lat, lon, 3_000 + 25 * i, odd=i % 2 == 1))
        made.append(frames.beast(frame, 0x1A1A1A1A0000 + i * TICKS // 2, 0x1A))
    return made


def times_and_places(outs: list[Decoded]) -> list[tuple[int, float, float]]:
    return [(row["time_us"], row["lat"], row["lon"]) for out in outs for row in frames.rows_of(out)]


def test_a_flight_in_beasts_stream():
    out = BeastDecoder(BEGIN_US).decode(b"".join(flight()), 0)
    assert (out.messages, out.refused) == (21, Counter())
    assert frames.listed(out.columns["time_us"]) == [BEGIN_US + i * SECOND_US // 2 for i in range(21)]
    assert set(out.columns["time_source"]) == {TimeSource.GIVEN_DATE}
    assert sum(lat is not None for lat in frames.listed(out.columns["lat"])) == 19


@given(cuts=st.lists(st.integers(0, 600), max_size=12))
@settings(max_examples=60, deadline=None)
def test_it_does_not_matter_where_beasts_stream_is_cut(cuts):
    data = b"".join(flight())
    edges = sorted({0, len(data), *(min(c, len(data)) for c in cuts)})
    decoder = BeastDecoder(BEGIN_US)
    outs = [decoder.decode(data[a:b], 0) for a, b in pairwise(edges)]
    whole = [BeastDecoder(BEGIN_US).decode(data, 0)]
    assert times_and_places(outs) == times_and_places(whole)
    assert sum((o.refused for o in [*outs, decoder.finish()]), Counter()) == Counter()


def test_other_types_noise_and_a_cut_frame_are_counted_and_nothing_else_is_lost():
    good = flight()
    decoder = BeastDecoder(BEGIN_US)
    mode_ac = frames.beast("1a22", 77)
    out = decoder.decode(
        b"noise" + good[0] + mode_ac + good[1][:10] + good[2] + b"\x1a\x1a!" + good[3], 0
    )
    assert out.types == {"DF11": 1, "DF17": 2, "Mode A/C": 1}
    assert out.refused == {"malformed": 3}
    assert [p.offset for p in out.problems] == [0, 5 + len(good[0]) + len(mode_ac), 5 + len(
        good[0] + mode_ac + good[1][:10] + good[2]
    )]  # fmt: skip
    decoder.decode(good[4][:7], 0)
    assert decoder.finish().refused == {"too-short": 1}
    assert decoder.decode(good[5], 0).messages == 1


@given(data=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_bytes_make_beast_fall_over(data):
    decoder = BeastDecoder()
    decoder.decode(data, 0)
    decoder.finish()
    assert decoder.decode(flight()[0], 0).messages == 1


def test_a_flipped_byte_costs_no_more_than_the_frames_that_it_touches():
    data, rng = b"".join(flight()), random.Random(4)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        decoder = BeastDecoder(BEGIN_US)
        out = decoder.decode(bytes(damaged), 0)
        assert out.messages >= 19
        told = sum(out.refused.values()) + sum(decoder.finish().refused.values())
        assert told or out.messages == 21


def test_memory_of_a_stream_without_a_frame_is_bounded():
    decoder = BeastDecoder()
    for _ in range(100):
        decoder.decode(b"\x1a\x1a" * 50_000, 0)
    assert len(decoder._held) < 64


def test_a_counter_as_time():
    clock, out = TickClock(BEGIN_US), Decoded()
    assert [clock.time_us(t * TICKS, 0, out.refuse) - BEGIN_US for t in (900, 901, 900.5, 960)] == [
        0, SECOND_US, SECOND_US // 2, 60 * SECOND_US,
    ]  # fmt: skip
    assert clock.time_us(MLAT_TICKS, 0, out.refuse) == BEGIN_US + 60 * SECOND_US
    assert not out.refused


def test_a_counter_that_begins_anew_goes_on_from_the_time_before():
    clock, out = TickClock(BEGIN_US), Decoded()
    clock.time_us(900 * TICKS, 0, out.refuse)
    assert clock.time_us(5 * TICKS, 0, out.refuse) == BEGIN_US
    assert clock.time_us(6 * TICKS, 0, out.refuse) == BEGIN_US + SECOND_US
    assert clock.time_us(7 * TICKS, 0, out.refuse) == BEGIN_US + 2 * SECOND_US
    assert out.refused == {"clock-jump": 1}


def test_one_wrong_counter_does_not_move_the_others():
    clock, out = TickClock(BEGIN_US), Decoded()
    clock.time_us(900 * TICKS, 0, out.refuse)
    assert clock.time_us((1 << 46) + 1, 0, out.refuse) == BEGIN_US
    assert clock.time_us(901 * TICKS, 0, out.refuse) == BEGIN_US + SECOND_US
    assert out.refused == {"clock-jump": 1}


def test_live_a_counter_is_held_to_our_clock():
    clock, out = TickClock(live=True), Decoded()
    assert clock.time_us(900 * TICKS, BEGIN_US, out.refuse) == BEGIN_US
    # the first came late by 0.1 s: nothing is heard before it was sent
    late_us = BEGIN_US + SECOND_US - SECOND_US // 10
    assert clock.time_us(901 * TICKS, late_us, out.refuse) == late_us
    assert clock.time_us(902 * TICKS, late_us + 2 * SECOND_US, out.refuse) == late_us + SECOND_US
    assert not out.refused
    assert clock.time_us(5 * TICKS, late_us + HOUR_US, out.refuse) == late_us + HOUR_US
    assert out.refused == {"clock-jump": 1}


@pytest.mark.parametrize("line", ["@{ticks}{frame};", "%{ticks}{frame};", "<{ticks}7f{frame};"])
def test_avr_with_a_counter(line):
    frame = frames.squitter(ICAO, frames.callsign("SAS123"))
    data = "".join(line.format(ticks=f"{t * TICKS:012X}", frame=frame) + "\n" for t in (7, 8))
    out = AvrDecoder(BEGIN_US).decode(data.encode(), 0)
    assert frames.listed(out.columns["time_us"]) == [BEGIN_US, BEGIN_US + SECOND_US]
    live = AvrDecoder(live=True).decode(data.encode(), BEGIN_US)
    assert set(live.columns["time_source"]) == {TimeSource.RECEIVED}


def sbs(kind: int = 3, *, squawk: str = "", emergency: str = "", ground: str = "0") -> str:
    place = "55.5,12.5" if kind == 3 else ","
    return (
        f"MSG,{kind},1,1,4CA123,1,2023/11/14,22:13:20.500,2023/11/14,22:13:20.512,,35000,,,"
        f"{place},,{squawk},0,{emergency},0,{ground}\n"
    )


@pytest.mark.parametrize(
    ("squawk", "emergency", "expected"),
    [
        ("", "", None),
        ("", "0", Emergency.NONE),
        ("1000", "", Emergency.NONE),
        ("1000", "-1", Emergency.GENERAL),
        ("7600", "-1", Emergency.NO_COMMUNICATIONS),
        ("7500", "0", Emergency.UNLAWFUL_INTERFERENCE),
    ],
)
def test_emergencies_in_sbs(squawk, emergency, expected):
    out = SbsDecoder().decode(sbs(6, squawk=squawk, emergency=emergency).encode(), 0)
    assert out.columns["emergency"].tolist() == [expected]


def test_sbs_times_are_the_writers_own():
    out = SbsDecoder(2 * HOUR_US).decode(sbs().encode(), 0)
    assert out.columns["time_us"].tolist() == [BEGIN_US + SECOND_US // 2 - 2 * HOUR_US]


def test_sbs_lines_without_a_date_go_on_from_the_last_one():
    bare = sbs(8).replace("2023/11/14,22:13:20.500,2023/11/14,22:13:20.512", ",,,").encode()
    out = SbsDecoder().decode(bare + sbs().encode() + bare, 42)
    at_us = BEGIN_US + SECOND_US // 2
    assert out.columns["time_us"].tolist() == [42, at_us, at_us]
    assert [p.reason for p in out.problems] == ["time-unknown"]


@given(fields=st.lists(st.text("MSG,0123456789/:.-~abcZ \x00é", max_size=9), min_size=18, max_size=18))
@settings(max_examples=100, deadline=None)
def test_no_line_makes_sbs_fall_over(fields):
    line = ",".join(["MSG", "3", "1", "1", *(f.replace(",", "") for f in fields)])
    out = SbsDecoder().decode(line.encode() + b"\n" + sbs().encode(), 0)
    assert out.columns["lat"][-1] == 55.5


def point(*front: object) -> list[object]:
    return [*front, *[None] * (14 - len(front))]


def test_what_a_trace_says():
    said = {"icao": "4ca123", "timestamp": 1.7e9, "trace": [
        point(0.5, 55.5, 12.5, 35_000, 450.5, 360.0, 0, -64, {"squawk": "7700", "surprise": 1}),
        point(1.5, 55.5, 12.5, "ground", 5.0, 90.0, 1),
        point(2.5, 91.0, 12.5, None, None, None, 8, None, None, "adsb_icao", 100),
        point(None, 55.5, 12.5), [1, 2], "nothing",
    ], "surprise": 2}  # fmt: skip
    out = decode_trace(json.dumps(said).encode())
    assert out.columns["craft"].tolist() == [AIR_DOMAIN + ICAO] * 3
    assert out.columns["altitude_ft"][[0, 2]].tolist() == [35_000, 100]
    assert out.columns["course_deg"][:2].tolist() == [0, 90]
    assert out.columns["on_ground"].tolist() == [False, True, None]
    assert out.columns["emergency"].tolist() == [Emergency.GENERAL, None, None]
    assert out.refused == {"no-time": 1, "shape": 2}
    assert out.unhandled == {"surprise": 2}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"icao": "~4ca123", "timestamp": 1.7e9, "trace": []}, "address-not-icao"),
        ({"icao": "4ca123", "timestamp": "noon", "trace": []}, "no-time"),
        ({"icao": "4ca123", "timestamp": 5e9, "trace": []}, "no-time"),
        ({"icao": "4ca123", "trace": {}}, "shape"),
    ],
)
def test_traces_of_nobody_or_no_time(document, reason):
    out = decode_trace(json.dumps(document).encode())
    assert out.rows == 0
    assert out.refused[reason] == 1
    assert not DOCUMENT_HANDLED & DOCUMENT_IGNORED


def test_a_recorded_trace(data_dir):
    raw = (data_dir / "air" / "traffic_readsb_trace_full_ac671b.json").read_bytes()
    out, said = decode_trace(raw), json.loads(raw)
    assert (out.rows, out.refused, out.unhandled) == (2_500, Counter(), Counter())
    assert out.columns["lat"].tolist() == [p[1] for p in said["trace"]]
    assert out.columns["time_us"].tolist() == [
        round((said["timestamp"] + p[0]) * SECOND_US) for p in said["trace"]
    ]
    assert int(out.columns["on_ground"].sum()) == 394
    assert sum(name is not None for name in out.columns["callsign"]) == 607


def test_the_long_recording_as_beasts_stream(data_dir):
    """The same frames in the binary envelope give the same rows, at the times of their counters."""
    packed = (data_dir / "air" / "rs1090_long_flight.csv.gz").read_bytes()
    lines = gzip.decompress(packed).decode().split()[:40_000]
    written = [line.partition(",")[2] for line in lines]
    ticks = [round((float(line.partition(",")[0]) - 1.698e9) * TICKS) for line in lines]
    stream = b"".join(frames.beast(w[18:], t) for w, t in zip(written, ticks, strict=True))
    decoder, outs = BeastDecoder(BEGIN_US), []
    for start in range(0, len(stream), 65_536):
        outs.append(decoder.decode(stream[start : start + 65_536], 0))
    plain = AvrDecoder().decode("\n".join([*lines, ""]).encode(), 0)
    assert sum(o.messages for o in outs) == plain.messages == 40_000
    assert sum((o.refused for o in outs), Counter()) == plain.refused
    for name in ("craft", "message_type", "altitude_ft", "squawk", "callsign"):
        in_pieces = [v for o in outs if o.rows for v in frames.listed(o.columns[name])]
        assert in_pieces == frames.listed(plain.columns[name])
    ours, theirs = times_and_places(outs), times_and_places([plain])
    assert [row[1:] for row in ours] == [row[1:] for row in theirs]
    assert all(
        abs((a[0] - ours[0][0]) - (b[0] - theirs[0][0])) <= 2 for a, b in zip(ours, theirs, strict=True)
    )
