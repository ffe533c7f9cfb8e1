"""Simulated traffic: the same every time, heard where it should be, and with what the scenario says."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from pyais.encode import encode_dict

from samsyn.base.clock import ManualClock, parse_iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings
from samsyn.feeds.report import FeedReport
from samsyn.feeds.runner import guess, open_feed
from samsyn.feeds.simulated import SCENARIOS, air_sea
from samsyn.feeds.simulated.ways import State
from samsyn.watch.finding import Finding
from samsyn.watch.runner import Watch

START_US = parse_iso("2030-03-04T06:00:00Z")
SAMPLE = SCENARIOS.parent / "sample.toml"

# What the scenario's head says: detector, craft, minutes in which it begins, how it ends.
GULLVIVA = ("drift", "mmsi:300900001", 35, 37, "under-way")
# Her way is off her between two reports, as no ship's is: seen as that, too.
GULLVIVA_STOPS = ("sudden-stop", "mmsi:300900001", 34, 36, "moves-again")
# A flight whose way ends over Visby at 31,000 ft: nobody descends here, and most end out of reach.
ENDS_ALOFT = ("silence", "icao:f000d2", 147, 149, "given-up")
TISTEL = ("silence", "mmsi:300900002", 69, 71, None)
VALLMO = ("drift", "mmsi:300900003", 240, 242, "under-way")
CALL_7700 = ("emergency", "icao:f0f901", 95, 96, "code-ended")
CALL_7600 = ("emergency", "icao:f0f903", 150, 151, "code-ended")


def read(path: Path) -> tuple[list[pl.DataFrame], FeedReport]:
    stream = open_feed(
        FeedSettings(name="sim", kind="simulated", source=f"file:{path}"),
        originator="dk",
        exercise=True,
        clock=ManualClock(0),
        stop=threading.Event(),
    )
    return [delivery.batch for delivery in stream], stream.report


@cache
def morning(receiver: str) -> tuple[list[pl.DataFrame], FeedReport]:
    return read(SCENARIOS / f"baltic-morning-{receiver}.toml")


def found_in(receiver: str) -> list[Finding]:
    """Without encounters: nobody in this traffic gives way, and chance brings a few together."""
    watch = Watch()
    batches, report = morning(receiver)
    assert not report.refused
    findings = [f for batch in batches for f in watch.feed(batch)] + watch.finish()
    told = {f.key: f for f in findings if not f.detector.startswith("encounter-")}
    assert len({f.key for f in findings}) - len(told) < 20
    return list(told.values())


def is_as_said(findings: list[Finding], *said: tuple[str, str, int, int, str | None]) -> None:
    """Exactly these, and no others."""
    assert sorted((f.detector, f.craft) for f in findings) == sorted((d, c) for d, c, *_ in said)
    for detector, craft, least, most, because in said:
        (one,) = [f for f in findings if (f.detector, f.craft) == (detector, craft)]
        assert least <= (one.start_us - START_US) / 60e6 <= most
        assert one.closed_because == because
        assert one.exercise


def test_the_same_file_gives_the_same_traffic():
    first, second = read(SAMPLE)[0], read(SAMPLE)[0]
    assert pl.concat(first).equals(pl.concat(second))


@pytest.mark.parametrize(
    ("lat", "lon", "speed", "course", "heading", "status"),
    [
        (55.5, 15.25, 0.7, 41.0, 290.0, 2),
        (-33.9, -151.2, 102.0, 359.9, 0.0, 0),
        (0.1, -0.1, 0, 0, 359, 5),
    ],
)
def test_a_position_is_written_as_pyais_writes_it(
    lat: float, lon: float, speed: float, course: float, heading: float, status: int
):
    message = {
        "type": 1,
        "mmsi": 300000001,
        "status": status,
        "turn": -128,
        "lat": lat,
        "lon": lon,
        "speed": speed,
        "accuracy": 1,
        "course": course,
        "heading": int(heading),
        "second": 60,
        "maneuver": 0,
    }
    (theirs,) = encode_dict(message, talker_id="AI", sentence_type="VDM")
    state = State(lat, lon, speed, course, heading, status)
    assert air_sea._position(300000001, state) == theirs


def test_no_craft_has_a_state():
    """MMSIs with country code 300, aircraft addresses F0....: neither is given to any state."""
    rows = pl.concat(read(SAMPLE)[0])
    number = rows["craft"].to_numpy() & 0xFFFF_FFFF
    sea = rows["craft"].to_numpy() >> 32 == 1
    assert set(number[sea] // 1_000_000) == {300}
    assert set(number[~sea] >> 16) == {0xF0}
    assert (rows["marks"] == 0).all()


def test_a_receiver_hears_its_area_only():
    rows = pl.concat(morning("fi")[0])
    placed = rows.filter(pl.col("lat").is_not_null())
    assert placed["lon"].min() >= 18.49 and placed["lat"].min() >= 58.29
    assert rows["craft"].n_unique() > 150


def test_the_north_east_has_a_drift_and_a_lost_radio_and_nothing_else():
    is_as_said(found_in("fi"), VALLMO, CALL_7600)


@pytest.mark.nightly
def test_the_middle_has_all_but_the_lost_radio():
    findings = found_in("se")
    is_as_said(findings, GULLVIVA, GULLVIVA_STOPS, TISTEL, VALLMO, CALL_7700, ENDS_ALOFT)


def test_a_scenario_is_guessed_and_named_by_its_receiver():
    assert guess(str(SCENARIOS / "baltic-morning.toml")) == "simulated"
    assert guess(str(SCENARIOS / "baltic-morning-dk.toml")) == "simulated"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[scenario", "scenario"),
        ("scenario = 'none.toml'\narea = [0, 0, 1, 1]", "none.toml"),
        ("scenario = '../../secret.toml'\narea = [0, 0, 1, 1]", "no file beside"),
        ("[scenario]\ntitle = {}\nstart = 'now'\nminutes = 5\nseed = 1", "now"),
        (
            "[scenario]\ntitle = {}\nstart = '2030-01-01T00:00:00Z'\nminutes = 5\nseed = 1\nspeed = 2",
            "speed",
        ),
        (b"\xff\xfe\x00", "no usable scenario"),
        ("#" + "x" * 1_100_000, "more than"),
    ],
)
def test_a_file_that_is_no_scenario_is_said_and_nothing_breaks(
    tmp_path: Path, text: str | bytes, says: str
):
    path = tmp_path / "wrong.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    batches, report = read(path)
    assert batches == []
    assert report.refused == {"malformed": 1}
    assert says in str(report.problems[0])


def test_made_up_traffic_never_enters_the_actual_realm() -> None:
    settings = FeedSettings(
        name="sim", kind="simulated", source=f"file:{SCENARIOS / 'baltic-morning-fi.toml'}"
    )
    with pytest.raises(ConfigError, match="made up"):
        open_feed(settings, originator="x", exercise=False, clock=ManualClock(), stop=threading.Event())
