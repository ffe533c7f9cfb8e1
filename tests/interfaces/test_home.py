"""The home tree as its users and their attackers meet it."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from samsyn.desk.drafts import ReportForm
from samsyn.desk.seat import Seat
from samsyn.node.node import Node
from tests.interfaces.conftest import PASSWORD

REPORT = {
    "title": "Buoy adrift",
    "text": "Seen from the pilot boat.",
    "category": "sea",
    "lat": 55.1234,
    "lon": 14.4321,
    "marking": "TLP:AMBER",
    "confidence": "high",
}
LIVE = "ws://127.0.0.1:8440/api/live"
ELSEWHERE = {"origin": "https://elsewhere.example"}
CLOSED = [
    "/api/session",
    "/api/picture",
    "/api/statements",
    "/api/statements/x",
    "/api/statements/x/explain",
    "/api/links",
    "/api/findings",
    "/api/zones",
    "/api/tracks/1/2",
    "/api/policy",
    "/api/as/fi",
]


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_is_shown_without_a_session(client: TestClient, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 401
    assert set(reply.json()["error"]) == {"code", "en", "sv"}


def test_health_needs_no_session(client: TestClient) -> None:
    assert client.get("/healthz").json() == {
        "ok": True,
        "node": "dk",
        "realm": "actual",
        "version": "0.1.0",
    }


def test_sign_in_and_out(client: TestClient) -> None:
    assert client.post("/api/session", json={"user": "duty", "password": "wrong"}).status_code == 401
    assert client.post("/api/session", json={"user": "nobody", "password": PASSWORD}).status_code == 401
    reply = client.post("/api/session", json={"user": "duty", "password": PASSWORD})
    told = {"user": "duty", "name": "Duty", "role": "duty", "clearance": "TLP:AMBER+STRICT"}
    assert reply.json() == told
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.get("/api/session").status_code == 200
    assert client.delete("/api/session").status_code == 200
    assert client.get("/api/session").status_code == 401


def test_guessing_is_slowed_down(client: TestClient) -> None:
    said = {"user": "duty", "password": "wrong"}
    codes = [client.post("/api/session", json=said).status_code for _ in range(12)]
    assert codes[0] == 401 and codes[-1] == 429


def test_a_report_goes_out_as_the_rule_says_and_comes_back_withdrawn(
    signed_in: TestClient, node: Node
) -> None:
    made = signed_in.post("/api/reports", json=REPORT).json()
    assert made["own"] and made["provenance"]["place"] == "exact" and made["released"] == []
    node.tick()
    told = signed_in.get(f"/api/statements/{made['jti']}").json()
    (given,) = told["released"]
    assert (given["reader"], given["op"], given["rule"]) == ("fi", "release", "area-to-fi")
    assert (given["place"], given["time"], given["applied"]) == ("area", "hour", False)
    assert "place.exact" in given["hidden"] and "place.area" not in given["hidden"]
    why = signed_in.get(f"/api/statements/{made['jti']}/explain", params={"reader": "fi"}).json()
    assert why["released"] and "area-to-fi" in why["en"] and "area-to-fi" in why["sv"]
    signed_in.post(f"/api/statements/{made['jti']}/withdraw", json={"purge": True, "why": "wrong buoy"})
    node.tick()
    (listed,) = signed_in.get("/api/statements").json()["items"]
    assert listed["state"] == "withdrawn" and listed["purged"] and listed["slots"] == {}
    assert [r["op"] for r in listed["released"]] == ["release", "withdraw"]
    assert signed_in.post(f"/api/statements/{made['jti']}/withdraw", json={}).status_code == 400


def test_all_versions_of_a_withdrawn_statement_are_one_row(signed_in: TestClient, node: Node) -> None:
    first = signed_in.post("/api/reports", json=REPORT).json()
    pen = node.stores.pen
    form = ReportForm.read({**REPORT, "title": "Buoy adrift, corrected"})
    pen.sign(form.draft(by="t", exercise=False, now_us=1), by="t", jti=first["jti"], ver=2)
    node.tick()
    (listed,) = signed_in.get("/api/statements").json()["items"]
    assert (listed["ver"], listed["slots"]["title"]) == (2, "Buoy adrift, corrected")
    pen.withdraw(first["jti"], purge=True, why="", by="t")
    node.tick()
    (listed,) = signed_in.get("/api/statements").json()["items"]
    assert (listed["ver"], listed["state"], listed["purged"]) == (2, "withdrawn", True)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"lat": 91}, "lat"),
        ({"title": " "}, "title"),
        ({"marking": "SECRET"}, "marking"),
        ({"category": "nonsense"}, "category"),
        ({"confidence": "sure"}, "confidence"),
        ({"surprise": 1}, "surprise"),
        ({"lat": "north"}, "lat"),
    ],
)
def test_a_wrong_report_names_its_field(
    signed_in: TestClient, wrong: dict[str, Any], names: str
) -> None:
    reply = signed_in.post("/api/reports", json={**REPORT, **wrong})
    assert reply.status_code == 400
    assert names in reply.json()["error"]["en"]


def test_explaining_to_a_stranger_is_an_error(signed_in: TestClient) -> None:
    made = signed_in.post("/api/reports", json=REPORT).json()
    reply = signed_in.get(f"/api/statements/{made['jti']}/explain", params={"reader": "xx"})
    assert reply.status_code == 400


def test_a_viewer_reads_and_does_not_write(client: TestClient) -> None:
    client.post("/api/session", json={"user": "guest", "password": PASSWORD})
    assert client.get("/api/statements").status_code == 200
    assert client.post("/api/reports", json=REPORT).status_code == 403


def test_cross_site_request_forgery(signed_in: TestClient) -> None:
    """A form on another site can send the cookie (if a browser let it) but not the header."""
    del signed_in.headers["x-samsyn"]
    assert signed_in.post("/api/reports", json=REPORT).status_code == 403
    assert signed_in.delete("/api/session").status_code == 403
    other = {"x-samsyn": "1", "origin": "https://elsewhere.example"}
    assert signed_in.post("/api/reports", json=REPORT, headers=other).status_code == 421


def test_dns_rebinding(signed_in: TestClient) -> None:
    assert (
        signed_in.get("/api/statements", headers={"host": "elsewhere.example:8440"}).status_code == 421
    )


def test_cross_site_live_stream(signed_in: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        signed_in.websocket_connect(LIVE, headers=ELSEWHERE),
    ):
        pass


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"]
)
def test_path_traversal(client: TestClient, path: str) -> None:
    assert "not for the web" not in client.get(path).text


def test_the_page_and_its_headers(client: TestClient) -> None:
    page = client.get("/")
    assert "Samsyn" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert client.get("/assets/a.js").headers["cache-control"].endswith("immutable")
    packed = client.get("/assets/a.js", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and packed.text == "1"
    assert client.get("/assets/gone.js").status_code == 404
    assert "Samsyn" in client.get("/some/view").text  # the page's own addresses


def test_a_body_too_large_is_refused(signed_in: TestClient) -> None:
    assert signed_in.post("/api/reports", content=b"x" * 100_000).status_code == 400


def test_live_needs_a_session(client: TestClient) -> None:
    with client.websocket_connect(LIVE) as live, pytest.raises(WebSocketDisconnect) as closed:
        live.receive_bytes()
    assert closed.value.code == 1008  # so the page knows that it must ask for a password


def test_live_sends_frames_and_what_changes(signed_in: TestClient, node: Node) -> None:
    with signed_in.websocket_connect(LIVE) as live:
        frame = pl.read_ipc_stream(io.BytesIO(live.receive_bytes()))
        assert {"domain", "number", "lat", "lon", "flags"} <= set(frame.columns)
        # who asks for the lists once the line stands has all that was there: it is not told again
        assert live.receive_json()["changed"] == []
        signed_in.post("/api/reports", json=REPORT)
        node.tick()
        live.send_text('{"viewport": [10, 54, 16, 58]}')
        live.send_text("not json")
        assert pl.read_ipc_stream(io.BytesIO(live.receive_bytes())).height == 0
        assert "statements" in live.receive_json()["changed"]


def test_live_begins_where_the_page_looks(
    signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, frame = [], Seat.frame

    def noted(seat: Seat, viewport: tuple[float, float, float, float]) -> bytes:
        looked.append(viewport)
        return frame(seat, viewport)

    monkeypatch.setattr(Seat, "frame", noted)
    for query in ('?told={"viewport": [10, 54, 16, 58]}', "?told=nonsense", ""):
        with signed_in.websocket_connect(LIVE + query) as live:
            live.receive_bytes()
    assert looked == [(10.0, 54.0, 16.0, 58.0), *[(-180.0, -90.0, 180.0, 90.0)] * 2]


def test_what_the_page_asks_once(signed_in: TestClient) -> None:
    told = signed_in.get("/api/picture").json()
    assert (told["node"], told["realm"], told["partners"]) == ("dk", "actual", ["fi"])
    assert {"drift", "emergency", "silence", "zone-entry"} <= set(told["detectors"])
    for detector in told["detectors"].values():
        assert set(detector["title"]) == {"en", "sv"}
    assert signed_in.get("/api/zones").json()["type"] == "FeatureCollection"
    assert signed_in.get("/api/tracks/1/2").status_code == 404
    assert signed_in.get("/api/findings").json() == {"items": []}
    assert signed_in.get("/api/links").json() == {"links": []}  # pullers start with the node


def test_a_draft_is_shown_whom_it_would_reach_and_reaches_them_so(
    signed_in: TestClient, node: Node
) -> None:
    form = {"title": "Buoy adrift", "lat": 55.1, "lon": 15.2, "text": "Seen from the pilot boat."}
    for marking, released in (("TLP:AMBER", True), ("TLP:AMBER+STRICT", False)):
        (row,) = signed_in.post("/api/reports/reach", json={**form, "marking": marking}).json()["items"]
        assert (row["reader"], row["released"]) == ("fi", released)
        assert node.stores.statements.page(limit=9) == [] or marking != "TLP:AMBER"  # nothing was signed
        made = signed_in.post("/api/reports", json={**form, "marking": marking}).json()
        node.tick()
        told = signed_in.get(f"/api/statements/{made['jti']}/explain", params={"reader": "fi"}).json()
        assert (told["released"], told["en"]) == (row["released"], row["en"])
        if released:
            assert (row["place"], row["time"], row["from_us"]) == ("area", "hour", None)
            assert "place.exact" in row["left_out"]
    reply = signed_in.post("/api/reports/reach", json={**form, "refs": ["fi/x/1"]})
    assert reply.status_code == 400


def test_a_viewer_is_not_told_whom_a_draft_would_reach(client: TestClient) -> None:
    client.post("/api/session", json={"user": "guest", "password": PASSWORD})
    form = {"title": "x", "lat": 55.1, "lon": 15.2}
    assert client.post("/api/reports/reach", json=form).status_code == 403
