"""Objects of others over TAXII: each under its own id, to whom the policy lets them, never freer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samsyn.desk.imports import ImportSource
from samsyn.formats import stix
from samsyn.node.imports import Importing
from tests.desk.test_imports import RED, bundle, made
from tests.interfaces.readers import POLICY, Site
from tests.interfaces.test_taxii import path

RULES = """
[[rule]]
id = "references-to-cyber"
why = "threat platform"
to = ["cyber"]
kinds = ["reference"]
place = "exact"
time = "exact"

[[rule]]
id = "that-there-are-some-to-gis"
why = "no times, no places"
to = ["gis"]
kinds = ["reference"]
"""
GREEN_1 = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made_ = Site(tmp_path, policy=POLICY + RULES)
    yield made_
    made_.close()


def take(site: Site, data: bytes, kind: str = "stix", marking: str = "TLP:GREEN") -> Importing:
    form: Any = "misp" if kind == "misp" else "stix"
    done = Importing(
        site.node.stores, kind, ImportSource(name="mitre", format=form, marking=marking), by="t"
    )
    done.document(data, "file", lambda _: None)
    site.node.tick()
    return done


def theirs(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {o["id"]: o for o in objects if o["type"] == "malware"}
    assert len(found) == sum(o["type"] == "malware" for o in objects)
    return found


def test_objects_come_out_as_they_came_in(site: Site) -> None:
    own = [
        made(n, object_marking_refs=[GREEN_1, stix.TLP["TLP:GREEN"]], x_text='a "b" å')
        for n in range(90)
    ]
    take(site, bundle(*own))
    whole = site.fetched("cyber", per_page=7)
    assert theirs(whole) == {o["id"]: o for o in own}
    reports = [o for o in whole if o["type"] == "report"]
    assert {ref for o in reports for ref in o["object_refs"]} >= theirs(whole).keys()
    assert all("originator:dk" in o["labels"] and "mitre" in str(o["extensions"]) for o in reports)
    for o in own[:3]:
        reply = site.get(path(site, "cyber", f"objects/{o['id']}/"), site.tokens["cyber"]).json()
        assert reply["objects"] == [o]
        versions = site.get(path(site, "cyber", f"objects/{o['id']}/versions/"), site.tokens["cyber"])
        assert versions.json() == {"versions": [o["modified"]]}
        found = site.get(
            path(site, "cyber", f"objects/?match[id]={o['id']}&match[version]={o['modified']}"),
            site.tokens["cyber"],
        )
        assert found.json() == {"objects": [o]}


def test_what_is_marked_stricter_here_says_so(site: Site) -> None:
    take(site, bundle(made(1), made(2, object_marking_refs=[GREEN_1])), marking="TLP:AMBER")
    found = theirs(site.fetched("cyber"))
    assert found[made(1)["id"]]["object_marking_refs"] == [stix.TLP["TLP:AMBER"]]
    assert found[made(2)["id"]]["object_marking_refs"] == [GREEN_1, stix.TLP["TLP:GREEN"]]


def test_they_leave_only_with_exact_place_and_time(site: Site) -> None:
    take(site, bundle(made(1)))
    assert len(site.held("gis")) == 1 and not theirs(site.fetched("gis"))
    assert "malware--" not in json.dumps(site.fetched("gis"))
    token = site.tokens["gis"]
    assert site.get(path(site, "gis", f"objects/{made(1)['id']}/"), token).status_code == 404


def test_red_reaches_nobody_that_is_not_named(site: Site) -> None:
    take(site, bundle(made(1, object_marking_refs=[RED]), made(2)))
    assert theirs(site.fetched("cyber")).keys() == {made(2)["id"]}


def test_versions_and_what_is_gone(site: Site) -> None:
    take(site, bundle(made(1), made(2)))
    site.fetched("cyber")
    take(site, bundle(made(1, day=5, revoked=True)))
    found = theirs(site.fetched("cyber"))
    assert found[made(1)["id"]]["revoked"] is True and len(found) == 2
    done = take(site, bundle(made(2)))
    done.complete()
    site.node.tick()
    assert theirs(site.fetched("cyber")).keys() == {made(2)["id"]}
    token = site.tokens["cyber"]
    assert site.get(path(site, "cyber", f"objects/{made(1)['id']}/"), token).status_code == 404
    assert made(1)["name"] not in str(site.node.kept._things)


def test_misp_comes_out_in_a_report(site: Site) -> None:
    sample = Path(stix.__file__).parents[1] / "feeds" / "misp" / "sample.json"
    take(site, sample.read_bytes(), kind="misp")
    found = [o for o in site.fetched("cyber") if o["type"] == "report"]
    assert found and "192.0.2.2" in str(found) and "192.0.2.3" not in str(found)  # that one is TLP:RED
    assert all("misp" in o["labels"] for o in found)
