"""samsyn log, released: what an auditor asks of a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from samsyn.base.clock import SECOND_US, iso, parse_iso
from samsyn.base.errors import ConfigError, InputError
from samsyn.base.settings import Realm
from samsyn.channels import evidence as proofs
from samsyn.channels.names import channel_origin
from samsyn.cli.language import t
from samsyn.cli.show import (
    Out,
    home_of,
    home_option,
    json_option,
    line,
    realm_option,
    speaking,
    table,
    word,
    yes_no,
)
from samsyn.desk.diary import RELEASED, Noted
from samsyn.desk.released import Answer, GivenEntry, plain
from samsyn.node.stores import Stores

file_type = click.Path(path_type=Path, dir_okay=False)


@click.command("log")
@home_option
@realm_option
@click.option("--since", default="", help="2026-11-21T20:15:00Z; from the beginning where not given.")
@click.option("--did", default="", help="Only of this kind: sign, withdraw, release, refuse, ...")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many, the latest ones.")
@click.option(
    "--head-out",
    type=file_type,
    help="Also write the log's signed head: kept elsewhere, it shows later that nothing was cut off.",
)
@json_option
@speaking
def log_command(
    root: Path,
    realm: Realm | None,
    since: str,
    did: str,
    limit: int | None,
    head_out: Path | None,
    as_json: bool,
) -> None:
    """The audit log: who did what here, and what was released and refused. It never leaves home.

    That it is whole, and that no release is missing in it, is proved by samsyn verify.
    """
    since_us = time_of(since, "--since") if since else None
    with Stores(home_of(root), realm) as stores, stores.db.snapshot():
        found = [
            noted
            for noted in stores.diary.entries()
            if (since_us is None or parse_iso(noted.at) >= since_us) and did in ("", noted.did)
        ]
        head = stores.diary.checkpoint()
    if head_out is not None:
        if head is None:
            raise ConfigError("nothing was ever written to this log", where=str(root))
        head_out.write_bytes(head)
    found = found[-limit:] if limit else found
    answer = [msgspec.to_builtins(noted) for noted in found]
    columns = (t("number"), t("time"), t("by"), t("did"), t("what"))
    rows = [(n.number, n.at, n.by, n.did, _what(n)) for n in found]
    Out(as_json).answer(answer, lambda: table(t("Audit log"), columns, rows))


def _what(noted: Noted) -> str:
    if noted.did == RELEASED:
        return ", ".join(f"{c['reader']} {c['from']}-{c['size'] - 1}" for c in noted.what["channels"])
    return ", ".join(f"{name} {_plain(value)}" for name, value in noted.what.items() if value != "")


def _plain(value: Any) -> str:
    return yes_no(value) if isinstance(value, bool) else str(value)


def time_of(text: str, where: str) -> int:
    """Microseconds of a time that a user wrote. Raises `InputError`."""
    try:
        return parse_iso(text)
    except ValueError as e:
        raise InputError(str(e), where=where, do="write 2026-11-21T20:15:00Z") from e


@click.command()
@home_option
@realm_option
@click.option("--to", "to", required=True, help="The partner.")
@click.option(
    "--between",
    nargs=2,
    required=True,
    help="From when, and before when: 2026-11-21T00:00:00Z 2026-11-22T00:00:00Z",
)
@click.option(
    "--proof",
    type=file_type,
    help="Also write the entries as evidence that others can check: samsyn verify --evidence.",
)
@json_option
@speaking
def released(
    root: Path,
    realm: Realm | None,
    to: str,
    between: tuple[str, str],
    proof: Path | None,
    as_json: bool,
) -> None:
    """What a partner was given between two times: each release, widening and withdrawal.

    With the rule that decided and why, what was disclosed and what was left out, when the partner
    signed that it has applied it, and whether it is purged.
    """
    from_us, until_us = (time_of(text, "--between") for text in between)
    with Stores(home_of(root), realm) as stores, stores.db.snapshot():
        origin = channel_origin(stores.me, stores.realm, to)
        if to not in stores.readers() and not stores.logs.size(origin):
            raise ConfigError(
                t("{name} is no partner of ours", name=repr(to)), do=t("see: samsyn partner list")
            )
        releases = stores.releases()
        answer = releases.answer(to, from_us, until_us)
        shown = releases.proof(answer, from_us, until_us) if proof else None
    if proof is not None:
        if shown is None:
            raise ConfigError("nothing was ever written for this partner", where=to)
        proof.write_bytes(proofs.encode(shown))
    Out(as_json).answer(plain(answer, between), lambda: _show_released(answer, proof))


def _show_released(answer: Answer, proof: Path | None) -> None:
    columns = (
        t("entry"),
        t("time"),
        t("what"),
        t("id"),
        t("version"),
        t("kind"),
        t("marking"),
        t("title"),
        t("place and time"),
        t("left out"),
        t("rule"),
        t("applied"),
        t("purged"),
    )
    rows = [_row(entry) for entry in answer.entries]
    table(t("What {name} was given", name=answer.to), columns, rows)
    line(
        t(
            "{released} releases, {widened} widenings, {withdrawn} withdrawals of {statements} "
            "statements; {waiting} entries not applied by the partner",
            released=answer.released,
            widened=answer.widened,
            withdrawn=answer.withdrawn,
            statements=answer.statements,
            waiting=answer.not_applied,
        )
    )
    if proof is not None:
        line(t("The proof is in {file}", file=proof))


def _listed(slots: tuple[str, ...] | None) -> str:
    return t("not held any more") if slots is None else ", ".join(slots)


def _row(entry: GivenEntry) -> tuple[Any, ...]:
    unknown = t("not held any more")
    return (
        entry.entry,
        iso(entry.at_us // SECOND_US * SECOND_US),
        word(entry.op),
        entry.id,
        entry.ver,
        word(entry.kind or ""),
        unknown if entry.marking is None else entry.marking,
        unknown if entry.title is None else entry.title,
        "" if entry.op == "withdraw" else f"{entry.place}/{entry.time}",
        ""
        if entry.op == "withdraw"
        else unknown
        if entry.left_out is None
        else ", ".join(entry.left_out),
        "; ".join(f"{rule} ({why})" for rule, why in entry.rules),
        t("no") if entry.applied_s is None else iso(entry.applied_s * SECOND_US),
        yes_no(entry.purged),
    )
