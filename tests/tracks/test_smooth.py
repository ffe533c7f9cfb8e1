"""Smoothing: as certain as it says, the same compiled and in numpy, and not led astray."""

from __future__ import annotations

import numpy as np
import pytest

from samsyn.base.clock import SECOND_US
from samsyn.base.geo import EARTH_RADIUS_M, distance_m
from samsyn.tracks import compiled
from samsyn.tracks.smooth import AIR, GATE, SEA, Outcome, Reports, Smoother
from tests.compiled import built

T0 = 1_700_000_000_000_000
DEGREE_M = EARTH_RADIUS_M * np.pi / 180


@pytest.fixture(scope="module", autouse=True, params=["numpy", "compiled"])
def way(request, tmp_path_factory):
    before = compiled.built
    numpy = request.param == "numpy"
    compiled.built = None if numpy else built("tracks/_tracks", tmp_path_factory.mktemp("tracks"))
    yield
    compiled.built = before


def reports(time_us, lat, lon, *, north=np.nan, east=np.nan, variance=100.0, air=0) -> Reports:
    count = len(time_us)
    return Reports(
        np.asarray(time_us, np.int64), np.asarray(lat, float), np.asarray(lon, float),
        np.full(count, variance), np.full(count, north, float) if np.isscalar(north) else north,
        np.full(count, east, float) if np.isscalar(east) else east, np.full(count, air, np.uint8),
    )  # fmt: skip


def taken(smoother: Smoother, some: Reports, slots=None) -> list[int]:
    slots = np.zeros(len(some.lat), np.int64) if slots is None else slots
    return smoother.take(np.arange(len(slots)), slots, some).tolist()


def under_way(count: int, *, lat=55.0, lon=12.0, north=4.0, east=3.0, every_s=10) -> Reports:
    s = np.arange(count) * every_s
    return reports(
        T0 + s * SECOND_US,
        lat + north * s / DEGREE_M,
        (lon + east * s / (DEGREE_M * np.cos(np.radians(lat))) + 180) % 360 - 180,
    )


@pytest.mark.parametrize(("model", "said"), [(0, False), (0, True), (1, False), (1, True)])
def test_it_is_as_certain_as_it_says(model, said):
    """Craft that move and are measured as the model has it: the squared error over the variance it
    states (NEES) is what chance allows, for place and velocity together, at every report."""
    kind, rng, craft, steps = (SEA, AIR)[model], np.random.default_rng(model), 400, 25
    variance = 15.0**2
    place, speed = np.zeros((2, craft)), rng.normal(0, kind.speed_m_s, (2, craft))
    smoother = Smoother(craft, gate=1e9)
    slots, at_us = np.arange(craft), T0
    lat0, scale = 20.0, DEGREE_M * np.cos(np.radians(20.0))
    nees = []
    for _ in range(steps):
        dt = float(rng.choice([2, 5, 9]))
        at_us += int(dt * SECOND_US)
        noise = np.linalg.cholesky(kind.q_m2_s3 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]]))
        for axis in (0, 1):
            d = noise @ rng.normal(size=(2, craft))
            place[axis] += speed[axis] * dt + d[0]
            speed[axis] += d[1]
        seen = place + rng.normal(0, np.sqrt(variance), (2, craft))
        heard = (
            speed + rng.normal(0, np.sqrt(kind.said_variance), (2, craft)) if said else [np.nan, np.nan]
        )
        some = reports(
            np.full(craft, at_us), lat0 + seen[0] / DEGREE_M, 10 + seen[1] / scale,
            north=heard[0], east=heard[1], variance=variance, air=model,
        )  # fmt: skip
        smoother.take(slots, slots, some)
        s = smoother._state[slots]
        found = ((s["lat"] - lat0) * DEGREE_M, s["north"]), ((s["lon"] - 10) * scale, s["east"])
        for axis, (x, v) in enumerate(found):
            ex, ev = x - place[axis], v - speed[axis]
            det = s["pp"] * s["vv"] - s["pv"] ** 2
            nees.append((s["vv"] * ex**2 - 2 * s["pv"] * ex * ev + s["pp"] * ev**2) / det)
    mean = np.mean(nees[4:])
    # 2 degrees of freedom; errors follow one another, so the bounds are wide, but not half or twice
    assert 1.85 < mean < 2.15


def test_a_textbook_filter_gives_the_same():
    rng = np.random.default_rng(3)
    some = under_way(40)
    some.lat[:] += rng.normal(0, 1e-4, 40)
    smoother = Smoother(1)
    state, cov = np.zeros(2), np.diag([100.0, SEA.speed_m_s**2])
    for k in range(40):
        taken(smoother, reports(some.time_us[k : k + 1], some.lat[k : k + 1], some.lon[k : k + 1]))
        z = (some.lat[k] - some.lat[0]) * DEGREE_M
        if k:
            f = np.array([[1, 10], [0, 1]])
            cov = f @ cov @ f.T + SEA.q_m2_s3 * np.array([[1000 / 3, 50], [50, 10]])
            state = f @ state
            gain = cov[:, 0] / (cov[0, 0] + 100)
            state = state + gain * (z - state[0])
            cov = cov - np.outer(gain, cov[0])
        held = smoother._state[0]
        assert (held["lat"] - some.lat[0]) * DEGREE_M == pytest.approx(state[0], abs=1e-3)
        assert held["north"] == pytest.approx(state[1], abs=1e-6)
        assert [held["pp"], held["pv"], held["vv"]] == pytest.approx([cov[0, 0], cov[0, 1], cov[1, 1]])


def test_course_and_speed_of_one_that_says_none():
    smoother = Smoother(1)
    taken(smoother, under_way(12))
    found = smoother.at(np.array([0]))
    assert found.speed_kn[0] == pytest.approx(5 * 3600 / 1852, abs=0.2)
    assert found.course_deg[0] == pytest.approx(36.87, abs=2)
    assert 0 < found.place_sd_m[0] < 10
    later = smoother.at(np.array([0]), T0 + 170 * SECOND_US)
    assert distance_m(later.lat[0], later.lon[0], found.lat[0], found.lon[0]) == pytest.approx(
        300, abs=15
    )
    assert later.place_sd_m[0] > 2 * found.place_sd_m[0]


def test_one_at_anchor_has_no_course():
    rng, smoother = np.random.default_rng(1), Smoother(1)
    some = under_way(60, north=0, east=0)
    some.lat[:] += rng.normal(0, 8 / DEGREE_M, 60)
    taken(smoother, some)
    assert np.isnan(smoother.at(np.array([0])).course_deg[0])


def test_one_that_was_never_heard_is_nowhere():
    found = Smoother(3).at(np.array([1]), T0)
    assert np.isnan([found.lat[0], found.place_sd_m[0], found.speed_kn[0]]).all()


def test_late_and_repeated_reports_change_nothing():
    smoother = Smoother(1)
    some = under_way(5)
    taken(smoother, some)
    before = smoother._state.copy()
    again = reports(some.time_us[4:] + SECOND_US, some.lat[4:], some.lon[4:])
    assert taken(smoother, again) == [Outcome.REPEATED]
    assert taken(smoother, reports(some.time_us[3:4], [0.0], [0.0])) == [Outcome.LATE]
    assert (smoother._state == before).all()


def test_one_wild_position_is_left_and_the_third_that_agrees_is_not():
    smoother = Smoother(1)
    taken(smoother, under_way(10))
    away = under_way(14, lat=55.5)
    assert taken(smoother, reports(away.time_us[10:11], away.lat[10:11], away.lon[10:11])) == [
        Outcome.MISSED
    ]
    home = under_way(12)
    assert taken(smoother, reports(home.time_us[11:], home.lat[11:], home.lon[11:])) == [Outcome.TAKEN]
    away = under_way(15, lat=55.5)
    outcome = taken(smoother, reports(away.time_us[12:], away.lat[12:], away.lon[12:]))
    assert outcome == [Outcome.MISSED, Outcome.MISSED, Outcome.RESTARTED]


def test_the_date_line_is_no_jump():
    smoother = Smoother(1)
    some = under_way(40, lon=179.999, east=8.0)
    assert (some.lon < 0).any()
    assert taken(smoother, some) == [Outcome.BEGUN, *[Outcome.TAKEN] * 39]
    assert smoother.at(np.array([0])).lon[0] < -179


def test_rows_in_one_batch_or_many_and_of_many_craft_at_once():
    rng = np.random.default_rng(8)
    count, craft = 600, 17
    slots = rng.integers(0, craft, count)
    time_us = T0 + np.sort(rng.integers(0, 900, count)) * SECOND_US
    some = reports(
        time_us, 55 + rng.normal(0, 0.001, count) + rng.choice([0, 0, 0, 1], count),
        np.where(slots % 2, 180 - 1e-4, 12) + rng.normal(0, 0.001, count),
        north=np.where(rng.random(count) < 0.5, np.nan, 1.0), east=np.full(count, 1.0),
    )  # fmt: skip
    one, many = Smoother(1), Smoother(craft)
    one.reserve(craft)
    whole = one.take(np.arange(count), slots, some)
    parts = np.concatenate([many.take(np.arange(a, a + 50), slots, some) for a in range(0, count, 50)])
    assert whole.tolist() == parts.tolist()
    assert len(set(whole.tolist())) == len(Outcome) - 1
    for name in one._state.dtype.names or ():
        np.testing.assert_allclose(one._state[name][:craft], many._state[name][:craft], rtol=1e-9)
    held = compiled.built
    if held:
        compiled.built = None
        plain = Smoother(craft)
        assert plain.take(np.arange(count), slots, some).tolist() == whole.tolist()
        compiled.built = held
        for name in one._state.dtype.names or ():
            np.testing.assert_allclose(
                one._state[name][:craft], plain._state[name], rtol=1e-7, atol=1e-9
            )


def test_the_gate_is_what_it_is_said_to_be():
    assert np.exp(-GATE / 2) == pytest.approx(1 / 268_337, rel=0.01)  # chi-square, two degrees
