"""Marks: what is set, what is not, and that it does not matter how rows are cut into batches."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import SECOND_US
from samsyn.observations import compiled
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key
from samsyn.observations.plausible import Mark, Plausibility
from samsyn.observations.schema import make_batch
from tests.compiled import built

SHIP = craft_key(DOMAIN_SEA, 219_000_123)
PLANE = craft_key(DOMAIN_AIR, 0x4CA123)
DAY_US = 1_384_214_400 * SECOND_US


@pytest.fixture(scope="module", autouse=True, params=["numpy", "compiled"])
def way(request, tmp_path_factory):
    """All of this holds for what is done in numpy and for what is compiled."""
    before = compiled.built
    numpy = request.param == "numpy"
    compiled.built = None if numpy else built("observations/_rows", tmp_path_factory.mktemp("rows"))
    yield
    compiled.built = before


def batch(rows: list[dict]) -> pl.DataFrame:
    names = {name for row in rows for name in row}
    columns = {name: [row.get(name) for row in rows] for name in sorted(names)}
    columns["time_source"] = [3] * len(rows)
    return make_batch(columns, feed="f", originator="dk", exercise=False)


def marks(rows: list[dict]) -> list[int]:
    return Plausibility().mark(batch(rows))["marks"].to_list()


def at(second: float, lat: float | None, lon: float | None, craft: int = SHIP, **more) -> dict:
    return {"time_us": DAY_US + int(second * SECOND_US), "craft": craft, "lat": lat, "lon": lon, **more}


def test_a_ship_under_way_is_not_marked():
    assert marks([at(s, 55 + s / 36_000, 12, speed_kn=10.0) for s in range(0, 600, 10)]) == [0] * 60


def test_latitude_91_is_marked_and_kept():
    marked = Plausibility().mark(batch([at(0, 91.0, 12.0), at(1, 55.0, 181.0), at(2, 0.0, 0.0)]))
    assert marked["marks"].to_list() == [Mark.BAD_POSITION] * 3
    assert marked["lat"].to_list() == [91.0, 55.0, 0.0]


def test_a_row_without_position_is_not_marked():
    assert marks([at(0, None, None)]) == [0]


def test_a_latitude_without_a_longitude_is_marked():
    assert marks([at(0, 55.0, None)]) == [Mark.BAD_POSITION]


def test_identities_that_nobody_can_have():
    def mark_of(domain: int, number: int) -> int:
        return marks([at(0, 55.0, 12.0, craft=craft_key(domain, number))])[0]

    for number in (0, 1, 123_456_789, 1_193_046, 1_000_000_000, 199_000_000, 888_888_888, 961_000_000):
        assert mark_of(DOMAIN_SEA, number) == Mark.BAD_IDENTITY, number
    for number in (
        219_000_123,
        2_190_067,
        21_900_000,
        111_219_501,
        992_190_917,
        970_219_001,
        821_900_001,
    ):
        assert mark_of(DOMAIN_SEA, number) == 0, number
    assert mark_of(DOMAIN_AIR, 0) == mark_of(DOMAIN_AIR, 0xFFFFFF) == Mark.BAD_IDENTITY
    assert mark_of(DOMAIN_AIR, 0x4CA123) == 0


def test_speeds_by_kind_of_craft():
    assert marks([at(0, 55.0, 12.0, speed_kn=102.0)]) == [Mark.IMPOSSIBLE_SPEED]
    rescue = craft_key(DOMAIN_SEA, 111_219_501)
    assert marks([at(0, 55.0, 12.0, speed_kn=120.0, craft=rescue)]) == [0]
    assert marks([at(0, 55.0, 12.0, speed_kn=480.0, craft=PLANE)]) == [0]
    assert marks([at(0, 55.0, 12.0, speed_kn=2_000.0, craft=PLANE)]) == [Mark.IMPOSSIBLE_SPEED]


def test_one_wrong_position_is_the_only_one_marked():
    rows = [at(0, 55.0, 12.0), at(10, 55.001, 12.0), at(20, 57.0, 12.0), at(30, 55.003, 12.0)]
    assert marks(rows) == [0, 0, Mark.JUMP, 0]


def test_a_craft_that_stays_where_it_jumped_is_marked_once():
    rows = [at(0, 55.0, 12.0), at(10, 57.0, 12.0), at(20, 57.0, 12.0), at(30, 57.0, 12.0)]
    assert marks(rows) == [0, Mark.JUMP, 0, 0]


def test_two_ships_on_one_mmsi_keep_being_marked():
    rows = [at(10 * i, 55.0 if i % 2 else 60.0, 12.0) for i in range(20)]
    assert sum(m == Mark.JUMP for m in marks(rows)) == 10


def test_a_clock_that_jumps_back_is_marked_and_a_late_row_is_not():
    rows = [at(0, 55.0, 12.0), at(600, 55.0, 12.0), at(590, 55.0, 12.0), at(100, 55.0, 12.0)]
    assert marks(rows) == [0, 0, 0, Mark.BAD_TIME]


def test_absurd_times_do_no_harm():
    rows = [at(0, 55.0, 12.0), at(9e12, 55.0, 12.0, craft=PLANE), at(-9e12, 55.0, 12.0, craft=PLANE)]
    assert marks(rows)[0] == 0


ROW = st.builds(
    lambda step, ship, lat, lon, speed: (step, ship, lat, lon, speed),
    st.integers(-200, 200),
    st.integers(0, 3),
    st.sampled_from([55.0, 55.001, 57.0, 91.0, None]),
    st.sampled_from([12.0, 12.001]),
    st.sampled_from([None, 10.0, 99.0]),
)


@given(rows=st.lists(ROW, min_size=1, max_size=40), cuts=st.lists(st.integers(1, 39), max_size=5))
@settings(max_examples=60, deadline=None)
def test_marks_do_not_depend_on_how_rows_are_cut(rows, cuts):
    second, made = 0, []
    for step, ship, lat, lon, speed in rows:
        second += step
        made.append(at(second, lat, lon, craft=SHIP + ship, speed_kn=speed))
    whole = batch(made)
    edges = sorted({0, len(made), *(c for c in cuts if c < len(made))})
    marker = Plausibility()
    parts = [marker.mark(whole[a:b]) for a, b in pairwise(edges)]
    assert pl.concat(parts)["marks"].to_list() == Plausibility().mark(whole)["marks"].to_list()


def test_more_craft_than_are_remembered(monkeypatch):
    monkeypatch.setattr("samsyn.observations.plausible.limits.TRACKS", 50)
    marker = Plausibility()
    for first in range(0, 300, 30):
        rows = [at(0, 55.0, 12.0, craft=SHIP + first + i) for i in range(30)]
        assert not np.any(marker.mark(batch(rows))["marks"].to_numpy())
