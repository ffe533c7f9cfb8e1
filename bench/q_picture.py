"""How long does the server take for one frame of 100,000 live tracks?

The frame is what a signed-in page gets once a second for its viewport: chosen from the track table,
packed as Arrow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.measure import Row, seconds
from samsyn.formats.codes import TimeSource
from samsyn.observations.craft import DOMAIN_SEA, craft_key
from samsyn.observations.schema import make_batch
from samsyn.tracks.frame import frame
from samsyn.tracks.table import TrackTable

TRACKS = 100_000
NOW_US = 1_800_000_000_000_000
BOXES = {"all of them": (-180.0, -90.0, 180.0, 90.0), "a tenth of them": (10.0, 54.0, 12.0, 66.0)}


def rows() -> Iterator[Row]:
    """Milliseconds and bytes a frame, for the whole and for a viewport."""
    random = np.random.default_rng(1)
    table = TrackTable()
    base = craft_key(DOMAIN_SEA, 200_000_000)
    columns = {
        "time_us": NOW_US - random.integers(0, 60_000_000, TRACKS),
        "craft": base + np.arange(TRACKS),
        "lat": random.uniform(54, 66, TRACKS),
        "lon": random.uniform(10, 30, TRACKS),
        "speed_kn": random.uniform(0, 20, TRACKS),
        "course_deg": random.uniform(0, 360, TRACKS),
        "time_source": np.full(TRACKS, int(TimeSource.RECEIVED)),
    }
    columns["time_us"].sort()
    batch = make_batch(columns, feed="bench", originator="x", exercise=False)
    took = seconds(lambda: table.update(batch))
    corpus = f"{TRACKS:,} generated tracks"
    yield Row("one report of each craft into the table", TRACKS / took, "rows/s", corpus)
    for name, box in BOXES.items():
        took = seconds(lambda b=box: frame(table, b, NOW_US), 9)
        yield Row(f"frame of {name}", took * 1000, "ms", corpus)
        yield Row(f"size of a frame of {name}", len(frame(table, box, NOW_US)), "bytes", corpus)
