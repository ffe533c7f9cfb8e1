"""Names of things. Ids are random: they carry no time, no order and no count."""

from __future__ import annotations

import re
import secrets
import uuid

EVERYBODY = "public"
"""The name of the reader that is everybody: what it is given, anybody may read without a token."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def new_id() -> str:
    """A random statement id (UUID version 4, RFC 9562)."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def is_id(text: str) -> bool:
    """Whether `text` is a UUID in its one canonical spelling."""
    return bool(_ID.fullmatch(text))


def is_node_name(text: str) -> bool:
    """Node and partner names: lower case, at most 31 characters, safe in paths and log origins."""
    return bool(_NAME.fullmatch(text))
