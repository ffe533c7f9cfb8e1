"""How commands speak: tables and sentences for people, JSON for machines (`--json`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from samsyn.base.errors import Refused, SamsynError
from samsyn.base.settings import Home

P = ParamSpec("P")

screen = Console()
aside = Console(stderr=True)


class Out:
    """Where one command's answer goes."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def answer(self, value: Any, people: Callable[[], None]) -> None:
        """`value` as JSON, or whatever `people` prints."""
        if self.as_json:
            options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY
            sys.stdout.write(orjson.dumps(value, option=options, default=str).decode() + "\n")
        else:
            people()

    def progress(self) -> Progress:
        """A progress bar on stderr; silent where the answer is JSON or nobody watches."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=aside,
            disable=self.as_json or not aside.is_terminal,
            transient=True,
        )


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """`title` on a line of its own: a narrow table must not fold it."""
    made = Table(header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if v is None else str(v) for v in row))
    _titled(title, made)


def facts(title: str, pairs: Mapping[str, Any]) -> None:
    made = Table(show_header=False, box=None, pad_edge=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for key, value in pairs.items():
        made.add_row(key, str(value))
    _titled(title, made)


def _titled(title: str, made: Table) -> None:
    if title:
        screen.print(title, style="italic", highlight=False, markup=False)
    screen.print(made)


def fail(error: SamsynError, as_json: bool) -> NoReturn:
    """What, where, what to do; exit code 2."""
    told = {"what": error.what, "where": error.where, "do": error.do}
    if isinstance(error, Refused):
        told["reason"] = error.reason
    if as_json:
        sys.stdout.write(orjson.dumps({"error": told}).decode() + "\n")
    else:
        aside.print(f"[bold red]{error.what}[/]", highlight=False)
        if error.where:
            aside.print(f"  where: {error.where}", highlight=False, markup=False)
        if error.do:
            aside.print(f"  do:    {error.do}", highlight=False, markup=False)
    sys.exit(2)


json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
home_option = click.option(
    "--home",
    "root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("samsyn-home"),
    envvar="SAMSYN_HOME",
    show_default=True,
    help="The node's home folder (or set SAMSYN_HOME).",
)
realm_option = click.option(
    "--realm",
    type=click.Choice(["actual", "exercise"]),
    default=None,
    help="Which realm; the home's own setting where not given.",
)


def speaking(command: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into an answer. The command must take `as_json`."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SamsynError as e:
            fail(e, bool(kwargs.get("as_json")))

    return run


def home_of(root: Path) -> Home:
    home = Home(root)
    home.settings()  # says what is wrong with it, if anything
    return home
