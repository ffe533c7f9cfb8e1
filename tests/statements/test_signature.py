"""Both libraries that check signatures say the same of everything that an honest signer can make."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base.errors import Refused
from samsyn.statements import keys
from samsyn.statements.sign import MANY, sign, verify_many
from tests.statements.samples import DK, KEYS, SE, draft

RAW = DK.public_key().public_bytes_raw()
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the base point (RFC 8032, 5.1)
IDENTITY = b"\1" + bytes(31)


@pytest.fixture(params=["libsodium", "OpenSSL"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if name == "OpenSSL":
        monkeypatch.setattr(keys, "open_signed", None)
    elif keys.open_signed is None:
        pytest.skip("libsodium is not here")
    return name


@given(text=st.binary(max_size=300), at=st.integers(0, 511))
def test_a_signature_holds_for_its_text_and_key_alone(text: bytes, at: int) -> None:
    signature = DK.sign(text)
    bent = bytearray(signature)
    bent[at // 8] ^= 1 << at % 8
    for opened in {keys.open_signed, None}:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keys, "open_signed", opened)
            assert keys.holds(RAW, signature + text)
            assert not keys.holds(RAW, bytes(bent) + text)
            assert not keys.holds(RAW, signature + text + b"x")
            assert not keys.holds(SE.public_key().public_bytes_raw(), signature + text)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_what_is_no_signature_does_not_hold(library: str, signature: bytes) -> None:
    assert not keys.holds(RAW, signature + b"text")


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), b"\xff" * 32])
def test_what_is_no_key_holds_nothing(library: str, key: bytes) -> None:
    assert not keys.holds(key, DK.sign(b"text") + b"text")


def test_a_signature_has_one_spelling(library: str) -> None:
    """Without that, one statement could have two signed parts (RFC 8032, 5.1.7)."""
    signature = DK.sign(b"text")
    other = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert keys.holds(RAW, signature + b"text")
    assert not keys.holds(RAW, signature[:32] + other + b"text")


def test_a_key_that_signs_everything_is_refused() -> None:
    """A key of small order: one signature would hold for any text."""
    if keys.open_signed is None:
        pytest.skip("libsodium is not here")
    assert not keys.holds(IDENTITY, IDENTITY + bytes(32) + b"text")


@pytest.mark.parametrize("count", [4, 2 * MANY])
def test_of_several_faults_what_cannot_be_read_is_told_first(count: int) -> None:
    good = sign(draft({"title": "t"}), iss="dk", key=DK).present()
    forged = sign(draft({"title": "t"}), iss="se", key=SE).present()
    unread: list[Any] = [good] * count
    stranger = {"dk": KEYS["dk"]}
    unread[1], unread[-1] = forged, b"nothing"
    for views, known, reason in [
        (unread, stranger, "malformed"),
        ([good, forged, *[good] * count], stranger, "unknown-originator"),
        ([good, forged, *[good] * count], {**KEYS, "se": KEYS["fi"]}, "forged-signature"),
    ]:
        with pytest.raises(Refused) as e:
            verify_many(views, known)
        assert e.value.reason == reason
