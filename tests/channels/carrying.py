"""Making channel files, bringing them to a node, and looking at what it then holds."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from samsyn.channels.file import Header, Taken, Writer, export, read, take
from tests.channels.nodes import Node

TABLES = ("statement", "log", "log_bundle", "log_tile", "mirror", "refusal")
HEADER = Header("dk", "exercise", "se")


def rows(node: Node, *tables: str) -> dict[str, list[Any]]:
    """Everything that a node holds, as it is stored."""
    db = node.db.read()
    return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables or TABLES}


def held(node: Node) -> Any:
    """What a node holds, whatever pieces it came in."""
    said = [row[1:] for row in rows(node, "statement")["statement"]]
    mirror = node.mirrors["dk"]
    leaves = [leaf for leaf, _ in node.logs.entries(mirror.origin, 0, 1000)]
    return said, leaves, node.logs.root(mirror.origin), rows(node, "mirror")


def carried(dk: Node, since: int = 0) -> bytes:
    """dk's channel for se as a file."""
    channel, file = dk.door.reader("se"), BytesIO()
    assert channel
    written = export(channel, HEADER, since, file)
    assert (written.size, written.bytes) == (channel.size, len(file.getvalue()))
    return file.getvalue()


def bring(data: bytes, se: Node) -> Taken:
    header, batches = read(BytesIO(data))
    header.check(me=se.name, realm="exercise")
    return take(batches, se.mirrors["dk"])


def batches_of(data: bytes) -> list[bytes]:
    return list(read(BytesIO(data))[1])


def file_of(batches: list[bytes], header: Header = HEADER) -> bytes:
    """A file that somebody made of these, digests and all."""
    file = BytesIO()
    writer = Writer(file, header)
    for data in batches:
        writer.add(data)
    writer.end()
    return file.getvalue()


def twin(se: Node, dk: Node, name: str = "twin") -> Node:
    """Another home of the same node: what it would be had it got its entries another way."""
    folder = se.path.parent / name
    folder.mkdir()
    node = Node(folder, "se", keys=se.keys, clock=se.clock)
    node.follow(dk)
    return node


def speak(dk: Node, count: int = 7) -> None:
    for _ in range(count):
        dk.say()
        dk.door.tick()


def history(dk: Node) -> str:
    """Releases, a new version, a withdrawal, a purge before and one after entry 7. Returns its id."""
    said = [dk.say() for _ in range(5)]
    dk.door.tick()
    dk.say(jti=said[0].jti, ver=2)
    dk.outbox.put("withdraw", said[1].jti, 1, purge=False)
    dk.outbox.put("withdraw", said[2].jti, 1, purge=True)
    dk.door.tick()
    late = dk.say()
    speak(dk, 2)
    dk.outbox.put("withdraw", late.jti, 1, purge=True)
    dk.door.tick()
    return late.jti
