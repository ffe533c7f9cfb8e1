"""How channels are called."""

from __future__ import annotations

import re

from samsyn.base.ids import is_node_name

_ORIGIN = re.compile(r"samsyn\.([^/]+)/(actual|exercise)/([^/]+)")


def channel_origin(node: str, realm: str, reader: str) -> str:
    """The origin of the log that `node` keeps for `reader`: `samsyn.dk/exercise/fi`."""
    return f"samsyn.{node}/{realm}/{reader}"


def split_origin(origin: str) -> tuple[str, str, str]:
    """Node, realm and reader of a channel's origin. Raises `ValueError` for what is none."""
    found = _ORIGIN.fullmatch(origin)
    if found is None or not (is_node_name(found[1]) and is_node_name(found[3])):
        raise ValueError("not the origin of a channel")
    return found[1], found[2], found[3]


def witness_name(reader: str) -> str:
    """The name under which a reader's node cosigns: `samsyn.fi`."""
    return f"samsyn.{reader}"
