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
