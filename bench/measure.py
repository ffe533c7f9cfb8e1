"""What a bench question is made of: rows, a corpus, and a rate that can be trusted a little."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRIES = 3


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is ours divided by `compared_with`'s; above 1 ours is the faster."""

    metric: str
    value: float
    unit: str
    corpus: str = ""
    compared_with: str = ""
    ratio: float | None = None


class NoCorpus(Exception):
    """The recordings that a question needs are not here."""


def corpus(name: str) -> Path:
    """A file of the recordings beside the checkout (or in SAMSYN_DATA). Raises `NoCorpus`."""
    path = Path(os.environ.get("SAMSYN_DATA", ROOT.parent / "shared" / "data")) / name
    if not path.is_file():
        raise NoCorpus(f"{name} is not here; set SAMSYN_DATA")
    return path


Clock = Callable[[], float]
CPU: Clock = time.process_time
"""For work that waits for nothing: what else the machine does counts little. Adds up all threads."""


def seconds(work: Callable[[], object], tries: int = TRIES, clock: Clock = time.perf_counter) -> float:
    """Time of `work`, the best of some tries: other programs can only make it slower."""
    took = []
    for _ in range(tries):
        gc.collect()
        begin = clock()
        work()
        took.append(clock() - begin)
    return min(took)


def rate(work: Callable[[], int], tries: int = TRIES, clock: Clock = time.perf_counter) -> float:
    """Things a second, where `work` says how many things it did."""
    done = 0

    def counted() -> None:
        nonlocal done
        done = work()

    took = seconds(counted, tries, clock)
    return done / took


def rate_after(
    ready: Callable[[], AbstractContextManager[Callable[[], int]]], tries: int = TRIES
) -> float:
    """Things a second, each try made ready anew; making ready is not counted."""
    best = 0.0
    for _ in range(tries):
        with ready() as work:
            gc.collect()
            begin = time.perf_counter()
            done = work()
            best = max(best, done / (time.perf_counter() - begin))
    return best
