"""Close pairs: every one, none twice, anywhere on Earth, and bounded where a crowd is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.geo import distance_m
from samsyn.watch import near
from samsyn.watch.near import RADIUS_M_MAX, close_pairs


def by_hand(lat: np.ndarray, lon: np.ndarray, radius_m: float) -> dict[tuple[int, int], float]:
    i, j = np.triu_indices(len(lat), 1)
    apart_m = distance_m(lat[i], lon[i], lat[j], lon[j])
    within = apart_m <= radius_m
    return dict(
        zip(zip(i[within].tolist(), j[within].tolist(), strict=True), apart_m[within], strict=True)
    )


def found(lat: np.ndarray, lon: np.ndarray, radius_m: float) -> dict[tuple[int, int], float]:
    pairs = close_pairs(lat, lon, radius_m)
    assert pairs.left_out == 0
    ends = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert ends == sorted(set(ends))
    return dict(zip(ends, pairs.distance_m, strict=True))


@settings(max_examples=150, deadline=None, database=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    around=st.sampled_from([(55.3, 15.5), (0, 0), (0, 180), (89.99, 12), (-90, 0), (71, -180)]),
    radius_m=st.sampled_from([1.0, 15.0, 500.0, 9_260.0, 250_000.0, RADIUS_M_MAX]),
    count=st.integers(0, 120),
)
def test_the_pairs_are_those_of_comparing_all_with_all(
    seed: int, around: tuple[float, float], radius_m: float, count: int
):
    made = np.random.default_rng(seed)
    spread_deg = 4 * radius_m / 111_000
    lat = np.clip(around[0] + made.normal(0, spread_deg, count), -90, 90)
    lon = made.normal(around[1], spread_deg / max(np.cos(np.radians(around[0])), 0.001), count)
    lon = (lon + 180) % 360 - 180
    assert found(lat, lon, radius_m) == by_hand(lat, lon, radius_m)


def test_who_is_exactly_at_the_radius_is_close():
    lat, lon = np.array([55.0, 55.004]), np.array([15.0, 15.0])
    apart_m = float(distance_m(lat[0], lon[0], lat[1], lon[1]))
    assert len(close_pairs(lat, lon, apart_m).first) == 1
    assert len(close_pairs(lat, lon, np.nextafter(apart_m, 0)).first) == 0


def test_who_is_nowhere_is_close_to_no_one():
    lat, lon = np.array([np.nan, 55.0, 55.0, np.nan]), np.array([15.0, 15.0, np.inf, np.nan])
    assert len(close_pairs(lat, lon, 1_000.0).first) == 0
    assert found(np.empty(0), np.empty(0), 1_000.0) == {}


@pytest.mark.parametrize("radius_m", [0.0, -1.0, float("nan"), RADIUS_M_MAX * 1.01])
def test_a_radius_that_makes_no_sense_is_an_error(radius_m: float):
    with pytest.raises(ValueError, match="radius_m"):
        close_pairs(np.zeros(2), np.zeros(2), radius_m)


def test_a_crowd_at_one_point_is_bounded_and_hides_no_pair_elsewhere():
    """Ten thousand craft invented at one point would be fifty million pairs."""
    made = np.random.default_rng(1)
    crowd, pairs = 10_000, 500
    lat = np.concatenate([np.full(crowd, 55.0), 56 + np.repeat(np.arange(pairs), 2) * 0.01])
    lon = np.full(len(lat), 15.0)
    lon[crowd + 1 :: 2] += 0.001
    lat += made.uniform(0, 1e-5, len(lat))
    close = close_pairs(lat, lon, 500.0)
    assert len(close.first) <= near.CLOSE_PAIRS
    assert len(close.first) + close.left_out == crowd * (crowd - 1) // 2 + pairs
    assert np.count_nonzero(close.first >= crowd) == pairs
