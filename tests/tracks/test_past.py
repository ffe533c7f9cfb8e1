"""The picture as it was: the frame of a past instant is the frame that was shown then."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from samsyn.base import limits
from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, parse_iso
from samsyn.base.errors import InputError
from samsyn.observations.plausible import Mark
from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.schema import make_batch
from samsyn.observations.store import ObservationStore
from samsyn.statements.marking import MARKINGS
from samsyn.tracks.frame import frame
from samsyn.tracks.hours import keep_states, state_before
from samsyn.tracks.past import PastTracks, Sight
from samsyn.tracks.table import TrackTable

NOON = parse_iso("2026-03-01T12:00:00Z")
WORLD = (-180.0, -90.0, 180.0, 90.0)
ALL = Sight(frozenset(MARKINGS), frozenset())
SHIP = (1 << 32) + 219_000_000
PLANE = (2 << 32) + 0x4CA100


def traffic(rng: np.random.Generator, at_us: int, feed: str) -> pl.DataFrame:
    """What one feed hears in a minute: some of its craft, some columns absent, some rows late."""
    n = int(rng.integers(1, 12))
    craft = np.where(rng.random(n) < 0.7, SHIP, PLANE) + rng.integers(0, 8, n)
    some = rng.random(n) < 0.3

    def maybe(values: np.ndarray) -> np.ndarray:
        return np.where(rng.random(n) < 0.4, np.nan, values)

    lat = np.where(some, np.nan, 55 + rng.random(n))
    return make_batch(
        {
            "time_us": np.sort(at_us - rng.integers(0, MINUTE_US, n)),
            "craft": craft,
            "lat": lat,
            "lon": np.where(some, np.nan, 12 + rng.random(n)),
            "speed_kn": maybe(rng.random(n) * 20),
            "course_deg": maybe(rng.random(n) * 360),
            "altitude_ft": maybe(rng.random(n) * 30_000),
            "squawk": [7700 if x < 0.1 else 1200 if x < 0.5 else None for x in rng.random(n)],
            "on_ground": [bool(x < 0.5) if x < 0.7 else None for x in rng.random(n)],
            "time_source": [1] * n,
        },
        feed=feed,
        originator="dk",
        exercise=False,
    ).with_columns(marks=pl.Series(rng.choice([0, 0, 0, int(Mark.JUMP), 2], n), dtype=pl.UInt16))


@pytest.mark.parametrize("states", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_a_past_frame_is_the_frame_of_then(tmp_path: Path, seed: int, states: bool) -> None:
    """Byte for byte, whatever was asked before; with and without what is kept of full hours."""
    rng = np.random.default_rng(seed)
    store, table = ObservationStore(tmp_path), TrackTable()
    shown: dict[int, bytes] = {}
    now_us = NOON - 4 * HOUR_US
    while now_us < NOON:
        # one craft silent for hours, one feed silent for hours
        batch = traffic(rng, now_us, "mast")
        if rng.random() < 0.9:
            batch = batch.filter(pl.col("craft") != SHIP)
        if rng.random() < 0.02:
            now_us += HOUR_US
        store.append(batch, now_us, "TLP:AMBER")
        table.update(batch)
        now_us += int(rng.integers(SECOND_US, 4 * MINUTE_US))
        shown[now_us - 1] = frame(table, WORLD, now_us - 1)
        if rng.random() < 0.1:
            store.flush()
        if states and rng.random() < 0.1:
            keep_states(store, now_us, most=2)
    past = PastTracks(store)
    times = list(shown)
    for at_us in (*times[10:22], *rng.permutation(times)[:16], times[-1]):
        assert rows_of(past.frame(int(at_us), WORLD, ALL, now_us)) == rows_of(shown[int(at_us)])


def rows_of(told: bytes) -> list[tuple[object, ...]]:
    """In an order of its own: where a craft stands in a frame says nothing."""
    return sorted(pl.read_ipc_stream(io.BytesIO(told)).fill_nan(None).rows(), key=str)


def test_a_leap_reads_an_hour_and_not_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    store = ObservationStore(tmp_path)
    for minute in range(3 * 60):
        at_us = NOON - 3 * HOUR_US + minute * MINUTE_US
        store.append(traffic(rng, at_us, "mast"), at_us, "TLP:AMBER")
    store.flush()
    assert keep_states(store, NOON, most=9) == 3
    assert keep_states(store, NOON, most=9) == 0
    asked: list[int | None] = []
    read = store.read

    def noted(wanted: Wanted) -> pl.DataFrame:
        asked.append(wanted.heard_from_us)
        return read(wanted)

    monkeypatch.setattr(store, "read", noted)
    PastTracks(store).frame(NOON - 30 * MINUTE_US, WORLD, ALL, NOON)
    assert asked == [NOON - HOUR_US]
    path = next(tmp_path.glob("*/mast/11.state"))
    path.write_bytes(path.read_bytes()[:50] + b"PAR1")  # damaged: the hour before it serves
    assert state_before(store, "mast", NOON + 1)[0] == NOON - HOUR_US


def test_each_sees_the_past_of_the_feeds_that_they_are_cleared_for(tmp_path: Path) -> None:
    store = ObservationStore(tmp_path)
    for i, (feed, marking) in enumerate(
        [("open", "TLP:GREEN"), ("secret", "TLP:RED"), ("old", None), ("tightened", "TLP:GREEN")]
    ):
        batch = make_batch(
            {"time_us": [NOON], "craft": [SHIP + i], "lat": [55.0], "lon": [12.0], "time_source": [1]},
            feed=feed,
            originator="dk",
            exercise=False,
        )
        store.append(batch, NOON + i * SECOND_US, marking)
    past = PastTracks(store)
    green = Sight(frozenset(MARKINGS[:2]), frozenset({"tightened"}))
    for _ in range(2):
        told = pl.read_ipc_stream(io.BytesIO(past.frame(NOON + MINUTE_US, WORLD, green, NOON + HOUR_US)))
        assert told["number"].to_list() == [219_000_000]
        store.flush()
        keep_states(store, NOON + HOUR_US, most=9)
        past.forget()
    at = (NOON - 1, NOON + 1)
    assert [past.trail(SHIP + i, *at, green)["rows"] for i in range(4)] == [1, 0, 0, 0]
    assert [past.trail(SHIP + i, *at, ALL)["rows"] for i in range(4)] == [1, 1, 0, 1]
    assert past.begins_us(green) == NOON
    assert past.begins_us(Sight(frozenset({"TLP:RED"}), frozenset())) == NOON + SECOND_US
    assert past.begins_us(Sight(frozenset(), frozenset())) is None


def test_what_is_to_come_is_now_and_before_all_is_nothing(tmp_path: Path) -> None:
    store = ObservationStore(tmp_path)
    rng = np.random.default_rng(3)
    store.append(traffic(rng, NOON, "mast"), NOON, "TLP:GREEN")
    past = PastTracks(store)
    now = past.frame(2**80, WORLD, ALL, NOON + 1)
    assert now == past.frame(NOON + 1, WORLD, ALL, NOON + 1)
    for before in (NOON - DAY_US, 0, -(2**80)):
        assert not rows_of(past.frame(before, WORLD, ALL, NOON + 1))
    # what comes in after a first look is seen in the next one
    store.append(traffic(rng, NOON + MINUTE_US, "mast"), NOON + MINUTE_US, "TLP:GREEN")
    later = past.frame(NOON + HOUR_US, WORLD, ALL, NOON + MINUTE_US + SECOND_US)
    assert rows_of(later) != rows_of(now)


def test_a_trail_breaks_at_silences_and_leaves_out_what_cannot_be(tmp_path: Path) -> None:
    store = ObservationStore(tmp_path)
    minutes = [0, 3, 6, 60, 63, 66]
    batch = make_batch(
        {
            "time_us": [NOON + m * MINUTE_US for m in minutes],
            "craft": [SHIP] * 6,
            "lat": [55.0, 55.1, 80.0, 55.2, None, 55.3],
            "lon": [12.0, 12.1, 12.0, 12.2, None, 12.3],
            "speed_kn": [9.0, None, 9.0, 9.0, 9.0, 9.0],
            "time_source": [1] * 6,
        },
        feed="mast",
        originator="dk",
        exercise=True,
    )
    marks = pl.Series("marks", [0, 0, int(Mark.JUMP), 0, 0, 2], dtype=pl.UInt16)
    store.append(batch.with_columns(marks), NOON + HOUR_US, "TLP:GREEN")
    past = PastTracks(store)
    told = past.trail(SHIP, NOON, NOON + 2 * HOUR_US, ALL)
    assert told["points"]["lat"] == [55.0, 55.1, 55.2, 55.3]
    assert told["points"]["speed_kn"] == [9.0, None, 9.0, 9.0]
    assert (told["breaks"], told["rows"], told["doubted"]) == ([2], 4, 1)
    assert (told["craft"], told["exercise"]) == ("mmsi:219000000", True)
    assert past.trail(SHIP, NOON, NOON + 2 * HOUR_US, ALL, known_us=NOON)["rows"] == 0
    for span in ((NOON, NOON), (NOON, NOON + 8 * DAY_US), (-5, 5), (2**70, 2**70 + 1)):
        with pytest.raises(InputError, match="at most 7 days"):
            past.trail(SHIP, *span, ALL)


def test_a_long_trail_is_thinned_and_keeps_its_ends_and_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRAIL_POINTS", 50)
    store = ObservationStore(tmp_path)
    times = [NOON + i * SECOND_US for i in range(2_000)]
    times += [NOON + HOUR_US + i * SECOND_US for i in range(1_000)]
    n = len(times)
    columns = {"time_us": times, "craft": [PLANE] * n, "lat": [55.0] * n, "lon": [12.0] * n}
    batch = make_batch({**columns, "time_source": [1] * n}, feed="m", originator="dk", exercise=False)
    store.append(batch, NOON, "TLP:GREEN")
    told = PastTracks(Observations(tmp_path)).trail(PLANE, NOON, NOON + DAY_US, ALL)
    assert told["rows"] == 0  # nothing is on disk yet
    store.flush()
    told = PastTracks(Observations(tmp_path)).trail(PLANE, NOON, NOON + DAY_US, ALL)
    shown = told["points"]["time_us"]
    assert (told["rows"], len(shown), shown[0], shown[-1]) == (n, 50, times[0], times[-1])
    (at,) = told["breaks"]
    assert shown[at - 1] < NOON + 2_000 * SECOND_US < NOON + HOUR_US <= shown[at]
