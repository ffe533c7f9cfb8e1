"""Successions: how a partner's new keys follow its old ones, said by both.

    {"old": {card}, "new": {card}, "reader": "fi", "sizes": {"actual": 812, "exercise": 40},
     "old_signature": "...", "new_signature": "..."}

`sizes` are those of the channels that the node writes to `reader`, one a realm, when it took new keys:
below them entries may be signed with the old ones, from there on with the new ones only. One file a
reader, since how much another was given is not for this one to know. Both signatures are over the same
bytes, by the two statement keys. It is taken only as following the card that is held: once it is, the
old key can name no other successor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.encoding import b64url, to_json, unb64url
from samsyn.base.errors import InputError, LimitError, Refused
from samsyn.exchange.card import Card, public_key, read_card

SUFFIX: Final = ".succession.json"
_SIGNED: Final = b"samsyn succession v1\n"


class Succession(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The two cards, for whom, and the sizes by realm."""

    old: Card
    new: Card
    reader: str
    sizes: dict[str, int]
    old_signature: str = ""
    new_signature: str = ""

    def to_bytes(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def make_succession(
    old: Card,
    new: Card,
    reader: str,
    sizes: dict[str, int],
    old_key: Ed25519PrivateKey,
    new_key: Ed25519PrivateKey,
) -> Succession:
    """Signed by both statement keys."""
    made = Succession(old=old, new=new, reader=reader, sizes=sizes)
    said = _said(made)
    return msgspec.structs.replace(
        made, old_signature=b64url(old_key.sign(said)), new_signature=b64url(new_key.sign(said))
    )


def read_succession(data: bytes, where: str, *, held: Card | None, me: str) -> Succession:
    """A succession for this node, which follows the card `held` of that partner.

    Raises `LimitError`, `InputError` (not one), `Refused` ("forged-card", "other-reader",
    "unknown-partner", "not-the-successor", "forged-succession", "shared-key").
    """
    if len(data) > limits.SUCCESSION_BYTES:
        raise LimitError(f"a succession may have {limits.SUCCESSION_BYTES} bytes", where=where)
    try:
        found = msgspec.json.decode(data, type=Succession)
        signatures = unb64url(found.old_signature), unb64url(found.new_signature)
    except (msgspec.DecodeError, ValueError) as e:
        raise InputError(f"this is no succession: {e}", where=where) from e
    read_card(found.new.to_bytes(), where)
    if found.reader != me:
        raise Refused(
            "other-reader", f"this succession is for {found.reader}", where=where, do="ask for your own"
        )
    if held is None or held.name != found.new.name:
        raise Refused(
            "unknown-partner", f"{found.new.name} is no partner of ours", where=where, do="add its card"
        )
    if found.old.fingerprint != held.fingerprint:
        raise Refused(
            "not-the-successor",
            f"it follows a card with the words {found.old.fingerprint}, and {held.fingerprint} is held",
            where=where,
            do="do not take it; call the partner",
        )
    if secrets_of(found.old) & secrets_of(found.new):
        raise Refused("shared-key", "the new card shows an old key", where=where, do="do not take it")
    said = _said(found)
    try:
        public_key(held.statement_key).verify(signatures[0], said)
        public_key(found.new.statement_key).verify(signatures[1], said)
    except InvalidSignature as e:
        raise Refused(
            "forged-succession",
            "the succession was changed, or not signed by both keys",
            where=where,
            do="do not take it; call the partner",
        ) from e
    if any(size < 0 for size in found.sizes.values()):
        raise InputError("this is no succession: a size below 0", where=where)
    return found


def claimed_name(data: bytes) -> str:
    """Whose succession it says it is; "" where that cannot be read."""
    try:
        return msgspec.json.decode(data[: limits.SUCCESSION_BYTES], type=Succession).old.name
    except msgspec.DecodeError:
        return ""


def read_held(data: bytes) -> Succession:
    """One that was taken, from our own folder. Raises `InputError`."""
    try:
        return msgspec.json.decode(data, type=Succession)
    except msgspec.DecodeError as e:
        raise InputError(f"this is no succession: {e}") from e


class OwnPast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card that this node had, and the size of each channel when it took new keys: by realm, by
    reader. Kept beside the keys."""

    card: Card
    sizes: dict[str, dict[str, int]]


def own_past(keys: Path) -> list[OwnPast]:
    """What is kept in the folder of this node's keys of the ones it had, oldest first.

    Raises `InputError` where a file cannot be read.
    """
    paths = sorted((keys / "retired").glob("*.json"), key=lambda path: int(path.stem))
    try:
        return [msgspec.json.decode(path.read_bytes(), type=OwnPast) for path in paths]
    except msgspec.DecodeError as e:
        raise InputError(f"a file of former keys cannot be read: {e}", where=str(keys)) from e


def secrets_of(card: Card) -> set[str]:
    """What no two cards may share."""
    return {card.statement_key, card.log_key, card.request_key, card.certificate}


def _said(succession: Succession) -> bytes:
    fields = msgspec.to_builtins(succession)
    del fields["old_signature"], fields["new_signature"]
    return _SIGNED + to_json(fields)
