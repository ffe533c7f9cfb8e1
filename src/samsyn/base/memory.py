"""How often Python looks for garbage that refers to itself."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000  # a batch of the largest size makes some 20,000


def collect_seldom() -> None:
    """For a process that runs long: what stands at its start is not looked through again, and what one
    batch makes is mostly gone before the next look. Looking took a tenth of a catch-up's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
