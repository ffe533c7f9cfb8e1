"""Strict types over all of src (settings in pyproject.toml)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy import tree


def type_errors(*what: str) -> list[str]:
    """What mypy, in strict mode, says of these files; of the package where none are named."""
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", *what],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return [] if run.returncode == 0 else (run.stdout + run.stderr).splitlines()


def test_the_project_holds() -> None:
    tree.none(type_errors())


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return x\n",
        "from typing import Any\ndef f(x: dict) -> Any: return x\n",
        "def f(x: int) -> str: return x\n",
        "from samsyn.base.ids import new_id\nx: int = new_id()\n",
    ],
)
def test_a_loose_type_is_told(text: str, tmp_path: Path) -> None:
    assert type_errors(str(tree.write(tmp_path, "loose.py", text))) != []
