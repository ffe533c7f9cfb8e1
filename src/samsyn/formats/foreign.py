"""Objects of other systems (STIX, MISP) as they are taken in: whole, with what decides about them.

The bytes of an object are kept as its source wrote them. Read of it is only what it is called, which
version of it this is, who made it, whether it still stands, and how it is marked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
import orjson

UNMARKED: Final = "unmarked"
"""What stands among the markings of an object that says nothing about its handling."""

UNKNOWN: Final = "unknown"
"""What stands there for a marking that we cannot read: it may be the strictest."""

REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "not-json": {"en": "not JSON", "sv": "inte JSON"},
    "key-twice": {
        "en": "a key stands twice: two readers could understand it differently",
        "sv": "en nyckel står två gånger: två läsare kan förstå den olika",
    },
    "shape": {
        "en": "not what an object of this format looks like",
        "sv": "inte vad ett objekt i formatet ser ut som",
    },
    "too-large": {
        "en": "too large to be signed as a statement",
        "sv": "för stort för att signeras som uttalande",
    },
    "unreachable": {"en": "the source does not answer", "sv": "källan svarar inte"},
    "server": {
        "en": "the server does not answer as TAXII 2.1 says",
        "sv": "servern svarar inte som TAXII 2.1 säger",
    },
    "media-type": {
        "en": "the server answers in another format than it was asked for",
        "sv": "servern svarar i ett annat format än det som begärdes",
    },
    "too-deep": {"en": "nested too deeply", "sv": "för djupt nästlat"},
    "ours": {
        "en": "its id is one of ours, or it says that we made it",
        "sv": "dess id är ett av våra, eller det säger att vi gjort det",
    },
    "samsyn": {
        "en": "it was made by a Samsyn node: read that node's channel instead",
        "sv": "det är gjort av en Samsyn-nod: läs den nodens kanal i stället",
    },
    "creator": {
        "en": "its creator is not one that this source speaks for",
        "sv": "dess upphovsman är ingen som källan talar för",
    },
    "another-creator": {
        "en": "a further version by another creator than the first one's",
        "sv": "en senare version av en annan upphovsman än den förstas",
    },
    "another-source": {
        "en": "another source gave an object of this id before, and it is not the same",
        "sv": "en annan källa har gett ett objekt med detta id förut, och det är inte detsamma",
    },
    "changed": {
        "en": "changed, but not as a new version",
        "sv": "ändrat, men inte som en ny version",
    },
    "twice": {
        "en": "the same id and version twice, with different content",
        "sv": "samma id och version två gånger, med olika innehåll",
    },
}
"""Why an object, or a whole document, is not taken; as a person reads it."""


class Foreign(msgspec.Struct, frozen=True, gc=False):
    """One object. version_us: microseconds UTC; 0 where the format has no versions. creator: "" if it
    names none. removed: it says of itself that it is gone. markings: TLP 2.0 labels, `UNMARKED`,
    `UNKNOWN`. text: its JSON. digest: SHA-256 of it, whatever its spelling. room_bytes: what `text`
    takes as a string in JSON. bundle: objects of another one of these do not go into one statement."""

    id: str
    type: str
    version_us: int
    creator: str
    removed: bool
    markings: tuple[str, ...]
    text: str
    digest: bytes
    room_bytes: int
    bundle: str = ""
    tags: tuple[str, ...] = ()


class Problem(NamedTuple):
    """Something that was not taken. reason: a key of `REASONS`; what: the object, or the document."""

    reason: str
    what: str
    detail: str = ""


class Unreadable(Exception):
    """A document, or one object of it, that is not taken."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Members(NamedTuple):
    """A JSON object in two: the one member that is a long list, its parts unread; and all others."""

    parts: Sequence[bytes]
    others: dict[str, Any]


_BEGIN: Final = 4_096  # bytes of a list by which it is looked for
_outer = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


def members(data: bytes, *names: str) -> Members:
    """A document without reading its parts: `names` are tried in turn for the member that is the list.

    Raises `Unreadable` ("not-json", "too-deep", "key-twice", "shape").
    """
    try:
        found = _outer.decode(data)
        name = next((one for one in names if one in found), None)
        array = bytes(found[name]) if name else b""
        parts = [bytes(part) for part in _list.decode(array)] if name else []
    except RecursionError as e:
        raise Unreadable("too-deep") from e
    except msgspec.ValidationError as e:
        raise Unreadable("shape", str(e)) from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise Unreadable("not-json", str(e)) from e
    others = strict(_without(data, array))
    if not isinstance(others, dict):
        raise Unreadable("shape", "not an object")
    return Members(parts, others)


def _without(data: bytes, array: bytes) -> bytes:
    """A document with an empty list in the place of a long one that stands in it."""
    if not array:
        return data
    at = data.find(array[:_BEGIN])
    if not data.startswith(array, at):
        at = data.index(array)  # sure, and slow: a needle of many megabytes
    return data[:at] + b"[]" + data[at + len(array) :]


def strict(data: bytes) -> Any:
    """JSON in which no key stands twice. Raises `Unreadable` ("not-json", "key-twice", "too-deep")."""
    try:
        value = orjson.loads(data)
        if not _each_once(data, orjson.dumps(value)):
            json.loads(data, object_pairs_hook=_no_key_twice)
    except orjson.JSONDecodeError as e:
        raise Unreadable("too-deep" if "depth limit" in str(e) else "not-json", str(e)) from e
    except (RecursionError, orjson.JSONEncodeError) as e:  # what can be read cannot always be written
        raise Unreadable("too-deep") from e
    except ValueError as e:
        raise Unreadable("key-twice", str(e)) from e
    return value


def as_said(data: bytes, value: Any) -> tuple[str, bytes, int]:
    """`Foreign`'s text, digest and room of an object: as it was written, without line ends and what
    stands around them."""
    said = (orjson.dumps(value) if b"\n" in data else data).decode()
    digest = sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()
    return said, digest, room_of(said)


def room_of(text: str) -> int:
    """Bytes that JSON text takes as a string in JSON, with a comma."""
    return len(orjson.dumps(text)) + 1


def _each_once(data: bytes, written: bytes) -> bool:
    """Whether it is clear that no key stands twice in `data`, which reads as what `written` says.

    A quote and a colon stand at the end of each key, and in a string only behind a backslash, in
    both alike; a key that stands twice is written once. That holds where `data` spells no quote and
    no end of a key in another way. In doubt False: then it is looked through.
    """
    if data == written:
        return True
    if b"\n" in data or b"\t" in data or b"\r" in data or b'" :' in data or b"\\u0022" in data:
        return False
    return data.count(b'":') == written.count(b'":')


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n])))
    return found
