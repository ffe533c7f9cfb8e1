"""samsyn reader: who reads from here without a node of its own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click
import msgspec

from samsyn.base.errors import InputError
from samsyn.cli.language import Group, t
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, line, speaking, table
from samsyn.formats.stix_profiles import PROFILES, Profile
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
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=PROFILES[0],
    show_default=True,
    help="What reads STIX there: its importers keep some shapes and drop others.",
)
@by_option
@json_option
@speaking
def reader_add(
    root: Path, name: str, organisation: str, profile: Profile, by: str, as_json: bool
) -> None:
    """Make a token for a reader. It is shown this once, and gives nothing before a rule names NAME.

    A reader whose token was revoked gets a new one, and goes on where it was.
    """
    token = readers.add(home_of(root), name, organisation, by=by, profile=profile)

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
        t("certificate"),
        t("entries for it"),
        t("releases held back"),
    )
    rows = [
        (
            r.name,
            r.organisation,
            r.added,
            t("revoked") if r.revoked else "",
            t("beside the token") if r.both else t("or the token") if r.certificate else "",
            r.entries,
            r.waiting,
        )
        for r in found
    ]
    Out(as_json).answer(msgspec.to_builtins(found), lambda: table(t("Readers"), columns, rows))


@reader.command("certificate")
@home_option
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where to write certificate and key, as PKCS #12: tak.p12",
)
@click.option("--password", default="", help="That opens the file; made up where none is given.")
@click.option("--pem", is_flag=True, help="Write PEM (certificate, then key, not locked) instead.")
@click.option(
    "--beside-token",
    "both",
    is_flag=True,
    help="From now on the token is not enough without the certificate, nor the other way round.",
)
@by_option
@json_option
@speaking
def reader_certificate(
    root: Path, name: str, out: Path, password: str, pem: bool, both: bool, by: str, as_json: bool
) -> None:
    """Make a certificate for a reader, which its programs show instead of its token, or beside it.

    NAME has been added before (samsyn reader add). The certificate of before is nobody's from now on.
    """
    if out.exists():
        raise InputError(f"{out} is there already", where=str(out), do="choose another file name")
    password = password or secrets.token_urlsafe(12)
    issued = readers.certificate(home_of(root), name, password, by=by, both=both)
    data = issued.certificate_pem + issued.key_pem if pem else issued.p12
    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as written:
        written.write(data)

    def people() -> None:
        shown = {t("reader"): name, t("file"): str(out)}
        facts(t("A certificate"), shown if pem else {**shown, t("password"): password})
        line("\n" + t("It holds a key: hand it over in person, and delete it here."))

    told = {"reader": name, "file": str(out)}
    Out(as_json).answer(told if pem else {**told, "password": password}, people)


@reader.command("revoke")
@home_option
@click.argument("name")
@click.option("--why", required=True, help="For our own record.")
@click.option("--certificate", is_flag=True, help="Only its certificate: the token stays its own.")
@by_option
@json_option
@speaking
def reader_revoke(root: Path, name: str, why: str, certificate: bool, by: str, as_json: bool) -> None:
    """Take a reader's token and certificate from it, at once. What it has fetched it still has.

    Nothing new is released to it; what would be is held back until it has a new token.
    """
    if certificate:
        readers.revoke_certificate(home_of(root), name, by=by, why=why)
        said = t("The certificate of {name} is nobody's now.", name=name)
    else:
        readers.revoke(home_of(root), name, by=by, why=why)
        said = t("The token of {name} is nobody's now.", name=name)
    Out(as_json).answer({"revoked": name}, lambda: line(said))
