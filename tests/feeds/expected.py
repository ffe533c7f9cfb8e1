"""What a kind's sample becomes, as text beside it (`expected.csv`).

python -m tests.feeds.expected KIND      writes it anew; look at the difference before you keep it
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import polars as pl

import samsyn.feeds
from samsyn.base.clock import ManualClock, iso, parse_iso
from samsyn.base.settings import FeedSettings
from samsyn.feeds.objects import brings_objects, marking_of, open_reader
from samsyn.feeds.report import FeedReport
from samsyn.feeds.runner import discover, open_feed
from samsyn.formats.foreign import Problem
from samsyn.observations.craft import craft_text

FEEDS = Path(samsyn.feeds.__file__).parent
READ_AT_US = parse_iso("2026-11-21T20:00:00Z")


def sample(kind: str) -> Path:
    """The one sample of a kind."""
    (found,) = sorted((FEEDS / kind).glob("sample.*"))
    return found


def read(kind: str, source: str, **settings: Any) -> tuple[pl.DataFrame, FeedReport]:
    """All rows of a file, and the report."""
    stream = open_feed(
        FeedSettings(name="try", kind=kind, source=source, **settings),
        originator="dk",
        exercise=kind in discover() and discover()[kind].exercise_only,
        clock=ManualClock(READ_AT_US),
        stop=threading.Event(),
    )
    batches = [delivery.batch for delivery in stream]
    return (pl.concat(batches) if batches else pl.DataFrame()), stream.report


def text(kind: str) -> str:
    """Rows of the sample without empty columns, then what was refused, a line each."""
    if brings_objects(kind):
        return _objects(kind)
    rows, report = read(kind, f"file:{sample(kind)}")
    names = [
        n for n in rows.columns if n not in ("time_us", "craft") and rows[n].null_count() < rows.height
    ]
    lines = [",".join(["time", "craft", *names])]
    for row in rows.iter_rows(named=True):
        fields = [iso(row["time_us"]), craft_text(row["craft"])]
        lines.append(",".join(fields + [_field(row[name]) for name in names]))
    for problem in report.problems:
        place = problem.where.rpartition("/")[2]
        lines.append(f"# {place}: {problem.reason} {problem.detail}".rstrip())
    return "\n".join([*lines, ""])


def _objects(kind: str) -> str:
    """Each object of the sample, with the marking that it gets where unmarked ones are TLP:AMBER."""
    lines = ["id,type,version,creator,removed,marking"]
    for one in open_reader(kind, "dk").read(sample(kind).read_bytes()):
        if isinstance(one, Problem):
            lines.append(f"# {one.what}: {one.reason} {one.detail}".rstrip())
        else:
            version = iso(one.version_us // 1_000_000 * 1_000_000) if one.version_us else ""
            fields = one.id, one.type, version, one.creator, one.removed, marking_of(one, "TLP:AMBER")
            lines.append(",".join(map(str, fields)))
    return "\n".join([*lines, ""])


def _field(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.5f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        (FEEDS / name / "expected.csv").write_text(text(name))
