"""Cards: what two organisations swap out of band before their nodes speak.

A card names an organisation's node, where it listens, its three public keys and its TLS
certificate, signed by its own statement key: so a card cannot be changed on its way without the
fingerprint changing. The fingerprint is read aloud over a telephone and compared; only that makes
a card trusted.

    {"name":"dk","organisation":"...","address":"dk.example:8441","statement_key":"...",
     "log_key":"...","request_key":"...","certificate":"-----BEGIN ...","signature":"..."}
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.encoding import b64url, sha256, to_json, unb64url
from samsyn.base.errors import ConfigError, InputError, LimitError, Refused
from samsyn.base.ids import is_node_name
from samsyn.base.settings import split_address
from samsyn.exchange.tls import certificate_der

SUFFIX = ".card.json"
FINGERPRINT_BYTES = 12  # 96 bits, six words

_HOST = re.compile(r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])$")
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"


class Keys(Protocol):
    """The private halves of a card's keys (`statements.keys.NodeKeys` is one)."""

    @property
    def statement(self) -> Ed25519PrivateKey: ...
    @property
    def log(self) -> Ed25519PrivateKey: ...
    @property
    def request(self) -> Ed25519PrivateKey: ...


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A node's public face. Keys are Ed25519, raw, base64url; the certificate is PEM."""

    name: str
    organisation: str
    address: str  # host:port of the exchange
    statement_key: str
    log_key: str
    request_key: str
    certificate: str
    signature: str = ""

    @property
    def fingerprint(self) -> str:
        """Six words over the name, all keys and the certificate: what people compare."""
        said = [self.name, self.statement_key, self.log_key, self.request_key, b64url(self.thumbprint)]
        return words(sha256(b"samsyn fingerprint v1\n" + to_json(said))[:FINGERPRINT_BYTES])

    @property
    def thumbprint(self) -> bytes:
        """SHA-256 of the certificate (DER)."""
        return sha256(certificate_der(self.certificate))

    def to_bytes(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def write(self, path: Path) -> None:
        """Whole or not at all: a crash leaves no half card."""
        write_whole(path, self.to_bytes())


def write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all, and durable."""
    half = path.with_name(path.name + ".part")
    with half.open("wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    half.replace(path)


def make_card(name: str, organisation: str, address: str, keys: Keys, certificate: str) -> Card:
    """This node's own card, signed. Raises `ConfigError` where a field cannot stand in a card."""
    card = Card(
        name=name,
        organisation=organisation,
        address=address,
        statement_key=b64url(keys.statement.public_key().public_bytes_raw()),
        log_key=b64url(keys.log.public_key().public_bytes_raw()),
        request_key=b64url(keys.request.public_key().public_bytes_raw()),
        certificate=certificate,
    )
    try:
        _check_fields(card)
    except ValueError as e:
        raise ConfigError(f"no card can be made: {e}", where=name) from e
    return msgspec.structs.replace(card, signature=b64url(keys.statement.sign(_signed_part(card))))


def read_card(data: bytes, where: str = "card") -> Card:
    """A card from its bytes, fields and self-signature checked; that does not yet make it trusted.

    Raises `LimitError` (too long), `InputError` (not a card), `Refused` ("forged-card").
    """
    if len(data) > limits.CARD_BYTES:
        raise LimitError(f"a card may have {limits.CARD_BYTES} bytes", where=where)
    try:
        card = msgspec.json.decode(data, type=Card)
        _check_fields(card)
        signature = unb64url(card.signature)
    except (msgspec.DecodeError, ValueError) as e:
        raise InputError(
            f"this is no card: {e}", where=where, do="ask the partner to send it again"
        ) from e
    try:
        public_key(card.statement_key).verify(signature, _signed_part(card))
    except InvalidSignature as e:
        raise Refused(
            "forged-card",
            "the card was changed after it was signed",
            where=where,
            do="ask the partner to send it again, another way",
        ) from e
    return card


def public_key(text: str) -> Ed25519PublicKey:
    """An Ed25519 key from its base64url text. Raises `ValueError`."""
    return Ed25519PublicKey.from_public_bytes(unb64url(text))


def words(data: bytes) -> str:
    """Proquints (D. S. Wilkerson, arXiv 0901.4016): each 16 bits a word of five letters, "lusab-babad".

    `data` has an even number of bytes.
    """
    return "-".join(_word(int.from_bytes(data[i : i + 2])) for i in range(0, len(data), 2))


def _word(bits: int) -> str:
    return (
        _CONSONANTS[bits >> 12]
        + _VOWELS[bits >> 10 & 3]
        + _CONSONANTS[bits >> 6 & 15]
        + _VOWELS[bits >> 4 & 3]
        + _CONSONANTS[bits & 15]
    )


def _signed_part(card: Card) -> bytes:
    fields = msgspec.structs.asdict(card)
    del fields["signature"]
    return b"samsyn card v1\n" + to_json(fields)


def _check_fields(card: Card) -> None:
    if not is_node_name(card.name):
        raise ValueError(f"{card.name!r} is no node name")
    if not card.organisation.isprintable() or not 0 < len(card.organisation) <= 200:
        raise ValueError("organisation must be 1 to 200 printable characters")
    try:
        host, port = split_address(card.address, "address")
    except ConfigError as e:
        raise ValueError(str(e)) from e
    if port == 0 or not _HOST.match(host):
        raise ValueError(f"{card.address!r} is no host:port")
    keys = [card.statement_key, card.log_key, card.request_key]
    for key in keys:
        public_key(key)
    if len(set(keys)) != len(keys):
        raise ValueError("one key serves two purposes")
    certificate_der(card.certificate)
