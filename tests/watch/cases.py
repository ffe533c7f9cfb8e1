"""Cases of detectors: legs, written as ends and a pace, to batches.

A case is one line of a `cases.jsonl`:

    name, why    what it is, and why it fires or stays silent
    source       where its numbers come from
    expect       "fires" or "silent"
    findings     what must be found: for each its values by name (a subset of Finding; `raised_by_s`
                 and `closed_by_s` bound the times of the first and the closed revision)
    zones        features of a FeatureCollection
    legs         craft, from_s, to_s, every_s, lat, lon, to_lat, to_lon and any other column, constant;
                 count: so many craft with successive numbers, `step_lat` and `step_lon` apart, each
                 `step_s` later
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from typing import Any

import polars as pl

from samsyn.base.clock import SECOND_US, parse_iso
from samsyn.observations.craft import craft_from_text
from samsyn.observations.plausible import Plausibility
from samsyn.observations.schema import make_batch
from samsyn.watch.finding import Finding
from samsyn.watch.runner import Watch
from samsyn.watch.zones import Zone, zones_of

BEGIN_US = parse_iso("2030-01-01T00:00:00Z")
_LEG = {
    "craft",
    "from_s",
    "to_s",
    "every_s",
    "lat",
    "lon",
    "to_lat",
    "to_lon",
    "count",
    "step_lat",
    "step_lon",
    "step_s",
}


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Detector id and case, of all detectors."""
    found = []
    for folder in sorted(resources.files("samsyn.watch.detectors").iterdir(), key=lambda f: f.name):
        if (folder / "cases.jsonl").is_file():
            for line in (folder / "cases.jsonl").read_text("utf-8").splitlines():
                found.append((folder.name.replace("_", "-"), json.loads(line)))
    return found


def zones(case: dict[str, Any]) -> list[Zone]:
    return zones_of({"type": "FeatureCollection", "features": case.get("zones", [])}, case["name"])


def batch(case: dict[str, Any]) -> pl.DataFrame:
    """All rows of a case, in order of time."""
    rows: list[dict[str, Any]] = []
    for leg in case["legs"]:
        rows += _rows(leg)
    rows.sort(key=lambda row: row["time_us"])
    names = sorted({name for row in rows for name in row} - {"feed"})
    feeds: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        feeds.setdefault(row.get("feed", "mast"), []).append(row)
    made = []
    for feed, some in feeds.items():
        columns: dict[str, Any] = {name: [row.get(name) for row in some] for name in names}
        columns["time_source"] = [4] * len(some)
        some_rows = make_batch(columns, feed=feed, originator="dk", exercise=False)
        made.append(Plausibility().mark(some_rows))
    return pl.concat(made).sort("time_us", maintain_order=True)


def _rows(leg: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    first = craft_from_text(leg["craft"])
    more = {name: value for name, value in leg.items() if name not in _LEG}
    length_s = max(leg["to_s"] - leg["from_s"], 1)
    for k in range(leg.get("count", 1)):
        at_s = leg["from_s"]
        while at_s <= leg["to_s"]:
            row = {
                "time_us": BEGIN_US + int((at_s + k * leg.get("step_s", 0)) * SECOND_US),
                "craft": first + k,
                **more,
            }
            if "lat" in leg:
                share = (at_s - leg["from_s"]) / length_s
                row["lat"] = leg["lat"] + share * (leg.get("to_lat", leg["lat"]) - leg["lat"])
                row["lon"] = leg["lon"] + share * (leg.get("to_lon", leg["lon"]) - leg["lon"])
                row["lat"] += k * leg.get("step_lat", 0.0)
                row["lon"] += k * leg.get("step_lon", 0.0)
            rows.append(row)
            at_s += leg["every_s"]
    return rows


def watched(case: dict[str, Any], detector: str | None, cuts: Sequence[int] = ()) -> list[Finding]:
    """The revisions that a watch writes over a case, its rows cut into batches at `cuts`."""
    return watch_rows(case, batch(case), detector, cuts)


def watch_rows(
    case: dict[str, Any], rows: pl.DataFrame, detector: str | None, cuts: Sequence[int]
) -> list[Finding]:
    watch = Watch((detector,) if detector else (), zones(case))
    found = []
    for a, b in pairwise([0, *sorted(cuts), rows.height]):
        found += watch.feed(rows[a:b])
    return found + watch.finish()
