"""Time: one spelling, one way to wait, and an exercise's own pace."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base import clock
from samsyn.base.clock import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    ExerciseClock,
    ManualClock,
    SystemClock,
)
from samsyn.base.errors import ConfigError

YEAR_2200_US = 7_258_118_400 * SECOND_US


@given(st.integers(0, YEAR_2200_US))
def test_a_time_written_and_read_is_the_same(at_us: int) -> None:
    assert clock.parse_iso(clock.iso(at_us)) == at_us


def test_a_time_is_written_without_a_fraction_it_does_not_have() -> None:
    assert clock.iso(0) == "1970-01-01T00:00:00Z"
    assert clock.iso(1_500_000) == "1970-01-01T00:00:01.5Z"
    assert clock.iso(1_000_001) == "1970-01-01T00:00:01.000001Z"


def test_zones_are_read() -> None:
    assert clock.parse_iso("2026-11-21T21:00:00+01:00") == clock.parse_iso("2026-11-21T20:00:00Z")


@pytest.mark.parametrize(
    "text", ["2026-11-21T20:00:00", "2026-11-21", "yesterday", "", "2026-13-01T00:00:00Z"]
)
def test_a_time_without_a_zone_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        clock.parse_iso(text)


def test_spans() -> None:
    assert clock.parse_span("90s") == 90 * SECOND_US
    assert clock.parse_span(" 10m ") == 10 * MINUTE_US
    assert clock.parse_span("1.5h") == 3 * HOUR_US // 2
    assert clock.parse_span("30d") == 30 * DAY_US


@pytest.mark.parametrize("text", ["", "10", "m", "-1s", "1w", "1h30m", "1e3s"])
def test_what_is_no_span_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 10m, 2h or 30d"):
        clock.parse_span(text)


def test_an_exercise_runs_at_its_own_pace_from_its_own_start() -> None:
    under = ManualClock(1_000)
    exercise = ExerciseClock(start_us=500_000, speed=10, under=under)
    assert exercise.now_us() == 500_000
    under.advance(2_000)
    assert exercise.now_us() == 520_000


def test_a_change_of_speed_makes_no_jump() -> None:
    under = ManualClock()
    exercise = ExerciseClock(start_us=0, speed=10, under=under)
    under.advance(1_000)
    exercise.set_speed(2)
    assert (exercise.now_us(), exercise.speed) == (10_000, 2)
    under.advance(1_000)
    assert exercise.now_us() == 12_000


def test_nodes_told_the_same_agree_on_the_time() -> None:
    under = ManualClock(0)
    first = ExerciseClock(start_us=7, speed=3, under=under, began_us=0)
    under.advance(50)
    after_a_restart = ExerciseClock(start_us=7, speed=3, under=under, began_us=0)
    assert first.now_us() == after_a_restart.now_us() == 157


@pytest.mark.parametrize("speed", [0, -1, 1e9, float("nan")])
def test_an_exercise_cannot_stand_still_or_run_back(speed: float) -> None:
    with pytest.raises(ConfigError, match="speed"):
        ExerciseClock(start_us=0, speed=speed, under=ManualClock())


@pytest.mark.parametrize("speed", [0.5, 1, 60, 3_600])
def test_waiting_ends_at_the_time_and_not_before(speed: float) -> None:
    exercise = ExerciseClock(start_us=0, speed=speed, under=ManualClock())
    assert exercise.wait_until(HOUR_US, threading.Event()) is True
    assert HOUR_US <= exercise.now_us() < HOUR_US + SECOND_US * speed


@pytest.mark.parametrize("make", [ManualClock, SystemClock, lambda: ExerciseClock(0, 5, ManualClock())])
def test_waiting_ends_at_once_when_told_to_stop(make: type[ManualClock]) -> None:
    stop = threading.Event()
    stop.set()
    waiting = make()
    assert waiting.wait_until(waiting.now_us() + DAY_US, stop) is False
    assert waiting.wait_until(waiting.now_us() - DAY_US, stop) is False


def test_a_time_that_has_passed_is_not_waited_for() -> None:
    system = SystemClock()
    assert system.wait_until(system.now_us() - SECOND_US, threading.Event()) is True
