"""How much of the decoder's rate is left after plausibility, tracks and all detectors?

One thread, the whole file from memory to findings, as a node does it, beside the decoder alone: pyais,
which the bar is set against, and our own columns made with pyais's help.
"""

from __future__ import annotations

import gzip
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from bench.measure import CPU, Row, corpus, rate
from bench.q_ais import _ours, _pyais
from samsyn.base.clock import SystemClock
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import open_feed
from samsyn.tracks.table import TrackTable
from samsyn.watch.runner import Watch

FILE = "sea/dma_aisabnormal_ais-sample.txt.gz"
FILES = {
    FILE: "ais_nmea", "sea/nmea-sample.txt.gz": "ais_nmea", "air/rs1090_long_flight.csv.gz": "mode_s",
}  # fmt: skip


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
    what = "file to tracks and all detectors"
    yield Row(what, whole, "messages/s", short, "pyais alone", whole / pyais)
    yield Row(what, whole, "messages/s", short, "our columns alone", whole / columns)


def _whole(path: Path, kind: str = "ais_nmea", *, watched: bool = True) -> int:
    settings = FeedSettings(name="bench", kind=kind, source=f"file:{path}")
    stream = open_feed(
        settings, originator="x", exercise=False, clock=SystemClock(), stop=threading.Event()
    )
    tracks, watch = TrackTable(), Watch()
    for delivery in stream:
        tracks.update(delivery.batch)
        if watched:
            watch.feed(delivery.batch)
    watch.finish()
    return stream.report.messages
