"""Readers without a node, over TAXII 2.1, with the clients that they have."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stix2validator import ValidationOptions, validate_instance
from taxii2client.v21 import as_pages

from samsyn.base import limits
from samsyn.base.clock import HOUR_US, MINUTE_US
from samsyn.base.errors import ConfigError, Refused
from samsyn.channels.names import witness_name
from samsyn.desk.diary import Noted
from samsyn.exchange.tls import client_context
from samsyn.formats import stix
from samsyn.interfaces.taxii import collection_id
from samsyn.log.witness import cosign
from samsyn.node import partners, readers
from samsyn.node.audit import audit
from samsyn.node.homes import make_home, own_card
from samsyn.node.node import Node
from samsyn.node.rotation import rotate
from samsyn.node.stores import Stores
from samsyn.statements.ladder import place_ladder
from samsyn.statements.statement import Statement
from tests.channels.nodes import NOW_US, draft
from tests.interfaces.readers import MEDIA, Site, told

REPORT = "report"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def say(site: Site, kind: str = "alert", **more: Any) -> Statement:
    exercise = site.node.stores.realm == "exercise"
    return site.node.stores.pen.sign(draft(kind, exercise=exercise, **more), by="t")


def withdraw(site: Site, jti: str, *, purge: bool = True) -> None:
    site.node.stores.pen.withdraw(jti, purge=purge, why="", by="t")
    site.node.tick()


def did(site: Site) -> list[Noted]:
    return [n for n in site.node.stores.diary.entries() if n.did.startswith(("reader", "refuse"))]


@pytest.mark.parametrize("way", ["token", "basic"])
def test_a_client_fetches_the_reader_s_channel(site: Site, way: str) -> None:
    for kind in ("alert", "report", "alert"):
        say(site, kind)
    site.node.tick()
    for name, count in (("gis", 2), ("cyber", 3)):
        collection = site.collection(name, way)
        objects = collection.get_objects()["objects"]
        assert told(objects) == site.held(name) and len(told(objects)) == count
        manifest = collection.get_manifest()["objects"]
        assert [m["id"] for m in manifest] == [o["id"] for o in objects]
        assert [m["version"] for m in manifest] == [o.get("modified", o["created"]) for o in objects]
        assert collection.get_object(objects[-1]["id"])["objects"] == objects[-1:]
        versions = collection.object_versions(objects[-1]["id"])
        assert versions["versions"] == [objects[-1]["modified"]]
        assert not collection.can_write


def test_a_withdrawal_disappears(site: Site) -> None:
    gone, stays = say(site), say(site)
    site.node.tick()
    before = site.fetched("cyber")
    withdraw(site, gone.jti)
    after = site.fetched("cyber")
    assert told(after).keys() == {stays.jti}
    old = {o["id"]: o for o in before if gone.jti in str(o)}
    (report_id,) = old
    (ended,) = (o for o in after if o.get("revoked"))
    assert ended["id"] == report_id and ended["created"] == old[report_id]["created"]
    assert ended["modified"] > old[report_id]["modified"]
    assert "Drift" not in str(ended) and gone.jti not in str(after)
    place = report_id.replace("report", "location")
    assert site.get(path(site, "cyber", f"objects/{place}/"), site.tokens["cyber"]).status_code == 404
    site.again()
    assert site.fetched("cyber") == after


def test_who_asks_only_for_what_is_new_hears_of_all(site: Site) -> None:
    """With the time of the last reply, and with its own clock, within one hour and over several."""
    first = say(site)
    site.node.tick()
    seen: dict[str, dict[str, Any]] = {}
    own: dict[str, dict[str, Any]] = {}
    last, asked_us = "2000-01-01T00:00:00Z", NOW_US - HOUR_US
    for step in range(5):
        newer = path(site, "cyber", f"objects/?added_after={last}")
        reply = site.get(newer, site.tokens["cyber"], accept=MEDIA)
        last = reply.headers.get("x-taxii-date-added-last", last)
        seen |= {o["id"]: o for o in reply.json().get("objects", [])}
        since = stix.stamp(asked_us)
        asked_us = site.wall.now_us()
        own |= {o["id"]: o for o in site.fetched("cyber", added_after=since)}
        everything = site.fetched("cyber")
        assert told(list(seen.values())) == told(list(own.values())) == told(everything)
        site.wall.set(NOW_US + step * 25 * MINUTE_US)
        say(site, "report")
        site.node.tick()
        if step == 3:
            withdraw(site, first.jti)


def path(site: Site, name: str, rest: str = "") -> str:
    return f"/api/collections/{collection_id('dk', site.node.stores.realm, name)}/{rest}"


def test_pages_lose_and_repeat_nothing(site: Site) -> None:
    """All entries of one tick have one time; what goes while pages are read takes nothing with it."""
    said = [say(site) for _ in range(4)] + [say(site, "report") for _ in range(2)]
    site.node.tick()
    withdraw(site, said[1].jti)
    whole = site.fetched("cyber")
    for per_page in range(1, 8):
        pages = list(as_pages(site.collection("cyber").get_objects, per_request=per_page))
        assert [o for p in pages for o in p["objects"]] == whole
        assert all(len(p["objects"]) == per_page for p in pages[:-1])
        assert all(("next" in p) == p.get("more", False) for p in pages)
        entries = as_pages(site.collection("cyber").get_manifest, per_request=per_page)
        assert [m["id"] for p in entries for m in p["objects"]] == [o["id"] for o in whole]
    # `next` alone goes on, without the filter of before; a withdrawal meanwhile shifts nothing
    start = site.get(path(site, "cyber", "objects/?limit=10"), site.tokens["cyber"]).json()
    withdraw(site, said[0].jti)
    rest = site.get(path(site, "cyber", f"objects/?next={start['next']}"), site.tokens["cyber"]).json()
    assert {s.jti for s in said[2:]} <= told([*start["objects"], *rest["objects"]]).keys()


def test_filters(site: Site) -> None:
    say(site)
    say(site, "report")
    site.node.tick()
    whole = site.fetched("cyber")
    get = site.collection("cyber").get_objects
    assert get(type="location")["objects"] == [o for o in whole if o["type"] == "location"]
    assert get(type=["location", "report"])["objects"] == whole[-4:]
    assert get(id=whole[-1]["id"])["objects"] == whole[-1:]
    assert get(id=[whole[0]["id"], whole[-1]["id"]])["objects"] == [whole[0], whole[-1]]
    assert get(version=whole[-1]["modified"])["objects"] == [
        o for o in whole if o.get("modified") == whole[-1]["modified"]
    ]
    for version in ("first", "last", "all"):
        assert get(version=version)["objects"] == whole
    assert get(spec_version="2.0") == {} and get(spec_version="2.1")["objects"] == whole
    assert get(type="indicator") == {} and get(id="nonsense") == {}
    assert get(added_after="2999-01-01T00:00:00Z") == {}
    for wrong in ("limit=x", "limit=-1", "next=1", "next=-5.0x", "added_after=now", "match[version]=x"):
        reply = site.get(path(site, "cyber", f"objects/?{wrong}"), site.tokens["cyber"])
        assert reply.status_code == 400, wrong


def test_two_readers_see_their_own_only(site: Site) -> None:
    """Nothing of another's by its ids, its collection, its pages, or a header that names it."""
    say(site)
    only = say(site, "report")
    site.node.tick()
    theirs = {o["id"] for o in site.fetched("cyber")} - {o["id"] for o in site.fetched("gis")}
    assert any(i.startswith(REPORT) for i in theirs) and only.jti not in str(site.fetched("gis"))
    for secret in ("Watch officer Holm", "secret radar", "exact words", "place.exact", "20:15:03"):
        assert secret in str(site.fetched("cyber")) and secret not in str(site.fetched("gis")), secret
    token = site.tokens["gis"]
    nobody = site.get("/api/collections/9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11/objects/", token)
    assert nobody.status_code == 404
    for rest in ("", "objects/", "manifest/", f"objects/{min(theirs)}/"):
        reply = site.get(path(site, "cyber", rest), token)
        assert (reply.status_code, reply.content, reply.headers) == (404, nobody.content, nobody.headers)
    for one in sorted(theirs):
        reply = site.get(path(site, "gis", f"objects/{one}/"), token)
        assert (reply.status_code, reply.content, reply.headers) == (404, nobody.content, nobody.headers)
        assert site.get(path(site, "gis", f"objects/?match[id]={one}"), token).content == b"{}"
    mine = site.get(path(site, "gis", "objects/"), token)
    for headers in ({"x-forwarded-user": "cyber"}, {"x-reader": "cyber"}, {"cookie": "reader=cyber"}):
        assert site.get(path(site, "gis", "objects/"), token, **headers).content == mine.content
    mixed = base64.b64encode(f"cyber:{token}".encode()).decode()
    assert site.get("/taxii2/", authorization=f"Basic {mixed}").status_code == 401


def test_what_a_reader_may_not_have_changes_nothing_for_it(tmp_path: Path) -> None:
    """Two homes with the same keys of chance cannot be had: one home, before and after."""
    site = Site(tmp_path)
    try:
        say(site)
        site.node.tick()
        paths = ["/taxii2/", "/api/", "/api/collections/"]
        paths += [path(site, "gis", r) for r in ("", "objects/", "manifest/", "objects/?limit=9")]
        before = [site.get(p, site.tokens["gis"]) for p in paths]
        hidden = [say(site, "report") for _ in range(3)]
        site.node.tick()
        withdraw(site, hidden[0].jti)
        for old, new in zip(before, (site.get(p, site.tokens["gis"]) for p in paths), strict=True):
            assert (old.content, old.headers) == (new.content, new.headers)
        assert told(site.fetched("cyber")).keys() > told(site.fetched("gis")).keys()
    finally:
        site.close()


def test_times_in_stix_are_of_no_statement(site: Site) -> None:
    """Two releases of one hour differ by their number in it and by nothing else."""
    for minutes in (0, 7):
        site.wall.set(NOW_US + minutes * MINUTE_US)
        say(site)
        site.node.tick()
    made = [o for o in site.fetched("gis") if o["type"] == REPORT]
    assert [o["created"][10:] for o in made] == ["T20:00:00.000Z", "T20:00:00.001Z"]
    assert all(o["created"] == o["modified"] == o["published"] for o in made)
    added = [m["date_added"][10:] for m in site.collection("gis").get_manifest()["objects"]]
    assert set(added) == {"T21:00:00.000000Z", "T21:00:00.001000Z"} and added == sorted(added)


def test_without_a_token_there_is_one_reply(site: Site) -> None:
    say(site)
    site.node.tick()
    token = site.tokens["gis"]
    paths = ["/", "/taxii2/", "/api/", "/healthz", path(site, "gis", "objects/"), "/exchange/checkpoint"]
    wrong = ["", "Bearer", "Bearer x", "Basic !", "Digest x", f"Bearer {token}x", f"Bearer {token[:-1]}"]
    replies = [site.get(p, authorization=a) for p in paths for a in wrong]
    assert {r.status_code for r in replies} == {401}
    assert len({(r.content, str(r.headers)) for r in replies}) == 1
    site.node.stores.refused.flush()
    (noted,) = (n for n in did(site) if n.did == "refuse")
    assert noted.what["reason"] == "unknown-token" and noted.what["count"] > 1  # not an entry for each


def test_a_revoked_token_is_refused_at_once(site: Site) -> None:
    say(site)
    site.node.tick()
    collection = site.collection("gis")
    assert collection.get_objects()["objects"]
    readers.revoke(site.home, "gis", by="anna", why="it left")
    gone = site.get(path(site, "cyber"), site.tokens["gis"])
    stranger = site.get(path(site, "cyber"), "x")
    assert (gone.status_code, gone.content) == (401, stranger.content)
    later = say(site)
    site.node.tick()
    assert later.jti not in site.held("gis") and later.jti in site.held("cyber")
    assert [r.waiting for r in readers.shown(site.home) if r.revoked] == [1]
    old = site.tokens["gis"]
    site.tokens["gis"] = readers.add(site.home, "gis", "Unit gis", by="anna")
    site.node.tick()
    assert site.get("/taxii2/", old).status_code == 401
    assert later.jti in told(site.fetched("gis"))
    assert [n.did for n in did(site) if n.by == "anna"] == ["reader-revoke", "reader-add"]
    assert all(not part.problems for part in audit(site.home))


def test_media_types_methods_and_haste(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token = site.tokens["gis"]
    for accept in ("", MEDIA, "application/taxii+json", "*/*", f"text/html, {MEDIA}; q=0.5"):
        reply = site.get("/taxii2/", token, accept=accept)
        assert (reply.status_code, reply.headers["content-type"]) == (200, MEDIA), accept
    for accept in ("text/html", "application/taxii+json;version=2.0"):
        assert site.get("/taxii2/", token, accept=accept).status_code == 406
    collection = site.collection("gis")
    with pytest.raises(Exception, match="403"):
        collection._conn.post(collection.objects_url, headers={"Accept": MEDIA}, data=b"{}")
    monkeypatch.setattr(limits, "READER_REQUESTS_PER_MINUTE", 3)
    cyber = [site.get("/taxii2", site.tokens["cyber"]).status_code for _ in range(5)]
    assert cyber == [200, 200, 200, 429, 429]
    assert site.get("/taxii2", token).status_code == 200  # others notice nothing


@pytest.mark.parametrize("realm", ["actual", "exercise"])
def test_every_object_is_valid_stix(tmp_path: Path, realm: str) -> None:
    site = Site(tmp_path, realm)
    try:
        line = {"type": "LineString", "coordinates": [[9.9, 55.0], [10.3, 55.2]]}
        said = [say(site), say(site, "report"), say(site, **place_ladder(line))]
        bare = say(site)
        site.node.tick()
        again = draft(exercise=realm == "exercise", title="B")
        site.node.stores.pen.sign(again, by="t", jti=bare.jti, ver=2)
        site.node.tick()
        withdraw(site, said[0].jti)
        schemas = Path(stix.__file__).parent
        options = ValidationOptions(version="2.1", schema_dir=str(schemas))
        for name in ("gis", "cyber"):
            objects = site.fetched(name)
            assert {o["type"] for o in objects} >= {"report", "location", "extension-definition"}
            assert len({o["id"] for o in objects}) == len(objects)
            for made in objects:
                plain = validate_instance(made, ValidationOptions(version="2.1"))
                assert plain.is_valid, (made, plain.errors)
                if stix.EXTENSION in made.get("extensions", {}):
                    ours = validate_instance(made, options)
                    assert ours.is_valid, (made, ours.errors)
            reports = [o for o in objects if o["type"] == REPORT]
            exercise = {o["id"] for o in objects if o.get("name") == "EXERCISE"}
            marked = [bool(exercise & set(o.get("object_marking_refs", ()))) for o in reports]
            assert set(marked) == {realm == "exercise"}
            marked = [o["name"].startswith("EXERCISE") and "EXERCISE" in str(objects) for o in reports]
            assert all(marked) == (realm == "exercise") == any(marked)
        broken = {
            **reports[-1],
            "extensions": {stix.EXTENSION: {"extension_type": "property-extension"}},
        }
        assert not validate_instance(broken, options).is_valid
    finally:
        site.close()


def test_names_are_of_one_only(site: Site, tmp_path: Path) -> None:
    fi = make_home(
        tmp_path / "fi", name="fi", organisation="F", realm="actual", exchange_listen="127.0.0.1:10"
    )
    gis = make_home(
        tmp_path / "gis", name="gis", organisation="G", realm="actual", exchange_listen="127.0.0.1:11"
    )
    partners.added(site.home, own_card(fi), by="t")
    with pytest.raises(ConfigError, match="reader without a node"):
        partners.added(site.home, own_card(gis), by="t")
    for name in ("fi", "dk", "gis", "No"):
        with pytest.raises(ConfigError):
            readers.add(site.home, name, "X", by="t")
    readers.revoke(site.home, "gis", by="t", why="w")
    with pytest.raises(ConfigError, match="its channel is kept"):
        readers.add(site.home, "gis", "Another unit", by="t")
    assert site.home.readers.stat().st_mode & 0o777 == 0o600
    text = site.home.readers.read_text()
    assert not any(token in text for token in site.tokens.values())
    # both at once, by hand: who may have what is not known, so nothing is released
    own_card(gis).write(site.home.partners / "gis.card.json")
    with pytest.raises(ConfigError, match="and a node, too"):
        site.node.stores.readers()


def test_nothing_cosigns_for_it(site: Site) -> None:
    channel = site.node.desk.door.reader("gis")
    assert channel is not None
    with pytest.raises(Refused) as e:
        channel.cosign(channel.checkpoint())
    assert e.value.reason == "forged-cosignature"
    assert all(not part.problems for part in audit(site.home))
    key = Ed25519PrivateKey.generate()
    forged = cosign(channel.checkpoint(), witness_name("gis"), key, 1_800_000_000)
    site.node.stores.logs.add_cosignature("samsyn.dk/actual/gis", "gis", 0, forged, 1_800_000_000)
    (wrong,) = (part.problems for part in audit(site.home) if part.problems)
    assert "no key to cosign with" in wrong[0]


def test_new_keys_change_nothing_for_it(site: Site) -> None:
    """Its channel has heads by the old key, and no succession: it never knew a key."""
    gone, _ = say(site), say(site)
    site.node.tick()
    before = site.fetched("cyber")
    site.close()
    rotate(site.home, by="anna")
    site.open()
    assert site.fetched("cyber") == before
    say(site, "report")
    withdraw(site, gone.jti)
    assert told(site.fetched("cyber")) == site.held("cyber")
    assert all(not part.problems for part in audit(site.home))


def test_the_node_serves_them_where_it_is_told(site: Site) -> None:
    config = site.home.config
    listens = 'readers_listen = "127.0.0.1:0"\nexchange_address = "127.0.0.1:9"'
    text = config.read_text().replace('"127.0.0.1:9"', '"127.0.0.1:0"', 1)
    config.write_text(text.replace("[node]", f"[node]\n{listens}", 1))
    site.close()
    node = Node(Stores(site.home), picture=False)
    node.start()
    try:
        with httpx.Client(
            verify=client_context((site.home.keys / "tls.pem").read_text()), timeout=60
        ) as client:
            bearer = {"authorization": f"Bearer {site.tokens['gis']}"}
            assert client.get(node.addresses()["readers"], headers=bearer).status_code == 200
            assert client.get(node.addresses()["exchange"], headers=bearer).status_code == 404
    finally:
        node.stop()


def test_what_clients_do_that_the_standard_leaves_open(site: Site) -> None:
    """OpenCTI: `next` without the filter of before, `more` never without `next`, roots with
    and without a slash at the end; two titles that are equal would be one feed to it."""
    for _ in range(4):
        say(site)
    site.node.tick()
    token = site.tokens["cyber"]
    for slash in ("", "/"):
        for bare in ("/taxii2", "/api", "/api/collections", path(site, "cyber", "objects")):
            assert site.get(bare + slash, token, accept=MEDIA).status_code == 200, bare + slash
    root = site.get("/taxii2/", token).json()
    assert all(one.endswith("/") for one in [root["default"], *root["api_roots"]])
    after = "added_after=2000-01-01T00:00:00Z"
    start = site.get(path(site, "cyber", f"objects/?limit=3&{after}"), token).json()
    with_it = site.get(path(site, "cyber", f"objects/?{after}&next={start['next']}"), token)
    without = site.get(path(site, "cyber", f"objects/?next={start['next']}"), token)
    assert with_it.content == without.content and start["more"] is True
    end = without.json()
    assert "more" not in end and "next" not in end
    titles = {
        site.get("/api/collections/", site.tokens[n]).json()["collections"][0]["title"]
        for n in ("gis", "cyber")
    }
    assert len(titles) == 2
