"""What a reader's node is given when it asks for entries: JSON, one object.

    {"checkpoint": "samsyn.dk/exercise/fi\\n12\\n...",    the channel's signed head
     "after": 10,                                        first entry here, counted from 0
     "entries": [{"leaf": "{...}", "view": "eyJ...~...~"}, {"leaf": "{...}", "view": null}],
     "known": ["<hash>", ...],                           the first `after` entries begin the head
     "given": ["<hash>", ...],                           and so do these entries after them
     "withdrawn": [{"index": 11, "leaf": "{...}", "proof": ["<hash>", ...]}]}

A `release` or `widen` whose view is null was purged since; its withdrawal stands further on in
these entries or is shown in `withdrawn` with an inclusion proof against the checkpoint. Proofs are
those of RFC 6962, hashes in base64url.
"""

from __future__ import annotations

from typing import Final

import msgspec

from samsyn.base import limits
from samsyn.base.encoding import b64url, unb64url
from samsyn.base.errors import Refused
from samsyn.log.merkle import HASH_BYTES

_ENTRY_OVERHEAD_BYTES: Final = 64  # quotes, names, escapes of a leaf


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One leaf, and the view it names; None for a withdrawal and for what was purged since."""

    leaf: str
    view: str | None = None


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A withdrawal that stands outside this batch, shown to be in the log."""

    index: int
    leaf: str
    proof: list[str]


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some entries of a channel, in order, from index `after` on."""

    checkpoint: str
    after: int
    entries: list[Entry]
    known: list[str]
    given: list[str]
    withdrawn: list[Shown] = []


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Batch).decode


def encode(batch: Batch) -> bytes:
    return _encode(batch)


def entry_bytes(entry: Entry) -> int:
    """What an entry adds to a batch, at most."""
    return 2 * len(entry.leaf) + len(entry.view or "") + _ENTRY_OVERHEAD_BYTES


def decode(data: bytes) -> Batch:
    """Raises `Refused` ("oversized-batch", "malformed-batch"). Only shape and size are checked."""
    if len(data) > limits.BATCH_BYTES:
        raise Refused("oversized-batch", f"a batch of {len(data)} bytes, over {limits.BATCH_BYTES}")
    try:
        batch = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise Refused("malformed-batch", f"a batch cannot be read: {e}") from e
    if max(len(batch.entries), len(batch.withdrawn)) > limits.BATCH_ENTRIES:
        raise Refused("oversized-batch", f"a batch of more than {limits.BATCH_ENTRIES} entries")
    proofs = [batch.known, batch.given, *(shown.proof for shown in batch.withdrawn)]
    if any(len(proof) > limits.PROOF_HASHES for proof in proofs):
        raise Refused("oversized-batch", f"a proof of more than {limits.PROOF_HASHES} hashes")
    if batch.after < 0 or any(shown.index < 0 for shown in batch.withdrawn):
        raise Refused("malformed-batch", "a batch counts from below 0")
    return batch


def hashes_to_text(hashes: list[bytes]) -> list[str]:
    return [b64url(hash_) for hash_ in hashes]


def hashes_from_text(texts: list[str]) -> list[bytes]:
    """Raises `Refused` ("malformed-batch")."""
    try:
        hashes = [unb64url(text) for text in texts]
    except ValueError as e:
        raise Refused("malformed-batch", "a proof is not of hashes") from e
    if any(len(hash_) != HASH_BYTES for hash_ in hashes):
        raise Refused("malformed-batch", "a proof is not of hashes")
    return hashes
