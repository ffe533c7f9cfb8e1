"""samsyn partner: cards out, cards in; suspend, resume, leave."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
import msgspec

from samsyn.base.errors import ConfigError
from samsyn.cli.language import Group, t
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, line, speaking, table, word
from samsyn.exchange.card import read_card
from samsyn.exchange.roster import Roster
from samsyn.node import partners
from samsyn.node.homes import own_card

by_option = click.option(
    "--by", default="administrator", show_default=True, help="Who orders it; for our own record."
)
why_option = click.option("--why", required=True, help="For our own record.")


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
@by_option
@json_option
@speaking
def partner_add(root: Path, card: Path, words: str | None, by: str, as_json: bool) -> None:
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
    partners.added(home, theirs, by=by)
    told = {"added": theirs.name, "organisation": theirs.organisation, "address": theirs.address}
    said = t("{name} is a partner now, and gets nothing before a rule says so.", name=theirs.name)
    Out(as_json).answer(told, lambda: line(said))


@partner.command("list")
@home_option
@json_option
@speaking
def partner_list(root: Path, as_json: bool) -> None:
    """The partners whose cards we hold."""
    roster = Roster(home_of(root).partners)
    rows = [
        (c.name, c.organisation, c.address, c.fingerprint, _state(roster, c.name)) for c in roster.all()
    ]
    names = ("partner", "organisation", "address", "words", "state")
    columns = (t("partner"), t("organisation"), t("address"), t("words"), t("state"))
    shown = [(*row[:-1], word(row[-1])) for row in rows]
    Out(as_json).answer(
        [dict(zip(names, row, strict=True)) for row in rows],
        lambda: table(t("Partners"), columns, shown),
    )


def _state(roster: Roster, name: str) -> str:
    standing = roster.standing(name)
    return standing.state if standing else ""


@partner.command("show")
@home_option
@click.argument("name")
@json_option
@speaking
def partner_show(root: Path, name: str, as_json: bool) -> None:
    """One partner: its card, how it stands, and what was given and received in each realm."""
    home = home_of(root)
    held = partners.shown(home, name)
    roster = Roster(home.partners)
    card, standing = roster.get(name), roster.standing(name)
    assert card is not None  # or there was nothing to show
    answer = {
        "partner": name,
        "organisation": card.organisation,
        "address": card.address,
        "words": card.fingerprint,
        "standing": msgspec.to_builtins(standing),
        "realms": msgspec.to_builtins(held),
    }

    def people() -> None:
        shown = {
            t("organisation"): card.organisation,
            t("address"): card.address,
            t("words"): card.fingerprint,
            t("state"): word(standing.state) if standing else "",
            t("why"): standing.why if standing else "",
            t("by"): standing.by if standing else "",
            t("time"): standing.at if standing else "",
        }
        facts(name, shown)
        columns = (
            t("realm"),
            t("entries for it"),
            t("applied"),
            t("entries received"),
            t("of its statements, held here"),
            t("releases held back"),
        )
        rows = [(word(h.realm), h.written, h.applied, h.received, h.statements, h.waiting) for h in held]
        table("", columns, rows)

    Out(as_json).answer(answer, people)


@partner.command("suspend")
@home_option
@click.argument("name")
@why_option
@by_option
@json_option
@speaking
def partner_suspend(root: Path, name: str, why: str, by: str, as_json: bool) -> None:
    """Answer a partner as a stranger from its next request on, and ask it for nothing.

    What would be released to it is held back; what is withdrawn is written, and reaches it when it is
    resumed.
    """
    partners.suspend(home_of(root), name, by=by, why=why)
    said = t("{name} is suspended; to end that: samsyn partner resume", name=name)
    Out(as_json).answer({"suspended": name}, lambda: line(said))


@partner.command("resume")
@home_option
@click.argument("name")
@click.option(
    "--catch-up", is_flag=True, help="Decide now on what was held back; else it is not released."
)
@by_option
@json_option
@speaking
def partner_resume(root: Path, name: str, catch_up: bool, by: str, as_json: bool) -> None:
    """Serve a suspended partner as usual again."""
    held = partners.resume(home_of(root), name, by=by, catch_up=catch_up)
    if catch_up:
        said = t("{name} is served again; {count} releases are decided now.", name=name, count=held)
    else:
        said = t(
            "{name} is served again; {count} releases that were held back are not made.",
            name=name,
            count=held,
        )
    answer = {"resumed": name, "held_back": held, "decided": catch_up}
    Out(as_json).answer(answer, lambda: line(said))


@partner.command("leave")
@home_option
@click.argument("name")
@click.option(
    "--withdraw/--keep",
    "withdraw",
    required=True,
    default=None,
    help="Withdraw from it, with purge, all that it was given; or let it keep that.",
)
@click.option(
    "--theirs",
    type=click.Choice(["purge", "keep"]),
    required=True,
    help="What becomes of its statements that are held here, as was agreed.",
)
@click.option("--now", is_flag=True, help="Do not wait until it has confirmed the withdrawals.")
@why_option
@by_option
@json_option
@speaking
def partner_leave(
    root: Path,
    name: str,
    withdraw: bool,
    theirs: Literal["purge", "keep"],
    now: bool,
    why: str,
    by: str,
    as_json: bool,
) -> None:
    """End a partnership. Logs and hashes stay on both sides, and old signatures can still be checked.

    With --withdraw: first the withdrawals are written, and nothing else goes to it any more. When it
    has confirmed them, give the same command again: then its card moves to the former partners.
    """
    made = partners.leave(home_of(root), name, withdraw=withdraw, theirs=theirs, now=now, by=by, why=why)

    def people() -> None:
        if made.done:
            line(t("{name} is no partner any more.", name=name))
            if made.purged:
                line(t("Bodies of its statements that were purged: {count}", count=made.purged))
        else:
            line(t("Withdrawn from {name}: {count}", name=name, count=made.withdrawn))
        if made.unconfirmed:
            count = made.unconfirmed
            line(t("Entries that {name} has not confirmed: {count}", name=name, count=count))
        if not made.done:
            line(t("Give this command again when it has, or with --now."))

    Out(as_json).answer({"partner": name, **msgspec.to_builtins(made)}, people)


@partner.command("succeed")
@home_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--words", help="The words of the new card as the partner read them to you.")
@click.option("--yes", is_flag=True, help="Take it without asking; the words were compared.")
@by_option
@json_option
@speaking
def partner_succeed(
    root: Path, file: Path, words: str | None, yes: bool, by: str, as_json: bool
) -> None:
    """Take a partner's new keys from FILE, which its old key and its new one have signed.

    Whoever stole the old key can make such a file too: compare the words of the new card by telephone.
    Once one is taken, the old key can name no other successor.
    """
    home, data = home_of(root), file.read_bytes()
    found = partners.successor(home, data, str(file))
    if words is not None and words.lower().replace("-", " ").split() != found.new.fingerprint.split("-"):
        raise ConfigError(
            t("these are not the words of this card"),
            where=str(file),
            do=t("do not take it; call the partner"),
        )
    if words is None and not yes:
        if as_json:
            raise ConfigError(t("the words of the card are missing"), do=t("give --words"))
        shown = {
            t("partner"): found.new.name,
            t("words of the old card"): found.old.fingerprint,
            t("words of the new card"): found.new.fingerprint,
        }
        facts(t("This file says"), shown)
        click.confirm(t("Did the partner read the new words to you?"), abort=True)
    card = partners.succeed(home, data, str(file), by=by)
    answer = {"partner": card.name, "old_words": found.old.fingerprint, "words": card.fingerprint}
    Out(as_json).answer(answer, lambda: line(t("{name} has new keys here.", name=card.name)))
