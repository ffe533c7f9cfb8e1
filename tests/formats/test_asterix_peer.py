"""ASTERIX beside another library: the same items in the same bytes, and the same values."""

from __future__ import annotations

import random
import struct

import pytest

from samsyn.formats.asterix import AsterixBlocks
from samsyn.formats.asterix_items import PROFILES
from samsyn.formats.decoded import Decoded
from samsyn.formats.pcap import PcapReader
from samsyn.formats.states import AIR_DOMAIN
from samsyn.formats.unnamed import AIR_TRACK_DOMAIN

from .blocks import block, ident, record, signed
from .test_asterix import REPORT, contents, told


@pytest.mark.parametrize("category", [21, 48, 62])
def test_another_library_finds_the_same(category):
    """pyasteryx finds the same items in the same records, whatever is in them."""
    pyasteryx = pytest.importorskip("pyasteryx")
    rng, theirs = random.Random(category), pyasteryx.Decoder()
    known = {i for i in PROFILES[category] if i and i[0] not in ("RE", "SP")}
    for _ in range(300):
        items: dict[str, bytes] = {}
        for name, shape in rng.sample(sorted(known, key=lambda i: i[0]), rng.randint(1, 12)):
            items |= contents(shape, rng, name)
        (message,) = theirs.decode(block(category, record(category, items)))
        assert {n[5:] for n in message.items} == {n.partition(".")[0] for n in items}


def theirs_of(message: object) -> dict[str, object]:
    """What pyasteryx says in a record, by our columns."""
    items = message.items  # type: ignore[attr-defined]
    said: dict[str, object] = {}
    for name, item, *path in (
        ("altitude_ft", "I048/090", "FL"), ("speed_kn", "I048/200", "CGS"),
        ("course_deg", "I048/200", "CHdg"), ("squawk", "I048/070", "Mode3A"),
        ("callsign", "I048/240", "TId"), ("craft", "I048/220", "ACAddr"),
        ("lat", "I062/105", "Lat"), ("lon", "I062/105", "Lon"), ("altitude_ft", "I062/136", "MFL"),
        ("squawk", "I062/060", "Mode3A"), ("craft", "I062/380", "ADR", "ADR"),
        ("callsign", "I062/380", "ID", "ACID"), ("vertical_rate_fpm", "I062/220", "RoC"),
        ("lat", "I021/131", "Lat"), ("lon", "I021/131", "Lon"), ("altitude_ft", "I021/145", "FL"),
        ("craft", "I021/080", "TAddr"), ("callsign", "I021/170", "TId"),
        ("heading_deg", "I021/152", "MHdg"), ("squawk", "I021/070", "Mode3A"),
        ("speed_kn", "I021/160", "GS"), ("course_deg", "I021/160", "TA"),
    ):  # fmt: skip
        value = items.get(item)
        for step in path:
            value = value.get(step) if value else None
        if value not in (None, ""):
            said[name] = value * 3_600 if item == "I021/160" and name == "speed_kn" else value
    if "craft" in said:
        said["craft"] = AIR_DOMAIN + int(str(said["craft"]), 16)
    else:  # a radar's track without an address
        source = items["I048/010"]["SAC"] << 8 | items["I048/010"]["SIC"]
        said["craft"] = AIR_TRACK_DOMAIN + (source << 16 | items["I048/161"]["Tn"])
    if "squawk" in said:
        said["squawk"] = int(str(said["squawk"]))
    if "I048/090" in items or "I021/145" in items:
        said["altitude_ft"] = float(str(said["altitude_ft"])) * 100
    return said


def agree(row: dict[str, object], said: dict[str, object]) -> None:
    assert {n: row.get(n) for n in said} == {
        n: pytest.approx(v) if isinstance(v, float) else v for n, v in said.items()
    }


def test_another_library_reads_the_same_values_in_ads_b():
    pyasteryx = pytest.importorskip("pyasteryx")
    rng, theirs = random.Random(21), pyasteryx.Decoder()
    for _ in range(200):
        lat, lon = rng.uniform(-90, 90), rng.uniform(-180, 180)
        items = REPORT | {
            "131": signed(lat, 180 / (1 << 30), 4) + signed(lon, 180 / (1 << 30), 4),
            "145": signed(rng.uniform(-1_000, 50_000), 25, 2), "152": rng.randbytes(2),
            "160": struct.pack(">HH", rng.randrange(32_768), rng.randrange(65_536)),
            "070": struct.pack(">H", rng.randrange(4_096)),
            "170": ident("".join(rng.choices("ABCXYZ0189", k=rng.randint(1, 8)))),
        }  # fmt: skip
        row, refused = told(21, items)
        assert not refused
        (message,) = theirs.decode(block(21, record(21, items)))
        agree(row, theirs_of(message))


def test_another_library_reads_the_same_values_in_recordings(data_dir):
    pyasteryx = pytest.importorskip("pyasteryx")
    compared = 0
    for name in ("cat_034_048", "cat_062_065"):
        data = (data_dir / "air" / f"croatia_{name}.pcap").read_bytes()
        out, theirs = Decoded(), pyasteryx.Decoder(on_error="skip")
        blocks = AsterixBlocks()
        for datagram in PcapReader().push(data, out):
            rows = blocks.read(datagram.data, datagram.time_us, out)
            said = [m for m in theirs.decode(datagram.data) if m.category in (48, 62)]
            for row, message in zip(rows, said, strict=True):
                agree(row, theirs_of(message))
                compared += 1
    assert compared == 130
