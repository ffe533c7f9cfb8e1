"""Rules that cannot do what they seem to: those that never match, and those that others cover.

A rule is called shadowed only where it can be taken away without any decision becoming another (but
for the rules that a decision names): each of its readers and kinds is covered by one other rule.
Not every such rule is found, as where two rules cover one only together for one reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from samsyn.base.clock import iso
from samsyn.policy.areas import Area
from samsyn.policy.rules import (
    ANYONE,
    CONFIDENCE_RANK,
    MARKING_REACH,
    NAMED_ONLY,
    ONWARD_RANK,
    RANK,
    TRACK,
    Rule,
)
from samsyn.subjects import declared, subjects_of


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a rule: the key that shows it, and what to do."""

    rule: Rule
    key: str
    what: str
    do: str = ""


class Remark(msgspec.Struct, frozen=True):
    """What is no mistake but may not be meant, in both languages."""

    rule: str
    line: int
    en: str
    sv: str


def faults(rules: Sequence[Rule]) -> Iterator[Fault]:
    """What can never be meant, in the order of the rules."""
    for rule in rules:
        yield from _never(rule)
        yield from _shadowed(rule, [other for other in rules if other is not rule])


def remarks(rules: Iterable[Rule], now_us: int) -> list[Remark]:
    """What a release officer should look at: rules that have ended, and rules that reach nobody."""
    found = []
    for rule in rules:
        if rule.until_us is not None and rule.until_us <= now_us:
            at = iso(rule.until_us)
            found.append(Remark(rule.id, rule.line, f"it ended at {at}", f"den upphörde {at}"))
        if not rule.readers:
            nobody = (
                "nobody is in its circles: it reaches nobody",
                "ingen är i dess kretsar: den når ingen",
            )
            found.append(Remark(rule.id, rule.line, *nobody))
    return found


def _never(rule: Rule) -> Iterator[Fault]:
    when = rule.when
    for key in ("subject", "area", "detector", "originator", "tags", "feed"):
        words = getattr(when, key)
        if words is not None and not words:
            yield Fault(
                rule, key, f"no {key} is in the list: never matches", "name some, or leave it out"
            )
    if when.subject:
        can = frozenset().union(*(subjects_of(kind) for kind in rule.kinds))
        if not when.subject & can:
            do = "what they can be about: " + (", ".join(sorted(can)) or "nothing")
            yield Fault(rule, "subject", "no statement of these kinds is about that: never matches", do)
    if rule.until_us is not None and rule.until_us <= 0:
        yield Fault(rule, "until", "nothing was ever said before that: never matches")
    if rule.deny:
        return
    if when.marking_max == NAMED_ONLY and not rule.named:
        yield Fault(
            rule,
            "marking_max",
            f"{NAMED_ONLY} goes only to readers named one by one, and this rule names none",
            "name them in `to`, or take a more open marking_max",
        )
    if when.age_max_us is not None and when.age_max_us < rule.delay_us:
        yield Fault(rule, "age_max", "the delay is longer than age_max: nothing is ever released")
    if not any(rule.slots(kind, declared(kind)) for kind in rule.kinds):
        yield Fault(rule, "hide", "this hides all that the rule would release", "hide less")


def _shadowed(rule: Rule, others: Sequence[Rule]) -> Iterator[Fault]:
    pairs = [(reader, kind) for reader in sorted(rule.readers) for kind in sorted(rule.kinds)]
    if not pairs:
        return
    do = "take one of them away, or change it"
    denials = [o for o in others if o.deny and not (rule.deny and _said_first(rule, o))]
    wider = [o for o in others if not (o.deny or rule.deny or _said_first(rule, o))]
    if covers := _covers(rule, denials, pairs):
        if rule.deny:
            yield Fault(rule, "id", f"what this denies is denied already by {_named(covers)}", do)
        else:
            yield Fault(rule, "id", f"all that this releases is denied by {_named(covers)}", do)
    elif covers := _covers(rule, wider, pairs):
        yield Fault(rule, "id", f"all that this releases is released already by {_named(covers)}", do)


def _said_first(rule: Rule, other: Rule) -> bool:
    """Of rules that say the same, the later one is the one too many."""
    pairs = [(reader, kind) for reader in other.readers for kind in other.kinds]
    return rule.line < other.line and all(_covered(other, rule, *pair) for pair in pairs)


def _named(rules: Iterable[Rule]) -> str:
    return ", ".join(f"{rule.id} (line {rule.line})" if rule.line else rule.id for rule in rules)


def _covers(rule: Rule, others: Sequence[Rule], pairs: Sequence[tuple[str, str]]) -> list[Rule]:
    """Rules that together cover every reader and kind of `rule`; none where they do not."""
    found: dict[str, Rule] = {}
    for pair in pairs:
        one = next((o for o in others if _covered(rule, o, *pair)), None)
        if one is None:
            return []
        found[one.id] = one
    return list(found.values())


def _covered(rule: Rule, by: Rule, reader: str, kind: str) -> bool:
    """Whether, for this reader and kind, `by` applies wherever `rule` does, and gives no less."""
    if reader not in by.readers or kind not in by.kinds or not _implies(rule, by, reader):
        return False
    if rule.deny or by.deny:
        return by.deny
    if kind == TRACK:  # a row now and a row later are two rows
        if (rule.delay_us, rule.every_us) != (by.delay_us, by.every_us):
            return False
    elif by.delay_us > rule.delay_us:
        return False
    every = declared(kind)
    return rule.slots(kind, every) <= by.slots(kind, every)


def _implies(rule: Rule, by: Rule, reader: str) -> bool:
    """Whether the conditions of `by` hold wherever those of `rule` do, for this reader."""
    a, b = rule.when, by.when
    return (
        _no_later(rule.until_us, by.until_us)
        and _no_later(a.age_max_us, b.age_max_us)
        and _within(a.subject, b.subject)
        and _within(a.detector, b.detector)
        and _within(a.tags, b.tags)
        and _within(a.feed, b.feed)
        and (b.exercise is None or a.exercise == b.exercise)
        and _originators(rule, by)
        and _markings(rule, by, reader)
        and _least(a.confidence_min, b.confidence_min)
        and (by.onward is None or _rank(ONWARD_RANK, rule.onward) <= ONWARD_RANK[by.onward])
        and _areas(rule, by)
    )


def _no_later(a: int | None, b: int | None) -> bool:
    return b is None or (a is not None and a <= b)


def _within(a: frozenset[str] | None, b: frozenset[str] | None) -> bool:
    return b is None or (a is not None and a <= b)


def _least(a: str | None, b: str | None) -> bool:
    return b is None or (a is not None and CONFIDENCE_RANK[a] >= CONFIDENCE_RANK[b])


def _rank(ranks: dict[str, int], word: str | None) -> int:
    """None: all, also words that we do not know."""
    return ranks[word] if word is not None else len(ranks)


def _originators(rule: Rule, by: Rule) -> bool:
    """A releasing rule without originators is of own statements, and which name that is is not known."""
    a, b = rule.when.originator, by.when.originator
    if b is None:
        return by.deny or (a is None and not rule.deny)
    if ANYONE in b:
        return True
    return a is not None and a <= b


def _markings(rule: Rule, by: Rule, reader: str) -> bool:
    """Also the ways to a reader that some statements ask for: by name, or through a circle."""
    reach = _rank(RANK, _reach(rule))
    if not rule.deny and reader not in rule.named:
        reach = min(reach, RANK[NAMED_ONLY] - 1)
    if reach > _rank(RANK, _reach(by)):
        return False
    if by.deny:
        return True
    to_red = reach == RANK[NAMED_ONLY]
    return not (to_red and reader not in by.named) and (
        reader not in rule.circled or reader in by.circled
    )


def _reach(rule: Rule) -> str | None:
    return rule.when.marking_max or (None if rule.deny else MARKING_REACH)


def _areas(rule: Rule, by: Rule) -> bool:
    a, b = rule.when.area, by.when.area
    return b is None or (a is not None and all(any(_part(one, of) for of in b) for one in a))


def _part(one: Area, of: Area) -> bool:
    """Whether what lies in `one` lies in `of`, and what touches `one` touches `of`."""
    if one.box is None or of.box is None:
        return one.box is of.box and one.cells <= of.cells
    return (
        of.box[0] <= one.box[0]
        and of.box[1] <= one.box[1]
        and one.box[2] <= of.box[2]
        and one.box[3] <= of.box[3]
    )
