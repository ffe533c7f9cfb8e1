"""Shared by all tests: where the recordings are, if they are here at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# No deadline: a property must hold on a slow machine too, and none of our tests is about speed. A test
# draws the same examples in every run until it is changed, so that no change fails by another's luck;
# `make nightly` draws others each time, many times over, and says how to draw a failing one again.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("drawn", deadline=None, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("same")

LONG = (
    *("scenarios/test_crash.py", "browser/", "scenarios/", "noninterference/", "sim/", "docs/"),
    *("watch/", "interfaces/", "tidy/test_types.py"),
)
"""What takes longest comes first: each file goes to one worker whole, and none is left for the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = item.nodeid.removeprefix("tests/")
        return next((n for n, part in enumerate(LONG) if name.startswith(part)), len(LONG))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with without_the_browsers_loop(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with without_the_browsers_loop(item):
        return (yield)


@contextmanager
def without_the_browsers_loop(item: pytest.Item) -> Iterator[None]:
    """A browser kept for other tests of this process leaves its own loop marked as running."""
    others = asyncio._get_running_loop()
    if "browser" not in getattr(item, "fixturenames", ()):
        asyncio._set_running_loop(None)
    try:
        yield
    finally:
        if others is not None:
            asyncio._set_running_loop(others)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings; a test that needs one is skipped, saying so, where it is absent."""
    place = Path(os.environ.get("SAMSYN_DATA", ROOT.parent / "shared" / "data"))
    if not (place / "README.md").is_file():
        pytest.skip(f"no recordings here ({place} is absent; set SAMSYN_DATA)")
    return place
