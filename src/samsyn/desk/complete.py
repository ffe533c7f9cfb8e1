"""Is the audit trail complete? The diary against the channels that it tells of, each way.

Every tick that wrote entries left the new head of each channel it wrote to in the diary, in its own
transaction. So the heads that the diary tells of one channel follow each other without a gap, each is
a head that the channel's log really had, and the last is its head now: an entry slipped into a
channel, a diary cut short and a diary entry taken out all break that chain.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from samsyn.base.encoding import unb64url
from samsyn.base.settings import Realm
from samsyn.channels.names import channel_origin
from samsyn.desk.diary import RELEASED, read_entries
from samsyn.log.store import LogStore


class _Head(msgspec.Struct, rename={"first": "from"}):
    reader: str
    first: int
    size: int
    root: str


def unaccounted(diary: str, logs: LogStore, node: str, realm: Realm) -> list[str]:
    """What the channels of `node` hold that its diary does not tell of, or the other way round.

    diary: the name of its log, which is taken to be whole (`LogStore.audit` says whether it is).
    """
    problems: list[str] = []
    told: dict[str, int] = {}  # size by reader, as told last
    try:
        for noted in read_entries(logs, diary):
            if noted.did == RELEASED:
                for head in _heads(noted.what):
                    where = f"entry {noted.number} of the diary, channel to {head.reader}"
                    problems += [f"{where}: {p}" for p in _wrong(head, told, logs, node, realm)]
                    told[head.reader] = head.size
    except ValueError as e:
        problems.append(str(e))
    for reader in sorted({*told, *_readers(logs, node, realm)}):
        size = logs.size(channel_origin(node, realm, reader))
        if size != told.get(reader, 0):
            problems.append(
                f"the channel to {reader} has {size} entries, the diary tells of {told.get(reader, 0)}"
            )
    return problems


def _wrong(
    head: _Head, told: dict[str, int], logs: LogStore, node: str, realm: Realm
) -> Collection[str]:
    before = told.get(head.reader, 0)
    if head.first != before or head.size <= head.first:
        return [f"it goes from {head.first} to {head.size}, and the one before ended at {before}"]
    try:
        root = logs.root_at(channel_origin(node, realm, head.reader), head.size)
    except ValueError:
        return [f"the channel never had {head.size} entries"]
    return [] if root == unb64url(head.root) else ["the channel had another root at that size"]


def _heads(what: dict[str, Any]) -> list[_Head]:
    """Raises `ValueError` (msgspec's own) for what is no list of heads."""
    return msgspec.convert(what.get("channels"), list[_Head])


def _readers(logs: LogStore, node: str, realm: Realm) -> list[str]:
    """Whoever has a channel here, partners of former days too."""
    begin = channel_origin(node, realm, "")
    readers = (name.removeprefix(begin) for name in logs.names() if name.startswith(begin))
    return [reader for reader in readers if not reader.startswith(".")]  # the diary is no channel
