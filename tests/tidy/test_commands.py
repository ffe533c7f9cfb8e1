"""Every `samsyn` command that a page shows is one that samsyn has, options and all."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.tidy import tree

SHOWN = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*samsyn (.*)$")
SAID = re.compile(r"`samsyn ([^`]+)`")


def unknown_commands(root: Path, program: click.Group) -> list[str]:
    """Commands or options in the code blocks and `samsyn ...` words of the pages that do not exist."""
    problems = []
    for page in tree.files(root, ".md"):
        fenced = False
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("```"):
                fenced = not fenced
            shown = [m[1] for m in [SHOWN.match(line)] if m] if fenced else SAID.findall(line)
            wrong = [problem for one in shown if (problem := _unknown(one, program))]
            problems += [f"{tree.name(page, root)}:{number}: {problem}" for problem in wrong]
    return problems


def _unknown(shown: str, program: click.Group) -> str:
    """What of one command line does not exist; empty where all of it does."""
    command: click.Command = program
    for word in shlex.split(shown, comments=True):
        name = word.partition("=")[0]
        if name.startswith("-"):
            options = [o for p in command.params for o in (*p.opts, *p.secondary_opts)]
            if name not in (*options, "--help", "--version"):
                return f"{command.name} has no option {name}"
        elif isinstance(command, click.Group):
            if name == "...":
                return ""
            found = command.get_command(click.Context(command), name)
            if found is None:
                return f"{command.name} has no command {name}"
            command = found
    return ""


def test_the_pages_show_what_there_is() -> None:
    from samsyn.cli import main  # here, so that the check itself can be tested without the program

    assert isinstance(main, click.Group)
    tree.none(unknown_commands(tree.ROOT, main))


@click.group()
def toy() -> None:
    """A program."""


@toy.group()
def feed() -> None:
    """A group."""


@feed.command("try")
@click.argument("source")
@click.option("--json", is_flag=True)
def try_(source: str, json: bool) -> None:
    """A command."""


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("```\nsamsyn feed try FILE --json   # look\n```", 0),
        ("use `samsyn feed try FILE` or `samsyn --help`", 0),
        ("```\nsamsyn fed try FILE\n```", 1),
        ("```\n$ samsyn feed look FILE\n```", 1),
        ("```\nN=1 samsyn feed try FILE --yaml\n```", 1),
        ("use `samsyn feed ask`", 1),
    ],
)
def test_a_command_that_is_not_there_is_told(text: str, problems: int, tmp_path: Path) -> None:
    tree.write(tmp_path, "README.md", text)
    assert len(unknown_commands(tmp_path, toy)) == problems
