"""Places, distances and directions on the sphere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base import geo

LAT = st.floats(-89.9, 89.9)
LON = st.floats(-180, 180)
RUNGS = (3, 5, 7)  # of the place ladder


def test_known_distances() -> None:
    degree_m = geo.EARTH_RADIUS_M * np.pi / 180
    assert geo.distance_m(55.0, 12.0, 56.0, 12.0) == pytest.approx(degree_m)
    assert geo.distance_m(0.0, 179.5, 0.0, -179.5) == pytest.approx(degree_m)
    assert geo.distance_m(90.0, 0.0, -90.0, 0.0) == pytest.approx(np.pi * geo.EARTH_RADIUS_M)
    assert degree_m / geo.METRES_PER_NM == pytest.approx(60, rel=0.001)


def test_known_bearings() -> None:
    assert geo.bearing_deg(55, 12, 56, 12) == pytest.approx(0)
    assert geo.bearing_deg(0, 12, 0, 13) == pytest.approx(90)
    assert geo.bearing_deg(56, 12, 55, 12) == pytest.approx(180)
    assert geo.bearing_deg(0, -179.9, 0, 179.9) == pytest.approx(270)


@given(LAT, LON, LAT, LON)
def test_distance_is_the_same_both_ways(lat1: float, lon1: float, lat2: float, lon2: float) -> None:
    there, back = geo.distance_m(lat1, lon1, lat2, lon2), geo.distance_m(lat2, lon2, lat1, lon1)
    assert there == pytest.approx(back, abs=1e-3)
    assert 0 <= there <= np.pi * geo.EARTH_RADIUS_M * 1.000001


@given(st.lists(st.tuples(LAT, LON, LAT, LON), min_size=1, max_size=20))
def test_arrays_are_the_scalars_one_by_one(pairs: list[tuple[float, float, float, float]]) -> None:
    columns = [np.array(column) for column in zip(*pairs, strict=True)]
    assert geo.distance_m(*columns) == pytest.approx([geo.distance_m(*pair) for pair in pairs])
    assert geo.bearing_deg(*columns) == pytest.approx([geo.bearing_deg(*pair) for pair in pairs])


@given(st.floats(0, 360), st.floats(0, 360))
def test_a_turn_is_the_short_way_round(a: float, b: float) -> None:
    turn = geo.turn_deg(a, b)
    assert 0 <= turn <= 180
    assert turn == pytest.approx(geo.turn_deg(b, a), abs=1e-9)


def test_turns_across_north() -> None:
    assert geo.turn_deg([350, 10, 180], [10, 350, 0]) == pytest.approx([20, 20, 180])


@given(LAT, LON)
def test_a_ladder_made_of_parents_nests(lat: float, lon: float) -> None:
    finest = geo.cell(lat, lon, RUNGS[-1])
    coarser = [geo.parent(finest, rung) for rung in RUNGS]
    assert [geo.resolution(one) for one in coarser] == list(RUNGS)
    assert geo.parent(coarser[1], RUNGS[0]) == coarser[0]


def test_latitude_comes_first() -> None:
    lat, lon = geo.cell_centre(geo.cell(55.7, 12.6, 7))
    assert (lat, lon) == pytest.approx((55.7, 12.6), abs=0.02)
    ring = geo.cell_ring(geo.cell(55.7, 12.6, 7))
    assert len(ring) in (5, 6)
    assert all(abs(a - 55.7) < 0.05 and abs(o - 12.6) < 0.05 for a, o in ring)


def test_what_is_a_cell() -> None:
    assert geo.is_cell(geo.cell(55.7, 12.6, 5))
    assert not any(geo.is_cell(text) for text in ("", "x", "ffffffffffffffff", "85"))
