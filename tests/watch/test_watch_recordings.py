"""What the watch finds in real recordings: every finding is expected, or explained here."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from samsyn.base.clock import HOUR_US, ManualClock, parse_iso
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import open_feed
from samsyn.watch.finding import Finding
from samsyn.watch.plot import plot
from samsyn.watch.runner import Watch
from samsyn.watch.zones import Zone, shipped


def batches(path: Path, kind: str) -> list[pl.DataFrame]:
    settings = FeedSettings(name="try", kind=kind, source=f"file:{path}")
    stream = open_feed(
        settings, originator="dk", exercise=False, clock=ManualClock(0), stop=threading.Event()
    )
    return [delivery.batch for delivery in stream]


def findings(rows: list[pl.DataFrame], zones: Sequence[Zone] = ()) -> list[Finding]:
    watch = Watch(zones=zones)
    found = [finding for batch in rows for finding in watch.feed(batch)]
    return found + watch.finish()


@pytest.fixture(scope="module")
def drift(data_dir: Path) -> list[Finding]:
    return findings(batches(data_dir / "sea/dma_212123000_drift_1.ais", "ais_nmea"))


def test_twelve_hours_not_under_command_are_one_finding(drift: list[Finding]):
    """She loses way at about 17:00 and is under way again at about 05:20."""
    assert {(f.key, f.detector, f.craft) for f in drift} == {
        ("drift/mmsi:212123000/2014-10-02T17:17:46.324Z", "drift", "mmsi:212123000")
    }
    assert [f.revision for f in drift] == list(range(1, len(drift) + 1))
    assert [f.state for f in drift] == ["open"] * (len(drift) - 1) + ["closed"]
    first, last = drift[0], drift[-1]
    began_us = parse_iso("2014-10-02T17:00:00Z")
    assert first.start_us - began_us < HOUR_US / 2
    assert first.updated_us - began_us < HOUR_US
    assert last.closed_because == "under-way"
    assert last.end_us is not None
    assert parse_iso("2014-10-03T05:00:00Z") < last.end_us < parse_iso("2014-10-03T05:30:00Z")
    assert last.updated_us < parse_iso("2014-10-03T05:40:00Z")
    assert last.measured["net_m"] > 13_000
    assert 0.4 < last.measured["speed_kn"] < 0.8
    assert 90 < last.measured["turn_deg"] < 140
    assert first.measured["net_m"] > first.thresholds["net_m"]


def test_its_plot_shows_it(drift: list[Finding]):
    last = drift[-1]
    assert len(last.evidence) <= 200
    before = [row["speed_kn"] for row in last.evidence if row["time_us"] < last.start_us]
    assert max(before) > 5  # the way she lost is in the plot
    during = [r for r in last.evidence if last.start_us <= r["time_us"] <= (last.end_us or 0)]
    assert all(row["speed_kn"] < 1 for row in during)
    svg = plot(last)
    assert len(re.findall(r"<circle", svg)) > 150
    assert "currentColor" in svg


def test_five_minutes_off_denmark_raise_nothing(data_dir: Path):
    """1,508 craft, 49 at anchor, 102 fishing, 2 not under command. No drift: that takes ten minutes.
    No call for help: a merchant ship with status 14 is no beacon. No silence: that takes hours. Two
    pairs of freighters meet, in the Kiel Canal: without the zones nobody knows that it is one."""
    rows = batches(data_dir / "sea/dma_aisabnormal_ais-sample.txt.gz", "ais_nmea")
    assert sum(batch.height for batch in rows) > 25_000
    assert findings(rows, shipped("baltic-harbours")) == []
    found = findings(rows)
    assert {(f.detector, f.craft, f.other) for f in found} == {
        ("encounter-sea", "mmsi:218278000", "mmsi:304011028"),
        ("encounter-sea", "mmsi:234607000", "mmsi:636092297"),
    }
    assert all("narrow-water" in f.known_errors for f in found)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("sea/dma_aislib_stream_example.txt", "ais_nmea"),
        ("air/traffic_calibration_bornholm.json.gz", "opensky"),
        ("air/traffic_calibration_kiruna.json.gz", "opensky"),
        ("air/traffic_survey_fyn.json.gz", "opensky"),
        ("air/sdre_aircraft_1.json", "readsb"),
    ],
)
def test_quiet_recordings_stay_quiet(data_dir: Path, path: str, kind: str):
    """A single receiver's single aircraft never counts as silence: nobody else is heard there."""
    assert findings(batches(data_dir / path, kind)) == []


def test_a_receiver_whose_clock_errs_makes_an_aircraft_jump(data_dir: Path):
    """The known error is `clock`: the recording is named for it."""
    found = findings(batches(data_dir / "air/noisy_time_issue.json.gz", "opensky"))
    assert {(f.detector, f.craft) for f in found} == {("implausible", "icao:4b1815")}
    assert all("clock" in f.known_errors for f in found)


def test_three_aircraft_vanish_over_paris(data_dir: Path):
    """All three climb southward out of Paris and end above 25,000 ft, 20 NM before others do: the
    recording is a selection and ends them there. Their known error is `filtered`. And two cross 2.4 NM
    and 840 ft apart at about 10,000 ft on the way in and out."""
    found = findings(batches(data_dir / "air/traffic_quickstart.json.gz", "opensky"))
    (near,) = {f.key: f for f in found if f.detector != "silence"}.values()
    assert (near.detector, near.craft, near.other) == ("encounter-air", "icao:3944e7", "icao:400804")
    first = {f.craft: f for f in reversed(found) if f.detector == "silence"}
    assert set(first) == {"icao:4ca75f", "icao:4d2238", "icao:4d21ec"}
    for finding in first.values():
        assert finding.detector == "silence"
        assert "filtered" in finding.known_errors
        for name in ("gap_s", "counted_share", "others"):
            assert finding.measured[name] >= finding.thresholds[name]
        assert finding.lat is not None and 48.4 < finding.lat < 48.53
