"""Makes the extracts of real recordings that are carried in the project.

    python exercises/make_extracts.py FOLDER        FOLDER holds the recordings named below

The recordings are samples that the Python package `traffic` ships (its folder data/samples, MIT
licence). Each is read by the ordinary feed, thinned, and written in our own columns with its source
in the first line. The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import sys
import threading
from pathlib import Path

import polars as pl

from samsyn.base.clock import ManualClock, iso
from samsyn.base.geo import bearing_deg
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import open_feed
from samsyn.observations.craft import craft_text

TARGET = Path(__file__).parent.parent / "src/samsyn/feeds/columns/extracts"
EVERY_S = 10
EXTRACTS = {
    "bornholm": (
        "traffic_calibration_bornholm.json.gz",
        "calibration flight at Roenne, Bornholm, 2018-11-26",
    ),
    "fyn": ("traffic_survey_fyn.json.gz", "survey flight over Fyn and the sound, 2018-04-19"),
}
DIGITS = {"lat": 5, "lon": 5, "altitude_ft": 0, "speed_kn": 0, "course_deg": 0, "vertical_rate_fpm": 0}
TEXTS = ("squawk", "callsign")


def extract(recording: Path, what: str) -> bytes:
    """The recording as CSV in our columns, one row in `EVERY_S` seconds."""
    settings = FeedSettings(name="extract", kind="opensky", source=f"file:{recording}")
    stream = open_feed(
        settings, originator="extract", exercise=True, clock=ManualClock(), stop=threading.Event()
    )
    rows = pl.concat([delivery.batch for delivery in stream]).sort("time_us")
    step = pl.col("time_us") // (EVERY_S * 1_000_000)
    rows = rows.with_columns(step.alias("step")).unique("step", keep="first", maintain_order=True)
    if (float(rows["course_deg"].max() or 0)) < 128:  # kept in eight bits by whoever made it: of no use
        rows = rows.with_columns(course_deg=_bearings(rows))
    names = [name for name in (*DIGITS, *TEXTS) if rows[name].null_count() < rows.height]
    lines = [
        f"# SOURCE: Python package traffic, data/samples/{recording.name.removeprefix('traffic_')}"
        f" ({what}); MIT licence, Copyright Xavier Olive",
        f"# Converted to Samsyn's columns, one row in {EVERY_S} s; where the sample's course is damaged,"
        " the bearing to the next position stands for it.",
        ",".join(["time", "craft", *names]),
    ]
    for row in rows.iter_rows(named=True):
        fields = [iso(row["time_us"]), craft_text(row["craft"])]
        lines.append(",".join(fields + [_field(name, row[name]) for name in names]))
    return "\n".join([*lines, ""]).encode()


def _bearings(rows: pl.DataFrame) -> pl.Series:
    """The direction from each position to the next; the last one's is that before it."""
    lat, lon = rows["lat"].to_numpy(), rows["lon"].to_numpy()
    bearing = bearing_deg(lat[:-1], lon[:-1], lat[1:], lon[1:])
    return pl.Series([*bearing, bearing[-1]], dtype=pl.Float32)


def _field(name: str, value: float | str | None) -> str:
    if value is None:
        return ""
    if name in DIGITS:
        return f"{value:.{DIGITS[name]}f}"
    return f"{value:04d}" if name == "squawk" else str(value)


def main() -> None:
    folder = Path(sys.argv[1])
    for name, (recording, what) in EXTRACTS.items():
        packed = gzip.compress(extract(folder / recording, what), mtime=0)
        (TARGET / f"{name}.csv.gz").write_bytes(packed)
        sys.stdout.write(f"{name}: {len(packed):,} bytes\n")


if __name__ == "__main__":
    main()
