"""Who may know whom: the contracts of pyproject.toml, and the few that import-linter cannot say."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidy import tree

# Groups of folders that must not know each other, and what one of them is called.
ONE_OF_A_KIND = {"feeds": "feed", "watch.detectors": "detector"}
NOW = re.compile(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)")
OUTSIDE = ("asyncio", "httpx", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess")
OUTSIDE += ("tempfile", "threading", "time", "urllib")


def broken_contracts(root: Path) -> list[str]:
    """What import-linter says of the contracts in the tree's pyproject.toml, if one is broken."""
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports_command as run; run()",
            "--no-logo",
            "--no-cache",
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return [] if run.returncode == 0 else [run.stdout + run.stderr]


def neighbours(root: Path) -> list[str]:
    """Imports from one feed's folder into another's, or from one detector's into another's."""
    problems = []
    for dotted, path, module in tree.modules(root):
        for group, what in ONE_OF_A_KIND.items():
            prefix = f"samsyn.{group}."
            if not dotted.startswith(prefix) or not _is_folder(root, prefix, dotted):
                continue
            own = dotted.removeprefix(prefix).partition(".")[0]
            for line, name in tree.imports(dotted, path, module):
                other = name.removeprefix(prefix).partition(".")[0] if name.startswith(prefix) else own
                if other != own and (root / "src" / f"{prefix}{other}".replace(".", "/")).is_dir():
                    problems.append(
                        f"{tree.name(path, root)}:{line}: one {what} imports another ({other})"
                    )
    return problems


def _is_folder(root: Path, prefix: str, dotted: str) -> bool:
    first = dotted.removeprefix(prefix).partition(".")[0]
    return (root / "src" / f"{prefix}{first}".replace(".", "/")).is_dir()


def impure_formats(root: Path) -> list[str]:
    """Formats turn bytes into columns: they reach for no file, socket, clock or chance."""
    return [
        f"{tree.name(path, root)}:{line}: a format imports {name}"
        for dotted, path, module in tree.modules(root)
        if dotted.startswith("samsyn.formats")
        for line, name in tree.imports(dotted, path, module)
        if name.partition(".")[0] in OUTSIDE
    ]


def other_clocks(root: Path) -> list[str]:
    """Time that does not come from base/clock: the whole network must run from one simulated clock."""
    problems = []
    for dotted, path, module in tree.modules(root):
        if dotted == "samsyn.base.clock":
            continue
        where = tree.name(path, root)
        for line, name in tree.imports(dotted, path, module):
            if name == "time" or name.startswith("time."):
                problems.append(f"{where}:{line}: imports {name}")
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and NOW.fullmatch(said := ast.unparse(node)):
                problems.append(f"{where}:{node.lineno}: reads the clock by {said}")
    return problems


def stray_wiring(root: Path) -> list[str]:
    """Only node (and the simulation) makes clocks; the commands may, for what they do without a node."""
    makers = ("samsyn.node", "samsyn.sim", "samsyn.cli", "samsyn.demo", "samsyn.base.clock")
    return [
        f"{tree.name(path, root)}:{node.lineno}: makes a {node.func.id}"
        for dotted, path, module in tree.modules(root)
        if not dotted.startswith(makers)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in ("SystemClock", "ExerciseClock", "ManualClock")
    ]


CHECKS = [broken_contracts, neighbours, impure_formats, other_clocks, stray_wiring]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_the_project_holds(check: Callable[[Path], list[str]]) -> None:
    tree.none(check(tree.ROOT))


BAD = [
    (
        neighbours,
        {"feeds/a/feed.py": "from samsyn.feeds.b import feed", "feeds/b/feed.py": ""},
        "imports another",
    ),
    (
        neighbours,
        {
            "watch/detectors/a/detector.py": "from ..b.detector import x",
            "watch/detectors/b/detector.py": "",
        },
        "one detector imports another (b)",
    ),
    (impure_formats, {"formats/ais.py": "import socket"}, "imports socket"),
    (other_clocks, {"watch/runner.py": "import time"}, "imports time"),
    (other_clocks, {"watch/runner.py": "from time import monotonic"}, "imports time.monotonic"),
    (
        other_clocks,
        {"watch/runner.py": "from datetime import datetime\nx = datetime.now()"},
        "datetime.now",
    ),
    (
        stray_wiring,
        {"watch/runner.py": "from samsyn.base.clock import SystemClock\nc = SystemClock()"},
        "makes a",
    ),
]


@pytest.mark.parametrize(("check", "written", "told"), BAD)
def test_a_bad_tree_is_told(
    check: Callable[[Path], list[str]], written: dict[str, str], told: str, tmp_path: Path
) -> None:
    for name, text in written.items():
        tree.write(tmp_path, f"src/samsyn/{name}", text)
    problems = check(tmp_path)
    assert len(problems) == 1
    assert told in problems[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("base/errors.py", "import samsyn.log"),  # upwards
        ("log/store.py", "import samsyn.statements"),  # beside
        ("exchange/serve.py", "from samsyn.policy import rules"),  # past the one door
        ("exchange/serve.py", "import samsyn.tracks"),
        ("interfaces/taxii/__init__.py", "from samsyn.policy import rules"),
        ("stray/a.py", ""),  # a folder that no layer names
    ],
)
def test_a_broken_contract_is_told(name: str, text: str, tmp_path: Path) -> None:
    settings = (tree.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(settings)["tool"]["importlinter"]["contracts"]
    wanted = [f"samsyn.{one}" for one in re.findall(r"\w+", " ".join(contracts[0]["layers"]))]
    for contract in contracts[1:]:
        wanted += [*contract["source_modules"], *contract["forbidden_modules"]]
    tree.write(tmp_path, "pyproject.toml", settings)
    for one in ["samsyn", "samsyn.policy.rules", *wanted]:
        tree.write(tmp_path, f"src/{one.replace('.', '/')}/__init__.py", "")
    assert broken_contracts(tmp_path) == []
    tree.write(tmp_path, f"src/samsyn/{name}", text)
    tree.write(tmp_path, f"src/samsyn/{Path(name).parts[0]}/__init__.py", "")
    assert broken_contracts(tmp_path) != []
