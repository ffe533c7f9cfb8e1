"""samsyn say, statements, withdraw, explain: what we say and what becomes of it.

These work on the home folder itself, whether the node runs or not: what they sign is queued, and
the running node's next tick releases it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from samsyn.base.clock import iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import Realm
from samsyn.cli.language import language, t
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
)
from samsyn.desk.attaching import read_file
from samsyn.desk.drafts import CONFIDENCES, ONWARD, ReportForm
from samsyn.desk.making import with_sources
from samsyn.node.stores import Stores
from samsyn.statements.marking import MARKINGS
from samsyn.statements.store import Stored
from samsyn.subjects.report import CATEGORIES


@click.command()
@home_option
@realm_option
@click.option("--title", required=True, help="In one line.")
@click.option("--lat", type=float, required=True, help="Degrees WGS 84, north positive.")
@click.option("--lon", type=float, required=True, help="Degrees WGS 84, east positive.")
@click.option("--text", default="", help="The whole account.")
@click.option("--summary", default="", help="What may be told to those who do not get the text.")
@click.option(
    "--category",
    type=click.Choice(CATEGORIES),
    default="sea",
    show_default=True,
    help="Which domain it is of.",
)
@click.option(
    "--marking",
    type=click.Choice(MARKINGS),
    default="TLP:AMBER",
    show_default=True,
    help="How it is to be handled (TLP 2.0).",
)
@click.option(
    "--onward",
    type=click.Choice(ONWARD),
    default="ask",
    show_default=True,
    help="Whether who gets it may pass it on: no, after asking us, within circles, as they see fit.",
)
@click.option(
    "--confidence",
    type=click.Choice(CONFIDENCES),
    default="medium",
    show_default=True,
    help="How sure the author is.",
)
@click.option("--time", default="", help="2026-11-21T20:15:00Z; now where not given.")
@click.option(
    "--ref",
    "refs",
    multiple=True,
    metavar="STATEMENT",
    help="A statement that this was made of; may be given more than once.",
)
@click.option("--tag", "tags", multiple=True, help="Your own words; may be given more than once.")
@click.option("--purpose", default="", help="What it may be used for; a duty that travels with it.")
@click.option("--personal", is_flag=True, help="It holds personal data.")
@click.option(
    "--retain-until", default="", help="2027-05-31: the last day on which anybody may hold it."
)
@click.option(
    "--attach",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A photo, plot or document to go with it; may be given more than once.",
)
@click.option("--by", default="duty officer", show_default=True, help="Person or unit; the slot author.")
@json_option
@speaking
def say(
    root: Path, realm: Realm | None, files: tuple[Path, ...], by: str, as_json: bool, **fields: Any
) -> None:
    """Sign a report by hand.

    It is ours and durable when this returns; to whom it goes is decided by policy.toml.
    """
    attached = [read_file(file) for file in files]
    with Stores(home_of(root), realm) as stores:
        lists = {
            "tags": list(fields["tags"]),
            "refs": with_sources(fields["refs"], stores.statements),
            "attachments": [value for value, _ in attached],
        }
        form = ReportForm.read({**fields, **lists})
        draft = form.draft(by=by, exercise=stores.realm == "exercise", now_us=stores.clock.now_us())
        made = stores.pen.sign(draft, by=by, attachments=[body for _, body in attached])
        runs = stores.runs()
        told = {"id": made.jti, "ver": made.ver, "kind": made.kind, "node_runs": runs}

    def people() -> None:
        line(t("Signed: {id}", id=made.jti))
        if form.personal and not form.retain_until:
            day = made.retain_until
            line(
                t("Personal data without a last day: it is to be kept until {day}.", day=day),
                style="bold",
            )
        told_when(runs)

    Out(as_json).answer(told, people)


@click.command()
@home_option
@realm_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many."
)
@json_option
@speaking
def statements(root: Path, realm: Realm | None, limit: int, as_json: bool) -> None:
    """What we hold, newest first: our own statements and our partners'."""
    names = ("id", "ver", "kind", "by", "state", "held", "title")
    with Stores(home_of(root), realm) as stores:
        rows = [
            (
                s.jti,
                s.ver,
                s.kind,
                s.iss,
                _stored_state(s),
                iso(s.at_us // 1_000_000 * 1_000_000),
                s.statement.slots.get("title", "") if s.statement else "",
            )
            for s in stores.statements.page(limit=limit)
        ]

    def people() -> None:
        columns = (
            t("id"),
            t("version"),
            t("kind"),
            t("said by"),
            t("state"),
            t("held since"),
            t("title"),
        )
        shown = [
            (id_, ver, word(kind), by, _state(state), *rest) for id_, ver, kind, by, state, *rest in rows
        ]
        table(t("Statements"), columns, shown)

    Out(as_json).answer([dict(zip(names, row, strict=True)) for row in rows], people)


def _stored_state(stored: Stored) -> str:
    """Purged without a withdrawal: its time here was over, or its originator has left."""
    if stored.purged and stored.state != "withdrawn":
        return "expired"
    return stored.state + (", purged" if stored.purged else "")


def _state(state: str) -> str:
    plain, _, purged = state.partition(", ")
    return word(plain) + (t(", purged") if purged else "")


@click.command()
@home_option
@realm_option
@click.argument("statement")
@click.option("--keep-body", is_flag=True, help="It no longer stands, but need not be purged.")
@click.option("--why", default="", help="For our own record.")
@click.option(
    "--by", default="duty officer", show_default=True, help="Who orders it; for our own record."
)
@json_option
@speaking
def withdraw(
    root: Path,
    realm: Realm | None,
    statement: str,
    keep_body: bool,
    why: str,
    by: str,
    as_json: bool,
) -> None:
    """Withdraw a statement of ours from everybody who got it.

    Unless --keep-body is given, its body is purged here and by each partner, who acknowledges it.
    """
    with Stores(home_of(root), realm) as stores:
        stores.pen.withdraw(statement, purge=not keep_body, why=why, by=by)
        runs = stores.runs()
        told = {"id": statement, "purge": not keep_body, "node_runs": runs}

    def people() -> None:
        line(t("The withdrawal is written down: {id}", id=statement))
        told_when(runs)

    Out(as_json).answer(told, people)


def told_when(runs: bool) -> None:
    """When partners hear of it."""
    if runs:
        line(t("The node that runs tells its partners now, as policy.toml says."))
    else:
        line(t("No node runs on this home: it takes effect when one does (samsyn up)."))


@click.command()
@home_option
@realm_option
@click.argument("statement")
@click.argument("partner")
@json_option
@speaking
def explain(root: Path, realm: Realm | None, statement: str, partner: str, as_json: bool) -> None:
    """Which rule decided that PARTNER got, or did not get, STATEMENT; and what would have to differ."""
    with Stores(home_of(root), realm) as stores:
        if partner not in stores.readers():
            raise ConfigError(
                t("{name} is no partner of ours", name=repr(partner)), do=t("see: samsyn partner list")
            )
        if stores.statements.get(statement) is None:
            raise ConfigError(
                t("we hold no statement {id}", id=statement), do=t("see: samsyn statements")
            )
        door = stores.door()
        door.set_policy(stores.policy(), stores.readers())
        found = door.explain(statement, partner)
        told = {"released": found.released, "rule": found.rule, "en": found.en, "sv": found.sv}
    Out(as_json).answer(told, lambda: line(getattr(found, language())))
