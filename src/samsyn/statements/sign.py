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
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, TypeVar

import msgspec
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.encoding import b64url, b64url_bytes, unb64url
from samsyn.base.errors import Refused
from samsyn.base.ids import is_id, is_node_name, new_id
from samsyn.statements.keys import thumbprint
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS, check_ladders
from samsyn.statements.statement import Draft, Statement
from samsyn.statements.strict import check, check_nesting, check_slots, strict_json

TYP = "samsyn-statement+sd-jwt"
SALT_BYTES = 18  # RFC 9901 section 9.3 asks for 16 or more; 18 are whole groups of base64
SALT_CHARS = 24
DIGEST_CHARS = 43  # of a SHA-256 in base64url
MANY = 64  # from this many on, a second thread is worth its start
THREADS = 2

SLOTS = frozenset(
    [f"place.{rung}" for rung in PLACE_RUNGS]
    + [f"time.{rung}" for rung in TIME_RUNGS]
    + ["title", "summary", "text", "confidence", "author", "sources", "refs", "tags"]
)
_BODY_SLOT = re.compile(r"body\.[a-z][a-z0-9_]{0,40}")
_SLOT = re.compile(r"[a-z][a-z0-9_]{0,30}(\.[a-z0-9_]{1,41})?")
_DIGESTS = re.compile(r"[A-Za-z0-9_-]*")

# Claims that other uses of JWT act on. Some are times; all would mean something we do not enforce.
_FOREIGN = frozenset(["iat", "exp", "nbf", "aud", "sub", "cnf", "status", "vct", "auth_time", "nonce"])


class _Claims(msgspec.Struct):
    """The signed part that every holder sees; what it does not name is `Statement.extra`."""

    iss: str
    jti: str
    ver: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,30}\Z")]
    marking: Literal["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]
    onward: Literal["no", "ask", "circle", "free"]
    exercise: bool
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    retain_until: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d\Z")] | None = None
    personal: bool | None = None


_CLAIMS = _Claims.__struct_fields__
_DUTIES = ("purpose", "retain_until", "personal")
_SAID = ("kind", "marking", "onward", "exercise", *_DUTIES)  # by a draft
_KNOWN = frozenset([*_CLAIMS, "_sd", "_sd_alg"])


class _Unsigned(NamedTuple):
    claims: _Claims
    message: bytes  # what is signed: header.payload
    disclosures: dict[str, bytes]
    slots: dict[str, Any]


class _Parsed(NamedTuple):
    statement: Statement
    kid: str
    signature: bytes


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
    parsed = _parse(presentation)
    _check_signature(parsed, _key_of(parsed, keys))
    return parsed.statement


def verify_many(presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]) -> list[Statement]:
    """`verify` for many at once, in their order; from `MANY` on, two threads verify.

    Raises the `Refused` of one that fails: the whole is taken or none of it. Of several that fail,
    the first that cannot be read wins, then the first of an unknown key, then the first forged.
    """
    # Not while others are still being parsed: OpenSSL lets go of the interpreter for each signature
    # alone, and taking turns with a thread that parses costs more than a second core saves.
    parsed = [_parse(presentation) for presentation in presentations]
    checks = [(p, _key_of(p, keys)) for p in parsed]
    _each(checks, lambda check: _check_signature(*check))
    return [p.statement for p in parsed]


Check = tuple[bytes, bytes, bytes]
"""Public key, signature and what is signed: what it takes to verify elsewhere."""


def read_many(
    presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]
) -> tuple[list[Statement], list[Check]]:
    """`verify_many` up to the signatures, which are left to the caller to have checked."""
    parsed = [_parse(presentation) for presentation in presentations]
    raw = [_key_of(p, keys).public_bytes_raw() for p in parsed]
    signed = [p.statement.jwt.rpartition(b".")[0] for p in parsed]
    checks = [(key, p.signature, text) for key, p, text in zip(raw, parsed, signed, strict=True)]
    return [p.statement for p in parsed], checks


def parse(presentation: bytes) -> Statement:
    """As `verify`, without the signature: for what was verified before and kept."""
    return _parse(presentation).statement


_In = TypeVar("_In")
_Out = TypeVar("_Out")


def _each(items: Sequence[_In], work: Any) -> list[Any]:
    """`work` on each item. OpenSSL lets go of the interpreter while it signs or verifies, so two
    threads that do nothing else use two cores."""
    if len(items) < MANY:
        return [work(item) for item in items]
    step = -(-len(items) // THREADS)
    parts = [items[at : at + step] for at in range(0, len(items), step)]
    with ThreadPoolExecutor(THREADS) as pool:
        done = pool.map(lambda part: [work(item) for item in part], parts)
        return [result for part in done for result in part]


# --- making


def _prepare(draft: Draft, iss: str, kid: str, jti: str, ver: int) -> _Unsigned:
    said = {name: value for name in _SAID if (value := getattr(draft, name)) is not None}
    payload = {**said, "iss": iss, "jti": jti, "ver": ver}
    claims = _read_claims(payload)
    if len(draft.slots) > limits.STATEMENT_SLOTS:
        _oversized(f"{len(draft.slots)} slots, over {limits.STATEMENT_SLOTS}")
    _check_names(frozenset(draft.slots))
    check_ladders(draft.slots)
    disclosures, payload["_sd"] = _disclose(draft.slots)
    payload["_sd_alg"] = "sha-256"
    message = _header(kid) + b"." + b64url_bytes(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS))
    size = len(message) + 87 + sum(map(len, disclosures.values())) + len(disclosures) + 1
    if size > limits.STATEMENT_BYTES:
        _oversized(f"{size} bytes, over {limits.STATEMENT_BYTES}")
    return _Unsigned(claims, message, disclosures, dict(draft.slots))


@lru_cache(maxsize=1024)
def _check_names(slots: frozenset[str]) -> None:
    """Statements of one kind mostly have one of a few sets of slots."""
    for slot in slots:
        if not isinstance(slot, str) or not (slot in SLOTS or _BODY_SLOT.fullmatch(slot)):
            _malformed("there is no such slot", str(slot))


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
            _malformed(str(e), slot)
        disclosures[slot] = disclosure = b64url_bytes(data)
        if len(disclosure) > limits.DISCLOSURE_BYTES:
            _oversized(f"{slot} has {len(disclosure)} bytes, over {limits.DISCLOSURE_BYTES}")
        digests.append(sha256(disclosure).digest())
        at += SALT_CHARS
    decoys = os.urandom(32 * (limits.STATEMENT_SLOTS - len(slots)))
    digests += [decoys[at : at + 32] for at in range(0, len(decoys), 32)]
    return disclosures, sorted(_digest_texts(digests))


def _digest_texts(digests: Sequence[bytes]) -> list[str]:
    """Each 32-byte digest in base64url, all encoded at once: it is what signing and reading do most.

    With a zero byte after it a digest is eleven whole groups, 44 characters, of which the last is
    the zero byte's own.
    """
    text = b64url(b"\0".join([*digests, b""]))
    return [text[at : at + DIGEST_CHARS] for at in range(0, len(text), DIGEST_CHARS + 1)]


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
    return _statement(unsigned.claims, {}, jwt, unsigned.disclosures, unsigned.slots)


@lru_cache(maxsize=64)
def _header(kid: str) -> bytes:
    return b64url_bytes(orjson.dumps({"alg": "EdDSA", "kid": kid, "typ": TYP}))


# --- checking


def _parse(presentation: bytes) -> _Parsed:
    if len(presentation) > limits.STATEMENT_BYTES:
        _oversized(f"{len(presentation)} bytes, over {limits.STATEMENT_BYTES}")
    jwt, *disclosed = presentation.split(b"~")
    if not disclosed or disclosed.pop():
        _malformed("a statement ends with ~ (key binding is not used)")
    if len(disclosed) > limits.STATEMENT_SLOTS:
        _oversized(f"{len(disclosed)} disclosures, over {limits.STATEMENT_SLOTS}")
    parts = jwt.split(b".")
    if len(parts) != 3:
        _malformed("the signed part is not header.payload.signature")
    kid = _read_header(parts[0])
    signature = _decode(parts[2], "signature")
    if len(signature) != 64:
        _malformed("an Ed25519 signature is 64 bytes")
    payload = _read_json(_decode(parts[1], "payload"), "payload")
    if not isinstance(payload, dict):
        _malformed("the payload is not an object")
    digests = _read_digests(payload)
    claims = _read_claims(payload)
    extra = {name: value for name, value in payload.items() if name not in _KNOWN}
    if not _FOREIGN.isdisjoint(extra) or "..." in extra:
        _malformed("the payload has a claim that no statement has")
    disclosures, slots = _read_disclosures(disclosed, digests, payload)
    check_ladders(slots)
    statement = _statement(claims, extra, jwt, disclosures, slots)
    return _Parsed(statement, kid, signature)


@lru_cache(maxsize=1024)
def _read_header(encoded: bytes) -> str:
    """The key's name. A header is exactly ours: one algorithm, one type, nothing else."""
    if len(encoded) > limits.KIB:  # also bounds what the cache holds
        _oversized(f"a header of {len(encoded)} bytes")
    header = _read_json(_decode(encoded, "header"), "header")
    if not isinstance(header, dict) or header.keys() != {"alg", "kid", "typ"}:
        _malformed("the header is not of alg, kid and typ alone")
    if header["alg"] != "EdDSA":
        _malformed(f"the algorithm is {header['alg']!r:.20}, not EdDSA")
    if header["typ"] != TYP:
        _malformed(f"the type is {header['typ']!r:.40}, not {TYP}")
    if not isinstance(header["kid"], str):
        _malformed("kid is not a text")
    return header["kid"]


def _read_digests(payload: dict[str, Any]) -> set[str]:
    if payload.get("_sd_alg") != "sha-256":
        _malformed("the digests are not said to be sha-256")
    digests = payload.get("_sd")
    if not isinstance(digests, list) or len(digests) != limits.STATEMENT_SLOTS:
        _malformed(f"there are not {limits.STATEMENT_SLOTS} digests")
    if set(map(type, digests)) != {str} or set(map(len, digests)) != {DIGEST_CHARS}:
        _malformed("a digest is not 32 bytes in base64url")
    if not _DIGESTS.fullmatch("".join(digests)):
        _malformed("a digest is not base64url")
    found = set(digests)
    if len(found) != len(digests) or sorted(digests) != digests:
        _malformed("the digests are not sorted, or one stands twice")
    return found


def _read_claims(payload: Mapping[str, Any]) -> _Claims:
    if any(payload.get(name, "") is None for name in _DUTIES):
        _malformed("a duty that is not said is left out, not null")
    try:
        claims = msgspec.convert(payload, _Claims)
    except msgspec.ValidationError as e:
        _malformed(str(e))
    if not is_node_name(claims.iss) or not is_id(claims.jti):
        _malformed("iss is no node name or jti is no UUID in lower case")
    if claims.retain_until is not None:
        check_ladders({"time.day": claims.retain_until})
    return claims


def _read_disclosures(
    disclosed: Sequence[bytes], digests: set[str], payload: Mapping[str, Any]
) -> tuple[dict[str, bytes], dict[str, Any]]:
    found = set(_digest_texts([sha256(disclosure).digest() for disclosure in disclosed]))
    if len(found) != len(disclosed):
        raise Refused("altered-disclosure", "a disclosure is there twice")
    if not found <= digests:
        raise Refused("altered-disclosure", "a disclosure is not one that was signed")
    parts = _read_together(disclosed) or [_read_disclosure(disclosure) for disclosure in disclosed]
    slots = dict(parts)
    if len(slots) != len(parts):
        twice, _ = Counter(slot for slot, _ in parts).most_common(1)[0]
        raise Refused("altered-disclosure", f"the slot {twice} is disclosed twice", where=twice)
    if not payload.keys().isdisjoint(slots):
        _malformed("a slot has the name of a claim", min(payload.keys() & slots))
    return dict(zip(slots, disclosed, strict=True)), slots


# `_read_together` decodes all disclosures as one base64 text of one JSON array, with this random text
# between each two. It is 30 bytes, whole groups of base64. `_FILL` completes the last group of what
# stands before it, by length modulo 4, so that its bytes after the disclosure's own are tabs.
_BETWEEN = os.urandom(13).hex()
_BETWEEN_64 = b64url_bytes(f',"{_BETWEEN}",'.encode())
_FILL = (b"", b"", b"kJ", b"J")


def _read_together(disclosed: Sequence[bytes]) -> list[tuple[str, Any]] | None:
    """Slots and values of disclosures that are spelt as we spell them, and None where anything is
    out of the ordinary: `_read_disclosure` then says what is wrong, or that nothing is. It is a
    third of the work of reading each, which is what verifying does most beside its signature.

    Why this reads each as it would be read alone: nobody outside knows `_BETWEEN`. Where it is every
    second element of the array, between two of them stands one whole value. That is one disclosure
    and its tabs; were its spare bits not zero, they would be no tabs, and such a text is no array.
    """
    if not disclosed or max(map(len, disclosed)) > limits.DISCLOSURE_BYTES:
        return None
    try:
        decoded = unb64url(_BETWEEN_64.join([text + _FILL[len(text) & 3] for text in disclosed]))
        text = b"[%b]" % decoded
        found = orjson.loads(text)
        salts, slots, values = zip(*found[::2], strict=True)
        ours = orjson.dumps(found) == text.translate(None, b"\t")
    except (ValueError, TypeError):
        return None
    if not (
        ours
        and len(slots) == len(disclosed)
        and found[1::2] == [_BETWEEN] * (len(slots) - 1)
        and set(map(type, found[::2])) == {list}
        and set(map(type, salts + slots)) == {str}
        and all(map(_SLOT.fullmatch, set(slots) - SLOTS))
        and check_slots(values, text)
    ):
        return None
    return list(zip(slots, values, strict=True))


def _read_disclosure(disclosure: bytes) -> tuple[str, Any]:
    if len(disclosure) > limits.DISCLOSURE_BYTES:
        _oversized(f"a disclosure of {len(disclosure)} bytes, over {limits.DISCLOSURE_BYTES}")
    try:
        data = unb64url(disclosure)
        salt, slot, value = found = orjson.loads(data)
        if type(value) is list or type(value) is dict:
            check(found, data)
    except (ValueError, TypeError, RecursionError) as e:
        raise Refused("malformed", f"a disclosure is not [salt, slot, value]: {e}") from e
    if type(found) is not list or type(salt) is not str or type(slot) is not str:
        _malformed("a disclosure is not [salt, slot, value]")
    if slot not in SLOTS and not _SLOT.fullmatch(slot):  # unknown ones are kept, if of a slot's form
        _malformed("a disclosure names no slot")
    return slot, value


def _key_of(parsed: _Parsed, keys: Mapping[str, Ed25519PublicKey]) -> Ed25519PublicKey:
    key = keys.get(parsed.statement.iss)
    if key is None:
        raise Refused("unknown-originator", f"no key is known for {parsed.statement.iss}")
    if thumbprint(key) != parsed.kid:
        raise Refused("forged-signature", f"signed with a key that is not {parsed.statement.iss}'s")
    return key


def _check_signature(parsed: _Parsed, key: Ed25519PublicKey) -> None:
    try:
        key.verify(parsed.signature, parsed.statement.jwt.rpartition(b".")[0])
    except InvalidSignature as e:
        raise Refused(
            "forged-signature", f"the signature of {parsed.statement.iss} does not hold"
        ) from e


def _statement(
    claims: _Claims,
    extra: Mapping[str, Any],
    jwt: bytes,
    disclosures: Mapping[str, bytes],
    slots: Mapping[str, Any],
) -> Statement:
    return Statement(
        iss=claims.iss,
        jti=claims.jti,
        ver=claims.ver,
        kind=claims.kind,
        marking=claims.marking,
        onward=claims.onward,
        exercise=claims.exercise,
        purpose=claims.purpose,
        retain_until=claims.retain_until,
        personal=claims.personal,
        extra=extra,
        jwt=jwt,
        disclosures=disclosures,
        slots=slots,
    )


def _decode(encoded: bytes, what: str) -> bytes:
    try:
        return unb64url(encoded)
    except ValueError as e:
        raise Refused("malformed", f"the {what} is {e}") from e


def _read_json(data: bytes, what: str) -> Any:
    try:
        return strict_json(data)
    except (ValueError, RecursionError) as e:
        raise Refused("malformed", f"the {what} cannot be read: {e}") from e


def _malformed(what: str, where: str = "") -> NoReturn:
    raise Refused("malformed", what, where=where)


def _oversized(what: str) -> NoReturn:
    raise Refused("oversized-statement", f"a statement is too large: {what}")
