"""Feeds set over the home API: who may, what is refused, what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from samsyn.base.settings import Home
from samsyn.desk.accounts import add_account
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.home import home_app
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from tests.interfaces.conftest import PASSWORD
from tests.interfaces.test_clearance import sign_in
from tests.scenarios.receiver import AIS, ais_receiver

FORM = {"name": "mast", "kind": "ais_nmea", "source": "tcp:127.0.0.1:9", "marking": "TLP:AMBER"}
KEY = "https://radar.example/states?token=swordfish-7781"


@pytest.fixture
def root(client: TestClient, home: Home) -> TestClient:
    add_account(home.accounts, "root", "Root", "administrator", PASSWORD)
    return sign_in(client, "root")


@pytest.fixture
def receiver() -> Iterator[int]:
    with ais_receiver() as port:
        yield port


def put(client: TestClient, status: int = 200, **form: Any) -> Any:
    reply = client.post("/api/settings/feeds/put", json={**FORM, **form})
    assert reply.status_code == status, reply.text
    return reply.json().get("wrong")


def step(client: TestClient, name: str, act: str, status: int = 200) -> None:
    reply = client.post("/api/settings/feeds/step", json={"name": name, "act": act})
    assert reply.status_code == status, reply.text


def feeds(client: TestClient) -> dict[str, Any]:
    return {feed["name"]: feed for feed in client.get("/api/settings/feeds").json()["feeds"]}


def acts(node: Node) -> list[tuple[str, str]]:
    return [(n.did, str(n.what["feed"])) for n in node.stores.diary.entries() if "feed-" in n.did]


def test_only_an_administrator_sets_feeds(client: TestClient, node: Node, home: Home) -> None:
    for user in ("guest", "duty", "otto"):
        sign_in(client, user)
        assert client.get("/api/settings/feeds").status_code == 403
        put(client, 403)
        step(client, "mast", "remove", 403)
        assert client.post("/api/settings/feeds/try", json=FORM).status_code == 403
    assert acts(node) == [] and not home.feeds_file.exists()


def test_a_feed_is_added_changed_suspended_taken_up_and_removed(
    root: TestClient, node: Node, home: Home
) -> None:
    kinds = root.get("/api/settings/feeds").json()["kinds"]
    assert "ais_nmea" in {kind["name"] for kind in kinds}
    assert put(root) == {}
    assert [f["name"] for f in root.get("/api/picture").json()["feeds"]] == ["mast"]
    assert put(root, source="tcp:127.0.0.1:10", keep="7d") == {}
    assert (home.settings().feed[0].source, home.settings().feed[0].keep) == ("tcp:127.0.0.1:10", "7d")
    (source,) = node._intake.sources
    step(root, "mast", "suspend")
    assert source.stop.is_set() and node._intake.sources == []
    assert feeds(root)["mast"]["suspended"] and home.settings().feed[0].suspended
    step(root, "mast", "resume")
    assert [s.settings.source for s in node._intake.sources] == ["tcp:127.0.0.1:10"]
    step(root, "mast", "remove")
    assert feeds(root) == {} and home.settings().feed == ()
    assert [did.removeprefix("feed-") for did, _ in acts(node)] == [
        "added", "changed", "suspended", "resumed", "removed"
    ]  # fmt: skip
    assert set(put(root)) == {"name"}  # rows of the one before would be taken for its own
    step(root, "mast", "remove", 400)
    step(root, "mast", "delete", 400)


def test_no_way_leads_out_of_the_folder_of_feeds(root: TestClient, home: Home) -> None:
    home.feed_files.mkdir()
    (home.feed_files / "day.nmea").write_bytes(AIS)
    (home.root / "secret").write_text("x")
    (home.feed_files / "keys").symlink_to(home.root / "keys")
    (home.feed_files / "link.nmea").symlink_to("/etc/passwd")
    outside = ["../secret", f"{home.root}/secret", "/etc/passwd", "link.nmea", "keys/log.key", "", "."]
    outside += ["a/../../secret", "absent.nmea", "day.nmea\x00", "../feeds/../keys/log.key"]
    for name in outside:
        assert "source" in put(root, source=f"file:{name}"), name
    for source in ("extract:kattegat", "exec:id", "sh:id", "unix:/run/x", "", "tcp:host", "file"):
        assert "source" in put(root, source=source), source
    assert not home.feeds_file.exists()
    assert put(root, source="file:day.nmea") == {}
    assert home.settings().feed[0].source == f"file:{home.feed_files.resolve()}/day.nmea"
    text = home.feeds_file.read_text().replace("file:day.nmea", "file:../secret")
    home.feeds_file.write_text(text)
    with pytest.raises(Exception, match="not in the folder of feeds"):
        home.settings()


def test_what_is_wrong_is_told_by_its_field(root: TestClient) -> None:
    for field, values in {
        "name": ("", "Öl", "a/b", "replay-1", "../x"),
        "kind": ("", "taxii", "table", "simulated", "../../os"),
        "marking": ("TLP:CLEAR", "TLP:GREEN", "TLP:RED", "COSMIC"),
        "date": ("today",),
        "utc_offset": ("+2",),
        "keep": ("long",),
        "poll_s": (0.0, 1e9),
        "silent_after_s": (0, -5),
    }.items():
        for value in values:
            assert field in put(root, **{field: value}), (field, value)
    for body in ({"poll_s": "x"}, {"secret": "keys/log.key"}, {"authority": "x"}, {"suspended": False}):
        put(root, 400, **body)
    assert feeds(root) == {}


def test_one_person_alone_makes_no_feed_more_open(root: TestClient, node: Node) -> None:
    assert put(root, marking="TLP:AMBER+STRICT") == {}
    assert "marking" in put(root, marking="TLP:AMBER")
    assert "marking" in put(root, marking="")
    step(root, "mast", "remove")
    # and what came by it stays as closed as it was
    assert node.desk.settings.removed == {"mast": "TLP:AMBER+STRICT"}


def test_what_config_names_is_suspended_here_and_not_changed(home: Home, client: TestClient) -> None:
    text = home.config.read_text()
    home.config.write_text(
        f'{text}\n[[feed]]\nname = "coast"\nkind = "ais_nmea"\nsource = "tcp:127.0.0.1:9"\n'
    )
    add_account(home.accounts, "root", "Root", "administrator", PASSWORD)
    node = Node(Stores(home))
    app = home_app(
        node.desk, Sessions(home.accounts, node.stores.wall), home.root, frozenset({"127.0.0.1"})
    )
    root = TestClient(app, base_url="http://127.0.0.1:8440", headers={"x-samsyn": "1"})
    sign_in(root, "root")
    assert not feeds(root)["coast"]["here"]
    assert "name" in put(root, name="coast")
    step(root, "coast", "remove", 400)
    step(root, "coast", "suspend")
    assert home.settings().feed[0].suspended and home.config.read_text().startswith(text)
    step(root, "coast", "resume")
    assert not home.settings().feed[0].suspended
    node.stop()


def test_a_key_in_an_address_is_never_shown_again_nor_noted(
    root: TestClient, node: Node, home: Home
) -> None:
    home_url = {"kind": "readsb", "source": KEY}
    assert put(root, **home_url) == {}
    shown = feeds(root)["mast"]["source"]
    assert shown == "https://radar.example/states?…"
    assert put(root, kind="readsb", source=shown, keep="3d") == {}
    assert home.settings().feed[0].source == KEY and home.settings().feed[0].keep == "3d"
    add_account(home.accounts, "red", "Red", "administrator", PASSWORD, "TLP:RED")
    sign_in(root, "red")
    told = "".join(root.get(p).text for p in ("/api/picture", "/api/audit", "/api/settings/feeds"))
    assert "swordfish" not in told
    assert "source" in put(root, name="other", kind="readsb", source="https://a:b@radar.example/")


def test_a_feed_is_tried_and_nothing_of_it_is_kept(
    root: TestClient, node: Node, receiver: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samsyn.node.trying.FEED_TRIAL_S", 2.0)
    asked = {**FORM, "source": f"tcp:127.0.0.1:{receiver}"}
    told = root.post("/api/settings/feeds/try", json=asked).json()
    assert told["wrong"] == {} and told["trial"]["rows"] >= 1
    assert told["trial"]["first"][0]["craft"].startswith("mmsi:")
    assert node._intake.sources == [] and feeds(root) == {}
    wrong = root.post("/api/settings/feeds/try", json={**FORM, "source": "file:/etc/passwd"}).json()
    assert "source" in wrong["wrong"] and wrong["trial"] is None
    closed = root.post("/api/settings/feeds/try", json=FORM).json()["trial"]
    assert closed["rows"] == 0 and set(closed["refused"]) == {"unreachable"}
    assert acts(node) == [("feed-tried", "mast")] * 2


def test_a_feed_above_the_clearance_is_not_there(client: TestClient, node: Node, home: Home) -> None:
    add_account(home.accounts, "red", "Red", "administrator", PASSWORD, "TLP:RED")
    add_account(home.accounts, "root", "Root", "administrator", PASSWORD)
    sign_in(client, "red")
    assert put(client, name="deep", marking="TLP:RED") == {}
    sign_in(client, "root")
    assert feeds(client) == {}
    step(client, "deep", "remove", 400)
    assert "deep" not in client.get("/api/audit").text
    sign_in(client, "red")
    step(client, "deep", "remove")
    sign_in(client, "root")
    assert "deep" not in client.get("/api/audit").text
