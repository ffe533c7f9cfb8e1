"""Reading back what was verified before it was kept. Never for bytes from outside: nothing is checked.

Five times as fast as `sign.parse`, which reads as if for the first time. It is what lets the door
decide and cut thousands of stored statements a second.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import Any, Final

import orjson

from samsyn.statements.statement import Statement

_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_CLAIMS: Final = frozenset(Statement.__struct_fields__) - {"extra", "jwt", "disclosures", "slots"}
_MADE: Final = _CLAIMS | {"_sd", "_sd_alg"}


def reread(body: bytes) -> Statement:
    """The statement in a body from our own store."""
    jwt, *disclosed, _ = body.split(b"~")
    payload = _json(jwt.split(b".")[1])
    disclosures: dict[str, bytes] = {}
    slots: dict[str, Any] = {}
    for disclosure in disclosed:
        _, slot, value = _json(disclosure)
        disclosures[slot] = disclosure
        slots[slot] = value
    return Statement(
        extra={name: value for name, value in payload.items() if name not in _MADE},
        jwt=jwt,
        disclosures=disclosures,
        slots=slots,
        **{name: value for name, value in payload.items() if name in _CLAIMS},
    )


def _json(encoded: bytes) -> Any:
    return orjson.loads(a2b_base64(encoded.translate(_TO_BASE64) + b"=="))
