"""Decisions: what a reader may have of a statement, from when, by which rule and why. Default deny.

- A statement that no rule releases reaches nobody; a [[deny]] that applies beats every rule.
- When several rules release, their slots join, each from the instant its own delay has passed.
- Marking caps: a rule reaches TLP:AMBER unless its `marking_max` names more, and TLP:RED only
  readers that `to` names one by one.
- The slots a rule lets out are those its kind declares, that the rule does not hide and that tell
  no more of place or time than the rule allows (`subjects.need`). Every other slot stays.
- Of another organisation's statement only a rule that asks for its originator speaks, and nobody gets
  more than that originator allows (`rules.Passing`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from samsyn.base.clock import iso
from samsyn.policy.compiled import Compiled
from samsyn.policy.conditions import Miss, given, misses
from samsyn.policy.decision import NO_RULE, Decision, denied, joined
from samsyn.policy.load import parse_rules, read_rules
from samsyn.policy.rules import ADDRESSED, TRACK, Facts, Rule
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A decision in one sentence, in English and Swedish."""

    released: bool
    rule: str | None
    why: str | None
    en: str
    sv: str


class Policy:
    """The release policy of one organisation, loaded. Immutable: a change is a new one.

    rules: those that speak of statements; track_rules: those that speak of live tracks. Each in the
    file's order, and a [[deny]] that covers every kind is in both. statement_rules: `rules` and the
    built-in one, in the order in which a decision names them.
    """

    def __init__(self, rules: Sequence[Rule], partners: Collection[str]) -> None:
        self.rules = tuple(rule for rule in rules if rule.kinds - {TRACK})
        self.track_rules = tuple(rule for rule in rules if TRACK in rule.kinds)
        self.partners = tuple(sorted(partners))
        self.statement_rules = (*self.rules, ADDRESSED)
        self._compiled = Compiled(self.statement_rules, self.partners)

    def decide(self, facts: Facts, reader: str, now_us: int) -> Decision:
        """What `reader` may have at `now_us`. A reader that the policy does not know gets nothing."""
        if reader not in self.partners:
            return NO_RULE
        applying = [r for r in self.statement_rules if not misses(r, facts, reader, now_us)]
        denial = next((r for r in applying if r.deny), None)
        if denial is not None:
            return denied(denial)
        if not applying:
            return NO_RULE
        return joined([(r, given(r, facts, reader)) for r in applying], facts.at_us, now_us)

    def decide_many(self, facts: Sequence[Facts], now_us: int) -> list[list[Decision]]:
        """The same decisions, fast: one list a statement, in it one decision a reader of `partners`."""
        return self._compiled.decide_many(facts, now_us)

    def explain(self, facts: Facts, reader: str, now_us: int) -> Explanation:
        """Which rule decided and why; where nothing is released, what would have had to differ."""
        decision = self.decide(facts, reader, now_us)
        if decision.released:
            return _explain_release(decision, facts, reader, now_us)
        if decision.rules:
            return self._explain_denial(decision, facts, reader, now_us)
        naming = [
            r
            for r in self.statement_rules
            if not r.deny and reader in (facts.addressees if r.addressed else r.readers)
        ]
        if not naming:
            return Explanation(
                released=False,
                rule=None,
                why=None,
                en=f"Not released to {reader}: no rule names {reader}.",
                sv=f"Lämnas inte till {reader}: ingen regel nämner {reader}.",
            )
        nearest = min(naming, key=lambda r: len(misses(r, facts, reader, now_us)))
        missed = misses(nearest, facts, reader, now_us)
        return Explanation(
            released=False,
            rule=nearest.id,
            why=nearest.why,
            en=f"Not released to {reader}: the nearest rule, {nearest.id} ({nearest.why}), does not"
            f" apply: {_and(missed, 'en')}.",
            sv=f"Lämnas inte till {reader}: den närmaste regeln, {nearest.id} ({nearest.why}), gäller"
            f" inte: {_and(missed, 'sv')}.",
        )

    def _explain_denial(self, decision: Decision, facts: Facts, reader: str, now_us: int) -> Explanation:
        rule, why = decision.rules[0]
        others = [r for r in self.statement_rules if not r.deny and not misses(r, facts, reader, now_us)]
        if others:
            en, sv = (
                f"without it, {others[0].id} would release it",
                f"utan den hade {others[0].id} lämnat ut det",
            )
        else:
            en, sv = (
                "without it, no rule would release it either",
                "utan den hade ingen regel heller lämnat ut det",
            )
        return Explanation(
            released=False,
            rule=rule,
            why=why,
            en=f"Not released to {reader}: denied by {rule} ({why}); {en}.",
            sv=f"Lämnas inte till {reader}: nekas av {rule} ({why}); {sv}.",
        )


def load(path: Path, *, partners: Collection[str], kinds: Collection[str]) -> Policy:
    """The policy in a file. Raises `ConfigError` with file, line and rule."""
    return Policy(read_rules(path, partners=partners, kinds=kinds), partners)


def parse(text: str, name: str, *, partners: Collection[str], kinds: Collection[str]) -> Policy:
    """The policy in a text, as it is kept where it is in force. Raises `ConfigError` like `load`."""
    return Policy(parse_rules(text, name, partners=partners, kinds=kinds), partners)


def rung_of(slots: Collection[str], ladder: Literal["place", "time"]) -> str:
    """The finest rung of a ladder among `slots`, or `none`."""
    rungs = PLACE_RUNGS if ladder == "place" else TIME_RUNGS
    return next((rung for rung in reversed(rungs) if f"{ladder}.{rung}" in slots), "none")


def _explain_release(decision: Decision, facts: Facts, reader: str, now_us: int) -> Explanation:
    rule, why = decision.rules[0]
    rules = " + ".join(f"{r} ({w})" for r, w in decision.rules)
    left_out = ", ".join(sorted(facts.slots - decision.slots)) or "-"
    place, time = rung_of(decision.slots, "place"), rung_of(decision.slots, "time")
    if decision.not_before_us > now_us:
        at = iso(decision.not_before_us)
        en, sv = f"Will be released to {reader} at {at}", f"Lämnas till {reader} {at}"
    else:
        en, sv = f"Released to {reader}", f"Lämnas till {reader}"
    more_us = decision.widens_us
    en_more, sv_more = (
        (f"; more from {iso(more_us)}", f"; mer från {iso(more_us)}") if more_us else ("", "")
    )
    return Explanation(
        released=True,
        rule=rule,
        why=why,
        en=f"{en} by {rules}: place to {place}, time to {time}; left out: {left_out}{en_more}.",
        sv=f"{sv} enligt {rules}: plats till {_SV[place]}, tid till {_SV[time]};"
        f" utelämnat: {left_out}{sv_more}.",
    )


_SV = {
    "none": "inget",
    "region": "region",
    "area": "område",
    "spot": "ställe",
    "exact": "exakt",
    "day": "dag",
    "hour": "timme",
}


def _and(missed: Sequence[Miss], language: Literal["en", "sv"]) -> str:
    text: Callable[[Miss], str] = (lambda m: m.en) if language == "en" else (lambda m: m.sv)
    return "; ".join(text(m) for m in missed)
