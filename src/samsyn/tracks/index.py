"""Craft keys to slots: dense row numbers that arrays can be addressed with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]
Slots = npt.NDArray[np.int64]


class CraftIndex:
    """Gives every craft key the next free slot, for good. Not thread-safe: its owner locks.

    Keys are kept sorted beside their slots, so a lookup is a binary search over whole arrays at
    once; keys not seen before are merged in, which costs a copy of the index.
    """

    def __init__(self) -> None:
        self._sorted: Keys = np.empty(0, np.int64)
        self._slot_of_sorted: Slots = np.empty(0, np.int64)
        self._keys: Keys = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> Keys:
        """Key by slot. Not to be written to."""
        return self._keys

    def find(self, keys: Keys) -> Slots:
        """Slot of each key, -1 where it has none."""
        if not len(self._sorted):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._slot_of_sorted[at], -1)

    def find_or_add(self, keys: Keys, limit: int) -> Slots:
        """Slot of each key. New keys get slots in the order in which they first appear, so that
        the same rows give the same slots however they were cut into batches; beyond `limit` keys
        in all, new ones get -1."""
        slots = self.find(keys)
        missing = slots < 0
        if not missing.any() or len(self._keys) >= limit:
            return slots
        new, first = np.unique(keys[missing], return_index=True)
        if len(self._keys) + len(new) > limit:
            taken = np.sort(np.argsort(first)[: limit - len(self._keys)])
            new, first = new[taken], first[taken]
        order = np.argsort(first)
        rank = np.empty(len(new), np.int64)
        rank[order] = np.arange(len(self._keys), len(self._keys) + len(new))
        at = np.searchsorted(self._sorted, new)
        self._sorted = np.insert(self._sorted, at, new)
        self._slot_of_sorted = np.insert(self._slot_of_sorted, at, rank)
        self._keys = np.concatenate([self._keys, new[order]])
        return self.find(keys)
