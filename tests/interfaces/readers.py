"""A node with two readers that have no node, served over real HTTPS, and clients for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter
from taxii2client.common import TokenAuth, _HTTPConnection
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from samsyn.base.clock import ManualClock
from samsyn.base.settings import Home
from samsyn.channels import batch
from samsyn.channels.leaf import Withdraw, read_leaf
from samsyn.exchange.listen import Listener, serve
from samsyn.exchange.reader_certificates import readers_context
from samsyn.exchange.tls import client_context
from samsyn.formats import stix
from samsyn.interfaces.neighbours import reader_routes
from samsyn.node import readers
from samsyn.node.homes import make_home
from samsyn.node.node import Node
from samsyn.node.servers import WEB
from samsyn.node.stores import Stores
from samsyn.statements.sign import parse
from tests.channels.nodes import NOW_US

POLICY = """
[[rule]]
id = "area-to-gis"
why = "map server of the coast watch"
to = ["gis"]
kinds = ["alert"]
place = "area"
time = "hour"
hide = ["author", "sources", "text"]

[[rule]]
id = "all-to-cyber"
why = "threat platform"
to = ["cyber"]
kinds = ["alert", "report"]
place = "exact"
time = "exact"
"""
NAMES = ("gis", "cyber")
MEDIA = "application/taxii+json;version=2.1"


class _AnyName(HTTPAdapter):
    """Our certificate has no address in it: it is pinned, as a partner would."""

    def init_poolmanager(self, *given: Any, **options: Any) -> None:
        super().init_poolmanager(*given, assert_hostname=False, **options)


class Site:
    """Node `dk` with readers `gis` and `cyber`; nothing moves but by `tick`."""

    def __init__(
        self, root: Path, realm: str = "actual", policy: str = POLICY, names: Sequence[str] = NAMES
    ) -> None:
        self.home: Home = make_home(
            root / "dk",
            name="dk",
            organisation="Coast Watch",
            realm=realm,  # type: ignore[arg-type]
            exchange_listen="127.0.0.1:9",
            policy=policy,
        )
        self.tokens = {n: readers.add(self.home, n, f"Unit {n}", by="t") for n in names}
        self.wall = ManualClock(NOW_US)
        self.open()

    def open(self) -> None:
        self.node = Node(Stores(self.home, wall=self.wall))
        self.listener = self._serve()

    def _serve(self, certificate: Path | None = None) -> Listener:
        stores = self.node.stores
        app = reader_routes(
            self.node.desk.door.reader,
            stores.tokens,
            self.wall,
            node="dk",
            organisation="Coast Watch",
            realm=stores.realm,
            kept=self.node.kept,
            web=WEB,
            refused=stores.refused.note,
        )
        listener = serve(app, "127.0.0.1", 0, readers_context(self.home.keys, certificate))
        listener.start()
        return listener

    def close(self) -> None:
        self.listener.stop()
        self.node.stores.close()

    @property
    def url(self) -> str:
        return f"https://{self.listener.address}"

    def again(self, certificate: Path | None = None) -> None:
        """Another process serves the same home: nothing that is held in memory is left."""
        self.listener.stop()
        self.listener = self._serve(certificate)

    def with_address(self) -> Path:
        """Serve with a certificate that names 127.0.0.1, as an operator's authority gives it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coast watch readers")])
        now = datetime.now(UTC)
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), 1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(address, critical=False)
            .sign(key, hashes.SHA256())
        )
        path = self.home.root / "readers.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(made.public_bytes(Encoding.PEM) + secret)
        self.again(path)
        return path

    def collection(self, name: str, way: str = "token") -> Collection:
        """As taxii2-client finds it from discovery on."""
        auth: dict[str, Any] = {"auth": TokenAuth(self.tokens[name])}
        if way == "basic":
            auth = {"user": name, "password": self.tokens[name]}
        connection = _HTTPConnection(verify=str(self.home.keys / "tls.pem"), version="2.1", **auth)
        connection.session.trust_env = False  # it would take the machine's own list of authorities
        connection.session.mount("https://", _AnyName())
        server = Server(f"{self.url}/taxii2/", conn=connection)
        (root,) = (ApiRoot(root.url, conn=connection) for root in server.api_roots)
        (found,) = root.collections
        return found

    def fetched(self, name: str, per_page: int = 100, **filters: Any) -> list[dict[str, Any]]:
        pages = as_pages(self.collection(name).get_objects, per_request=per_page, **filters)
        return [made for page in pages for made in page.get("objects", [])]

    def get(self, path: str, token: str = "", **headers: str) -> httpx.Response:
        with httpx.Client(
            verify=client_context((self.home.keys / "tls.pem").read_text()), timeout=60
        ) as client:
            more = {"authorization": f"Bearer {token}"} if token else {}
            return client.get(f"{self.url}{path}", headers={**more, **headers})

    def held(self, name: str) -> dict[str, tuple[str, int, dict[str, Any]]]:
        """What the reader's channel holds now, read as a partner would, by statement."""
        channel = self.node.desk.door.reader(name)
        assert channel is not None
        found: dict[str, tuple[str, int, dict[str, Any]]] = {}
        for entry in batch.decode(channel.entries(0)).entries:
            leaf = read_leaf(entry.leaf.encode())
            if isinstance(leaf, Withdraw):
                found.pop(leaf.id, None)
            elif entry.view is not None:
                said = parse(entry.view.encode())
                found[leaf.id] = said.iss, said.ver, dict(said.slots)
        return found


def told(objects: list[dict[str, Any]]) -> dict[str, tuple[str, int, dict[str, Any]]]:
    """What the standing reports among STIX objects say, by statement, as `Site.held`."""
    found = {}
    for made in objects:
        if made["type"] == "report" and not made.get("revoked"):
            ours = made["extensions"][stix.EXTENSION]
            slots = {one["slot"]: json.loads(one["json"]) for one in ours.get("slots", [])}
            assert ours["statement"] not in found
            found[ours["statement"]] = ours["originator"], ours["statement_version"], slots
    return found
