"""samsyn channel: a channel carried as a file, and its receipt back, where no network goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from samsyn.base import limits
from samsyn.base.errors import ConfigError, InputError, Refused
from samsyn.base.settings import Realm
from samsyn.channels import file as channel_file
from samsyn.channels.door import Door
from samsyn.channels.names import split_origin
from samsyn.channels.reader import ReaderChannel
from samsyn.cli.language import Group, t
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, line, realm_option, speaking
from samsyn.log.checkpoint import parse_checkpoint
from samsyn.log.note import parse_note
from samsyn.node.stores import Stores

file_type = click.Path(path_type=Path, dir_okay=False)
known_file_type = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group(cls=Group)
def channel() -> None:
    """Channels as files: over an air gap or a data diode, or by courier.

    The same entries as over the network, with the same checks at the other end.
    """


@channel.command("export")
@home_option
@realm_option
@click.argument("partner")
@click.option(
    "--since",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Entries that the partner holds already, and that are left out.",
)
@click.option("--out", type=file_type, required=True, help="Where to write it.")
@json_option
@speaking
def channel_export(
    root: Path, realm: Realm | None, partner: str, since: int, out: Path, as_json: bool
) -> None:
    """Write our channel for PARTNER to a file.

    It holds what our policy has released to the partner, and nothing else. Where it is not known what
    the partner holds, leave out --since: entries that it holds are passed over there.
    """
    with Stores(home_of(root), realm) as stores:
        door, ours = _channel(stores, partner)
        _check_served(stores, partner)
        header = channel_file.Header(stores.me, stores.realm, partner)
        with _written(out) as made:
            written = channel_file.export(ours, header, since, made)
        _, applied = door.applied(partner)
        waiting = 0 if stores.runs() else stores.outbox.waiting()
    told = {
        "file": str(out),
        "partner": partner,
        "since": since,
        "size": written.size,
        "bytes": written.bytes,
        "confirmed": applied,
        "waiting": waiting,
    }

    def people() -> None:
        shown = {
            t("file"): out,
            t("for"): partner,
            t("entries"): written.size - since,
            t("left out, as held there"): since,
            t("bytes"): written.bytes,
            t("confirmed by the partner so far"): applied,
        }
        facts(t("A channel as a file"), shown)
        if waiting:
            line(
                t("Waiting for the node, and not in it (samsyn up): {count}", count=waiting),
                style="bold",
            )

    Out(as_json).answer(told, people)


@channel.command("receive")
@home_option
@realm_option
@click.argument("file", type=known_file_type)
@click.option("--cosign-out", type=file_type, help="The receipt; FILE.cosign where not given.")
@json_option
@speaking
def channel_receive(
    root: Path, realm: Realm | None, file: Path, cosign_out: Path | None, as_json: bool
) -> None:
    """Take a partner's channel from FILE, and write a receipt: our cosignature of what we hold.

    Each entry is checked as if it had come over the network. Bring the receipt back to the partner
    where there is a way back. The node may run meanwhile.
    """
    with Stores(home_of(root), realm) as stores, file.open("rb") as opened:
        header, batches = channel_file.read(opened)
        header.check(me=stores.me, realm=stores.realm)
        card = stores.roster.get(header.node)
        if card is None:
            raise InputError(
                f"this file is of {header.node}, who is no partner of ours", do="add the card first"
            )
        _check_served(stores, card.name)
        mirror = stores.mirror(card)
        taken = channel_file.take(batches, mirror)
        note = mirror.cosigned()
    receipt = cosign_out or file.with_name(f"{file.name}.cosign")
    if note is not None:
        with _written(receipt) as made:
            made.write(note)
    told = {
        "partner": header.node,
        "size": taken.size,
        "entries": taken.entries,
        "statements": taken.statements,
        "withdrawals": taken.withdrawals,
        "behind": taken.behind,
        "cosignature": str(receipt) if note is not None else None,
    }

    def people() -> None:
        shown = {
            t("partner"): header.node,
            t("new entries"): taken.entries,
            t("statements"): taken.statements,
            t("withdrawals"): taken.withdrawals,
            t("entries held now"): taken.size,
            t("entries still to come"): taken.behind or None,
            t("receipt"): receipt if note is not None else None,
        }
        facts(t("Taken from {file}", file=file), shown)
        if note is None:
            line(t("There is no receipt yet: run this again to get one."), style="bold")

    Out(as_json).answer(told, people)


@channel.command("cosign")
@home_option
@realm_option
@click.argument("note", type=known_file_type)
@json_option
@speaking
def channel_cosign(root: Path, realm: Realm | None, note: Path, as_json: bool) -> None:
    """Take a partner's receipt back: so far it has received and applied our channel, purges included."""
    with note.open("rb") as opened:
        data = opened.read(limits.CHECKPOINT_BYTES + 1)
    with Stores(home_of(root), realm) as stores:
        partner = _receipt_of(data, note, stores)
        door, ours = _channel(stores, partner)
        ours.cosign(data)
        size, applied = door.applied(partner)
    said = t("{name} has applied {applied} of {size} entries.", name=partner, applied=applied, size=size)
    told = {"partner": partner, "applied": applied, "size": size}
    Out(as_json).answer(told, lambda: line(said))


def _check_served(stores: Stores, name: str) -> None:
    """Raises `ConfigError` for a suspended partner and for a reader whose token was revoked: no way of
    carrying goes around that."""
    if name in stores.tokens.revoked():
        raise ConfigError(f"the token of {name} was revoked", do="see: samsyn reader list")
    if stores.roster.suspended(name):
        raise ConfigError(f"{name} is suspended", do="to end that: samsyn partner resume")


def _receipt_of(data: bytes, note: Path, stores: Stores) -> str:
    """Whose receipt it claims to be. Raises `InputError` unless it is of a channel of this realm."""
    try:
        node, realm, reader = split_origin(parse_checkpoint(parse_note(data).text).origin)
    except (Refused, ValueError) as e:
        raise InputError("this is no receipt of a channel", where=str(note)) from e
    if node != stores.me:
        raise InputError(f"this is a receipt for {node}, and this node is {stores.me}", where=str(note))
    if realm != stores.realm:
        raise InputError(
            f"this is a receipt of the realm {realm}, not {stores.realm}",
            where=str(note),
            do="say which with --realm",
        )
    return reader


def _channel(stores: Stores, partner: str) -> tuple[Door, ReaderChannel]:
    """The door, with no policy: what is released stays so, and nothing new is decided here."""
    door = stores.door()
    door.set_policy(None, stores.readers())
    found = door.reader(partner)
    if found is None:
        raise ConfigError(
            t("{name} is no partner of ours", name=repr(partner)), do=t("see: samsyn partner list")
        )
    return door, found


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all: a diode's sender may take it at any moment.

    For its owner alone, as its home is. A device or a pipe is written to as it is.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            yield device
        return
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            yield made
            made.flush()
            os.fsync(made.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
