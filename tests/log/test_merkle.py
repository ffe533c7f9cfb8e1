"""The tree: vectors of the RFC 6962 test suite, and properties against the recursive definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.log import merkle
from samsyn.log.merkle import Frontier, leaf_hash, node_hash, root_of

# Leaves, roots and proofs of the certificate-transparency project's tests ("merkle_tree_test").
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = [
    (0, 1, []),
    (0, 8, [A, B, C]),
    (5, 8, [D, E, ROOTS[4]]),
    (2, 3, [ROOTS[2]]),
    (1, 5, [ROOTS[1], B, D]),
]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, [A, B, C]),
    (6, 8, [F, E, ROOTS[4]]),
    (2, 5, [B, D]),
]


def recursive(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962, section 2.1, writes it."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(recursive(leaves[:k]), recursive(leaves[k:]))


def prover(leaves: list[bytes]) -> merkle.RangeHash:
    return lambda begin, end: recursive(leaves[begin:end])


def leaves_of(size: int) -> list[bytes]:
    return [b"%d" % n for n in range(size)]


def test_roots_of_rfc_6962() -> None:
    for size, root in enumerate(ROOTS):
        assert root_of([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == root


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_proofs_of_rfc_6962(index: int, size: int, proof: list[str]) -> None:
    made = merkle.inclusion(index, size, prover(LEAVES))
    assert [step.hex() for step in made] == proof
    root = bytes.fromhex(ROOTS[size])
    assert merkle.verify_inclusion(leaf_hash(LEAVES[index]), index, size, made, root)


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs_of_rfc_6962(old: int, new: int, proof: list[str]) -> None:
    made = merkle.consistency(old, new, prover(LEAVES))
    assert [step.hex() for step in made] == proof
    assert merkle.verify_consistency(
        old, new, made, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    )


@given(st.integers(0, 700))
def test_three_ways_to_one_root(size: int) -> None:
    leaves = leaves_of(size)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    frontier = Frontier()
    for hash_ in hashes:
        frontier.append(hash_)
    assert frontier.root() == root_of(hashes) == recursive(leaves)
    again = Frontier.unpack(size, frontier.pack())
    assert again.root() == frontier.root()


@given(st.lists(st.integers(0, 600), max_size=5))
def test_many_leaves_at_once_are_as_one_by_one(counts: list[int]) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves_of(sum(counts))]
    single, many = Frontier(), Frontier()
    for hash_ in hashes:
        single.append(hash_)
    for count in counts:
        many.extend(hashes[many.size : many.size + count])
    assert (single.size, single.hashes, single.grown) == (many.size, many.hashes, many.grown)


@given(st.data())
def test_every_proof_holds_and_for_nothing_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 130))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    leaves = leaves_of(size)
    root, old_root = recursive(leaves), recursive(leaves[:old])
    inclusion = merkle.inclusion(index, size, prover(leaves))
    consistency = merkle.consistency(old, size, prover(leaves))
    here = leaf_hash(leaves[index])
    assert merkle.verify_inclusion(here, index, size, inclusion, root)
    assert merkle.verify_consistency(old, size, consistency, old_root, root)

    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index) | st.none())
    if other is not None:
        assert not merkle.verify_inclusion(here, other, size, inclusion, root)
    assert not merkle.verify_inclusion(leaf_hash(b"no"), index, size, inclusion, root)
    assert not merkle.verify_inclusion(here, index, size, [*inclusion, root], root)
    assert not merkle.verify_consistency(old, size, [*consistency, root], old_root, root)
    for proof in (inclusion, consistency):
        if proof:
            at = data.draw(st.integers(0, len(proof) - 1))
            bent = [*proof[:at], bytes(32), *proof[at + 1 :]]
            short = proof[:at] + proof[at + 1 :]
            for wrong in (bent, short, [*proof[:at], b"", *proof[at + 1 :]]):
                if proof is inclusion:
                    assert not merkle.verify_inclusion(here, index, size, wrong, root)
                else:
                    assert not merkle.verify_consistency(old, size, wrong, old_root, root)


def test_sizes_that_cannot_be() -> None:
    empty = merkle.EMPTY_ROOT
    assert not merkle.verify_inclusion(empty, 0, 0, [], empty)
    assert not merkle.verify_inclusion(empty, -1, 1, [], empty)
    assert not merkle.verify_inclusion(empty, 1, 1, [], empty)
    assert not merkle.verify_consistency(2, 1, [], empty, empty)
    assert not merkle.verify_consistency(-1, 1, [], empty, empty)
    assert merkle.verify_consistency(0, 0, [], empty, empty)
    assert not merkle.verify_consistency(0, 5, [], bytes(32), empty)
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion(3, 3, prover(LEAVES))
    with pytest.raises(ValueError, match="no consistency"):
        merkle.consistency(4, 3, prover(LEAVES))
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(3, [bytes(32)])
    with pytest.raises(ValueError, match="whole number"):
        Frontier.unpack(1, bytes(31))
