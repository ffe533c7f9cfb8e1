"""Shared by all tests: where the recordings are, if they are here at all."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# No deadline: a property must hold on a slow machine too, and none of our tests is about speed.
hypothesis.settings.register_profile("samsyn", deadline=None)
hypothesis.settings.load_profile("samsyn")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings; a test that needs one is skipped, saying so, where it is absent."""
    place = Path(os.environ.get("SAMSYN_DATA", ROOT.parent / "shared" / "data"))
    if not (place / "README.md").is_file():
        pytest.skip(f"no recordings here ({place} is absent; set SAMSYN_DATA)")
    return place
