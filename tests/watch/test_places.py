"""Which zone a position is in: the same as asking every outline."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.zones import shipped, zones_of


def test_a_position_is_where_the_outlines_say():
    zones = [*shipped("baltic-infrastructure"), *shipped("baltic-harbours")]
    made = np.random.default_rng(5)
    lat, lon = made.uniform(53, 66, 20_000), made.uniform(8, 31, 20_000)
    for margin_m in (0.0, 10_000.0):
        found = Places(zones, margin_m).where(lat, lon)
        outlines = [z.widened(margin_m) if margin_m else z.geometry for z in zones]
        inside = np.array([shapely.contains_xy(outline, lon, lat) for outline in outlines])
        expected = np.where(inside.any(axis=0), inside.argmax(axis=0), NOWHERE)
        assert (found == expected).all()
        assert (found != NOWHERE).sum() > 100


@pytest.mark.parametrize("around", [(-89.9, -179.9), (0.0, 0.0), (89.9, 179.9)])
def test_far_apart_zones_and_no_position(around: tuple[float, float]):
    lat, lon = around
    zones = zones_of(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"name": f"p{k}", "sort": "port", "reach_m": 2_000},
                    "geometry": {"type": "Point", "coordinates": at},
                }
                for k, at in enumerate([[-170, -60], [170, 60]])
            ],
        },
        "z",
    )
    places = Places(zones)
    assert places.where(np.array([lat, np.nan]), np.array([lon, 1.0])).tolist() == [NOWHERE, NOWHERE]
    assert places.where(np.array([-60.0, 60.01]), np.array([-170.0, 170.01])).tolist() == [0, 1]
    assert Places([]).where(np.array([lat]), np.array([lon])).tolist() == [NOWHERE]
