"""The properties find what they are for: with a leak put in on purpose, some pair of histories tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.noninterference.histories import Pair, pair, same
from tests.noninterference.mutants import BY_PAIRS, BY_TWINS, Mutant
from tests.noninterference.pool import pool
from tests.noninterference.test_hidden import drawn, looks_alike

TELLING = (1, 8, 10, 11, 12, 53)
"""Seeds that have found most of them; the others are tried after these."""

SEEDS = (*TELLING, *range(300))


def first_found(draw: Callable[[int], Pair], holds: Callable[[Pair], bool]) -> int | None:
    return next((seed for seed in SEEDS if not holds(draw(seed))), None)


@pytest.mark.parametrize("mutant", BY_PAIRS, ids=lambda m: m.__name__)
def test_a_leak_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert first_found(pair, same) is not None


@pytest.fixture
def signed_anew() -> Iterator[None]:
    """The pool is signed once for all tests; what a mutant signs must not stay in it."""
    pool.cache_clear()
    yield
    pool.cache_clear()


@pytest.mark.parametrize("mutant", BY_TWINS, ids=lambda m: m.__name__)
@pytest.mark.usefixtures("signed_anew")
def test_a_leak_of_what_is_withheld_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert first_found(drawn, looks_alike) is not None


def test_there_are_enough_of_them() -> None:
    assert len({m.__name__ for m in [*BY_PAIRS, *BY_TWINS]}) >= 12
