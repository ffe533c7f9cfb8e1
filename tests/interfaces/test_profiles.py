"""A profile for each platform: what its importer keeps is what `docs/stix.md` promises."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samsyn.formats.stix_profiles import PROFILES, Profile
from samsyn.node import readers
from tests.channels.nodes import draft
from tests.interfaces import peers
from tests.interfaces.readers import Site, told
from tests.interfaces.test_taxii import path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("SAMSYN_PEERS_STIX", ROOT / ".venv-peers-stix")) / "bin" / "python"
POLICY = """
[[rule]]
id = "all"
why = "platforms"
to = ["plain", "misp", "opencti"]
kinds = ["alert", "report"]
place = "exact"
time = "exact"
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, policy=POLICY, names=())
    for name in PROFILES:
        made.tokens[name] = readers.add(made.home, name, name, by="t", profile=name)
    said = {"exercise": False, "title": "A ship drifts", "text": "All words"}
    made.node.stores.pen.sign(draft("alert", **said, **{"body.craft": "mmsi:219000001"}), by="t")
    made.node.stores.pen.sign(draft("report", **said), by="t")
    made.node.tick()
    yield made
    made.close()


def test_each_reader_gets_its_own_shapes(site: Site) -> None:
    fetched = {name: site.fetched(name) for name in PROFILES}
    assert told(fetched["plain"]) == told(fetched["misp"]) == told(fetched["opencti"])
    types = {name: {o["type"] for o in objects} for name, objects in fetched.items()}
    assert "incident" in types["opencti"] and "sighting" in types["opencti"]
    assert "note" in types["misp"] and not types["misp"] & {"incident", "extension-definition"}
    assert types["plain"] == {
        *("identity", "extension-definition", "marking-definition", "report", "location"),
    }
    ids = [{o["id"] for o in fetched[n] if o["type"] in ("report", "location")} for n in PROFILES]
    assert len(set.union(*ids)) == sum(map(len, ids)), "two contents never have one id"


@pytest.mark.parametrize("name", PROFILES)
def test_ids_lead_to_their_objects_and_end_with_them(site: Site, name: Profile) -> None:
    token = site.tokens[name]
    for made in site.fetched(name):
        reply = site.get(path(site, name, f"objects/{made['id']}/"), token)
        assert made in reply.json()["objects"], made
    gone = site.node.stores.statements.page(limit=1)[0]
    before = [o["id"] for o in site.fetched(name) if gone.jti in str(o.get("extensions"))]
    site.node.stores.pen.withdraw(gone.jti, purge=True, why="", by="t")
    site.node.tick()
    after = site.fetched(name)
    assert [o["id"] for o in after if o.get("revoked")] == before and gone.jti not in str(after)


def test_a_misp_document_holds_no_marking_that_nothing_has(site: Site) -> None:
    """Else an actual matter is tagged EXERCISE there, and has every TLP there is."""
    objects = site.fetched("misp")
    used = {ref for o in objects for ref in o.get("object_marking_refs", ())}
    assert {o["id"] for o in objects if o["type"] == "marking-definition"} == used


def keeps(site: Site, profile: Profile, tmp_path: Path) -> Any:
    unique = {o["id"]: o for o in site.fetched(profile)}
    # as a platform gets it that asks for one report and what belongs to it
    reports = [o for o in unique.values() if o["type"] == "report"]
    for other in reports[1:]:
        for ref in (other["id"], *other["object_refs"][1:]):
            unique.pop(ref, None)
    bundle = {"objects": [*unique.values()]}
    if profile == "misp":
        bundle["objects"] = [o for o in bundle["objects"] if o.get("object_refs", [reports[0]["id"]])]
        bundle["objects"] = [
            o for o in bundle["objects"] if o["type"] != "note" or o["object_refs"] == [reports[0]["id"]]
        ]
    return reports[0], bundle["objects"], imported(bundle["objects"], profile, tmp_path)


def imported(objects: list[Any], profile: Profile, tmp_path: Path) -> Any:
    """What the importer of a platform makes of objects."""
    if not PYTHON.exists():
        pytest.skip("make peers-stix brings the importers")
    bundle = {
        "type": "bundle",
        "id": f"bundle--{objects[-1]['id'].partition('--')[2]}",
        "objects": objects,
    }
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle))
    command = [PYTHON, peers.__file__, profile, file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_misp_stix_keeps_what_is_promised(site: Site, tmp_path: Path) -> None:
    report, objects, found = keeps(site, "misp", tmp_path)
    assert found["problems"] == []
    (made,) = found["kept"]
    assert made["info"] == report["name"]
    (words,) = made["EventReport"]
    assert words["content"] == report["description"]
    (note,) = made["Note"]
    (whole,) = (o["content"] for o in objects if o["type"] == "note")
    assert note["note"] == whole and "place.exact" in whole
    names = {one["name"] for one in made["Object"]}
    assert "geolocation" in names and len({one["uuid"] for one in made["Object"]}) == len(made["Object"])
    tags = {tag["name"] for tag in made["Tag"]}
    assert {t for t in tags if t.startswith("tlp:")} == {"tlp:amber"}
    assert not any("EXERCISE" in tag for tag in tags) and any("IEP 2.0" in tag for tag in tags)
    assert set(report["labels"]) <= tags


def test_the_splitter_of_opencti_keeps_what_is_promised(site: Site, tmp_path: Path) -> None:
    _, objects, found = keeps(site, "opencti", tmp_path)
    kept = {o["id"]: o for o in found["kept"]}
    lost = {o["type"] for o in objects if o["id"] not in kept}
    assert lost <= {"extension-definition"}
    for one in objects:
        if one["id"] in kept:
            same = {k: v for k, v in one.items() if k != "nb_deps"}
            assert {k: kept[one["id"]].get(k) for k in same} == same


@pytest.mark.parametrize("name", ["misp", "opencti"])
def test_what_is_withdrawn_is_not_imported_any_more(site: Site, name: Profile, tmp_path: Path) -> None:
    gone = draft("report", exercise=False, title="A cable was cut", text="By nobody known")
    jti = site.node.stores.pen.sign(gone, by="t").jti
    site.node.tick()
    before = imported(site.fetched(name), name, tmp_path)
    assert "A cable was cut" in json.dumps(before) and "A ship drifts" in json.dumps(before)
    site.node.stores.pen.withdraw(jti, purge=True, why="", by="t")
    site.node.tick()
    after = json.dumps(imported(site.fetched(name), name, tmp_path))
    assert "A ship drifts" in after
    assert not any(words in after for words in ("A cable was cut", "By nobody known", jti))
