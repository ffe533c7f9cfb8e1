"""Rows to marks and tracks: compiled and in numpy the same, for odd rows in odd order, cut anywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from samsyn.base.clock import DAY_US, SECOND_US, ManualClock
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import open_feed
from samsyn.observations import compiled as observations
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key
from samsyn.observations.index import CraftIndex
from samsyn.observations.plain import plain
from samsyn.observations.plausible import Plausibility
from samsyn.observations.schema import SCHEMA, make_batch
from samsyn.tracks import compiled as tracks
from samsyn.tracks.table import TrackTable
from tests.compiled import built

T0 = 16_000 * DAY_US
PLAIN = [name for name, dtype in SCHEMA.items() if dtype != pl.String]


@pytest.fixture(scope="module", autouse=True)
def modules(tmp_path_factory):
    before = observations.built, tracks.built
    folder = tmp_path_factory.mktemp("compiled")
    observations.built = built("observations/_rows", folder)
    tracks.built = built("tracks/_tracks", folder)
    yield
    observations.built, tracks.built = before


@contextmanager
def in_numpy() -> Iterator[None]:
    held = observations.built, tracks.built
    observations.built = tracks.built = None
    try:
        yield
    finally:
        observations.built, tracks.built = held


def odd(count: int, seed: int) -> pl.DataFrame:
    """Rows of few craft that jump, repeat, come late, and leave out whatever can be left out."""
    rng = np.random.default_rng(seed)
    numbers = np.r_[rng.integers(0, 2**31, 12), 219_000_001 + np.arange(12), 0, 111_219_001, 970_219_001]
    craft = [craft_key(DOMAIN_SEA, int(n)) for n in numbers]
    craft += [craft_key(DOMAIN_AIR, n) for n in (0, 0xFFFFFF, 0x4CA123, 0x4CA124)]

    def some(values: np.ndarray, share: float = 0.3) -> list:
        gone = rng.random(count) < share
        return [None if g else v for v, g in zip(values.tolist(), gone, strict=True)]

    lat = 55 + rng.normal(0, 0.02, count) * rng.choice([1, 1, 1, 100], count)
    lon = rng.choice([12.0, 179.99, -179.99], count) + rng.normal(0, 0.02, count)
    lat[rng.random(count) < 0.05] = 0.0
    lon[rng.random(count) < 0.05] = 0.0
    lat[rng.random(count) < 0.02] = 91.0
    time_us = T0 + np.cumsum(rng.integers(-90, 110, count)) * SECOND_US // 10
    time_us[rng.random(count) < 0.02] -= 200 * SECOND_US
    columns = {
        "time_us": time_us,
        "craft": rng.choice(craft, count),
        "lat": some(lat),
        "lon": some(lon),
        "speed_kn": some(rng.choice([0.0, 10.0, 79.9, 80.1, 900.0, 1_501.0], count)),
        "altitude_ft": some(rng.choice([-2_001.0, 0.0, 30_000.0, 100_001.0], count), 0.6),
        "nav_status": some(rng.integers(0, 15, count)),
        "squawk": some(rng.integers(0, 7_777, count), 0.9),
        "on_ground": some(rng.random(count) < 0.5),
        "name": some(rng.choice(["ANNA", "BO", "", "a name longer than twelve"], count), 0.8),
        "time_source": np.full(count, 3),
    }
    return make_batch(columns, feed="f", originator="dk", exercise=False)


def pieces(batch: pl.DataFrame, seed: int) -> list[pl.DataFrame]:
    cuts = np.random.default_rng(seed).integers(0, batch.height, 6).tolist()
    return [batch[a:b] for a, b in pairwise(sorted({0, batch.height, *cuts}))]


def marked(parts: list[pl.DataFrame]) -> pl.DataFrame:
    plausibility = Plausibility()
    return pl.concat([plausibility.mark(part) for part in parts])


def table_of(parts: list[pl.DataFrame]) -> list[dict]:
    table = TrackTable(capacity=1)
    for part in parts:
        table.update(part)
    return [row for key in sorted(table._index.keys.tolist()) if (row := table.one(key))]


@pytest.mark.parametrize("seed", range(15))
def test_odd_rows_are_marked_alike_and_cuts_do_not_matter(seed):
    batch = odd(1_500, seed)
    compiled = marked(pieces(batch, seed))
    with in_numpy():
        assert marked([batch])["marks"].to_list() == compiled["marks"].to_list()
    seen = compiled["marks"].to_numpy()
    assert all((seen & bit).any() for bit in (1, 2, 4, 8, 16, 32))


@pytest.mark.parametrize("seed", range(12))
def test_odd_rows_make_the_same_tracks(seed):
    parts = pieces(marked([odd(1_500, seed)]), seed)
    compiled = table_of(parts)
    with in_numpy():
        assert repr(table_of(parts)) == repr(compiled)


def test_columns_come_out_alike_of_slices_and_of_several_chunks():
    batch = pl.concat([odd(40, 1), odd(30, 2)[3:], odd(9, 3)], rechunk=False)
    for part in (batch, batch[5:70], batch[:0], batch.rechunk()[1:]):
        compiled = plain(part, PLAIN)
        with in_numpy():
            others = plain(part, PLAIN)
        for name in PLAIN:
            assert compiled[name].dtype == others[name].dtype
            np.testing.assert_array_equal(compiled[name], others[name], err_msg=name)


def test_slots_are_given_in_the_order_of_first_appearance_up_to_the_limit():
    rng = np.random.default_rng(4)
    batches = [rng.integers(0, 5_000, rng.integers(1, 900)) << 20 for _ in range(40)]
    compiled, limit = CraftIndex(), 3_000
    with in_numpy():
        other = CraftIndex()
    for keys in batches:
        assert compiled.find(keys).tolist() == other.find(keys).tolist()
        assert compiled.find_or_add(keys, limit).tolist() == other.find_or_add(keys, limit).tolist()
        assert compiled.keys.tolist() == other.keys.tolist()
    assert len(compiled) == len(other) == limit


def test_a_recording_gives_the_same_rows_and_tracks(data_dir):
    source = f"file:{data_dir / 'sea' / 'dma_aisabnormal_ais-sample.txt.gz'}"
    settings = FeedSettings(name="f", kind="ais_nmea", source=source)

    def all_rows() -> list[pl.DataFrame]:
        feed = open_feed(
            settings, originator="x", exercise=False, clock=ManualClock(T0), stop=threading.Event()
        )
        return [delivery.batch for delivery in feed]

    compiled = all_rows()
    told = repr(table_of(compiled))
    with in_numpy():
        assert pl.concat(all_rows()).equals(pl.concat(compiled))
        assert repr(table_of(compiled)) == told


def test_arrays_that_do_not_fit_are_not_touched():
    longs, floats = np.zeros(3, np.int64), np.zeros(3)
    rows = observations.built
    assert rows is not None
    assert tracks.built is not None
    with pytest.raises(ValueError, match="array"):
        rows.find(longs, np.zeros(4, np.int64), longs, longs, 1, 0)
    with pytest.raises(ValueError, match="index"):
        rows.find(longs, np.zeros(3, np.int32), longs, longs, 1, 0)
    with pytest.raises(ValueError, match="slot"):
        tracks.built.newest(longs, longs + 3, longs.copy(), longs.copy())
    with pytest.raises(ValueError, match="slot"):
        tracks.built.place(
            longs, longs - 1, longs, floats, floats, np.zeros(3, np.uint8), longs.copy(), floats.copy(),
            floats.copy(),
        )  # fmt: skip
    with pytest.raises(ValueError, match="columns"):
        tracks.built.put(longs + 9, longs, longs, longs, 3, (floats.copy(),), (floats,))
    with pytest.raises(ValueError, match="read-only"):
        frozen = longs.copy()
        frozen.setflags(write=False)
        tracks.built.newest(longs, longs, frozen, longs.copy())
