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


def ask(name: str) -> list[dict[str, Any]]:
    """One question's answer: flat rows, ready to be kept. `question` is the module's name."""
    module = importlib.import_module(f"bench.q_{name}")
    asked = (module.__doc__ or name).splitlines()[0]
    with SCREEN.status(asked):
        rows: list[Row] = list(module.rows())
    here = machine()
    return [
        {
            "question": name,
            "metric": row.metric,
            "value": row.value,
            "unit": row.unit,
            "compared_with": row.compared_with,
            "ratio": row.ratio,
            "machine": here,
            "corpus": row.corpus,
        }
        for row in rows
    ]


def machine() -> str:
    """What the figures depend on: processor, cores, load, versions, the commit and the day."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else [])
        if line.startswith("model name")
    ]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return ", ".join(
        [
            models[0] if models else platform.processor(),
            f"{os.cpu_count()} cores",
            f"load {os.getloadavg()[0]:.1f}",
            f"Python {platform.python_version()}",
            f"Polars {version('polars')}",
            f"cryptography {version('cryptography')}",
            f"commit {commit.stdout.strip()}",
            time.strftime("%Y-%m-%d"),
        ]
    )


def show(rows: list[dict[str, Any]]) -> None:
    """A table for each question, and the machine."""
    for name in sorted({row["question"] for row in rows}):
        asked = (importlib.import_module(f"bench.q_{name}").__doc__ or name).splitlines()[0]
        table = Table(title=f"{name}: {asked}", title_justify="left")
        for head in ("metric", "corpus"):
            table.add_column(head, overflow="fold")
        for head in ("value", "ratio"):
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("compared with")
        for row in rows:
            if row["question"] == name:
                ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
                value = f"{_figure(row['value'])} {row['unit']}"
                table.add_row(row["metric"], row["corpus"], value, ratio, row["compared_with"])
        SCREEN.print(table)
    SCREEN.print(machine())


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
    kept: list[dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    asked: list[dict[str, Any]] = []
    for name in wanted or questions():
        try:
            asked += ask(name)
        except NoCorpus as e:
            SCREEN.print(f"{name}: not asked: {e}")
    answered = {row["question"] for row in asked}
    kept = [r for r in kept if r["question"] in questions() and r["question"] not in answered]
    rows = sorted(kept + asked, key=lambda row: str(row["question"]))
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    show(asked)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
