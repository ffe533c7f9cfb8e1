"""ASTERIX by compiled code is what `asterix_columns` makes of it, block by block."""

from __future__ import annotations

import gzip
import math
import random
import struct
from itertools import pairwise

import pytest

from samsyn.formats import asterix_compiled
from samsyn.formats.asterix import AsterixBlocks
from samsyn.formats.asterix_compiled import _KIND, _TARGETS
from samsyn.formats.asterix_items import LEFT, PROFILES, Compound, Fixed
from samsyn.formats.asterix_stream import AsterixStream
from samsyn.formats.decoded import Decoded
from tests.compiled import built

from .blocks import block, ethernet, ident, of_day, pcap, record, signed, udp
from .frames import rows_of
from .test_asterix import DAY, NOON, REPORT, SOURCE, TARGET, TRACK, contents, random_items

PLAIN = {21: REPORT, 48: TARGET, 62: TRACK}
SITES = {"25/13": (55.0, 12.0, 30.0)}


@pytest.fixture(scope="module", autouse=True)
def module(tmp_path_factory):
    before = asterix_compiled.built
    asterix_compiled.built = built("formats/_asterix", tmp_path_factory.mktemp("asterix"))
    yield
    asterix_compiled.built = before


def told(out: Decoded) -> tuple:
    rows = [{n: near(v) for n, v in row.items() if v is not None} for row in rows_of(out)]
    return rows, out.rows, out.messages, out.types, +out.refused, out.problems


def near(value: object) -> object:
    """Two ways of the same arithmetic may differ in the last bits."""
    return round(value, 8) if isinstance(value, float) else value


def alike(pieces: list[bytes], sites=None, day_us=DAY, live=False) -> list[Decoded]:
    """What a stream makes of some pieces; the same with and without compiled code."""
    held = asterix_compiled.built
    ways = []
    for way in (held, None):
        asterix_compiled.built = way
        try:
            stream = AsterixStream(AsterixBlocks(sites), day_us, live=live)
            outs = [stream.decode(piece, NOON + i) for i, piece in enumerate(pieces)]
            ways.append([*outs, stream.finish()])
        finally:
            asterix_compiled.built = held
    for one, other in zip(*ways, strict=True):
        assert told(one) == told(other)
    return ways[0]


def made(rng: random.Random) -> bytes:
    """A block of records as they come, some of them odd."""
    category = rng.choice((21, 34, 48, 48, 62, 63, 65, 1, rng.randrange(256)))
    if category not in PROFILES:
        return block(category, rng.randbytes(rng.randrange(1, 9)))
    records = []
    for _ in range(rng.randrange(4)):
        items = random_items(category, rng, 12) | PLAIN.get(category, {})
        if rng.random() < 0.2:
            items.pop(rng.choice(("220", "380.ADR", "080", "161", "040", "010")), None)
        for name, shape in (i for i in PROFILES[category] if i):
            if name in PLAIN.get(category, {}) and rng.random() < 0.05:
                items |= contents(shape, rng, name)
        for name in ("240", "170", "380.ID"):
            if name in items and rng.random() < 0.9:
                items[name] = ident(rng.choice((" SAM12", "SAM 12 ", "", "A1B2C3D4")))
        if "245" in items:
            items["245"] = b"\0" + ident("SAS7")
        if category == 62 and "380.SAB" in items and rng.random() < 0.9:
            items["380.SAB"] = bytes([rng.randrange(4), rng.randrange(7)])
        if category == 21 and "200" in items:
            items["200"] = bytes([rng.randrange(7) << 2 | rng.choice((0, 0x20))])
        if category == 34 and "120" in items and rng.random() < 0.5:
            here = b"".join(signed(d, 180 / (1 << 23), 3) for d in (55.0, 12.0))
            items |= {"010": SOURCE, "120": signed(30, 1, 2) + here}
        if category in (48, 62) and rng.random() < 0.9:  # mostly what somebody saw
            items |= {"020": b"\xa0"} if category == 48 else {"080": rng.choice((b"\0", b"\1\0"))}
        records.append(record(category, items))
    whole = block(category, *records)
    return whole if rng.random() > 0.03 else whole[: rng.randrange(1, len(whole))]


def cut(data: bytes, rng: random.Random) -> list[bytes]:
    edges = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(5))})
    return [data[a:b] for a, b in pairwise(edges)]


def random_blocks(count: int, seed: int) -> int:
    rng, rows = random.Random(seed), 0
    for _ in range(count):
        data = b"".join(made(rng) for _ in range(60))
        sites = rng.choice((SITES, None, {"rooftop": (55.0, 12.0), "0/0": (1.0, 2.0)}))
        outs = alike(cut(data, rng), sites, rng.choice((DAY, None)), rng.random() < 0.3)
        packets = [(NOON / 1e6 + i, ethernet(udp(made(rng) + made(rng)))) for i in range(20)]
        outs += alike(cut(pcap(packets), rng), sites)
        rows += sum(out.rows for out in outs)
    return rows


def test_blocks_of_any_kind():
    assert random_blocks(40, seed=1) > 500


@pytest.mark.nightly
def test_many_blocks_of_any_kind():
    for seed in range(100):
        random_blocks(100, seed)


def test_damaged_blocks():
    rng = random.Random(5)
    for _ in range(60):
        data = bytearray(b"".join(made(rng) for _ in range(20)))
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        alike(cut(bytes(data), rng), SITES)


def test_plain_blocks_are_not_left_to_python(monkeypatch):
    rng, data = random.Random(3), b""
    for category, items in PLAIN.items():
        for _ in range(50):
            more = {"070": b"\x0f\xc0"} if category != 62 else {"060": b"\x0f\xc0"}
            data += block(category, *[record(category, {**items, **more})] * rng.randrange(1, 5))
        data += block(34, record(34, {"010": SOURCE, "000": b"\2", "030": of_day(12)})) + block(1, b"??")
    (out, _) = alike([data], SITES)
    assert out.rows > 150
    assert not out.refused
    monkeypatch.setattr(AsterixBlocks, "_block", None)
    blocks = AsterixStream(AsterixBlocks(SITES), DAY)
    assert blocks.decode(data, NOON).rows == out.rows


def test_a_radar_tells_its_place_between_its_targets():
    here = signed(30, 1, 2) + b"".join(signed(d, 180 / (1 << 23), 3) for d in (55.0, 12.0))
    north = block(34, record(34, {"010": SOURCE, "000": b"\1", "030": of_day(12), "120": here}))
    target = block(48, record(48, TARGET))
    (out, _) = alike([target * 3 + north + target * 3])
    assert [row.get("lat") is not None for row in rows_of(out)] == [False] * 3 + [True] * 3
    assert out.refused == {"no-site": 3}


def test_targets_all_round_and_at_every_height():
    records = []
    for azimuth in range(0, 65_536, 997):
        for away in (0, 1, 5_000, 65_535):
            level = signed(random.Random(azimuth + away).uniform(-1_000, 60_000), 25, 2)
            items = {**TARGET, "040": struct.pack(">HH", away, azimuth)}
            records.append(record(48, items | ({"090": level} if azimuth % 3 else {})))
    (out, _) = alike([b"".join(block(48, one) for one in records)], {"25/13": (-55.0, 179.9, 30.0)})
    assert not any(math.isnan(lat) for lat in out.columns["lat"])


def test_the_plan_says_how_long_is_what_is_read():
    """The compiled reader looks at so many bytes of an item, and trusts the plan that they are there."""
    least = {
        48: (1, 4, 2, 2, 3, 6, 4, 2, 2),
        21: (1, 8, 6, 3, 2, 2, 2, 2, 4, 2, 2, 1, 1, 1, 6),
        62: (1, 8, 4, 3, 6, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 7, 2),
        34: (8,),
    }
    for category, names in _TARGETS.items():
        shapes = {}
        for name, shape in (i for i in PROFILES[category] if i):
            shapes[name] = (
                shape.size if not isinstance(shape, Compound) and hasattr(shape, "size") else 1
            )
            for part in shape.parts if isinstance(shape, Compound) else ():
                if part and isinstance(part[1], Fixed):
                    shapes[f"{name}.{part[0]}"] = part[1].size
        assert all(shapes[n] >= size for n, size in zip(names, least[category], strict=True))
        assert shapes["010"] == 2
        assert category == 34 or names[0] == _KIND[category]
    assert not set(LEFT) & set(PROFILES)


@pytest.mark.parametrize("name", ["cat_034_048", "cat_062_065", "asterix"])
def test_recorded_captures(data_dir, name):
    data = (data_dir / "air" / f"croatia_{name}.pcap").read_bytes()
    alike([data])
    alike([gzip.decompress(gzip.compress(data))], {"25/201": (45.0, 16.0, 100.0)})
