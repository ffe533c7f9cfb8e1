"""How often activity is told by chance, against what its definition states."""

from __future__ import annotations

import numpy as np
import pytest

from samsyn.base.clock import HOUR_US
from samsyn.watch.definition import discover
from samsyn.watch.detectors.activity.level import Levels, ratio, threshold

SERIES, HOURS = 1_000, 2_500


@pytest.mark.parametrize("mean", [0.3, 1.6, 5.0, 20.0])
@pytest.mark.parametrize("alpha", [0.05, 0.125, 0.4])
@pytest.mark.parametrize("way", [1, -1])
def test_a_known_level_is_called_changed_at_most_as_often_as_stated(mean: float, alpha: float, way: int):
    """285 years of hours of a series that never changes, at thresholds for one false alarm in 30 days
    and in a year."""
    rng = np.random.default_rng(7)
    definition = discover()["activity"][0]
    times = definition.value("times") ** way
    # few alarms where none would be: three standard errors of their number are granted
    for days in (30.0, definition.value("false_alarm_days")):
        limit, sums, alarms = threshold(days), np.zeros(SERIES), 0
        for _ in range(HOURS):
            counts = rng.poisson(rng.gamma(1 / alpha, mean * alpha, SERIES))
            sums = np.maximum(
                0, sums + ratio(counts, np.full(SERIES, mean), np.full(SERIES, alpha), times)
            )
            alarms += np.count_nonzero(sums >= limit)
            sums[sums >= limit] = 0
        stated = SERIES * HOURS / 24 / days
        assert alarms <= stated + 3 * np.sqrt(stated), (alarms, stated)


def test_a_level_learned_from_the_series_itself_is_called_changed_about_as_seldom():
    """Level, hours, days and scatter are learned as they go; six weeks of 400 series."""
    rng = np.random.default_rng(3)
    definition = discover()["activity"][0]
    limit = threshold(definition.value("false_alarm_days"))
    levels = Levels(400, definition.value("times"), limit)
    alarms = 0
    for hour in range(6 * 168):
        daily = 1 + 0.5 * np.sin(hour % 24 / 24 * 2 * np.pi)
        rate = 3.0 * daily * (0.7 if hour // 24 % 7 >= 5 else 1.0)
        counts = rng.poisson(rng.gamma(8, rate / 8, 400)).astype(float)
        levels.expect(hour * HOUR_US)
        ready = levels.learned_h >= definition.value("learn_h")
        levels.weigh(counts, ready)
        over = levels.sums >= limit
        alarms += np.count_nonzero(over)
        levels.sums[over] = 0
        levels.learn(hour * HOUR_US, counts, np.ones(400, bool))
    stated = 2 * 400 * 5 * 7 / definition.value("false_alarm_days")  # both ways
    assert alarms <= 1.5 * stated, (alarms, stated)
    assert np.median(levels.alpha) < 0.4
    assert abs(np.median(levels.mean) - rate) < 0.25 * rate


def _learned(rate: list[float], days: int) -> Levels:
    """300 series of hourly counts by the hour of the day, learned for so many days."""
    rng = np.random.default_rng(5)
    levels = Levels(300, 3.0, 8.0)
    for hour in range(days * 24):
        levels.expect(hour * HOUR_US)
        levels.learn(hour * HOUR_US, rng.poisson(rate[hour % 24], 300).astype(float), np.ones(300, bool))
    return levels


def test_after_a_week_an_hour_is_known_from_those_about_it():
    """Nearer than its own seven counts would tell: their mean errs by 0.38 of the root of the rate."""
    rate = [2.0 + 1.5 * float(np.sin(hour / 24 * 2 * np.pi)) for hour in range(24)]
    levels = _learned(rate, 8)
    errors = []
    for hour in range(24):
        levels.expect((8 * 24 + hour) * HOUR_US)
        errors.append(np.sqrt(np.mean((levels.mean - rate[hour]) ** 2) / rate[hour]))
    assert np.mean(errors) < 0.27
    assert max(errors) < 0.4


def test_a_timetable_is_learned_all_the_same():
    """Six ferries at eight o'clock and none about it: in eight weeks it is known for what it is."""
    levels = _learned([6.0 if hour == 8 else 0.1 for hour in range(24)], 56)
    levels.expect((56 * 24 + 8) * HOUR_US)
    assert np.median(levels.mean) > 4.5
    levels.expect((56 * 24 + 7) * HOUR_US)
    assert np.median(levels.mean) < 1.2
