"""Small nodes for the exchange's tests: real TLS on loopback, real signatures, channels in memory."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base.clock import Clock, SystemClock
from samsyn.base.errors import Refused
from samsyn.exchange import tls
from samsyn.exchange.bell import Bell
from samsyn.exchange.card import Card, make_card
from samsyn.exchange.listen import Listener, serve
from samsyn.exchange.pull import Puller
from samsyn.exchange.roster import Roster
from samsyn.exchange.serve import partner_routes
from samsyn.exchange.signing import Signer

REALM = "exercise"
PATIENCE_S = 60.0


@dataclass
class Keys:
    statement: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    log: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    request: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)


class MemoryChannel:
    """Entries are texts; a checkpoint has the right lines and no signature."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kept: list[str] = []
        self.cosigned: list[bytes] = []
        self.newest = b""

    def frame(self) -> bytes:
        return self.newest

    def checkpoint(self) -> bytes:
        return f"samsyn.dk/{REALM}/{self.name}\n{len(self.kept)}\nroot\n\n".encode()

    def entries(self, after: int, limit: int) -> bytes:
        if after > len(self.kept):
            raise Refused("no-such-entry", "there are not so many")
        return json.dumps({"after": after, "kept": self.kept[after : after + limit]}).encode()

    def cosign(self, note: bytes) -> None:
        if not note.startswith(b"cosigned "):
            raise Refused("forged-cosignature", "not a cosignature")
        self.cosigned.append(note)


class MemoryMirror:
    """Takes what a MemoryChannel gives; refuses a batch with an entry that begins with "!"."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.batches = 0

    @property
    def size(self) -> int:
        return len(self.kept)

    def receive(self, batch: bytes) -> None:
        self.batches += 1
        new = json.loads(batch)["kept"]
        for entry in new:
            if entry.startswith("!"):
                raise Refused(entry[1:], "as the test asked")
        self.kept += new

    def cosigned(self) -> bytes | None:
        return f"cosigned {self.size}".encode()


class Node:
    """A node that serves a channel to each name in `channels`."""

    def __init__(self, root: Path, name: str, wall: Clock | None = None) -> None:
        self.name = name
        self.folder = root / name
        self.keys = Keys()
        self.wall = wall or SystemClock()
        self.certificate = tls.generate(self.folder, name, SystemClock().now_us())
        self.roster = Roster(self.folder / "partners", me=name)
        self.channels: dict[str, MemoryChannel] = {}
        self.bell = Bell()
        self.listener: Listener | None = None
        self._confirmed = threading.Condition()

    def card(self, address: str = "") -> Card:
        at = address or (self.listener.address if self.listener else "127.0.0.1:1")
        return make_card(self.name, f"The {self.name} organisation", at, self.keys, self.certificate)

    def app(self) -> Any:
        return partner_routes(
            self.channels.get,
            self.roster,
            self.wall,
            self.card(),
            realm=REALM,
            bell=self.bell,
            cosigned=self._note_confirmed,
        )

    def _note_confirmed(self) -> None:
        with self._confirmed:
            self._confirmed.notify_all()

    def until_confirmed(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds`, looked at after each cosignature that was taken."""
        with self._confirmed:
            assert self._confirmed.wait_for(holds, PATIENCE_S)

    def start(self, app: Any = None, port: int = 0) -> None:
        context = tls.server_context(self.folder)
        self.listener = serve(
            app or self.app(), "127.0.0.1", port, context, on_stop=lambda: self.bell.close()
        )
        self.listener.start()

    def stop(self) -> None:
        if self.listener is not None:
            self.listener.stop()

    def knows(self, partner: Node) -> MemoryChannel:
        self.roster.add(partner.card())
        return self.channels.setdefault(partner.name, MemoryChannel(partner.name))

    def client(self, to: Card) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://{to.address}",
            verify=tls.client_context(to.certificate),
            trust_env=False,
            timeout=PATIENCE_S,
        )

    def request(self, to: Card, method: str, path: str, body: bytes = b"") -> httpx.Request:
        """A signed request of this node."""
        made = httpx.Request(method, f"https://{to.address}{path}", content=body or None)
        Signer(self.name, self.keys.request, REALM, self.wall).sign(made, to, body)
        return made

    def ask(self, to: Card, method: str, path: str, body: bytes = b"") -> httpx.Response:
        with self.client(to) as client:
            return client.send(self.request(to, method, path, body))


class Pulling:
    """A puller in its thread, and a way to wait for what it does."""

    def __init__(self, node: Node, card: Card, mirror: Any) -> None:
        self._stop = threading.Event()
        self._news = threading.Condition()
        self.puller = Puller(
            card,
            mirror,
            me=node.name,
            request_key=node.keys.request,
            realm=REALM,
            wall=node.wall,
            jitter=random.Random(1),
            changed=self._changed,
        )
        self.thread = threading.Thread(target=self.puller.run, args=(self._stop,), daemon=True)

    def _changed(self) -> None:
        with self._news:
            self._news.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(holds, PATIENCE_S), self.puller.state()

    def until_state(self, state: str, reason: str | None = None) -> None:
        self.until(
            lambda: (
                self.puller.state().state == state
                and (reason is None or self.puller.state().refused_reason == reason)
            )
        )

    def stop(self) -> None:
        self._stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@contextmanager
def pulling(node: Node, card: Card, mirror: Any) -> Iterator[Pulling]:
    made = Pulling(node, card, mirror)
    made.thread.start()
    try:
        yield made
    finally:
        made.stop()
