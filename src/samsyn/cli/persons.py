"""Which person acts: an account and its password, never given in the command line itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from samsyn.base.errors import InputError
from samsyn.cli.language import t
from samsyn.desk.accounts import Account, identify
from samsyn.desk.rights import Act
from samsyn.node.stores import Stores

C = TypeVar("C", bound=Callable[..., None])


def by_option(command: C) -> C:
    """`--by` and `--password-file`."""
    command = click.option(
        "--password-file",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        help="Read the password from its first line (-: standard input); else it is asked for.",
    )(command)
    return click.option("--by", "user", required=True, help="Your account; its password is asked for.")(
        command
    )


def person(stores: Stores, user: str, password_file: Path | None, act: Act) -> Account:
    """Who acts. Raises `InputError` for a wrong password, `Forbidden` where the role does not allow it.

    A wrong password is written down in the diary.
    """
    account = identify(stores.home.accounts, user, _password(user, password_file))
    if account is None:
        known = user if any(a.user == user for a in stores.accounts()) else "unknown user"
        stores.diary.write(known, "sign-in-failed", unwritten_before=0)
        raise InputError(t("wrong user or password"), where=user)
    account.require(act)
    return account


def _password(user: str, file: Path | None) -> str:
    if file is None:
        asked = t("Password of {user}", user=user)
        return str(click.prompt(asked, hide_input=True, err=True))
    if str(file) == "-":
        return sys.stdin.readline().rstrip("\r\n")
    lines = file.read_text().splitlines()
    return lines[0] if lines else ""
