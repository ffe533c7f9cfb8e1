"""Decisions on a whole history at once, and what a change of policy would do to it. Pure: no I/O.

The third reading of the policy, over the table of `table.py`, written apart from the other two; a
property test holds the three to the same answers. Conditions on what statements share are asked
once a profile, conditions on the place once a column; decisions are then made once for each
combination that there is, and rows only look theirs up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from heapq import nlargest
from typing import Final

import msgspec
import numpy as np
import polars as pl

from samsyn.policy.answers import NOTHING, Answer, slot_bits, slot_order, slots_of
from samsyn.policy.decide import Policy
from samsyn.policy.grouped import Grouped, History, Ints, dense
from samsyn.policy.table import FACT_SCHEMA, FACT_VERSION, FactRow, Profile, fact_row, fact_rows

__all__ = [
    "FACT_SCHEMA",
    "FACT_VERSION",
    "REASONS",
    "Change",
    "Example",
    "FactRow",
    "Preview",
    "decide_frame",
    "fact_row",
    "fact_rows",
    "preview",
    "rows_touched",
    "slot_bits",
    "slot_order",
    "slots_of",
]

REASONS: Final = ("released", "delayed", "denied", "no-rule")

_DECIDED: Final = pl.Schema(
    {
        "row": pl.UInt32(),
        "reader": pl.String(),
        "released": pl.Boolean(),
        "reason": pl.UInt8(),
        "slots": pl.UInt64(),
        "rule": pl.Int32(),
        "not_before_us": pl.Int64(),
        "widens_us": pl.Int64(),
    }
)
_NEVER: Final = np.iinfo(np.int64).max


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One statement that a change touches, with the rule that decides before and after."""

    jti: str
    ver: int
    old_rule: str | None
    new_rule: str | None
    gained: tuple[str, ...]  # slots
    lost: tuple[str, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one reader would get otherwise: counts of versions of statements, which add up to all.

    Held against each other is what the reader has when every delay has passed. One that gains
    anything is `widened`, also where it loses something. `sooner`, `later`: the same slots, some of
    them after another delay; sooner where any is.
    """

    reader: str
    newly_released: int
    widened: int
    narrowed: int
    withheld: int
    sooner: int
    later: int
    unchanged: int  # released under both alike
    unreleased: int  # under neither
    examples: Mapping[str, tuple[Example, ...]]  # by the name of the count, the newest first


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A change of policy held against a history, as of `now_us`."""

    now_us: int
    statements: int  # rows of the table
    changes: tuple[Change, ...]  # one a reader of either policy, by name


_COUNTS: Final = tuple(name for name in Change.__struct_fields__ if name not in ("reader", "examples"))
_TOUCHED: Final = _COUNTS[:6]


def decide_frame(policy: Policy, facts: pl.DataFrame, now_us: int) -> pl.DataFrame:
    """The decision on each row of `facts` (`FACT_SCHEMA`) for each partner of `policy`.

    One row a pair, by reader and then as in `facts`: row, reader, released, reason (place in
    `REASONS`), slots (bits, see `slots_of`), rule (place in `policy.statement_rules` of the first that
    decides; -1: none), not_before_us, widens_us. They mean what they mean in a `Decision`.
    """
    grouped = Grouped(policy, History(facts), now_us)
    at_us = facts["at_us"].to_numpy()
    parts = [_of_reader(reader, n, grouped, at_us, now_us) for n, reader in enumerate(policy.partners)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=_DECIDED)


def preview(old: Policy, new: Policy, facts: pl.DataFrame, now_us: int, examples: int = 5) -> Preview:
    """What `new` in place of `old` would change on a history (rows of `FACT_SCHEMA`), by reader."""
    history = History(facts)
    before, after = Grouped(old, history, now_us), Grouped(new, history, now_us)
    of_row, codes = dense(before.of_row * len(after.answers) + after.of_row)
    counts = np.bincount(of_row, minlength=len(codes))
    pairs = [divmod(code, len(after.answers)) for code in codes.tolist()]
    shown = _Shown(facts, history.profile, of_row, pairs, (old, new), examples)
    compared: dict[tuple[Answer, Answer], str] = {}
    changes = []
    for reader in sorted({*old.partners, *new.partners}):
        was, will = _answers(old, before, reader), _answers(new, after, reader)
        by_count: dict[str, list[int]] = {name: [] for name in _COUNTS}
        for n, (a, b) in enumerate(pairs):
            both = was[a], will[b]
            if both not in compared:
                compared[both] = _compare(*both)
            by_count[compared[both]].append(n)
        changes.append(
            Change(
                reader=reader,
                **{name: int(counts[found].sum()) for name, found in by_count.items()},
                examples={
                    name: shown.of(by_count[name], was, will) for name in _TOUCHED if by_count[name]
                },
            )
        )
    return Preview(now_us=now_us, statements=len(facts), changes=tuple(changes))


def rows_touched(
    old: Policy, new: Policy, facts: pl.DataFrame, now_us: int, counts: Collection[str]
) -> dict[str, Ints]:
    """By reader, the rows of `facts` that `preview` counts under any of these names; none left out."""
    history = History(facts)
    before, after = Grouped(old, history, now_us), Grouped(new, history, now_us)
    of_row, codes = dense(before.of_row * len(after.answers) + after.of_row)
    found = {}
    for reader in sorted({*old.partners, *new.partners}):
        was, will = _answers(old, before, reader), _answers(new, after, reader)
        pairs = (divmod(code, len(after.answers)) for code in codes.tolist())
        touched = np.array([_compare(was[a], will[b]) in counts for a, b in pairs], dtype=np.bool_)
        found[reader] = np.flatnonzero(touched[of_row])
    return found


def _answers(policy: Policy, grouped: Grouped, reader: str) -> list[Answer]:
    """A reader's answer in each group."""
    if reader not in policy.partners:
        return [NOTHING] * len(grouped.answers)
    n = policy.partners.index(reader)
    return [answers[n] for answers in grouped.answers]


def _compare(was: Answer, will: Answer) -> str:
    """The count of `Change` that one statement goes to."""
    if not was.steps:
        return "newly_released" if will.steps else "unreleased"
    if not will.steps:
        return "withheld"
    held, gets = was.steps[-1].slots, will.steps[-1].slots
    if gets & ~held:
        return "widened"
    if held & ~gets:
        return "narrowed"
    moments = sorted({step.delay_us for answer in (was, will) for step in answer.steps})
    ways = [(_by(was, at), _by(will, at)) for at in moments]
    if any(b is not None and (a is None or b & ~a) for a, b in ways):
        return "sooner"
    return "later" if any(a != b for a, b in ways) else "unchanged"


def _by(answer: Answer, delay_us: int) -> int | None:
    """The slots held when so long has passed; None: nothing was released yet."""
    return next((s.slots for s in reversed(answer.steps) if s.delay_us <= delay_us), None)


class _Shown:
    """Examples: of every pair of groups the newest rows."""

    def __init__(
        self,
        facts: pl.DataFrame,
        profile_of: Callable[[int], Profile],
        of_row: Ints,
        pairs: Sequence[tuple[int, int]],
        policies: tuple[Policy, Policy],
        most: int,
    ) -> None:
        self._facts = facts
        self._profile_of = profile_of
        self._pairs = pairs
        self._policies = policies
        self._most = most
        rows = pl.DataFrame({"pair": of_row, "at_us": facts["at_us"], "row": np.arange(len(facts))})
        newest = [pl.col(name).top_k_by(["at_us", "row"], most) for name in ("at_us", "row")]
        self._newest: dict[int, list[tuple[int, int]]] = {
            pair: list(zip(at, row, strict=True))
            for pair, at, row in rows.group_by("pair").agg(*newest).iter_rows()
        }

    def of(
        self, pairs: Sequence[int], was: Sequence[Answer], will: Sequence[Answer]
    ) -> tuple[Example, ...]:
        best = nlargest(self._most, ((*row, pair) for pair in pairs for row in self._newest[pair]))
        return tuple(
            self._example(row, was[self._pairs[pair][0]], will[self._pairs[pair][1]])
            for _, row, pair in best
        )

    def _example(self, row: int, was: Answer, will: Answer) -> Example:
        kind = self._profile_of(row).kind
        held, gets = _in_the_end(was), _in_the_end(will)
        return Example(
            jti=self._facts["jti"][row],
            ver=self._facts["ver"][row],
            old_rule=_first_rule(self._policies[0], was),
            new_rule=_first_rule(self._policies[1], will),
            gained=slots_of(kind, gets & ~held),
            lost=slots_of(kind, held & ~gets),
        )


def _in_the_end(answer: Answer) -> int:
    return answer.steps[-1].slots if answer.steps else 0


def _first_rule(policy: Policy, answer: Answer) -> str | None:
    n = answer.steps[-1].rule if answer.steps else answer.rule
    return policy.statement_rules[n].id if n >= 0 else None


def _of_reader(reader: str, n: int, grouped: Grouped, at_us: Ints, now_us: int) -> pl.DataFrame:
    """The part of `decide_frame` that is one reader's."""
    index: dict[Answer, int] = {}
    of_group = np.array([index.setdefault(a[n], len(index)) for a in grouped.answers], dtype=np.int64)
    of_row = of_group[grouped.of_row]
    reason = np.array([REASONS.index(a.verdict) for a in index], dtype=np.uint8)[of_row]
    rule = np.array([a.rule for a in index], dtype=np.int32)[of_row]
    slots = np.zeros(len(at_us), dtype=np.uint64)
    not_before_us = np.zeros(len(at_us), dtype=np.int64)
    widens_us = np.full(len(at_us), _NEVER, dtype=np.int64)
    for number, answer in enumerate(index):
        rows = np.flatnonzero(of_row == number) if answer.steps else ()
        if not len(rows):
            continue
        at = at_us[rows]
        first_us = at + answer.steps[0].delay_us
        asof_us = np.maximum(first_us, now_us)
        reason[rows[first_us > now_us]] = REASONS.index("delayed")
        not_before_us[rows] = first_us
        for step, after in zip(answer.steps, [*answer.steps[1:], None], strict=True):
            due = at + step.delay_us <= asof_us
            if after is not None:
                due &= at + after.delay_us > asof_us
            here = rows[due]
            slots[here] = step.slots
            rule[here] = step.rule
            more = next((s for s in answer.steps if s.slots & ~step.slots), None)
            widens_us[here] = _NEVER if more is None else at[due] + more.delay_us
    released = reason <= REASONS.index("delayed")
    widens = pl.Series(widens_us)
    return pl.DataFrame(
        {
            "row": np.arange(len(at_us), dtype=np.uint32),
            "reader": pl.Series([reader]).new_from_index(0, len(at_us)),
            "released": released,
            "reason": reason,
            "slots": slots,
            "rule": rule,
            "not_before_us": not_before_us,
            "widens_us": widens.set(widens == _NEVER, None),
        },
        schema_overrides=_DECIDED,
    )
