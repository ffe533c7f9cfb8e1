"""Craft keys to slots: dense row numbers that arrays can be addressed with."""

from __future__ import annotations

import secrets
from typing import Final

import numpy as np
import numpy.typing as npt

from samsyn.observations import compiled

Keys = npt.NDArray[np.int64]
Slots = npt.NDArray[np.int64]
_LEAST_ROOM: Final = 1024


class CraftIndex:
    """Gives every craft key the next free slot, for good. Not thread-safe: its owner locks.

    New keys get slots in the order in which they first appear, so that the same rows give the same
    slots however they were cut into batches.
    """

    def __init__(self) -> None:
        self._compiled = compiled.built
        self._keys: Keys = np.empty(0, np.int64)
        self._count = 0
        # compiled: slots by hashed key, under a seed of this process: senders choose their numbers
        self._seed = secrets.randbits(64)
        self._table = np.full(2, -1, np.int32)
        # else: keys sorted beside their slots; a lookup is a binary search over whole arrays at once
        self._sorted: Keys = np.empty(0, np.int64)
        self._slot_of_sorted: Slots = np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._count

    @property
    def keys(self) -> Keys:
        """Key by slot. Not to be written to."""
        return self._keys[: self._count]

    def find(self, keys: Keys) -> Slots:
        """Slot of each key, -1 where it has none."""
        if self._compiled:
            slots = np.empty(len(keys), np.int64)
            wanted = np.ascontiguousarray(keys)
            self._compiled.find(self._keys, self._table, wanted, slots, self._seed, self._count)
            return slots
        if not len(self._sorted):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._slot_of_sorted[at], -1)

    def find_or_add(self, keys: Keys, limit: int) -> Slots:
        """Slot of each key, new ones included; beyond `limit` keys in all, new ones get -1."""
        if self._compiled:
            self._make_room(min(self._count + len(keys), max(limit, self._count)))
            slots = np.empty(len(keys), np.int64)
            wanted, seed = np.ascontiguousarray(keys), self._seed
            add = self._compiled.add
            self._count = add(self._keys, self._table, wanted, slots, seed, self._count, limit)
            return slots
        slots = self.find(keys)
        missing = slots < 0
        if missing.any() and self._count < limit:
            self._merge(keys[missing], limit)
            return self.find(keys)
        return slots

    def _make_room(self, count: int) -> None:
        """Room for `count` keys; half of the table stays free, so that lookups are short."""
        if count > len(self._keys):
            grown = np.empty(max(count, 2 * len(self._keys), _LEAST_ROOM), np.int64)
            grown[: self._count] = self._keys[: self._count]
            self._keys = grown
        if 2 * count > len(self._table) and self._compiled:
            self._table = np.empty(1 << (2 * len(self._keys) - 1).bit_length(), np.int32)
            self._compiled.rebuild(self._keys, self._table, self._seed, self._count)

    def _merge(self, missing: Keys, limit: int) -> None:
        new, first = np.unique(missing, return_index=True)
        if self._count + len(new) > limit:
            taken = np.sort(np.argsort(first)[: limit - self._count])
            new, first = new[taken], first[taken]
        order = np.argsort(first)
        rank = np.empty(len(new), np.int64)
        rank[order] = np.arange(self._count, self._count + len(new))
        at = np.searchsorted(self._sorted, new)
        self._sorted = np.insert(self._sorted, at, new)
        self._slot_of_sorted = np.insert(self._slot_of_sorted, at, rank)
        self._keys = np.concatenate([self.keys, new[order]])
        self._count += len(new)
