"""A whole node as its partners reach it: real stores, door and exchange, in memory and on a set clock.

What a reader sees is a list of answers: status, headers and body of each request it made, and the
channel files it was brought. Nothing else of a node can be reached by a partner.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from unittest import mock

import httpx

from samsyn import channels
from samsyn.base.clock import MINUTE_US, SECOND_US, ManualClock
from samsyn.base.database import Database
from samsyn.base.errors import SamsynError
from samsyn.channels import Door, Outbox
from samsyn.channels.file import Header, export
from samsyn.channels.names import witness_name
from samsyn.desk import findings
from samsyn.desk.diary import Diary
from samsyn.desk.findings import FindingStore
from samsyn.exchange import tls
from samsyn.exchange.bell import Bell
from samsyn.exchange.card import Card, make_card
from samsyn.exchange.roster import Roster, Standing
from samsyn.exchange.serve import note_size, partner_routes
from samsyn.exchange.signing import Signer
from samsyn.log import store as log_store
from samsyn.log.store import LogStore
from samsyn.log.witness import cosign
from samsyn.observations.craft import DOMAIN_SEA
from samsyn.statements import store as statement_store
from samsyn.statements.statement import Statement
from samsyn.statements.store import StatementStore
from tests.channels.nodes import NOW_US
from tests.noninterference.pool import KEYS, pool
from tests.noninterference.rules import READERS, USUAL, Choice, policy
from tests.policy.tracks import batch, row

REALM = "exercise"
REQUESTS_PER_MINUTE = 12  # for these tests, so that one reader's can be used up within a history


class Answer(NamedTuple):
    """What came back. `status`: 0 for a channel file."""

    asked: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


FEEDS = {"roof": "TLP:AMBER", "radar": "TLP:RED"}
"""Markings of the node's own feeds; of any other nothing leaves."""


class Partners(Roster):
    """The shared cards; who is suspended is of one history alone, and not on disk."""

    def __init__(self, like: Roster) -> None:
        super().__init__(like.folder, "dk")
        self._known = like._known
        self.standings: dict[str, Standing] = {}

    def standing(self, name: str) -> Standing | None:
        return self.standings.get(name)

    def waiting(self) -> frozenset[str]:
        return frozenset(self.standings)


class Ground(NamedTuple):
    """What all histories share: the cards, and an empty store to begin from."""

    roster: Roster
    card: Card
    empty: Path


@cache
def ground() -> Ground:
    root = Path(tempfile.mkdtemp(prefix="samsyn-test-", dir=_memory()))
    certificates = {name: tls.generate(root / name, name, NOW_US) for name in KEYS}
    roster = Roster(root / "partners", me="dk")
    cards = {
        name: make_card(name, f"Organisation {name}", "127.0.0.1:1", KEYS[name], certificates[name])
        for name in KEYS
    }
    for name in READERS:
        roster.add(cards[name])
    empty = root / "empty.sqlite"
    _open(empty).close()
    return Ground(roster, cards["dk"], empty)


def _memory() -> str | None:
    """A folder in memory where the machine has one: these tests are about bytes, not about disks."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _open(path: Path) -> Database:
    return Database(path, statement_store.SCHEMA, log_store.SCHEMA, channels.SCHEMA, findings.SCHEMA)


@lru_cache(maxsize=20_000)
def signed_headers(
    who: str, target: str, method: str, body: bytes, now_s: int, _time: int
) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of a signed request, `_time`: which of several such in one history.

    Two nodes that know nothing of each other take the same request; one takes it once.
    """
    request = httpx.Request(method, f"https://node{target}", content=body or None)
    clock = ManualClock(now_s * SECOND_US)
    Signer(who, KEYS[who].request, REALM, clock).sign(request, ground().card, body)
    return tuple((name.lower(), value) for name, value in request.headers.raw)


class Here:
    """Instead of threads: what is given to it is done at once, so that a history costs little."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given))
        except Exception as e:  # noqa: BLE001  as an executor does: whoever waits gets it
            done.set_exception(e)
        return done

    def shutdown(self, **_: Any) -> None: ...


class World:
    """Node dk. `twins`: it says the twins of the pool's statements."""

    def __init__(self, *, twins: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=_memory())
        self._path = Path(self._folder.name, "dk.sqlite")
        shutil.copyfile(ground().empty, self._path)
        self._loop = _loop()
        self._twins = twins
        self.clock = ManualClock(NOW_US)
        self.partners = Partners(ground().roster)
        self.choice: Choice = USUAL
        self.policy_works = True
        self.seen: list[Answer] = []
        self._times: Counter[tuple[Any, ...]] = Counter()
        self._start()

    def _start(self) -> None:
        self.db = _open(self._path)
        self.statements = StatementStore(self.db)
        self.logs = LogStore(self.db)
        self.outbox = Outbox(self.db)
        self.findings = FindingStore(self.db)
        keys = KEYS["dk"]
        self.diary = Diary(self.db, self.logs, node="dk", realm=REALM, keys=keys, clock=self.clock)
        self.door = Door(
            self.db,
            self.statements,
            self.logs,
            node="dk",
            realm=REALM,
            keys=keys,
            clock=self.clock,
            tell=self.diary.released,
            waiting=self.partners.waiting,
        )
        self.door.frames.mark(FEEDS.get)
        self.decide_by(self.choice)
        self.bell = Bell()
        with mock.patch("samsyn.exchange.serve.ThreadPoolExecutor", Here):
            self.app = partner_routes(
                self.door.reader, self.partners, self.clock, ground().card, realm=REALM, bell=self.bell
            )
        self._life = self.app.router.lifespan_context(self.app)
        self._loop.run_until_complete(self._life.__aenter__())

    def _stop(self) -> None:
        self._loop.run_until_complete(self._life.__aexit__(None, None, None))
        self.db.close()

    def restart(self) -> None:
        self._stop()
        self._start()

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._folder.cleanup()

    # what the node's own people do

    def decide_by(self, choice: Choice, *, works: bool = True) -> None:
        """The policy in force from now on; `works` False: its file cannot be read."""
        self.choice, self.policy_works = choice, works
        log_keys = {name: KEYS[name].log.public_key() for name in READERS}
        self.door.set_policy(policy(choice) if works else None, log_keys)

    def version(self, n: int, ver: int) -> Statement:
        said = pool()[n]
        return (said.twins if self._twins else said.versions)[ver - 1]

    def say(self, n: int, ver: int) -> None:
        statement = self.version(n, ver)
        with self.db.write():
            self.statements.put(statement, None, self.clock.now_us())
            self.outbox.put("release", statement.jti, ver)

    def tick(self) -> None:
        """As the node does: decide, write, and wake those who wait where anything was written."""
        if self.door.tick().entries:
            self.bell.ring()
        if self.door.frames.cut():
            self.bell.ring()

    def hear(self, feed: str, craft: int, where: tuple[float, float]) -> None:
        """A feed hears of a craft; a twin of it is elsewhere in the cell, of another name and speed."""
        twin = 1 if self._twins else 0
        said = row(
            craft,
            where[0] + twin * 0.001,
            where[1] + twin * 0.001,
            time_us=self.clock.now_us() - 3 * SECOND_US - twin * 100_000,
            speed_kn=7.25 + twin,
            **({"name": ("SALLY", "A LONG NAME OF HERS")[twin]} if craft >> 32 == DOMAIN_SEA else {}),
        )
        self.door.frames.take(batch(said, feed=feed))

    # what partners do

    def ask(
        self, who: str, target: str, method: str = "GET", body: bytes = b"", *, signed: bool = True
    ) -> Answer:
        return self._loop.run_until_complete(self.asking(who, target, method, body, signed=signed))

    async def asking(
        self, who: str, target: str, method: str = "GET", body: bytes = b"", *, signed: bool = True
    ) -> Answer:
        if signed:
            key = (who, target, method, body, self.clock.now_us() // SECOND_US)
            self._times[key] += 1
            headers = signed_headers(*key, self._times[key])
        else:
            headers = ((b"host", b"node"),)
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": list(headers),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return Answer(
            f"{method} {target}",
            sent[0]["status"],
            tuple((bytes(k), bytes(v)) for k, v in sent[0]["headers"]),
            b"".join(message.get("body", b"") for message in sent[1:]),
        )

    def size_seen_by(self, who: str) -> int:
        """As its checkpoint tells the reader."""
        channel = self.door.reader(who)
        return note_size(channel.checkpoint()) if channel else 0

    def cosigned(self, who: str, name: str = "") -> bytes:
        """The head of a reader's channel with the cosignature of `name`."""
        channel, name = self.door.reader(who), name or who
        at_s = self.clock.now_us() // SECOND_US
        return (
            cosign(channel.checkpoint(), witness_name(name), KEYS[name].log, at_s) if channel else b"\n"
        )

    # what one reader looks at

    def look(self, who: str, target: str, method: str = "GET", body: bytes = b"") -> None:
        self.seen.append(self.ask(who, target, method, body))

    def follow(self, who: str) -> None:
        """What a partner's node asks in every round."""
        size = self.size_seen_by(who)
        self.look(who, f"/exchange/live?after={size + 1}")
        self.look(who, f"/exchange/entries?after={max(0, size - 2)}&limit=1000")
        self.look(who, "/exchange/frame?after=0")

    def look_at_everything(self, who: str) -> None:
        """Every question that this reader can put, and every channel file it can be brought."""
        size = self.size_seen_by(who)
        targets = ["/exchange/checkpoint", f"/exchange/live?after={size + 7}"]
        targets.append(f"/exchange/frame?after={self.clock.now_us()}")
        for after in range(size + 2):
            targets += [f"/exchange/entries?after={after}&limit={n}" for n in _limits(after, size)]
        for n, target in enumerate(targets):
            if n % REQUESTS_PER_MINUTE == 0:
                self.clock.advance(MINUTE_US)
            self.look(who, target)
        for said in pool():  # ids that it may have heard of elsewhere
            self.seen.append(self.ask(who, f"/exchange/statements/{said.jti}", signed=False))
        self.look_at_files(who, size)

    def look_at_files(self, who: str, size: int) -> None:
        channel = self.door.reader(who)
        for since in range(size + 2) if channel else ():
            file = BytesIO()
            try:
                export(channel, Header("dk", REALM, who), since, file)
            except SamsynError as e:
                file.write(repr(e).encode())
            self.seen.append(Answer(f"file since {since}", 0, (), file.getvalue()))


def _limits(after: int, size: int) -> Sequence[int]:
    """All of it, and where there is more left than that, two."""
    return (2, 1000) if size - after > 2 else (1000,)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()
