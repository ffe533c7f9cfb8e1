"""A node that lives, stops and lives again; then its past: looked back at, shown, and played again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from samsyn.base.clock import HOUR_US, SECOND_US, SystemClock, iso
from samsyn.base.settings import Home
from samsyn.cli import main
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.observations.reader import Observations, Wanted
from tests.scenarios.network import homes, seat, wait
from tests.scenarios.test_live_feed import BEACON, Receiver, position

WORLD = (-180.0, -90.0, 180.0, 90.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def found_by(home: Home, begin_us: int) -> dict[str, Any]:
    """What `samsyn look back` finds from `begin_us` on."""
    span = ["--from", iso(begin_us), "--to", iso(begin_us + HOUR_US)]
    result = CliRunner().invoke(main, ["look", "back", "--home", str(home.root), "--json", *span])
    assert result.exit_code == 0, result.output
    return {f["key"]: f for f in json.loads(result.stdout)["findings"]}


def test_a_life_with_a_stop_in_it_and_its_past(tmp_path: Path, receiver: Receiver) -> None:
    feed = f'[[feed]]\nname = "roof"\nkind = "ais_nmea"\nsource = "tcp:127.0.0.1:{receiver.port}"\n'
    home = homes(tmp_path, {"dk": ""}, feeds=[feed + 'marking = "TLP:RED"\n'])["dk"]
    begin_us = SystemClock().now_us() // SECOND_US * SECOND_US - 900 * SECOND_US
    calls = [position(BEACON, begin_us + i * 10 * SECOND_US, 55.1, 14.1, 14) for i in range(40)]
    ships = [
        position(219_000_001, begin_us + i * 10 * SECOND_US, 55.0, 14.0 + i / 1_000) for i in range(40)
    ]
    lines = [line for pair in zip(calls, ships, strict=True) for line in pair]
    for part in (lines[:33], lines[33:]):
        node = Node(Stores(home))
        node.start()
        try:
            receiver.say(*part)
            wait(lambda n=node, p=part: seat(n).picture()["feeds"][0]["rows"] == len(p))
            wait(lambda n=node: seat(n).findings())
            last_us = SystemClock().now_us()
            shown = wait(lambda n=node, at=last_us: rows_of(seat(n).past(at, WORLD)))
            trail = seat(node).trail("mmsi:219000001", begin_us, begin_us + HOUR_US)
        finally:
            node.stop()
            receiver.hang_up()
    assert [row[1] for row in shown] == [219_000_001, BEACON]
    assert trail["points"]["time_us"] == [begin_us + i * 10 * SECOND_US for i in range(40)]
    with Stores(home) as stores:
        live = {k.finding.key: k.finding for k in stores.findings.newest()}
    back = found_by(home, begin_us)
    assert back and set(back) == set(live)
    for key, finding in live.items():
        assert (back[key]["revision"], back[key]["evidence"]) == (finding.revision, finding.evidence)
        assert back[key]["measured"] == finding.measured

    node = Node(Stores(home, "exercise"))
    node.start()
    try:
        span = ["--from", iso(begin_us), "--to", iso(begin_us + HOUR_US), "--speed", "5000"]
        played = CliRunner().invoke(main, ["replay", "--home", str(home.root), "--json", *span])
        assert played.exit_code == 0, played.output
        told = json.loads(played.stdout)
        assert (told["rows"], told["refused"], told["marking"]) == (80, 0, "TLP:RED")
    finally:
        node.stop()
    kept = Observations(home.observations("exercise")).read(Wanted())
    assert kept.height == 80 and kept["exercise"].all() and set(kept["marking"]) == {"TLP:RED"}
    assert kept["time_us"].min() > begin_us  # the exercise's time
    assert not list(home.root.glob("exercise/replayed/*"))
    nothing = ["--from", "2001-01-01T00:00:00Z", "--to", "2001-01-02T00:00:00Z"]
    assert CliRunner().invoke(main, ["replay", "--home", str(home.root), *nothing]).exit_code == 2


def rows_of(frame: bytes) -> list[tuple[Any, ...]]:
    found = sorted(pl.read_ipc_stream(io.BytesIO(frame)).rows())
    return found if len(found) == 2 else []
