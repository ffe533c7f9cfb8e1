"""Two craft on one identity are told apart, and nobody else is."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl
import pytest

from samsyn.base.clock import MINUTE_US, SECOND_US, ManualClock
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import open_feed
from samsyn.observations.craft import craft_from_text
from samsyn.observations.plausible import Plausibility
from samsyn.observations.schema import make_batch
from samsyn.tracks import split
from samsyn.tracks.table import TrackTable

SHIP = craft_from_text("mmsi:224051350")
T0 = 1_700_000_000_000_000
KNOT_DEG_S = 1 / 3600 / 60


def reports(second: np.ndarray, lat: np.ndarray, lon: float, craft: int = SHIP) -> pl.DataFrame:
    columns = {
        "time_us": T0 + second * SECOND_US, "craft": np.full(len(second), craft), "lat": lat,
        "lon": np.full(len(second), lon), "time_source": np.full(len(second), 3),
    }  # fmt: skip
    return make_batch(columns, feed="f", originator="dk", exercise=False)


def north(second: np.ndarray, lat: float, knots: float) -> np.ndarray:
    return lat + knots * second * KNOT_DEG_S


def told(batch: pl.DataFrame, size: int) -> dict:
    batch = batch.sort("time_us", maintain_order=True)
    table, marks = TrackTable(capacity=1, smooth=True), Plausibility()
    for part in batch.iter_slices(size):
        table.update(marks.mark(part))
    one = table.one(SHIP)
    assert one is not None
    return one


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_two_ships_that_take_turns_are_two(size):
    first, second = np.arange(0, 1_200, 60), np.arange(30, 1_200, 60)
    a, b = reports(first, north(first, 55.0, 10), 12.0), reports(second, north(second, 57.0, -8), 5.0)
    one = told(pl.concat([a, b]), size)
    both = sorted([one["smoothed"], one["second_craft"]], key=lambda craft: craft["lat"])
    assert [round(craft["lat"], 1) for craft in both] == [55.1, 57.0]
    assert [round(craft["lon"], 3) for craft in both] == [12.0, 5.0]
    assert [craft["speed_kn"] for craft in both] == pytest.approx([10, 8], abs=1)


def test_wild_positions_of_one_ship_are_no_second_one():
    rng = np.random.default_rng(2)
    second = np.arange(0, 3_600, 20)
    lat = north(second, 55.0, 10)
    wild = rng.random(len(second)) < 0.2
    lat[wild] += rng.uniform(-5, 5, wild.sum())
    assert told(reports(second, lat, 12.0), 50)["second_craft"] is None


def test_a_ship_that_went_elsewhere_unheard_is_one():
    there, here = np.arange(0, 600, 20), np.arange(90_000, 91_200, 20)
    batch = pl.concat(
        [reports(there, north(there, 55, 9), 12.0), reports(here, north(here, 58, 9), 12.0)]
    )
    assert told(batch, 40)["second_craft"] is None


def test_when_one_falls_silent_it_is_one_again():
    first, second = np.arange(0, 3_600, 60), np.arange(30, 1_200, 60)
    a, b = reports(first, north(first, 55.0, 10), 12.0), reports(second, north(second, 57.0, -8), 5.0)
    assert split.SILENT_US == 15 * MINUTE_US
    assert told(pl.concat([a, b]), 10)["second_craft"] is None


def test_more_of_them_than_are_followed(monkeypatch):
    monkeypatch.setattr(split, "FOLLOWED", 3)
    table, marks = TrackTable(capacity=1, smooth=True), Plausibility()
    for turn in range(12):
        for k in range(9):
            at = np.array([turn * 60 + k])
            table.update(marks.mark(reports(at, np.array([55.0 + 2 * (turn % 2)]), 12.0, SHIP + k)))
    assert len(table) == 9
    assert sum((table.one(SHIP + k) or {})["second_craft"] is not None for k in range(9)) <= 3


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ais_nmea", "sea/dma_aisabnormal_ais-sample.txt.gz"),
        ("opensky", "air/traffic_switzerland.json.gz"),
    ],
)
def test_recordings_in_which_nobody_shares_a_number(data_dir, kind, name):
    feed = open_feed(
        FeedSettings(name="f", kind=kind, source=f"file:{data_dir / name}"),
        originator="x", exercise=False, clock=ManualClock(T0), stop=threading.Event(),
    )  # fmt: skip
    table = TrackTable(smooth=True)
    for delivery in feed:
        table.update(delivery.batch)
    told = [one for key in table._index.keys.tolist() if (one := table.one(key))]
    assert len(told) > 800
    assert not [one["craft"] for one in told if one["second_craft"]]
