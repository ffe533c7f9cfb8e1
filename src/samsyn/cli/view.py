"""samsyn view: the picture that a partner has of us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

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
    yes_no,
)
from samsyn.desk.views import SHOWN, Views
from samsyn.node.stores import Stores


@click.command()
@home_option
@realm_option
@click.option("--as", "partner", required=True, help="Which partner.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=SHOWN,
    show_default=True,
    help="At most so many statements, the newest.",
)
@json_option
@speaking
def view(root: Path, realm: Realm | None, partner: str, limit: int, as_json: bool) -> None:
    """What a partner holds of ours, as it sees it; what was left out; what it was not given and why."""
    with Stores(home_of(root), realm) as stores:
        if partner not in stores.readers():
            raise ConfigError(
                t("{name} is no partner of ours", name=repr(partner)), do=t("see: samsyn partner list")
            )
        door = stores.door()
        door.set_policy(stores.policy(), stores.readers())
        told = Views(stores.me, stores.statements, door).as_partner(partner, limit=limit)
    Out(as_json).answer(told, lambda: _show(told))


def _show(told: dict[str, Any]) -> None:
    columns = (
        t("statement"),
        t("version"),
        t("kind"),
        t("title"),
        t("place"),
        t("time"),
        t("received"),
        t("rule"),
        t("left out"),
    )
    rows = [
        (
            held["jti"],
            held["ver"],
            word(held["kind"]),
            held["slots"].get("title", ""),
            held["place"],
            held["time"],
            yes_no(held["applied"]),
            ", ".join(rule["rule"] for rule in held["rules"]),
            ", ".join(left["slot"] for left in held["left_out"]),
        )
        for held in told["held"]
    ]
    table(t("What {partner} holds of ours", partner=told["reader"]), columns, rows)
    if told["withdrawn"]:
        line(t("Withdrawn from it: {count}", count=len(told["withdrawn"])))
    if told["not_released"]:
        heads = (t("statement"), t("title"), t("why"))
        rows_not = [(n["jti"], n["title"], n[language()]) for n in told["not_released"]]
        table("\n" + t("Not released to {partner}", partner=told["reader"]), heads, rows_not)
