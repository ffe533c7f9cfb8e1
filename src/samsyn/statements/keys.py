"""A node's three signing keys, and public keys as text.

One key a purpose, so that no signature made for one can be taken for another and each can be
replaced alone: `statement` signs statements, `log` checkpoints and cosignatures, `request` requests.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from samsyn.base.encoding import b64url, unb64url
from samsyn.base.errors import ConfigError

open_signed: Callable[[bytes, bytes], bytes] | None  # libsodium's, where it is here
_no_signature: tuple[type[Exception], ...] = (InvalidSignature, ValueError)
try:
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    open_signed = crypto_sign_open
    _no_signature += (BadSignatureError,)
except ImportError:  # no libsodium for this machine: OpenSSL verifies, at half the speed
    open_signed = None


class NodeKeys(msgspec.Struct, frozen=True):
    """The private keys of one node. They never leave `keys/` of its home."""

    statement: Ed25519PrivateKey
    log: Ed25519PrivateKey
    request: Ed25519PrivateKey

    def __repr__(self) -> str:
        return "NodeKeys(...)"


NEXT, READY = "next", "ready"  # keys that are about to replace these, and that they are complete

NAMES = NodeKeys.__struct_fields__


def generate(folder: Path) -> NodeKeys:
    """Make new keys in `folder` (0700), one PEM file each (0600).

    Raises `ConfigError` where one is there already: keys are not overwritten by mistake.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in NAMES:
        path = folder / f"{name}.pem"
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as e:
            raise ConfigError("this key exists already", where=str(path), do="move it away first") from e
        with os.fdopen(file, "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
    return load(folder)


def load(folder: Path) -> NodeKeys:
    """Raises `ConfigError` where a key is missing, unreadable, of another kind or open to others, and
    where the keys are just being replaced: some are old and some new then."""
    if (folder / NEXT / READY).exists():
        raise ConfigError(
            "new keys were made and are not in use yet", where=str(folder), do="samsyn keys rotate"
        )
    return NodeKeys(*(_load(folder / f"{name}.pem") for name in NAMES))


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        mode = path.stat().st_mode
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as e:
        raise ConfigError(f"cannot read a key: {e.strerror}", where=str(path), do="samsyn init") from e
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise ConfigError("this is no private key in PEM without a password", where=str(path)) from e
    if mode & 0o077:
        raise ConfigError("others can read this private key", where=str(path), do=f"chmod 600 {path}")
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("this is no Ed25519 key", where=str(path))
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """The 32 raw bytes of a public key, base64url."""
    return b64url(key.public_bytes_raw())


def public_from_text(text: str) -> Ed25519PublicKey:
    """Raises `ValueError` for what is no Ed25519 public key."""
    return Ed25519PublicKey.from_public_bytes(unb64url(text))


def holds(key: bytes, sealed: bytes) -> bool:
    """Whether the first 64 bytes of `sealed` are a signature over the others, by the owner of the
    public key `key` (32 bytes).

    Ed25519 (RFC 8032). libsodium also refuses keys and points of small order, which no honest signer
    has; what it takes, OpenSSL takes. Both let other threads run meanwhile.
    """
    try:
        if open_signed is not None:
            open_signed(sealed, key)
        else:
            Ed25519PublicKey.from_public_bytes(key).verify(sealed[:64], sealed[64:])
    except _no_signature:
        return False
    return True


def thumbprint(key: Ed25519PublicKey) -> str:
    """The name of a key in `kid`: its JWK thumbprint (RFC 7638, RFC 8037 appendix A.3)."""
    return raw_thumbprint(key.public_bytes_raw())


@lru_cache(maxsize=1024)
def raw_thumbprint(raw: bytes) -> str:
    """`thumbprint` of the 32 bytes of a key."""
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{b64url(raw)}"}}'
    return b64url(sha256(jwk.encode()).digest())
