"""Mode S by compiled code is what rs1090 and `cpr` make of it, frame by frame and line by line."""

from __future__ import annotations

import gzip
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.formats import modes_compiled
from samsyn.formats.avr import AvrDecoder
from samsyn.formats.beast import BeastDecoder
from samsyn.formats.decoded import Decoded
from samsyn.formats.modes import Frames, ModesFrames, Timed
from samsyn.formats.modes_said import Status
from samsyn.formats.ticks import MLAT_TICKS
from tests.compiled import built

from . import frames
from .frames import beast

ADDRESSES = (0x4CA123, 0x3944ED, 0xA00001)
START_US = 1_698_140_962_000_000


@pytest.fixture(scope="module", autouse=True)
def module(tmp_path_factory):
    before = modes_compiled.built
    modes_compiled.built = built("formats/_modes", tmp_path_factory.mktemp("modes"))
    yield
    modes_compiled.built = before


def both(make) -> tuple:
    """What `make` gives compiled, and where rs1090 reads every frame."""
    held = modes_compiled.built
    compiled = make()
    modes_compiled.built = None
    try:
        return compiled, make()
    finally:
        modes_compiled.built = held


def told(out: Decoded) -> tuple:
    rows = [{n: near(v) for n, v in row.items()} for row in frames.rows_of(out)]
    return rows, out.rows, out.lines, out.messages, out.types, out.refused, out.unhandled, out.problems


def near(value: object) -> object:
    """Two ways of the same arithmetic may differ in the last bits."""
    return round(value, 8) if isinstance(value, float) else value


def alike(pieces: list, read) -> list[Decoded]:
    compiled, alone = both(lambda: read(pieces))
    for one, other in zip(compiled, alone, strict=True):
        assert told(one) == told(other)
    return compiled


def of_frames(pieces: list[list[Timed]]) -> list[Decoded]:
    decoder, outs = ModesFrames(), []
    for piece in pieces:
        outs.append(Decoded())
        decoder.read(Frames.of(piece, "line"), outs[-1])
    return outs


def of_lines(pieces: list[bytes]) -> list[Decoded]:
    decoder = AvrDecoder(START_US)
    return [decoder.decode(piece, START_US + i) for i, piece in enumerate(pieces)]


def of_stream(pieces: list[bytes]) -> list[Decoded]:
    """Beast's stream, as a recording and live."""
    outs = []
    for decoder in (BeastDecoder(START_US), BeastDecoder(), BeastDecoder(live=True)):
        outs += [decoder.decode(piece, START_US + 40_000 * i) for i, piece in enumerate(pieces)]
        outs.append(decoder.finish())
    return outs


def counters(rng: random.Random, count: int) -> list[int]:
    """Of a receiver's frames: mostly one soon after another; none, computed ones, jumps, a new start."""
    at, found = rng.randrange(1 << 40), []
    for _ in range(count):
        at += rng.choice((0, 1, 12, 9_000, 120_000, -60_000))
        odd = rng.random()
        if odd < 0.01:
            at = rng.choice((1, 1 << 46, at + 12_000_000 * 3_600 * 7, max(at - 50_000_000, 0)))
        found.append(rng.choice((0, MLAT_TICKS, 1 << 47)) if 0.01 < odd < 0.02 else max(at, 0))
    return found


def stream(rng: random.Random, count: int) -> bytes:
    """Frames in Beast's envelope, Mode A/C and status among them, sometimes with damage or noise."""
    parts = []
    for ticks in counters(rng, count):
        odd, frame = rng.random(), made(rng)
        if odd < 0.1:
            frame = f"{rng.randrange(1 << 16):04x}"
        part = beast(frame, ticks, rng.choice((0x1A, 0x80)))
        if 0.1 < odd < 0.12:
            part = part[:1] + b"4" + part[2:]
        if odd > 0.97:
            at = rng.randrange(len(part))
            noise = rng.choice((b"\x1a", b"\x1a\x1a", b"\x1a\x33", rng.randbytes(30)))
            part = part[:at] + noise + part[at + rng.randrange(3) :]
        parts.append(part)
    return b"".join(parts)


def streams(count: int) -> None:
    """Damaged and whole, cut anywhere: the same frames, times, refusals and places by both."""
    rng = random.Random(count)
    for _ in range(count):
        data = stream(rng, rng.choice((3, 40, 1_500)))
        edges = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(rng.randrange(9)))})
        alike([data[a:b] for a, b in pairwise(edges)], of_stream)


def test_streams_of_any_kind():
    streams(30)


@pytest.mark.nightly
def test_many_streams_of_any_kind():
    streams(600)


@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_as_a_stream(data, cut):
    whole = beast("5d4ca123809c43", 12)
    alike([whole + data[:cut], data[cut:] + whole], of_stream)


def test_lines_with_counters():
    rng = random.Random(5)
    for _ in range(40):
        lines = []
        for ticks in counters(rng, rng.choice((5, 60))):
            head = rng.choice(
                (f"@{ticks:012x}", f"%{ticks:012X}", f"<{ticks:012x}{rng.choice(('7f', 'zz'))}")
            )
            line = head + made(rng) + rng.choice((";", "", ";;", ";\r"))
            if rng.random() < 0.01:
                at = rng.randrange(len(line))
                line = line[:at] + rng.choice(("", "g", " ", "0")) + line[at + 1 :]
            lines.append(line.encode())
        cut = rng.randrange(len(lines))
        pieces = [b"\n".join([*some, b""]) for some in (lines[:cut], lines[cut:])]
        alike(pieces, of_lines)
        alike(pieces, lambda some: [AvrDecoder(live=True).decode(piece, START_US) for piece in some])


def test_a_stream_without_damage_is_not_left_to_python(monkeypatch):
    """Else the tests above would hold Python against itself."""
    monkeypatch.setattr("samsyn.formats.beast.Timed", None)
    monkeypatch.setattr("samsyn.formats.avr.Timed", None)
    whole = b"".join(beast("5d4ca123809c43", 120 * k) for k in range(1, 50))
    (out,) = [BeastDecoder(START_US).decode(whole, 0)]
    assert out.messages == 49
    lines = b"".join(b"@%012x5d4ca123809c43;\n" % (120 * k) for k in range(1, 50))
    assert AvrDecoder(START_US).decode(lines, 0).messages == 49


def made(rng: random.Random) -> str:
    """A frame of any kind with good parity, mostly; of few aircraft."""
    address, kind = (
        rng.choice(ADDRESSES),
        rng.choice((0, 4, 5, 11, 16, 17, 17, 17, 18, 20, 21, rng.randrange(32))),
    )
    low = rng.choice((0, 0, 5, rng.randrange(8)))
    if kind in (17, 18):
        type_code = rng.choice((5, 7, 9, 11, 18, 19, 20, 28, 29, 31, rng.randrange(32)))
        message = type_code << 51 | rng.getrandbits(51)
        if type_code == 31 and rng.random() < 0.7:
            message &= ~(3 << 46 | 3 << 30 | 7 << 48)
        if type_code == 19 and rng.random() < 0.5:
            message = message & ~(7 << 48) | 1 << 48
        frame = frames.squitter(address, message, kind=kind, capability=low)
    elif kind == 11:
        frame = frames.with_parity(
            (11 << 3 | low) << 24 | address, 32, overlay=rng.choice((0, 0, 5, 0x7F))
        )
    else:
        bits = 32 if kind < 16 else 88
        data = kind << bits - 5 | rng.getrandbits(bits - 5)
        frame = frames.with_parity(data, bits, overlay=rng.choice((*ADDRESSES, rng.getrandbits(24))))
    if rng.random() < 0.05:
        frame = f"{int(frame, 16) ^ 1 << rng.randrange(len(frame) * 4):0{len(frame)}x}"
    return frame if rng.random() > 0.02 else frame[:14].ljust(14, "0")


def position(lat: float, lon: float, odd: bool, *, surface: bool = False) -> int:
    if surface:
        return frames.surface(lat, lon, odd=odd)
    return frames.airborne(lat, lon, 12_000, odd=odd)


def random_frames(count: int, seed: int) -> list[Decoded]:
    rng = random.Random(seed)
    at_us, timed = START_US, []
    for i in range(count):
        at_us += rng.choice((1_000, 400_000, 3_000_000))
        timed.append(Timed(made(rng), at_us, 3, i))
    cuts = sorted({0, count, *(rng.randrange(count) for _ in range(5))})
    return alike([timed[a:b] for a, b in pairwise(cuts)], of_frames)


def test_frames_of_any_kind():
    outs = random_frames(12_000, seed=2)
    assert len({kind for out in outs for kind in out.types}) == 10
    assert {reason for out in outs for reason in out.refused} == {
        "checksum", "address-unconfirmed", "address-not-icao", "no-craft",
    }  # fmt: skip


@pytest.mark.nightly
def test_a_million_frames_of_any_kind():
    for seed in range(50):
        random_frames(20_000, seed)


def test_every_altitude_and_every_identity():
    timed = [Timed(frames.squitter(ADDRESSES[0], frames.callsign("A")), START_US, 3, 0)]
    for raw in range(1 << 13):
        timed.append(Timed(frames.with_parity(4 << 27 | raw, 32, overlay=ADDRESSES[0]), START_US, 3, 0))
        timed.append(Timed(frames.with_parity(5 << 27 | raw, 32, overlay=ADDRESSES[0]), START_US, 3, 0))
    for raw in range(1 << 12):
        message = 11 << 51 | raw << 36 | 5 << 17
        timed.append(Timed(frames.squitter(ADDRESSES[0], message), START_US, 3, 0))
    alike([timed], of_frames)


def test_every_movement_on_the_ground():
    messages = [7 << 51 | raw << 44 | 1 << 43 | (raw & 127) << 36 for raw in range(128)]
    alike([[Timed(frames.squitter(ADDRESSES[0], m), START_US, 3, 0) for m in messages]], of_frames)


def test_most_frames_of_the_recording_are_not_left_to_rs1090(data_dir, monkeypatch):
    data = gzip.decompress((data_dir / "air" / "rs1090_long_flight.csv.gz").read_bytes())
    data = b"\n".join(data.splitlines()[:60_000]) + b"\n"
    edges = [0, *(data.index(b"\n", at) + 1 for at in range(200_000, len(data), 200_000)), len(data)]
    alike([data[a:b] for a, b in pairwise(edges)], of_lines)
    left = []
    monkeypatch.setattr(
        "samsyn.formats.modes.rs1090.decode", lambda some, batch: left.extend(some) or [None] * batch
    )
    of_lines([data])
    assert len(left) < 600


def test_an_aircraft_flies_and_lands_and_another_everywhere():
    rng, placed = random.Random(5), 0
    for _ in range(40):
        lat, lon = rng.uniform(-89, 89), rng.uniform(-180, 180)
        timed, at_us = [], START_US
        for i in range(60):
            at_us += rng.choice((400_000, 5_000_000, 20_000_000, 130_000_000))
            lat = max(-89.9, min(89.9, lat + rng.uniform(-0.05, 0.05)))
            lon += rng.uniform(-0.05, 0.05)
            surface = rng.random() < 0.4
            message = position(lat, (lon + 180) % 360 - 180, rng.random() < 0.5, surface=surface)
            timed.append(Timed(frames.squitter(rng.choice(ADDRESSES[:2]), message), at_us, 3, i))
        (out,) = alike([timed], of_frames)
        placed += sum(row["lat"] is not None for row in frames.rows_of(out))
    assert placed > 1_000


LINES = (
    b"1698140962.119813,8d3944ed9914580ea0bc818e26c6", b"1698140962,8D3944ED9914580EA0BC818E26C6 ",
    b"1698140962.1714251,1a33000023bb50f025903907dbc1b5", b"*8d3944ed9914580ea0bc818e26c6;",
    b":8d3944ed9914580ea0bc818e26c6;;", b"@00009a3b1c208d3944ed9914580ea0bc818e26c6;", b"# nothing", b"",
    b" \t\r",
    b"<00009a3b1c20ff8d3944ed9914580ea0bc818e26c6;", b"1698140962.,5d3944ed000000", b".5,5d3944ed000000",
    b"0,5d3944ed000000", b"9999999999,5d3944ed000000", b"16981409621,5d3944ed000000",
    b"1698140962,", b",",
    b"*;",
    b"1698140962.119813,1A32000023b1dda011215d3944ed000000",
    b"1698140962.1,1a3200zz23b1dda011215d3944ed000000",
)  # fmt: skip


def test_lines_however_they_are_written():
    rng = random.Random(9)
    for _ in range(300):
        lines = []
        for _ in range(40):
            line = bytearray(rng.choice(LINES))
            if line and rng.random() < 0.3:
                at = rng.randrange(len(line))
                line[at : at + rng.randrange(2)] = rng.choice(
                    (b"", b"0", b"g", b" ", b";", b",", b".", b"\xff", b"\x0b")
                )
            lines.append(bytes(line))
        alike([b"\n".join(lines[:20]) + b"\n", b"\n".join([*lines[20:], b"cut"])], of_lines)


def test_more_aircraft_than_are_remembered(monkeypatch):
    monkeypatch.setattr("samsyn.base.limits.TRACKS", 40)
    rng = random.Random(3)
    timed = [
        Timed(
            frames.squitter(rng.randrange(1, 90), position(55, 12, i % 2 == 1)),
            START_US + i,
            3,
            i,
        )
        for i in range(900)
    ]
    alike([timed[:5], timed[5:600], timed[600:]], of_frames)


def test_an_all_call_reply_with_a_wrong_parity_proves_nothing():
    for way in both(
        lambda: of_lines(
            [f"1698140962.0,{int(frames.all_call(ADDRESSES[0]), 16) ^ 1 << 20:014x}\n".encode()]
        )
    ):
        assert (way[0].rows, way[0].refused) == (0, {"checksum": 1})


def test_a_velocity_that_is_not_known_and_one_beyond_sound():
    unknown = 19 << 51 | 1 << 48 | 51 << 21
    beyond = 19 << 51 | 2 << 48 | 301 << 32 | 401 << 21
    lines = b"".join(
        f"1698140962.0,{frames.squitter(ADDRESSES[0], message)}\n".encode()
        for message in (unknown, beyond)
    )
    for (out,) in both(lambda: of_lines([lines])):
        (row,) = frames.rows_of(out)
        assert row["speed_kn"] == 2_000.0
        assert math.isclose(row["course_deg"], math.degrees(math.atan2(300, 400)))


def test_the_numbers_of_a_status_are_known_to_both():
    assert [s.name for s in Status] == ["SAID", "OWN", "RARE", "WRONG", "UNPROVEN", "LEFT"]
