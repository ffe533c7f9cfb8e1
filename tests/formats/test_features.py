"""Features as GIS read them: valid geometry, and nothing finer than the view."""

from __future__ import annotations

import h3
from hypothesis import given, settings
from shapely.geometry import Point, shape

from samsyn.formats import features
from samsyn.formats.view import View
from tests.formats.views import view, views, without


def test_a_view_as_a_feature() -> None:
    made = features.feature(view())
    assert made["geometry"] == {"type": "Point", "coordinates": [19.25, 58.125]}
    told = made["properties"]
    assert told["kind"] == "alert" and told["detector"] == "drift" and told["tags"] == "drift; cable"
    assert told["time"] == "2026-11-21T20:00:00Z" and told["place_rung"] == "exact"
    nowhere = features.feature(view(slots=without(view().slots, "place.")))
    assert nowhere["geometry"] is None and "place_rung" not in nowhere["properties"]


@given(one=views())
@settings(max_examples=300, deadline=None)
def test_geometry_is_valid_and_as_large_as_the_rung(one: View) -> None:
    made = features.feature(one)
    geometry = made["geometry"]
    place = next(
        (s for s in ("place.exact", "place.spot", "place.area", "place.region") if s in one.slots), None
    )
    assert (geometry is None) == (place is None)
    if place is None or place == "place.exact":
        return
    drawn = shape(geometry)
    assert drawn.is_valid and not drawn.is_empty
    west, south, east, north = drawn.bounds
    assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    (cell,) = one.slots[place]
    lat, lon = h3.cell_to_latlng(cell)
    if abs(lat) < 85:  # a ring around a pole has no outline in a map of degrees
        assert drawn.buffer(1e-6).covers(Point(lon, lat))
