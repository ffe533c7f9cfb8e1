"""The tree under a log: hashing, frontiers and proofs of RFC 6962, section 2. No I/O.

A *range* `[begin, end)` here is always one that the tree itself has: `begin` is a multiple of the
smallest power of two that is at least `end - begin`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
TILE_HEIGHT = 8  # of C2SP tlog-tiles
TILE = 1 << TILE_HEIGHT  # hashes in a full tile
EMPTY_ROOT = sha256(b"").digest()

RangeHash = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one entry; the prefix keeps leaves and nodes apart (RFC 6962, 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: its complete subtrees, largest first. Enough to append and to hash.

    A tree of `size` leaves has one complete subtree for each bit set in `size`, so this is at most
    63 hashes however long the log is. `grown` collects, level by level, the hashes of the complete
    subtrees of height 0, 8, 16, ... that appending has made since: what a log keeps in tiles.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        self.grown: dict[int, list[bytes]] = {}
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees")

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Frontier:
        """From what `pack` wrote. Raises `ValueError` where it does not fit `size`."""
        return cls(size, split_hashes(packed))

    def pack(self) -> bytes:
        return b"".join(self.hashes)

    def append(self, hash_: bytes) -> None:
        """Take one more leaf hash."""
        self.extend([hash_])

    def extend(self, hashes: Iterable[bytes]) -> None:
        """Take more leaf hashes, level by level: the edge's own subtree and the new ones beside it
        pair up to the level above, and an odd one out at the end is the edge of its level."""
        row = list(hashes)
        left, height = self.size, 0
        self.size += len(row)
        edge: list[bytes] = []
        while row:
            if not height % TILE_HEIGHT:
                self.grown.setdefault(height // TILE_HEIGHT, []).extend(row)
            if left & 1:
                row.insert(0, self.hashes.pop())
            if len(row) & 1:
                edge.append(row.pop())
            row = _paired(row)
            left >>= 1
            height += 1
        self.hashes += reversed(edge)

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        found = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            found = node_hash(left, found)
        return found


def split_hashes(packed: bytes) -> list[bytes]:
    """Raises `ValueError` where `packed` is no whole number of hashes."""
    if len(packed) % HASH_BYTES:
        raise ValueError("not a whole number of hashes")
    return [packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES)]


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes (or over the subtree hashes of one height)."""
    row = list(hashes)
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:  # an odd one out at the end moves up as it is: the same tree as RFC 6962's
        odd = row[len(row) & ~1 :]
        row = _paired(row) + odd
    return row[0]


def _paired(row: Sequence[bytes]) -> list[bytes]:
    """`node_hash` of each two neighbours; an odd one out is not among them."""
    return [sha256(b"\x01" + a + b).digest() for a, b in zip(row[::2], row[1::2], strict=False)]


def complete_subtrees(begin: int, end: int) -> list[tuple[int, int]]:
    """`[begin, end)` as complete subtrees `(height, index)`, left to right."""
    found = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        if begin:  # aligned: a subtree of height h starts at a multiple of 2**h
            height = min(height, (begin & -begin).bit_length() - 1)
        found.append((height, begin >> height))
        begin += 1 << height
    return found


def _split(size: int) -> int:
    """The largest power of two below `size` (RFC 6962's k)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion(index: int, size: int, range_hash: RangeHash) -> list[bytes]:
    """The audit path of leaf `index` in a tree of `size` (RFC 6962, 2.1.1), leaf to root.

    Raises `ValueError` where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    proof, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(range_hash(middle, end))
            end = middle
        else:
            proof.append(range_hash(begin, middle))
            begin = middle
    return proof[::-1]


def consistency(old: int, new: int, range_hash: RangeHash) -> list[bytes]:
    """The proof that the tree of `old` leaves begins the one of `new` (RFC 6962, 2.1.2).

    Empty where `old` is 0 or equal to `new`. Raises `ValueError` unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"no consistency from {old} to {new}")
    if old in (0, new):
        return []
    proof, begin, end = [], 0, new
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(range_hash(middle, end))
            end = middle
        else:
            proof.append(range_hash(begin, middle))
            begin = middle
    if begin:  # the old tree is not itself a subtree: its last complete part opens the proof
        proof.append(range_hash(begin, end))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows leaf hash `leaf` at `index` under `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0 or len(step) != HASH_BYTES:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while at and not at & 1:
                at >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        at >>= 1
        last >>= 1
    return last == 0 and found == root


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether `proof` shows that `old` leaves under `old_root` begin the tree of `new` under `new_root`.

    RFC 9162, 2.1.4.2; a tree of no leaves begins every tree.
    """
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not proof and old_root == new_root
    if not proof or any(len(step) != HASH_BYTES for step in proof):
        return False
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    found_old = found_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            found_old = node_hash(step, found_old)
            found_new = node_hash(step, found_new)
            while at and not at & 1:
                at >>= 1
                last >>= 1
        else:
            found_new = node_hash(found_new, step)
        at >>= 1
        last >>= 1
    return last == 0 and found_old == old_root and found_new == new_root
