"""Simulated traffic for exercises, made from a scenario file instead of received."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# The scenarios that come with Samsyn: baltic-morning.toml and what each of its receivers hears of it.
SCENARIOS: Final = Path(__file__).parent / "scenarios"
