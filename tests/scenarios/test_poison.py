"""Poison for the whole way: feeds, intake, tracks, store and every detector of a node that goes on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from samsyn.base.clock import iso, parse_iso
from samsyn.cli import main
from samsyn.feeds.runner import discover
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.observations.reader import Observations, Wanted
from tests.feeds.expected import sample
from tests.scenarios.network import homes, seat, wait

MIB = 1 << 20
START = parse_iso("2023-11-14T22:00:00Z")
DATES = ("1970-01-01T00:00:01Z", "2038-01-19T03:14:08Z", "2023-11-14T22:10:00Z", "2023-11-13T00:00:00Z",
         "2023-11-14T22:20:00Z")  # fmt: skip
HEAD = "time,craft,lat,lon,speed_kn,course_deg\n"


def damaged() -> Iterator[tuple[str, str, bytes]]:
    """Name, kind and bytes: each kind's sample cut off, with bits flipped, and with bursts of noise."""
    rng = random.Random(4)
    for name, kind in sorted(discover().items()):
        if kind.exercise_only:
            continue
        data = sample(name).read_bytes()
        yield f"{name}-cut", name, data[: rng.randrange(len(data))]
        flipped, noisy = bytearray(data), bytearray(data)
        for _ in range(len(data) // 200 + 1):
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            at = rng.randrange(len(data))
            noisy[at : at + 9] = rng.randbytes(9)
        yield f"{name}-flipped", name, bytes(flipped)
        yield f"{name}-noisy", name, bytes(noisy)


def beyond_belief() -> Iterator[tuple[str, str, bytes]]:
    places = [(91, 181), (-91, -181), (1e308, -1e308), (0, 0), (55.5, 12.5)]
    lines = [f"{t},mmsi:{m},{a},{o},99,361" for t in DATES for m in ("000000000", "219000123")
             for a, o in places]  # fmt: skip
    yield "absurd", "columns", (HEAD + "\n".join([*lines, ""])).encode()
    crowd = [
        f"{iso(START + k * 60_000_000)},mmsi:{219_000_000 + i},55.5,12.5,0.1,90"
        for k in range(3)
        for i in range(10_000)
    ]
    yield "crowd", "columns", (HEAD + "\n".join([*crowd, ""])).encode()


def live(tmp_path: Path, more: list[tuple[str, str, bytes]]) -> None:
    """A node takes all of it, stops, starts again on what it kept, and can still be looked back at."""
    feeds = []
    for name, kind, data in [*damaged(), *beyond_belief(), *more]:
        path = tmp_path / f"{name}.bin"
        path.write_bytes(data)
        feeds.append(f'[[feed]]\nname = "{name}"\nkind = "{kind}"\nsource = "file:{path}"\n')
    home = homes(tmp_path, {"dk": ""}, feeds=feeds)["dk"]
    for _ in range(2):
        node = Node(Stores(home))
        node.start()
        try:
            wait(lambda n=node: all(one.done.is_set() for one in n._intake.sources), 180)
            assert [f["name"] for f in shown(node) if "fault" in f["problem"]] == []
            told = {f["name"]: f for f in shown(node)}
            assert told["crowd"]["rows"] == 30_000 and told["crowd"]["refused"] == 0
            assert told["absurd"]["rows"] + told["absurd"]["refused"] == 50
            for name, _, _ in more:
                assert told[name]["refused"] > 0
            assert sum(f["refused"] for f in told.values()) > 20
            seat(node).past(node.desk.now_us(), (-180.0, -90.0, 180.0, 90.0))
        finally:
            node.stop()
    kept = Observations(home.observations("actual"))
    assert kept.count(Wanted(feeds=("crowd",))) == 30_000  # and not twice
    span = ["--from", "1970-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z"]
    crowd = ["--feed", "crowd", "--feed", "absurd", "--feed", "ais_nmea-noisy"]
    back = CliRunner().invoke(main, ["look", "back", "--home", str(home.root), "--json", *span, *crowd])
    assert back.exit_code == 0, back.output
    assert json.loads(back.stdout)["damaged_files"] == []


def shown(node: Node) -> list[dict[str, object]]:
    return list(seat(node).picture()["feeds"])


def test_a_node_takes_poison_and_goes_on(tmp_path: Path) -> None:
    live(tmp_path, [("endless", "ais_nmea", b"x" * (4 * MIB))])


@pytest.mark.nightly
def test_a_node_takes_much_poison_and_goes_on(tmp_path: Path) -> None:
    """100 MB without a newline, in three kinds."""
    kinds = (("ais_nmea", b"x"), ("sbs", b"\xff"), ("beast", b"\x1a"))
    live(tmp_path, [(f"endless-{kind}", kind, what * (100 * MIB)) for kind, what in kinds])
