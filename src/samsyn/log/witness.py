"""Cosignatures (C2SP tlog-cosignature, cosignature/v1): who else has seen this checkpoint, and when.

A reader's node cosigns its channel at size N to say: received and applied, purges included, up to N.
What is signed is the checkpoint's text under two lines of its own:

    cosignature/v1
    time 1795291503
    samsyn.dk/exercise/fi
    12
    7v1x...=
"""

from __future__ import annotations

import struct

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base.errors import Refused
from samsyn.log.checkpoint import Checkpoint, parse_checkpoint
from samsyn.log.note import COSIGNATURE_V1, check, key_id, parse_note, signature_line

TIME_MAX_S = 2**63 - 1
_TIME = struct.Struct(">Q")
_DATA_BYTES = _TIME.size + 64


class Cosignature(msgspec.Struct, frozen=True):
    """A cosignature that was checked: `name` had seen `checkpoint` at `at_s` (seconds UTC)."""

    name: str
    at_s: int
    checkpoint: Checkpoint


def _message(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def cosign(note: bytes, name: str, key: Ed25519PrivateKey, at_s: int) -> bytes:
    """`note` with one more line: `name` saw it at `at_s`. The caller has checked the note itself.

    Raises `Refused("malformed-note" | "malformed-checkpoint")` for what is no checkpoint.
    """
    if not 0 <= at_s <= TIME_MAX_S:
        raise ValueError(f"{at_s} is no time that a cosignature can carry")
    text = parse_note(note).text
    parse_checkpoint(text)
    id_ = key_id(name, COSIGNATURE_V1, key.public_key().public_bytes_raw())
    line = signature_line(name, id_, _TIME.pack(at_s) + key.sign(_message(text, at_s)))
    return note + line.encode()


def verify_cosignature(note: bytes, name: str, public: Ed25519PublicKey) -> Cosignature:
    """The cosignature of `name` on `note`; the latest where there are several.

    Raises `Refused("forged-cosignature")` where there is none or one does not hold. Says nothing
    about the log's own signature: see `checkpoint.open_checkpoint`.
    """
    id_ = key_id(name, COSIGNATURE_V1, public.public_bytes_raw())
    try:
        found = parse_note(note)
        checkpoint = parse_checkpoint(found.text)
        times_s = []
        for line in found.signatures:
            if line.name != name or line.key_id != id_:
                continue
            if len(line.data) != _DATA_BYTES:
                raise Refused("malformed-note", "a cosignature is not 72 bytes")
            (at_s,) = _TIME.unpack_from(line.data)
            check(public, line.data[_TIME.size :], _message(found.text, at_s), name)
            times_s.append(at_s)
    except Refused as e:
        raise Refused("forged-cosignature", e.what, where=name, evidence={"note": note}) from e
    if not times_s or max(times_s) > TIME_MAX_S:
        raise Refused(
            "forged-cosignature",
            "this checkpoint carries no cosignature of theirs",
            where=name,
            evidence={"note": note},
        )
    return Cosignature(name, max(times_s), checkpoint)
