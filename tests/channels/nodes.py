"""A node's door and mirrors on a file in a temporary folder, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn import channels
from samsyn.base.clock import ManualClock, parse_iso
from samsyn.base.database import Database
from samsyn.channels import Door, Mirror, Outbox
from samsyn.log import store as log_store
from samsyn.log.store import LogStore
from samsyn.policy import Policy, load
from samsyn.statements import store as statement_store
from samsyn.statements.keys import NodeKeys
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft, Statement
from samsyn.statements.store import StatementStore
from samsyn.subjects import KINDS

NOW_US = parse_iso("2026-11-21T20:15:03.25Z")
LAT, LON = 55.123456, 15.654321

POLICY = """
[circles]
nordic = ["fi", "se"]
empty = []

[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }

[[rule]]
id = "all-to-se"
why = "Close partnership"
to = ["se"]
kinds = ["alert", "report"]
place = "exact"
time = "exact"

[[rule]]
id = "area-to-fi"
why = "Sea surveillance agreement, art. 3"
to = ["fi"]
kinds = ["alert", "report"]
when = { area = "baltic", marking_max = "TLP:AMBER" }
place = "area"
time = "hour"
hide = ["author", "sources", "text"]
"""


def new_keys() -> NodeKeys:
    return NodeKeys(*(Ed25519PrivateKey.generate() for _ in range(3)))


def alert_slots(**more: Any) -> dict[str, Any]:
    """An alert that has everything; body fields and others override by name."""
    slots: dict[str, Any] = {
        **place_ladder({"type": "Point", "coordinates": [LON, LAT]}),
        **time_ladder(NOW_US),
        "title": "Drift",
        "summary": "A vessel drifts",
        "text": "A vessel drifts, exact words",
        "confidence": "medium",
        "author": "Watch officer Holm",
        "sources": ["secret radar"],
        "body.detector": "drift",
        "body.craft": "mmsi:212123000",
        "body.state": "open",
        "body.start": "2026-11-21T19:59:59Z",
        "body.measured": {"speed_kn": 0.6125},
        "body.thresholds": {"speed_kn_min": 0.3},
        "body.evidence": [{"time_us": NOW_US, "lat": LAT, "lon": LON, "speed_kn": 0.6125}],
        "body.finding": "drift:mmsi:212123000:1795291199",
    }
    return {**slots, **more}


def draft(
    kind: str = "alert",
    *,
    marking: str = "TLP:AMBER",
    onward: str = "ask",
    exercise: bool = True,
    **more: Any,
) -> Draft:
    slots = alert_slots(**more)
    if kind == "report":
        slots = {k: v for k, v in slots.items() if not k.startswith("body.")} | {"body.category": "sea"}
    KINDS[kind].check(slots)
    return Draft(kind=kind, marking=marking, onward=onward, exercise=exercise, slots=slots)


class Node:
    """`dk`, `se` or `fi`: stores in a folder, a door, and mirrors of what it follows."""

    def __init__(
        self, folder: Path, name: str, *, keys: NodeKeys | None = None, clock: ManualClock | None = None
    ) -> None:
        self.name = name
        self.path = folder / f"{name}.sqlite"
        self.keys = keys or new_keys()
        self.clock = clock or ManualClock(NOW_US)
        self.db = Database(self.path, statement_store.SCHEMA, log_store.SCHEMA, channels.SCHEMA)
        self.statements = StatementStore(self.db)
        self.logs = LogStore(self.db)
        self.outbox = Outbox(self.db)
        self.door = self._door()
        self.mirrors: dict[str, Mirror] = {}

    def _door(self) -> Door:
        return Door(
            self.db,
            self.statements,
            self.logs,
            node=self.name,
            realm="exercise",
            keys=self.keys,
            clock=self.clock,
        )

    def again(self) -> Node:
        """The same home after its process ended."""
        self.db.close()
        return Node(self.path.parent, self.name, keys=self.keys, clock=self.clock)

    def open_to(self, readers: Iterable[Node], policy: str = POLICY) -> None:
        """Write and load a policy, and open the channels."""
        known = {reader.name: reader.keys.log.public_key() for reader in readers}
        self.door.set_policy(self.policy(policy, known), known)

    def policy(self, text: str, partners: Iterable[str]) -> Policy:
        file = self.path.parent / f"{self.name}-policy.toml"
        file.write_text(text)
        return load(file, partners=set(partners), kinds=KINDS.keys())

    def follow(self, partner: Node, cards: Iterable[Node] = ()) -> Mirror:
        """`cards`: whose statement keys are known here beside the partner's; asked for at each batch."""
        self.mirrors[partner.name] = Mirror(
            self.db,
            self.statements,
            self.logs,
            partner=partner.name,
            statement_key=partner.keys.statement.public_key(),
            log_key=partner.keys.log.public_key(),
            me=self.name,
            key=self.keys.log,
            realm="exercise",
            clock=self.clock,
            keys=lambda: {node.name: node.keys.statement.public_key() for node in cards},
        )
        return self.mirrors[partner.name]

    def say(self, said: Draft | None = None, *, jti: str | None = None, ver: int = 1) -> Statement:
        """Sign, keep and queue for release: what the desk does."""
        statement = sign(said or draft(), iss=self.name, key=self.keys.statement, jti=jti, ver=ver)
        with self.db.write():
            self.statements.put(statement, None, self.clock.now_us())
            self.outbox.put("release", statement.jti, statement.ver)
        return statement

    def size_to(self, reader: str) -> int:
        channel = self.door.reader(reader)
        assert channel is not None
        return channel.size


def pull(reader: Node, partner: Node, limit: int = 1000) -> int:
    """Read until the end and cosign: what the exchange does. Returns the batches it took."""
    channel = partner.door.reader(reader.name)
    mirror = reader.mirrors[partner.name]
    assert channel is not None
    batches = 0
    while True:
        batches += 1
        if mirror.receive(channel.entries(mirror.size, limit)).behind == 0:
            break
    note = mirror.cosigned()
    assert note is not None
    channel.cosign(note)
    return batches


def bytes_on_disk(node: Node) -> bytes:
    """Everything of a node's store as it lies on disk, write-ahead log included."""
    return b"".join(p.read_bytes() for p in sorted(node.path.parent.glob(f"{node.path.name}*")))
