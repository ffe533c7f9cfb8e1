"""One signature, two views: SE whole, FI area and hour, a fourth reader nothing; then withdrawn.

Real nodes, real TLS on loopback. Everything that FI's node receives is written down and searched, and
every file of FI's home.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import pytest
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from samsyn.base.clock import SystemClock, parse_iso
from samsyn.base.settings import Home, StandingOrder
from samsyn.desk.drafts import ReportForm, alert_draft
from samsyn.exchange import ask as asking
from samsyn.exchange.card import Card
from samsyn.exchange.signing import Signer
from samsyn.exchange.tls import client_context
from samsyn.node.audit import audit
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.watch.definition import discover
from samsyn.watch.finding import Finding
from tests.scenarios.network import homes, seat, wait

POLICY = """
[circles]
inner = ["se"]

[[rule]]
id = "all-to-se"
why = "annex A"
to = ["circle:inner"]
kinds = ["alert", "report"]
place = "exact"
time = "exact"

[[rule]]
id = "coarse-to-fi"
why = "annex B"
to = ["fi"]
kinds = ["alert", "report"]
place = "area"
time = "hour"
hide = ["author", "sources", "text", "body.observer"]
"""
AUTHOR = "Warrant officer Quistgaard"
AT_US = parse_iso("2026-11-21T20:15:03.123456Z")
LAT, LON = 55.678912, 12.612345

# Whatever FI may not have, as it would be written. The time as text and as numbers of either unit.
SECRETS = [
    AUTHOR,
    "55.678912",
    "12.612345",
    "55.6789",
    "12.6123",
    "20:15:03",
    str(AT_US),
    str(AT_US // 1_000_000),
    "roof-receiver",
    "the whole account",
    "all-to-se",
    "coarse-to-fi",
    "annex B",
    "inner",
]


class Net:
    """The nodes, what was said, and all that FI's node was sent."""

    heard: ClassVar[list[bytes]] = []

    def __init__(self, made: dict[str, Home]) -> None:
        self.homes = made
        self.nodes = {name: Node(Stores(home)) for name, home in made.items()}
        self.said: list[str] = []

    def card(self, of: str) -> Card:
        card = self.nodes["fi"].stores.roster.get(of)
        assert card is not None
        return card

    def held(self, node: str, jti: str) -> dict[str, Any] | None:
        return seat(self.nodes[node]).item(jti)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    patch = pytest.MonkeyPatch()
    read = asking.read

    async def recorded(reply: httpx.Response, bytes_max: int) -> bytes:
        body = await read(reply, bytes_max)
        # each puller signs as its own node; FI's requests are known by that
        if 'keyid="fi"' in reply.request.headers["signature-input"]:
            Net.heard.append(str(reply.headers).encode() + body)
        return body

    patch.setattr(asking, "read", recorded)
    policies = {"dk": POLICY, "se": "", "fi": "", "no": ""}
    net = Net(homes(tmp_path_factory.mktemp("net"), policies))
    for node in net.nodes.values():
        node.start()
    pen = net.nodes["dk"].stores.pen
    form = ReportForm(
        title="Drifting", text="the whole account", summary="a ship", lat=LAT, lon=LON, time_us=AT_US
    )
    net.said.append(pen.sign(form.draft(by=AUTHOR, exercise=False, now_us=AT_US), by="t").jti)
    net.said.append(pen.sign(alert(), by="t").jti)
    for name in ("se", "fi"):
        wait(lambda n=name: all(net.held(n, jti) for jti in net.said))
    yield net
    for node in net.nodes.values():
        node.stop()
    patch.undo()


def alert() -> Any:
    """As a standing order makes it, with evidence."""
    row = {"time_us": AT_US, "lat": LAT, "lon": LON, "speed_kn": 0.6}
    finding = Finding(
        key="drift-of-that-ship",
        detector="drift",
        craft="mmsi:300900001",
        state="open",
        start_us=AT_US,
        updated_us=AT_US,
        end_us=None,
        lat=LAT,
        lon=LON,
        measured={"speed_kn": 0.6},
        thresholds={"speed_min_kn": 0.3},
        zone=None,
        evidence=[row] * 3,
        feed="roof-receiver",
        exercise=False,
        known_errors=(),
        revision=1,
        closed_because=None,
    )
    order = StandingOrder(id="o", why="w", detectors=("drift",), unit=AUTHOR)
    return alert_draft(finding, order, discover()["drift"][0])


def test_se_holds_the_exact_place_and_fi_the_area(net: Net) -> None:
    for jti in net.said:
        se, fi = net.held("se", jti), net.held("fi", jti)
        assert se and fi
        assert se["slots"]["place.exact"]["coordinates"] == [LON, LAT]
        assert se["slots"]["author"] == AUTHOR
        assert (se["provenance"]["place"], se["provenance"]["time"]) == ("exact", "exact")
        assert (fi["provenance"]["place"], fi["provenance"]["time"]) == ("area", "hour")
        assert not {"author", "sources", "text", "body.evidence", "body.start"} & set(fi["slots"])


def test_both_hold_the_same_signature_and_another_implementation_verifies_it(net: Net) -> None:
    raw = net.card("dk").statement_key
    key = JWK(kty="OKP", crv="Ed25519", x=raw)
    for jti in net.said:
        parts = []
        for name in ("se", "fi"):
            stored = net.nodes[name].stores.statements.get(jti)
            assert stored and stored.body
            seen = SDJWTVerifier(stored.body.decode(), lambda *_: key).get_verified_payload()
            assert seen["jti"] == jti and seen["iss"] == "dk"
            assert ("place.exact" in seen) == (name == "se")
            parts.append(stored.body.partition(b"~")[0])
        assert parts[0] == parts[1]


def ask(net: Net, as_: str, path: str, method: str = "GET", body: bytes = b"") -> httpx.Response:
    """One signed request to DK as a partner may make it by hand."""
    card = net.card("dk")
    keys = net.nodes[as_].stores.keys
    with httpx.Client(
        base_url=f"https://{card.address}",
        verify=client_context(card.certificate),
        trust_env=False,
        timeout=60,
    ) as client:
        request = client.build_request(method, path, content=body or None)
        Signer(as_, keys.request, "actual", SystemClock()).sign(request, card, body)
        return client.send(request)


ASKED = [
    "/exchange/checkpoint",
    "/exchange/entries?after=0&limit=1000",
    "/exchange/entries?after=1&limit=1",
    "/exchange/entries?after=999999&limit=1",
    "/exchange/entries?after=-1&limit=1",
    "/exchange/entries?after=0&limit=1&reader=se",
    "/exchange/live?after=0",
    "/exchange/statements",
    "/api/statements",
    "/healthz",
]


def test_no_byte_of_what_was_withheld_reaches_fi(net: Net) -> None:
    """Not in what it was sent, not in any reply it can ask for, not in any file of its home."""
    replies = [ask(net, "fi", path) for path in ASKED]
    net.nodes["fi"].stores.db.checkpoint()
    spot = seat(net.nodes["dk"]).item(net.said[0])
    assert spot
    wanted = [s.encode() for s in [*SECRETS, *spot["slots"]["place.spot"]]]
    seen = {
        f"reply {path}": opened(r.content) + str(r.headers).encode()
        for path, r in zip(ASKED, replies, strict=True)
    }
    seen |= {f"traffic {i}": opened(b) for i, b in enumerate(Net.heard)}
    root = net.homes["fi"].root
    seen |= {str(p): opened(p.read_bytes()) for p in root.rglob("*") if p.is_file()}
    assert len(Net.heard) > 3 and any(p.endswith("ledger.sqlite") for p in seen)
    found = [(where, s) for where, data in seen.items() for s in wanted if s in data]
    assert found == []


def opened(data: bytes) -> bytes:
    """`data`, and after it every base64url run in it as the bytes that it stands for."""
    runs = re.findall(rb"[A-Za-z0-9_-]{16,}", data)
    return data + b"\n".join(
        base64.urlsafe_b64decode(run + b"=" * (-len(run) % 4)) for run in runs if len(run) % 4 != 1
    )


def test_the_search_would_find_it_at_se(net: Net) -> None:
    """The same search over SE's home finds what SE may have: so it can find."""
    data = b"".join(opened(p.read_bytes()) for p in net.homes["se"].root.rglob("*") if p.is_file())
    for secret in (AUTHOR, "55.678912", "20:15:03", str(AT_US), "roof-receiver", "the whole account"):
        assert secret.encode() in data


def test_a_reader_without_a_rule_gets_nothing_not_even_a_count(net: Net) -> None:
    wait(lambda: net.nodes["no"].link("dk")["state"] == "up")
    checkpoint = ask(net, "no", "/exchange/checkpoint").text.split("\n")
    assert checkpoint[:2] == ["samsyn.dk/actual/no", "0"]
    batch = json.loads(ask(net, "no", "/exchange/entries?after=0&limit=1000").content)
    assert [v for k, v in batch.items() if isinstance(v, list) and v] == []
    assert seat(net.nodes["no"]).statements() == []


def test_one_reader_gets_nothing_of_anothers_whatever_it_asks(net: Net) -> None:
    """FI signs as itself and names SE in every place there is: the bytes are FI's own."""
    own = ask(net, "fi", "/exchange/entries?after=0&limit=10").content
    for path in (
        "/exchange/se/entries?after=0&limit=10",
        "/exchange/entries?after=0&limit=10&as=se",
        "/exchange/entries/../se/entries?after=0&limit=10",
    ):
        reply = ask(net, "fi", path)
        assert reply.status_code == 404 or reply.content == own


def test_withdrawn_is_purged_by_both_and_dk_sees_it_applied(net: Net) -> None:
    """Last in the file: it takes away what the others look at."""
    for jti in net.said:
        seat(net.nodes["dk"]).withdraw(jti, purge=True, why="test")

    def applied(jti: str) -> bool:
        told = seat(net.nodes["dk"]).item(jti)
        assert told
        return {r["reader"] for r in told["released"] if r["op"] == "withdraw" and r["applied"]} == {
            "se",
            "fi",
        }

    for jti in net.said:
        wait(lambda j=jti: applied(j))
        for name in ("se", "fi"):
            held = net.held(name, jti)
            assert held and held["state"] == "withdrawn" and held["purged"] and held["slots"] == {}
    for name in ("se", "fi", "dk"):
        data = b"".join(
            opened(p.read_bytes()) for p in (net.homes[name].root / "actual").rglob("ledger*")
        )
        assert b"Drifting" not in data and AUTHOR.encode() not in data
    for home in net.homes.values():
        assert [p for part in audit(home) for p in part.problems] == []
    assert seat(net.nodes["no"]).statements() == []
