"""Certificates for readers that show one instead of a token: TAK clients, mostly.

The node is its own small authority, so that a TLS library accepts what it issued at all. Who a reader
is says the hash that is kept of its one certificate, not a name in it; so revoking needs no list.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from samsyn.base.clock import SECOND_US
from samsyn.base.errors import ConfigError
from samsyn.exchange.tls import server_context

AUTHORITY_FILE: Final = "readers-ca.pem"
AUTHORITY_KEY_FILE: Final = "readers-ca.key.pem"
AUTHORITY_DAYS: Final = 3650
READER_DAYS: Final = 730


class Issued(NamedTuple):
    """A new certificate and its key, which are kept nowhere else. der: what is known of it here."""

    der: bytes
    certificate_pem: bytes
    key_pem: bytes
    p12: bytes


def issue(folder: Path, node: str, reader: str, password: str, now_us: int) -> Issued:
    """A certificate for a reader, by the authority in `folder`, which is made if there is none.

    `password` opens the PKCS #12 file, as TAK clients want one. Raises `ConfigError`.
    """
    now = datetime.fromtimestamp(now_us // SECOND_US, UTC)
    if not (folder / AUTHORITY_FILE).exists():
        _make_authority(folder, node, now)
    try:
        authority = x509.load_pem_x509_certificate((folder / AUTHORITY_FILE).read_bytes())
        secret = serialization.load_pem_private_key((folder / AUTHORITY_KEY_FILE).read_bytes(), None)
    except (OSError, ValueError) as e:
        raise ConfigError(f"cannot use the readers' authority: {e}", where=str(folder)) from e
    if not isinstance(secret, ec.EllipticCurvePrivateKey):
        raise ConfigError("the readers' authority has another key than it was made with")
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, reader)]), now, READER_DAYS)
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(password.encode())
    return Issued(
        der=made.public_bytes(serialization.Encoding.DER),
        certificate_pem=made.public_bytes(serialization.Encoding.PEM),
        key_pem=_secret_pem(key),
        p12=pkcs12.serialize_key_and_certificates(reader.encode(), key, made, [authority], locked),
    )


def readers_context(
    folder: Path, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """For listening where readers may show a certificate; else as `server_context`. Raises
    `ConfigError`."""
    context = server_context(folder, certificate, key)
    if (folder / AUTHORITY_FILE).exists():
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(folder / AUTHORITY_FILE)
    return context


def _make_authority(folder: Path, node: str, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"samsyn {node} readers")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        _builder(name, now, AUTHORITY_DAYS)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    file = os.open(folder / AUTHORITY_KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(_secret_pem(key))
        out.flush()
        os.fsync(out.fileno())
    (folder / AUTHORITY_FILE).write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _builder(name: x509.Name, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _secret_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
