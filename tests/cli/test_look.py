"""`samsyn look back`: a period again, nothing signed; a finding is kept because an officer says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from samsyn.base.clock import HOUR_US, MINUTE_US, iso
from samsyn.base.settings import Home
from samsyn.cli import main
from samsyn.desk.accounts import add_account
from samsyn.node.homes import make_home
from samsyn.node.stores import Stores
from samsyn.observations.store import ObservationStore
from tests.watch import cases as wc

CASE = next(case for _, case in wc.cases() if case["name"] == "in the published band")
ORDER = """
[[standing_order]]
id = "all"
why = "test"
detectors = ["drift"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = make_home(
        tmp_path / "dk", name="dk", organisation="Coast Watch", realm="actual", orders=[ORDER]
    )
    store = ObservationStore(made.observations("actual"))
    store.append(wc.batch(CASE), wc.BEGIN_US, "TLP:GREEN")
    store.flush()
    (tmp_path / "password").write_text("a long password of Rita")
    add_account(made.accounts, "rita", "Rita", "release", "a long password of Rita")
    add_account(made.accounts, "vera", "Vera", "viewer", "a long password of Rita")
    return made


def look(home: Home, *more: str) -> Result:
    span = ["--from", iso(wc.BEGIN_US), "--to", iso(wc.BEGIN_US + 24 * HOUR_US)]
    return CliRunner().invoke(main, ["look", "back", "--home", str(home.root), *span, *more])


def told(home: Home, *more: str) -> dict[str, Any]:
    result = look(home, "--json", *more)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_it_finds_what_the_watch_finds_and_signs_nothing(home: Home, tmp_path: Path) -> None:
    """Even where a standing order signs what is found live."""
    once = {f.key: f for f in wc.watched(CASE, None)}
    answer = told(home, "--plot", str(tmp_path / "plots"))
    live = [f for f in answer["findings"] if f["detector"] == "drift"]
    assert {f["key"] for f in live} <= set(once) and live
    assert live[0]["evidence"] == once[live[0]["key"]].evidence
    assert (answer["realm"], answer["feeds"], answer["damaged_files"]) == ("actual", ["mast"], [])
    assert len(list((tmp_path / "plots").iterdir())) == len(answer["findings"])
    with Stores(home) as stores:
        assert stores.findings.newest() == []
        assert stores.outbox.waiting() == 0
        assert stores.statements.page(limit=9, states=("standing",), markings=None, latest=True) == []


def test_detector_area_feed_and_period_bound_what_is_told(home: Home) -> None:
    found = told(home, "--detector", "drift")["findings"]
    lat, lon = found[0]["lat"], found[0]["lon"]
    near = f"{lon - 1},{lat - 1},{lon + 1},{lat + 1}"
    assert told(home, "--area", near, "--detector", "drift")["findings"] == found
    assert told(home, "--area", f"{lon + 1},{lat - 1},{lon - 1},{lat + 1}")["findings"] == []
    assert told(home, "--feed", "mast", "--detector", "drift")["findings"] == found
    assert told(home, "--feed", "roof")["rows"] == 0
    assert told(home, "--detector", "emergency")["findings"] == []
    early = ["--to", iso(wc.BEGIN_US + MINUTE_US)]
    assert told(home, *early)["findings"] == []


def test_an_officer_keeps_a_finding_and_it_stays_unsigned(home: Home, tmp_path: Path) -> None:
    key = told(home, "--detector", "drift")["findings"][0]["key"]
    word = ["--password-file", str(tmp_path / "password")]
    assert look(home, "--keep", key).exit_code == 2  # a person keeps findings
    assert look(home, "--keep", key, "--by", "vera", *word).exit_code == 2  # and not any person
    assert look(home, "--keep", "drift/nobody", "--by", "rita", *word).exit_code == 2
    with Stores(home) as stores:
        assert stores.findings.newest() == []
    assert told(home, "--keep", key, "--by", "rita", *word)["kept"] == [key]
    with Stores(home) as stores:
        (kept,) = stores.findings.newest()
        assert (kept.finding.key, kept.jti) == (key, None)
        assert kept.found_us > wc.BEGIN_US - 10 * 365 * 24 * HOUR_US  # now, which is not when it was
        assert kept.found_us < wc.BEGIN_US
        (entry,) = [e for e in stores.diary.entries() if e.did == "keep-finding"]
        assert (entry.by, entry.what) == ("rita", {"finding": key})


def test_a_damaged_file_is_told(home: Home) -> None:
    (path,) = home.observations("actual").glob("*/*/*.parquet")
    path.write_bytes(path.read_bytes()[:200])
    answer = told(home)
    assert (answer["rows"], answer["damaged_files"]) == (0, [str(path)])
    assert "1" in look(home).stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ["--from", "yesterday"],
        ["--from", "2031-01-01T00:00:00Z"],
        ["--area", "1,2,3"],
        ["--area", "0,60,10,50"],
        ["--warm", "long"],
        ["--detector", "nobody"],
    ],
)
def test_what_cannot_be_looked_back_at(home: Home, wrong: list[str]) -> None:
    result = look(home, "--json", *wrong)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["what"]
