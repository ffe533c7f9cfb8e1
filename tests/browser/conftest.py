"""A browser for the tests of the picture, and a fake node for each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.chromium import THRIFT, WHOLE, Watched, chromium, missing
from browser.fake_node import FakeNode, Serving

WEB = Path(__file__).resolve().parents[2] / "src" / "samsyn" / "interfaces" / "web"


@pytest.fixture(scope="session")
def web() -> Path:
    """The built page."""
    if not (WEB / "index.html").is_file():
        pytest.fail("the web page is not built: python hatch_build.py")
    return WEB


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if why := missing():
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with chromium(*THRIFT) as running:
        yield running


@pytest.fixture
def serving(web: Path) -> Iterator[Serving]:
    """A fake node in the exercise realm, with a page of its own to sign in to."""
    running = Serving(FakeNode(web))
    yield running
    running.stop()


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page that, when its test is done, must have had no error and asked no other machine."""
    looked_at = request.node.get_closest_marker("dots") is not None
    found = Watched(browser, whole=WHOLE or looked_at)
    yield found
    found.close()
    assert found.hosts <= {"127.0.0.1"}
    assert found.errors == []
