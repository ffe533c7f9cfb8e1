"""The vectors of `spec/`: fresh, and run as a stranger would, with as little of our code as can be."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base.errors import Refused
from samsyn.log.checkpoint import open_checkpoint
from samsyn.log.witness import verify_cosignature
from samsyn.statements.keys import public_from_text
from samsyn.statements.ladder import check_ladders, place_ladder, time_ladder
from samsyn.statements.sign import verify
from tests.statements import vectors
from tests.statements.test_independent import read_by_the_reference


def read(name: str) -> dict[str, Any]:
    found = json.loads((vectors.FOLDER / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


LADDERS, STATEMENTS, LOG = read("ladders.json"), read("statements.json"), read("log.json")
KEYS = {iss: public_from_text(key["public"]) for iss, key in STATEMENTS["keys"].items()}


@pytest.mark.parametrize("name", vectors.FILES)
def test_vectors_are_fresh(name: str) -> None:
    made = vectors.text(vectors.FILES[name]())
    stale = f"run: python -m {vectors.__name__}"
    assert (vectors.FOLDER / name).read_text(encoding="utf-8") == made, stale


@pytest.mark.parametrize("case", STATEMENTS["valid"], ids=lambda c: str(c["name"]))
def test_a_stranger_reads_the_valid_ones(case: dict[str, Any]) -> None:
    view = case["presentation"].encode()
    read_there = read_by_the_reference(view, KEYS["dk"])
    assert read_there == {**case["claims"], **case["slots"]}
    assert verify(view, KEYS).slots == case["slots"]
    assert base64.urlsafe_b64encode(sha256(view).digest()).rstrip(b"=").decode() == case["view"]


@pytest.mark.parametrize("case", STATEMENTS["refused"], ids=lambda c: str(c["name"]))
def test_the_others_are_refused_for_the_reason_given(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        verify(case["presentation"].encode(), KEYS)
    assert caught.value.reason == case["reason"]


def test_ladders() -> None:
    for case in LADDERS["place"]:
        assert place_ladder(case["geometry"]) == case["rungs"]
        check_ladders(case["rungs"])
    for case in LADDERS["time"]:
        assert time_ladder(case["at_us"]) == case["rungs"]
    for case in LADDERS["refused"]:
        with pytest.raises(Refused) as caught:
            check_ladders(case["slots"])
        assert caught.value.reason == case["reason"]


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, written out once more."""
    if len(leaves) < 2:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256(b"").digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def test_roots_and_proofs() -> None:
    leaves = [bytes.fromhex(leaf) for leaf in LOG["leaves"]]
    assert [root(leaves[:size]).hex() for size in range(len(leaves) + 1)] == LOG["roots"]
    for case in LOG["inclusion"]:
        assert [h.hex() for h in path(case["index"], leaves[: case["size"]])] == case["proof"]
    for case in LOG["consistency"]:
        old, new = case["old"], case["new"]
        made = subproof(old, leaves[:new], True) if 0 < old < new else []
        assert [h.hex() for h in made] == case["proof"]


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if old <= k:
        return [*subproof(old, leaves[:k], whole), root(leaves[k:])]
    return [*subproof(old - k, leaves[k:], False), root(leaves[:k])]


def test_the_checkpoint_and_its_cosignature() -> None:
    origin, public = _key(LOG["checkpoint"]["verifier_key"])
    found = open_checkpoint(LOG["checkpoint"]["note"].encode(), origin, public)
    assert (found.size, found.root.hex()) == (8, LOG["roots"][8])
    witness, public = _key(LOG["cosignature"]["verifier_key"])
    seen = verify_cosignature(LOG["cosignature"]["note"].encode(), witness, public)
    assert (seen.at_s, seen.checkpoint) == (LOG["cosignature"]["at_s"], found)


def _key(text: str) -> tuple[str, Ed25519PublicKey]:
    name, _, encoded = text.split("+", 2)
    return name, Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
