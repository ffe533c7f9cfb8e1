"""samsyn reader: who reads from here without a node of its own."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from samsyn.cli.language import Group, t
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, line, speaking, table
from samsyn.node import readers

by_option = click.option(
    "--by", default="administrator", show_default=True, help="Who orders it; for our own record."
)


@click.group(cls=Group)
def reader() -> None:
    """Readers without a node: a map server, a threat platform, a script."""


@reader.command("add")
@home_option
@click.argument("name")
@click.option("--organisation", required=True, help='In full: "Coast Watch"')
@by_option
@json_option
@speaking
def reader_add(root: Path, name: str, organisation: str, by: str, as_json: bool) -> None:
    """Make a token for a reader. It is shown this once, and gives nothing before a rule names NAME.

    A reader whose token was revoked gets a new one, and goes on where it was.
    """
    token = readers.add(home_of(root), name, organisation, by=by)

    def people() -> None:
        facts(t("A reader"), {t("reader"): name, t("organisation"): organisation, t("token"): token})
        said = t("The token is shown this once. A rule gives it something: to = {name}", name=[name])
        line("\n" + said)

    Out(as_json).answer({"reader": name, "organisation": organisation, "token": token}, people)


@reader.command("list")
@home_option
@json_option
@speaking
def reader_list(root: Path, as_json: bool) -> None:
    """The readers without a node, and how much is in their channels."""
    found = readers.shown(home_of(root))
    columns = (
        t("reader"),
        t("organisation"),
        t("added"),
        t("state"),
        t("entries for it"),
        t("releases held back"),
    )
    rows = [
        (r.name, r.organisation, r.added, t("revoked") if r.revoked else "", r.entries, r.waiting)
        for r in found
    ]
    Out(as_json).answer(msgspec.to_builtins(found), lambda: table(t("Readers"), columns, rows))


@reader.command("revoke")
@home_option
@click.argument("name")
@click.option("--why", required=True, help="For our own record.")
@by_option
@json_option
@speaking
def reader_revoke(root: Path, name: str, why: str, by: str, as_json: bool) -> None:
    """Take a reader's token from it, at once. What it has fetched it still has.

    Nothing new is released to it; what would be is held back until it has a new token.
    """
    readers.revoke(home_of(root), name, by=by, why=why)
    said = t("The token of {name} is nobody's now.", name=name)
    Out(as_json).answer({"revoked": name}, lambda: line(said))
