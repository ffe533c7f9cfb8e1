"""Traffic with known truth: the bytes are those of the radio, and what they say is what happened."""

from __future__ import annotations

import json
from collections import Counter
from functools import reduce
from operator import xor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import rs1090
from pyais import decode

from samsyn.base.errors import InputError
from samsyn.base.geo import distance_m
from samsyn.formats.ais import AisDecoder
from samsyn.formats.avr import AvrDecoder
from samsyn.formats.decoded import Decoded
from samsyn.observations.schema import make_batch
from samsyn.sim.traffic import Made, make, write
from samsyn.sim.traffic.make import kinds, load
from samsyn.sim.traffic.scenario import read_scenario
from samsyn.sim.traffic.score import judge, watched, wilson
from samsyn.sim.traffic.table import Run, garwood, measure, page, read_notes
from samsyn.watch.definition import discover
from tests.cli.conftest import run

SMALL = Path(__file__).resolve().parents[2] / "exercises/truth/small.toml"


@pytest.fixture(scope="module")
def made() -> Made:
    return make(load(SMALL), seed=1)


def test_the_same_seed_gives_the_same_bytes(made: Made):
    again = make(load(SMALL), seed=1)
    assert again.files == made.files
    assert again.truths == made.truths
    assert make(load(SMALL), seed=2).files["mast.nmea"] != made.files["mast.nmea"]


def test_ais_is_read_by_the_reference_decoder(made: Made):
    """Types, numbers of no state, and positions that ours reads alike."""
    lines = made.files["mast.nmea"].split(b"\n")
    singles = [line for line in lines if b"VDM,1,1," in line][:400]
    theirs = [decode(line) for line in singles if _whole(line)]
    assert len(theirs) > 390
    ours = AisDecoder().decode(b"\n".join(singles) + b"\n", 0)
    assert all(str(m.mmsi)[:3] in ("300", "970", "972", "974") for m in theirs)
    assert {m.msg_type for m in theirs} == {1}
    assert ours.rows >= len(theirs) - 5
    assert min(ours.columns["lat"]) > 35 and max(ours.columns["lat"]) < 37


def _whole(line: bytes) -> bool:
    """Whether nobody damaged it on the way."""
    sentence, _, checksum = line.rpartition(b"!")[2].partition(b"*")
    return f"{reduce(xor, sentence):02X}".encode() == checksum


def test_mode_s_is_read_by_the_reference_decoder(made: Made):
    frames = [line.split(b",")[1].decode() for line in made.files["radar.modes"].split(b"\n") if line]
    some = [frame for frame in frames if len(frame) == 28][:2000]
    said = [one for one in rs1090.decode(some, batch=len(some)) if one]
    assert len(said) > 0.99 * len(some)
    assert {one["df"] for one in said} == {"17"}
    assert {one["bds"] for one in said} >= {"05", "08", "09", "61", "65"}
    assert all(one["icao24"].startswith("f0") for one in said)
    assert {one["NACp"] for one in said if one["bds"] == "65"} <= {8, 9, 10}


def _batch(out: Decoded) -> pl.DataFrame:
    return make_batch(out.columns, feed="mast", originator="exercise", exercise=True)


def test_positions_say_where_the_aircraft_are(made: Made):
    """Positions through the whole decoder lie on straight ways at the speed that is claimed."""
    out = AvrDecoder().decode(made.files["radar.modes"], 0)
    rows = _batch(out).sort("craft", "time_us")
    placed = rows.filter(pl.col("lat").is_not_null())
    assert placed.height > 3_000
    speeds = dict(rows.group_by("craft").agg(pl.col("speed_kn").median()).iter_rows())
    for (craft,), track in placed.group_by("craft"):
        lat, lon, t = (track[name].to_numpy() for name in ("lat", "lon", "time_us"))
        if len(t) > 50:
            metres = distance_m(lat[0], lon[0], lat[-1], lon[-1])
            knots = metres / 1852 / (t[-1] - t[0]) * 3.6e9
            assert knots == pytest.approx(speeds[craft], rel=0.08)


def test_ships_keep_to_what_ships_can_do(made: Made):
    """Between two reports of ten seconds nobody gains five knots or turns by half a circle."""
    out = AisDecoder().decode(made.files["mast.nmea"], 0)
    rows = _batch(out)
    moving = rows.filter((pl.col("message_type") == 1) & (pl.col("nav_status") != 14))
    steps = moving.sort("craft", "time_us").with_columns(
        gain=pl.col("speed_kn").diff().abs().over("craft"),
        after_s=pl.col("time_us").diff().over("craft") / 1e6,
    )
    soon = steps.filter(pl.col("after_s") < 15)
    assert soon.height > 5_000
    assert float(np.quantile(soon["gain"].drop_nulls().to_numpy(), 0.999)) < 2.0


def test_the_truth_names_craft_that_were_heard(made: Made):
    assert Counter(t.detector for t in made.truths if t.counts == "must") == {
        "drift": 4,
        "emergency": 5,
        "zone-entry": 3,
    }
    assert all(0 <= t.start_s < t.end_s <= 4 * 3600 for t in made.truths)


def test_detectors_find_it_in_the_bytes(made: Made, tmp_path: Path):
    write(made, tmp_path)
    found = watched(made, tmp_path, ["drift", "emergency", "zone-entry"])
    scores = {
        score.detector: score for score in judge(made, found, ["drift", "emergency", "zone-entry"])
    }
    assert all(f.finding.exercise for f in found)
    assert {d: (s.found, s.situations, len(s.false)) for d, s in scores.items()} == {
        "drift": (4, 4, 0),
        "emergency": (5, 5, 0),
        "zone-entry": (3, 3, 0),
    }


def test_files_of_a_folder(made: Made, tmp_path: Path):
    answer = json.loads(run("exercise", "traffic", str(SMALL), "--out", str(tmp_path), "--json").output)
    assert answer["exercise"] is True
    assert {p.name for p in tmp_path.iterdir()} == {
        "mast.nmea",
        "radar.modes",
        "truth.json",
        "zones.geojson",
    }
    assert (tmp_path / "mast.nmea").read_bytes() == made.files["mast.nmea"]
    assert json.loads((tmp_path / "truth.json").read_text())["exercise"] is True


@pytest.mark.parametrize(
    ("was", "becomes", "field"),
    [
        ("hours = 4", "hours = -1", "$.scenario.hours"),
        ("hours = 4", 'hours = "four"', "$.scenario.hours"),
        ('kind = "drift"', 'kind = "sinks"', "$.situation[0].kind"),
        ("speed_kn = [9, 16]", "speed_kn = [16, 9]", "$.lane[0].speed_kn"),
        ('doing = "fishing"', 'doing = "dancing"', "$.ground[1].doing"),
        ('start = "2031-05-05T00:00:00Z"', 'start = "soon"', "$.scenario.start"),
        ("every_s = 10", "every_s = 10\nevery = 3", "$.scenario"),
    ],
)
def test_a_wrong_field_is_named(was: str, becomes: str, field: str):
    text = SMALL.read_text("utf-8").replace(was, becomes, 1)
    with pytest.raises(InputError) as refused:
        read_scenario(text.encode(), "small.toml", kinds())
    assert refused.value.where == f"small.toml: {field}"


def test_the_page_of_figures_is_the_same_each_time(made: Made):
    """The table on the small scenario: what `make truth` does with the large ones."""
    runs = [Run(SMALL, 1, held_out=False), Run(SMALL, 2, held_out=True)]
    notes = read_notes(SMALL.with_name("notes.toml"))
    scores = measure(runs, ["emergency", "drift"])
    made_page = page(runs, scores, notes, None)
    assert made_page == page(runs, measure(runs, ["emergency", "drift"]), notes, None)
    assert "Seeds: small 1 (tuned on); small 2 (held out)." in made_page
    tuned = made_page.partition("## Tuned on")[2]
    assert "| `emergency` | 5 | 1.000 (0.566 to 1.000) | 1.000 (0.566 to 1.000) |" in tuned
    assert "Nobody has said why" not in made_page.partition("## What was missed")[2]


def test_every_scenario_that_comes_along_is_in_order():
    """And every kind of situation is asked for by one of them."""
    scenarios = [load(p) for p in sorted(SMALL.parent.glob("*.toml")) if p.name != "notes.toml"]
    assert {s.kind for said in scenarios for s in said.situation} == kinds()
    judged = {id_ for said in scenarios for id_ in said.scenario.judges}
    assert set(discover()) <= judged


def test_rates_have_the_exact_interval():
    """Garwood's, from tables of the chi-square distribution: of 0, 3 and 10 seen."""
    assert garwood(0) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert garwood(3) == pytest.approx((0.619, 8.767), abs=1e-3)
    assert garwood(10) == pytest.approx((4.795, 18.390), abs=1e-3)


@pytest.mark.nightly
def test_the_aims_hold_as_the_page_says(tmp_path: Path):
    """One seed of each scenario that nobody tuned on: no detector below what the page promises."""
    folder = SMALL.parent
    runs = [Run(folder / f"{name}.toml", 21, held_out=True) for name in ("sea", "air", "jam", "surges")]
    for id_, score in measure(runs)[True].items():
        assert score.situations >= 30, id_
        assert score.found >= 0.6 * score.situations, (id_, score.missed)
        assert 1000 * len(score.false) <= 3 * score.hours, (id_, [f.key for f in score.false])


def test_wilson_is_what_the_books_have():
    """Newcombe 1998, table I: 81 of 263, and 0 of 20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
