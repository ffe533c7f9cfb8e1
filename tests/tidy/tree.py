"""What the tidy tests look at: the files of a tree, told apart by what git keeps."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ("node_modules", ".venv", "__pycache__")
CODE = (".py", ".ts", ".svelte", ".js", ".mjs", ".css")
TEXT = (*CODE, ".md", ".toml", ".json", ".yml", ".html", ".sh", ".in")


def files(tree: Path, *suffixes: str, under: str = "") -> list[Path]:
    """Every file of the tree with one of these endings, built and ignored ones left out.

    In a git checkout: what git tracks or would add. Anywhere else: whatever lies there.
    """
    start = tree / under
    if not start.exists():
        return []
    found = (
        _git_files(start) if (tree / ".git").exists() else [p for p in start.rglob("*") if p.is_file()]
    )
    kept = (p for p in found if not set(p.relative_to(tree).parts) & set(BUILT))
    return sorted(p for p in kept if not suffixes or p.suffix in suffixes)


def _git_files(start: Path) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=start,
        check=True,
        capture_output=True,
    )
    names = [n for n in listed.stdout.decode().split("\0") if n]
    return [p for p in (start / n for n in names) if p.is_file()]


def name(path: Path, tree: Path) -> str:
    """A file's name within the tree, as it is shown in a problem."""
    return path.relative_to(tree).as_posix()


def modules(tree: Path) -> Iterator[tuple[str, Path, ast.Module]]:
    """Every module under src/: dotted name, file, syntax tree."""
    for path in files(tree, ".py", under="src"):
        dotted = ".".join(path.relative_to(tree / "src").with_suffix("").parts)
        yield dotted.removesuffix(".__init__"), path, ast.parse(path.read_text(encoding="utf-8"))


def imports(dotted: str, path: Path, module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a module imports, `from x import y` as `x.y`."""
    package = dotted if path.name == "__init__.py" else dotted.rpartition(".")[0]
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).strip(".")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def write(tree: Path, name_: str, text: str) -> Path:
    """A file of a made-up tree, for tests that show a check failing."""
    path = tree / name_
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def none(problems: list[str]) -> None:
    """Fail, naming every problem, if there are any."""
    assert not problems, "\n".join(["", *problems])
