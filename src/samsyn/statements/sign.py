"""Making and checking statements: SD-JWT (RFC 9901), Ed25519 (RFC 8037), flat disclosures only.

    header    {"alg":"EdDSA","kid":thumbprint,"typ":"samsyn-statement+sd-jwt"}
    payload   {"_sd":[32 digests],"_sd_alg":"sha-256","exercise":...,"iss":...,"jti":...,"kind":...,
               "marking":...,"onward":...,"ver":...}
    then      ~disclosure~disclosure~     base64url of ["salt","slot",value] each

What is not exactly so is refused, with few exceptions: claims and slots that this version does not
know are kept. No time stands in clear: `iat`, `exp` and the like are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.encoding import b64url, b64url_bytes
from samsyn.base.errors import Refused
from samsyn.base.ids import new_id
from samsyn.statements.keys import holds, raw_thumbprint, thumbprint
from samsyn.statements.ladder import check_ladders
from samsyn.statements.read import (
    DUTIES,
    SLOTS,
    TYP,
    Claims,
    digest_texts,
    malformed,
    oversized,
    read,
    read_claims,
    statement_of,
)
from samsyn.statements.statement import Draft, Statement
from samsyn.statements.strict import check_nesting

SALT_BYTES = 18  # RFC 9901 section 9.3 asks for 16 or more; 18 are whole groups of base64
SALT_CHARS = 24
MANY = 64  # from this many on, a second thread is worth its start
THREADS = 2
AT_HAND = 16  # are read and then checked: few enough to be in a core's cache still

_BODY_SLOT = re.compile(r"body\.[a-z][a-z0-9_]{0,40}")
_SAID = ("kind", "marking", "onward", "exercise", *DUTIES)  # by a draft


class _Unsigned(NamedTuple):
    claims: Claims
    message: bytes  # what is signed: header.payload
    disclosures: dict[str, bytes]
    slots: dict[str, Any]


def sign(
    draft: Draft, *, iss: str, key: Ed25519PrivateKey, jti: str | None = None, ver: int = 1
) -> Statement:
    """Put `iss`'s name to a draft. `jti` and `ver` name a further version of something said before.

    Raises `Refused` ("malformed", "finer-outside-coarser", "oversized-statement") for a draft that
    no verifier would take.
    """
    unsigned = _prepare(draft, iss, thumbprint(key.public_key()), jti or new_id(), ver)
    return _finish(unsigned, key.sign(unsigned.message))


def sign_many(
    drafts: Sequence[Draft],
    *,
    iss: str,
    key: Ed25519PrivateKey,
    jtis: Sequence[str | None] | None = None,
    vers: Sequence[int] | None = None,
) -> list[Statement]:
    """`sign` for many at once, in their order; from `MANY` on, two threads sign."""
    kid = thumbprint(key.public_key())
    names = jtis or [None] * len(drafts)
    numbers = vers or [1] * len(drafts)
    unsigned = [
        _prepare(draft, iss, kid, jti or new_id(), ver)
        for draft, jti, ver in zip(drafts, names, numbers, strict=True)
    ]
    signatures = _each([u.message for u in unsigned], key.sign)
    return [_finish(u, s) for u, s in zip(unsigned, signatures, strict=True)]


def verify(presentation: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Statement:
    """The statement in `presentation` if its originator signed it; `keys` are by originator.

    Raises `Refused` with reason "malformed", "oversized-statement", "unknown-originator",
    "forged-signature", "altered-disclosure" or "finer-outside-coarser".
    """
    statement, kid, sealed = read(presentation)
    if not holds(_key_of(statement.iss, kid, keys), sealed):
        raise _forged(statement.iss)
    return statement


def verify_many(presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]) -> list[Statement]:
    """`verify` for many at once, in their order; from `MANY` on, two threads verify.

    Raises the `Refused` of one that fails: the whole is taken or none of it. Of several that fail,
    the first that cannot be read wins, then the first of an unknown key, then the first forged.
    """
    if len(presentations) >= MANY and _cores() >= THREADS:
        return _verify_in_order(presentations, keys)
    statements: list[Statement] = []
    known: dict[tuple[str, str], bytes] = {}  # keys that were looked up
    try:
        for begin in range(0, len(presentations), AT_HAND):
            parsed = [read(presentation) for presentation in presentations[begin : begin + AT_HAND]]
            for statement, kid, sealed in parsed:
                key = known.get((statement.iss, kid))
                if key is None:
                    key = known[statement.iss, kid] = _key_of(statement.iss, kid, keys)
                if not holds(key, sealed):
                    raise _forged(statement.iss)
                statements.append(statement)
    except Refused:
        return _verify_in_order(presentations, keys)  # which of several faults is told: as said above
    return statements


def _verify_in_order(
    presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]
) -> list[Statement]:
    # Not while others are still being parsed: the interpreter is let go of for each signature alone,
    # and taking turns with a thread that parses costs more than a second core saves.
    parsed = [read(presentation) for presentation in presentations]
    raw = [_key_of(p.statement.iss, p.kid, keys) for p in parsed]
    holding = _each(list(zip(raw, parsed, strict=True)), lambda check: holds(check[0], check[1].sealed))
    if not all(holding):
        raise _forged(parsed[holding.index(False)].statement.iss)
    return [p.statement for p in parsed]


Verify = Callable[[Sequence[bytes], Mapping[str, Ed25519PublicKey]], list[Statement]]
"""`verify_many`, or what does as it does."""

Check = tuple[bytes, bytes]
"""Public key, and a signature with what it is over: what it takes to verify elsewhere."""


def read_many(
    presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]
) -> tuple[list[Statement], list[Check]]:
    """`verify_many` up to the signatures, which are left to the caller to have checked."""
    parsed = [read(presentation) for presentation in presentations]
    return [p.statement for p in parsed], [
        (_key_of(p.statement.iss, p.kid, keys), p.sealed) for p in parsed
    ]


def signed_by(presentation: bytes, key: Ed25519PublicKey) -> bool:
    """Whether it names `key` as its signer, spelt as `sign` spells that. Nothing is checked."""
    return presentation.startswith(_header(thumbprint(key)) + b".")


def parse(presentation: bytes) -> Statement:
    """As `verify`, without the signature: for what was verified before and kept."""
    return read(presentation).statement


_In = TypeVar("_In")
_Out = TypeVar("_Out")


def _each(items: Sequence[_In], work: Any) -> list[Any]:
    """`work` on each item. The interpreter is let go of while a signature is made or checked, so two
    threads that do nothing else use two cores, where there are two."""
    if len(items) < MANY or _cores() < THREADS:
        return [work(item) for item in items]
    step = -(-len(items) // THREADS)
    parts = [items[at : at + step] for at in range(0, len(items), step)]
    with ThreadPoolExecutor(THREADS) as pool:
        done = pool.map(lambda part: [work(item) for item in part], parts)
        return [result for part in done for result in part]


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- making


def _prepare(draft: Draft, iss: str, kid: str, jti: str, ver: int) -> _Unsigned:
    said = {name: value for name in _SAID if (value := getattr(draft, name)) is not None}
    payload = {**said, "iss": iss, "jti": jti, "ver": ver}
    claims = read_claims(payload)
    if len(draft.slots) > limits.STATEMENT_SLOTS:
        oversized(f"{len(draft.slots)} slots, over {limits.STATEMENT_SLOTS}")
    _check_names(frozenset(draft.slots))
    check_ladders(draft.slots)
    disclosures, payload["_sd"] = _disclose(draft.slots)
    payload["_sd_alg"] = "sha-256"
    message = _header(kid) + b"." + b64url_bytes(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS))
    size = len(message) + 87 + sum(map(len, disclosures.values())) + len(disclosures) + 1
    if size > limits.STATEMENT_BYTES:
        oversized(f"{size} bytes, over {limits.STATEMENT_BYTES}")
    return _Unsigned(claims, message, disclosures, dict(draft.slots))


@lru_cache(maxsize=1024)
def _check_names(slots: frozenset[str]) -> None:
    """Statements of one kind mostly have one of a few sets of slots."""
    for slot in slots:
        if not isinstance(slot, str) or not (slot in SLOTS or _BODY_SLOT.fullmatch(slot)):
            malformed("there is no such slot", str(slot))


def _disclose(slots: Mapping[str, Any]) -> tuple[dict[str, bytes], list[str]]:
    """A disclosure for each slot, and the sorted digests of these and of decoys up to the full number.

    A decoy is random bytes (RFC 9901, 4.2.5): nobody without the disclosures can tell which digest
    is one, or how many there are.
    """
    salts = b64url(os.urandom(SALT_BYTES * len(slots)))
    disclosures: dict[str, bytes] = {}
    digests: list[bytes] = []
    at = 0
    for slot, value in slots.items():
        try:
            data = orjson.dumps(said := [salts[at : at + SALT_CHARS], slot, value], option=_PLAIN)
            if type(value) is not str:
                _check_value(said, data)
        except (TypeError, ValueError) as e:  # orjson's own error is a TypeError
            malformed(str(e), slot)
        disclosures[slot] = disclosure = b64url_bytes(data)
        if len(disclosure) > limits.DISCLOSURE_BYTES:
            oversized(f"{slot} has {len(disclosure)} bytes, over {limits.DISCLOSURE_BYTES}")
        digests.append(sha256(disclosure).digest())
        at += SALT_CHARS
    decoys = os.urandom(32 * (limits.STATEMENT_SLOTS - len(slots)))
    digests += [decoys[at : at + 32] for at in range(0, len(decoys), 32)]
    return disclosures, sorted(digest_texts(digests))


_PLAIN = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER  # 53 bits: what every JSON reader can hold (RFC 7493)
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)


def _check_value(disclosure: list[Any], data: bytes) -> None:
    """Raises `ValueError` for what no verifier would take; `data` is the JSON of the disclosure."""
    check_nesting(disclosure, data)
    if b"null" in data and _has_nan(disclosure):
        raise ValueError("holds a number that is not finite")


def _has_nan(value: Any) -> bool:
    """orjson writes NaN as null; a signed statement must not hold what nobody said."""
    if isinstance(value, float):
        return value != value or value in (float("inf"), float("-inf"))
    if isinstance(value, dict):
        return any(_has_nan(part) for part in value.values())
    return isinstance(value, list | tuple) and any(_has_nan(part) for part in value)


def _finish(unsigned: _Unsigned, signature: bytes) -> Statement:
    jwt = unsigned.message + b"." + b64url_bytes(signature)
    return statement_of(unsigned.claims, {}, jwt, unsigned.disclosures, unsigned.slots)


@lru_cache(maxsize=64)
def _header(kid: str) -> bytes:
    return b64url_bytes(orjson.dumps({"alg": "EdDSA", "kid": kid, "typ": TYP}))


# --- checking


def _key_of(iss: str, kid: str, keys: Mapping[str, Ed25519PublicKey]) -> bytes:
    """The raw public key by which `iss` should have signed, where that is what `kid` names."""
    key = keys.get(iss)
    if key is None:
        raise Refused("unknown-originator", f"no key is known for {iss}")
    raw = key.public_bytes_raw()
    if raw_thumbprint(raw) != kid:
        raise Refused("forged-signature", f"signed with a key that is not {iss}'s")
    return raw


def _forged(iss: str) -> Refused:
    return Refused("forged-signature", f"the signature of {iss} does not hold")
