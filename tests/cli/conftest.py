"""Commands as a user runs them: in a folder of their own, in English unless asked otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from samsyn.cli import main
from samsyn.cli.language import VARIABLES, choose


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder of every command."""
    for name in (*VARIABLES, "SAMSYN_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    choose(None)
    yield tmp_path
    choose(None)


def run(*args: str | Path, typed: str | None = None, env: dict[str, str] | None = None) -> Result:
    """One command, to its end. A fault of ours comes up as it is."""
    result = CliRunner().invoke(main, [str(a) for a in args], input=typed, env=env, prog_name="samsyn")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def ok(*args: str | Path, typed: str | None = None) -> str:
    """What a command that succeeds says."""
    result = run(*args, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


def answer(*args: str | Path, code: int = 0) -> Any:
    """What a command answers to a program."""
    result = run(*args, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def refused(*args: str | Path, typed: str | None = None) -> str:
    """What a command that cannot do it says; on stderr, with exit code 2."""
    result = run(*args, typed=typed)
    assert result.exit_code == 2, result.output
    return result.stderr


def make(name: str, *more: str) -> Sequence[str]:
    """A home of this name in the working folder; gives the words that name it."""
    ok("init", "--home", name, "--name", name, "--organisation", f"Coast Watch {name.upper()}", *more)
    return ("--home", name)
