"""samsyn attachment: photos, plots and documents that statements name."""

from __future__ import annotations

from pathlib import Path

import click

from samsyn.base.errors import ConfigError
from samsyn.base.settings import Realm
from samsyn.cli.language import Group, t
from samsyn.cli.show import Out, home_of, home_option, json_option, line, realm_option, speaking, table
from samsyn.desk.attaching import Listed, read_file
from samsyn.node.attachments import attaching, fetch
from samsyn.node.stores import Stores

_BY = click.option(
    "--by", default="duty officer", show_default=True, help="Who orders it; for our own record."
)
_HASH = click.argument("sha256", metavar="[SHA256]", default="")


@click.group(cls=Group)
def attachment() -> None:
    """Files that statements name: photos, plots, documents.

    They are not sent with a statement. Who was given the name of one can fetch it. SHA256 is as much
    of its hash as tells which is meant; of a statement with one attachment it need not be given.
    """


@attachment.command("list")
@home_option
@realm_option
@click.argument("statement")
@json_option
@speaking
def attachment_list(root: Path, realm: Realm | None, statement: str, as_json: bool) -> None:
    """What STATEMENT names, as far as it was given to us, and whether it is here."""
    with Stores(home_of(root), realm) as stores:
        found = _listed(stores, statement)
    told = [
        {"sha256": a.sha256, "name": a.name, "type": a.type, "size": a.size, "here": here}
        for a, here in found
    ]
    columns = (t("hash"), t("name"), t("type"), t("bytes"), t("here"))
    rows = [
        (a.sha256[:12], a.name, a.type, str(a.size), t("yes") if here else t("no")) for a, here in found
    ]
    Out(as_json).answer(told, lambda: table(t("Attachments"), columns, rows))


@attachment.command("fetch")
@home_option
@realm_option
@click.argument("statement")
@_HASH
@_BY
@json_option
@speaking
def attachment_fetch(
    root: Path, realm: Realm | None, statement: str, sha256: str, by: str, as_json: bool
) -> None:
    """Fetch a file from the partner who gave us STATEMENT; it is checked against the hash."""
    with Stores(home_of(root), realm) as stores:
        digest = _chosen(stores, statement, sha256)
        via = fetch(stores, statement, digest, by=by)
    told = {"id": statement, "sha256": digest, "via": via or None}
    what = t("Fetched from {partner}.", partner=via) if via else t("It is here already.")
    Out(as_json).answer(told, lambda: line(what))


@attachment.command("save")
@home_option
@realm_option
@click.argument("statement")
@_HASH
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to save it in, under the name that its originator gave it.",
)
@json_option
@speaking
def attachment_save(
    root: Path, realm: Realm | None, statement: str, sha256: str, folder: Path, as_json: bool
) -> None:
    """Save a file that is here. What it is, its originator says: open it with care."""
    with Stores(home_of(root), realm) as stores:
        digest = _chosen(stores, statement, sha256)
        one, body = attaching(stores).body(statement, digest)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / one.name
    try:
        with out.open("xb") as file:
            file.write(body)
    except FileExistsError:
        raise ConfigError(
            t("there is such a file already"), where=str(out), do=t("choose another folder")
        ) from None
    except OSError as e:
        raise ConfigError(
            t("it cannot be written: {why}", why=e.strerror),
            where=str(out),
            do=t("choose another folder"),
        ) from e
    told = {"id": statement, "sha256": digest, "file": str(out)}
    Out(as_json).answer(told, lambda: line(t("Saved: {file}", file=out)))


@attachment.command("take")
@home_option
@realm_option
@click.argument("statement")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_BY
@json_option
@speaking
def attachment_take(
    root: Path, realm: Realm | None, statement: str, file: Path, by: str, as_json: bool
) -> None:
    """Take in FILE, which came another way: over an air gap, by hand. STATEMENT must name it."""
    value, body = read_file(file)
    with Stores(home_of(root), realm) as stores:
        attaching(stores).take(statement, value["sha256"], body, by=by, via="file")
    told = {"id": statement, "sha256": value["sha256"]}
    Out(as_json).answer(told, lambda: line(t("Taken in: it is the file that the statement names.")))


def _listed(stores: Stores, statement: str) -> list[Listed]:
    stored = stores.statements.get(statement)
    if stored is None:
        raise ConfigError(t("we hold no statement {id}", id=statement), do=t("see: samsyn statements"))
    return attaching(stores).listed(stored)


def _chosen(stores: Stores, statement: str, sha256: str) -> str:
    """The whole hash of the one that is meant."""
    found = [a for a, _ in _listed(stores, statement) if a.sha256.startswith(sha256)]
    if len(found) != 1:
        raise ConfigError(
            t("{count} attachments of this statement are meant", count=len(found)),
            where=statement,
            do=t("see: samsyn attachment list"),
        )
    return found[0].sha256
