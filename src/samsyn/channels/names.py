"""How channels are called."""

from __future__ import annotations


def channel_origin(node: str, realm: str, reader: str) -> str:
    """The origin of the log that `node` keeps for `reader`: `samsyn.dk/exercise/fi`."""
    return f"samsyn.{node}/{realm}/{reader}"


def witness_name(reader: str) -> str:
    """The name under which a reader's node cosigns: `samsyn.fi`."""
    return f"samsyn.{reader}"
