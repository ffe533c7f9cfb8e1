"""What a reader without a node can ask of all interfaces, and what it gets: TAXII, OGC, public, TAK.

The app is the node's own, asked in memory; of a TAK client the messages that it would be sent. A reader
asks for every id that it ever saw, and for those of all that may be said. The others read first, and
ask for what they saw: how much that is hangs on what the reader may not have.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import quote

import pytest

from samsyn.formats.stix_profiles import PROFILES, Profile
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.neighbours import reader_routes
from samsyn.interfaces.readers import Readers
from samsyn.interfaces.seen import Seens
from samsyn.interfaces.tak import TakServer, _Client
from samsyn.interfaces.taxii import collection_id
from tests.noninterference.acts import play
from tests.noninterference.histories import Pair
from tests.noninterference.pool import pool
from tests.noninterference.rules import READERS
from tests.noninterference.world import REALM, Here, World

ROOM_BYTES = 40_000  # so that what is kept for one reader drives out another's
REQUESTS = 400  # a minute: a look takes up to twice that, so that some are too many
OTHERS_IDS = 6  # that another reader asks for at once
UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Told(NamedTuple):
    """What came back: of HTTP a whole reply, of TAK one message (status 0)."""

    asked: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@cache
def tokens(profile: Profile) -> tuple[Readers, dict[str, str]]:
    made = Readers(Path(mkdtemp(prefix="samsyn-test-"), "readers.toml"))
    return made, {name: made.add(name, name, "2026-11-21T00:00:00Z", profile) for name in READERS}


class Neighbours:
    """All interfaces of one history's node. `everybody`: the reader who is the public."""

    def __init__(self, world: World, everybody: str, profile: Profile) -> None:
        self.world, self.everybody = world, everybody
        self.readers, self.tokens = tokens(profile)
        self.kept = Kept(ROOM_BYTES)
        given: dict[str, Any] = {"node": "dk", "realm": REALM}
        with mock.patch("samsyn.interfaces.port.ThreadPoolExecutor", Here):
            self.app = reader_routes(
                self._channel,
                self.readers,
                world.clock,
                organisation="Coast",
                kept=self.kept,
                **given,
            )
        where: tuple[Any, ...] = ("127.0.0.1", 0, None)
        seens = Seens(self.kept)
        self.tak = TakServer(self._channel, self.readers, world.clock, seens, *where, **given)
        self.clients = {name: _Client(self.tak, name, None) for name in READERS}  # type: ignore[arg-type]
        self.ids: dict[str, dict[bytes, None]] = {name: {} for name in READERS}

    def _channel(self, name: str) -> Any:
        return self.world.door.reader(name)

    def ask(self, who: str, target: str, method: str = "GET", accept: str = "", token: str = "") -> Told:
        path, _, query = target.partition("?")
        headers = [
            (b"host", b"dk:1"),
            (b"authorization", f"Bearer {token or self.tokens[who]}".encode()),
        ]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": quote(query, safe="=&[]:,/.").encode(),
            "headers": [*headers, *([(b"accept", accept.encode())] if accept else [])],
            "scheme": "https",
            "server": ("dk", 1),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        self.world._loop.run_until_complete(self.app(scope, receive, send))
        body = b"".join(message.get("body", b"") for message in sent[1:])
        asked = f"{method} {target} {accept}"
        return Told(asked, sent[0]["status"], tuple(map(tuple, sent[0]["headers"])), body)

    def tick(self) -> None:
        report = self.world.door.tick()
        if report.ended:
            self.kept.forget(report.ended)
        self.world.door.frames.cut()

    def others(self, x: str) -> None:
        """The others read all that they have, and what is kept of it is kept for them."""
        for who in sorted(READERS):
            if who == x:
                continue
            collection = collection_id("dk", REALM, who)
            found = [self.ask(who, f"/api/collections/{collection}/objects/")]
            for name in ("alerts", "reports", "tracks"):
                found.append(self.ask(who, f"/ogc/collections/{name}/items?limit=1000"))
            for one in self._ids_in(found)[:OTHERS_IDS]:
                self.ask(who, f"/ogc/collections/alerts/items/{one}")
            self.clients[who]._new()

    def everything(self, x: str) -> list[Told]:
        """What the reader gets of each interface. It is the public as well."""
        found = [self.ask(x, target) for target in [*OGC, *PUBLIC, *self._taxii(x), *STRANGE]]
        found += [self.ask(x, target, accept="text/html") for target in OGC[:9]]
        found += [self.ask(x, target, method) for target in OGC[:6] for method in ("HEAD", "POST")]
        found += [self.ask(x, target, token="made up") for target in (*OGC[:3], *self._taxii(x)[:2])]
        for one in self._ids_in(found):
            self.ids[x].setdefault(one.encode())
        names = [one.decode() for one in self.ids[x]] + [said.jti for said in pool()]
        for one in names:
            found += [self.ask(x, f"/ogc/collections/{c}/items/{one}") for c in ("alerts", "reports")]
            found.append(self.ask(x, f"/public/cap/{one}"))
        return found + self._streams(x)

    def _streams(self, x: str) -> list[Told]:
        """Of a client that stays, and of one that comes now."""
        new = _Client(self.tak, x, None)  # type: ignore[arg-type]
        both = [client._new() for client in (self.clients[x], new)]
        return [
            Told(f"tak {n}", 0, (), message)
            for n, messages in enumerate(both)
            for message in ([b"let go"] if messages is None else messages)
        ]

    def _taxii(self, who: str) -> list[str]:
        base = f"/api/collections/{collection_id('dk', REALM, who)}/"
        return ["/taxii2/", "/api/", base, f"{base}manifest/", f"{base}objects/?limit=1000"]

    @staticmethod
    def _ids_in(found: list[Told]) -> list[str]:
        return list(dict.fromkeys(i.decode() for told in found for i in UUID.findall(told.body)))


_ITEMS = [f"/ogc/collections/{name}/items" for name in ("alerts", "reports", "tracks")]
_BOXES = ("15,54,16,56", "-30,40,-10,60", "0,0,1,1")
_TIMES = ("2026-11-21T19:30:00Z", "2026-11-22T00:00:00Z/..")
_PLACES = (0, 1, 2, 5, 1 << 20, 3 << 20)  # the last two: of frames of tracks
OGC = [
    *("/ogc/", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/collections/alerts", "/ogc/no"),
    *[f"{items}?limit=1000" for items in _ITEMS],
    *[f"{items}?limit=1" for items in _ITEMS],
    *[f"{items}?limit=2&at={at}" for items in _ITEMS for at in _PLACES],
    *[f"{items}?limit=5&bbox={box}" for items in _ITEMS for box in _BOXES],
    *[f"{items}?limit=5&datetime={at}" for items in _ITEMS for at in _TIMES],
    *[f"{items}?colour=red" for items in _ITEMS],
]
PUBLIC = ["/public/atom.xml", "/public/calendar.ics", "/public/cap/x", "/public/"]
STRANGE = ["/", "/exchange/checkpoint", f"/api/collections/{collection_id('dk', REALM, 'se')}/"]


def seen(drawn: Pair, b: bool, profile: Profile, *, twins: bool = False) -> list[Told]:
    """Everything that the pair's reader gets in one of the two histories."""
    found: list[Told] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("samsyn.base.limits.READER_REQUESTS_PER_MINUTE", REQUESTS)
        # the reader is the public, too; most of what is said is marked so
        patch.setattr("samsyn.interfaces.port.EVERYBODY", drawn.x)
        patch.setattr("samsyn.interfaces.public.CLEAR", "TLP:AMBER")
        with World(twins=twins) as world:
            neighbours = Neighbours(world, drawn.x, profile)
            for step in drawn.steps:
                world.clock.advance(step.wait_us)
                for doing in step.doings:
                    if doing.in_b if b else doing.in_a:
                        play(world, doing.act)
                neighbours.tick()
                neighbours.others(drawn.x)
                found += neighbours.everything(drawn.x)
    return found


def profile_of(seed: int) -> Profile:
    return PROFILES[seed % len(PROFILES)]


def same(drawn: Pair, profile: Profile) -> bool:
    return seen(drawn, False, profile) == seen(drawn, True, profile)


def opaque(found: list[Told]) -> list[Told]:
    """With ids, which hang on the view's hash and so on fresh salts, by the order in which they come."""
    names: dict[bytes, bytes] = {}

    def name(match: re.Match[bytes]) -> bytes:
        return names.setdefault(match[0], b"id %d" % len(names))

    return [
        told._replace(asked=UUID.sub(name, told.asked.encode()).decode(), body=UUID.sub(name, told.body))
        for told in found
    ]
