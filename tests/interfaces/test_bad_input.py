"""What anybody may send to any of the ways in: refused clearly, memory bounded, and others are served.

Every attack is tried at every interface that it can be tried at. For what partners may do to the
exchange see `tests/attacks`; for feeds of positions `tests/feeds/test_poison.py`.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from samsyn.base import limits
from samsyn.base.clock import SystemClock
from samsyn.base.limits import MIB
from samsyn.desk import accounts
from samsyn.desk.imports import ImportSource
from samsyn.exchange.listen import serve
from samsyn.exchange.reader_certificates import readers_context
from samsyn.exchange.tls import client_context
from samsyn.formats import cot_out
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.home import home_app
from samsyn.interfaces.home_openapi import ALL
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.seen import Seens
from samsyn.interfaces.tak import TakServer
from samsyn.node.imports import Importing
from samsyn.node.servers import WEB
from tests.channels.nodes import draft
from tests.desk.test_imports import MITRE, OTHER, bundle, made
from tests.formats import tak_says
from tests.interfaces.conftest import PASSWORD
from tests.interfaces.readers import POLICY, Site
from tests.interfaces.test_tak import Client, of_type
from tests.interfaces.test_taxii import path

GIB = 1 << 30
GROWTH_BYTES = 128 * MIB  # what an attack may add to the process, its own sender included
SENDING_S = 15.0
EVERYBODY = """
[[rule]]
id = "warnings"
why = "Public warnings"
to = ["public"]
kinds = ["alert"]
when = { marking_max = "TLP:CLEAR" }
"""
HTTP = ("taxii", "ogc", "public", "map", "home")


class All:
    """One node with every way in: the readers' port, TAK, the picture."""

    def __init__(self, root: Path) -> None:
        self.site = Site(root, policy=POLICY + EVERYBODY, names=("gis", "cyber", "public"))
        stores = self.site.node.stores
        for _ in range(30):
            stores.pen.sign(draft("alert", exercise=False, marking="TLP:CLEAR"), by="t")
        self.site.node.tick()
        accounts.add_account(self.site.home.accounts, "otto", "Otto", "release", PASSWORD)
        accounts.add_account(self.site.home.accounts, "rita", "Rita", "administrator", PASSWORD)
        names = frozenset({"127.0.0.1"})
        app = home_app(self.site.node.desk, Sessions(self.site.home.accounts, SystemClock()), WEB, names)
        self.home = serve(app, "127.0.0.1", 0)
        self.home.start()
        self.tak = TakServer(
            self.site.node.desk.door.reader,
            stores.tokens,
            self.site.wall,
            Seens(Kept()),
            "127.0.0.1",
            0,
            readers_context(self.site.home.keys),
            node="dk",
            realm="actual",
            look_s=0.02,
        )
        self.tak.start()
        self.person = self._signed_in("otto")
        self.administrator = self._signed_in("rita")

    def _signed_in(self, user: str) -> httpx.Client:
        client = httpx.Client(base_url=f"http://{self.home.address}", headers={"x-samsyn": "1"})
        signed = client.post("/api/session", json={"user": user, "password": PASSWORD})
        assert signed.status_code == 200
        return client

    def close(self) -> None:
        self.person.close()
        self.administrator.close()
        self.tak.stop()
        self.home.stop()
        self.site.close()

    def target(self, way: str) -> str:
        return {
            "taxii": path(self.site, "cyber", "objects/"),
            "ogc": "/ogc/collections/alerts/items?limit=1000",
            "public": "/public/atom.xml",
            "map": "/map/baltic.pmtiles",
            "home": "/api/statements",
        }[way]

    def raw(self, way: str) -> socket.socket:
        """A line to an interface, before anything is said."""
        server = {"home": self.home, "tak": self.tak}.get(way, self.site.listener)
        host, _, port = server.address.rpartition(":")
        line = socket.create_connection((host, int(port)), timeout=20)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        return line

    def line(self, way: str) -> socket.socket:
        """The same, after a handshake where there is one."""
        if way == "home":
            return self.raw(way)
        context = client_context((self.site.home.keys / "tls.pem").read_text())
        return context.wrap_socket(self.raw(way), server_hostname="dk")

    def head(self, way: str, method: str, *lines: str, known: bool = True) -> bytes:
        said = [f"{method} {self.target(way)} HTTP/1.1", f"host: 127.0.0.1:{self.home.port}", *lines]
        if known and way == "home":
            cookies = "; ".join(f"{name}={value}" for name, value in self.person.cookies.items())
            said += [f"cookie: {cookies}", "x-samsyn: 1"]
        elif known:
            said.append(f"authorization: Bearer {self.site.tokens['cyber']}")
        return "\r\n".join([*said, "", ""]).encode()

    def served(self) -> None:
        """Every interface answers somebody else."""
        token = self.site.tokens["gis"]
        for way in ("taxii", "ogc", "public", "map"):
            target = self.target(way) if way != "taxii" else path(self.site, "gis", "objects/?limit=5")
            reply = self.site.get(target, token)
            assert reply.status_code == 200 and reply.content, way
        assert self.person.get("/api/statements").status_code == 200
        client = Client(self.tak.address)
        client.sign_in("gis", token)
        client.until(of_type(cot_out.VIEW_TYPE))
        client.socket.close()


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[All]:
    if not (WEB / "map").is_dir():
        pytest.skip("the page is not built: python hatch_build.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "READER_REQUESTS_PER_MINUTE", 100_000)
        found = All(tmp_path_factory.mktemp("all"))
        yield found
        found.close()


@contextlib.contextmanager
def bounded(growth_bytes: int = GROWTH_BYTES) -> Iterator[None]:
    """The most that this process held meanwhile is little more than what it held before."""
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): the most so far is forgotten
    before = _status_bytes("VmRSS")
    yield
    assert _status_bytes("VmHWM") - before < growth_bytes


def _status_bytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1_024 for line in lines if line.startswith(f"{name}:"))


def pour(line: socket.socket, piece: bytes) -> tuple[int, bytes]:
    """Send up to a gigabyte of pieces for as long as they are taken: how much went, and what came."""
    sent, reply, until = 0, b"", time.monotonic() + SENDING_S
    line.settimeout(0.2)
    with contextlib.suppress(OSError, ssl.SSLError):
        while sent < GIB and time.monotonic() < until:
            sent += line.send(piece)
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := line.recv(65_536):
            reply += data
    return sent, reply


@pytest.mark.parametrize("known", [True, False], ids=["reader", "stranger"])
@pytest.mark.parametrize("way", HTTP)
def test_a_gigabyte_of_body(everything: All, way: str, known: bool) -> None:
    with bounded(), everything.line(way) as line:
        lines = (f"content-length: {GIB}", "content-type: application/json")
        line.sendall(everything.head(way, "POST", *lines, known=known))
        sent, reply = pour(line, b"x" * 65_536)
        assert sent < 64 * MIB
        assert reply == b"" or reply.startswith(b"HTTP/1.1 4"), reply[:200]
        everything.served()


@pytest.mark.parametrize("known", [True, False], ids=["reader", "stranger"])
def test_a_gigabyte_for_tak(everything: All, known: bool) -> None:
    """One message without an end; and messages without an end that say nothing."""
    for begun, piece in (
        (tak_says.BEGUN, b"x" * 65_536),
        (b"", tak_says.PING.replace(b"t-x-c-t", b"a") * 500),
    ):
        with bounded(), everything.line("tak") as line:
            if known:
                token = everything.site.tokens["cyber"]
                line.sendall(f'<auth><cot username="cyber" password="{token}" uid="u"/></auth>'.encode())
            line.sendall(begun)
            sent, _ = pour(line, piece)
            assert sent < 64 * MIB or (known and not begun), (
                "a reader may talk, and nothing of it is kept"
            )
            everything.served()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_gigabyte_to_import(everything: All, packed: bool, tmp_path: Path) -> None:
    """A file of zeros; and a megabyte that unpacks to a gigabyte."""
    from click.testing import CliRunner

    from samsyn.cli import main

    file = tmp_path / ("big.json.gz" if packed else "big.json")
    if packed:
        blanks = gzip.compress(b" " * MIB, 9)
        file.write_bytes(gzip.compress(b'{"objects": [', 9) + blanks * 1_024)
    else:
        with file.open("wb") as out:
            out.write(b'{"objects": [')
            out.truncate(GIB)
    with bounded(limits.JSON_DOCUMENT_BYTES * 3):
        home = str(everything.site.home.root)
        run = ["import", "stix", "--home", home, str(file), "--source", "big", "--json"]
        done = CliRunner().invoke(main, run)
    assert "too-large" in done.output, done.output
    everything.served()


ACTS = [does for does in ALL if does.method in ("post", "put") and "{" not in does.path]
DEEP = b"[" * 10_000 + b"]" * 10_000
BODIES = {
    "ten-thousand-deep": b'{"a": %s}' % DEEP,
    "three-hundred-deep": b'{"a": %s}' % (b"[" * 300 + b"]" * 300),  # read by some, written by none
    "key-twice": b'{"user": "otto", "password": "x", "user": "otto"}',
    "no-text": b"\xff\xfe",
    "xml": b"<?xml version='1.0'?><a/>",
    "entities": tak_says.LAUGHS,
    "a-number": b"7",
    "not-finite": b'{"a": NaN}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_that_say_nothing(everything: All, body: bytes) -> None:
    """Readers are answered as if there were none; a person is told that it cannot be read."""
    for way in ("taxii", "ogc", "public", "map"):
        replies = set()
        for sent in (body, b""):
            lines = (
                f"content-length: {len(sent)}",
                "content-type: application/json",
                "connection: close",
            )
            with everything.line(way) as line:
                line.sendall(everything.head(way, "POST", *lines) + sent)
                reply = b""
                with contextlib.suppress(ssl.SSLError):
                    while data := line.recv(65_536):
                        reply += data
            replies.add(reply)
        assert len(replies) == 1 and replies.pop()[:12] in (b"HTTP/1.1 403", b"HTTP/1.1 405"), way
    said = {"content-type": "application/json"}
    for does in ACTS:
        may = everything.administrator if does.path.startswith("/api/settings/") else everything.person
        reply = may.request(does.method, does.path, content=body, headers=said)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "body"), does.path
    everything.served()


def test_media_types_that_are_not_spoken(everything: All) -> None:
    site, token = everything.site, everything.site.tokens["cyber"]
    taxii = everything.target("taxii")
    for accept in (
        "text/html",
        "application/taxii+json;version=2.0",
        "application/stix+json",
        "image/*",
    ):
        reply = site.get(taxii, token, accept=accept)
        assert reply.status_code == 406 and "2.1" in reply.text
    view = json.dumps({"name": "Sound", "address": "#5/55/15"}).encode()
    for kind in (
        "text/plain",
        "text/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ):
        reply = everything.person.post("/api/views/keep", content=view, headers={"content-type": kind})
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "body"), kind
    kept = everything.person.post("/api/views/keep", json=json.loads(view))
    assert kept.status_code == 200, "the same is taken where it says what it is"


@pytest.mark.parametrize("way", ["taxii", "tak"])
def test_half_a_handshake(everything: All, way: str) -> None:
    hello = bytes.fromhex("16030100c8010000c40303")  # the beginning of a ClientHello, and no more
    lines = [everything.raw(way) for _ in range(30)]
    for n, line in enumerate(lines):
        line.sendall(hello[: n % len(hello)])
    everything.served()
    for line in lines:
        line.close()


@pytest.mark.parametrize("way", HTTP)
def test_half_a_request(everything: All, way: str) -> None:
    with contextlib.ExitStack() as stack:
        for n in range(20):
            line = stack.enter_context(everything.line(way))
            line.sendall(everything.head(way, "POST", "content-length: 90")[: 30 * (n + 1)])
        everything.served()


@pytest.mark.parametrize("way", [*HTTP, "tak"])
def test_a_client_that_never_reads(everything: All, way: str) -> None:
    with bounded(), contextlib.ExitStack() as stack:
        for _ in range(8):
            line = stack.enter_context(everything.line(way))
            line.settimeout(0.2)
            if way == "tak":
                token = everything.site.tokens["cyber"]
                say = f'<auth><cot username="cyber" password="{token}" uid="u"/></auth>'.encode()
            else:
                say = everything.head(way, "GET")
            with contextlib.suppress(OSError, ssl.SSLError):
                for _ in range(40):  # and asks on
                    line.sendall(say)
                    say = tak_says.PING if way == "tak" else say
        everything.served()


@pytest.mark.parametrize("signed", [True, False], ids=["reader", "stranger"])
@pytest.mark.parametrize("said", ["LAUGHS", "FROM_A_FILE", "DOCTYPE", "DEEP", "TWICE", "NOT_XML"])
def test_xml_that_bites(everything: All, said: str, signed: bool) -> None:
    with bounded():
        client = Client(everything.tak.address)
        if signed:
            client.sign_in("cyber", everything.site.tokens["cyber"])
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            client.say(getattr(tak_says, said))
        assert client.ended() and b"passwd" not in client.held and b"root:" not in client.held
        everything.served()


@pytest.mark.parametrize(
    ("reason", "said", "name", "creators"),
    [
        ("ours", {"id": "OURS"}, "mitre", ()),
        ("ours", {"created_by_ref": "OURS"}, "mitre", ()),
        ("another-source", {"name": "Other words"}, "rival", ()),
        (
            "another-creator",
            {"modified": "2026-01-05T00:00:00.000Z", "created_by_ref": OTHER},
            "mitre",
            (),
        ),
        ("creator", {"id": made(9)["id"], "created_by_ref": OTHER}, "mitre", (MITRE,)),
    ],
)
def test_a_bundle_that_takes_another_s_name(
    everything: All, reason: str, said: dict[str, Any], name: str, creators: tuple[str, ...]
) -> None:
    """Ids that are ours or another's, a creator that is not the sender: and the reader's set stands."""
    from samsyn.formats import stix

    site = everything.site
    (ours,) = (one for one in stix.own_ids("dk") if one.startswith("identity"))
    said = {key: ours if value == "OURS" else value for key, value in said.items()}
    if said.get("id") == ours:
        said["type"] = "identity"

    def take(value: dict[str, Any], source: str, allowed: tuple[str, ...] = ()) -> Importing:
        told = ImportSource(name=source, format="stix", marking="TLP:RED", creators=frozenset(allowed))
        done = Importing(site.node.stores, "stix", told, by="t")
        done.document(bundle(value), "file", lambda _: None)
        site.node.tick()
        return done

    take(made(1), "mitre")
    before, stands = site.fetched("cyber"), _references(site)
    assert take(made(1, **said), name, creators).taken.refused == {reason: 1}
    assert site.fetched("cyber") == before and _references(site) == stands
    everything.served()


def _references(site: Site) -> list[tuple[str, int, bytes | None]]:
    page = site.node.stores.statements.page(limit=1_000)
    return [(one.jti, one.ver, one.body) for one in page if one.kind == "reference"]
