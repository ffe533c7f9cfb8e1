"""Checkpoints (C2SP tlog-checkpoint): a note that says how long a log is and what its root is.

samsyn.dk/exercise/fi        origin: node, realm, reader
12                           size
7v1x...=                     root hash, base64
                             (blank)
— samsyn.dk/exercise/fi AbCd...
"""

from __future__ import annotations

import base64
import binascii

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base.errors import Refused
from samsyn.log.merkle import EMPTY_ROOT, HASH_BYTES
from samsyn.log.note import open_note, sign_note

SIZE_MAX = 2**63 - 1


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree head. `extensions` are lines that later versions of the format may add; we write none."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions]
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note as a checkpoint. Raises `Refused("malformed-checkpoint")`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise Refused("malformed-checkpoint", "a checkpoint has three lines or more, none empty")
    origin, size_text, root_text, *extensions = lines
    if not (size_text.isascii() and size_text.isdigit()) or str(int(size_text[:20])) != size_text:
        raise Refused("malformed-checkpoint", "the size of a checkpoint is not a plain number")
    size = int(size_text)
    try:
        root = base64.b64decode(root_text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise Refused("malformed-checkpoint", "the root of a checkpoint is not base64") from e
    if len(root) != HASH_BYTES or base64.b64encode(root).decode() != root_text or size > SIZE_MAX:
        raise Refused("malformed-checkpoint", "the root or size of a checkpoint cannot be right")
    if size == 0 and root != EMPTY_ROOT:
        raise Refused("malformed-checkpoint", "an empty log has another root")
    return Checkpoint(origin, size, root, tuple(extensions))


def sign_checkpoint(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> bytes:
    """The signed checkpoint of a log; the key's name is the origin (tlog-checkpoint, Signatures).

    Raises `ValueError` for an origin that would make the text mean something else: a cosignature
    begins with a line of its own kind, and one key may make both.
    """
    checkpoint = Checkpoint(origin, size, root)
    if origin == "cosignature/v1" or parse_checkpoint(checkpoint.text()) != checkpoint:
        raise ValueError(f"{origin!r} cannot be the origin of a log")
    return sign_note(checkpoint.text(), origin, key)


def open_checkpoint(note: bytes, origin: str, public: Ed25519PublicKey) -> Checkpoint:
    """The checkpoint in `note` if the log's own key signed it and it is of `origin`.

    Raises `Refused("forged-checkpoint")` for anything else; other signatures are passed over.
    """
    try:
        checkpoint = parse_checkpoint(open_note(note, {origin: public}).text)
    except Refused as e:
        raise Refused("forged-checkpoint", e.what, where=origin, evidence={"note": note}) from e
    if checkpoint.origin != origin:
        raise Refused(
            "forged-checkpoint",
            f"this is a checkpoint of {checkpoint.origin!r}",
            where=origin,
            evidence={"note": note},
        )
    return checkpoint
