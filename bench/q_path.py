"""How much of the decoder's rate is left after plausibility, tracks and all detectors?

One thread, the whole file from memory to findings, as a node does it, beside the decoder alone: pyais,
which the bar is set against, and our own columns made with pyais's help.
"""

from __future__ import annotations

import gzip
import random
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from bench.measure import CPU, Row, corpus, rate, seconds
from bench.q_ais import _ours, _pyais
from samsyn.base.clock import SystemClock
from samsyn.base.limits import FEED_BATCH_ROWS
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import open_feed
from samsyn.tracks.table import TrackTable
from samsyn.watch.runner import Watch

FILE = "sea/dma_aisabnormal_ais-sample.txt.gz"
FILES = {
    FILE: "ais_nmea", "sea/nmea-sample.txt.gz": "ais_nmea", "air/rs1090_long_flight.csv.gz": "mode_s",
}  # fmt: skip
TIMES = 20
TARGETS, RADARS = 200_000, 5


def rows() -> Iterator[Row]:
    """Messages a second of the Danish sample, all in one process."""
    path = corpus(FILE)
    data = gzip.decompress(path.read_bytes())
    short = FILE.partition("/")[2]
    pyais = rate(lambda: _pyais(data), clock=CPU)
    columns = rate(lambda: _ours(data), clock=CPU)
    whole = rate(lambda: _whole(path), clock=CPU)
    yield Row("pyais alone", pyais, "messages/s", short)
    yield Row("our columns alone", columns, "messages/s", short, "pyais alone", columns / pyais)
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in FILES.items():
            plain = Path(folder) / "plain"
            plain.write_bytes(gzip.decompress(corpus(name).read_bytes()))
            table = rate(lambda plain=plain, kind=kind: _whole(plain, kind, watched=False), clock=CPU)
            yield Row("plain file to marks and tracks", table, "messages/s", name.partition("/")[2])
        plain.write_bytes(_targets())
        sites = {f"25/{n}": (55.0 + n, 12.0, 30.0) for n in range(RADARS)}
        more = {"date": "2026-11-22", "sites": sites}
        table = rate(lambda: _whole(plain, "asterix", watched=False, **more), clock=CPU)
        what = f"{TARGETS:,} generated CAT048 targets, one a block"
        yield Row("plain file to marks and tracks", table, "messages/s", what)
    crowd = _crowd(path)
    took = seconds(lambda: _watched(crowd), clock=CPU)
    yield Row("all detectors alone", crowd.height / took, "rows/s", f"{short}, {TIMES} times over")
    what = "file to tracks and all detectors"
    yield Row(what, whole, "messages/s", short, "pyais alone", whole / pyais)
    yield Row(what, whole, "messages/s", short, "our columns alone", whole / columns)


def _targets() -> bytes:
    """CAT048 as radars send it: source, time, kind, place, Mode A, level, address, call sign, track
    number, velocity."""
    rng, made = random.Random(1), []
    for k in range(TARGETS):
        time, craft = (43_200 * 128 + k // 200).to_bytes(3, "big"), k % 3_000
        place = struct.pack(">HH", rng.randrange(5 * 256, 200 * 256), rng.randrange(1 << 16))
        level = struct.pack(">H", rng.randrange(100, 1_600))
        way = struct.pack(">HH", rng.randrange(1_000, 2_000), rng.randrange(1 << 16))
        who = (0x400000 + craft).to_bytes(3, "big") + bytes.fromhex("4d3833d70c20")
        said = bytes([25, craft % RADARS]) + time + b"\xa0" + place + b"\x0f\x00" + level + who
        said += craft.to_bytes(2, "big") + way
        made.append(b"\x30" + struct.pack(">H", 3 + 2 + len(said)) + b"\xfd\xd4" + said)
    return b"".join(made)


def _whole(path: Path, kind: str = "ais_nmea", *, watched: bool = True, **more: Any) -> int:
    settings = FeedSettings(name="bench", kind=kind, source=f"file:{path}", **more)
    stream = open_feed(
        settings, originator="x", exercise=False, clock=SystemClock(), stop=threading.Event()
    )
    tracks, watch = TrackTable(), Watch() if watched else None
    for delivery in stream:
        tracks.update(delivery.batch)
        if watch:
            watch.feed(delivery.batch)
    if watch:
        watch.finish()
    return stream.report.messages


def _crowd(path: Path) -> pl.DataFrame:
    """The same ships some times over, each time with other numbers and a little further north."""
    settings = FeedSettings(name="bench", kind="ais_nmea", source=f"file:{path}")
    stream = open_feed(
        settings, originator="x", exercise=False, clock=SystemClock(), stop=threading.Event()
    )
    rows = pl.concat([delivery.batch for delivery in stream])
    moved = [
        rows.with_columns(pl.col("craft") + k * 7_919, pl.col("lat") + 0.01 * k) for k in range(TIMES)
    ]
    return pl.concat(moved).sort("time_us", maintain_order=True)


def _watched(rows: pl.DataFrame) -> None:
    watch = Watch()
    for part in rows.iter_slices(FEED_BATCH_ROWS):
        watch.feed(part)
    watch.finish()
