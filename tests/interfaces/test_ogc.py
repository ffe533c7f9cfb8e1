"""OGC API - Features, with the clients that GIS people have."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from owslib.ogcapi.features import Features

from samsyn.base import limits
from samsyn.interfaces.openapi import openapi
from samsyn.statements.ladder import place_ladder, time_ladder
from tests.channels.nodes import NOW_US, draft
from tests.interfaces.readers import Site

ITEMS = "/ogc/collections/{}/items"
Objects = dict[str, tuple[Any, ...]]
"""By statement: originator, version, title, summary."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def say(site: Site, kind: str = "alert", slots: dict[str, Any] | None = None) -> str:
    made = draft(kind, exercise=False)
    if slots is not None:
        made = msgspec.structs.replace(made, slots=slots)
    return site.node.stores.pen.sign(made, by="t").jti


def got(site: Site, name: str, path: str) -> Any:
    reply = site.get(path, site.tokens[name])
    assert reply.status_code == 200, (path, reply.text)
    return reply.json()


def walked(site: Site, name: str, collection: str, limit: int = 2, **query: str) -> list[dict[str, Any]]:
    """All features, page by page along the links `next`."""
    more = "".join(f"&{key}={value}" for key, value in query.items())
    path, found = f"{ITEMS.format(collection)}?limit={limit}{more}", []
    for _ in range(200):
        page = got(site, name, path)
        assert page["numberReturned"] == len(page["features"]) <= limit
        found += page["features"]
        next_ = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not next_:
            return found
        path = next_[0].removeprefix(site.url)
    raise AssertionError("the pages have no end")


def test_a_reader_s_channel_as_features(site: Site) -> None:
    alerts = {say(site) for _ in range(5)}
    report = say(site, "report")
    site.node.tick()
    for name, reports in (("gis", set()), ("cyber", {report})):
        held = site.held(name)
        told = walked(site, name, "alerts") + walked(site, name, "reports")
        assert {f["properties"]["statement"] for f in told} == alerts | reports == held.keys()
        for one in told:
            iss, ver, slots = held[one["properties"]["statement"]]
            assert (one["properties"]["originator"], one["properties"]["version"]) == (iss, ver)
            assert one["properties"].get("title") == slots.get("title")
    # what a rule coarsened is drawn as coarse as it is
    (first, *_) = walked(site, "gis", "alerts")
    assert first["properties"]["place_rung"] == "area" and first["geometry"]["type"] != "Point"
    assert "author" not in first["properties"]


def test_a_withdrawal_disappears(site: Site) -> None:
    gone, stays = say(site), say(site)
    site.node.tick()
    before = {f["properties"]["statement"]: f["id"] for f in walked(site, "gis", "alerts")}
    assert before.keys() == {gone, stays}
    site.node.stores.pen.withdraw(gone, purge=True, why="", by="t")
    site.node.tick()
    assert [f["properties"]["statement"] for f in walked(site, "gis", "alerts")] == [stays]
    path = f"{ITEMS.format('alerts')}/{before[gone]}"
    never = f"{ITEMS.format('alerts')}/{before[gone][:-1]}0"
    assert site.get(path, site.tokens["gis"]).content == site.get(never, site.tokens["gis"]).content
    assert site.get(path, site.tokens["gis"]).status_code == 404


def test_boxes_and_times_find_what_may_be_there(site: Site) -> None:
    def at(lon: float, lat: float, at_us: int) -> str:
        slots = {"title": "x", "body.detector": "drift", "body.state": "open"}
        slots |= place_ladder({"type": "Point", "coordinates": [lon, lat]}) | time_ladder(at_us)
        return say(site, slots=slots)

    west, east = at(10.0, 55.0, NOW_US), at(20.0, 59.0, NOW_US - 86_400_000_000)
    site.node.tick()

    def found(name: str, **query: str) -> set[str]:
        return {f["properties"]["statement"] for f in walked(site, name, "alerts", 10, **query)}

    assert found("cyber", bbox="9.9,54.9,10.1,55.1") == {west}
    assert found("cyber", bbox="9.9,54.9,0,10.1,55.1,100") == {west}
    assert found("cyber", bbox="15,50,9,60") == {east}  # across 180 degrees
    assert found("cyber", bbox="30,50,31,51") == set()
    today = time_ladder(NOW_US)["time.day"]
    assert found("cyber", datetime=f"{today}T00:00:00Z/..") == {west}
    assert found("cyber", datetime=f"../{today}T00:00:00Z") == {east}
    # a reader that knows the hour finds it by any instant of that hour
    hour = time_ladder(NOW_US)["time.hour"][:-1]
    assert found("gis", datetime=f"{hour}:00:00Z") == found("gis", datetime=f"{hour}:59:59Z") == {west}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "limit=-1", "bbox=1,2,3", "bbox=0,10,0,5", "bbox=nan,0,1,1", "bbox=0,0,999,1",
     "datetime=soon", "datetime=../..", "datetime=2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "f=xml",
     "at=x", "colour=red", "crs=EPSG:3857", "at=99999999999999999999999999999999"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(site: Site, query: str) -> None:
    say(site)
    site.node.tick()
    reply = site.get(f"{ITEMS.format('alerts')}?{query}", site.tokens["gis"])
    assert reply.status_code == 400 and reply.headers["content-type"] == "application/problem+json"
    assert reply.json() == {"type": "about:blank", "title": "The request cannot be read", "status": 400}


def test_a_page_is_never_larger_than_its_limit(site: Site) -> None:
    say(site)
    site.node.tick()
    page = got(site, "gis", f"{ITEMS.format('alerts')}?limit={limits.READER_PAGE * 1000}")
    assert page["numberReturned"] == 1


def test_without_a_token_there_is_one_reply(site: Site) -> None:
    say(site)
    site.node.tick()
    paths = ["/ogc/", "/ogc/api", "/ogc/collections", ITEMS.format("alerts"), "/ogc/nothing"]
    replies = [site.get(path, token) for path in paths for token in ("", "made-up")]
    assert {r.status_code for r in replies} == {401} and len({r.content for r in replies}) == 1


def test_a_browser_gets_a_page_without_script(site: Site) -> None:
    say(
        site,
        slots={"title": "<script>alert(1)</script>", "body.detector": "drift", "body.state": "open"},
    )
    site.node.tick()
    for path in ("/ogc/", "/ogc/collections", "/ogc/conformance", ITEMS.format("alerts")):
        accept = {"accept": "text/html,*/*", "accept-language": "sv-SE,en"}
        reply = site.get(path, site.tokens["gis"], **accept)
        assert reply.headers["content-type"].startswith("text/html") and 'lang="sv"' in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "<script" not in reply.text
    assert "&lt;script&gt;" in reply.text


def expected(site: Site) -> Objects:
    """What `gis` was given, in the words that every client keeps."""
    return {
        jti: (iss, ver, slots.get("title"), slots.get("summary"))
        for jti, (iss, ver, slots) in site.held("gis").items()
    }


def withdraw(site: Site, jti: str) -> None:
    site.node.stores.pen.withdraw(jti, purge=True, why="", by="t")
    site.node.tick()


def test_owslib_gets_all_of_it_and_what_is_withdrawn_goes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts = [say(site) for _ in range(3)]
    site.node.tick()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(site.with_address()))
    token = {"Authorization": f"Bearer {site.tokens['gis']}"}
    client = Features(f"{site.url}/ogc/", headers=token)
    assert set(client.feature_collections()) == {"alerts", "reports", "tracks"}
    assert (
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
        in client.conformance()["conformsTo"]
    )
    assert client.api()["openapi"].startswith("3.0")

    def kept() -> Objects:
        told = [f["properties"] for f in client.collection_items("alerts", limit=10)["features"]]
        one = [
            client.collection_item("alerts", f["id"])
            for f in client.collection_items("alerts")["features"]
        ]
        assert [f["properties"] for f in one] == told
        return {t["statement"]: (t["originator"], t["version"], t["title"], t["summary"]) for t in told}

    assert kept() == expected(site) and len(kept()) == 3
    withdraw(site, alerts[1])
    assert kept() == expected(site) and alerts[1] not in kept()


def test_the_api_is_what_it_says(site: Site) -> None:
    """Every path of the document answers, with the schema that the document has for it."""
    say(site)
    site.node.tick()
    said = got(site, "gis", "/ogc/api")
    assert said == openapi("Coast Watch (dk, actual)")
    (feature, *_) = walked(site, "gis", "alerts")
    for path, does in said["paths"].items():
        full = "/ogc" + path.replace("{collection}", "alerts").replace("{id}", feature["id"])
        told = got(site, "gis", full)
        (media, *_) = does["get"]["responses"]["200"]["content"].values()
        name = media["schema"]["$ref"].rpartition("/")[2]
        schema = {"$ref": f"#/components/schemas/{name}", "components": said["components"]}
        text = json.dumps(schema).replace('"nullable": true', '"type": ["object", "null"]')
        text = text.replace('"type": "object", "type": ["object", "null"]', '"type": ["object", "null"]')
        jsonschema.validate(told, json.loads(text))


def copy_by_gdal(site: Site, folder: Path, out: Path) -> None:
    """As a library: rasterio, geopandas and others bring a newer one than the system's."""
    program = str(Path(__file__).with_name("by_gdal.py"))
    command = [sys.executable, program, "copy", f"OAPIF:{site.url}/ogc", "alerts", str(out)]
    by_gdal(folder, command, GDAL_HTTP_USERPWD=f"gis:{site.tokens['gis']}")


def copy_by_ogr2ogr(site: Site, folder: Path, out: Path) -> None:
    source = f"OAPIF:{site.url}/ogc"
    command = ["ogr2ogr", "-f", "GPKG", str(out), "-oo", "PAGE_SIZE=2", source, "alerts"]
    by_gdal(folder, command, GDAL_HTTP_HEADERS=f"Authorization: Bearer {site.tokens['gis']}")


def by_gdal(folder: Path, command: list[str], **login: str) -> None:
    trusted = str(folder / "authority.pem")
    settings = login | {"CURL_CA_BUNDLE": trusted, "GDAL_CURL_CA_BUNDLE": trusted, "HOME": str(folder)}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def copy_by_qgis(site: Site, folder: Path, out: Path) -> None:
    program = str(Path(__file__).with_name("by_qgis.py"))
    known = ("gis", site.tokens["gis"], str(folder / "authority.pem"))
    command = ["/usr/bin/python3", program, f"{site.url}/ogc", *known, str(out)]
    settings = {"QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("copy", "needs"),
    [
        (copy_by_gdal, "sh"),
        (copy_by_ogr2ogr, "ogr2ogr"),
        pytest.param(copy_by_qgis, "qgis", marks=pytest.mark.nightly),
    ],
    ids=["gdal", "ogr2ogr", "qgis"],
)
def test_it_is_copied_into_a_geopackage_and_what_is_withdrawn_goes(
    site: Site, tmp_path: Path, copy: Callable[..., None], needs: str
) -> None:
    if shutil.which(needs) is None:
        pytest.skip(f"needs {needs} (Debian: gdal-bin, or python3-qgis with libqca-qt5-2-plugins)")
    alerts = [say(site) for _ in range(5)]
    site.node.tick()
    shutil.copy(site.with_address(), tmp_path / "authority.pem")

    def kept(name: str) -> Objects:
        out = tmp_path / name
        copy(site, tmp_path, out)
        with sqlite3.connect(out) as db:
            (table,) = db.execute("SELECT table_name FROM gpkg_contents").fetchone()
            sql = f'SELECT statement, originator, version, title, summary FROM "{table}"'
            return {row[0]: tuple(row[1:]) for row in db.execute(sql)}

    assert kept("before.gpkg") == expected(site) and len(expected(site)) == 5
    withdraw(site, alerts[2])
    assert kept("after.gpkg") == expected(site) and len(expected(site)) == 4
