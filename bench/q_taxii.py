"""How fast do others' STIX objects come in, go out to a reader, and how long does a page take?

Ours is a whole node's work: the ATT&CK bundle is read, checked, signed, decided for ten readers and
durable. The peers get the same objects in envelopes of a thousand and keep them, medallion in memory
(what else it has is MongoDB, for a server of its own), OpenTAXII in SQLite. All serve on loopback, ours
with TLS. Of peers it is the time that their server works that counts, if that is less than what passes:
nothing else that the machine does makes them slower; ours is what passes, the best of some tries.

What a listing costs medallion grows with the square of what it holds: it is read with a thousand
objects, which is to its advantage. With all of them a full sync took 33 minutes, and a first page by
the time of adding had not come after ten.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
from requests.adapters import HTTPAdapter
from rich.console import Console
from taxii2client.common import TokenAuth, _HTTPConnection
from taxii2client.v21 import Collection, as_pages

from bench.measure import ROOT, TRIES, NoCorpus, Row, corpus
from samsyn.base import limits
from samsyn.base.clock import SystemClock
from samsyn.base.settings import Home
from samsyn.desk.imports import ImportSource
from samsyn.exchange.listen import serve
from samsyn.exchange.tls import client_context, server_context
from samsyn.interfaces.neighbours import reader_routes
from samsyn.interfaces.taxii import collection_id
from samsyn.node import readers
from samsyn.node.homes import make_home
from samsyn.node.imports import Importing
from samsyn.node.node import Node
from samsyn.node.stores import Stores

FILE = "stix/enterprise-attack-from-mitre-cti.json.gz"
SCREEN = Console()
NAMES = tuple(f"r{n}" for n in range(10))
POLICY = "".join(
    f'[[rule]]\nid = "{n}"\nwhy = "bench"\nto = ["{n}"]\nkinds = ["reference"]\n'
    'place = "exact"\ntime = "exact"\n\n'
    for n in NAMES
)
MEDIA = "application/taxii+json;version=2.1"
ENVELOPE = 1_000
PEERS = ("opentaxii", "medallion")
PAGES = 120
PAGES_OF_PEERS = 12  # some take ten seconds for one
READ_OF_MEDALLION = 1_000
PYTHON = Path(os.environ.get("SAMSYN_PEERS_STIX", ROOT / ".venv-peers-stix")) / "bin" / "python"


class Read(NamedTuple):
    """Objects a second of a full sync of so many, and milliseconds of a page of a hundred."""

    count: int
    sync: float
    page_p50_ms: float
    page_p95_ms: float


class Figures(NamedTuple):
    """Objects a second, and how they are read."""

    ingest: float
    read: Read


class _AnyName(HTTPAdapter):
    def init_poolmanager(self, *given: Any, **options: Any) -> None:
        super().init_poolmanager(*given, assert_hostname=False, **options)


def rows() -> Iterable[Row]:
    data = gzip.decompress(corpus(FILE).read_bytes())
    if not PYTHON.exists():
        raise NoCorpus("the peers are not here: make peers-stix")
    objects = json.loads(data)["objects"]
    # OpenTAXII takes no object without `modified`: the one marking definition stays behind
    whole = [o for o in objects if "modified" in o]
    peers = {who: peer(who, whole) for who in PEERS}
    # in a process of its own, as each of them has
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        ours = alone.submit(own, data, len(objects)).result()
    yield Row("ingest", ours.ingest, "objects/s", "ATT&CK, 10 readers")
    for who, theirs in peers.items():
        said = f"ATT&CK, {len(whole):,} objects"
        yield Row("ingest", theirs.ingest, "objects/s", said, who, ours.ingest / theirs.ingest)
    yield Row("full sync, taxii2-client", ours.read.sync, "objects/s", "ATT&CK, TLS")
    for who, theirs in peers.items():
        said = f"ATT&CK, {theirs.read.count:,} objects"
        ratio = ours.read.sync / theirs.read.sync
        yield Row("full sync, taxii2-client", theirs.read.sync, "objects/s", said, who, ratio)
    for figure in ("p50", "p95"):
        name = f"page of 100, {figure}"
        mine = getattr(ours.read, f"page_{figure}_ms")
        yield Row(name, mine, "ms", "ATT&CK, TLS")
        for who, theirs in peers.items():
            said = f"ATT&CK, {theirs.read.count:,} objects"
            value = getattr(theirs.read, f"page_{figure}_ms")
            yield Row(name, value, "ms", said, who, value / mine)


def own(data: bytes, count: int) -> Figures:
    """Each figure the best of some tries: other programs can only make it worse."""
    limits.READER_REQUESTS_PER_MINUTE = 1_000_000  # type: ignore[misc]  # one client asks like many
    best = 0.0
    for n in range(TRIES):
        with tempfile.TemporaryDirectory() as folder:
            home, tokens = _home(Path(folder))
            with Stores(home) as stores:
                node = Node(stores, picture=False)
                begin = time.perf_counter()
                source = ImportSource(name="mitre", format="stix", marking="TLP:CLEAR")
                done = Importing(stores, "stix", source, by="bench")
                done.document(data, FILE, lambda _: None)
                node.tick()
                best = max(best, count / (time.perf_counter() - begin))
                assert done.taken.objects["new"] == count and not stores.outbox.waiting()
                if n == TRIES - 1:
                    return Figures(best, _read_own(node, home, tokens, count))
    raise AssertionError


def _home(root: Path) -> tuple[Home, dict[str, str]]:
    home = make_home(
        root / "dk",
        name="dk",
        organisation="Bench",
        realm="actual",
        exchange_listen="127.0.0.1:9",
        policy=POLICY,
    )
    return home, {name: readers.add(home, name, name, by="bench") for name in NAMES}


def _read_own(node: Node, home: Home, tokens: dict[str, str], count: int) -> Read:
    app = reader_routes(
        node.desk.door.reader,
        node.stores.tokens,
        SystemClock(),
        node="dk",
        organisation="Bench",
        realm="actual",
        kept=node.kept,
    )
    listener = serve(app, "127.0.0.1", 0, server_context(home.keys))
    listener.start()
    # a client in this process would take turns with the server
    clients = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    try:
        base = f"https://{listener.address}/api/collections/"
        trust = str(home.keys / "tls.pem")
        urls = {name: f"{base}{collection_id('dk', 'actual', name)}/" for name in NAMES[:TRIES]}
        syncs = [clients.submit(_sync_own, u, tokens[n], trust, count).result() for n, u in urls.items()]
        pages = [clients.submit(_pages_own, u, tokens[n], trust).result() for n, u in urls.items()]
        return Read(count, max(syncs), *min(pages, key=lambda one: one[1]))
    finally:
        clients.shutdown()
        listener.stop()


def _sync_own(url: str, token: str, trust: str, count: int) -> float:
    connection = _HTTPConnection(verify=trust, version="2.1", auth=TokenAuth(token))
    connection.session.trust_env = False
    connection.session.mount("https://", _AnyName())
    return _sync(Collection(url, conn=connection), count)


def _pages_own(url: str, token: str, trust: str) -> tuple[float, float]:
    head = {"authorization": f"Bearer {token}"}
    return _pages(httpx.Client(verify=client_context(Path(trust).read_text()), headers=head), url, PAGES)


def _sync(collection: Collection, count: int) -> float:
    begin = time.perf_counter()
    return _fetch(collection, count) / (time.perf_counter() - begin)


def _fetch(collection: Collection, count: int) -> int:
    """How many objects came."""
    seen = {
        made["id"] + made.get("modified", "")
        for page in as_pages(collection.get_objects, per_request=ENVELOPE)
        for made in page.get("objects", [])
    }
    if len(seen) < count:  # a peer that loses some is as fast as with those that it gave
        SCREEN.print(f"{collection.url}: {len(seen)} of {count} objects came")
    return len(seen)


def _pages(client: httpx.Client, url: str, pages: int) -> tuple[float, float]:
    """p50 and p95 of pages of a hundred in milliseconds, each asked for by the time of adding."""
    took: list[float] = []
    query: dict[str, str] = {"limit": "100", "added_after": "2000-01-01T00:00:00.000000Z"}
    further = dict(query)
    for _ in range(pages):
        begin = time.perf_counter()
        reply = client.get(f"{url}objects/", params=further, headers={"accept": MEDIA}, timeout=3_600)
        reply.read()
        took.append((time.perf_counter() - begin) * 1_000)
        assert reply.status_code == httpx.codes.OK, reply.text[:200]
        further = {**query, **({"next": n} if (n := reply.json().get("next")) else {})}
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.95)]


def peer(name: str, objects: list[dict[str, Any]]) -> Figures:
    with _served(name) as (url, server):
        ingest = _give(name, url, server, objects)
        if name != "medallion":
            return Figures(ingest, _read(name, url, server, len(objects)))
    few = objects[:READ_OF_MEDALLION]
    with _served(name) as (url, server):
        _give(name, url, server, few)
        return Figures(ingest, _read(name, url, server, len(few)))


def _client(name: str) -> httpx.Client:
    user = ("bench", "bench") if name == "medallion" else None
    return httpx.Client(auth=user, headers={"accept": MEDIA, "content-type": MEDIA}, timeout=3_600)


def _give(name: str, url: str, server: psutil.Process, objects: list[dict[str, Any]]) -> float:
    """Post objects; returns how many a second were taken."""
    client = _client(name)
    envelopes = [
        json.dumps({"objects": objects[at : at + ENVELOPE]}) for at in range(0, len(objects), ENVELOPE)
    ]
    watch = _Watch(server)
    for envelope in envelopes:
        reply = client.post(f"{url}objects/", content=envelope)
        assert reply.status_code == httpx.codes.ACCEPTED, reply.text[:200]
    return len(objects) / watch.took_s()


def _read(name: str, url: str, server: psutil.Process, count: int) -> Read:
    user = {"user": "bench", "password": "bench"} if name == "medallion" else {}
    connection = _HTTPConnection(**user, verify=False, version="2.1")
    connection.session.trust_env = False
    watch = _Watch(server)
    seen = _fetch(Collection(url, conn=connection), count)
    return Read(count, seen / watch.took_s(), *_pages(_client(name), url, PAGES_OF_PEERS))


class _Watch:
    """How long a server of others took since: what passed, or if that is less, what it worked."""

    def __init__(self, server: psutil.Process) -> None:
        self._server = server
        self._begin = time.perf_counter(), self._worked_s()

    def _worked_s(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)

    def took_s(self) -> float:
        passed, worked = self._begin
        return min(time.perf_counter() - passed, self._worked_s() - worked)


@contextmanager
def _served(name: str) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("taxii_peers.py")
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [PYTHON, script, name, folder, str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert server.stdout is not None
            for said in server.stdout:
                if said.startswith('{"url"'):
                    break
            url = str(json.loads(said)["url"])
            _await(port)
            yield url, psutil.Process(server.pid)
        finally:
            server.terminate()
            server.wait(timeout=30)


def _await(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
