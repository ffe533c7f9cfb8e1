"""The watch over several feeds, clocks that run ahead, restarts, and what it refuses."""

from __future__ import annotations

import sys

import polars as pl
import pytest

from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.errors import ConfigError
from samsyn.observations.plausible import Mark
from samsyn.watch import step
from samsyn.watch.definition import discover
from samsyn.watch.finding import EVIDENCE_ROWS_MAX, Evidence
from samsyn.watch.runner import Watch
from tests.watch import cases as wc

CASES = {case["name"]: case for _, case in wc.cases()}
TWELVE_HOURS = CASES["not under command for twelve hours"]


def run(watch: Watch, rows: pl.DataFrame) -> list:
    return watch.feed(rows) + watch.finish()


def test_a_restart_that_feeds_the_rows_again_raises_the_same():
    rows = wc.batch(TWELVE_HOURS)
    once = run(Watch(), rows)
    watch = Watch()
    before = watch.feed(rows[:150])
    again = Watch()
    after = again.feed(rows[:150]) + again.feed(rows[150:]) + again.finish()
    assert before == once[: len(before)]
    assert after == once


def test_a_feed_that_lags_a_quarter_of_an_hour_raises_no_silence_and_loses_no_call():
    """Two feeds of one exercise, replayed fast: the second comes late by its rows' own times."""
    air = CASES["aircraft vanishes at height"]
    ahead = wc.batch(air)
    lagging = wc.batch(
        {
            "name": "lag",
            "legs": [
                {
                    "craft": "icao:f00001",
                    "from_s": 0,
                    "to_s": 3600,
                    "every_s": 10,
                    "lat": 56.1,
                    "lon": 14.6,
                    "to_lat": 56.9,
                    "to_lon": 16.4,
                    "speed_kn": 400,
                    "course_deg": 60,
                    "altitude_ft": 33000,
                    "squawk": 7700,
                    "feed": "second",
                }
            ],
        }
    )
    both = pl.concat(
        [
            ahead.with_columns(comes=pl.col("time_us")),
            lagging.with_columns(comes=pl.col("time_us") + 15 * MINUTE_US),
        ]
    )
    rows = both.sort("comes", maintain_order=True).drop("comes")
    found = run(Watch(), rows)
    late = [f for f in found if f.craft == "icao:f00001"]
    assert {f.detector for f in late} == {"emergency"}
    assert len({f.key for f in late}) == 1
    assert all(f.state == "open" for f in late)


def test_a_row_from_a_clock_that_runs_ahead_does_not_blind_the_watch():
    rows = wc.batch(TWELVE_HOURS)
    now_us = int(rows["time_us"][-1])
    mad = rows[:1].with_columns(time_us=pl.lit(now_us + 10**15))
    watch = Watch()
    found = watch.feed(pl.concat([mad, rows]), not_after_us=now_us + 60 * SECOND_US) + watch.finish()
    assert found == run(Watch(), rows)


def test_doubted_rows_raise_nothing():
    case = CASES["emergency for ten minutes"]
    rows = wc.batch(case)
    for mark in (Mark.BAD_IDENTITY, Mark.BAD_TIME):
        assert run(Watch(), rows.with_columns(marks=pl.lit(int(mark), pl.UInt16))) == []
    jumped = wc.batch(TWELVE_HOURS).with_columns(marks=pl.lit(int(Mark.JUMP), pl.UInt16))
    found = run(Watch(), jumped)
    assert {f.detector for f in found} <= {"implausible"}  # which judges by itself how far it was


def test_exercise_and_feed_follow_the_rows():
    rows = wc.batch(CASES["in the published band"]).with_columns(exercise=pl.lit(value=True))
    found = run(Watch(("drift",)), rows)
    assert {(f.exercise, f.feed) for f in found} == {(True, "mast")}


def test_an_unknown_detector_is_an_error_that_names_those_there_are():
    with pytest.raises(ConfigError, match="drift, emergency"):
        Watch(("witchcraft",))


def test_definitions_are_read_once_and_each_watch_has_a_table_of_its_own():
    first = discover()
    definition, _ = first.pop("drift")
    assert discover()["drift"][0] is definition
    assert list(discover(("drift", "activity"))) == ["activity", "drift"]


def test_a_quiet_step_costs_little():
    """A ship that sails on, heard every ten seconds: counted in calls, which no other load on the
    machine changes. They were 735, and are 418 since detectors leave what they have nothing to look
    at for."""
    way = {"lat": 55.0, "lon": 12.0, "to_lat": 55.0, "to_lon": 12.484, "speed_kn": 12, "course_deg": 90}
    said = {"craft": "mmsi:219000001", "heading_deg": 90, "nav_status": 0, "ship_type": 70, **way}
    leg = {"from_s": 0, "to_s": 5_000, "every_s": 10, **said}
    rows, watch, calls = wc.batch({"name": "quiet", "legs": [leg]}), Watch(), 0

    def count(frame: object, what: str, argument: object) -> None:
        nonlocal calls
        calls += what in ("call", "c_call")

    watch.feed(rows[:200])
    sys.setprofile(count)
    found = watch.feed(rows[200:])
    sys.setprofile(None)
    assert found == [] and rows.height == 501
    assert calls / 300 < 500, calls / 300


@pytest.mark.parametrize(
    "detector",
    ["drift", "emergency", "implausible", "interference", "silence", "sudden-stop", "zone-entry"],
)
def test_no_more_craft_are_followed_than_may_be(detector: str, monkeypatch: pytest.MonkeyPatch):
    """Six at once, and room for two: two are told at a time."""
    monkeypatch.setattr("samsyn.base.limits.CRAFT_FOLLOWED", 2)
    own = [case for id_, case in wc.cases() if id_ == detector and case["expect"] == "fires"]
    case = min(own, key=lambda one: wc.batch(one).height)
    rows = wc.batch(case)
    more = [rows.with_columns(craft=pl.col("craft") + 100 * k) for k in range(6)]
    found = run(Watch((detector,), wc.zones(case)), pl.concat(more).sort("time_us", maintain_order=True))
    going_on: set[str] = set()
    for finding in found:
        if finding.craft is not None:
            (going_on.add if finding.state == "open" else going_on.discard)(finding.key)
            assert len(going_on) <= 2
    assert any(finding.craft for finding in found)


def test_a_crowd_in_the_air_hides_no_pair_elsewhere(monkeypatch: pytest.MonkeyPatch):
    """Twenty at one point are 190 pairs, of which few may be followed; two others meet far away."""
    monkeypatch.setattr("samsyn.base.limits.SITUATIONS_FOLLOWED", 5)
    monkeypatch.setattr("samsyn.base.limits.AIRCRAFT_TOGETHER", 10)
    own = [case for id_, case in wc.cases() if id_ == "encounter-air" and case["expect"] == "fires"]
    rows = wc.batch(min(own, key=lambda one: wc.batch(one).height))
    alone = run(Watch(("encounter-air",)), rows)
    one = rows.filter(pl.col("craft") == rows["craft"][0])
    crowd = [
        one.with_columns(pl.col("craft") - 1 - k, pl.col("lat") + 3.0)  # lower keys come first
        for k in range(20)
    ]
    among = run(
        Watch(("encounter-air",)), pl.concat([*crowd, rows]).sort("time_us", maintain_order=True)
    )
    assert alone and {f.key: f for f in alone}.items() <= {f.key: f for f in among}.items()


def test_definitions_are_whole():
    """Every threshold says unit and source, every text both languages, and findings name only
    errors and endings that are defined."""
    for definition, _ in discover().values():
        for threshold in definition.thresholds.values():
            assert threshold.source and threshold.meaning.en and threshold.meaning.sv
        for text in (definition.title, definition.definition, definition.what_to_do):
            assert text.en and text.sv and text.en != text.sv
    for detector, case in wc.cases():
        definition, _ = discover()[detector]
        for finding in wc.watched(case, detector):
            assert set(finding.known_errors) <= {e.id for e in definition.known_errors}
            assert finding.known_errors
            assert finding.closed_because is None or finding.closed_because in definition.closed
            assert (finding.state == "closed") == (finding.end_us is not None)
            assert set(finding.thresholds) & set(finding.measured)


def test_evidence_stays_small_and_keeps_both_ends():
    evidence = Evidence(SECOND_US)
    for s in range(10_000):
        evidence.add({"time_us": s * SECOND_US})
    rows = [row["time_us"] for row in evidence.rows()]
    assert len(rows) <= EVIDENCE_ROWS_MAX
    assert (rows[0], rows[-1]) == (0, 9_999 * SECOND_US)
    assert rows == sorted(set(rows))


def test_a_flood_of_craft_leaves_those_known_before_watched(
    monkeypatch: pytest.MonkeyPatch,
):
    """A flood of invented identities costs bounded memory and silences no one who was there first."""
    monkeypatch.setattr(step, "TRACKS", 1)
    rows = wc.batch(TWELVE_HOURS)
    flood = rows.with_columns(craft=pl.col("craft") + 1 + pl.int_range(rows.height))
    both = pl.concat([rows[:1], flood, rows[1:]]).sort("time_us", maintain_order=True)
    assert run(Watch(), both) == run(Watch(), rows)
