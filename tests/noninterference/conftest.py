"""What all tests of this folder run under."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from tests.noninterference.world import REQUESTS_PER_MINUTE


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few requests, no waiting, no log: thousands are refused on purpose; no reader sees a log."""
    monkeypatch.setattr("samsyn.base.limits.REQUESTS_PER_MINUTE", REQUESTS_PER_MINUTE)
    monkeypatch.setattr("samsyn.base.limits.LIVE_WAIT_S", 0.0)
    logging.disable(logging.CRITICAL)
    # a browser kept for other tests of this process leaves its own loop marked as running here
    others = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(others)
    logging.disable(logging.NOTSET)
