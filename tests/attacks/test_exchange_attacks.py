"""Attacks on the exchange by whoever asks: a stranger at the port, or a partner that wants more."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, ManualClock, SystemClock
from samsyn.base.encoding import b64url
from samsyn.base.errors import Refused
from samsyn.exchange import tls
from samsyn.exchange.card import Card
from samsyn.exchange.listen import _GuardedProtocol
from samsyn.exchange.roster import Standing
from samsyn.exchange.signing import COVERED, Received, Signer, Verifier, audience
from tests.exchange.nodes import PATIENCE_S, REALM, Node

CHECKPOINT = "/exchange/checkpoint"
REFUSAL = (404, b'{"error":"no such thing"}')


@pytest.fixture
def dk(tmp_path: Path) -> Iterator[Node]:
    """A node with the partners se and fi, whose channels hold different things."""
    node = Node(tmp_path, "dk", ManualClock(SystemClock().now_us()))
    for name in ("se", "fi"):
        partner = Node(tmp_path, name, node.wall)
        node.knows(partner).kept += [f"for {name} only"]
        setattr(node, name, partner)
    node.start()
    yield node
    node.stop()


def send(to: Card, request: httpx.Request) -> httpx.Response:
    with httpx.Client(verify=tls.client_context(to.certificate), trust_env=False, timeout=60) as client:
        return client.send(request)


def raw(to: Card, data: bytes) -> bytes:
    """Every byte of the reply to `data` on a connection of its own."""
    host, port = to.address.split(":")
    with (
        socket.create_connection((host, int(port)), PATIENCE_S) as plain,
        tls.client_context(to.certificate).wrap_socket(plain) as secure,
    ):
        secure.sendall(data)
        reply = b""
        while piece := secure.recv(65_536):
            reply += piece
    return reply


def wire(request: httpx.Request) -> bytes:
    """A request as bytes, closing the connection after it."""
    head = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1", "connection: close"]
    head += [f"{name}: {value}" for name, value in request.headers.items() if name != "connection"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + request.read()


def refused(to: Card, request: httpx.Request) -> bool:
    reply = send(to, request)
    return (reply.status_code, reply.content) == REFUSAL


# who asks


def test_unsigned_request(dk: Any) -> None:
    assert refused(dk.card(), httpx.Request("GET", f"https://{dk.card().address}{CHECKPOINT}"))


@pytest.mark.parametrize(
    "header",
    [
        "x-client-cert",
        "x-forwarded-client-cert",
        "x-forwarded-user",
        "x-partner",
        "authorization",
        "forwarded",
    ],
)
def test_forged_identity_header(dk: Any, header: str) -> None:
    card = dk.card()
    value = dk.fi.certificate.replace("\n", "") if "cert" in header else "fi"
    bare = httpx.Request("GET", f"https://{card.address}{CHECKPOINT}", headers={header: value})
    assert refused(card, bare)
    by_se = dk.se.request(card, "GET", CHECKPOINT)
    by_se.headers[header] = value
    assert send(card, by_se).content == dk.channels["se"].checkpoint()  # still se, whatever it says


def test_name_of_another_with_ones_own_key(dk: Any) -> None:
    card = dk.card()
    request = httpx.Request("GET", f"https://{card.address}{CHECKPOINT}")
    Signer("fi", dk.se.keys.request, REALM, dk.wall).sign(request, card)
    assert refused(card, request)


@pytest.mark.parametrize("purpose", ["statement", "log"])
def test_key_made_for_another_purpose(dk: Any, purpose: str) -> None:
    card = dk.card()
    request = httpx.Request("GET", f"https://{card.address}{CHECKPOINT}")
    Signer("fi", getattr(dk.fi.keys, purpose), REALM, dk.wall).sign(request, card)
    assert refused(card, request)


def test_key_id_that_walks_the_file_system(dk: Any) -> None:
    card = dk.card()
    for name in ("../fi", "fi.card.json", "/etc/passwd", "", "fi\x00"[:2] + "/../fi", "F" * 500):
        request = httpx.Request("GET", f"https://{card.address}{CHECKPOINT}")
        Signer(name, dk.fi.keys.request, REALM, dk.wall).sign(request, card)
        assert refused(card, request)


def test_replayed_request(dk: Any) -> None:
    card = dk.card()
    request = dk.fi.request(card, "GET", CHECKPOINT)
    assert send(card, request).status_code == 200
    assert refused(card, request)


def test_replayed_request_after_the_memory_was_cleared(dk: Any) -> None:
    """A restart forgets nonces; so what was signed before it is refused."""
    card = dk.card()
    request = dk.fi.request(card, "GET", CHECKPOINT)
    assert send(card, request).status_code == 200
    dk.wall.advance(SECOND_US)
    dk.stop()
    dk.start(port=dk.listener.port)
    assert refused(card, request)
    assert send(card, dk.fi.request(card, "GET", CHECKPOINT)).status_code == 200


@pytest.mark.parametrize("late_s", [limits.REQUEST_AGE_S + 1, -limits.REQUEST_AGE_S - 1])
def test_stale_signature(dk: Any, late_s: int) -> None:
    card = dk.card()
    dk.wall.advance(1000 * SECOND_US)  # well after the node's start
    request = httpx.Request("GET", f"https://{card.address}{CHECKPOINT}")
    then = ManualClock(dk.wall.now_us() - late_s * SECOND_US)
    Signer("fi", dk.fi.keys.request, REALM, then).sign(request, card)
    assert refused(card, request)


def test_tampered_body(dk: Any) -> None:
    card = dk.card()
    good = dk.fi.request(card, "POST", "/exchange/cosign", b"cosigned 1")
    swapped = httpx.Request("POST", good.url, headers=good.headers, content=b"cosigned 9")
    assert refused(card, swapped)
    assert dk.channels["fi"].cosigned == []


def test_tampered_body_with_its_digest_made_anew(dk: Any) -> None:
    card = dk.card()
    good = dk.fi.request(card, "POST", "/exchange/cosign", b"cosigned 1")
    other = dk.fi.request(card, "POST", "/exchange/cosign", b"cosigned 9")
    good.headers["content-digest"] = other.headers["content-digest"]
    swapped = httpx.Request("POST", good.url, headers=good.headers, content=b"cosigned 9")
    assert refused(card, swapped)


def test_body_without_a_signed_digest(dk: Any) -> None:
    card = dk.card()
    bare = dk.fi.request(card, "POST", "/exchange/cosign")
    headers = {k: v for k, v in bare.headers.items() if k != "content-length"}
    assert refused(card, httpx.Request("POST", bare.url, headers=headers, content=b"cosigned 1"))
    assert dk.channels["fi"].cosigned == []


def test_tampered_path_query_and_method(dk: Any) -> None:
    card = dk.card()
    for method, path in (
        ("GET", "/exchange/entries?after=0&limit=1"),
        ("GET", "/exchange/Checkpoint"),
        ("HEAD", CHECKPOINT),
        ("POST", CHECKPOINT),
    ):
        signed = dk.fi.request(card, "GET", CHECKPOINT)
        moved = httpx.Request(method, f"https://{card.address}{path}", headers=signed.headers)
        assert send(card, moved).status_code == 404, (method, path)


def test_signature_that_covers_less(dk: Any) -> None:
    card = dk.card()
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={"fi": dk.fi.keys.request}),
    )
    tag = audience(card, REALM)
    now = datetime.fromtimestamp(dk.wall.now_us() // SECOND_US, UTC)
    given: dict[str, Any] = {"key_id": "fi", "created": now, "nonce": b64url(bytes(16)), "tag": tag}
    for change in (
        {"covered_component_ids": COVERED[:2]},
        {"covered_component_ids": (*COVERED, "user-agent")},
        {"nonce": None},
        {"nonce": "short"},
        {"tag": None},
    ):
        request = httpx.Request(
            "GET", f"https://{card.address}{CHECKPOINT}", headers={"user-agent": "x"}
        )
        signer.sign(request, **{"covered_component_ids": COVERED, **given, **change})
        assert refused(card, request), change


def test_request_passed_on_by_the_partner_it_was_made_for(dk: Any) -> None:
    """fi asks se; se hands the very request to dk, to read what dk has for fi."""
    to_se = dk.fi.request(dk.se.card(), "GET", CHECKPOINT)
    passed_on = httpx.Request("GET", f"https://{dk.card().address}{CHECKPOINT}", headers=to_se.headers)
    assert refused(dk.card(), passed_on)


def test_request_made_for_the_other_realm(dk: Any) -> None:
    card = dk.card()
    request = httpx.Request("GET", f"https://{card.address}{CHECKPOINT}")
    Signer("fi", dk.fi.keys.request, "actual", dk.wall).sign(request, card)
    assert refused(card, request)


def test_partner_that_was_removed(dk: Any) -> None:
    card = dk.card()
    assert send(card, dk.fi.request(card, "GET", CHECKPOINT)).status_code == 200
    dk.roster.remove("fi")
    assert refused(card, dk.fi.request(card, "GET", CHECKPOINT))


def test_partner_that_is_suspended_is_answered_as_a_stranger(dk: Any) -> None:
    """From its next request on, also on a connection that was let in before."""
    card = dk.card()
    with httpx.Client(
        verify=tls.client_context(card.certificate), trust_env=False, timeout=60
    ) as client:
        assert client.send(dk.fi.request(card, "GET", CHECKPOINT)).status_code == 200
        dk.roster.set_standing("fi", Standing("suspended", "", "", ""))
        reply = client.send(dk.fi.request(card, "GET", CHECKPOINT))
    assert (reply.status_code, reply.content) == REFUSAL
    assert send(card, dk.se.request(card, "GET", CHECKPOINT)).status_code == 200
    dk.roster.set_standing("fi", Standing("leaving", "", "", ""))  # it is to fetch what was withdrawn
    assert send(card, dk.fi.request(card, "GET", CHECKPOINT)).status_code == 200
    dk.roster.leave("fi")
    assert refused(card, dk.fi.request(card, "GET", CHECKPOINT))


def test_unknown_partner_gets_the_same_bytes_as_a_bad_signature(dk: Any, tmp_path: Path) -> None:
    card = dk.card()
    stranger = Node(tmp_path, "xx", dk.wall)
    bad = dk.fi.request(card, "GET", CHECKPOINT)
    Signer("fi", stranger.keys.request, REALM, dk.wall).sign(bad, card)
    spent = dk.fi.request(card, "GET", CHECKPOINT)
    send(card, spent)
    stale = httpx.Request("GET", bad.url)
    Signer("fi", dk.fi.keys.request, REALM, ManualClock(0)).sign(stale, card)
    dk.roster.add(stranger.card())  # a partner without a channel
    without = stranger.request(card, "GET", CHECKPOINT)
    replies = {
        "without a channel": raw(card, wire(without)),
        "bad signature": raw(card, wire(bad)),
        "unknown path": raw(card, wire(dk.fi.request(card, "GET", "/exchange/what"))),
        "unknown path, unsigned": raw(card, wire(httpx.Request("GET", f"https://{card.address}/x"))),
        "unknown method": raw(card, wire(dk.fi.request(card, "DELETE", CHECKPOINT))),
        "unsigned": raw(card, wire(httpx.Request("GET", bad.url))),
        "replayed": raw(card, wire(spent)),
        "stale": raw(card, wire(stale)),
        "odd query": raw(card, wire(dk.fi.request(card, "GET", "/exchange/live?after=x"))),
    }
    dk.roster.remove("xx")
    replies["unknown partner"] = raw(card, wire(stranger.request(card, "GET", CHECKPOINT)))
    assert len(set(replies.values())) == 1, replies
    assert REFUSAL[1] in replies["unsigned"] and b"date" not in replies["unsigned"]


def test_partner_a_cannot_read_partner_bs_channel(dk: Any) -> None:
    card = dk.card()
    secret = b"for fi only"
    paths = [
        "/exchange/entries?after=0&limit=10",
        "/exchange/entries?after=0&limit=10&reader=fi",
        "/exchange/entries?reader=fi&after=0&limit=10",
        "/exchange/entries/fi?after=0&limit=10",
        "/exchange/fi/entries?after=0&limit=10",
        "/exchange/../fi/entries?after=0&limit=10",
        "/fi/exchange/entries?after=0&limit=10",
        "/exchange/entries%2ffi?after=0&limit=10",
        "/exchange/entries;reader=fi?after=0&limit=10",
        "//exchange/entries?after=0&limit=10",
        "/exchange/live?after=0",
        CHECKPOINT,
    ]
    headers = {
        "x-reader": "fi",
        "x-partner": "fi",
        "host": "fi",
        "x-original-url": "/fi",
        "cookie": "reader=fi",
    }
    for path in paths:
        for extra in ({}, headers):
            request = dk.se.request(card, "GET", path)
            request.headers.update(extra)
            reply = raw(card, wire(request))
            assert secret not in reply and b"exercise/fi" not in reply, path
    dk.se.ask(card, "POST", "/exchange/cosign", b"cosigned 1")
    assert dk.channels["fi"].cosigned == []


def test_channel_of_another_handed_out_by_mistake(dk: Any) -> None:
    """Even if the node's table were wrong, a channel is only given to the name it bears."""
    dk.channels["se"] = dk.channels["fi"]
    assert refused(dk.card(), dk.se.request(dk.card(), "GET", CHECKPOINT))


def test_forged_requests_do_not_spend_the_allowance_of_the_partner_they_name(
    dk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS_PER_MINUTE", 2)
    card = dk.card()
    spent = dk.fi.request(card, "GET", CHECKPOINT)
    assert send(card, spent).status_code == 200
    forged = httpx.Request("GET", spent.url)
    Signer("fi", dk.se.keys.request, REALM, dk.wall).sign(forged, card)
    assert all(refused(card, request) for request in (forged, spent, forged, spent))
    assert send(card, dk.fi.request(card, "GET", CHECKPOINT)).status_code == 200
    assert send(card, dk.fi.request(card, "GET", CHECKPOINT)).status_code == 429


FIELDS = st.text(st.characters(max_codepoint=0x17F), max_size=60) | st.sampled_from(
    [
        'samsyn=("@method" "@path" "@query");created=1;keyid="fi";alg="ed25519";nonce="x";tag="t"',
        'samsyn=("@query-param";name="a" "@status" "cookie";bs);created=1;keyid="fi"',
        "samsyn=:AAAA:",
        "a=(;",
        "a=((((",
        "samsyn=?1",
    ]
)


TARGETS = st.text(st.characters(min_codepoint=33, max_codepoint=127), max_size=30)


@given(FIELDS, FIELDS, TARGETS, TARGETS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_in_the_signature_fields(
    dk: Any, given_input: str, signature: str, path: str, query: str
) -> None:
    """Whatever stands there, the answer is the refusal: made by the app, not by its falling over."""
    now = f"created={dk.wall.now_us() // SECOND_US}"
    deeper = given_input.replace("created=1", now).replace('"t"', f'"{audience(dk.card(), REALM)}"')
    headers = [(b"signature-input", deeper.encode()), (b"signature", signature.encode())]
    answers = []

    async def ask() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def answer(message: Any) -> None:
            answers.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": CHECKPOINT,
            "raw_path": b"/" + path.encode(),
            "query_string": query.encode(),
            "headers": headers,
        }
        await dk.app()(scope, receive, answer)

    asyncio.run(ask())
    assert (answers[0]["status"], answers[1]["body"]) == REFUSAL


# filling memory and time


def test_oversized_request_body(dk: Any) -> None:
    card = dk.card()
    for length in (limits.CHECKPOINT_BYTES + 1, limits.REQUEST_BODY_BYTES + 1):
        assert refused(card, dk.fi.request(card, "POST", "/exchange/cosign", b"x" * length))


def test_request_head_that_never_ends(dk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_READ_S", 0.3)
    card = dk.card()
    host, port = card.address.split(":")
    with socket.create_connection((host, int(port)), PATIENCE_S) as plain:
        secure = tls.client_context(card.certificate).wrap_socket(plain)
        secure.sendall(b"GET / HTTP/1.1\r\nx: ")
        with pytest.raises((ConnectionError, ssl.SSLError)):  # cut, not answered
            while secure.recv(1):
                pass
            raise ConnectionError("closed")


def test_handshake_that_never_ends(dk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_READ_S", 0.3)
    dk.stop()
    dk.start()
    host, port = dk.card().address.split(":")
    with socket.create_connection((host, int(port)), PATIENCE_S) as plain:
        assert plain.recv(1) == b""  # cut


def test_reply_that_is_never_read(dk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REPLY_PIECE_S", 0.3)
    dk.channels["fi"].kept += ["x" * 1_000_000] * 20
    card = dk.card()
    host, port = card.address.split(":")
    cut = threading.Event()
    lost = _GuardedProtocol.connection_lost

    def connection_lost(self: _GuardedProtocol, exc: Exception | None) -> None:
        lost(self, exc)
        cut.set()

    monkeypatch.setattr(_GuardedProtocol, "connection_lost", connection_lost)
    with socket.create_connection((host, int(port)), PATIENCE_S) as plain:
        secure = tls.client_context(card.certificate).wrap_socket(plain)
        secure.sendall(wire(dk.fi.request(card, "GET", "/exchange/entries?after=0&limit=100")))
        assert cut.wait(PATIENCE_S)


def test_request_body_that_never_comes(dk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_READ_S", 0.3)
    card = dk.card()
    whole = wire(dk.fi.request(card, "POST", "/exchange/cosign", b"cosigned 1"))
    assert REFUSAL[1] in raw(card, whole[:-1])
    assert dk.channels["fi"].cosigned == []


def test_nonces_fill_no_memory(dk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NONCES", 3)
    verifier = Verifier(dk.roster, dk.card(), REALM, dk.wall)

    def ask() -> str:
        made = dk.fi.request(dk.card(), "GET", CHECKPOINT)
        try:
            verifier.spend(verifier.verify(Received("GET", f"https://node{CHECKPOINT}", made.headers)))
        except Refused as e:
            return e.reason
        return "taken"

    twice = dk.fi.request(dk.card(), "GET", CHECKPOINT)
    caller = Verifier(dk.roster, dk.card(), REALM, dk.wall).verify(
        Received("GET", f"https://node{CHECKPOINT}", twice.headers)
    )
    other = Verifier(dk.roster, dk.card(), REALM, dk.wall)
    other.spend(caller)
    with pytest.raises(Refused, match="made before"):  # two at once: both verified, one is spent
        other.spend(caller)
    assert [ask() for _ in range(4)] == ["taken", "taken", "taken", "too-many-requests"]
    dk.wall.advance((limits.REQUEST_AGE_S + 1) * SECOND_US)
    assert ask() == "taken"
