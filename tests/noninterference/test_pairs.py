"""Two histories that differ only in what a reader may not have look the same to it, byte for byte."""

from __future__ import annotations

import pytest

from tests.noninterference.histories import pair, same, told

AT_ONCE = 50


def check(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        drawn = pair(seed)
        assert same(drawn), f"seed {seed}: {told(drawn)}"


@pytest.mark.parametrize("first", range(0, 500, AT_ONCE))
def test_what_a_reader_may_not_have_changes_no_byte_of_what_it_sees(first: int) -> None:
    check(first)


@pytest.mark.parametrize("seed", [101_202])  # what one reader's delay had kept was shown to another
def test_a_pair_that_told_something_once(seed: int) -> None:
    drawn = pair(seed)
    assert same(drawn), told(drawn)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(100_000, 110_000, AT_ONCE))
def test_ten_thousand_pairs(first: int) -> None:
    check(first)
