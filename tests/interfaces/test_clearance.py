"""Roles and clearances at the home side: what is above a person's clearance is not there at all."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from samsyn.base.clock import HOUR_US, MINUTE_US
from samsyn.base.limits import TALLY_DAYS
from samsyn.base.settings import Home, StandingOrder
from samsyn.channels.figures import Figures
from samsyn.desk.accounts import Account, add_account, load_accounts
from samsyn.desk.drafts import ReportForm
from samsyn.desk.rights import MAY, ROLES, may
from samsyn.desk.seat import Seat
from samsyn.node.node import Node
from samsyn.statements.marking import MARKINGS
from samsyn.watch.finding import Finding
from samsyn.watch.tally import Tally
from tests.interfaces.conftest import PASSWORD

SECRET = "Yellow submarine 7781"
REPORT = {"title": SECRET, "lat": 55.1, "lon": 14.4}


def sign_in(client: TestClient, user: str) -> TestClient:
    client.cookies.clear()
    assert client.post("/api/session", json={"user": user, "password": PASSWORD}).status_code == 200
    return client


def say(node: Node, marking: str, ver: int = 1, jti: str | None = None) -> str:
    draft = ReportForm(**REPORT, marking=marking).draft(by="t", exercise=False, now_us=1)
    return node.stores.pen.sign(draft, by="t", jti=jti, ver=ver).jti


def shown(client: TestClient, jti: str, reader: str = "fi") -> dict[str, Any]:
    """All that the home API tells somebody who reads."""
    one = f"/api/statements/{jti}"
    paths = [
        "/healthz",
        "/api/session",
        "/api/picture",
        "/api/statements",
        one,
        f"{one}/explain?reader={reader}",
        "/api/links",
        "/api/findings",
        "/api/zones",
        "/api/interference",
        "/api/activity",
        "/api/policy",
        "/api/audit",
        "/api/audit/proof",
        f"/api/audit/released?to={reader}&from_us=0&to_us=9007199254740991",
        f"/api/as/{reader}",
    ]
    told = {p: (r.status_code, r.json()) for p in paths for r in [client.get(p)]}
    told["/api/picture"][1].pop("now_us")
    return told


def test_what_is_above_the_clearance_leaves_no_trace(client: TestClient, node: Node) -> None:
    """Everything that a viewer is shown is the same, to the byte, whether it was said or not."""
    sign_in(client, "guest")
    for marking, ends in itertools.product(MARKINGS, ("stands", "withdrawn", "purged")):
        jti = str(uuid.uuid4())
        before = shown(client, jti)
        say(node, marking, jti=jti)
        node.tick()
        if ends != "stands":
            node.stores.pen.withdraw(jti, purge=ends == "purged", why="", by="t")
            node.tick()
        after = shown(client, jti)
        above = marking == "TLP:RED"
        assert (after == before) is above
        assert (jti in str(after["/api/statements"])) is not above
        assert client.post(f"/api/statements/{jti}/withdraw", json={}).status_code == 403


def test_a_version_above_the_clearance_hides_the_whole_statement(client: TestClient, node: Node) -> None:
    jti = say(node, "TLP:GREEN")
    sign_in(client, "guest")
    assert len(client.get("/api/statements").json()["items"]) == 1
    say(node, "TLP:RED", ver=2, jti=jti)
    assert client.get("/api/statements").json()["items"] == []
    assert client.get(f"/api/statements/{jti}").status_code == 404
    say(node, "TLP:GREEN", ver=3, jti=jti)
    assert client.get(f"/api/statements/{jti}").json()["ver"] == 3


def test_what_is_above_does_not_crowd_out_what_is_not(client: TestClient, node: Node) -> None:
    first = say(node, "TLP:GREEN")
    draft = ReportForm(**REPORT, marking="TLP:RED").draft(by="t", exercise=False, now_us=1)
    with node.stores.db.write():
        for _ in range(501):
            node.stores.pen.sign(draft, by="t")
    sign_in(client, "guest")
    assert [s["jti"] for s in client.get("/api/statements").json()["items"]] == [first]


def test_links_tell_no_figures_of_what_is_above(client: TestClient, node: Node, home: Home) -> None:
    figures = Figures(sent=3, applied=2, held=4, withdrawn=2, purges=1, purged=0)
    told = {"partner": "fi", "state": "up", "received": 1, **msgspec.structs.asdict(figures)}
    node.desk.links = lambda: [told]
    sign_in(client, "guest")
    (link,) = client.get("/api/links").json()["links"]
    assert link.pop("partner") == "fi" and link.pop("state") == "up"
    assert link.keys() == told.keys() - {"partner", "state"} and set(link.values()) == {None}
    add_account(home.accounts, "red", "Red", "viewer", PASSWORD, "TLP:RED")
    sign_in(client, "red")
    (link,) = client.get("/api/links").json()["links"]
    assert link == told


def finding(key: str) -> Finding:
    return Finding(
        key=key,
        detector="drift",
        craft="mmsi:1",
        exercise=False,
        state="open",
        start_us=1,
        updated_us=1,
        end_us=None,
        lat=55.0,
        lon=12.0,
        feed="f",
        measured={},
        thresholds={},
        zone=None,
        evidence=[],
        known_errors=(),
        revision=1,
        closed_because=None,
    )


def test_a_finding_is_as_closed_as_what_is_or_will_be_signed_of_it(
    client: TestClient, node: Node
) -> None:
    for key in ("red", "green", "none"):
        node.stores.findings.put(finding(key))
    node.stores.findings.set_signed("red", say(node, "TLP:RED"), 1, "open")
    node.stores.findings.set_signed("green", say(node, "TLP:GREEN"), 1, "open")
    sign_in(client, "guest")
    assert {f["key"] for f in client.get("/api/findings").json()["items"]} == {"green", "none"}
    order = StandingOrder(id="o", why="w", detectors=("drift",), marking="TLP:RED")
    node.desk.settings = type(node.desk.settings)(node=node.desk.settings.node, standing_order=(order,))
    assert {f["key"] for f in client.get("/api/findings").json()["items"]} == {"green"}


def test_nobody_signs_what_they_may_not_see(client: TestClient) -> None:
    sign_in(client, "duty")
    reply = client.post("/api/reports", json={**REPORT, "marking": "TLP:RED"})
    assert reply.status_code == 403
    assert client.post("/api/reports", json={**REPORT, "marking": "TLP:AMBER"}).status_code == 200


def test_what_each_role_may() -> None:
    """Written out once more, by hand: a slip in the table is seen here."""
    rows = {
        "viewer": {"read"},
        "duty": {"read", "report", "handle"},
        "release": {"read", "report", "handle", "withdraw", "answer", "policy", "audit"},
        "administrator": {"read", "policy", "audit", "administer"},
    }
    assert {role: {act for act in MAY if may(role, act)} for role in ROLES} == rows
    assert not may("release", "anything else")  # type: ignore[arg-type]
    assert not may("nobody", "read")  # type: ignore[arg-type]


def test_a_clearance_that_is_none_opens_nothing(home: Home) -> None:
    account = Account(user="x", name="X", role="release", password="", clearance="TLP:AMBER")
    assert account.sees("TLP:AMBER") and not account.sees("TLP:RED") and not account.sees("")
    home.accounts.write_text(
        home.accounts.read_text().replace('"TLP:AMBER+STRICT"', '"COSMIC TOP SECRET"', 1)
    )
    with pytest.raises(Exception, match="is no clearance"):
        load_accounts(home.accounts)


def test_an_account_that_is_taken_away_is_signed_out_at_once(client: TestClient, home: Home) -> None:
    sign_in(client, "otto")
    text = home.accounts.read_text()
    home.accounts.write_text(text.replace('role = "release"', 'role = "viewer"'))
    assert client.get("/api/session").json()["role"] == "viewer"
    assert client.post("/api/reports", json=REPORT).status_code == 403
    home.accounts.write_text(text[: text.index("[[account]]")])
    assert client.get("/api/session").status_code == 401


def test_the_diary_tells_who_came_and_who_did_not(client: TestClient, node: Node) -> None:
    sign_in(client, "otto")
    client.delete("/api/session")
    said = {"user": "otto", "password": "wrong"}
    client.post("/api/session", json=said)
    client.post("/api/session", json={"user": "my secret password", "password": ""})
    (log,) = [n for n in node.stores.logs.names() if n.endswith(".diary")]
    text = b"".join(leaf for leaf, _ in node.stores.logs.entries(log, 0, 1_000)).decode()
    for did in ("sign-in", "sign-out", "sign-in-failed"):
        assert f'"by":"otto","did":"{did}"' in text
    assert '"by":"unknown user","did":"sign-in-failed"' in text and "my secret" not in text


def test_who_guesses_does_not_fill_the_diary(node: Node) -> None:
    (log,) = [n for n in node.stores.logs.names() if n.endswith(".diary")]
    before = node.stores.logs.size(log)
    for _ in range(100):
        node.desk.sign_in_failed("", 0)
    assert node.stores.logs.size(log) == before + 30
    node.desk.sign_in_failed("", MINUTE_US)
    last, _ = node.stores.logs.entries(log, before + 30, 1)[0]
    assert b'"unwritten_before":70' in last


def tally(feed: str, craft: int, *, lost: int = 0, cell: str = "841f0c9ffffffff") -> Tally:
    figures = {"craft": float(craft), "poor": 0.0, "degraded": 0.0, "lost": float(lost)}
    return Tally(
        layer="interference", begin_us=HOUR_US, place=cell, domain="air", feed=feed, figures=figures
    )


def test_counts_of_a_feed_above_the_clearance_leave_no_trace(
    client: TestClient, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layer of cells is made of the feeds that a person may know of, and of those alone."""
    feeds = [{"name": name} for name in ("mast", "secret")]
    monkeypatch.setattr(node.desk, "feeds", lambda: feeds)
    markings = {"mast": "TLP:GREEN", "secret": "TLP:RED"}
    monkeypatch.setattr(Seat, "_feed_marking", lambda _, name: markings[name])
    sign_in(client, "guest")
    node.stores.tallies.put([tally("mast", 10, lost=2)])
    before = client.get("/api/interference").json()
    assert before["hour_us"] == HOUR_US and before["hours"] == [HOUR_US]
    assert [(c["cell"], c["craft"], c["lost"]) for c in before["cells"]] == [("841f0c9ffffffff", 10, 2)]
    assert (before["low"], before["high"]) == (0.02, 0.1)
    more = tally("secret", 4, cell="841f0c1ffffffff")
    node.stores.tallies.put([tally("secret", 40, lost=9), more])
    node.stores.tallies.put([msgspec.structs.replace(more, begin_us=2 * HOUR_US)])
    assert client.get("/api/interference").json() == before
    assert client.get(f"/api/interference?at={2 * HOUR_US}").json()["cells"] == []
    assert client.get("/api/interference?at=soon").status_code == 400


def test_old_counts_are_forgotten_and_new_ones_replace_them(node: Node) -> None:
    tallies = node.stores.tallies
    tallies.put([tally("mast", 10)])
    tallies.put([tally("mast", 12)])
    assert [t.figures["craft"] for t in tallies.of("interference", HOUR_US, ["mast"])] == [12]
    tallies.put([msgspec.structs.replace(tally("mast", 1), begin_us=(TALLY_DAYS + 2) * 24 * HOUR_US)])
    assert tallies.spans("interference", ["mast"]) == [(TALLY_DAYS + 2) * 24 * HOUR_US]


def test_counts_of_several_feeds_together_need_clearance_for_all(
    client: TestClient, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node.desk, "feeds", lambda: [{"name": n} for n in ("mast", "radar", "secret")])
    markings = {"mast": "TLP:GREEN", "radar": "TLP:GREEN", "secret": "TLP:RED"}
    monkeypatch.setattr(Seat, "_feed_marking", lambda _, name: markings[name])
    sign_in(client, "guest")
    counted = {"craft": 9.0, "expected": 2.1, "high": 5.0, "unusual": 1.0}
    for place, feed in (("sound/fishing", "mast+radar"), ("belt/fishing", "mast+secret")):
        node.stores.tallies.put(
            [Tally(layer="activity", begin_us=0, place=place, domain="sea", feed=feed, figures=counted)]
        )
    told = client.get("/api/activity").json()
    assert told == {
        "hour_us": 0,
        "hours": [0],
        "zones": [{"zone": "sound", "group": "fishing", "domain": "sea", **counted}],
    }


def test_the_picture_is_marked_as_its_strictest_feed(
    client: TestClient, node: Node, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracks are drawn without a marking each: the banner says that of the strictest. Of a feed above
    the clearance nothing is drawn, and it marks nothing."""
    monkeypatch.setattr(node.desk, "feeds", lambda: [{"name": n} for n in ("mast", "secret")])
    markings = {"mast": "TLP:AMBER", "secret": "TLP:RED"}
    monkeypatch.setattr(Seat, "_feed_marking", lambda _, name: markings[name])
    add_account(home.accounts, "red", "Red", "viewer", PASSWORD, "TLP:RED")
    told = {}
    for user in ("guest", "red"):
        sign_in(client, user)
        told[user] = client.get("/api/picture").json()
    assert told["guest"]["marking"] == "TLP:AMBER"
    assert told["guest"]["feeds"] == [{"name": "mast", "marking": "TLP:AMBER"}]
    assert told["red"]["marking"] == "TLP:RED"
    assert [f["marking"] for f in told["red"]["feeds"]] == ["TLP:AMBER", "TLP:RED"]
    assert told["guest"]["default_marking"] == "TLP:AMBER"
