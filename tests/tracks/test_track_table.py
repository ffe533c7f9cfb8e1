"""The live table: newest value of every column, nothing older over newer, thread-safe."""

from __future__ import annotations

import io
import threading
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base.errors import LimitError
from samsyn.observations.craft import craft_from_text
from samsyn.observations.plausible import Mark
from samsyn.observations.schema import Emergency, make_batch
from samsyn.tracks import compiled
from samsyn.tracks import table as table_module
from samsyn.tracks.frame import EMERGENCY, EXERCISE, IMPLAUSIBLE, ON_GROUND, frame
from samsyn.tracks.table import TrackTable
from tests.compiled import built

T0 = 1_700_000_000_000_000
SHIP = craft_from_text("mmsi:212123000")
PLANE = craft_from_text("icao:4ca123")


@pytest.fixture(scope="module", autouse=True, params=["numpy", "compiled"])
def way(request, tmp_path_factory):
    """All of this holds for what is done in numpy and for what is compiled."""
    before = compiled.built
    numpy = request.param == "numpy"
    compiled.built = None if numpy else built("tracks/_tracks", tmp_path_factory.mktemp("tracks"))
    yield
    compiled.built = before


def rows(*, exercise: bool = False, **columns: list) -> pl.DataFrame:
    columns.setdefault("time_source", [4] * len(columns["time_us"]))
    return make_batch(columns, feed="mast", originator="dk", exercise=exercise)


def test_a_name_outlives_the_positions_after_it_and_the_other_way_round():
    table = TrackTable(capacity=1)
    table.update(rows(time_us=[T0], craft=[SHIP], name=["ANNA"], ship_type=[70]))
    table.update(rows(time_us=[T0 + 5], craft=[SHIP], lat=[55.5], lon=[15.0], speed_kn=[0.6]))
    table.update(rows(time_us=[T0 + 9], craft=[SHIP], nav_status=[2]))
    one = table.one(SHIP)
    assert one is not None
    assert (one["craft"], one["name"], one["ship_type"], one["nav_status"]) == (
        "mmsi:212123000",
        "ANNA",
        70,
        2,
    )
    assert (one["lat"], one["lon"], one["position_us"], one["time_us"]) == (55.5, 15.0, T0 + 5, T0 + 9)
    assert one["speed_kn"] == pytest.approx(0.6)
    assert (one["feed"], one["originator"], one["exercise"], one["heading_deg"]) == (
        "mast",
        "dk",
        False,
        None,
    )
    assert table.one(PLANE) is None


def test_an_older_row_changes_nothing_even_within_one_batch():
    table = TrackTable()
    table.update(rows(time_us=[T0 + 9, T0], craft=[SHIP, SHIP], lat=[56.0, 55.0], lon=[15.0, 15.0]))
    table.update(rows(time_us=[T0 + 1], craft=[SHIP], lat=[10.0], lon=[10.0]))
    one = table.one(SHIP)
    assert one is not None
    assert (one["lat"], one["time_us"]) == (56.0, T0 + 9)


def test_a_doubted_position_is_flagged_and_not_drawn_over_a_good_one():
    table = TrackTable()
    good = rows(time_us=[T0], craft=[SHIP], lat=[55.0], lon=[15.0])
    far = rows(time_us=[T0 + 1], craft=[SHIP], lat=[1.0], lon=[1.0])
    table.update(good)
    table.update(far.with_columns(marks=pl.lit(int(Mark.JUMP), pl.UInt16)))
    shown = pl.read_ipc_stream(io.BytesIO(frame(table, (-180, -90, 180, 90), T0 + 2)))
    assert shown["lat"].to_list() == [55.0]
    assert shown["flags"].to_list() == [IMPLAUSIBLE]


def test_the_same_rows_in_any_batches_give_the_same_table():
    rng = np.random.default_rng(3)
    n = 400
    whole = rows(
        time_us=(T0 + np.arange(n)).tolist(),
        craft=rng.choice([SHIP, PLANE, SHIP + 1], n).tolist(),
        lat=rng.uniform(50, 60, n).tolist(),
        lon=rng.uniform(10, 20, n).tolist(),
        squawk=[None if x < 0.5 else 7700 for x in rng.uniform(0, 1, n)],
    )

    @given(st.lists(st.integers(0, n), max_size=8))
    def same(cuts: list[int]) -> None:
        one, many = TrackTable(), TrackTable(capacity=1)
        one.update(whole)
        bounds = [0, *sorted(cuts), n]
        for a, b in pairwise(bounds):
            many.update(whole[a:b])
        assert [one.one(c) for c in (SHIP, PLANE, SHIP + 1)] == [
            many.one(c) for c in (SHIP, PLANE, SHIP + 1)
        ]

    same()


def test_a_frame_says_all_that_the_picture_draws():
    table = TrackTable()
    table.update(
        rows(
            exercise=True,
            time_us=[T0, T0, T0],
            craft=[SHIP, PLANE, PLANE + 1],
            lat=[55.0, 56.0, 70.0],
            lon=[15.0, 16.0, 16.0],
            altitude_ft=[None, 34_000, 10],
            on_ground=[None, True, None],
            squawk=[None, 7700, None],
        )
    )
    shown = pl.read_ipc_stream(io.BytesIO(frame(table, (10, 50, 20, 60), T0 + 2_000_000)))
    assert shown.schema == {
        "domain": pl.UInt8,
        "number": pl.UInt32,
        "lat": pl.Float32,
        "lon": pl.Float32,
        "course_deg": pl.Float32,
        "speed_kn": pl.Float32,
        "altitude_ft": pl.Float32,
        "age_s": pl.Float32,
        "flags": pl.UInt8,
        "symbol": pl.UInt8,
    }
    assert shown["domain"].to_list() == [1, 2]
    assert shown["number"].to_list() == [212123000, 0x4CA123]
    assert shown["flags"].to_list() == [EXERCISE, EXERCISE | EMERGENCY | ON_GROUND]
    assert shown["age_s"].to_list() == [2.0, 2.0]
    assert np.isnan(shown["altitude_ft"][0])


def test_a_medical_flight_is_no_emergency_in_the_picture():
    table = TrackTable()
    table.update(
        rows(time_us=[T0], craft=[PLANE], lat=[56.0], lon=[16.0], emergency=[int(Emergency.MEDICAL)])
    )
    assert pl.read_ipc_stream(io.BytesIO(frame(table, (-180, -90, 180, 90), T0)))["flags"].to_list() == [
        0
    ]


def test_a_viewport_may_cross_the_date_line_and_leaves_out_what_is_old():
    table = TrackTable()
    table.update(
        rows(time_us=[T0, T0, T0 + 9], craft=[1, 2, 3], lat=[0.0, 0.0, 0.0], lon=[179.0, -179.0, 0.0])
    )
    assert table.viewport(170, -10, -170, 10, now_us=T0).craft.tolist() == [1, 2]
    assert table.viewport(-180, -10, 180, 10, now_us=T0 + 9, max_age_us=5).craft.tolist() == [3]
    assert table.viewport(-180, -10, 180, 10, now_us=T0 + 9, limit=1).craft.tolist() == [3]


def test_beyond_the_limit_those_heard_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(table_module, "TRACKS", 4)
    table = TrackTable(capacity=1)
    craft = [SHIP + k for k in range(6)]
    for k in range(6):
        table.update(rows(time_us=[T0 + k], craft=[craft[k]], lat=[float(k)], lon=[1.0]))
        assert len(table) <= 4
    held = [table.one(key) for key in craft]
    assert held[:2] == [None, None]
    assert [row["lat"] for row in held[2:] if row] == [2.0, 3.0, 4.0, 5.0]
    with pytest.raises(LimitError):
        table.update(rows(time_us=[T0] * 3, craft=[7, 8, 9], lat=[1.0] * 3, lon=[1.0] * 3))
    assert table.one(craft[5]) is not None


def test_readers_see_whole_batches_while_a_writer_writes():
    table = TrackTable(capacity=1)
    stop = threading.Event()
    torn: list[int] = []

    def read() -> None:
        while not stop.is_set():
            view = table.viewport(-180, -90, 180, 90, now_us=T0)
            if len(set(view.speed_kn.tolist())) > 1:
                torn.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    craft = list(range(2_000))
    for k in range(30):  # all craft get the same speed in one batch: a reader never sees two
        table.update(
            rows(
                time_us=[T0 + k] * len(craft),
                craft=craft,
                lat=[50.0] * len(craft),
                lon=[10.0] * len(craft),
                speed_kn=[float(k)] * len(craft),
            )
        )
    stop.set()
    reader.join()
    assert not torn


def test_an_aircraft_fades_in_minutes_and_a_ship_in_hours():
    table = TrackTable()
    table.update(rows(time_us=[T0, T0], craft=[SHIP, PLANE], lat=[55.0, 55.0], lon=[15.0, 15.0]))

    def drawn(minutes: int) -> list[int]:
        shown = frame(table, (-180, -90, 180, 90), T0 + minutes * 60_000_000)
        return pl.read_ipc_stream(io.BytesIO(shown))["domain"].to_list()

    assert [drawn(m) for m in (9, 11, 359, 361)] == [[1, 2], [1], [1], []]


def test_a_table_for_people_smooths_and_derives_what_is_not_said():
    table, plain = TrackTable(capacity=1, smooth=True), TrackTable(capacity=1)
    count = 12
    batch = rows(
        time_us=[T0 + 10_000_000 * k for k in range(count)] + [T0],
        craft=[SHIP] * count + [PLANE],
        lat=[55.0 + 50 * k / 111_195 for k in range(count)] + [None],
        lon=[15.0] * count + [None],
    )
    for each in (table, plain):
        each.update(batch)
    one, nowhere = table.one(SHIP), table.one(PLANE)
    assert one is not None
    assert nowhere is not None
    assert "smoothed" not in (plain.one(SHIP) or {})
    assert set(nowhere["smoothed"].values()) == {None}
    assert (one["speed_kn"], one["course_deg"]) == (None, None)
    assert one["smoothed"]["speed_kn"] == pytest.approx(9.7, abs=0.2)
    assert one["smoothed"]["error_m"] < 45
    seen = table.viewport(-180, -90, 180, 90, now_us=T0)
    assert seen.speed_kn[0] == pytest.approx(9.7, abs=0.2)
    assert abs((seen.course_deg[0] + 180) % 360 - 180) < 3
    assert np.isnan(plain.viewport(-180, -90, 180, 90, now_us=T0).speed_kn[0])


def test_what_is_forgotten_is_forgotten_by_the_smoother_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(table_module, "TRACKS", 4)
    table = TrackTable(capacity=1, smooth=True)
    for k in range(6):
        table.update(rows(time_us=[T0 + k], craft=[SHIP + k], lat=[float(k)], lon=[1.0]))
    for k in range(2, 6):
        one = table.one(SHIP + k)
        assert one is not None
        assert one["smoothed"]["lat"] == k
