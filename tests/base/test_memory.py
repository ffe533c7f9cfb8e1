"""A process that runs long looks for garbage seldom, and does look."""

from __future__ import annotations

import gc
import weakref

from samsyn.base.memory import collect_seldom


class Ring:
    """Refers to itself: only the collector finds it."""

    def __init__(self) -> None:
        self.me = self


def test_garbage_is_still_found() -> None:
    before = gc.get_threshold()
    try:
        collect_seldom()
        assert gc.isenabled() and gc.get_threshold()[0] > before[0]
        lost = weakref.ref(Ring())
        kept = [[] for _ in range(2 * gc.get_threshold()[0])]  # enough new objects for a look
        assert lost() is None and kept
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
