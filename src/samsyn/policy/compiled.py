"""The fast path of decisions: each rule's conditions once a statement, readers as bits.

Written apart from `conditions.py` so that the property test compares two readings of the policy.
Statements mostly repeat: the same kind, slots and applying rules give the same pattern of
decisions, which is kept; only the instants differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from samsyn.policy.areas import Area
from samsyn.policy.decision import NO_RULE, Decision, denied, joined
from samsyn.policy.rules import (
    ANYONE,
    CONFIDENCE_RANK,
    MARKING_REACH,
    NAMED_ONLY,
    ONWARD_RANK,
    RANK,
    Cap,
    Facts,
    Rule,
    tells_at_most,
)

_PATTERNS_MAX: Final = 4096

_SharedTest = Callable[[Facts], bool]
"""Hangs on nothing but the facts that `_candidates_of` goes by."""

_Test = Callable[[Facts, int], bool]
_Candidate = tuple[int, tuple[_Test, ...]]


class _Line(msgspec.Struct, frozen=True):
    """One rule made ready."""

    rule: Rule
    bits: int  # readers
    named_bits: int  # readers that a TLP:RED statement may reach by it
    circled_bits: int  # readers that a statement may reach by it that goes through circles only
    shared: tuple[_SharedTest, ...]
    own: tuple[_Test, ...]


class _Limits(msgspec.Struct, frozen=True):
    """Who may be reached beside what the rules say: as the statement and other originators have it."""

    bits: int  # readers
    circles_only: bool
    caps: tuple[Cap, ...]
    addressed_bits: int


class _Join(msgspec.Struct, frozen=True):
    """The releasing rules that apply for some readers, each with the slots that it lets out."""

    rules: tuple[tuple[Rule, frozenset[str]], ...]
    at_once: Decision | None  # where no rule has a delay: the answer but for its instant

    def at(self, at_us: int, now_us: int) -> Decision:
        once = self.at_once
        if once is not None and at_us <= now_us:
            return Decision(True, once.slots, at_us, once.rules, "released")
        return joined(self.rules, at_us, now_us)


class _Pattern(msgspec.Struct, frozen=True):
    """Decisions of one set of applying rules: distinct ones, and which of them each reader has."""

    parts: tuple[_Join | Decision, ...]
    of_reader: tuple[int, ...]


class Compiled:
    """The rules of a policy made ready for many statements."""

    def __init__(self, rules: Sequence[Rule], readers: Sequence[str]) -> None:
        self._readers = tuple(readers)
        self._all_bits = (1 << len(self._readers)) - 1
        self._unlimited = _Limits(self._all_bits, False, (), 0)
        self._nobody = _Limits(0, False, (), 0)
        bit = self._bit = {reader: 1 << n for n, reader in enumerate(readers)}
        self._by_kind: dict[str, list[_Line]] = {}
        for rule in rules:
            bits = sum(bit[r] for r in rule.readers)
            named = bits if rule.deny else sum(bit[r] for r in rule.named)
            circled = bits if rule.deny else sum(bit[r] for r in rule.circled)
            line = _Line(rule, bits, named, circled, _shared_tests(rule), _own_tests(rule))
            for kind in rule.kinds:
                self._by_kind.setdefault(kind, []).append(line)
        self._candidates: dict[tuple[object, ...], tuple[_Candidate, ...]] = {}
        self._patterns: dict[tuple[object, ...], _Pattern] = {}

    def decide_many(self, facts: Sequence[Facts], now_us: int) -> list[list[Decision]]:
        return [self._decide(f, now_us) for f in facts]

    def _decide(self, facts: Facts, now_us: int) -> list[Decision]:
        lines = self._by_kind.get(facts.kind, ())
        applying = tuple(
            n
            for n, tests in self._candidates_of(facts, lines)
            if not tests or all(test(facts, now_us) for test in tests)
        )
        red = facts.marking == NAMED_ONLY
        limits = self._limits(facts, now_us)
        key = (facts.kind, facts.slots, applying, red, limits)
        pattern = self._patterns.get(key)
        if pattern is None:
            if len(self._patterns) >= _PATTERNS_MAX:
                self._patterns.clear()
            pattern = self._pattern([lines[n] for n in applying], facts, red, limits)
            self._patterns[key] = pattern
        answers = [
            part.at(facts.at_us, now_us) if isinstance(part, _Join) else part for part in pattern.parts
        ]
        return [answers[n] for n in pattern.of_reader]

    def _candidates_of(self, facts: Facts, lines: Sequence[_Line]) -> tuple[_Candidate, ...]:
        """The rules whose conditions hold on what the statement shares with others, by place in `lines`,
        each with the conditions that are left to ask."""
        key = (
            facts.kind,
            facts.originator,
            facts.foreign,
            facts.marking,
            facts.onward,
            facts.exercise,
            facts.subject,
            facts.confidence,
            facts.detector,
            facts.tags,
        )
        found = self._candidates.get(key)
        if found is None:
            if len(self._candidates) >= _PATTERNS_MAX:
                self._candidates.clear()
            found = tuple(
                (n, line.own) for n, line in enumerate(lines) if all(t(facts) for t in line.shared)
            )
            self._candidates[key] = found
        return found

    def _limits(self, facts: Facts, now_us: int) -> _Limits:
        passing = facts.passing
        if passing is None and not facts.addressees:  # nearly all
            return self._nobody if facts.foreign else self._unlimited
        bit = self._bit
        addressed = sum(bit.get(reader, 0) for reader in facts.addressees)
        if passing is None:
            return _Limits(0 if facts.foreign else self._all_bits, False, (), addressed)
        bits = self._all_bits
        if passing.readers is not None:
            bits = sum(bit.get(reader, 0) for reader in passing.readers)
        for cap in passing.caps:
            if cap.until_us is not None and cap.until_us <= now_us:
                bits &= ~bit.get(cap.reader, 0)
        return _Limits(bits, passing.circles_only, passing.caps, addressed)

    def _pattern(self, lines: Sequence[_Line], facts: Facts, red: bool, limits: _Limits) -> _Pattern:
        slots = [line.rule.slots(facts.kind, facts.slots) for line in lines]
        masks = [_reach(line, red, limits) for line in lines]
        parts: dict[tuple[tuple[int, ...], tuple[Cap, ...]], int] = {}
        of_reader: list[int] = []
        for n, reader in enumerate(self._readers):
            mine = tuple(i for i, mask in enumerate(masks) if mask >> n & 1)
            caps = tuple(cap for cap in limits.caps if cap.reader == reader)
            of_reader.append(parts.setdefault((mine, caps), len(parts)))
        made: list[_Join | Decision] = []
        for mine, caps in parts:
            denial = next((lines[i].rule for i in mine if lines[i].rule.deny), None)
            if denial is not None:
                made.append(denied(denial))
            elif not mine:
                made.append(NO_RULE)
            else:
                kept = _within_caps(facts, caps)
                rules = tuple((lines[i].rule, slots[i] & kept) for i in mine)
                delayed = any(rule.delay_us for rule, _ in rules)
                made.append(_Join(rules, None if delayed else joined(rules, 0, 0)))
        return _Pattern(tuple(made), tuple(of_reader))


def _reach(line: _Line, red: bool, limits: _Limits) -> int:
    """The readers, as bits, whom an applying rule reaches."""
    if line.rule.addressed:
        return 0 if limits.circles_only else limits.addressed_bits & limits.bits
    bits = line.named_bits if red else line.bits
    if line.rule.deny:
        return bits
    return bits & limits.bits & (line.circled_bits if limits.circles_only else limits.bits)


def _within_caps(facts: Facts, caps: Sequence[Cap]) -> frozenset[str]:
    return frozenset(
        slot
        for slot in facts.slots
        if all(tells_at_most(facts.kind, slot, cap.place, cap.time) for cap in caps)
    )


def _shared_tests(rule: Rule) -> tuple[_SharedTest, ...]:
    when = rule.when
    tests: list[_SharedTest] = []
    reach = when.marking_max if rule.deny else when.marking_max or MARKING_REACH
    if reach is not None:
        tests.append(_among(lambda f: f.marking, frozenset(m for m in RANK if RANK[m] <= RANK[reach])))
    if rule.onward is not None:
        most = ONWARD_RANK[rule.onward]
        tests.append(
            _among(lambda f: f.onward, frozenset(o for o in ONWARD_RANK if ONWARD_RANK[o] <= most))
        )
    if when.exercise is not None:
        asked = when.exercise
        tests.append(lambda f: f.exercise is asked)
    if when.subject is not None:
        tests.append(_among(lambda f: f.subject, when.subject))
    if when.detector is not None:
        tests.append(_among(lambda f: f.detector, when.detector))
    if when.originator is None:
        if not rule.deny:
            tests.append(lambda f: not f.foreign)
    elif ANYONE not in when.originator:
        tests.append(_among(lambda f: f.originator, when.originator))
    if when.confidence_min is not None:
        least = CONFIDENCE_RANK[when.confidence_min]
        tests.append(
            _among(
                lambda f: f.confidence,
                frozenset(c for c in CONFIDENCE_RANK if CONFIDENCE_RANK[c] >= least),
            )
        )
    if when.tags is not None:
        tags = when.tags
        tests.append(lambda f: not tags.isdisjoint(f.tags))
    return tuple(tests)


def _own_tests(rule: Rule) -> tuple[_Test, ...]:
    """The conditions on instant and place, the cheapest first."""
    when = rule.when
    tests: list[_Test] = []
    if rule.until_us is not None:
        until_us = rule.until_us
        tests.append(lambda f, now_us: now_us < until_us)
    if when.age_max_us is not None:
        age_max_us = when.age_max_us
        tests.append(lambda f, now_us: now_us - f.at_us <= age_max_us)
    if when.area is not None:
        tests.append(_within(when.area, rule.deny))
    return tuple(tests)


def _among(fact: Callable[[Facts], str | None], words: frozenset[str]) -> _SharedTest:
    return lambda f: fact(f) in words


def _within(areas: tuple[Area, ...], touching: bool) -> _Test:
    if touching:
        return lambda f, now_us: f.place is not None and any(a.touches(f.place) for a in areas)
    return lambda f, now_us: f.place is not None and any(a.holds(f.place) for a in areas)
