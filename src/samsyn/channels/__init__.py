"""THE DOOR: what leaves this node, and what is taken from others.

    queue (outbox) -> tick -> door -> one channel a reader (reader) ----> batch
    batch ----> admit (rules, no I/O) -> mirror -> what this node holds of a partner's channel

Everything that a reader can reach is built on its `ReaderChannel` alone.
"""

from typing import Final

from samsyn.channels import aside, door, mirror, refusals, sources
from samsyn.channels.door import Delivered, Door
from samsyn.channels.mirror import Applied, Mirror
from samsyn.channels.outbox import Outbox
from samsyn.channels.reader import ReaderChannel
from samsyn.channels.refusals import Problem, reason_texts
from samsyn.channels.tick import TickReport

SCHEMA: Final = door.SCHEMA + mirror.SCHEMA + refusals.SCHEMA + aside.SCHEMA + sources.SCHEMA
"""Tables of this folder; a database for it also needs those of `statements.store` and `log.store`."""

__all__ = [
    "SCHEMA",
    "Applied",
    "Delivered",
    "Door",
    "Mirror",
    "Outbox",
    "Problem",
    "ReaderChannel",
    "TickReport",
    "reason_texts",
]
