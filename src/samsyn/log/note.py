"""Signed notes (C2SP signed-note): text, a blank line, and one signature a line.

text, any number of lines
<blank>
— NAME BASE64(key id, 4 bytes || signature)
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.errors import Refused

ED25519 = 0x01  # signature type bytes of C2SP signed-note
COSIGNATURE_V1 = 0x04
KEY_ID_BYTES = 4
NOTE_SIGNATURES = 16  # a verifier must take at least 16 (signed-note); we take no more

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"^[^\s+]+$")


class Signature(msgspec.Struct, frozen=True):
    """One signature line: who, with which key, and the raw signature after the key id."""

    name: str
    key_id: bytes
    data: bytes


class Note(msgspec.Struct, frozen=True):
    """A note taken apart. Nothing in it is to be believed before a signature was checked."""

    text: str
    signatures: tuple[Signature, ...]


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that name a key: SHA-256(name || 0x0A || type || public key)[:4]."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:KEY_ID_BYTES]


def verifier_key(name: str, kind: int, public: bytes) -> str:
    """A key as C2SP writes it for people and files: `name+id+base64(type || public key)`."""
    encoded = base64.b64encode(bytes([kind]) + public).decode()
    return f"{name}+{key_id(name, kind, public).hex()}+{encoded}"


def signature_line(name: str, id_: bytes, signature: bytes) -> str:
    """One line to stand under a note. Raises `ValueError` for a name that a note cannot carry."""
    if not _NAME.match(name) or _CONTROL.search(name):
        raise ValueError(f"{name!r} cannot name a key in a note")
    return f"— {name} {base64.b64encode(id_ + signature).decode()}\n"


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> bytes:
    """The note `text` signed by `key` under `name`. Raises `ValueError` for text that is no note."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note is lines of text, each ended by a newline, with no control characters")
    id_ = key_id(name, ED25519, key.public_key().public_bytes_raw())
    return f"{text}\n{signature_line(name, id_, key.sign(text.encode()))}".encode()


def parse_note(note: bytes) -> Note:
    """Take a note apart without checking any signature. Raises `Refused("malformed-note")`."""
    if len(note) > limits.CHECKPOINT_BYTES:
        raise Refused("malformed-note", f"a note of {len(note)} bytes is over {limits.CHECKPOINT_BYTES}")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as e:
        raise Refused("malformed-note", "a note is not UTF-8") from e
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n") or _CONTROL.search(whole):
        raise Refused("malformed-note", "not a signed note")
    signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > NOTE_SIGNATURES:
        raise Refused("malformed-note", f"a note with more than {NOTE_SIGNATURES} signatures")
    return Note(text + "\n", signatures)


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not _NAME.match(parts[1]):
        raise Refused("malformed-note", "not a signature line")
    try:
        data = base64.b64decode(parts[2], validate=True)
    except (binascii.Error, ValueError) as e:
        raise Refused("malformed-note", "a signature is not base64") from e
    if len(data) <= KEY_ID_BYTES or base64.b64encode(data).decode() != parts[2]:
        raise Refused("malformed-note", "a signature is not canonical base64")
    return Signature(parts[1], data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def open_note(note: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Note:
    """The note with only the signatures that `keys` (by name) made and that hold, at least one.

    A line whose name or key id is not known is passed over, as signed-note demands. Raises
    `Refused("malformed-note")`, or `Refused("forged-note")` where none is known or a known one fails.
    """
    found = parse_note(note)
    good = tuple(s for s in found.signatures if s.name in keys and _holds(found, s, keys[s.name]))
    if not good:
        raise Refused("forged-note", "no known key has signed this note")
    return Note(found.text, good)


def _holds(note: Note, signature: Signature, public: Ed25519PublicKey) -> bool:
    if signature.key_id != key_id(signature.name, ED25519, public.public_bytes_raw()):
        return False
    check(public, signature.data, note.text.encode(), signature.name)
    return True


def check(public: Ed25519PublicKey, signature: bytes, message: bytes, name: str) -> None:
    """Raises `Refused("forged-note")` unless `signature` holds."""
    try:
        public.verify(signature, message)
    except InvalidSignature as e:
        raise Refused("forged-note", f"the signature of {name} does not hold") from e
