"""Finds the texts of the command line: what must have Swedish, and what may."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from samsyn.cli import main
from samsyn.cli.language import Group, help_keys
from samsyn.cli.show import CODES

SRC = Path(__file__).resolve().parents[2] / "src" / "samsyn"
ERRORS = {"ConfigError", "InputError", "LimitError", "SamsynError"}
HOLE = re.compile(r"\{\w*\}")
COMMAND_ONLY = re.compile(r"samsyn( \S+)+")  # a line of a help text that is nothing but a command


def commands(group: click.Group = main) -> Iterator[click.Command]:
    """Every command and group, from the main one down."""
    yield group
    assert isinstance(group, Group)
    for name in group.list_commands(click.Context(group)):
        command = group.written(name)
        assert command is not None
        if isinstance(command, click.Group):
            assert isinstance(command, Group), f"{command.name} would list its commands in English"
            yield from commands(command)
        else:
            yield command


def help_words() -> set[str]:
    """Keys of all help: commands, epilogs, options, prompts, and names of arguments."""
    found: set[str] = set()
    for command in commands():
        ctx = click.Context(command)
        found |= {*help_keys(command.help or ""), *help_keys(command.epilog or "")}
        found.add(command.options_metavar or "")
        if isinstance(command, click.Group):
            found.add(command.subcommand_metavar)
        for one in command.params:
            if isinstance(one, click.Option):
                found |= {one.help or "", one.prompt or ""}
                if not (one.is_flag or isinstance(one.type, click.Choice)):
                    found.add(one.type.name)
            else:
                found.add(one.make_metavar(ctx))
    return {text for text in found if text and not COMMAND_ONLY.fullmatch(text)}


def undocumented() -> list[str]:
    """Commands and options that say nothing of themselves."""
    return [
        f"{command.name} {' '.join(one.opts) if one else ''}"
        for command in commands()
        for one in [None, *(p for p in command.params if isinstance(p, click.Option))]
        if not (one.help if one else command.help)
    ]


def said_by_the_command_line() -> set[str]:
    """Literals given to t() in cli/, and the codes that are words to people."""
    found = set(CODES)
    for path in (SRC / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
                else:
                    assert path.name in ("language.py", "show.py"), (
                        f"{path.name}:{node.lineno}: no literal"
                    )
    return found


def said_by_errors() -> dict[str, str]:
    """What our errors say and advise, anywhere: shape (holes without names) -> where it is raised."""
    found: dict[str, str] = {}
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            texts = _texts_of(node)
            for shape in filter(_has_words, map(_shape, texts)):
                found[shape] = f"{path.relative_to(SRC)}:{node.lineno}"
    return found


def _texts_of(error: ast.Call) -> list[ast.expr]:
    """What an error says and advises. A refusal counts where it advises the person at this home; to
    others it is told by its reason."""
    if isinstance(error.func, ast.Attribute):  # where a policy is read: key, what, what to do
        return error.args[1:3] if error.func.attr == "_wrong" else []
    if not isinstance(error.func, ast.Name):
        return []
    if error.func.id == "Fault":  # rule, key, what, what to do
        return error.args[2:4]
    advice = [k.value for k in error.keywords if k.arg == "do"]
    if error.func.id in ERRORS:
        return [*error.args[:1], *advice]
    return [error.args[1], *advice] if error.func.id == "Refused" and advice else []


def literals(*roots: Path) -> set[str]:
    """The shapes of every text in the code below `roots`."""
    return {
        shape
        for root in roots
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (shape := _shape(node))
    }


def of_click() -> set[str]:
    """Every text in click itself."""
    spec = find_spec("click")
    assert spec and spec.origin
    return literals(Path(spec.origin).parent)


def shape(key: str) -> str:
    """A key with its holes unnamed."""
    return HOLE.sub("{}", key)


def _shape(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return shape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp):
        return (_shape(node.left) or "{}") + (_shape(node.right) or "{}")
    return ""


def _has_words(text: str) -> bool:
    return any(c.isalpha() for c in HOLE.sub("", text))
