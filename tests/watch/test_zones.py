"""Zones as an organisation writes them: what is taken, and what is refused with its place."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import shapely

from samsyn.base.errors import ConfigError
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA
from samsyn.watch.zones import INFRASTRUCTURE, load_zones, shipped, shipped_sets, zones_of

SQUARE = {"type": "Polygon", "coordinates": [[[15, 55], [16, 55], [16, 56], [15, 56], [15, 55]]]}

LINE = {"type": "LineString", "coordinates": [[15, 55], [16, 55.5], [16, 58]]}


def collection(*features: dict) -> dict:
    return {"type": "FeatureCollection", "features": list(features)}


def feature(geometry: dict | None = None, **properties: object) -> dict:
    return {
        "type": "Feature",
        "properties": {"name": "box", **properties},
        "geometry": SQUARE if geometry is None else geometry,
    }


def ring(*corners: list[int]) -> dict:
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


def test_a_zone_is_read_whole(tmp_path: Path):
    path = tmp_path / "zones.geojson"
    given = feature(title={"en": "Box", "sv": "Ruta"}, floor_ft=0, ceiling_ft=9_500, domains=["air"])
    path.write_text(json.dumps(collection(given)))
    (zone,) = load_zones(path)
    assert (zone.name, zone.title) == ("box", {"en": "Box", "sv": "Ruta"})
    assert (zone.floor_ft, zone.ceiling_ft, zone.domains) == (0.0, 9_500.0, frozenset({DOMAIN_AIR}))
    assert load_zones(tmp_path / "none.geojson") == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (feature(name="Box One"), "name 'Box One'"),
        (feature(domains=["space"]), "domains"),
        (feature(floor_ft=500, ceiling_ft=400), "not below"),
        (feature(floor_ft="FL100"), "no number of feet"),
        (feature({"type": "Point", "coordinates": [1, 2]}), "Polygon"),
        (feature(sort="volcano"), "sort 'volcano'"),
        (feature(floor_ft=500, floor_fl=5), "write one of them"),
        (feature(floor_fl=195, ceiling_ft=19_500), "not below"),
        (feature(floor_ft=float("nan")), "no number of feet"),
        (feature(sort="cable", reach_m=100), "this is an area"),
        (feature(LINE, sort="port", reach_m=100), "use a Polygon or a MultiPolygon or a Point"),
        (feature(LINE, sort="cable"), "needs reach_m"),
        (feature(LINE, sort="cable", reach_m=0), "reach_m 0"),
        (feature(LINE, sort="cable", reach_m="wide"), "no number of metres"),
        (feature(LINE, sort="cable", reach_m=100, approximate="yes"), "approximate"),
        (
            feature({"type": "Polygon", "coordinates": [[[200, 0], [201, 0], [201, 1], [200, 0]]]}),
            "degrees",
        ),
        (
            feature({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}),
            "simple",
        ),
        (feature({"type": "Polygon", "coordinates": "none"}), "unusable"),
        ({"type": "Feature"}, "unusable"),
        ("text", "unusable"),
    ],
)
def test_a_wrong_zone_is_refused_with_its_index(wrong: dict, says: str):
    good = feature()
    good["properties"]["name"] = "good"
    with pytest.raises(ConfigError, match=says) as refused:
        zones_of(collection(good, wrong), "zones.geojson")
    assert refused.value.where == "zones.geojson: features[1]"


def test_two_zones_of_one_name_and_what_is_no_collection_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="second zone"):
        zones_of(collection(feature(), feature()), "zones.geojson")
    with pytest.raises(ConfigError, match="FeatureCollection"):
        zones_of([1], "zones.geojson")
    path = tmp_path / "zones.geojson"
    path.write_bytes(b"\x00 not json")
    with pytest.raises(ConfigError, match="not JSON"):
        load_zones(path)


def test_a_zone_is_widened_by_metres_not_degrees():
    (zone,) = zones_of(collection(feature()), "z")
    wide = zone.widened(1_852.0)
    west, south, _, _ = wide.bounds
    assert 55 - south == pytest.approx(1 / 60, rel=0.02)
    assert 15 - west == pytest.approx(1 / 60 / 0.5664, rel=0.02)  # cosine of 55.5 degrees
    assert shapely.contains_properly(wide, zone.geometry)


def test_levels_may_be_flight_levels():
    (zone,) = zones_of(collection(feature(floor_fl=95, ceiling_fl=195)), "z")
    assert (zone.floor_ft, zone.ceiling_ft) == (9_500.0, 19_500.0)


def test_a_cable_is_a_line_with_a_reach_in_metres_all_along_it():
    (zone,) = zones_of(collection(feature(LINE, sort="cable", reach_m=1_852, source="own")), "z")
    assert zone.domains == frozenset({DOMAIN_SEA}) and zone.drawn is not None
    for lat in (55.6, 57.9):  # the meridian of 16 degrees, where a minute has two lengths
        reach_deg = 1 / 60 / math.cos(math.radians(lat))
        assert shapely.contains_xy(zone.geometry, 16 + 0.98 * reach_deg, lat)
        assert not shapely.contains_xy(zone.geometry, 16 + 1.06 * reach_deg, lat)


def test_what_comes_with_samsyn_is_read_and_says_where_it_is_from():
    zones = [zone for name in shipped_sets() for zone in shipped(name)]
    assert len({zone.name for zone in zones}) == len(zones) > 80
    assert all(zone.approximate and zone.source and zone.reach_m for zone in zones)
    drawn = [zone.drawn for zone in zones if zone.sort in INFRASTRUCTURE]
    assert all(line is not None and len(line.coords) < 25 for line in drawn)
    with pytest.raises(ConfigError, match="baltic-harbours, baltic-infrastructure"):
        shipped("arctic")
