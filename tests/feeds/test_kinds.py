"""Every kind of feed there is: its folder is whole, its sample reads as expected, none knows another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from samsyn.base.errors import ConfigError
from samsyn.feeds.objects import brings_objects
from samsyn.feeds.runner import discover, guess
from samsyn.observations.schema import SCHEMA

from .expected import FEEDS, read, sample, text

KINDS = sorted(discover())
OF_ROWS = [kind for kind in KINDS if not brings_objects(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is_in_both_languages(kind):
    said = discover()[kind]
    for texts in (said.title, said.description, said.licence, *said.known_errors):
        assert set(texts) == {"en", "sv"}
        assert all(texts.values())
    assert said.known_errors
    assert said.sources


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_reads_as_expected(kind):
    assert text(kind) == (FEEDS / kind / "expected.csv").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_is_recognised(kind):
    assert guess(str(sample(kind))) == kind


@pytest.mark.parametrize("kind", OF_ROWS)
def test_a_batch_has_the_schema_and_says_whose_it_is(kind):
    rows, report = read(kind, f"file:{sample(kind)}")
    assert rows.schema == SCHEMA
    assert rows["feed"].unique().to_list() == ["try"]
    assert rows["originator"].unique().to_list() == ["dk"]
    assert report.rows == rows.height
    assert (report.first_us, report.last_us) == (rows["time_us"].min(), rows["time_us"].max())


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_kind_imports_another_and_nobody_imports_a_kind():
    for path in FEEDS.parent.rglob("*.py"):
        own = path.parent.name if path.is_relative_to(FEEDS) else ""
        known = imports(path)
        for kind in KINDS:
            named = {name for name in known if f"{name}.".startswith(f"samsyn.feeds.{kind}.")}
            assert not named or own == kind, f"{path} imports {named}"


def test_the_extracts_name_their_source_and_read_whole():
    for name in ("bornholm", "fyn"):
        rows, report = read("columns", f"extract:{name}")
        assert rows.height > 1_000
        assert not report.refused
        assert rows["marks"].sum() == 0
    carried = sorted((FEEDS / "columns" / "extracts").iterdir())
    assert sum(path.stat().st_size for path in carried) < 150_000
    assert [path.name for path in carried] == ["bornholm.csv.gz", "fyn.csv.gz"]


def test_sources_that_cannot_be_are_refused_at_once(tmp_path):
    for kind, source in (
        ("ais_nmea", f"file:{tmp_path}/none.ais"),
        ("ais_nmea", "tcp:nowhere"),
        ("ais_nmea", "carrier-pigeon:7"),
        ("ais_nmea", "tcp-listen:nowhere"),
        ("readsb", "tcp:127.0.0.1:1"),
        ("columns", "extract:none"),
        ("morse", f"file:{sample('readsb')}"),
    ):
        with pytest.raises(ConfigError):
            read(kind, source)
    for place in ((91.0, 12.0), (55.0,)):
        with pytest.raises(ConfigError, match="the place of '25/13' is none"):
            read("asterix", f"file:{sample('asterix')}", sites={"25/13": place})
    with pytest.raises(ConfigError, match="no difference to UTC"):
        read("sbs", f"file:{sample('sbs')}", utc_offset="summer")
    with pytest.raises(ConfigError, match="no date"):
        read("ais_nmea", f"file:{sample('ais_nmea')}", date="yesterday")


def test_what_cannot_be_guessed_names_the_kinds(tmp_path):
    (tmp_path / "novel.txt").write_text("It was a dark and stormy night\n")
    with pytest.raises(ConfigError, match="ais_nmea"):
        guess(str(tmp_path / "novel.txt"))
    with pytest.raises(ConfigError, match="readsb"):
        guess("https://example.org/")
    assert guess("https://example.org/data/aircraft.json") == "readsb"
    assert guess("https://example.org/api/states/all?lamin=50") == "opensky"
    assert guess("tcp:127.0.0.1:10110") == "ais_nmea"
    for port, kind in ((30002, "mode_s"), (30003, "sbs"), (30005, "beast"), (8087, "cot")):
        assert guess(f"tcp:127.0.0.1:{port}") == kind


def test_recordings_are_recognised(data_dir):
    for name, kind in (
        ("sea/dma_aisabnormal_ais-sample.txt.gz", "ais_nmea"),
        ("sea/dma_212123000_drift_1.ais", "ais_nmea"),
        ("sea/dma_aislib_stream_example.txt", "ais_nmea"),
        ("sea/nmea-sample.txt.gz", "ais_nmea"),
        ("air/rs1090_long_flight.csv.gz", "mode_s"),
        ("air/sdre_aircraft_1.json", "readsb"),
        ("sea/stonesoup_SolentAIS.csv", "table"),
        ("sea/juhku1_baltic_07b536f.json", "table"),
        ("air/croatia_cat_034_048.pcap", "asterix"),
        ("air/traffic_readsb_trace_full_ac671b.json", "readsb_trace"),
        ("air/stonesoup_OpenSky_Plane_States.csv", "opensky"),
        ("air/traffic_quickstart.json.gz", "opensky"),
        ("air/noisy_ground.json.gz", "opensky"),
    ):
        assert guess(str(data_dir / name)) == kind
