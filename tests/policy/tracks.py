"""Live tracks for tests: rows as a feed brings them, states, and the policy read plainly, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from samsyn.base import geo
from samsyn.formats.codes import TimeSource
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key
from samsyn.observations.schema import make_batch
from samsyn.policy import Facts, Policy
from samsyn.policy.areas import Place
from samsyn.policy.conditions import misses
from samsyn.policy.rules import TRACK, Rule
from samsyn.subjects import declared
from samsyn.tracks.state import TrackState
from samsyn.tracks.table import TrackTable

NOW_US = 1_795_292_100_000_000  # 2026-11-21T20:15:00Z
SHIP = craft_key(DOMAIN_SEA, 212_123_000)
PLANE = craft_key(DOMAIN_AIR, 0x4CA123)


def row(
    craft: int = SHIP, lat: float = 55.123456, lon: float = 15.654321, **more: Any
) -> dict[str, Any]:
    """One report with everything in it."""
    sea = craft >> 32 == DOMAIN_SEA
    said = {
        "time_us": NOW_US - 3_000_000,
        "craft": craft,
        "lat": lat,
        "lon": lon,
        "speed_kn": 7.25,
        "course_deg": 123.5,
        "heading_deg": 125.0,
        "callsign": "OXAB",
        "time_source": int(TimeSource.RECEIVED),
        **({"name": "SALLY", "ship_type": 70, "nav_status": 5} if sea else {}),
        **({} if sea else {"altitude_ft": 1200.0, "squawk": 7000, "on_ground": False}),
    }
    return {**said, **more}


def batch(*rows: dict[str, Any], feed: str = "roof", exercise: bool = True) -> pl.DataFrame:
    names = sorted({name for said in rows for name in said})
    columns = {name: [said.get(name) for said in rows] for name in names}
    return make_batch(columns, feed=feed, originator="dk", exercise=exercise)


def state(*rows: dict[str, Any], feed: str = "roof", now_us: int = NOW_US) -> TrackState:
    table = TrackTable(16)
    if rows:
        table.update(batch(*rows, feed=feed))
    return table.state(feed, now_us)


def facts_of_row(said: dict[str, Any], feed: str, marking: str) -> Facts:
    """What rules may look at of one row."""
    lat, lon = said["lat"], said["lon"]
    return Facts(
        kind=TRACK,
        originator="dk",
        marking=marking,
        onward="no",
        exercise=True,
        at_us=said["time_us"],
        slots=declared(TRACK),
        subject="sea" if said["craft"] >> 32 == DOMAIN_SEA else "air",
        place=Place((lon, lat, lon, lat), (geo.cell(lat, lon, 7),), (lat, lon)),
        feed=feed,
        foreign=False,
    )


def plainly(
    policy: Policy, facts: Facts, reader: str, now_us: int, rules: Sequence[Rule] | None = None
) -> frozenset[str] | None:
    """The columns that `reader` may have of one row; None: the row does not leave."""
    applying = [r for r in rules or policy.track_rules if not misses(r, facts, reader, now_us)]
    if not applying or any(r.deny for r in applying):
        return None
    return frozenset().union(*(r.slots(TRACK, facts.slots) for r in applying))
