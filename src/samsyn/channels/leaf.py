"""One entry of a channel, as the reader sees and hashes it.

    {"op":"release","id":"<uuid>","ver":1,"view":"<SHA-256 of the view, base64url>"}
    {"op":"widen","id":"<uuid>","ver":1,"view":"..."}        more disclosures of what was released
    {"op":"withdraw","id":"<uuid>","ver":1,"purge":true}

One text for one meaning: exactly these members, in this order, without blanks.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from samsyn.base import limits
from samsyn.base.encoding import b64url
from samsyn.base.errors import Refused
from samsyn.base.ids import is_id

OPERATIONS: Final = ("release", "widen", "withdraw")


class Release(msgspec.Struct, frozen=True, tag_field="op", tag="release", forbid_unknown_fields=True):
    """A view of a version that this reader did not have."""

    id: str
    ver: int
    view: str


class Widen(msgspec.Struct, frozen=True, tag_field="op", tag="widen", forbid_unknown_fields=True):
    """A wider view of a version that this reader has."""

    id: str
    ver: int
    view: str


class Withdraw(msgspec.Struct, frozen=True, tag_field="op", tag="withdraw", forbid_unknown_fields=True):
    """The statement no longer stands; with `purge`, its bodies go. `ver`: the last one released."""

    id: str
    ver: int
    purge: bool


Leaf = Release | Widen | Withdraw

# 32 bytes in base64url: the last character's two spare bits are zero
_VIEW: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Leaf).decode


def release_leaf(jti: str, ver: int, view_hash: bytes, *, widen: bool = False) -> bytes:
    return _encode((Widen if widen else Release)(jti, ver, b64url(view_hash)))


def withdraw_leaf(jti: str, ver: int, purge: bool) -> bytes:
    return _encode(Withdraw(jti, ver, purge))


def read_leaf(data: bytes) -> Leaf:
    """Raises `Refused` ("unknown-operation", "malformed-entry")."""
    if len(data) > limits.LEAF_BYTES:
        raise Refused("malformed-entry", f"an entry of {len(data)} bytes, over {limits.LEAF_BYTES}")
    try:
        leaf: Leaf = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        operation = _operation(data)
        if operation is not None and operation not in OPERATIONS:
            raise Refused("unknown-operation", f"an entry asks for {operation!r:.40}") from e
        raise Refused("malformed-entry", f"an entry cannot be read: {e}") from e
    if _encode(leaf) != data or leaf.ver < 1 or not is_id(leaf.id) or not _is_view(leaf):
        raise Refused("malformed-entry", "an entry is not spelt as entries are")
    return leaf


def _is_view(leaf: Leaf) -> bool:
    return isinstance(leaf, Withdraw) or bool(_VIEW.fullmatch(leaf.view))


def _operation(data: bytes) -> Any:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found.get("op") if isinstance(found, dict) else None
