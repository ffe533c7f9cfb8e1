"""What a reader is not shown of a statement that it has changes nothing that it can read.

The statements of the second history are *twins* (`pool`): the same to a reader of coarse rungs, and
other in every withheld slot: other values, other lengths, slots that are there or not, an exact place
elsewhere in the same cells, an instant elsewhere in the same hour. See `opaque` for the relation.
"""

from __future__ import annotations

import pytest

from tests.noninterference.histories import Pair, pair, seen, smallest
from tests.noninterference.opaque import shape
from tests.noninterference.pool import pool
from tests.noninterference.test_pairs import AT_ONCE

COARSE = 2
"""Levels of the readers' blocks that withhold what a twin has otherwise; the others show it."""


def drawn(seed: int) -> Pair:
    return pair(seed, COARSE, ("ee", "fi"))


def looks_alike(pair: Pair) -> bool:
    return shape(seen(pair, False)) == shape(seen(pair, True, twins=True))


def check(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        assert looks_alike(drawn(seed)), f"seed {seed}: {smallest(drawn(seed), looks_alike)}"


@pytest.mark.parametrize("first", range(0, 150, AT_ONCE))
def test_what_is_withheld_of_a_statement_changes_nothing_but_opaque_strings(first: int) -> None:
    check(first)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(100_000, 103_000, AT_ONCE))
def test_three_thousand_pairs_of_twins(first: int) -> None:
    check(first)


def test_twins_differ_in_all_that_is_fine_and_in_nothing_that_is_coarse() -> None:
    for said in pool():
        if "time.exact" not in said.versions[0].slots:  # a request, an answer: nothing in it is fine
            continue
        for one, twin in zip(said.versions, said.twins, strict=True):
            same = {slot for slot in one.slots if one.slots[slot] == twin.slots.get(slot)}
            assert {"title", "summary", "confidence", "time.day", "time.hour"} <= same
            other = one.slots.keys() ^ twin.slots.keys() | (one.slots.keys() - same)
            assert {"text", "author", "sources", "time.exact"} <= other
            if "place.exact" in one.slots:
                assert {"place.region", "place.area", "place.spot"} <= same
                assert "place.exact" in other
            assert len(one.present()) != len(twin.present())
            assert (one.jti, one.ver, one.marking) == (twin.jti, twin.ver, twin.marking)
