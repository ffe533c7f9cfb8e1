"""Cursor on Target over TLS: pytak, clients with a token and protocol 1, and those who misbehave."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from samsyn.base import limits
from samsyn.exchange.reader_certificates import readers_context
from samsyn.formats import cot_out
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.seen import Seens
from samsyn.interfaces.tak import TakServer
from samsyn.node import readers
from tests.channels.nodes import draft
from tests.formats import tak_says
from tests.interfaces.readers import Site


class Tak:
    """A site that serves TAK clients, too."""

    def __init__(self, root: Path) -> None:
        self.site = Site(root)
        issued = readers.certificate(self.site.home, "gis", "secret", by="t")
        self.pem = root / "gis.pem"
        self.pem.write_bytes(issued.certificate_pem + issued.key_pem)
        self.p12 = issued.p12
        stores = self.site.node.stores
        self.server = TakServer(
            self.site.node.desk.door.reader,
            stores.tokens,
            self.site.wall,
            Seens(Kept()),
            "127.0.0.1",
            0,
            readers_context(self.site.home.keys),
            node="dk",
            realm=stores.realm,
            refused=stores.refused.note,
            look_s=0.02,
        )
        self.server.start()

    def close(self) -> None:
        self.server.stop()
        self.site.close()

    def say(self, kind: str = "alert") -> str:
        jti = self.site.node.stores.pen.sign(draft(kind, exercise=False), by="t").jti
        self.site.node.tick()
        return jti

    def client(self, certificate: Path | None = None) -> Client:
        return Client(self.server.address, certificate)


class Client:
    """A TLS socket, and what came over it."""

    def __init__(self, address: str, certificate: Path | None = None) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate)
        host, _, port = address.rpartition(":")
        self.socket = context.wrap_socket(socket.create_connection((host, int(port)), 20))
        self.held = b""

    def say(self, message: bytes) -> None:
        self.socket.sendall(message)

    def sign_in(self, name: str, token: str) -> None:
        self.say(f'<auth><cot username="{name}" password="{token}" uid="u"/></auth>'.encode())

    def hear(self) -> ET.Element:
        """The next message."""
        while tak_says.END not in self.held:
            piece = self.socket.recv(4096)
            if not piece:
                raise EOFError
            self.held += piece
        message, _, self.held = self.held.partition(tak_says.END)
        return ET.fromstring(message + tak_says.END)

    def until(self, wanted: Callable[[ET.Element], bool]) -> ET.Element:
        while not wanted(found := self.hear()):
            pass
        return found

    def ended(self) -> bool:
        try:
            while self.socket.recv(4096):
                pass
        except (ConnectionError, ssl.SSLError):
            pass
        return True


def of_type(type_: str) -> Callable[[ET.Element], bool]:
    return lambda message: message.get("type") == type_


@pytest.fixture
def tak(tmp_path: Path) -> Iterator[Tak]:
    made = Tak(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("way", ["certificate", "token"])
def test_a_client_is_sent_its_channel_and_what_is_withdrawn(tak: Tak, way: str) -> None:
    first = tak.say()
    tak.say("report")  # not for gis
    client = tak.client(tak.pem if way == "certificate" else None)
    if way == "token":
        client.sign_in("gis", tak.site.tokens["gis"])
    assert client.hear().get("type") == "t-x-takp-v"
    told = client.until(of_type(cot_out.VIEW_TYPE))
    assert told.get("uid") == f"samsyn.dk.{first}"
    detail = told.find("detail/samsyn")
    assert detail is not None and detail.get("place") == "area"
    second = tak.say()
    assert client.until(of_type(cot_out.VIEW_TYPE)).get("uid") == f"samsyn.dk.{second}"
    tak.site.node.stores.pen.withdraw(first, purge=True, why="", by="t")
    tak.site.node.tick()
    link = client.until(of_type(cot_out.DELETED_TYPE)).find("detail/link")
    assert link is not None and link.get("uid") == f"samsyn.dk.{first}"
    client.say(tak_says.PING)
    assert client.until(of_type("t-x-c-t-r")).get("uid") == cot_out.PONG


def test_a_client_that_asks_for_it_is_sent_protocol_1(tak: Tak) -> None:
    client = tak.client(tak.pem)
    assert client.hear().get("type") == "t-x-takp-v"
    client.say(tak_says.ASKS_PROTOCOL_1)
    assert client.until(of_type("t-x-takp-r")) is not None
    jti = tak.say()
    while b"samsyn.dk" not in client.held:
        client.held += client.socket.recv(4096)
    assert tak_says.uid_of(client.held) == f"samsyn.dk.{jti}"


def test_pytak_receives_all_of_it_and_that_one_goes(tak: Tak) -> None:
    jtis = [tak.say() for _ in range(3)]
    tak.say("report")  # not for gis
    program = """
import asyncio, configparser, os, sys
import pytak

class Shows(pytak.QueueWorker):
    async def run(self, number_of_iterations=-1):
        while True:
            print((await self.queue.get()).decode(), flush=True)

async def main():
    config = configparser.ConfigParser()
    config["pytak"] = {
        "COT_URL": sys.argv[1],
        "PYTAK_TLS_CLIENT_CERT": sys.argv[2],
        "PYTAK_TLS_CLIENT_KEY": sys.argv[2],
        "PYTAK_TLS_DONT_VERIFY": "1",
        "PYTAK_TLS_DONT_CHECK_HOSTNAME": "1",
    }
    tool = pytak.CLITool(config["pytak"])
    await tool.setup()
    tool.add_task(Shows(tool.rx_queue, config["pytak"]))
    await tool.run()

asyncio.run(main())
"""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        program,
        f"tls://{tak.server.address}",
        str(tak.pem),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        assert client.stdout is not None
        stopper = threading.Timer(60, client.kill)
        stopper.start()
        try:
            heard = _messages(client.stdout)
            drawn: set[str] = set()
            while drawn != {f"samsyn.dk.{jti}" for jti in jtis}:
                message = next(heard)
                drawn |= {message.attrib["uid"]} if message.get("type") == cot_out.VIEW_TYPE else set()
            assert drawn == {f"samsyn.dk.{jti}" for jti in tak.site.held("gis")}
            tak.site.node.stores.pen.withdraw(jtis[1], purge=True, why="", by="t")
            tak.site.node.tick()
            while (message := next(heard)).get("type") != cot_out.DELETED_TYPE:
                pass
            link = message.find("detail/link")
            assert link is not None and link.get("uid") == f"samsyn.dk.{jtis[1]}"
        finally:
            stopper.cancel()
            client.kill()


def _messages(lines: IO[bytes]) -> Iterator[ET.Element]:
    """What pytak gives out, message by message; it ends with the program."""
    held = b""
    while line := lines.readline():
        held += line
        while tak_says.END in held:
            message, _, held = held.partition(tak_says.END)
            yield ET.fromstring(message.strip() + tak_says.END)


def test_the_file_for_a_client_opens_with_its_password(tak: Tak) -> None:
    key, certificate, authorities = pkcs12.load_key_and_certificates(tak.p12, b"secret")
    assert key is not None and certificate is not None and len(authorities) == 1


@pytest.mark.parametrize(
    "said",
    [
        b'<auth><cot username="gis" password="made-up" uid="u"/></auth>',
        b'<auth><cot username="cyber" password="made-up" uid="u"/></auth>',
        tak_says.PING + b'<auth><cot username="gis" password="" uid="u"/></auth>',
        tak_says.DOCTYPE,
        b"a" * (limits.COT_BYTES + 9),
        tak_says.NOT_XML,
    ],
    ids=["wrong", "not-its-own", "empty", "doctype", "too-long", "not-xml"],
)
def test_a_stranger_is_told_nothing(tak: Tak, said: bytes) -> None:
    tak.say()
    client = tak.client()
    try:
        client.say(said)
    except (ConnectionError, ssl.SSLError):
        return
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        client.hear()


def test_a_token_of_another_reader_is_not_taken_under_this_name(tak: Tak) -> None:
    client = tak.client()
    client.sign_in("gis", tak.site.tokens["cyber"])
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        client.hear()


def test_a_certificate_that_was_replaced_is_nobody_s(tak: Tak) -> None:
    assert tak.client(tak.pem).hear().get("type") == "t-x-takp-v"
    readers.certificate(tak.site.home, "gis", "x", by="t")
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        tak.client(tak.pem).hear()


def test_a_revoked_reader_is_let_go(tak: Tak) -> None:
    client = tak.client(tak.pem)
    assert client.hear().get("type") == "t-x-takp-v"
    readers.revoke(tak.site.home, "gis", by="t", why="lost")
    assert client.ended()


def test_half_a_handshake_and_a_client_that_never_reads_hold_up_nobody(tak: Tak) -> None:
    host, _, port = tak.server.address.rpartition(":")
    half = socket.create_connection((host, int(port)), 20)
    half.sendall(b"\x16\x03\x01\x02\x00")
    mute = tak.client(tak.pem)  # takes nothing
    jtis = {tak.say() for _ in range(20)}
    client = tak.client(tak.pem)
    found: set[Any] = set()
    while len(found) < len(jtis):
        told = client.hear()
        if told.get("type") == cot_out.VIEW_TYPE:
            found.add(str(told.get("uid")).removeprefix("samsyn.dk."))
    assert found == jtis
    half.close()
    mute.socket.close()
