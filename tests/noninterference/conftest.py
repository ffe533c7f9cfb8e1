"""What all tests of this folder run under."""

from __future__ import annotations

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
    yield
    logging.disable(logging.NOTSET)
