"""Ceilings against the god-file, and marks that a thing is not finished."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidy import tree

FILE_LINES = 500
FUNCTION_LINES = 70
FOLDER_DEPTH = 3  # under src/samsyn
PLAIN_LINES = 10  # a public function or class longer than this says what it does
REASON_WORDS = 3

UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK|NotImplemented" + r"Error)\b")
BROAD = ("Exception", "BaseException")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_files(root: Path) -> list[str]:
    """Hand-written source files with more lines than the ceiling."""
    counted = (
        (p, len(p.read_text(encoding="utf-8").splitlines())) for p in tree.files(root, *tree.CODE)
    )
    return [
        f"{tree.name(p, root)}: {n} lines, at most {FILE_LINES}" for p, n in counted if n > FILE_LINES
    ]


def long_functions(root: Path) -> list[str]:
    """Functions with more lines than the ceiling, docstring included."""
    problems = []
    for path in tree.files(root, ".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    problems.append(
                        f"{tree.name(path, root)}:{node.lineno}: {node.name} has {lines} lines, "
                        f"at most {FUNCTION_LINES}"
                    )
    return problems


def deep_folders(root: Path) -> list[str]:
    """Source files in more than the allowed number of folders below src/samsyn."""
    below = root / "src" / "samsyn"
    found = tree.files(root, under="src/samsyn")
    return [tree.name(p, root) for p in found if len(p.parent.relative_to(below).parts) > FOLDER_DEPTH]


def untold(root: Path) -> list[str]:
    """Modules, and public functions and classes of some length, that do not say what they do.

    A feed's or a detector's folder says it in its .toml: an `__init__.py` there may be empty.
    """
    problems = []
    for dotted, path, module in tree.modules(root):
        where = tree.name(path, root)
        if not ast.get_docstring(module) and (module.body or dotted.count(".") < 2):
            problems.append(f"{where}: the module has no docstring")
        for node in module.body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            long = (node.end_lineno or 0) - node.lineno + 1 > PLAIN_LINES
            if long and not ast.get_docstring(node):
                problems.append(f"{where}:{node.lineno}: {node.name} has no docstring")
    return problems


def broad_excepts(root: Path) -> list[str]:
    """Handlers that catch everything without saying on that line why they may."""
    problems = []
    for path in tree.files(root, ".py"):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
                comment = lines[node.lineno - 1].partition("#")[2]
                reason = re.sub(r"noqa(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?", "", comment)
                if len(re.findall(r"\w+", reason)) < REASON_WORDS:
                    problems.append(
                        f"{tree.name(path, root)}:{node.lineno}: a broad except without a reason"
                    )
    return problems


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(one) for one in caught.elts)
    return isinstance(caught, ast.Name) and caught.id in BROAD


def unfinished(root: Path) -> list[str]:
    """Marks that somebody meant to come back."""
    problems = []
    for path in tree.files(root, *tree.CODE):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if UNFINISHED.search(line):
                problems.append(f"{tree.name(path, root)}:{number}: {line.strip()}")
    return problems


def cycles(root: Path) -> list[str]:
    """Modules under src/ that import each other, directly or round a corner."""
    found = {dotted: (path, module) for dotted, path, module in tree.modules(root)}
    graph = {
        dotted: {_known(name, found) for _, name in tree.imports(dotted, path, module)} - {"", dotted}
        for dotted, (path, module) in found.items()
    }
    problems = []
    for start in sorted(graph):
        way = _way_back(start, graph)
        if way and start == min(way):  # each ring is told once, from its first name on
            problems.append(" -> ".join([*way, start]))
    return problems


def _known(imported: str, found: dict[str, tuple[Path, ast.Module]]) -> str:
    """The module that an imported name means: itself, or the one that it is defined in."""
    if imported in found:
        return imported
    above = imported.rpartition(".")[0]
    return above if above in found else ""


def _way_back(start: str, graph: dict[str, set[str]]) -> list[str]:
    """A shortest chain of imports from a module to itself, or nothing."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for following in sorted(graph.get(way[-1], ())):
            if following == start:
                return way
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


CHECKS = [long_files, long_functions, deep_folders, untold, broad_excepts, unfinished, cycles]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_the_project_holds(check: Callable[[Path], list[str]]) -> None:
    tree.none(check(tree.ROOT))


MARK = "TO" + "DO"
BAD = [
    (long_files, {"src/samsyn/a.py": "x = 1\n" * (FILE_LINES + 1)}, "501 lines"),
    (long_files, {"ui/src/a.svelte": "<p></p>\n" * (FILE_LINES + 1)}, "a.svelte"),
    (
        long_functions,
        {"src/samsyn/a.py": "def f():\n" + "    x = 1\n" * FUNCTION_LINES},
        "f has 71 lines",
    ),
    (deep_folders, {"src/samsyn/a/b/c/d/e.py": ""}, "a/b/c/d/e.py"),
    (untold, {"src/samsyn/a.py": "x = 1\n"}, "no docstring"),
    (untold, {"src/samsyn/a/__init__.py": "", "src/samsyn/a/b/__init__.py": ""}, "a/__init__.py"),
    (
        untold,
        {"src/samsyn/a.py": '"""A."""\ndef f():\n' + "    x = 1\n" * PLAIN_LINES},
        "f has no docstring",
    ),
    (broad_excepts, {"src/a.py": "try:\n    pass\nexcept Exception:\n    pass\n"}, "a.py:3"),
    (
        broad_excepts,
        {"src/a.py": "try:\n    pass\nexcept (ValueError, BaseException):\n    pass\n"},
        "a.py:3",
    ),
    (
        broad_excepts,
        {"src/a.py": "try:\n    pass\nexcept Exception:  # noqa: BLE001\n    pass\n"},
        "a.py:3",
    ),
    (broad_excepts, {"src/a.py": "try:\n    pass\nexcept:\n    pass\n"}, "a.py:3"),
    (unfinished, {"src/a.py": f"x = 1  # {MARK}: more\n"}, "a.py:1"),
    (
        cycles,
        {"src/s/a.py": "import s.b", "src/s/b.py": "from s.c import x", "src/s/c.py": "from s import a"},
        "s.a -> s.b -> s.c -> s.a",
    ),
    (
        cycles,
        {"src/s/a.py": "from . import b", "src/s/b.py": "def f():\n    from .a import x\n"},
        "s.a -> s.b -> s.a",
    ),
]


@pytest.mark.parametrize(("check", "written", "told"), BAD)
def test_a_bad_tree_is_told(
    check: Callable[[Path], list[str]], written: dict[str, str], told: str, tmp_path: Path
) -> None:
    for name, text in written.items():
        tree.write(tmp_path, name, text)
    problems = check(tmp_path)
    assert len(problems) == 1
    assert told in problems[0]


def test_a_reason_in_words_is_enough(tmp_path: Path) -> None:
    text = "try:\n    pass\nexcept Exception:  # noqa: BLE001  a feed must not end the node\n    pass\n"
    tree.write(tmp_path, "src/a.py", text)
    assert broad_excepts(tmp_path) == []
