"""Notes, checkpoints and cosignatures: other people's first, then our own and what is refused."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base.errors import Refused
from samsyn.log.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from samsyn.log.note import key_id, open_note, parse_note, sign_note, verifier_key
from samsyn.log.witness import cosign, verify_cosignature

LOG = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32)
ORIGIN = "samsyn.dk/exercise/fi"
ROOT = sha256(b"a root").digest()
NOTE = sign_checkpoint(ORIGIN, 12, ROOT, LOG)

# The note of the documentation of Go's golang.org/x/mod/sumdb/note.
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdn"
    "gotpRZb6KE6RyyBwJnAM=\n"
).encode()

# A checkpoint of the test data of FiloSottile/torchwood (cmd/litewitness).
TORCHWOOD_KEY = "52c05edad1bf5feffa81354faae59a655d9a9a1a793ed2f62c39c26c0be2aecd"
TORCHWOOD_ORIGIN = "sigsum.org/v1/tree/985ea163f5af026723561354f51f2ebcdcf2af809ce254ccfb64aa9aadd80f90"
TORCHWOOD = (
    f"{TORCHWOOD_ORIGIN}\n1\nKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
    f"— {TORCHWOOD_ORIGIN} 7BKT0gOfNZ1J0So9unY3BZtm2YkPIoNYM/dce0Z2avJDs8dxN6ts9bOSwwrVrbjm6P9K3Zxp"
    "K6jJngOG6YvGGzV/lwo=\n"
).encode()

# The example that opens C2SP tlog-cosignature; its keys are not published, its form and time are.
C2SP = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGz"
    "Gku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1"
    "nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()


def test_the_note_of_go() -> None:
    name, id_, encoded = GO_KEY.split("+", 2)
    public = base64.b64decode(encoded)[1:]
    assert key_id(name, 1, public).hex() == id_
    assert verifier_key(name, 1, public) == GO_KEY
    assert open_note(GO_NOTE, {name: Ed25519PublicKey.from_public_bytes(public)}).text == GO_TEXT


def test_a_checkpoint_of_torchwood() -> None:
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(TORCHWOOD_KEY))
    found = open_checkpoint(TORCHWOOD, TORCHWOOD_ORIGIN, public)
    assert (found.size, found.root) == (1, b"\x2a" + bytes(31))


def test_the_example_of_c2sp_is_read() -> None:
    note = parse_note(C2SP)
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == note.text
    witness = note.signatures[1]
    assert (witness.name, witness.key_id.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert int.from_bytes(witness.data[:8], "big") == 1679315147
    assert len(witness.data) == 72


def test_a_cosignature_is_what_the_specification_writes() -> None:
    """Made here by hand from C2SP tlog-cosignature, apart from our code."""
    text, public = NOTE.decode().split("\n\n")[0] + "\n", WITNESS.public_key().public_bytes_raw()
    id_ = sha256(b"samsyn.fi\n\x04" + public).digest()[:4]
    signed = WITNESS.sign(b"cosignature/v1\ntime 1795291503\n" + text.encode())
    line = base64.b64encode(id_ + (1795291503).to_bytes(8, "big") + signed).decode()
    by_hand = NOTE + f"— samsyn.fi {line}\n".encode()
    assert cosign(NOTE, "samsyn.fi", WITNESS, 1795291503) == by_hand


def test_from_log_to_witness_and_back() -> None:
    note = cosign(NOTE, "samsyn.fi", WITNESS, 1795291503)
    assert open_checkpoint(note, ORIGIN, LOG.public_key()) == Checkpoint(ORIGIN, 12, ROOT)
    found = verify_cosignature(note, "samsyn.fi", WITNESS.public_key())
    assert (found.at_s, found.checkpoint.size) == (1795291503, 12)
    later = cosign(note, "samsyn.fi", WITNESS, 1795291599)
    assert verify_cosignature(later, "samsyn.fi", WITNESS.public_key()).at_s == 1795291599


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_any_size_and_root_come_back(size: int, root: bytes) -> None:
    if size == 0:
        root = sha256(b"").digest()
    note = sign_checkpoint(ORIGIN, size, root, LOG)
    assert open_checkpoint(note, ORIGIN, LOG.public_key()) == Checkpoint(ORIGIN, size, root)


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    with pytest.raises(Refused):
        open_note(noise, {"a": LOG.public_key()})
    with pytest.raises(Refused):
        parse_checkpoint(noise.decode("utf-8", "replace"))


def test_extension_lines_are_kept_and_signed() -> None:
    text = Checkpoint(ORIGIN, 12, ROOT, ("more", "and more")).text()
    note = sign_note(text, ORIGIN, LOG)
    assert open_checkpoint(note, ORIGIN, LOG.public_key()).extensions == ("more", "and more")
    with pytest.raises(Refused):
        open_checkpoint(note.replace(b"and more", b"and less"), ORIGIN, LOG.public_key())


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x07b"])
def test_names_that_no_note_can_carry(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        sign_note("text\n", name, LOG)


@pytest.mark.parametrize("text", ["", "no end of line", "tab\tinside\n", "bell\x07\n", "return\r\n"])
def test_texts_that_are_no_note(text: str) -> None:
    with pytest.raises(ValueError, match="a note is"):
        sign_note(text, "a", LOG)


@pytest.mark.parametrize("origin", ["", "two\nlines", "cosignature/v1"])
def test_origins_that_would_mean_something_else(origin: str) -> None:
    with pytest.raises((ValueError, Refused)):
        sign_checkpoint(origin, 12, ROOT, LOG)


def test_a_text_with_blank_lines_ends_at_the_last() -> None:
    note = sign_note("a\n\nb\n", "a", LOG)
    assert open_note(note, {"a": LOG.public_key()}).text == "a\n\nb\n"
