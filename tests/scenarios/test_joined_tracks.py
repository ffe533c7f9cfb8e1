"""What tracks are after a stop and a start: a radar's is still the aircraft that it was, and no clock
that ran ahead is believed by then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US, ManualClock, SystemClock, iso
from samsyn.base.settings import FeedSettings
from samsyn.node.intake import Intake
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.observations.craft import DOMAIN_AIR_TRACK, craft_from_text
from samsyn.observations.plausible import Mark
from samsyn.observations.schema import make_batch
from samsyn.observations.store import ObservationStore
from samsyn.statements.marking import MARKINGS
from samsyn.tracks.layers import Layers
from samsyn.tracks.table import TrackTable
from samsyn.watch.runner import Watch
from tests.scenarios.network import homes, seat, wait
from tests.scenarios.test_live_feed import Receiver

ANNA, RADAR = "icao:4ca123", "air-track:190d0007"
NORTH_DEG_S = 200 / 111_195  # of what flies at 388.8 kn


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def report(who: str, begin_us: int, t: int) -> bytes:
    at = f"{iso(begin_us + t * SECOND_US)},{who},{55 + NORTH_DEG_S * t:.6f}"
    return f"{at},{12 if who == ANNA else 12.002},30000,388.8,0\n".encode()


def test_a_join_goes_on_over_stops_before_and_after_it_is_made(
    tmp_path: Path, receiver: Receiver
) -> None:
    feed = f'[[feed]]\nname = "air"\nkind = "columns"\nsource = "tcp:127.0.0.1:{receiver.port}"\n'
    home = homes(tmp_path, {"dk": ""}, feeds=[feed])["dk"]
    begin_us = SystemClock().now_us() // (10 * SECOND_US) * 10 * SECOND_US - 900 * SECOND_US
    lives: list[list[tuple[str, int]]] = [
        [(who, t) for t in range(0, 30, 5) for who in (ANNA, RADAR)],  # it fits, but not often enough
        [(who, t) for t in range(30, 90, 5) for who in (ANNA, RADAR)],  # enough together with before
        [(RADAR, t) for t in range(90, 200, 5)],  # the aircraft has fallen silent
    ]
    told, rows = [], 0
    for life in lives:
        node = Node(Stores(home))
        node.start()
        try:
            receiver.say(b"time,craft,lat,lon,altitude_ft,speed_kn,course_deg\n")
            receiver.say(*(report(who, begin_us, t) for who, t in life))
            rows += len(life)
            told.append(wait(lambda n=node, t=life[-1][1]: radar(n, begin_us + t * SECOND_US)))
        finally:
            node.stop()
            receiver.hang_up()
    told = [one for (one,) in told]
    assert told[0] == []
    assert [one[0]["craft"] for one in told[1:]] == [ANNA, ANNA]
    assert told[2][0]["since_us"] == begin_us + 5 * SECOND_US  # not since the last start
    assert told[1:] == unbroken(home.observations("actual"), begin_us, rows)


def radar(node: Node, at_us: int) -> list[list[dict[str, Any]]]:
    """What the radar's track is said to be, once it has been heard at this time."""
    state = seat(node).track(DOMAIN_AIR_TRACK, 0x190D0007)
    return [state["same_as"]] if state and state["time_us"] == at_us else []


def unbroken(observations: Path, begin_us: int, rows: int) -> list[Any]:
    """What a table that saw it all at once tells after the second life and after the third."""
    kept = ObservationStore(observations).scan(begin_us, begin_us + 900 * SECOND_US)
    assert kept.height == rows
    table, found = TrackTable(smooth=True), []
    for part in (kept[: 12 + 24], kept[12 + 24 :]):
        table.update(part)
        state = table.one(craft_from_text(RADAR))
        assert state is not None
        found.append(state["same_as"])
    return found


def test_a_clock_that_ran_ahead_is_not_believed_after_a_start_either(tmp_path: Path) -> None:
    """Its time is over by then; the craft's other rows, of before and since, are what was shown."""
    store, now_us, key = ObservationStore(tmp_path), 1_800_000_000_000_000, craft_from_text(ANNA)
    for minute, at_us, mark in ((0, 0, 0), (1, HOUR_US, int(Mark.BAD_TIME)), (30, 30 * MINUTE_US, 0)):
        said = {"time_us": [now_us + at_us], "craft": [key], "lat": [55.0 + minute / 100], "lon": [12.0]}
        rows = make_batch({**said, "time_source": [3]}, feed="air", originator="dk", exercise=False)
        rows = rows.with_columns(marks=pl.lit(mark, pl.UInt16))
        store.append(rows, now_us + minute * MINUTE_US, "TLP:AMBER")
    feed = FeedSettings(name="air", kind="columns", source="tcp:127.0.0.1:9")
    layers = Layers(MARKINGS, ["TLP:AMBER"], lambda _: "TLP:AMBER")
    clock, frames = ManualClock(now_us + 2 * HOUR_US), list[pl.DataFrame]()
    intake = Intake(
        originator="dk",
        exercise=False,
        clock=clock,
        wall=clock,
        begin_us=0,
        tracks=layers,
        heard=frames.append,
        store=store,
        marking=lambda _: "TLP:AMBER",
        new_watch=Watch,
        orders=SimpleNamespace(take=list),  # type: ignore[arg-type]
        counted=lambda tallies: None,
        changed=lambda what: None,
    )
    intake.warm((feed,), clock.now_us(), 24 * HOUR_US)
    state = layers.upto(MARKINGS).one(key)
    assert state is not None and state["lat"] == 55.3
    assert pl.concat(frames)["lat"].to_list() == [55.0, 55.3]
