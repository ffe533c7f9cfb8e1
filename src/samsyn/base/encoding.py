"""Bytes to text and back, one way each."""

from __future__ import annotations

import binascii
import hashlib
from typing import Any

import orjson

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def b64url_bytes(data: bytes) -> bytes:
    """Base64url without padding (RFC 4648 section 5, as JOSE uses it)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def b64url(data: bytes) -> str:
    """`b64url_bytes` as text."""
    return b64url_bytes(data).decode()


def unb64url(text: str | bytes) -> bytes:
    """The bytes of an unpadded base64url text. Raises `ValueError` for any other spelling."""
    raw = text.encode("ascii", "strict") if isinstance(text, str) else text
    data = binascii.a2b_base64(raw.translate(_FROM_URL) + b"=" * (-len(raw) % 4))
    if b64url_bytes(data) != raw:  # another alphabet, blanks, padding, or spare bits that are set
        raise ValueError("not canonical base64url")
    return data


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def to_json(value: Any) -> bytes:
    """Compact JSON with sorted keys: the same value gives the same bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def from_json(data: bytes) -> Any:
    """Raises `ValueError` (orjson's own) where `data` is not JSON."""
    return orjson.loads(data)
