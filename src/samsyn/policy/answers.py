"""What rules that apply give each reader, slots as bits; no instant but what delays add.

Part of the reading over tables (`frame.py`), and like it written apart from the other two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec

from samsyn.policy.rules import NAMED_ONLY, Cap, Rule, hides
from samsyn.policy.table import Profile
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.subjects import declared, need

NOBODY_RULE: Final = -1


class Step(msgspec.Struct, frozen=True):
    """From `delay_us` after its signing on, a statement is held with `slots` (bits)."""

    delay_us: int
    slots: int
    rule: int  # the first of the rules that release by then


class Answer(msgspec.Struct, frozen=True):
    """What one reader gets. `rule`: the denial, or -1; `steps` where it is released, by their delay."""

    verdict: Literal["released", "denied", "no-rule"]
    rule: int
    steps: tuple[Step, ...]


NOTHING: Final = Answer("no-rule", NOBODY_RULE, ())

Key = tuple[str, int, bool, bool, int, int, tuple[Cap, ...]]


class Answers:
    """Answers of one policy at one instant; each combination is worked out once."""

    def __init__(self, rules: Sequence[Rule], readers: Sequence[str], now_us: int) -> None:
        self._rules = rules
        self._readers = readers
        self._now_us = now_us
        self._bit = {reader: 1 << n for n, reader in enumerate(readers)}
        self._to = [self._bits(rule.readers) for rule in rules]
        self._named = [self._bits(rule.named) for rule in rules]
        self._circled = [self._bits(rule.circled) for rule in rules]
        self._by_key: dict[Key, tuple[Answer, ...]] = {}

    def of(self, profile: Profile, applying: int) -> tuple[Answer, ...]:
        """One answer a reader. `applying`: as bits, the rules whose conditions on the statement hold."""
        passing = profile.passing
        may = -1 if passing is None or passing.readers is None else self._bits(passing.readers)
        if passing is None and profile.foreign:
            may = 0
        caps = passing.caps if passing else ()
        key = (
            profile.kind,
            applying,
            profile.marking == NAMED_ONLY,
            passing is not None and passing.circles_only,
            may,
            self._bits(profile.addressees),
            caps,
        )
        found = self._by_key.get(key)
        if found is None:
            found = tuple(self._answer(key, reader) for reader in self._readers)
            self._by_key[key] = found
        slots = slot_bits(profile.kind, profile.slots)
        return tuple(_of_slots(answer, slots) if answer.steps else answer for answer in found)

    def _bits(self, readers: frozenset[str]) -> int:
        return sum(self._bit.get(reader, 0) for reader in readers)

    def _answer(self, key: Key, reader: str) -> Answer:
        """The answer on a statement that has every slot of its kind."""
        kind, applying, red, circles_only, may, addressed, caps = key
        bit = self._bit[reader]
        mine = [cap for cap in caps if cap.reader == reader]
        ended = any(cap.until_us is not None and cap.until_us <= self._now_us for cap in mine)
        releasing: list[int] = []
        for n, rule in enumerate(self._rules):
            if not applying >> n & 1:
                continue
            if rule.deny:
                if self._to[n] & bit:
                    return Answer("denied", n, ())
                continue
            reach = addressed if rule.addressed else self._named[n] if red else self._to[n]
            if circles_only:
                reach &= self._circled[n]
            if reach & may & bit and not ended:
                releasing.append(n)
        if not releasing:
            return NOTHING
        most = -1
        for cap in mine:
            most &= _told(kind, cap.place, cap.time, ())
        return Answer("released", NOBODY_RULE, self._steps(kind, most, releasing))

    def _steps(self, kind: str, most: int, releasing: Sequence[int]) -> tuple[Step, ...]:
        steps = []
        for delay_us in sorted({self._rules[n].delay_us for n in releasing}):
            due = [n for n in releasing if self._rules[n].delay_us <= delay_us]
            let_out = 0
            for n in due:
                rule = self._rules[n]
                let_out |= _told(kind, rule.place, rule.time, rule.hide)
            steps.append(Step(delay_us, most & let_out, due[0]))
        return tuple(steps)


@lru_cache(maxsize=65_536)
def _of_slots(answer: Answer, slots: int) -> Answer:
    steps = tuple(Step(s.delay_us, s.slots & slots, s.rule) for s in answer.steps)
    return Answer(answer.verdict, answer.rule, steps)


def slot_order(kind: str) -> Sequence[str]:
    """The slots of a kind in the order of their bits, the least bit first."""
    return tuple(_bit_of(kind))


def slot_bits(kind: str, slots: frozenset[str]) -> int:
    """Slots as bits; those that the kind does not declare have none: they never leave."""
    bit = _bit_of(kind)
    return sum(1 << bit[slot] for slot in slots if slot in bit)


def slots_of(kind: str, bits: int) -> tuple[str, ...]:
    """The names of slots given as bits."""
    return tuple(slot for slot, n in _bit_of(kind).items() if bits >> n & 1)


@lru_cache
def _bit_of(kind: str) -> Mapping[str, int]:
    return {slot: n for n, slot in enumerate(sorted(declared(kind)))}


@lru_cache(maxsize=4096)
def _told(kind: str, place: str | None, time: str | None, hidden: tuple[str, ...]) -> int:
    """The slots that rungs allow and no word hides."""
    places = {None, *PLACE_RUNGS[: PLACE_RUNGS.index(place) + 1 if place else 0]}
    times = {None, *TIME_RUNGS[: TIME_RUNGS.index(time) + 1 if time else 0]}
    bits = 0
    for slot, n in _bit_of(kind).items():
        needed = need(kind, slot)
        if needed and needed[0] in places and needed[1] in times:
            bits |= (not any(hides(word, slot) for word in hidden)) << n
    return bits
