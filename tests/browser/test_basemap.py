"""The basemap that the page carries: sound polygons, and land and sea where they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shapely import STRtree
from shapely.geometry import Point, Polygon

LAND = {"Stockholm": (59.4, 17.6), "Kiruna": (67.8, 20.3), "Roskilde": (55.62, 12.0),
        "Visby": (57.5, 18.4), "Vologda": (59.2, 39.9), "Iceland": (65.0, -18.5),
        "Kansas": (38.5, -98.4),
        "Chukotka": (66.9, 178.0), "South Pole": (-84.0, 10.0)}  # fmt: skip
SEA = {"off Bornholm": (55.3, 16.0), "Bothnia": (62.5, 19.5), "Norwegian Sea": (67.5, 3.0),
       "Gulf of Finland": (59.8, 25.5), "Atlantic": (35.0, -45.0), "Bering": (60.0, 178.5)}  # fmt: skip


def _ring(packed: list[int], unit: int) -> list[tuple[float, float]]:
    x = y = 0
    points = []
    for dx, dy in zip(packed[::2], packed[1::2], strict=True):
        x, y = x + dx, y + dy
        points.append((x / unit, y / unit))
    return points


@pytest.fixture(scope="module")
def polygons(web: Path) -> list[Polygon]:
    [path] = (web / "assets").glob("basemap-*.json")
    packed: dict[str, Any] = json.loads(path.read_text())
    return [
        Polygon(_ring(rings[0], packed["unit"]), [_ring(r, packed["unit"]) for r in rings[1:]])
        for part in packed["land"]
        for rings in part["polygons"]
    ]


def test_every_polygon_is_sound(polygons: list[Polygon]) -> None:
    assert len(polygons) > 400
    assert all(p.is_valid for p in polygons)


@pytest.mark.parametrize("place", [*LAND, *SEA])
def test_land_and_sea_are_where_they_are(polygons: list[Polygon], place: str) -> None:
    lat, lon = (LAND | SEA)[place]
    found = len(STRtree(polygons).query(Point(lon, lat), predicate="within"))
    assert found == (1 if place in LAND else 0)


def test_the_page_stays_small(web: Path) -> None:
    """What one visit transfers, compressed as a server would: fonts are compressed already."""
    import gzip

    total = 0
    for path in (web / "assets").iterdir():
        data = path.read_bytes()
        if path.suffix == ".woff2":
            total += len(data) if "latin" in path.name else 0
        else:
            total += len(gzip.compress(data, 6))
    assert total < 1_200_000
