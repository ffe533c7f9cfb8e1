"""feed try, replay: what is in a recording, for people and for programs."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.cli.conftest import answer, make, ok, refused, run

ZONE = {
    "type": "Feature",
    "properties": {"name": "south-coast", "title": {"en": "South coast", "sv": "Sydkusten"}},
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[14.9, 54.9], [15.2, 54.9], [15.2, 55.1], [14.9, 55.1], [14.9, 54.9]]],
    },
}


@pytest.fixture
def zones(here: Path) -> Path:
    path = here / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [ZONE]}))
    return path


def test_a_recording_that_comes_with_samsyn() -> None:
    said = ok("feed", "try", "extract:bornholm", "--findings")
    assert "1287" in said and "2018-11-26T09:38:15Z" in said
    assert "°N" in said and "aircraft" in said and "ships" not in said
    assert "The detectors found nothing." in said


def test_settings_of_the_feed_can_be_tried(here: Path) -> None:
    (here / "odd.csv").write_text("wer;MMSI;LAT;LON;V\n2023-11-14 22:13:20;219000123;55.5;12.75;10\n")
    as_set = ("--set", "columns.time=wer", "--set", "columns.speed_kn=V", "--set", "units.speed_kn=m/s")
    said = ok("feed", "try", "odd.csv", "--kind", "table", *as_set, "--set", "utc_offset=+01:00")
    assert "2023-11-14T21:13:20Z" in said
    said = refused("feed", "try", "odd.csv", "--kind", "table", "--set", "columns.colour=V")
    assert "a table cannot be mapped to 'colour'" in said
    said = refused("feed", "try", "odd.csv", "--kind", "table", "--set", "colour=red")
    assert "see what a [[feed]] may say" in said


def test_findings_and_plots_of_them(zones: Path, here: Path) -> None:
    said = ok("feed", "try", "extract:bornholm", "--findings", "--zones", zones, "--plot", "plots")
    plots = sorted((here / "plots").glob("zone-entry-icao-*.svg"))
    assert plots and all("<svg" in p.read_text("utf-8") for p in plots)
    assert f"Findings: {len(plots)}" in said and all(p.name in said for p in plots)
    swedish = ok("--lang", "sv", "feed", "try", "extract:bornholm", "--zones", zones)
    assert f"Fynd: {len(plots)}" in swedish and "luftfartyg" in swedish


def test_the_same_for_a_program(zones: Path) -> None:
    told = answer("feed", "try", "extract:bornholm", "--zones", zones, "--plot", "plots")
    assert (told["kind"], told["rows"], told["craft"]) == ("columns", 1287, 1)
    assert {f["detector"] for f in told["findings"]} == {"zone-entry"}
    assert {f["zone"] for f in told["findings"]} == {"south-coast"}
    assert len(told["plots"]) == len(told["findings"]) and all(Path(p).is_file() for p in told["plots"])
    assert told["refused"] == {} and told["problems"] == []


def test_noise_is_told_as_noise(here: Path) -> None:
    (here / "noise").write_bytes(random.Random(1).randbytes(20_000))
    said = refused("feed", "try", "noise")
    assert "the kind of this source is not clear" in said and "ais_nmea" in said
    result = run("feed", "try", "noise", "--kind", "ais_nmea")
    assert result.exit_code == 1
    assert "Not one observation could be made of it as ais_nmea." in result.output
    assert "line 1: " in result.output and "more (--json shows them)" in result.output
    assert "\x1b" not in result.output  # nothing of the noise commands the terminal
    told = answer("feed", "try", "noise", "--kind", "ais_nmea", code=1)
    assert told["rows"] == 0 and sum(told["refused"].values()) >= len(told["problems"]) > 0


def test_noise_in_swedish(here: Path) -> None:
    (here / "noise").write_bytes(b"no sentence\n" * 3)
    said = run("--lang", "sv", "feed", "try", "noise", "--kind", "ais_nmea")
    assert said.exit_code == 1
    assert "rad 1: inte en rad NMEA 0183: no sentence" in said.output
    assert "Avvisat" in said.output and "gav den inte en enda observation" in said.output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["gone.nmea"], "there is no file gone.nmea"),
        (["file:gone.nmea"], "there is no such file"),
        (["extract:../config"], "bornholm"),
        (["tcp:nowhere"], "no host:port"),
        (["extract:bornholm", "--kind", "telex"], "there is no kind of feed 'telex'"),
        (["extract:bornholm", "--kind", "readsb"], "does not come by extract"),
        (["extract:bornholm", "--zones", "wrong.geojson"], "not JSON"),
    ],
)
def test_what_cannot_be_tried(args: list[str], said: str, here: Path) -> None:
    (here / "wrong.geojson").write_text("{")
    assert said in refused("feed", "try", *args)


def test_replay_needs_a_running_node_and_a_file() -> None:
    home = make("dk", "--realm", "exercise")
    said = refused("replay", *home, "extract:bornholm")
    assert "no node runs" in said and "samsyn up --home dk --realm exercise" in said
    assert "a recording is a file" in refused("replay", *home, "tcp:127.0.0.1:9")
