"""Attacks on the exchange by the node that is asked: a partner gone bad, or somebody in between."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, ManualClock, SystemClock
from samsyn.base.errors import Refused
from samsyn.exchange import tls
from tests.exchange.nodes import PATIENCE_S, MemoryMirror, Node, pulling

CHECKPOINT = "/exchange/checkpoint"


def evil(tmp_path: Path, answer: Callable[[Request], Any], name: str = "xx") -> Node:
    """A node whose every GET is answered by `answer`; its checkpoint says 1."""

    async def reply(request: Request) -> Response:
        if request.url.path == CHECKPOINT:
            return Response(b"x\n1\nroot\n\n")
        made: Response = answer(request)
        return made

    node = Node(tmp_path, name)
    node.start(Starlette(routes=[Route("/{path:path}", reply, methods=["GET", "POST"])]))
    return node


def ends_as(tmp_path: Path, answer: Callable[[Request], Any], state: str, reason: str) -> None:
    """What `answer` does leads to `state`, while another partner's link stays up."""
    bad, good, fi = evil(tmp_path, answer), Node(tmp_path, "dk"), Node(tmp_path, "fi")
    good.knows(fi).kept += ["a"]
    good.start()
    held, other = MemoryMirror(), MemoryMirror()
    with pulling(fi, bad.card(), held) as link, pulling(fi, good.card(), other) as beside:
        link.until_state(state, reason)
        beside.until(lambda: other.kept == ["a"])
        beside.until_state("up")
    bad.stop()
    good.stop()
    assert held.kept == []


def test_wrong_certificate(tmp_path: Path) -> None:
    """Somebody in between with a certificate of his own, which is as self-signed as the right one."""
    dk, fi, between = Node(tmp_path, "dk"), Node(tmp_path, "fi"), Node(tmp_path / "b", "dk")
    asked: list[str] = []

    async def listen(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(b"x\n0\nroot\n\n")

    between.start(Starlette(routes=[Route("/{path:path}", listen)]))
    card = dk.card(address=between.card().address)
    with pulling(fi, card, MemoryMirror()) as link:
        link.until_state("refused", "wrong-certificate")
    between.stop()
    assert asked == []  # not even a request left us


def test_certificate_signed_by_the_pinned_one(tmp_path: Path) -> None:
    """The pin is the certificate itself, not what its key may sign: equality is checked apart."""
    dk, other = Node(tmp_path, "dk"), Node(tmp_path, "other")
    other.start()
    context = tls.client_context(dk.certificate)
    context.load_verify_locations(cadata=other.certificate)  # as if the chain were accepted
    host, port = other.card().address.split(":")
    with (
        socket.create_connection((host, int(port)), PATIENCE_S) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="another certificate"),
    ):
        context.wrap_socket(plain)
    with httpx.Client(verify=context, trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(f"https://{other.card().address}/healthz")
    other.stop()


def test_oversized_reply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES", 1000)
    ends_as(tmp_path, lambda _: Response(b"x" * 1001), "refused", "oversized-reply")


def test_endless_reply(tmp_path: Path) -> None:
    async def forever() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)  # let the test's server notice that nobody reads

    ends_as(tmp_path, lambda _: StreamingResponse(forever()), "refused", "oversized-reply")


def test_endless_checkpoint(tmp_path: Path) -> None:
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi")

    async def long(_request: Request) -> Response:
        return Response(b"x\n0\n" + b"y" * limits.CHECKPOINT_BYTES)

    dk.start(Starlette(routes=[Route("/{path:path}", long)]))
    with pulling(fi, dk.card(), MemoryMirror()) as link:
        link.until_state("refused", "oversized-reply")
    dk.stop()


def test_reply_that_drips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REPLY_WAIT_S", 0.5)
    never = threading.Event()

    async def drip() -> AsyncIterator[bytes]:
        while not never.is_set():
            yield b"x"
            await asyncio.sleep(0.05)

    ends_as(tmp_path, lambda _: StreamingResponse(drip()), "down", "slow-reply")


def test_reply_that_swells_when_unpacked(tmp_path: Path) -> None:
    """A compressed reply is not unpacked at all: what arrives is not a batch."""
    bomb = gzip.compress(b"0" * 50_000_000)
    got: list[bytes] = []

    class Mirror(MemoryMirror):
        def receive(self, batch: bytes) -> None:
            got.append(batch)
            raise Refused("malformed-batch", "not a batch")

    bad = evil(tmp_path, lambda _: Response(bomb, headers={"content-encoding": "gzip"}))
    with pulling(Node(tmp_path, "fi"), bad.card(), Mirror()) as link:
        link.until_state("refused", "malformed-batch")
    bad.stop()
    assert got == [bomb]


def test_redirection_elsewhere(tmp_path: Path) -> None:
    ends_as(tmp_path, lambda _: RedirectResponse("https://127.0.0.1:9/x"), "refused", "odd-reply")


@pytest.mark.parametrize(
    "note", [b"", b"x", b"x\n-1\ny\n", b"x\n1e3\ny\n", b"\xff\n\xff\n\n", b"x\n" + b"9" * 19 + b"\ny\n"]
)
def test_checkpoint_that_is_none(tmp_path: Path, note: bytes) -> None:
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi")

    async def odd(_request: Request) -> Response:
        return Response(note)

    dk.start(Starlette(routes=[Route("/{path:path}", odd)]))
    with pulling(fi, dk.card(), MemoryMirror()) as link:
        link.until_state("refused", "odd-reply")
    dk.stop()


def test_wake_ups_without_news_are_paced(tmp_path: Path) -> None:
    """A partner that answers every wait at once does not make us ask without end."""
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi", ManualClock(SystemClock().now_us()))
    asked = 0
    enough = threading.Event()

    async def at_once(_request: Request) -> Response:
        nonlocal asked
        asked += 1
        if asked == 20:
            enough.set()
        return Response(b"x\n0\nroot\n\n")

    dk.start(Starlette(routes=[Route("/{path:path}", at_once)]))
    began_us = fi.wall.now_us()
    with pulling(fi, dk.card(), MemoryMirror()):
        assert enough.wait(PATIENCE_S)
    dk.stop()
    assert fi.wall.now_us() - began_us >= 17 * SECOND_US  # on a clock that moves only by our waiting


def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    node = Node(tmp_path, "dk")
    assert (node.folder / tls.KEY_FILE).stat().st_mode & 0o077 == 0
    assert isinstance(node.keys.request, Ed25519PrivateKey)
