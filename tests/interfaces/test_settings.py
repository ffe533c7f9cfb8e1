"""What an administrator sets over the home API: zones, and who may not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from samsyn.base.settings import Home
from samsyn.desk.accounts import add_account
from samsyn.node.node import Node
from samsyn.watch.definition import discover
from samsyn.watch.zones import SORTS, USED_BY, load_zones, shipped_features
from tests.interfaces.conftest import PASSWORD
from tests.interfaces.test_clearance import sign_in

SQUARE = [[[12, 55], [13, 55], [13, 56], [12, 56], [12, 55]]]


def feature(name: str = "sound", **properties: Any) -> dict[str, Any]:
    geometry = properties.pop("geometry", {"type": "Polygon", "coordinates": SQUARE})
    return {"type": "Feature", "properties": {"name": name, **properties}, "geometry": geometry}


@pytest.fixture
def root(client: TestClient, home: Home) -> TestClient:
    add_account(home.accounts, "root", "Root", "administrator", PASSWORD)
    return sign_in(client, "root")


def change(client: TestClient, status: int = 200, **form: Any) -> Any:
    seen = client.get("/api/settings/zones").json().get("sha256", "")
    reply = client.post("/api/settings/zones/change", json={"seen": seen, **form})
    assert reply.status_code == status, reply.text
    return reply.json()


def test_only_an_administrator_changes_zones(client: TestClient, home: Home) -> None:
    before = (home.root / "zones.geojson").read_bytes()
    for user in ("guest", "duty", "otto"):
        sign_in(client, user)
        assert client.get("/api/settings/zones").status_code == 403
        for form in ({"put": [feature()]}, {}, {"put": [feature()] * 9_000}):
            assert client.post("/api/settings/zones/change", json=form).status_code == 403
    assert (home.root / "zones.geojson").read_bytes() == before


def test_a_zone_is_put_changed_and_removed_and_each_is_in_the_log(
    root: TestClient, home: Home, node: Node
) -> None:
    path, before = home.root / "zones.geojson", node.desk.versions()["zones"]
    assert change(root, put=[feature(title={"en": "Sound", "sv": "Sundet"})])["written"]
    assert [z.title["sv"] for z in load_zones(path)] == ["Sundet"]
    assert root.get("/api/zones").json()["features"][0]["properties"]["name"] == "sound"
    assert node.desk.versions()["zones"] > before
    line = {"type": "LineString", "coordinates": [[12, 55], [13, 56]]}
    change(root, put=[feature("wire", sort="cable", reach_m=500, geometry=line), feature(floor_fl=50)])
    zones = load_zones(path)
    assert [(z.name, z.floor_ft, z.reach_m) for z in zones] == [
        ("sound", 5000, None), ("wire", None, 500)
    ]  # fmt: skip
    assert len(change(root, remove=["sound"])["features"]) == 1
    acts = [n for n in node.stores.diary.entries() if n.did == "zones-changed"]
    assert [(n.by, n.what["added"], n.what["changed"], n.what["removed"]) for n in acts] == [
        ("root", ["sound"], [], []),
        ("root", ["wire"], ["sound"], []),
        ("root", [], [], ["sound"]),
    ]
    assert acts[0].what["after"] == acts[1].what["before"]
    change(root, 400, remove=["sound"])


LINE = {"type": "LineString", "coordinates": [[1, 2], [2, 3]]}


def polygon(*ring: tuple[float, float]) -> dict[str, Any]:
    return {"geometry": {"type": "Polygon", "coordinates": [ring]}}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": "Öresund"}),
        ("name", {"name": "../etc"}),
        ("title", {"title": {"en": "only"}}),
        ("title", {"title": 4}),
        ("sort", {"sort": "castle"}),
        ("domains", {"domains": ["space"]}),
        ("domains", {"domains": []}),
        ("floor", {"floor_ft": 100, "ceiling_ft": 50}),
        ("floor", {"floor_ft": "high"}),
        ("ceiling", {"ceiling_ft": 1, "ceiling_fl": 1}),
        ("reach", {"reach_m": 5}),
        ("reach", {"sort": "cable", "geometry": LINE}),
        ("geometry", polygon((0, 0), (1, 1), (1, 0), (0, 1), (0, 0))),
        ("geometry", polygon((0, 0), (999, 1), (1, 0), (0, 0))),
        ("geometry", {"geometry": {"type": "Polygon", "coordinates": "x"}}),
        ("geometry", {"geometry": None}),
        ("geometry", polygon((0, 0), (1, 1))),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_field_and_nothing_is_written(
    root: TestClient, home: Home, field: str, wrong: dict[str, Any]
) -> None:
    before = (home.root / "zones.geojson").read_bytes()
    told = change(root, put=[feature("good"), feature(**{"name": "bad", **wrong})])
    assert not told["written"]
    assert [(f["feature"], f["field"]) for f in told["faults"]] == [(1, field)]
    assert (home.root / "zones.geojson").read_bytes() == before


def test_two_of_one_name_what_was_changed_meanwhile_and_what_is_no_form(
    root: TestClient, home: Home
) -> None:
    assert change(root, put=[feature(), feature()])["faults"][0]["field"] == "name"
    assert change(root, put=[feature()], dry=True) == {"written": False, "faults": []}
    seen = root.get("/api/settings/zones").json()["sha256"]
    change(root, put=[feature()])
    late = {"seen": seen, "remove": ["sound"]}
    assert root.post("/api/settings/zones/change", json=late).status_code == 400
    (home.root / "zones.geojson").write_text("by hand, and no GeoJSON")
    assert root.get("/api/settings/zones").status_code == 400
    for body in ({"put": 4}, {"put": [4]}, {"file": "/etc/passwd"}, {"remove": [1]}):
        assert root.post("/api/settings/zones/change", json=body).status_code == 400
    for depth in (900, 2_000):
        square = json.dumps({"put": [feature(geometry={"type": "Polygon", "coordinates": "here"})]})
        deep = square.replace('"here"', "[" * depth + "1" + "]" * depth)
        reply = root.post("/api/settings/zones/change", content=deep)
        assert reply.status_code == 400 or reply.json()["faults"][0]["field"] == "geometry"
    big = json.dumps({"put": [feature(source="x" * 5_000_000)]})
    assert root.post("/api/settings/zones/change", content=big).status_code == 400


def test_a_set_that_comes_along_can_be_sent_whole(root: TestClient) -> None:
    told = change(root, put=shipped_features("baltic-infrastructure"))
    assert told["written"] and len(told["features"]) >= 16


def test_the_detectors_named_beside_a_sort_are_there() -> None:
    assert set(USED_BY) == set(SORTS)
    assert {name.replace("_", "-") for names in USED_BY.values() for name in names} <= set(discover())
