"""Poison: whatever comes, no kind of feed falls over, takes much memory, or loses what was good.

The quick tests are few of each; the nightly one is the same with thousands of mutations.
"""

from __future__ import annotations

import json
import random
import re
import struct
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import pairwise
from operator import xor

import polars as pl
import pytest
from click.testing import CliRunner

from samsyn.base import limits
from samsyn.base.clock import DAY_US, iso, parse_iso
from samsyn.base.settings import FeedSettings
from samsyn.cli import main
from samsyn.feeds.objects import marking_of, open_reader
from samsyn.feeds.runner import discover
from samsyn.formats.foreign import Foreign, Problem, Unreadable
from samsyn.observations.plausible import Mark, Plausibility
from samsyn.observations.schema import make_batch
from samsyn.statements.marking import MARKINGS
from samsyn.tracks.table import TrackTable

from .expected import READ_AT_US, read, sample

KINDS = [
    name
    for name, kind in sorted(discover().items())
    if not kind.exercise_only and kind.brings != "objects"
]
OBJECTS = [name for name, kind in sorted(discover().items()) if kind.brings == "objects"]
DOCUMENTS = ("opensky", "readsb", "readsb_trace")  # whole or not at all
GIVEN = {"feed": "try", "originator": "dk", "exercise": False}


def decoded(kind: str, pieces: list[bytes]) -> tuple[pl.DataFrame, Counter[str]]:
    """All rows, marked, as a node would have them; and what was refused."""
    settings = FeedSettings(name="try", kind=kind, source="file:x")
    decoder = discover()[kind].decoder(settings)
    outs = [out for piece in pieces for out in decoder.push(piece, READ_AT_US)]
    outs += decoder.end(READ_AT_US)
    marks = Plausibility()
    batches = [marks.mark(make_batch(out.columns, **GIVEN)) for out in outs if out.rows]
    refused = sum((out.refused for out in outs), Counter())
    assert all(sum(out.refused.values()) >= 0 and len(out.problems) <= 100 for out in outs)
    return (pl.concat(batches) if batches else pl.DataFrame(schema=make_batch_schema())), refused


def make_batch_schema() -> pl.Schema:
    empty: dict[str, list[int]] = {"time_us": [], "craft": [], "time_source": []}
    return make_batch(empty, **GIVEN).schema


def said(rows: pl.DataFrame) -> list[tuple]:
    return rows.select("time_us", "craft", "lat", "lon", "callsign").rows()


def flipped(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def burst(data: bytes, rng: random.Random) -> bytes:
    """Some bytes in a row are something else."""
    at, size = rng.randrange(len(data)), rng.randrange(1, 40)
    return data[:at] + rng.randbytes(size) + data[at + size :]


def left_out(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randrange(1, 40) :]


def doubled(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(data)) for _ in range(2))
    return data[:b] + data[a:b] + data[b:]


def grown(data: bytes, rng: random.Random) -> bytes:
    """A digit becomes many: numbers far beyond what any field may hold."""
    digits = [i for i, c in enumerate(data) if 48 <= c <= 57]
    at = rng.choice(digits) if digits else 0
    return data[:at] + rng.choice((b"9" * 30, b"-1", b"1e999", b"NaN", b"0x", b"")) + data[at + 1 :]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flipped, burst, left_out, doubled, grown,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_random_what_came_before_is_all_there(kind):
    data, rng = sample(kind).read_bytes(), random.Random(1)
    whole = said(decoded(kind, [data])[0])
    for _ in range(25):
        rows, refused = decoded(kind, [data[: rng.randrange(len(data))]])
        if kind in DOCUMENTS:
            assert not said(rows)
            assert refused["not-json"] <= 1
        else:
            cut = said(rows)
            # the last line may be cut where it still is one
            assert cut[:-1] == whole[: max(len(cut) - 1, 0)]


@pytest.mark.parametrize("kind", KINDS)
def test_in_any_pieces_it_is_the_same(kind):
    data, rng = sample(kind).read_bytes(), random.Random(2)
    whole, refused = decoded(kind, [data])
    for _ in range(10):
        edges = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(6))})
        rows, again = decoded(kind, [data[a:b] for a, b in pairwise(edges)])
        assert (sorted(said(rows), key=str), again) == (sorted(said(whole), key=str), refused)


@pytest.mark.parametrize("kind", KINDS)
def test_mutations(kind):
    mutate(kind, 20)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_many_mutations(kind):
    mutate(kind, 4_000)


def mutate(kind: str, times: int) -> None:
    """Each mutation, many times, sometimes one upon another; what follows still comes."""
    data, rng = sample(kind).read_bytes(), random.Random(times)
    good = len(said(decoded(kind, [data])[0]))
    for mutation in MUTATIONS:
        for i in range(times):
            damaged = mutation(data, rng)
            while i % 3 == 2 and rng.random() < 0.5:
                damaged = rng.choice(MUTATIONS)(damaged, rng)
            rows, _ = decoded(kind, [damaged])
            assert rows.schema == make_batch_schema()
            if mutation is flipped and i % 3 < 2 and kind not in DOCUMENTS and kind != "asterix":
                header = kind in ("columns", "table")  # a wrong header is a wrong table
                assert header or len(rows) >= good - 4


def in_places(data: bytes, rng: random.Random) -> bytes:
    """One value anywhere in a document is something else."""
    document = json.loads(data)
    at, name = document, None
    while isinstance(at, dict | list) and at and (name is None or rng.random() < 0.8):
        name = rng.choice(list(at) if isinstance(at, dict) else range(len(at)))
        held, at = at, at[name]
    odd = (
        None,
        True,
        -1,
        1 << 70,
        1e308,
        "",
        "\0",
        "9" * 5_000,
        "\ud800",
        [],
        {},
        [[]],
        {"": {}},
        data[:9].hex(),
    )
    held[name] = rng.choice(odd)
    return json.dumps(document).encode()


@pytest.mark.parametrize("kind", OBJECTS)
def test_mutations_of_objects(kind):
    mutate_objects(kind, 150)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", OBJECTS)
def test_many_mutations_of_objects(kind):
    mutate_objects(kind, 5_000)


def mutate_objects(kind: str, times: int) -> None:
    """A document is refused whole, or each of its objects is taken or told, under a marking that there
    is; never another error."""
    data, rng = sample(kind).read_bytes(), random.Random(times)
    for mutation in (*MUTATIONS, in_places):
        refused = 0
        for _ in range(times):
            try:
                found = list(open_reader(kind, "dk").read(mutation(data, rng)))
            except Unreadable:
                refused += 1
                continue
            for one in found:
                assert isinstance(one, Foreign | Problem)
                assert isinstance(one, Problem) or marking_of(one, "TLP:AMBER") in MARKINGS
        assert mutation is not in_places or refused < times / 2  # it is the objects that are tried


FOREVER = {
    "zeros": b"\0", "letters": b"x", "ones": b"\xff", "braces": b"[", "escapes": b"\x1a\x1a",
    "quotes": b'"',
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["escapes", "ones"])
def test_a_feed_without_an_end_takes_little_memory(kind, what, monkeypatch):
    endless(kind, what, 12, monkeypatch)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", FOREVER)
def test_a_feed_of_100_mb_without_an_end_takes_little_memory(kind, what, monkeypatch):
    endless(kind, what, 100, monkeypatch)


def endless(kind: str, what: str, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many pieces of a megabyte behind a good beginning; far less is held, and it is told."""
    monkeypatch.setattr("samsyn.feeds.framing.limits.JSON_DOCUMENT_BYTES", 2 * limits.MIB)
    begin = sample(kind).read_bytes()[:64]
    piece = FOREVER[what] * (limits.FEED_READ_BYTES // len(FOREVER[what]))
    settings = FeedSettings(name="try", kind=kind, source="file:x")
    decoder = discover()[kind].decoder(settings)
    refused: Counter[str] = Counter()
    tracemalloc.start()
    for data in (begin, *[piece] * pieces):
        for out in decoder.push(data, READ_AT_US):
            refused += out.refused
    for out in decoder.end(READ_AT_US):
        refused += out.refused
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * limits.MIB
    assert refused


TIMES = ("2038-01-19T03:14:07Z", "2038-01-19T03:14:08Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z",
         "1969-12-31T23:59:59Z", "2099-12-31T23:59:59Z", "2150-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
         "0001-01-01T00:00:00Z")  # fmt: skip


@pytest.mark.parametrize("kind", ["columns", "table"])
def test_times_beyond_belief(tmp_path, kind):
    """Kept where a day has such a number and told where not, and never a row with another time."""
    names = {"columns": "time,craft,lat,lon", "table": "time,mmsi,lat,lon"}[kind]
    who = {"columns": "mmsi:219000123", "table": "219000123"}[kind]
    times = [*TIMES, "2023-11-14T22:13:20Z", "2023-11-14T22:13:10Z", "2023-11-14T22:13:30Z"]
    (tmp_path / "t.csv").write_text(names + "\n" + "".join(f"{t},{who},55.5,12.5\n" for t in times))
    rows, report = read(kind, f"file:{tmp_path / 't.csv'}")
    assert set(map(iso, rows["time_us"])) <= set(times)
    assert rows.height + sum(report.refused.values()) == len(times)
    last = rows.filter(pl.col("time_us") == parse_iso("2023-11-14T22:13:10Z"))
    assert last["marks"][0] & Mark.BAD_TIME


YEARS = {
    "1970": "1970-02-01",  # in its first days a number of seconds is so short that AIS has it for none
    "2038": "2038-01-19",  # after the instant at which 32 bits end
}
_NUMBER = re.compile(rb"\b1[0-9]{9}\b")  # of seconds since 1970, in all samples that have them
_DATE = re.compile(rb"\b(20\d\d)([-/,])(\d\d)([-/,])(\d\d)(?!\d)")
_SUMMED = re.compile(rb"(\\|\$)([^*!\\$]*)\*[0-9A-F]{2}")  # a tag block, a sentence


def moved(data: bytes, days: int) -> bytes:
    """A sample in which every time is so many days later, in whichever way it is written."""
    if data[:4] == b"\xd4\xc3\xb2\xa1":  # a capture: seconds, microseconds, length, length, packet
        out, at = data[:24], 24
        while at < len(data):
            seconds, micros, length, whole = struct.unpack_from("<4I", data, at)
            out += struct.pack("<4I", seconds + days * 86_400, micros, length, whole)
            out, at = out + data[at + 16 : at + 16 + length], at + 16 + length
        return out
    data = _NUMBER.sub(lambda n: str(int(n[0]) + days * 86_400).encode(), data)
    data = _DATE.sub(lambda d: _later(d, days), data)
    return _SUMMED.sub(lambda t: b"%s%s*%02X" % (t[1], t[2], reduce(xor, t[2])), data)


def _later(found: re.Match[bytes], days: int) -> bytes:
    year, first, month, second, day = found.groups()
    then = date(int(year), int(month), int(day)) + timedelta(days)
    return b"%d%s%02d%s%02d" % (then.year, first, then.month, second, then.day)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_years_1970_and_2038(tmp_path, kind, year):
    """The same rows, and each time on that day to the microsecond; what is refused is so by name."""
    here = {} if kind != "beast" else {"date": "2023-11-14T22:13:20Z"}  # no time in it but a counter
    rows, report = read(kind, f"file:{sample(kind)}", **here)
    first = datetime.fromtimestamp(rows["time_us"].min() // 1_000_000, UTC).date()
    days = (date.fromisoformat(YEARS[year]) - first).days
    if here:
        here = {"date": f"{YEARS[year]}T22:13:20Z"}
    (tmp_path / "then").write_bytes(moved(sample(kind).read_bytes(), days))
    then, told = read(kind, f"file:{tmp_path / 'then'}", **here)
    assert (then["time_us"] - days * DAY_US).to_list() == rows["time_us"].to_list()
    others = pl.exclude("time_us", "marks")
    assert then.select(others).equals(rows.select(others))
    assert told.refused == report.refused


def test_an_ais_stream_whose_times_jump(tmp_path):
    line = "!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23"
    tagged = []
    for second in (1_700_000_000, 1_700_000_010, 1_600_000_000, 2_147_483_648, 0, 1, 1_700_000_020):
        tag = f"c:{second}"
        sum_ = 0
        for c in tag.encode():
            sum_ ^= c
        tagged.append(f"\\{tag}*{sum_:02X}\\{line}\n")
    (tmp_path / "t.nmea").write_text("".join(tagged))
    rows, report = read("ais_nmea", f"file:{tmp_path / 't.nmea'}")
    assert rows.height == 7
    assert rows["time_us"].max() <= 2_147_483_648_000_000
    assert rows["marks"][2] & Mark.BAD_TIME
    assert sum(report.refused.values()) <= 2


def test_latitude_91_and_nobody(tmp_path):
    (tmp_path / "t.csv").write_text(
        "time,craft,lat,lon\n2023-11-14T22:13:20Z,mmsi:000000000,91,181\n"
        "2023-11-14T22:13:21Z,icao:000000,-91,-181\n2023-11-14T22:13:22Z,icao:ffffff,1e308,-1e308\n"
    )
    rows, report = read("columns", f"file:{tmp_path / 't.csv'}")
    assert rows.height + sum(report.refused.values()) == 3
    assert (rows["marks"] > 0).all()


CROWDS = {
    "ships that lie": (10_000, ["mmsi:{:09d}"], 219_000_000, 600, 0.0, ",0.1,90,,"),
    "aircraft and a radar's tracks": (
        10_000, ["icao:{:06x}", "air-track:{:08x}"], 0x4C0000, 10, 0.018, ",388.8,0,30000,",
    ),
    "aircraft that all call for help": (
        2_000, ["icao:{:06x}"], 0x4C0000, 10, 0.018, ",388.8,0,30000,7700",
    ),
}  # fmt: skip


@pytest.mark.parametrize("crowd", CROWDS)
def test_ten_thousand_craft_at_one_point(tmp_path, crowd, monkeypatch):
    """Through the feed, every detector and the track table: no pair of 10,000 at one place may become
    50 million, and what is followed is bounded."""
    count, names, first, every_s, north_deg, said = CROWDS[crowd]
    monkeypatch.setattr("samsyn.base.limits.CRAFT_FOLLOWED", 500)
    start = parse_iso("2023-11-14T22:00:00Z")
    lines = ["time,craft,lat,lon,speed_kn,course_deg,altitude_ft,squawk"]
    for report in range(4):
        at = f"{iso(start + report * every_s * 1_000_000)},"
        where = f",{55.5 + report * north_deg:.6f},12.5{said}"
        lines += [at + name.format(first + i) + where for name in names for i in range(count)]
    (tmp_path / "crowd.csv").write_text("\n".join([*lines, ""]))
    path = str(tmp_path / "crowd.csv")
    result = CliRunner().invoke(main, ["feed", "try", path, "--findings", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["rows"], told["craft"]) == (4 * count * len(names), count * len(names))
    assert told["refused"] == {} and len(told["findings"]) <= 4 * 500
    rows, _ = read("columns", f"file:{path}")
    table = TrackTable(smooth=True)
    table.update(rows)
    assert len(table) == count * len(names)


def test_a_capture_of_10_000_days(tmp_path):
    """Rows of many days in one batch are no more than rows."""
    lines = ["time,craft,lat,lon"]
    lines += [f"{iso(DAY_US * (1 + i))},mmsi:219000123,55.5,12.5" for i in range(10_000)]
    (tmp_path / "days.csv").write_text("\n".join([*lines, ""]))
    rows, report = read("columns", f"file:{tmp_path / 'days.csv'}")
    assert (rows.height, report.refused) == (10_000, {})
