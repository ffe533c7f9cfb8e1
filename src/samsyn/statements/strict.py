"""JSON from outside, read so that two readers cannot understand one text differently."""

from __future__ import annotations

import json
from typing import Any

import orjson

from samsyn.base import limits


def strict_json(data: bytes) -> Any:
    """The value of `data`. Raises `ValueError` for what is not JSON, for a key that stands twice,
    for nesting over `limits.STATEMENT_JSON_DEPTH`, and for `_sd` or `...` as a key at any depth
    but the top: nested disclosures (RFC 9901, 4.2.2 and 4.2.4) are not part of a statement.
    """
    value = orjson.loads(data)  # refuses NaN, Infinity, lone surrogates and bad UTF-8
    if b"{" not in data and b"[" not in data:
        return value
    # What is written as we write it has no key twice, for what was read back has none. Only a text
    # of another spelling (blanks, escapes, other numbers) takes the slower way.
    if orjson.dumps(value) != data:
        json.loads(data, object_pairs_hook=_no_key_twice)
    if data.count(b"[") + data.count(b"{") > limits.STATEMENT_JSON_DEPTH or _suspect(data):
        _walk(value, 1)
    return value


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _suspect(data: bytes) -> bool:
    return b"_sd" in data or b"..." in data or b"\\" in data


def _walk(value: Any, depth: int) -> None:
    if depth > limits.STATEMENT_JSON_DEPTH:
        raise ValueError(f"nested deeper than {limits.STATEMENT_JSON_DEPTH}")
    if isinstance(value, dict):
        if depth > 1 and ("_sd" in value or "..." in value):
            raise ValueError("nested disclosures are not part of a statement")
        for part in value.values():
            if isinstance(part, dict | list):
                _walk(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, dict | list):
                _walk(part, depth + 1)
