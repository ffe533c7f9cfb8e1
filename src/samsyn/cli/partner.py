"""samsyn partner: cards out, cards in."""

from __future__ import annotations

from pathlib import Path

import click

from samsyn.base.errors import ConfigError
from samsyn.cli.language import Group, t
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, line, speaking, table
from samsyn.exchange.card import read_card
from samsyn.exchange.roster import Roster
from samsyn.node.homes import own_card


@click.group(cls=Group)
def partner() -> None:
    """Partners: who they are is agreed by hand, never found on the net."""


@partner.command("card")
@home_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it; NAME.card.json here where not given.",
)
@json_option
@speaking
def partner_card(root: Path, out: Path | None, as_json: bool) -> None:
    """Write our own card: name, address, public keys, certificate. It holds no secret.

    Send it by any way; then read the words to each other over a way that you trust.
    """
    card = own_card(home_of(root))
    path = out or Path(f"{card.name}.card.json")
    card.write(path)
    told = {"card": str(path), "node": card.name, "address": card.address, "words": card.fingerprint}
    shown = {
        t("card"): path,
        t("node"): card.name,
        t("address"): card.address,
        t("words"): card.fingerprint,
    }
    Out(as_json).answer(told, lambda: facts(t("Our card"), shown))


@partner.command("add")
@home_option
@click.argument("card", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--words", help="The words as the partner read them to you; asked for where not given.")
@json_option
@speaking
def partner_add(root: Path, card: Path, words: str | None, as_json: bool) -> None:
    """Take a partner's card. The words must be the ones that the partner reads to you.

    A partner without a rule in policy.toml gets nothing. A running node takes it up at once.
    """
    home = home_of(root)
    theirs = read_card(card.read_bytes(), str(card))
    if words is None:
        if as_json:
            raise ConfigError(t("the words of the card are missing"), do=t("give --words"))
        shown = {t("node"): theirs.name, t("organisation"): theirs.organisation}
        facts(t("This card says"), shown)
        words = str(click.prompt(t("Type the words that the partner reads to you")))
    if words.lower().replace("-", " ").split() != theirs.fingerprint.split("-"):
        raise ConfigError(
            t("these are not the words of this card"),
            where=str(card),
            do=t("do not add it; ask the partner for the card again over another way"),
        )
    if theirs.name == home.settings().node.name:
        raise ConfigError(t("this is our own card, or a partner with our name"), where=str(card))
    Roster(home.partners).add(theirs)
    told = {"added": theirs.name, "organisation": theirs.organisation, "address": theirs.address}
    said = t("{name} is a partner now, and gets nothing before a rule says so.", name=theirs.name)
    Out(as_json).answer(told, lambda: line(said))


@partner.command("list")
@home_option
@json_option
@speaking
def partner_list(root: Path, as_json: bool) -> None:
    """The partners whose cards we hold."""
    cards = Roster(home_of(root).partners).all()
    rows = [(c.name, c.organisation, c.address, c.fingerprint) for c in cards]
    names = ("partner", "organisation", "address", "words")
    columns = (t("partner"), t("organisation"), t("address"), t("words"))
    Out(as_json).answer(
        [dict(zip(names, row, strict=True)) for row in rows],
        lambda: table(t("Partners"), columns, rows),
    )
