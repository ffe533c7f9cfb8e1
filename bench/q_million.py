"""What do a million live tracks cost?

Memory of one table for people (everything that is kept of a craft, smoothed beside), the time of a batch
of reports of craft all over it, and of a frame for the picture of a region and of the whole world.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from bench.measure import CPU, Row, seconds
from samsyn.base.limits import FEED_BATCH_ROWS, TRACKS
from samsyn.formats.codes import TimeSource
from samsyn.observations.craft import DOMAIN_SEA, craft_key
from samsyn.observations.schema import make_batch
from samsyn.tracks.frame import frame
from samsyn.tracks.table import TrackTable

NOW_US = 1_800_000_000_000_000
REGION = (14.0, 54.0, 22.0, 60.0)


def rows() -> Iterator[Row]:
    """A table filled to `limits.TRACKS`."""
    corpus = f"{TRACKS:,} generated ships"
    random = np.random.default_rng(1)
    gc.collect()
    before = _resident_mb()
    table = TrackTable(smooth=True)
    for begin in range(0, TRACKS, 100_000):
        table.update(_batch(np.arange(begin, begin + 100_000), NOW_US, random))
    gc.collect()
    yield Row("memory of the table", _resident_mb() - before, "MB", corpus)
    batches = [
        _batch(random.integers(0, TRACKS, FEED_BATCH_ROWS), NOW_US + k, random) for k in range(1, 31)
    ]
    at = iter(batches)
    took = seconds(lambda: [table.update(next(at)) for _ in range(10)], clock=CPU)
    yield Row("reports of any of them", 10 * FEED_BATCH_ROWS / took, "rows/s", corpus)
    took = seconds(lambda: frame(table, REGION, NOW_US), clock=CPU)
    yield Row("a frame of the Baltic", took * 1000, "ms", corpus)
    took = seconds(lambda: frame(table, (-180, -90, 180, 90), NOW_US), clock=CPU)
    yield Row("a frame of the world, as many tracks as a frame may have", took * 1000, "ms", corpus)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def _batch(number: np.ndarray, time_us: int, random: np.random.Generator) -> pl.DataFrame:
    count = len(number)
    columns = {
        "time_us": np.full(count, time_us),
        "craft": craft_key(DOMAIN_SEA, 200_000_000) + number,
        "lat": number * 0.37 % 130 - 60 + random.normal(0, 1e-5, count),
        "lon": number * 0.61 % 360 - 180 + random.normal(0, 1e-5, count),
        "speed_kn": random.uniform(0, 0.2, count),
        "course_deg": random.uniform(0, 360, count),
        "name": [f"SHIP {n}" for n in number.tolist()],
        "time_source": np.full(count, int(TimeSource.RECEIVED)),
    }
    return make_batch(columns, feed="bench", originator="dk", exercise=False)
