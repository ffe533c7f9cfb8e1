"""Asks every question of this folder (`q_*.py`) and keeps the answers: `make bench`.

A question is a module with a docstring, whose first line is the question, and a function
`rows() -> Iterable[Row]`. Answers go on the screen and into `bench/results.json`, where the answers
to questions that were not asked this time stay as they were.

    make bench                   all questions
    make bench ARGS="ais log"    only these
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import NoCorpus, Row

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
SCREEN = Console()


def questions() -> list[str]:
    """Names of all questions: `ais` for `q_ais.py`."""
    return sorted(p.stem.removeprefix("q_") for p in HERE.glob("q_*.py"))


def ask(name: str) -> dict[str, Any]:
    """One question's answer, ready to be kept."""
    module = importlib.import_module(f"bench.q_{name}")
    asked = (module.__doc__ or name).splitlines()[0]
    with SCREEN.status(asked):
        rows: list[Row] = list(module.rows())
    return {
        "asked": asked,
        "measured": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
    }


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, cores, versions, and the commit."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else [])
        if line.startswith("model name")
    ]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "polars": version("polars"),
        "numpy": version("numpy"),
        "commit": commit.stdout.strip(),
    }


def show(answers: dict[str, Any]) -> None:
    """A table for each question, and the machine."""
    for name, answer in sorted(answers.items()):
        table = Table(title=f"{name}: {answer['asked']}", title_justify="left")
        for head in ("metric", "corpus"):
            table.add_column(head, overflow="fold")
        for head in ("value", "ratio"):
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("compared with")
        for row in answer["rows"]:
            ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
            value = f"{_figure(row['value'])} {row['unit']}"
            table.add_row(row["metric"], row["corpus"], value, ratio, row["compared_with"])
        SCREEN.print(table)
    here = machine()
    SCREEN.print(f"{here['processor']}, {here['cores']} cores, Python {here['python']}")


def _figure(value: float) -> str:
    """A count in full; of anything else the three digits that matter: 1,230,000 or 0.0123."""
    if isinstance(value, int) or value == 0:
        return f"{value:,}"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def main(wanted: list[str]) -> int:
    """Ask, show, keep. Exit code 2 where a question is unknown."""
    unknown = set(wanted) - set(questions())
    if unknown:
        SCREEN.print(f"no such question: {', '.join(sorted(unknown))}")
        SCREEN.print(f"there are: {', '.join(questions())}")
        return 2
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    asked = {}
    for name in wanted or questions():
        try:
            asked[name] = ask(name)
        except NoCorpus as e:
            SCREEN.print(f"{name}: not asked: {e}")
    kept = {name: answer for name, answer in {**kept, **asked}.items() if name in questions()}
    RESULTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    show(asked)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
