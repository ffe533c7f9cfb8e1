"""Keys that a node has replaced: what they signed stays, and nothing new is taken by them.

With each succession a node says, for the channel that it writes to us, how many entries it had then. Old
keys stand for entries below that size and for heads up to it, for good; above, they are refused, whoever
holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base.errors import Refused
from samsyn.channels.batch import Batch
from samsyn.log.checkpoint import Checkpoint, open_checkpoint
from samsyn.statements.sign import Verify, signed_by
from samsyn.statements.statement import Statement


class Retired(msgspec.Struct, frozen=True):
    """Two public keys that a node had, and the size of its channel when it replaced them."""

    statement_key: Ed25519PublicKey
    log_key: Ed25519PublicKey
    size: int


def open_head(note: bytes, origin: str, key: Ed25519PublicKey, retired: Sequence[Retired]) -> Checkpoint:
    """A head by the node's log key, or by a former one if it is no longer than that key may say.

    Raises `Refused` ("forged-checkpoint", "retired-key").
    """
    try:
        return open_checkpoint(note, origin, key)
    except Refused:
        for former in retired:
            try:
                head = open_checkpoint(note, origin, former.log_key)
            except Refused:
                continue
            if head.size > former.size:
                raise Refused(
                    "retired-key",
                    f"a head of {head.size} entries by a key that was replaced at {former.size}",
                    where=origin,
                    evidence={"checkpoint-received": note},
                ) from None
            return head
        raise


def check_views(batch: Batch, partner: str, retired: Sequence[Retired]) -> None:
    """Raises `Refused` ("retired-key") for a statement signed with a key that was replaced before its
    entry was written."""
    for former in retired:
        for n, entry in enumerate(batch.entries, batch.after):
            if n >= former.size and entry.view and signed_by(entry.view.encode(), former.statement_key):
                raise Refused(
                    "retired-key",
                    f"entry {n} has a signature by a key that {partner} replaced at {former.size}",
                )


def by_key(
    verify: Verify, former_keys: Callable[[], Mapping[str, Sequence[Ed25519PublicKey]]]
) -> Verify:
    """`verify`, but what names a former key of its originator is checked by that one.

    former_keys: by originator; asked each time, since partners take new keys while we run.
    """

    def check(presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]) -> list[Statement]:
        former = {name: found for name, found in former_keys().items() if name in keys}
        if not former:
            return verify(presentations, keys)
        groups: dict[tuple[str, int] | None, list[int]] = {}
        for n, presentation in enumerate(presentations):
            groups.setdefault(_former_key(presentation, former), []).append(n)
        found: dict[int, Statement] = {}
        for named, places in groups.items():
            use = keys if named is None else {**keys, named[0]: former[named[0]][named[1]]}
            checked = verify([presentations[n] for n in places], use)
            found.update(zip(places, checked, strict=True))
        return [found[n] for n in range(len(presentations))]

    return check


def _former_key(
    presentation: bytes, former: Mapping[str, Sequence[Ed25519PublicKey]]
) -> tuple[str, int] | None:
    for name, keys in former.items():
        for n, key in enumerate(keys):
            if signed_by(presentation, key):
                return name, n
    return None
