"""How commands speak: tables and sentences for people, JSON for machines (`--json`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, NoReturn, ParamSpec

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from samsyn.base.errors import ConfigError, Refused, SamsynError
from samsyn.base.settings import Home
from samsyn.channels import reason_texts
from samsyn.channels.refusals import REASONS
from samsyn.cli.language import choose, language, t, told

P = ParamSpec("P")

PIPE_WIDTH: Final = 1_000  # where nobody watches, a row is a line: a program may read them

screen = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
aside = Console(stderr=True)

# What the wire and the store say in a word, and people in their own language.
CODES: Final = frozenset(
    {
        "actual",
        "exercise",
        "alert",
        "report",
        "request",
        "consent",
        "reference",
        "standing",
        "superseded",
        "withdrawn",
        "open",
        "closed",
        "release",
        "widen",
        "withdraw",
        "suspended",
        "leaving",
        "proposed",
        "in-force",
        "rejected",
        "expired",
        "area",
        "port",
        "anchorage",
        "fairway",
        "cable",
        "pipeline",
    }
)


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


def printable(value: Any) -> str:
    """`value` as text that a terminal only shows: what a partner or a feed wrote commands nothing."""
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(value)
    )


def line(text: str, *, style: str = "", to: Console = screen) -> None:
    """A sentence as it is: no markup is looked for in it."""
    to.print(Text(printable(text), style=style), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """`title` on a line of its own: a narrow table must not fold it."""
    made = Table(header_style="bold", box=None, pad_edge=False)
    for n, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=n == 0)  # the first is what people copy
    _titled(title, made, rows)


def facts(title: str, pairs: Mapping[str, Any]) -> None:
    """What is known under a title; a value of None or "" is not, and is left out."""
    made = Table(show_header=False, box=None, pad_edge=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    _titled(title, made, ((key, value) for key, value in pairs.items() if value not in (None, "")))


def _titled(title: str, made: Table, rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        made.add_row(*(Text(" ".join(printable("" if v is None else v).split("\n"))) for v in row))
    if title:
        line(title, style="italic")
    screen.print(made)


def word(code: str) -> str:
    """A code of the wire or the store as people say it."""
    return t(code) if code in CODES else code


def yes_no(value: bool) -> str:
    return t("yes") if value else t("no")


def fail(error: SamsynError, as_json: bool) -> NoReturn:
    """What, where, what to do; exit code 2."""
    said = {"what": error.what, "where": error.where, "do": error.do}
    if isinstance(error, Refused):
        said["reason"] = error.reason
    if as_json:
        sys.stdout.write(orjson.dumps({"error": said}).decode() + "\n")
    else:
        line(_what(error), style="bold red", to=aside)
        labels = (t("where:"), t("do:"))
        width = max(map(len, labels))
        for label, text in zip(labels, (error.where, told(error.do)), strict=True):
            if text:
                line(f"  {label:{width}} {text}", to=aside)
    sys.exit(2)


def _what(error: SamsynError) -> str:
    """A refusal of a known reason in Swedish is told by its reason: its sentence may be any."""
    if isinstance(error, Refused) and language() == "sv" and error.reason in REASONS:
        return reason_texts(error.reason)[1]
    return told(error.what)


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
    """Turn our errors into an answer. The command must take `as_json`; programs are told in English."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        if as_json:
            choose("en")
        try:
            command(*args, **kwargs)
        except SamsynError as e:
            fail(e, as_json)
        except BrokenPipeError:
            raise  # whoever read us has read enough; click ends quietly
        except OSError as e:  # a disk that is full, a folder that may not be written, a port in use
            fail(ConfigError(e.strerror or str(e), where=str(e.filename or "")), as_json)

    return run


def home_of(root: Path) -> Home:
    """The home at `root`. Raises `ConfigError` where there is none that can be used."""
    home = Home(root)
    home.settings()
    return home
