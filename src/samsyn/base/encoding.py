"""Bytes to text and back, one way each."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import orjson

_B64URL = re.compile(rb"[A-Za-z0-9_-]*")


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5, as JOSE uses it)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str | bytes) -> bytes:
    """The bytes of an unpadded base64url text. Raises `ValueError` for any other spelling."""
    raw = text.encode("ascii", "strict") if isinstance(text, str) else text
    if not _B64URL.fullmatch(raw) or len(raw) % 4 == 1:
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=") != raw:
        raise ValueError("not canonical base64url")  # spare bits set: two texts for one value
    return data


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def to_json(value: Any) -> bytes:
    """Compact JSON with sorted keys: the same value gives the same bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def from_json(data: bytes) -> Any:
    """Raises `ValueError` (orjson's own) where `data` is not JSON."""
    return orjson.loads(data)
