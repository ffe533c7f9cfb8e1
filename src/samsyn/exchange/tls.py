"""The node's certificate, and connections that accept exactly one.

There is no authority to trust: a partner's certificate is in its card, the card was compared by its
words, and a connection stands only if the other end shows that very certificate (DER equality,
checked inside the handshake, before a byte of ours is sent). TLS 1.3 only.

The server sees no client certificate (no ASGI server shows one to the app): clients prove who they
are by signed requests, see `signing`.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from samsyn.base.clock import SECOND_US
from samsyn.base.errors import ConfigError

CERTIFICATE_FILE = "tls.pem"
KEY_FILE = "tls.key.pem"
VALID_DAYS = 3650  # the pin is what is trusted; a date only ends what everybody has forgotten


def generate(folder: Path, name: str, now_us: int) -> str:
    """Make a P-256 key and a self-signed certificate for node `name`; returns the certificate (PEM).

    Written to `folder`, the key readable by its owner only. `now_us` is wall time. Raises
    `ConfigError` where there is a key already.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"samsyn {name}")])
    now = datetime.fromtimestamp(now_us // SECOND_US, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a partner's clock may be behind ours
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        file = os.open(folder / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as e:
        raise ConfigError(
            "this key exists already", where=str(folder / KEY_FILE), do="move it away first"
        ) from e
    with os.fdopen(file, "wb") as out:
        out.write(secret)
        out.flush()
        os.fsync(out.fileno())
    (folder / CERTIFICATE_FILE).write_bytes(pem)
    return pem.decode()


def own_certificate(folder: Path) -> str:
    """This node's certificate (PEM). Raises `ConfigError`."""
    try:
        return (folder / CERTIFICATE_FILE).read_text()
    except OSError as e:
        raise ConfigError(
            f"cannot read this node's certificate: {e.strerror}", where=str(folder / CERTIFICATE_FILE)
        ) from e


def certificate_der(pem: str) -> bytes:
    """The certificate's bytes. Raises `ValueError` unless `pem` is one certificate, self-signed, whose
    key is P-256 or Ed25519, and nothing beside it.
    """
    found = x509.load_pem_x509_certificate(pem.encode())
    if found.public_bytes(serialization.Encoding.PEM).decode() != pem:
        raise ValueError("not one certificate in its usual PEM spelling")
    try:
        found.verify_directly_issued_by(found)
    except Exception as e:  # the library raises several kinds; any of them means: not its own issuer
        raise ValueError("not a self-signed certificate") from e
    key = found.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("a certificate on another curve than P-256")
    return found.public_bytes(serialization.Encoding.DER)


def server_context(
    folder: Path, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """For listening with the certificate in `folder`, or with another that others trust: PEM, the chain
    and its key (in the same file where `key` is None). Raises `ConfigError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    own = certificate is None
    chain = certificate or folder / CERTIFICATE_FILE
    try:
        context.load_cert_chain(chain, folder / KEY_FILE if own else key or chain)
    except OSError as e:  # ssl.SSLError is one
        raise ConfigError(f"cannot use this certificate: {e}", where=str(chain)) from e
    return context


class _PinnedObject(ssl.SSLObject):
    """Ends the handshake with an error unless the peer showed the pinned certificate."""

    def do_handshake(self) -> None:
        super().do_handshake()
        if not isinstance(self.context, _PinnedContext) or self.getpeercert(True) != self.context.pinned:
            raise ssl.SSLCertVerificationError("the partner showed another certificate than its card's")


class _PinnedSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        if not isinstance(self.context, _PinnedContext) or self.getpeercert(True) != self.context.pinned:
            raise ssl.SSLCertVerificationError("the partner showed another certificate than its card's")


class _PinnedContext(ssl.SSLContext):
    pinned: bytes = b""
    sslobject_class = _PinnedObject
    sslsocket_class = _PinnedSocket


def client_context(certificate: str) -> ssl.SSLContext:
    """For connecting to the partner whose card carries `certificate` (PEM).

    The certificate is the only anchor, and the peer must show it itself. Names are not compared:
    the pin says more than a name could, and a partner may move to another address.
    """
    context = _PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.pinned = certificate_der(certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return context
