"""Place and time, rung by rung."""

from __future__ import annotations

from typing import Any

import h3
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.errors import Refused
from samsyn.statements.geometry import touched
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS, check_ladders, place_ladder, time_ladder
from samsyn.statements.marking import MARKINGS, rank, strictest

GREAT_BELT = {"type": "Point", "coordinates": [10.9137, 55.3412]}
CABLE = {"type": "LineString", "coordinates": [[10.6, 55.3], [10.8, 55.36], [11.1, 55.32]]}
AREA = {
    "type": "Polygon",
    "coordinates": [
        [[10.8, 55.3], [11.0, 55.3], [11.0, 55.4], [10.8, 55.4], [10.8, 55.3]],
        [[10.85, 55.33], [10.95, 55.33], [10.95, 55.37], [10.85, 55.37], [10.85, 55.33]],
    ],
}
BALTIC = {
    "type": "Polygon",
    "coordinates": [[[10, 54], [24, 54], [24, 60], [10, 60], [10, 54]]],
}

degrees = st.floats(allow_nan=False, allow_infinity=False)
points = st.tuples(st.floats(-180, 180, allow_nan=False), st.floats(-90, 90, allow_nan=False)).map(
    lambda p: {"type": "Point", "coordinates": [p[0], p[1]]}
)
near = st.tuples(st.floats(9, 13), st.floats(54, 57)).map(list)
lines = st.lists(near, min_size=2, max_size=6).map(lambda c: {"type": "LineString", "coordinates": c})
boxes = st.tuples(st.floats(9, 12), st.floats(54, 57), st.floats(0.001, 3), st.floats(0.001, 2)).map(
    lambda b: {
        "type": "Polygon",
        "coordinates": [
            [
                [b[0], b[1]],
                [b[0] + b[2], b[1]],
                [b[0] + b[2], b[1] + b[3]],
                [b[0], b[1] + b[3]],
                [b[0], b[1]],
            ]
        ],
    }
)
times_us = st.integers(0, 4_102_444_800_000_000)  # to 2100


def reason(slots: dict[str, Any]) -> str:
    with pytest.raises(Refused) as caught:
        check_ladders(slots)
    return caught.value.reason


def test_a_point_has_one_cell_a_rung_and_each_is_the_parent_of_the_next() -> None:
    rungs = place_ladder(GREAT_BELT)
    assert list(rungs) == [f"place.{rung}" for rung in PLACE_RUNGS]
    (region,), (area,), (spot,) = (rungs[f"place.{r}"] for r in ("region", "area", "spot"))
    assert h3.cell_to_parent(spot, 5) == area
    assert h3.cell_to_parent(area, 3) == region
    assert h3.latlng_to_cell(55.3412, 10.9137, 7) == spot
    assert rungs["place.exact"] == GREAT_BELT


def test_the_ladder_climbs_by_parents_where_h3_does_not_nest() -> None:
    """A point whose own cell of resolution 5 is another than the parent of its cell of 7."""
    inside = None
    for n in range(3_000):
        lat, lon = 55 + n * 0.0005, 11 + n * 0.0003
        if h3.latlng_to_cell(lat, lon, 5) != h3.cell_to_parent(h3.latlng_to_cell(lat, lon, 7), 5):
            inside = {"type": "Point", "coordinates": [lon, lat]}
            break
    assert inside is not None
    rungs = place_ladder(inside)
    assert rungs["place.area"] == [h3.cell_to_parent(rungs["place.spot"][0], 5)]
    check_ladders(rungs)


def test_time_is_cut_never_rounded() -> None:
    assert time_ladder(1_795_294_799_999_999) == {
        "time.day": "2026-11-21",
        "time.hour": "2026-11-21T20Z",
        "time.exact": "2026-11-21T20:59:59.999999Z",
    }


@pytest.mark.parametrize("geometry", [GREAT_BELT, CABLE, AREA])
def test_what_is_small_has_all_rungs(geometry: dict[str, Any]) -> None:
    rungs = place_ladder(geometry)
    assert set(rungs) == {f"place.{rung}" for rung in PLACE_RUNGS}
    check_ladders(rungs)


def test_a_sea_is_too_large_for_a_spot() -> None:
    rungs = place_ladder(BALTIC)
    assert set(rungs) == {"place.region", "place.exact"}
    check_ladders(rungs)
    finer = {**rungs, "place.area": [h3.latlng_to_cell(56, 17, 5)]}
    assert reason(finer) == "malformed"


def test_the_world_has_no_rung_at_all() -> None:
    ring = [[-180, -80], [0, -80], [180, -80], [180, 80], [0, 80], [-180, 80], [-180, -80]]
    with pytest.raises(Refused, match="cells"):
        place_ladder({"type": "Polygon", "coordinates": [ring]})


def test_the_cells_of_a_line_leave_no_gap() -> None:
    cells = set(place_ladder(CABLE)["place.spot"])
    (lon1, lat1), (lon2, lat2) = CABLE["coordinates"][:2]  # type: ignore[misc]
    for part in (0.1, 0.333, 0.5, 0.9):
        point = lat1 + (lat2 - lat1) * part, lon1 + (lon2 - lon1) * part
        cell = h3.latlng_to_cell(*point, 7)
        assert cell in cells or set(h3.grid_disk(cell, 1)) & cells


def test_a_hole_is_not_inside() -> None:
    cells = set(place_ladder(AREA)["place.spot"])
    assert h3.latlng_to_cell(55.35, 10.9, 7) not in cells
    assert h3.latlng_to_cell(55.315, 10.9, 7) in cells


@given(st.one_of(points, lines, boxes))
def test_any_geometry_climbs_and_any_part_of_its_ladder_holds(geometry: dict[str, Any]) -> None:
    rungs = place_ladder(geometry)
    for left_out in [(), *[(slot,) for slot in rungs], ("place.spot", "place.area")]:
        check_ladders({slot: value for slot, value in rungs.items() if slot not in left_out})
    for slot, cells in rungs.items():
        if slot != "place.exact":
            assert cells == sorted(set(cells))
            assert 0 < len(cells) <= limits.PLACE_CELLS


anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list)
rings = st.lists(anywhere, min_size=3, max_size=6).map(lambda ring: [*ring, ring[0]])


@given(st.lists(rings, min_size=1, max_size=2))
def test_any_area_on_earth_has_a_ladder_or_a_reason(coordinates: list[Any]) -> None:
    polygon = {"type": "Polygon", "coordinates": coordinates}
    try:
        check_ladders(place_ladder(polygon))
    except Refused as e:
        assert e.reason == "malformed"


@given(times_us, st.sets(st.sampled_from(TIME_RUNGS)))
@example(0, set())
def test_any_time_and_any_part_of_its_ladder_holds(at_us: int, left_out: set[str]) -> None:
    rungs = time_ladder(at_us)
    check_ladders({s: v for s, v in rungs.items() if s.removeprefix("time.") not in left_out})


@given(times_us, times_us)
def test_two_times_share_a_ladder_only_in_the_same_hour(one_us: int, two_us: int) -> None:
    one, two = time_ladder(one_us), time_ladder(two_us)
    mixed = {"time.hour": one["time.hour"], "time.exact": two["time.exact"]}
    if one_us // 3_600_000_000 == two_us // 3_600_000_000:
        check_ladders(mixed)
    else:
        assert reason(mixed) == "finer-outside-coarser"


@given(points, points)
def test_two_points_share_a_ladder_only_in_the_same_cell(one: Any, two: Any) -> None:
    here, there = place_ladder(one), place_ladder(two)
    mixed = {"place.spot": here["place.spot"], "place.exact": two}
    if here["place.spot"] == there["place.spot"]:
        check_ladders(mixed)
    else:
        assert reason(mixed) == "finer-outside-coarser"


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        "Point",
        [],
        {},
        {"type": "Point"},
        {"type": "Point", "coordinates": [1, 2], "bbox": [1, 2, 1, 2]},
        {"type": ["Point"], "coordinates": [1, 2]},
        {"type": "Circle", "coordinates": [1, 2]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "GeometryCollection", "coordinates": []},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": [1, 2, 3, 4]},
        {"type": "Point", "coordinates": ["1", "2"]},
        {"type": "Point", "coordinates": [True, False]},
        {"type": "Point", "coordinates": [181, 0]},
        {"type": "Point", "coordinates": [10**400, 0]},
        {"type": "Point", "coordinates": [0, 0, 10**400]},
        {"type": "Point", "coordinates": [0, 0, float("nan")]},
        {"type": "Point", "coordinates": [0, 90.0001]},
        {"type": "Point", "coordinates": [float("nan"), 0]},
        {"type": "Point", "coordinates": [float("inf"), 0]},
        {"type": "LineString", "coordinates": [[1, 2]]},
        {"type": "LineString", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": [[-170, 2], [170, 2]]},
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6]]]},
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6], [7, 8]]]},
        {"type": "Polygon", "coordinates": [[1, 2], [3, 4]]},
        {"type": "MultiPolygon", "coordinates": [[[1, 2], [3, 4]]]},
        {"type": "MultiPoint", "coordinates": []},
        {"type": "MultiPoint", "coordinates": [[1, 2]] * 1_001},
    ],
)
def test_what_is_no_geometry(geometry: Any) -> None:
    assert reason({"place.exact": geometry}) == "malformed"


@pytest.mark.parametrize(
    "cells",
    [
        None,
        [],
        "871f05825ffffff",
        {"871f05825ffffff": 1},
        ["871F05825FFFFFF"],
        ["0871f05825ffffff"],
        ["851f0583fffffff"],
        ["nonsense"],
        ["871f05825ffffff", "871f05825ffffff"],
        ["871f05825ffffff", "871f05820ffffff"],
        [7],
        [["871f05825ffffff"]],
        ["871f05825ffffff"] * 600,
    ],
)
def test_what_is_no_list_of_cells(cells: Any) -> None:
    assert reason({"place.spot": cells}) == "malformed"


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("time.exact", None),
        ("time.exact", 1_795_291_503),
        ("time.exact", "2026-11-21T20:05:03"),
        ("time.exact", "2026-11-21T20:05:03+00:00"),
        ("time.exact", "2026-11-21T21:05:03+01:00"),
        ("time.exact", "2026-11-21 20:05:03Z"),
        ("time.exact", "20261121T200503Z"),
        ("time.exact", "2026-11-21T20:05:03.100Z"),
        ("time.exact", "2026-11-21T20:05:03.0Z"),
        ("time.exact", "2026-11-31T20:05:03Z"),
        ("time.exact", "0001-01-01T00:00:00+23:59"),
        ("time.hour", None),
        ("time.hour", "2026-11-21T20"),
        ("time.hour", "2026-11-21T24Z"),
        ("time.hour", "2026-11-21T20Z\n"),
        ("time.hour", "२०२६-11-21T20Z"),
        ("time.day", None),
        ("time.day", "2026-02-30"),
        ("time.day", "2026-2-3"),
        ("time.day", 20261121),
    ],
)
def test_what_is_no_time(slot: str, value: Any) -> None:
    assert reason({slot: value}) == "malformed"


def test_a_thin_area_across_a_large_box_is_laid_out_coarsely() -> None:
    """What listing cells costs is bounded by the box, whatever shape lies in it."""
    ring = [[10, 54], [11.5, 55.5], [11.5, 55.501], [10, 54.001], [10, 54]]
    rungs = place_ladder({"type": "Polygon", "coordinates": [ring]})
    assert "place.spot" not in rungs
    assert "place.area" in rungs


def test_the_count_of_cells_is_bounded_before_they_are_listed() -> None:
    """A line round the earth is given up after a few thousand samples, not walked to its end."""
    line = [[-180 + 90 * (n % 5), 10.0 * (n // 5)] for n in range(5)]
    assert touched_or_none(line) is None


def touched_or_none(line: list[list[float]]) -> set[str] | None:
    from samsyn.statements.geometry import read_geometry

    return touched(read_geometry({"type": "LineString", "coordinates": line}), 7)


def test_markings_stand_in_order() -> None:
    assert [rank(m) for m in MARKINGS] == [0, 1, 2, 3, 4]
    assert strictest(["TLP:GREEN", "TLP:RED", "TLP:CLEAR"]) == "TLP:RED"
    assert strictest(["TLP:AMBER", "TLP:AMBER+STRICT"]) == "TLP:AMBER+STRICT"
    assert strictest([]) == "TLP:CLEAR"


@pytest.mark.parametrize("label", ["", "TLP:WHITE", "tlp:red", "TLP:RED ", "RED"])
def test_a_label_that_is_none_is_never_taken_for_a_lower_one(label: str) -> None:
    with pytest.raises(ValueError, match="no marking"):
        rank(label)
    with pytest.raises(ValueError, match="no marking"):
        strictest(["TLP:CLEAR", label])
