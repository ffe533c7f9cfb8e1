"""Taking a presentation apart and believing nothing of it: every rule of its form, no signature yet.

The rules stand here in Python. Where it was built, `_read.c` takes apart what is spelt as we spell it,
several times as fast; whatever it finds odd it leaves to these rules, so that what is refused, and
why, is always said here (docs/adr/0017).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple, NoReturn

import msgspec
import orjson

from samsyn.base import limits
from samsyn.base.encoding import b64url, b64url_bytes, unb64url
from samsyn.base.errors import Refused
from samsyn.base.ids import is_id, is_node_name
from samsyn.statements import attachments
from samsyn.statements.forms import FORMS
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS, check_ladders, is_cell_over
from samsyn.statements.statement import Disclosures, Statement
from samsyn.statements.strict import check, check_slots, strict_json

_FORM = 5  # of what `_read.take_apart` gives
compiled: ModuleType | None
try:
    from samsyn.statements import _read

    compiled = _read if getattr(_read, "FORM", 1) == _FORM else None  # else built from older sources
except ImportError:  # built without a C compiler, or what it was linked to is not here
    compiled = None

TYP = "samsyn-statement+sd-jwt"
DIGEST_CHARS = 43  # of a SHA-256 in base64url

_LADDERS = frozenset([f"place.{rung}" for rung in PLACE_RUNGS] + [f"time.{rung}" for rung in TIME_RUNGS])
_WORDS = ("title", "summary", "text", "confidence", "author", "sources", "refs", "tags")
SLOTS = _LADDERS.union(_WORDS, attachments.SLOTS)
_SLOT = re.compile(r"[a-z][a-z0-9_]{0,30}(\.[a-z0-9_]{1,41})?")
_DIGESTS = re.compile(r"[A-Za-z0-9_-]*")

# Claims that other uses of JWT act on. Some are times; all would mean something we do not enforce.
_FOREIGN = frozenset(["iat", "exp", "nbf", "aud", "sub", "cnf", "status", "vct", "auth_time", "nonce"])


class Claims(msgspec.Struct):
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


DUTIES = ("purpose", "retain_until", "personal")
_ABSENT = ("",) * len(DUTIES)
_KNOWN = frozenset([*Claims.__struct_fields__, "_sd", "_sd_alg"])


class Read(NamedTuple):
    """A statement whose form holds. Whether its originator signed it is still to be checked."""

    statement: Statement
    kid: str
    sealed: bytes  # the signature, 64 bytes, and what it is over: header.payload


def read(presentation: bytes) -> Read:
    """Raises `Refused` ("malformed", "oversized-statement", "altered-disclosure",
    "finer-outside-coarser")."""
    if len(presentation) > limits.STATEMENT_BYTES:
        oversized(f"{len(presentation)} bytes, over {limits.STATEMENT_BYTES}")
    ours = take_ours(presentation)
    if ours is not None and (ours[6] is None or is_cell_over(*ours[6])):
        return _read_ours(presentation, *ours)
    pieces = take_apart(presentation)
    return _read_whole(presentation) if pieces is None else _read_pieces(presentation, *pieces)


Pieces = tuple[bytes, bytes, bytes, dict[str, Any], dict[str, Any], None, None]
"""Encoded header, `Read.sealed`, signed part, payload without its digests, and values by slot in the
order of the disclosures."""

Ours = tuple[
    bytes,
    bytes,
    bytes,
    tuple[str, str, int, str, str, str, bool],
    dict[str, Any],
    tuple[str, ...],
    tuple[float, float, int, int] | None,
]
"""The same of a statement of a kind that has forms (`forms`), which fit. In place of the payload iss,
jti, ver, kind, marking, onward and exercise, checked; values only of what has no form; all slots; what
`is_cell_over` is still to be asked, where there is something.

Values of a ladder are not among them where its rungs are those of one instant, or of one point and its
cells: those are checked but for that."""


def take_apart(presentation: bytes) -> Pieces | None:
    """The pieces of a presentation spelt as we spell it, each disclosure one that was signed.

    None for every other one, and without compiled code. Claims, ladders and signature are not checked.
    """
    found: Pieces | None = _taken(presentation, None)
    return found


def take_ours(presentation: bytes) -> Ours | None:
    """As `take_apart`, of statements as nearly all are: claims are checked, and most slots are."""
    found: Ours | None = _taken(presentation, FORMS)
    return found


def _taken(presentation: bytes, forms: Mapping[str, Mapping[str, bytes]] | None) -> Any:
    if compiled is None:
        return None
    return compiled.take_apart(
        presentation,
        limits.STATEMENT_SLOTS,
        limits.DISCLOSURE_BYTES,
        limits.STATEMENT_JSON_DEPTH,
        forms,
    )


class Slots(Mapping[str, Any]):
    """The slots of a presentation that was read, in order. Most are kept as they came: values are
    made when one is first asked for that nobody has needed yet.

    kind: of the statement. made: values that its forms did not decide; all others fit that kind's.
    """

    __slots__ = ("_names", "_presentation", "kind", "made")

    def __init__(
        self, presentation: bytes, kind: str, made: dict[str, Any], names: tuple[str, ...]
    ) -> None:
        self._presentation = presentation
        self._names = names
        self.kind = kind
        self.made = made

    def __getitem__(self, slot: str) -> Any:
        if slot not in self.made and slot in self._names:
            pieces = take_apart(self._presentation)
            self.made = pieces[4] if pieces else dict(_read_whole(self._presentation).statement.slots)
        return self.made[slot]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, slot: object) -> bool:
        return slot in self._names


def _read_ours(
    presentation: bytes,
    header: bytes,
    sealed: bytes,
    jwt: bytes,
    claims: tuple[str, str, int, str, str, str, bool],
    made: dict[str, Any],
    names: tuple[str, ...],
    _: object,
) -> Read:
    kid = _read_header(header)
    if not _LADDERS.isdisjoint(made):
        check_ladders(made)
    iss, jti, ver, kind, marking, onward, exercise = claims
    statement = Statement(
        iss=iss,
        jti=jti,
        ver=ver,
        kind=kind,
        marking=marking,
        onward=onward,
        exercise=exercise,
        jwt=jwt,
        disclosures=Disclosures(presentation, names),
        slots=Slots(presentation, kind, made, names),
    )
    return Read(statement, kid, sealed)


def _read_pieces(
    presentation: bytes,
    header: bytes,
    sealed: bytes,
    jwt: bytes,
    payload: dict[str, Any],
    slots: dict[str, Any],
    *_: None,
) -> Read:
    """What is left to check of what was taken apart: the same, in the same order, as `_read_whole`."""
    kid = _read_header(header)
    claims = read_claims(payload)
    extra = _read_extra(payload)
    _check_distinct(payload, slots)
    check_ladders(slots)
    disclosures = Disclosures(presentation, tuple(slots))
    return Read(statement_of(claims, extra, jwt, disclosures, slots), kid, sealed)


def _read_whole(presentation: bytes) -> Read:
    jwt, *disclosed = presentation.split(b"~")
    if not disclosed or disclosed.pop():
        malformed("a statement ends with ~ (key binding is not used)")
    if len(disclosed) > limits.STATEMENT_SLOTS:
        oversized(f"{len(disclosed)} disclosures, over {limits.STATEMENT_SLOTS}")
    parts = jwt.split(b".")
    if len(parts) != 3:
        malformed("the signed part is not header.payload.signature")
    kid = _read_header(parts[0])
    signature = _decode(parts[2], "signature")
    if len(signature) != 64:
        malformed("an Ed25519 signature is 64 bytes")
    payload = _read_json(_decode(parts[1], "payload"), "payload")
    if not isinstance(payload, dict):
        malformed("the payload is not an object")
    digests = _read_digests(payload)
    claims = read_claims(payload)
    extra = _read_extra(payload)
    disclosures, slots = _read_disclosures(disclosed, digests)
    _check_distinct(payload, slots)
    check_ladders(slots)
    statement = statement_of(claims, extra, jwt, disclosures, slots)
    return Read(statement, kid, signature + b".".join(parts[:2]))


def _read_extra(payload: Mapping[str, Any]) -> dict[str, Any]:
    if payload.keys() <= _KNOWN:  # nearly all
        return {}
    extra = {name: value for name, value in payload.items() if name not in _KNOWN}
    if not _FOREIGN.isdisjoint(extra) or "..." in extra:
        malformed("the payload has a claim that no statement has")
    return extra


def _check_distinct(payload: Mapping[str, Any], slots: Mapping[str, Any]) -> None:
    if not payload.keys().isdisjoint(slots):
        malformed("a slot has the name of a claim", min(payload.keys() & slots))


@lru_cache(maxsize=1024)
def _read_header(encoded: bytes) -> str:
    """The key's name. A header is exactly ours: one algorithm, one type, nothing else."""
    if len(encoded) > limits.KIB:  # also bounds what the cache holds
        oversized(f"a header of {len(encoded)} bytes")
    header = _read_json(_decode(encoded, "header"), "header")
    if not isinstance(header, dict) or header.keys() != {"alg", "kid", "typ"}:
        malformed("the header is not of alg, kid and typ alone")
    if header["alg"] != "EdDSA":
        malformed(f"the algorithm is {header['alg']!r:.20}, not EdDSA")
    if header["typ"] != TYP:
        malformed(f"the type is {header['typ']!r:.40}, not {TYP}")
    if not isinstance(header["kid"], str):
        malformed("kid is not a text")
    return header["kid"]


def _read_digests(payload: dict[str, Any]) -> set[str]:
    if payload.get("_sd_alg") != "sha-256":
        malformed("the digests are not said to be sha-256")
    digests = payload.get("_sd")
    if not isinstance(digests, list) or len(digests) != limits.STATEMENT_SLOTS:
        malformed(f"there are not {limits.STATEMENT_SLOTS} digests")
    if set(map(type, digests)) != {str} or set(map(len, digests)) != {DIGEST_CHARS}:
        malformed("a digest is not 32 bytes in base64url")
    if not _DIGESTS.fullmatch("".join(digests)):
        malformed("a digest is not base64url")
    found = set(digests)
    if len(found) != len(digests) or sorted(digests) != digests:
        malformed("the digests are not sorted, or one stands twice")
    return found


def read_claims(payload: Mapping[str, Any]) -> Claims:
    """What a payload says in clear. Raises `Refused` ("malformed")."""
    if None in payload.values() and None in map(payload.get, DUTIES, _ABSENT):
        malformed("a duty that is not said is left out, not null")
    try:
        claims = msgspec.convert(payload, Claims)
    except msgspec.ValidationError as e:
        malformed(str(e))
    if not is_node_name(claims.iss) or not is_id(claims.jti):
        malformed("iss is no node name or jti is no UUID in lower case")
    if claims.retain_until is not None:
        check_ladders({"time.day": claims.retain_until})
    return claims


def _read_disclosures(
    disclosed: Sequence[bytes], digests: set[str]
) -> tuple[dict[str, bytes], dict[str, Any]]:
    found = set(digest_texts([sha256(disclosure).digest() for disclosure in disclosed]))
    if len(found) != len(disclosed):
        raise Refused("altered-disclosure", "a disclosure is there twice")
    if not found <= digests:
        raise Refused("altered-disclosure", "a disclosure is not one that was signed")
    parts = _read_together(disclosed) or [_read_disclosure(disclosure) for disclosure in disclosed]
    slots = dict(parts)
    if len(slots) != len(parts):
        twice, _ = Counter(slot for slot, _ in parts).most_common(1)[0]
        raise Refused("altered-disclosure", f"the slot {twice} is disclosed twice", where=twice)
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
        oversized(f"a disclosure of {len(disclosure)} bytes, over {limits.DISCLOSURE_BYTES}")
    try:
        data = unb64url(disclosure)
        salt, slot, value = found = orjson.loads(data)
        if type(value) is list or type(value) is dict:
            check(found, data)
    except (ValueError, TypeError, RecursionError) as e:
        raise Refused("malformed", f"a disclosure is not [salt, slot, value]: {e}") from e
    if type(found) is not list or type(salt) is not str or type(slot) is not str:
        malformed("a disclosure is not [salt, slot, value]")
    if slot not in SLOTS and not _SLOT.fullmatch(slot):  # unknown ones are kept, if of a slot's form
        malformed("a disclosure names no slot")
    return slot, value


def digest_texts(digests: Sequence[bytes]) -> list[str]:
    """Each 32-byte digest in base64url, all encoded at once: it is what signing and reading do most.

    With a zero byte after it a digest is eleven whole groups, 44 characters, of which the last is
    the zero byte's own.
    """
    text = b64url(b"\0".join([*digests, b""]))
    return [text[at : at + DIGEST_CHARS] for at in range(0, len(text), DIGEST_CHARS + 1)]


def statement_of(
    claims: Claims,
    extra: Mapping[str, Any],
    jwt: bytes,
    disclosures: Mapping[str, bytes],
    slots: Mapping[str, Any],
) -> Statement:
    """These parts as one statement; nothing is checked."""
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


def malformed(what: str, where: str = "") -> NoReturn:
    raise Refused("malformed", what, where=where)


def oversized(what: str) -> NoReturn:
    raise Refused("oversized-statement", f"a statement is too large: {what}")
