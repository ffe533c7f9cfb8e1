"""How often craft are expected to be heard, learned cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from samsyn.watch.reception import Expected


@pytest.mark.parametrize("count", [63, 64, 65, 130, 1000])
def test_any_number_of_cells_is_learned(count: int):
    """Also where those missed are the first to be heard of in their cells."""
    expected = Expected()
    cells = np.arange(count, dtype=np.uint64)
    expected.miss(cells[:1], np.array([1]), 0)
    expected.miss(cells, np.full(count, 2), 3)
    expected.hear(cells, 3)
    assert ((expected.share(cells, 3) > 0) & (expected.share(cells, 3) < 0.6)).all()


def test_a_craft_unheard_for_long_teaches_nothing():
    expected = Expected()
    cells = np.array([7], np.uint64)
    expected.hear(cells, 0)
    before = expected.share(cells, 0)
    expected.miss(cells, np.array([13]), 0)
    assert expected.share(cells, 0) == before


def test_while_one_feed_is_out_the_other_counts_for_what_it_hears():
    """Of eighty craft-spans one feed hears all and the other every fourth; the first then fails."""
    expected = Expected()
    here, runs = np.full(4, 7, np.uint64), np.array([True, True])
    for _ in range(20):
        expected.heard_by(here, np.array([1, 1, 1, 3], np.uint64), runs)
    share, feed = expected.reach(here[:1], runs)
    assert share[0] > 0.95 and feed[0] == 0
    share, feed = expected.reach(here[:1], np.array([False, True]))
    assert share[0] == pytest.approx(0.25, abs=0.02) and feed[0] == 1
    assert expected.reach(np.array([8], np.uint64), runs)[0][0] == 0
    assert expected.reach(here[:1], np.array([False, False]))[0][0] == 0


def test_an_outage_teaches_nothing_about_where_the_feed_reaches():
    expected = Expected()
    here = np.full(2, 7, np.uint64)
    for _ in range(10):
        expected.heard_by(here, np.array([3, 3], np.uint64), np.array([True, True]))
    before = expected.reach(here[:1], np.array([True, False]))[0][0]
    for _ in range(30):
        expected.heard_by(here, np.array([2, 2], np.uint64), np.array([False, True]))
    assert expected.reach(here[:1], np.array([True, False]))[0][0] == before
