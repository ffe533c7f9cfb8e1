"""What somebody could try with a log's checkpoints, cosignatures and tables, by name."""

from __future__ import annotations

import base64
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.database import Database
from samsyn.base.errors import Refused
from samsyn.log import merkle
from samsyn.log.checkpoint import open_checkpoint, parse_checkpoint, sign_checkpoint
from samsyn.log.note import parse_note, sign_note
from samsyn.log.store import SCHEMA, LogStore
from samsyn.log.witness import cosign, verify_cosignature

LOG, WITNESS, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (4, 5, 6))
ORIGIN = "samsyn.dk/exercise/fi"
ROOT = sha256(b"a root").digest()
NOTE = sign_checkpoint(ORIGIN, 12, ROOT, LOG)
COSIGNED = cosign(NOTE, "samsyn.fi", WITNESS, 1795291503)


def refused(note: bytes, origin: str = ORIGIN) -> str:
    with pytest.raises(Refused) as caught:
        open_checkpoint(note, origin, LOG.public_key())
    assert caught.value.evidence["note"] == note
    return caught.value.reason


# --- forged checkpoints


def test_a_checkpoint_by_another_key() -> None:
    assert refused(sign_checkpoint(ORIGIN, 12, ROOT, OTHER)) == "forged-checkpoint"


def test_a_changed_size_or_root() -> None:
    assert refused(NOTE.replace(b"\n12\n", b"\n13\n")) == "forged-checkpoint"
    other = base64.b64encode(sha256(b"another").digest())
    assert refused(NOTE.replace(base64.b64encode(ROOT), other)) == "forged-checkpoint"


def test_a_checkpoint_of_another_readers_channel() -> None:
    """The log's key signs every channel: the origin must be the one that was asked for."""
    other = sign_checkpoint("samsyn.dk/exercise/se", 12, ROOT, LOG)
    assert refused(other) == "forged-checkpoint"
    renamed = sign_note(parse_note(other).text, ORIGIN, LOG)  # signed under our name, of another log
    assert refused(renamed) == "forged-checkpoint"


def test_an_exercise_checkpoint_for_the_actual_channel() -> None:
    assert refused(NOTE, "samsyn.dk/actual/fi") == "forged-checkpoint"


def test_a_known_key_that_fails_beside_one_that_holds() -> None:
    line = NOTE.split(b"\n\n")[1]
    raw = bytearray(base64.b64decode(line.split(b" ")[2]))
    raw[-1] ^= 1
    bad = b"\xe2\x80\x94 " + ORIGIN.encode() + b" " + base64.b64encode(bytes(raw)) + b"\n"
    assert refused(NOTE + bad) == "forged-checkpoint"


def test_a_cosignature_is_no_signature_of_the_log() -> None:
    """One key may do both; the type byte in the key id keeps them apart."""
    text = NOTE.split(b"\n\n")[0] + b"\n"
    alone = cosign(NOTE, ORIGIN, LOG, 1).split(b"\n\n")[1].splitlines(keepends=True)[1]
    assert refused(text + b"\n" + alone) == "forged-checkpoint"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n12\n",
        f"{ORIGIN}\n012\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n-1\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n+1\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1_0\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n١٢\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n{2**63}\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n{'9' * 3000}\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n12\n{base64.b64encode(ROOT[:31]).decode()}\n",
        f"{ORIGIN}\n12\n{base64.urlsafe_b64encode(b'~' * 32).decode()}\n",
        f"{ORIGIN}\n12\n{base64.b64encode(ROOT).decode()[:-2]}B=\n",
        f"{ORIGIN}\n0\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n12\n{base64.b64encode(ROOT).decode()}\n\n\n",
        f"\n12\n{base64.b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n12\n{base64.b64encode(ROOT).decode()}",
    ],
)
def test_checkpoints_that_are_none(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_checkpoint(text)
    assert caught.value.reason == "malformed-checkpoint"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        NOTE[:-1],
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace("—".encode(), b"-"),
        NOTE + b"\xff",
        NOTE + b"\x00\n",
        NOTE + "— fi\n".encode(),
        NOTE + "— fi ====\n".encode(),
        NOTE + "— fi AAAA\n".encode(),
        NOTE + "— fi AAAAAAB=\n".encode(),
        NOTE + "— fi a b\n".encode(),
        NOTE + "— fi AAAAAAAA\n".encode() * 17,
        NOTE + "— fi AAAAAAAA\n".encode() * limits.CHECKPOINT_BYTES,
    ],
)
def test_notes_that_are_none(note: bytes) -> None:
    assert refused(note) == "forged-checkpoint"
    with pytest.raises(Refused) as caught:
        verify_cosignature(note, "samsyn.fi", WITNESS.public_key())
    assert caught.value.reason == "forged-cosignature"


# --- forged cosignatures


@pytest.mark.parametrize(
    "note",
    [
        NOTE,
        cosign(NOTE, "samsyn.fi", OTHER, 1795291503),
        cosign(NOTE, "samsyn.se", WITNESS, 1795291503),
        COSIGNED.replace(b"\n12\n", b"\n13\n"),
        sign_note(parse_note(NOTE).text, "samsyn.fi", WITNESS),
    ],
)
def test_a_forged_cosignature(note: bytes) -> None:
    with pytest.raises(Refused) as caught:
        verify_cosignature(note, "samsyn.fi", WITNESS.public_key())
    assert caught.value.reason == "forged-cosignature"
    assert caught.value.evidence["note"] == note


def test_a_cosignature_with_another_time() -> None:
    line = COSIGNED.splitlines()[-1]
    raw = bytearray(base64.b64decode(line.split(b" ")[2]))
    raw[11] ^= 1
    bent = COSIGNED.replace(line.split(b" ")[2], base64.b64encode(bytes(raw)))
    with pytest.raises(Refused, match="does not hold"):
        verify_cosignature(bent, "samsyn.fi", WITNESS.public_key())


def test_a_cosignature_beyond_the_log(tmp_path: Path) -> None:
    logs = LogStore(Database(tmp_path / "a.sqlite", SCHEMA))
    logs.append("a", [(b"1", b"")])
    with pytest.raises(ValueError, match="not reached"):
        logs.add_cosignature("a", "fi", 2, b"note")
    assert logs.cosigned("a") == {}


def test_an_old_cosignature_replayed(tmp_path: Path) -> None:
    logs = LogStore(Database(tmp_path / "a.sqlite", SCHEMA))
    logs.append("a", [(b"1", b""), (b"2", b"")])
    logs.add_cosignature("a", "fi", 2, b"new")
    logs.add_cosignature("a", "fi", 1, b"old")
    assert logs.cosigned("a") == {"fi": 2}
    assert logs.cosignature("a", "fi") == b"new"


# --- shrunk and forked: what a reader's node can see from roots and proofs alone


def _log(path: Path, *leaves: bytes) -> LogStore:
    logs = LogStore(Database(path, SCHEMA))
    for leaf in leaves:
        logs.append("a", [(leaf, b"")])
    return logs


def test_a_forked_log_has_no_consistency(tmp_path: Path) -> None:
    true = _log(tmp_path / "a.sqlite", b"1", b"2", b"3")
    fork = _log(tmp_path / "b.sqlite", b"1", b"X", b"3", b"4", b"5")
    for old in (2, 3):
        proof = fork.consistency("a", old, 5)
        assert not merkle.verify_consistency(old, 5, proof, true.root_at("a", old), fork.root("a"))


def test_a_reordered_log_has_another_root(tmp_path: Path) -> None:
    one = _log(tmp_path / "a.sqlite", b"1", b"2")
    two = _log(tmp_path / "b.sqlite", b"2", b"1")
    assert one.root("a") != two.root("a")


def test_a_shrunk_log_has_no_proof_to_offer(tmp_path: Path) -> None:
    logs = _log(tmp_path / "a.sqlite", b"1", b"2")
    with pytest.raises(ValueError, match="never had"):
        logs.consistency("a", 3, 3)
    with pytest.raises(ValueError, match="no consistency"):
        logs.consistency("a", 2, 1)


def test_a_leaf_that_looks_like_a_node_is_none() -> None:
    """Second preimage: the bytes of an inner node, given as a leaf, hash to something else."""
    a, b = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(a + b) != merkle.node_hash(a, b)
    assert merkle.leaf_hash(b"\x01" + a + b) != merkle.node_hash(a, b)


# --- a hand in the tables: the audit tells


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE log_bundle SET leaves = (SELECT leaves FROM log_bundle WHERE first = 1) WHERE first = 0",
        "UPDATE log_bundle SET leaves = x'c1' WHERE first = 1",
        "DELETE FROM log_bundle WHERE first = 1",
        "DELETE FROM log_bundle WHERE first = 2",
        "UPDATE log_bundle SET first = 7 WHERE first = 2",
        "UPDATE log_bundle SET count = 2 WHERE first = 2",
        "UPDATE log SET size = 2, frontier = substr(frontier, 1, 32)",
        "UPDATE log SET frontier = zeroblob(64)",
        "UPDATE log_tile SET hashes = substr(hashes, 1, 64)",
        "DELETE FROM log_tile",
        "INSERT INTO log_tile VALUES ('a', 1, 0, zeroblob(32))",
        "UPDATE log SET checkpoint = x'00'",
        "UPDATE log_cosignature SET note = x'00'",
        "DELETE FROM log",
    ],
)
def test_a_hand_in_the_tables(tmp_path: Path, harm: str) -> None:
    db = Database(tmp_path / "a.sqlite", SCHEMA)
    logs = LogStore(db)
    for leaf in (b"1", b"2", b"3"):
        logs.append("a", [(leaf, b"")])
    note = sign_checkpoint("a", *logs.head("a"), LOG)
    logs.set_checkpoint("a", note)
    logs.add_cosignature("a", "fi", 3, cosign(note, "fi", WITNESS, 1))
    assert logs.audit("a").problems == ()
    db.close()
    with sqlite3.connect(tmp_path / "a.sqlite") as raw:
        raw.execute(harm)
    raw.close()
    assert LogStore(Database(tmp_path / "a.sqlite", SCHEMA)).audit("a").problems


def test_a_checkpoint_signed_over_another_history(tmp_path: Path) -> None:
    logs = _log(tmp_path / "a.sqlite", b"1", b"2", b"3")
    logs.set_checkpoint("a", sign_checkpoint("a", 3, ROOT, LOG))
    assert logs.audit("a").problems == ("the checkpoint states another root at size 3",)
    logs.set_checkpoint("a", sign_checkpoint("a", 9, ROOT, LOG))
    assert logs.audit("a").problems == ("the checkpoint states another root at size 9",)
