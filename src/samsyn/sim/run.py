"""Running one seed."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unittest import mock

import msgspec

from samsyn.sim.world import Broken, World

STEPS: Final = 250
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  only a folder of ours in it is used


class Result(msgspec.Struct, frozen=True):
    """What one seed came to. `broken`: the first thing that did not hold; empty, one hopes."""

    seed: int
    broken: str
    counts: dict[str, int]


def run(seed: int, steps: int = STEPS, tell: Callable[[str], None] = lambda line: None) -> Result:
    """Run one network of 3 to 5 nodes; `tell` gets each line of what happens.

    Homes are made in memory where the machine has a folder for that, else where it keeps what is
    temporary, and are gone afterwards.
    """
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="samsyn-sim-", dir=place) as folder, _no_other_chance(seed):
        world = World(seed, Path(folder), tell)
        try:
            world.run(steps)
            broken = ""
        except Broken as e:
            broken = str(e)
        finally:
            world.close()
        return Result(seed, broken, dict(sorted(world.counts.items())))


@contextmanager
def _no_other_chance(seed: int) -> Iterator[None]:
    """Salts and decoys come from the seed too, so that a run repeats to the last byte."""
    chance = random.Random(~seed)  # noqa: S311  never outside a simulation
    with mock.patch.object(os, "urandom", chance.randbytes):
        yield
