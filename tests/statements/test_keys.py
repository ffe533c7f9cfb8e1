"""Keys on disk, and as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from samsyn.base.errors import ConfigError
from samsyn.statements import keys


def test_keys_are_made_once_kept_to_oneself_and_read_again(tmp_path: Path) -> None:
    made = keys.generate(tmp_path / "keys")
    again = keys.load(tmp_path / "keys")
    for name in keys.NAMES:
        one, two = (getattr(k, name).public_key() for k in (made, again))
        assert keys.public_text(one) == keys.public_text(two)
        assert (tmp_path / "keys" / f"{name}.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert len({keys.public_text(getattr(made, name).public_key()) for name in keys.NAMES}) == 3
    with pytest.raises(ConfigError, match="exists already"):
        keys.generate(tmp_path / "keys")
    assert repr(made) == "NodeKeys(...)"


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    keys.generate(tmp_path)
    (tmp_path / "log.pem").chmod(0o640)
    with pytest.raises(ConfigError, match="others can read") as caught:
        keys.load(tmp_path)
    assert "chmod 600" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"noise", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key(tmp_path: Path, content: bytes) -> None:
    keys.generate(tmp_path)
    (tmp_path / "request.pem").write_bytes(content)
    with pytest.raises(ConfigError, match="no private key") as caught:
        keys.load(tmp_path)
    assert "request.pem" in str(caught.value)


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    keys.generate(tmp_path)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "statement.pem").write_bytes(pem)
    with pytest.raises(ConfigError, match="no Ed25519 key"):
        keys.load(tmp_path)


def test_a_key_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read a key"):
        keys.load(tmp_path)


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 43 + "=", "not base64!"])
def test_texts_that_are_no_public_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|32 bytes|length|padding"):
        keys.public_from_text(text)
