"""The basemap as PMTiles: read piece by piece over HTTP, as map programs do."""

from __future__ import annotations

import gzip
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pmtiles.reader import Reader, all_tiles
from starlette.testclient import TestClient

from samsyn.desk.desk import Desk
from samsyn.exchange.tls import client_context
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.basemap import PLACE
from samsyn.interfaces.home import home_app
from samsyn.node.servers import WEB
from tests.interfaces.readers import Site

PATH = f"/{PLACE}"
EXTENT = 4096
EDGE_M = 20_037_508.342789244  # of a map in web mercator (EPSG:3857), from its middle
LAND = {
    "Stockholm": (59.4, 17.6),
    "Roskilde": (55.62, 12.0),
    "Visby": (57.5, 18.4),
    "Tallinn": (59.3, 24.8),
}
SEA = {"off Bornholm": (55.3, 16.0), "Bothnia": (62.5, 19.5), "Gulf of Finland": (59.8, 25.5)}


@pytest.fixture(scope="module")
def data() -> bytes:
    if not (WEB / PLACE).is_file():
        pytest.skip("the page is not built: python hatch_build.py")
    return (WEB / PLACE).read_bytes()


@pytest.fixture
def site(tmp_path: Path, data: bytes) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


class Pieces:
    """What a client fetches, and how much of it."""

    def __init__(self, site: Site) -> None:
        context = client_context((site.home.keys / "tls.pem").read_text())
        head = {"authorization": f"Bearer {site.tokens['gis']}"}
        self.client = httpx.Client(verify=context, base_url=site.url, headers=head, timeout=60)
        self.fetched = 0

    def __call__(self, offset: int, length: int) -> bytes:
        reply = self.client.get(PATH, headers={"range": f"bytes={offset}-{offset + length - 1}"})
        assert reply.status_code == 206 and reply.headers["content-type"] == "application/vnd.pmtiles"
        self.fetched += len(reply.content)
        return reply.content


def test_a_pmtiles_client_finds_land_and_sea_in_few_bytes(site: Site, data: bytes) -> None:
    pieces = Pieces(site)
    reader = Reader(pieces)
    head = reader.header()
    assert (head["min_zoom"], head["max_zoom"]) == (0, 8)
    assert [one["id"] for one in reader.metadata()["vector_layers"]] == ["land", "borders"]
    for zoom in (0, 4, 8):
        there = {name for name, at in (LAND | SEA).items() if on_land(reader, zoom, *at)}
        assert there == LAND.keys() or zoom == 0, zoom
    assert pieces.fetched < len(data) / 2
    assert reader.get(8, 0, 0) is None


def test_every_tile_can_be_read(data: bytes) -> None:
    def piece(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    tiles = dict(all_tiles(piece))
    assert len(tiles) == Reader(piece).header()["addressed_tiles_count"] > 1_000
    drawn = [ring for tile in tiles.values() for ring in rings(gzip.decompress(tile))]
    assert len(drawn) > 5_000 and all(len(ring) > 2 for ring in drawn)
    assert all(-100 <= v <= EXTENT + 100 for ring in drawn for point in ring for v in point)


@pytest.mark.parametrize(
    ("asked", "status", "begin", "end"),
    [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=5-999999999999", 206, 5, None),
        ("bytes=-999999999999", 206, 0, None),
        ("bytes=999999999999-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=0-1,4-5", 416, 0, 0),
        ("bytes=9-2", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("bytes=a-b", 200, 0, None),
        ("bytes=" + "9" * 4_000 + "-", 200, 0, None),
        ("lines=0-1", 200, 0, None),
        ("", 200, 0, None),
    ],
)
def test_ranges(site: Site, data: bytes, asked: str, status: int, begin: int, end: int | None) -> None:
    headers = {"range": asked} if asked else {}
    reply = site.get(PATH, site.tokens["gis"], **headers)
    assert (reply.status_code, reply.content) == (status, data[begin:end] if status != 416 else b"")
    assert reply.headers["accept-ranges"] == "bytes" and int(reply.headers["content-length"]) == len(
        reply.content
    )
    if status == 416:
        assert reply.headers["content-range"] == f"bytes */{len(data)}"
    if status == 206:
        first = begin % len(data)
        last = first + len(reply.content) - 1
        assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(data)}"


def test_a_range_is_of_what_the_client_knows(site: Site, data: bytes) -> None:
    token, part = site.tokens["gis"], {"range": "bytes=0-9"}
    tag = site.get(PATH, token).headers["etag"]
    assert site.get(PATH, token, **part, **{"if-range": tag}).status_code == 206
    for other in ('"another"', "Sat, 21 Nov 2026 19:05:03 GMT", f"W/{tag}"):
        reply = site.get(PATH, token, **part, **{"if-range": other})
        assert (reply.status_code, reply.content) == (200, data)
    assert site.get(PATH, token, **{"if-none-match": f'"x", {tag}'}).status_code == 304


def test_without_a_token_and_elsewhere_there_is_nothing(site: Site) -> None:
    strange = [site.get(p, t) for p in (PATH, "/map/", "/map/no") for t in ("", "made up")]
    assert {(r.status_code, r.content) for r in strange} == {(401, b"Authentication is needed")}
    for path in (
        "/map",
        "/map/no",
        "/map/baltic.pmtiles/x",
        "/map/../readers.toml",
        "/map/%2e%2e/config.toml",
    ):
        assert site.get(path, site.tokens["gis"]).status_code == 404, path


def test_the_picture_s_port_serves_it_too(site: Site, data: bytes) -> None:
    desk: Desk = site.node.desk
    app = home_app(desk, Sessions(site.home.accounts, site.wall), WEB, frozenset({"127.0.0.1"}))
    client = TestClient(app, base_url="http://127.0.0.1:8440")
    reply = client.get(PATH, headers={"range": "bytes=0-126"})
    assert (reply.status_code, reply.content) == (206, data[:127])
    assert client.get(PATH, headers={"range": "bytes=0-1,3-4"}).status_code == 416


def test_gdal_reads_it_over_http(site: Site, tmp_path: Path) -> None:
    certificate = str(site.with_address())
    lat, lon = LAND["Stockholm"]
    x, y = ((2 * v - 1) * EDGE_M for v in world(lat, lon))
    program = str(Path(__file__).with_name("by_gdal.py"))
    command = [sys.executable, program, "count", f"/vsicurl/{site.url}{PATH}", "land", str(x), str(-y)]
    settings = {
        "GDAL_CURL_CA_BUNDLE": certificate,
        "GDAL_HTTP_USERPWD": f"gis:{site.tokens['gis']}",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120)
    assert done.stdout == "borders land 1\n", done.stderr


# --- what is in a tile, read without what wrote it (Mapbox Vector Tile 2.1)


def tile_of(zoom: int, lat: float, lon: float) -> tuple[int, int]:
    x, y = world(lat, lon)
    return int(x * 2**zoom), int(y * 2**zoom)


def world(lat: float, lon: float) -> tuple[float, float]:
    y = math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))
    return lon / 360 + 0.5, 0.5 - y / (2 * math.pi)


def on_land(reader: Any, zoom: int, lat: float, lon: float) -> bool:
    tile = reader.get(zoom, *tile_of(zoom, lat, lon))
    at = [v * 2**zoom % 1 * EXTENT for v in world(lat, lon)]
    inside = [contains(ring, *at) for ring in rings(gzip.decompress(tile))] if tile else []
    return sum(inside) % 2 == 1


def contains(ring: list[tuple[int, int]], x: float, y: float) -> bool:
    turns = zip(ring, [*ring[1:], ring[0]], strict=True)
    crossed = [
        (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax)
        for (ax, ay), (bx, by) in turns
    ]
    return sum(crossed) % 2 == 1


def rings(tile: bytes) -> list[list[tuple[int, int]]]:
    """Of all areas of the layer `land`."""
    found = []
    for layer in (value for number, value in fields(tile) if number == 3):
        if (1, b"land") not in fields(layer):
            continue
        for feature in (value for number, value in fields(layer) if number == 2):
            (said,) = (value for number, value in fields(feature) if number == 4)
            found += shapes(list(ints(said)))
    return found


def fields(data: bytes) -> list[tuple[int, Any]]:
    found, values = [], Cursor(data)
    while values.at < len(data):
        number, wire = divmod(values.int(), 8)
        found.append((number, values.bytes() if wire == 2 else values.int()))
    return found


def ints(data: bytes) -> Iterator[int]:
    values = Cursor(data)
    while values.at < len(data):
        yield values.int()


def shapes(said: list[int]) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = []
    x = y = at = 0
    while at < len(said):
        count, command = divmod(said[at], 8)
        at += 1
        if command == 7:
            continue
        for _ in range(count):
            x, y = x + unzigzag(said[at]), y + unzigzag(said[at + 1])
            at += 2
            if command == 1:
                found.append([])
            found[-1].append((x, y))
    return found


def unzigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)


class Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def int(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def bytes(self) -> bytes:
        size = self.int()
        self.at += size
        return self.data[self.at - size : self.at]
