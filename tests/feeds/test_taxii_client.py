"""Reading another server's TAXII collection: whole, once, and whatever the server does."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from samsyn.base import limits
from samsyn.base.errors import ConfigError
from samsyn.desk.imports import ImportSource
from samsyn.exchange.listen import serve
from samsyn.feeds.taxii_client import TaxiiClient
from samsyn.node.homes import make_home
from samsyn.node.imports import Importing
from samsyn.node.stores import Stores
from tests.desk.test_imports import held, made

MEDIA = "application/taxii+json;version=2.1"
TERMS = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": "marking-definition--00000000-0000-4000-8000-00000000beef",
    "created": "2026-01-01T00:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": "Terms"},
}
Answer = Callable[[Request], Response]


class Server:
    """A TAXII server that pages by place, all added in one second; or does what it is told."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        self.with_next = True
        self.instead: Answer | None = None
        app = Starlette(routes=[Route("/stix/collections/one/objects/", self._answer)])
        self.listener = serve(app, "127.0.0.1", 0)
        self.listener.start()
        self.url = f"http://{self.listener.address}/stix/collections/one/"

    def _answer(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        self.heads.append(dict(request.headers))
        if self.instead is not None:
            return self.instead(request)
        found = list(enumerate(self.objects))
        if "match[type]" in query:
            found = [(n, o) for n, o in found if o["type"] == query["match[type]"]]
        begin = int(query.get("next", 0))
        found = [(n, o) for n, o in found if n >= begin]
        page, rest = found[:3], found[3:]
        told: dict[str, Any] = {"objects": [o for _, o in page]} if page else {}
        if rest:
            told |= {"more": True} | ({"next": str(rest[0][0])} if self.with_next else {})
        head = {"x-taxii-date-added-last": "2026-01-01T00:00:05.000000Z"} if page else {}
        return Response(json.dumps(told), media_type=MEDIA, headers=head)


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.listener.stop()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    home = make_home(
        tmp_path / "dk", name="dk", organisation="C", realm="actual", exchange_listen="127.0.0.1:9"
    )
    found = Stores(home)
    yield found
    found.close()


def read(stores: Stores, url: str, **said: Any) -> tuple[bool, Importing]:
    importing = Importing(
        stores, "taxii", ImportSource(name="isac", format="stix", marking="TLP:GREEN"), by="t"
    )
    client = TaxiiClient(url, **said)
    try:
        return importing.collection(client, lambda _: None), importing
    finally:
        client.close()


def test_all_of_it_comes_once(server: Server, stores: Stores) -> None:
    """The terms stand last, and everything before them refers to them."""
    refs = {"object_marking_refs": [TERMS["id"]]}
    server.objects = [*(made(n, **refs) for n in range(8)), TERMS]
    good, done = read(stores, server.url, secret="token-1")
    assert good and held(stores) == {o["id"]: o for o in server.objects}
    assert {s.marking for s in stores.statements.page()} == {"TLP:GREEN"}
    assert {head["authorization"] for head in server.heads} == {"Bearer token-1"}
    assert {head["accept"] for head in server.heads} == {MEDIA}
    server.asked.clear()
    server.objects.append(made(20))
    good, done = read(stores, server.url, user="dk", secret="word")
    assert good and done.taken.objects["new"] == 1 and held(stores).keys() >= {made(20)["id"]}
    assert {q["added_after"] for q in server.asked if "match[type]" not in q} == {"2026-01-01T00:00:04Z"}
    assert server.heads[-1]["authorization"].startswith("Basic ")


def broken(kind: str, server: Server) -> Answer:
    def endless() -> Iterator[bytes]:
        yield b'{"objects": ["'
        while True:
            yield b"x" * 65_536

    def say(body: bytes, **more: Any) -> Response:
        return Response(body, **{"media_type": MEDIA, **more})

    return {
        "status": lambda _: say(b"{}", status_code=500),
        "media-type": lambda _: say(b"<html>", media_type="text/html"),
        "no-json": lambda _: say(b"{"),
        "deep": lambda _: say(b'{"objects":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        "key-twice": lambda _: say(b'{"more":false,"more":true,"objects":[]}'),
        "more-without-next": lambda _: say(b'{"more":true,"objects":[]}'),
        "the-same-next": lambda _: say(b'{"more":true,"next":"1","objects":[]}'),
        "redirect": lambda _: RedirectResponse("http://127.0.0.1:9/"),
        "endless": lambda _: StreamingResponse(endless(), media_type=MEDIA),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("status", "server"),
        ("media-type", "media-type"),
        ("no-json", "not-json"),
        ("deep", "too-deep"),
        ("key-twice", "key-twice"),
        ("more-without-next", "server"),
        ("the-same-next", "server"),
        ("redirect", "server"),
        ("endless", "too-large"),
    ],
)
def test_a_server_that_does_not_answer_well_is_told_of(
    server: Server, stores: Stores, kind: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JSON_DOCUMENT_BYTES", 2_000_000)
    server.instead = broken(kind, server)
    good, done = read(stores, server.url, secret="s")
    assert not good and done.taken.refused == {reason: 1} and not held(stores)
    assert len(server.asked) <= 2, "and it is not asked for ever"
    server.instead = None
    server.objects = [made(1)]
    good, done = read(stores, server.url)
    assert good and held(stores).keys() == {made(1)["id"]}


def test_more_without_next_goes_on_by_the_time(server: Server, stores: Stores) -> None:
    server.with_next = False
    server.objects = [made(n) for n in range(5)]
    good, done = read(stores, server.url)
    # this server has one time for all and gives the same page again: told, and what came is kept
    assert not good and done.taken.refused == {"server": 1} and len(held(stores)) == 3


def test_half_a_handshake_and_nobody_there(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECT_WAIT_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        good, done = read(stores, f"https://127.0.0.1:{port}/c/")
        assert not good and done.taken.refused == {"unreachable": 1}
    good, done = read(stores, f"https://127.0.0.1:{port}/c/")
    assert not good and done.taken.refused == {"unreachable": 1}


def test_a_secret_goes_nowhere_in_the_clear() -> None:
    for url in ("http://example.org/c/", "ftp://example.org/c/", "example.org", "http://"):
        with pytest.raises(ConfigError):
            TaxiiClient(url, secret="s")
