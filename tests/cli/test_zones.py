"""samsyn zones, as an administrator types it."""

from __future__ import annotations

import json
from pathlib import Path

from samsyn.watch.zones import shipped
from tests.cli.conftest import answer, make, ok, refused


def test_a_set_is_taken_into_the_home_and_edited_there(here: Path) -> None:
    dk = make("dk")
    before = answer("zones", "list", *dk)
    added = answer("zones", "take", *dk, "baltic-infrastructure")["added"]
    assert len(added) == len(shipped("baltic-infrastructure"))
    path = here / "dk" / "zones.geojson"
    edited = json.loads(path.read_text())
    edited["features"][len(before)]["properties"]["reach_m"] = 500
    path.write_text(json.dumps(edited))
    assert answer("zones", "take", *dk, "baltic-infrastructure")["added"] == []
    first, *others = answer("zones", "list", *dk)[len(before) :]
    assert (first["name"], first["reach_m"], first["approximate"]) == ("nord-stream-1", 500, True)
    assert len(others) == len(added) - 1
    assert "Estlink 2" in ok("zones", "list", *dk)
    assert "rörledning" in ok("--lang", "sv", "zones", "list", *dk)


def test_a_file_and_a_set_can_be_looked_at_without_a_home(here: Path) -> None:
    assert {one["set"] for one in answer("zones", "sets")} == {
        "baltic-harbours",
        "baltic-infrastructure",
    }
    sorts = {z["sort"] for z in answer("zones", "list", "baltic-harbours")}
    assert sorts == {"port", "anchorage", "fairway"}
    assert "no set of zones is called 'arctic'" in refused("zones", "take", *make("dk"), "arctic")
    assert "neither a file nor a set" in refused("zones", "list", "arctic")
    wrong = here / "z.geojson"
    line = {"type": "LineString", "coordinates": [[15, 55], [16, 55]]}
    feature = {"type": "Feature", "properties": {"name": "c", "sort": "cable"}, "geometry": line}
    wrong.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    said = refused("zones", "list", wrong)
    assert "features[0]" in said and "needs reach_m" in said
