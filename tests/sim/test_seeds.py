"""Whole networks from a seed: after any history, once all is mended, everything holds."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from samsyn.sim import Result, run
from samsyn.sim.hostile import WRONGS

SEEDS = range(1, 51)
FAULTS = {"power lost", "no room", "stopped", "cut off", "clock set", "refused doubled"}
ACTS = {"said", "released", "widened", "withdrawn", "delayed", "taken", "answered", "passed on"}
KEPT = [
    tuple(int(number) for number in line.split()[0].split("/"))
    for line in (Path(__file__).parent / "seeds.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]

ran = cache(run)


@pytest.mark.parametrize("seed", KEPT, ids=lambda seed: "/".join(map(str, seed)))
def test_a_seed_that_found_something_once(seed: tuple[int, ...]) -> None:
    assert ran(*seed).broken == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed(seed: int) -> None:
    assert ran(seed).broken == ""


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(1000, 2000, 50))
def test_a_thousand_seeds(first: int) -> None:
    found = [run(seed, steps=400) for seed in range(first, first + 50)]
    assert [(result.seed, result.broken) for result in found if result.broken] == []


def test_a_run_repeats() -> None:
    """Also what was signed and how the disks tore: so a failing seed fails again."""
    told: list[list[str]] = [[], []]
    results: list[Result] = [run(11, tell=lines.append) for lines in told]
    assert told[0] == told[1] and results[0] == results[1]


def test_what_is_meant_to_happen_does_happen() -> None:
    """A simulation of fair weather would show nothing: every fault and every wrong has to occur."""
    counts: Counter[str] = Counter()
    for seed in {*((seed,) for seed in SEEDS), *KEPT}:
        counts.update(ran(*seed).counts)
    wanted = FAULTS | ACTS | {f"refused {wrong}" for wrong in WRONGS}
    assert {what for what in wanted if not counts[what]} == set()
