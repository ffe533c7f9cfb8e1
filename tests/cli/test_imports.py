"""samsyn import, as a duty officer types it; and the same by a node's own feeds."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import samsyn.feeds
from samsyn.base.settings import FeedSettings, Home
from samsyn.node.imports import Imports
from samsyn.node.stores import Stores
from tests.cli.conftest import answer, make, ok, refused, run
from tests.desk.test_imports import bundle, held, made
from tests.feeds.test_taxii_client import Server

FEEDS = Path(samsyn.feeds.__file__).parent
WAIT_S = 30.0


def test_a_bundle_comes_in_once(here: Path) -> None:
    dk = make("dk")
    sample = FEEDS / "stix" / "sample.json"
    first = answer("import", "stix", *dk, sample, "--source", "mitre", "--marking", "TLP:CLEAR")
    assert first["objects"] == {"new": 10} and first["statements"] > 0
    assert {p["reason"] for p in first["problems"]} == {"shape", "samsyn", "key-twice"}
    again = answer("import", "stix", *dk, sample, "--source", "mitre")
    assert again["objects"] == {"same": 10} and again["statements"] == 0
    whole = here / "whole.json"
    whole.write_bytes(bundle(made(1)))
    gone = answer("import", "stix", *dk, whole, "--source", "mitre", "--complete")
    assert gone["objects"]["gone"] == 10 and gone["withdrawn"] == first["statements"]
    said = ok("--lang", "sv", "import", "stix", *dk, sample, "--source", "other")
    assert "nya objekt" not in said and "Avvisat" in said, "an id belongs to the source that used it"


def test_what_cannot_be_taken_says_so(here: Path) -> None:
    dk = make("dk")
    broken = here / "broken.json"
    broken.write_text("{")
    done = run("import", "misp", *dk, broken, "--source", "cert")
    assert done.exit_code == 1 and "not JSON" in done.output
    assert "no collection's address" in refused("import", "taxii", *dk, "x", "--source", "isac")
    said = refused("import", "taxii", *dk, "https://h/c/", "--source", "isac", "--secret", "none")
    assert "the secret cannot be read" in said
    said = refused("feed", "try", FEEDS / "stix" / "sample.json")
    assert "brings objects, no observations" in said


def test_a_collection_and_a_node_s_feeds(here: Path) -> None:
    dk = make("dk")
    server = Server()
    try:
        server.objects = [made(n) for n in range(7)]
        told = answer("import", "taxii", *dk, server.url, "--source", "isac", "--marking", "TLP:GREEN")
        assert told["objects"]["new"] == 7
        server.objects.append(made(8))
        file = here / "more.json"
        file.write_bytes(bundle(made(20)))
        heard = threading.Event()
        with Stores(Home(here / "dk")) as stores:
            imports = Imports(stores, lambda _: heard.set())
            imports.start(
                [
                    FeedSettings(name="isac", kind="taxii", source=server.url, marking="TLP:GREEN"),
                    FeedSettings(name="file", kind="stix", source=f"file:{file}"),
                ]
            )
            try:
                while len(held(stores)) < 9:
                    assert heard.wait(WAIT_S), [feed.shown(0) for feed in imports.feeds]
                    heard.clear()
            finally:
                imports.stop()
            states = {feed.settings.name: feed.shown(0)["state"] for feed in imports.feeds}
            assert states["file"] == "ended" and json.dumps(imports.feeds[0].shown(0))
            assert held(stores).keys() >= {made(8)["id"], made(20)["id"]}
    finally:
        server.listener.stop()
