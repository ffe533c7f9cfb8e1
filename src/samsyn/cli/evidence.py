"""samsyn evidence, verify --evidence: what a partner has done, so that others can check it."""

from __future__ import annotations

from pathlib import Path

import click

from samsyn.base import limits
from samsyn.base.clock import iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import Home, Realm
from samsyn.channels import evidence as proofs
from samsyn.channels.accuse import evidence_of
from samsyn.channels.evidence import Accused, Evidence, Other, Verdict
from samsyn.channels.names import channel_origin
from samsyn.channels.refusals import Problem
from samsyn.cli.language import Group, language, t, told
from samsyn.cli.show import Out, home_of, home_option, json_option, line, realm_option, speaking, table
from samsyn.exchange.card import Card, public_key, read_card
from samsyn.exchange.roster import Roster
from samsyn.node.homes import own_card
from samsyn.node.stores import Stores

file_type = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=Group)
def evidence() -> None:
    """What partners sent that was refused, as evidence that others can check."""


@evidence.command("list")
@home_option
@realm_option
@json_option
@speaking
def evidence_list(root: Path, realm: Realm | None, as_json: bool) -> None:
    """Refused batches that are kept, and what each of them proves to others."""
    with Stores(home_of(root), realm) as stores:
        found = [(p, _verdict(stores, card, p)[1]) for card, p in _problems(stores)]
    answer = [
        {
            "number": p.id,
            "partner": p.partner,
            "reason": p.reason,
            "first": iso(p.first_us),
            "last": iso(p.last_us),
            "count": p.count,
            "proves": verdict.outcome,
            "says": verdict.says,
        }
        for p, verdict in found
    ]
    columns = (t("number"), t("partner"), t("last"), t("times"), t("why"), t("what it proves to others"))
    rows = [
        (p.id, p.partner, iso(p.last_us), p.count, getattr(p, language()), told(v.says))
        for p, v in found
    ]
    Out(as_json).answer(answer, lambda: table(t("Refused and kept"), columns, rows))


@evidence.command("export")
@home_option
@realm_option
@click.argument("number", type=int)
@click.argument("file", type=file_type)
@json_option
@speaking
def evidence_export(root: Path, realm: Realm | None, number: int, file: Path, as_json: bool) -> None:
    """Write refusal NUMBER to FILE: what a third party needs, with only the partner's card, to judge.

    A statement in it is shown as it was received: think of what it tells before you pass it on.
    """
    with Stores(home_of(root), realm) as stores:
        found = next(((card, p) for card, p in _problems(stores) if p.id == number), None)
        if found is None:
            raise ConfigError(
                "there is no such refusal here", where=str(number), do="see: samsyn evidence list"
            )
        made, verdict = _verdict(stores, *found)
    file.write_bytes(proofs.encode(made))
    answer = {"file": str(file), "of": made.of, "proves": verdict.outcome, "says": verdict.says}
    Out(as_json).answer(answer, lambda: _show_verdict(verdict))


def _problems(stores: Stores) -> list[tuple[Card, Problem]]:
    return [(card, p) for card in stores.roster.all() for p in stores.mirror(card).problems()]


def _verdict(stores: Stores, card: Card, problem: Problem) -> tuple[Evidence, Verdict]:
    """The evidence, and what it proves; where a part of it would not hold, that part is left out."""
    origin = channel_origin(card.name, stores.realm, stores.me)
    made = evidence_of(problem, origin, stores.logs)
    past = [one.old for one in stores.roster.retired(card.name)]
    for known in (card, *reversed(past)):  # it may be signed with keys that were replaced since
        verdict = proofs.judge(made, _accused(known))
        if verdict.outcome != "false":
            return made, verdict
    made = Other(of=problem.partner, reason=problem.reason)
    return made, proofs.judge(made, _accused(card))


def judge_file(root: Path, file: Path, cards: tuple[Path, ...], as_json: bool) -> bool:
    """`samsyn verify --evidence`: whether it proves what it says, which is told to the user."""
    with file.open("rb") as opened:
        shown = proofs.decode(opened.read(limits.EVIDENCE_BYTES + 1), str(file))
    known = {card.name: card for card in (read_card(path.read_bytes(), str(path)) for path in cards)}
    accused = known.get(shown.of) or _card_of(Home(root), shown.of)
    readers = {name: public_key(card.log_key) for name, card in known.items()}
    verdict = proofs.judge(shown, _accused(accused), readers)
    answer = {
        "of": shown.of,
        "words": accused.fingerprint,
        "proves": verdict.outcome,
        "says": verdict.says,
    }
    Out(as_json).answer(answer, lambda: _show_verdict(verdict, accused))
    return verdict.outcome == "proved"


def _show_verdict(verdict: Verdict, card: Card | None = None) -> None:
    words = {"proved": t("PROVED"), "nothing": t("NOT DECISIVE"), "false": t("FALSE")}
    line(f"{words[verdict.outcome]}: {told(verdict.says)}", style="bold")
    if card is not None:
        line(t("Judged by the card with the words {words}", words=card.fingerprint))


def _card_of(home: Home, name: str) -> Card:
    """A card that this home holds. Raises `ConfigError` where there is none."""
    if home.config.is_file():
        if home.settings().node.name == name:
            return own_card(home)
        card = Roster(home.partners).get(name)
        if card is not None:
            return card
    raise ConfigError(
        f"no card of {name} is held here",
        do="give it with --card, and compare its words with the partner",
    )


def _accused(card: Card) -> Accused:
    return Accused(card.name, public_key(card.statement_key), public_key(card.log_key))
