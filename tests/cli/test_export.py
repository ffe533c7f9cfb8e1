"""`samsyn export tracks`: files that other programs read, with no more in them than a person may see."""

from __future__ import annotations

import json
import stat
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import shapely
from click.testing import CliRunner

from samsyn.base import limits
from samsyn.base.clock import HOUR_US, MINUTE_US, iso, parse_iso
from samsyn.base.settings import Home, Realm
from samsyn.cli import main
from samsyn.desk.accounts import add_account
from samsyn.formats import gpx
from samsyn.node.homes import make_home
from samsyn.node.stores import Stores
from samsyn.observations.plausible import Mark
from samsyn.observations.schema import make_batch
from samsyn.observations.store import ObservationStore

NOON = parse_iso("2026-03-01T12:00:00Z")
SHIP = (1 << 32) + 219_000_001
PLANE = (2 << 32) + 0x4CA123
SLY = 'R&D <b>"\x07\ud7ff'
WORD = "a long password of Rita"
# GeoParquet 1.1: what its JSON schema allows
TYPES = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"}


def rows(realm: Realm, craft: int, track: list[tuple[float, float, float]], **more: Any) -> pl.DataFrame:
    """track: minutes after noon, latitude, longitude."""
    columns = {
        "time_us": [NOON + int(m * MINUTE_US) for m, _, _ in track],
        "craft": [craft] * len(track),
        "lat": [lat for _, lat, _ in track],
        "lon": [lon for _, _, lon in track],
        "time_source": [1] * len(track),
        **{name: [value] * len(track) for name, value in more.items() if name != "feed"},
    }
    feed = more.get("feed", "mast")
    return make_batch(columns, feed=feed, originator="dk", exercise=realm == "exercise")


def made(root: Path, realm: Realm) -> Home:
    home = make_home(root / realm, name="dk", organisation="Coast Watch", realm=realm)
    store = ObservationStore(home.observations(realm))
    ship = [(0, 55.0, 12.0), (3, 55.1, 12.1), (90, 55.2, 12.2), (93, 55.3, 12.3)]
    store.append(rows(realm, SHIP, ship, name=SLY), NOON, "TLP:GREEN")
    jump = rows(realm, SHIP, [(4, 80.0, 0.0)])
    store.append(jump.with_columns(marks=pl.lit(int(Mark.JUMP), pl.UInt16)), NOON, "TLP:GREEN")
    around = [(0, -17.0, 179.9), (1, -17.0, -179.9), (1.5, -17.0, -179.8)]
    store.append(rows(realm, PLANE, around, altitude_ft=10_000.0), NOON, "TLP:AMBER")
    store.append(rows(realm, SHIP + 1, [(0, 56.0, 13.0)], feed="secret"), NOON, "TLP:RED")
    store.flush()
    (root / "password").write_text(WORD)
    add_account(home.accounts, "rita", "Rita", "release", WORD)
    add_account(home.accounts, "red", "Red", "release", WORD, "TLP:RED")
    add_account(home.accounts, "vera", "Vera", "viewer", WORD)
    return home


@pytest.fixture(params=["actual", "exercise"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    return made(tmp_path, request.param)


def export(home: Home, kind: str, name: str, *more: str, by: str = "rita") -> tuple[int, dict[str, Any]]:
    out = home.root.parent / name
    span = ["--from", iso(NOON), "--to", iso(NOON + 24 * HOUR_US)]
    word = ["--by", by, "--password-file", str(home.root.parent / "password")]
    args = ["export", "tracks", "--home", str(home.root), "--format", kind, "--out", str(out), "--json"]
    result = CliRunner().invoke(main, [*args, *span, *word, *more])
    return result.exit_code, json.loads(result.stdout)


def test_geoparquet_is_what_its_specification_says(home: Home) -> None:
    code, told = export(home, "geoparquet", "t.parquet")
    assert code == 0, told
    path = Path(told["file"])
    said = pl.read_parquet_metadata(path)
    realm = "true" if home.settings().node.realm == "exercise" else "false"
    assert (said["samsyn:marking"], said["samsyn:exercise"]) == ("TLP:AMBER", realm)
    geo, table = json.loads(said["geo"]), pl.read_parquet(path)
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    (column,) = geo["columns"].values()
    assert (
        column["encoding"] == "WKB" and set(column["geometry_types"]) == {"LineString", "Point"} < TYPES
    )
    assert set(column) <= {"encoding", "geometry_types", "bbox", "covering"}  # no crs: OGC:CRS84
    sides = {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}
    assert column["covering"] == {"bbox": sides}
    assert table.schema["bbox"] == pl.Struct(dict.fromkeys(sides, pl.Float64))
    assert table.schema["geometry"] == pl.Binary
    shapes = [shapely.from_wkb(wkb) for wkb in table["geometry"]]
    assert column["bbox"] == pytest.approx(shapely.total_bounds(shapes).tolist())
    for shape, box in zip(shapes, table["bbox"], strict=True):
        assert shape.bounds == tuple(box[side] for side in sides)
    # split where she was silent and where 180 is crossed; the jump is left out
    assert table.select("craft", "part", "positions").rows() == [
        ("mmsi:219000001", 0, 2),
        ("mmsi:219000001", 1, 2),
        ("icao:4ca123", 0, 1),
        ("icao:4ca123", 1, 2),
    ]
    assert list(shapes[0].coords) == [(12.0, 55.0), (12.1, 55.1)]
    assert [len(times) for times in table["times"]] == [2, 2, 1, 2]
    assert table["markings"].to_list() == [["TLP:GREEN"]] * 2 + [["TLP:AMBER"]] * 2
    assert set(table["exercise"]) == {realm == "true"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


ORDER = {
    "gpx": ["metadata", "wpt", "rte", "trk", "extensions"],
    "metadata": ["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds"],
    "trk": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"],
    "trkseg": ["trkpt", "extensions"],
    "trkpt": ["ele", "time", "magvar", "geoidheight", "name"],
}


def valid(element: ET.Element) -> None:
    """Names, order and attributes as gpx.xsd has them, of the elements that we write."""
    name = element.tag.removeprefix(f"{{{gpx.NAMESPACE}}}")
    children = [child.tag.removeprefix(f"{{{gpx.NAMESPACE}}}") for child in element]
    if name not in ORDER:
        assert not children and not element.attrib
        return
    places = [ORDER[name].index(child) for child in children]
    assert places == sorted(places)
    repeated = {child for child in children if children.count(child) > 1}
    assert repeated <= {"trk", "trkseg", "trkpt"}
    if name == "trkpt":
        assert -90 <= float(element.attrib["lat"]) <= 90
        assert -180 <= float(element.attrib["lon"]) < 180.000001
        parse_iso(str(element.findtext(f"{{{gpx.NAMESPACE}}}time")))
    for child in element:
        valid(child)


def test_gpx_is_what_its_schema_says(home: Home) -> None:
    code, told = export(home, "gpx", "t.gpx")
    assert code == 0, told
    root = ET.parse(told["file"]).getroot()
    assert root.attrib == {"version": "1.1", "creator": "Samsyn"}
    valid(root)
    n = {"g": gpx.NAMESPACE}
    tracks = root.findall("g:trk", n)
    assert [t.findtext("g:name", "", n) for t in tracks] == ["mmsi:219000001", "icao:4ca123"]
    assert [[len(s) for s in t.findall("g:trkseg", n)] for t in tracks] == [[2, 2], [1, 2]]
    exercise = home.settings().node.realm == "exercise"
    desc = tracks[0].findtext("g:desc", "", n)
    assert desc.startswith("EXERCISE TLP:GREEN" if exercise else "TLP:GREEN")
    assert "R&D <b>" in desc
    assert root.findtext("g:metadata/g:desc", "", n) == ("EXERCISE " if exercise else "") + "TLP:AMBER"
    assert tracks[1].findtext("g:trkseg/g:trkpt/g:ele", "", n) == "3048.0"


def test_nobody_takes_what_they_are_not_cleared_for(tmp_path: Path) -> None:
    home = made(tmp_path, "actual")
    secret = "mmsi:219000002"
    _, told = export(home, "gpx", "all.gpx", "--craft", secret)
    assert (told["positions"], told["marking"]) == (0, "TLP:AMBER")
    assert secret not in Path(told["file"]).read_text()
    _, red = export(home, "gpx", "red.gpx", by="red")
    assert (red["craft"], red["marking"]) == (3, "TLP:RED")
    # a feed whose marking was tightened since is closed to the past, too
    with home.config.open("a") as config:
        config.write('[[feed]]\nname = "mast"\nkind = "ais_nmea"\nsource = "tcp:127.0.0.1:1"\n')
        config.write('marking = "TLP:RED"\n')
    assert export(home, "gpx", "later.gpx")[1]["positions"] == 0
    code, told = export(home, "gpx", "vera.gpx", by="vera")
    assert code == 2 and not (tmp_path / "vera.gpx").exists()
    with Stores(home) as stores:
        taken = [(e.by, e.what["positions"]) for e in stores.diary.entries() if e.did == "export-tracks"]
    assert taken == [("rita", 0), ("red", 8), ("rita", 0)]


def test_what_was_asked_for_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = made(tmp_path, "actual")
    assert export(home, "gpx", "1.gpx", "--area", "12.05,54,12.25,56")[1]["positions"] == 2
    assert export(home, "gpx", "2.gpx", "--feed", "roof")[1]["positions"] == 0
    assert export(home, "geoparquet", "3.parquet", "--craft", "icao:4ca123")[1]["positions"] == 3
    assert export(home, "geoparquet", "4.parquet", "--feed", "roof")[1]["parts"] == 0
    assert pl.read_parquet(tmp_path / "4.parquet").height == 0
    assert export(home, "gpx", "1.gpx")[0] == 2  # it is there already
    assert export(home, "gpx", "5.gpx", "--craft", "the red one")[0] == 2
    monkeypatch.setattr(limits, "EXPORT_POSITIONS", 3)
    assert export(home, "gpx", "6.gpx")[0] == 2
    assert not (tmp_path / "6.gpx").exists()
