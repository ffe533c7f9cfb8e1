"""JSON from outside, read so that two readers cannot understand one text differently."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson

from samsyn.base import limits

_NESTED: Final = frozenset({dict, list})


def strict_json(data: bytes) -> Any:
    """The value of `data`. Raises `ValueError` for what is not JSON and for what `check` refuses."""
    value = orjson.loads(data)  # refuses NaN, Infinity, lone surrogates and bad UTF-8
    check(value, data)
    return value


def check(value: Any, data: bytes) -> None:
    """Refuse what JSON readers differ on, in `value` as read from `data`.

    Raises `ValueError` for a key that stands twice and for what `check_nesting` refuses.
    """
    check_nesting(value, data)  # first: what is nested too deeply cannot be written, either
    # What is written as we write it has no key twice, for what was read back has none. Only a text
    # of another spelling (blanks, escapes, other numbers) takes the slower way.
    if b"{" in data and orjson.dumps(value) != data:
        json.loads(data, object_pairs_hook=_no_key_twice)


def check_nesting(value: Any, data: bytes) -> None:
    """Raises `ValueError` for nesting over `limits.STATEMENT_JSON_DEPTH`, and for `_sd` or `...` as a
    key at any depth but the top: nested disclosures (RFC 9901, 4.2.2 and 4.2.6) are not part of a
    statement. `data` is the JSON of `value`.
    """
    objects = data.count(b"{")
    if objects + data.count(b"[") > limits.STATEMENT_JSON_DEPTH:
        _walk(value, 1)
    elif objects > isinstance(value, dict) and (b"_sd" in data or b"..." in data or b"\\" in data):
        _walk(value, 1)  # an object lies inside, and a key may be one of the two


def check_slots(values: Sequence[Any], data: bytes) -> bool:
    """Whether `check_nesting` takes each of many `[salt, slot, value]`; `data` is the JSON of them all
    as orjson writes it, in which a key has one spelling."""
    if b'"_sd":' in data or b'"...":' in data:
        return False
    containers = [value for value in values if type(value) in _NESTED]
    inner = data.count(b"{") + data.count(b"[") - len(values) - len(containers)
    if inner + 2 > limits.STATEMENT_JSON_DEPTH:
        try:
            for value in containers:
                _walk(value, 2)
        except ValueError:
            return False
    return True


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _walk(value: Any, depth: int) -> None:
    if depth > limits.STATEMENT_JSON_DEPTH:
        raise ValueError(f"nested deeper than {limits.STATEMENT_JSON_DEPTH}")
    if isinstance(value, dict):
        if depth > 1 and ("_sd" in value or "..." in value):
            raise ValueError("nested disclosures are not part of a statement")
        value = value.values()
    if not _NESTED.isdisjoint(map(type, value)):
        for part in value:
            if type(part) in _NESTED:
                _walk(part, depth + 1)
