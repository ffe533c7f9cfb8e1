"""English or Swedish. The English text stands in the code and is the key; `sv.toml` has the Swedish.

Chosen by `--lang`, else by the first of SAMSYN_LANG, LC_ALL, LC_MESSAGES and LANG that is set.
"""

from __future__ import annotations

import copy
import functools
import gettext
import inspect
import os
import re
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar

import click

Language = Literal["en", "sv"]

CATALOGUE: Final = Path(__file__).with_name("sv.toml")
VARIABLES: Final = ("SAMSYN_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
_VERBATIM: Final = "\b"  # click's mark of a paragraph whose lines stay as they are
_AS_WRITTEN: Final = "samsyn.main"  # where a context keeps the main group with the words of the code

_chosen: Language | None = None

C = TypeVar("C", bound=click.Command)


def choose(lang: Language | None) -> None:
    """The language of this process from now on; None: as the environment says."""
    global _chosen
    _chosen = lang


def language() -> Language:
    """The language in use."""
    if _chosen is not None:
        return _chosen
    said = next((value for name in VARIABLES if (value := os.environ.get(name))), "")
    return "sv" if said.lower().startswith("sv") else "en"


@functools.cache
def catalogue() -> Mapping[str, str]:
    """Swedish by English."""
    return tomllib.loads(CATALOGUE.read_text("utf-8"))


def t(text: str, **values: Any) -> str:
    """A text of ours in the language in use, its {holes} filled. A text that is no key stays."""
    if language() == "sv":
        text = catalogue().get(text, text)
    return text.format(**values) if values else text


def told(text: str) -> str:
    """A sentence that another part of Samsyn made, its holes filled there already.

    It is found by the shape of a key; one of no known shape stays English.
    """
    if language() == "en" or text in catalogue():
        return t(text)
    for shape, swedish in _shapes():
        if found := shape.fullmatch(text):
            return swedish.format(**found.groupdict())
    return text


@functools.cache
def _shapes() -> list[tuple[re.Pattern[str], str]]:
    """The keys with holes as patterns, those with most words of their own first."""
    keys = [key for key in catalogue() if re.search(r"\{\w+\}", key)]
    keys.sort(key=lambda key: -len(re.sub(r"\{\w+\}", "", key)))
    return [
        (
            re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(key)), re.DOTALL),
            catalogue()[key],
        )
        for key in keys
    ]


def help_keys(text: str) -> list[str]:
    """The keys of a help text: each paragraph on one line; in a verbatim one, each line."""
    keys: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = [line.strip() for line in paragraph.split("\n")]
        keys += lines[1:] if lines[0] == _VERBATIM else [" ".join(lines)]
    return keys


def help_text(text: str) -> str:
    """A help text in the language in use, paragraph by paragraph."""
    made = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.split("\n")
        if lines[0] == _VERBATIM:
            made.append("\n".join(line.replace(line.strip(), t(line.strip())) for line in lines))
        else:
            made.append(t(" ".join(lines)))
    return "\n\n".join(made)


def spoken(command: C, ctx: click.Context) -> C:
    """A command in the language in use: a copy, for the words in the code stay the keys."""
    made = copy.copy(command)
    made._help_option = None  # click keeps the one it made, in whatever language that was
    made.help = help_text(command.help or "")
    made.epilog = help_text(command.epilog or "")
    made.options_metavar = t(command.options_metavar or "")
    if isinstance(made, click.Group):
        made.subcommand_metavar = t(made.subcommand_metavar)
    made.params = [_spoken_parameter(parameter, ctx) for parameter in command.params]
    return made


def _spoken_parameter(parameter: click.Parameter, ctx: click.Context) -> click.Parameter:
    made = copy.copy(parameter)
    made.type = copy.copy(parameter.type)
    made.type.name = t(parameter.type.name)
    if isinstance(made, click.Option):
        made.help = t(made.help or "")
        made.prompt = t(made.prompt or "") or None
    else:
        made.metavar = t(parameter.make_metavar(ctx))
    return made


class Later(NamedTuple):
    """A command that is read in only when it is asked for. where: "module:name". about: the first
    paragraph of its help, so that a list of commands needs none of them."""

    where: str
    about: str


class Group(click.Group):
    """A group that speaks the language in use, and so do its commands, `later` ones too."""

    def __init__(self, *args: Any, later: Mapping[str, Later] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self._later = later or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were added: in the order in which people need them."""
        return list(self._later or self.commands)

    def written(self, name: str) -> click.Command | None:
        """A command with the words of the code; None where there is none of that name."""
        if name in self._later and name not in self.commands:
            module, _, attribute = self._later[name].where.partition(":")
            self.add_command(getattr(import_module(module), attribute), name)
        return self.commands.get(name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self._later:
            super().format_commands(ctx, formatter)
            return
        with formatter.section(t("Commands")):
            formatter.write_dl([(name, t(one.about)) for name, one in self._later.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.parent is None:
            choose(None)
            ctx.meta[_AS_WRITTEN] = self
            ctx.command = spoken(self, ctx)
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = self.written(cmd_name)
        return found and spoken(found, ctx)


def _take(ctx: click.Context, parameter: click.Parameter, value: Language | None) -> None:
    if value is not None:
        choose(value)
        ctx.command = spoken(ctx.meta[_AS_WRITTEN], ctx)


lang_option = click.option(
    "--lang",
    type=click.Choice(["en", "sv"]),
    is_eager=True,
    expose_value=False,
    callback=_take,
    help="English or Swedish; before the command. Else as SAMSYN_LANG, LC_ALL, LC_MESSAGES or LANG say.",
)


# click's own words go through gettext, which would want a compiled file of them: they are looked up
# here instead, with the rest.
def _of_click(domain: str, message: str) -> str:
    return t(message)


def _of_click_counted(domain: str, msgid1: str, msgid2: str, n: int) -> str:
    return t(msgid1 if n == 1 else msgid2)


gettext.dgettext = _of_click
gettext.dngettext = _of_click_counted
