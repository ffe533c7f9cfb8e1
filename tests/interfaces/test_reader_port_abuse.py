"""What strangers and readers may do to the readers' port: refused clearly, and the others are served."""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from samsyn.base.limits import MIB
from samsyn.exchange.tls import client_context
from tests.interfaces.readers import MEDIA, Site, told
from tests.interfaces.test_taxii import path, say

WAIT_S = 20.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    for _ in range(60):
        say(made)
    made.node.tick()
    yield made
    made.close()


def raw(site: Site) -> socket.socket:
    host, _, port = site.listener.address.rpartition(":")
    found = socket.create_connection((host, int(port)), timeout=WAIT_S)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    return found


@contextlib.contextmanager
def secure(site: Site) -> Iterator[ssl.SSLSocket]:
    context = client_context((site.home.keys / "tls.pem").read_text())
    with context.wrap_socket(raw(site), server_hostname="dk") as found:
        yield found


def head(site: Site, target: str, *lines: str, method: str = "GET", token: str = "") -> bytes:
    said = [
        f"{method} {target} HTTP/1.1",
        "host: dk",
        *([f"authorization: Bearer {token}"] if token else []),
    ]
    return "\r\n".join([*said, *lines, "", ""]).encode()


def served(site: Site) -> None:
    reply = site.get(path(site, "cyber", "objects/?limit=5"), site.tokens["cyber"], accept=MEDIA)
    assert reply.status_code == 200 and len(reply.json()["objects"]) == 5


def memory_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


@pytest.mark.parametrize("known", [True, False], ids=["reader", "stranger"])
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "length"])
def test_a_body_of_a_gigabyte(site: Site, known: bool, chunked: bool) -> None:
    """Nothing of it is read: the answer is there long before it could all be sent."""
    before = memory_bytes()
    token = site.tokens["cyber"] if known else ""
    length = "transfer-encoding: chunked" if chunked else f"content-length: {1 << 30}"
    target = path(site, "cyber", "objects/")
    sent, piece = 0, b"x" * 65_536
    if chunked:
        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
    with secure(site) as line:
        line.sendall(head(site, target, length, f"content-type: {MEDIA}", method="POST", token=token))
        line.settimeout(0.2)
        reply = b""
        began = time.monotonic()
        while sent < 1 << 30 and time.monotonic() - began < WAIT_S:
            try:
                sent += line.send(piece)
            except (OSError, ssl.SSLError):
                break  # it is taken no further
        with contextlib.suppress(OSError, ssl.SSLError):
            while data := line.recv(65_536):
                reply += data
    assert sent < 64 * MIB
    assert reply == b"" or reply.startswith(b"HTTP/1.1 40"), reply[:200]
    assert memory_bytes() - before < 128 * MIB
    served(site)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"objects":[],"objects":[]}',
        b"\xff\xfe",
        b"<?xml version='1.0'?>",
    ],
    ids=["ten-thousand-deep", "key-twice", "no-text", "xml"],
)
def test_a_body_of_any_kind_changes_no_answer(site: Site, body: bytes) -> None:
    replies = set()
    for kind in (MEDIA, "text/html", "application/json"):
        for sent in (body, b""):
            with secure(site) as line:
                lines = (f"content-length: {len(sent)}", f"content-type: {kind}", "connection: close")
                request = head(
                    site,
                    path(site, "cyber", "objects/"),
                    *lines,
                    method="POST",
                    token=site.tokens["cyber"],
                )
                line.sendall(request + sent)
                reply = b""
                with contextlib.suppress(ssl.SSLError):
                    while data := line.recv(65_536):
                        reply += data
                replies.add(reply)
    assert len(replies) == 1 and replies.pop().startswith(b"HTTP/1.1 403 ")


def test_half_a_handshake_keeps_nobody_waiting(site: Site) -> None:
    hello = bytes.fromhex("16030100c8010000c40303")  # the beginning of a ClientHello, and no more
    lines = [raw(site) for _ in range(40)]
    try:
        for n, line in enumerate(lines):
            line.sendall(hello[: n % len(hello)])
        served(site)
        assert told(site.fetched("cyber")) == site.held("cyber")
    finally:
        for line in lines:
            line.close()


def test_a_client_that_never_reads_keeps_nobody_waiting(site: Site) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            line = stack.enter_context(secure(site))
            request = head(site, path(site, "cyber", "objects/"), token=site.tokens["cyber"])
            line.settimeout(0.2)
            with contextlib.suppress(OSError, ssl.SSLError):
                for _ in range(20):  # and asks on
                    line.sendall(request)
        for name in ("cyber", "gis"):
            assert told(site.fetched(name)) == site.held(name)


def test_no_http_at_all(site: Site) -> None:
    for words in (
        b"\x00" * 4_096,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    ):
        with contextlib.suppress(OSError, ssl.SSLError), secure(site) as line:
            line.sendall(words)
            assert line.recv(65_536)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 401")
    served(site)
