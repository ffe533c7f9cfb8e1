"""The answer of a policy, and how the answers of several rules join into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from samsyn.policy.rules import Rule

RuleAndWhy = tuple[str, str]


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What one reader may have of one statement.

    Where `released` and `not_before_us` lies ahead, nothing leaves before that instant; `slots` and
    `rules` are then what will hold at it. `widens_us`: when a rule with a longer delay adds slots.
    """

    released: bool
    slots: frozenset[str]
    not_before_us: int
    rules: tuple[RuleAndWhy, ...]
    reason: Literal["released", "delayed", "denied", "no-rule"]
    widens_us: int | None = None


NO_RULE: Final = Decision(False, frozenset(), 0, (), "no-rule")


def denied(rule: Rule) -> Decision:
    return Decision(False, frozenset(), 0, ((rule.id, rule.why),), "denied")


def joined(applying: Sequence[tuple[Rule, frozenset[str]]], at_us: int, now_us: int) -> Decision:
    """The join of the releasing rules that apply (at least one), each with the slots it lets out."""
    first_us = min(at_us + rule.delay_us for rule, _ in applying)
    asof_us = max(now_us, first_us)
    due = [(rule, slots) for rule, slots in applying if at_us + rule.delay_us <= asof_us]
    slots = frozenset().union(*(s for _, s in due))
    later = [
        at_us + rule.delay_us for rule, s in applying if at_us + rule.delay_us > asof_us and s - slots
    ]
    return Decision(
        True,
        slots,
        first_us,
        tuple((rule.id, rule.why) for rule, _ in due),
        "released" if first_us <= now_us else "delayed",
        min(later) if later else None,
    )
