"""Replays recordings in an exercise: rows get the exercise's time and come when that time comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from samsyn.base.clock import SECOND_US, Clock
from samsyn.feeds.runner import Delivery, FeedStream

GRAIN_US: Final = SECOND_US // 4  # rows this close in time come together, so that batches are not tiny


def paced(
    stream: FeedStream, clock: Clock, begin_us: int, stop: threading.Event, *, grain_us: int = GRAIN_US
) -> Iterator[Delivery]:
    """The rows of `stream`, shifted so that its first falls on `begin_us`, none before `clock` says so.

    A row that is older than one before it comes together with that one. Raises `ValueError` for rows
    that are not `exercise`: real time is not ours to shift.
    """
    shift_us: int | None = None
    latest_us = begin_us
    for delivery in stream:
        batch = delivery.batch
        if not batch["exercise"].all():
            raise ValueError("only exercise rows may be given another time")
        if shift_us is None:
            shift_us = begin_us - int(batch["time_us"][0])
        batch = batch.with_columns(pl.col("time_us") + shift_us)
        due_us = np.maximum(np.maximum.accumulate(batch["time_us"].to_numpy()), latest_us)
        latest_us = int(due_us[-1])
        at = 0
        while at < batch.height:
            if not clock.wait_until(int(due_us[at]) + grain_us, stop):
                return
            until = max(int(np.searchsorted(due_us, clock.now_us(), side="right")), at + 1)
            stream.heard()
            yield Delivery(batch[at:until], delivery.progress)
            at = until
