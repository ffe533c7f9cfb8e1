"""One statement against one rule: which conditions fail, and what would have had to differ.

This is the explained path: plain, one condition after the other, with words for people. The fast
path (`compiled.py`) is written on its own; a property test holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from samsyn.base.clock import iso
from samsyn.policy.areas import Area, Place
from samsyn.policy.rules import (
    ANYONE,
    CONFIDENCE_RANK,
    MARKING_REACH,
    NAMED_ONLY,
    ONWARD_RANK,
    RANK,
    Facts,
    Rule,
    tells_at_most,
)


class Miss(msgspec.Struct, frozen=True):
    """A condition that does not hold, in both languages."""

    condition: str
    en: str
    sv: str


def misses(rule: Rule, facts: Facts, reader: str, now_us: int) -> list[Miss]:
    """Why `rule` says nothing of this statement to this reader; empty where it applies."""
    return [miss for test in _TESTS for miss in test(rule, facts, reader, now_us)]


def given(rule: Rule, facts: Facts, reader: str) -> frozenset[str]:
    """The slots that an applying rule gives the reader, within what consents allow that reader."""
    slots = rule.slots(facts.kind, facts.slots)
    for cap in facts.passing.caps if facts.passing else ():
        if cap.reader == reader:
            slots = frozenset(s for s in slots if tells_at_most(facts.kind, s, cap.place, cap.time))
    return slots


def _reader(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    if rule.addressed:
        if reader not in facts.addressees:
            yield Miss("to", f"it is not addressed to {reader}", f"det är inte ställt till {reader}")
    elif reader not in rule.readers:
        yield Miss("to", f"it does not name {reader}", f"den nämner inte {reader}")


def _kind(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    if facts.kind not in rule.kinds:
        yield _set_miss("kinds", "kind", "sorten", facts.kind, rule.kinds)


def _until(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    if rule.until_us is not None and now_us >= rule.until_us:
        at = iso(rule.until_us)
        yield Miss("until", f"it ended at {at}", f"den upphörde {at}")


def _marking(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    reach = rule.when.marking_max or (None if rule.deny else MARKING_REACH)
    if reach is None:
        return
    if facts.marking not in RANK or RANK[facts.marking] > RANK[reach]:
        yield Miss(
            "marking_max",
            f"the marking is {facts.marking} and it reaches {reach} at most",
            f"märkningen är {facts.marking} och den når högst {reach}",
        )
    elif facts.marking == NAMED_ONLY and not (rule.deny or rule.addressed) and reader not in rule.named:
        yield Miss(
            "to",
            f"{NAMED_ONLY} goes only to readers named one by one; it names {reader} by a circle",
            f"{NAMED_ONLY} går bara till läsare nämnda en och en; den nämner {reader} genom en krets",
        )


def _onward(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    if rule.onward is None:
        return
    if facts.onward not in ONWARD_RANK or ONWARD_RANK[facts.onward] > ONWARD_RANK[rule.onward]:
        yield Miss(
            "onward",
            f"onward release is {facts.onward!r} and it allows {rule.onward!r} at most",
            f"vidarelämning är {facts.onward!r} och den medger högst {rule.onward!r}",
        )


def _words(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    when = rule.when
    if when.subject is not None and facts.subject not in when.subject:
        yield _set_miss("subject", "subject", "ämnet", facts.subject, when.subject)
    if when.detector is not None and facts.detector not in when.detector:
        yield _set_miss("detector", "detector", "detektorn", facts.detector, when.detector)
    if when.feed is not None and facts.feed not in when.feed:
        yield _set_miss("feed", "feed", "källan", facts.feed, when.feed)
    if when.originator is None:
        if facts.foreign and not rule.deny:
            yield Miss(
                "originator",
                f"it is of {facts.originator}, and a rule without an originator speaks of own"
                " statements only",
                f"det är av {facts.originator}, och en regel utan upphov gäller bara egna utsagor",
            )
    elif ANYONE not in when.originator and facts.originator not in when.originator:
        yield _set_miss("originator", "originator", "upphovet", facts.originator, when.originator)
    if when.tags is not None and not when.tags & facts.tags:
        said = ", ".join(sorted(facts.tags)) or None
        yield _set_miss("tags", "tags", "etiketterna", said, when.tags)


def _passing(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    """What other originators ask for; a denial needs nobody's consent."""
    passing = facts.passing
    if rule.deny:
        return
    if passing is None:
        if facts.foreign:
            yield Miss(
                "passing",
                f"{facts.originator} has not said that it may go on",
                f"{facts.originator} har inte sagt att det får gå vidare",
            )
        return
    if passing.readers is not None and reader not in passing.readers:
        yield Miss(
            "passing",
            f"no consent of its originators names {reader}",
            f"inget medgivande från upphoven nämner {reader}",
        )
    if passing.circles_only and reader not in rule.circled:
        yield Miss(
            "passing",
            f"its originators let it go on through a circle only; no circle in it holds {reader}",
            f"upphoven låter det gå vidare bara genom en krets; ingen krets i den rymmer {reader}",
        )
    for cap in passing.caps:
        if cap.reader == reader and cap.until_us is not None and now_us >= cap.until_us:
            at = iso(cap.until_us)
            yield Miss(
                "passing",
                f"the consent for {reader} ended at {at}",
                f"medgivandet för {reader} upphörde {at}",
            )


def _confidence(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    least = rule.when.confidence_min
    if least is None:
        return
    if (
        facts.confidence not in CONFIDENCE_RANK
        or CONFIDENCE_RANK[facts.confidence] < CONFIDENCE_RANK[least]
    ):
        said = facts.confidence
        yield Miss(
            "confidence_min",
            f"the confidence is {said or 'not said'} and it asks for {least} at least",
            f"säkerheten är {said or 'inte angiven'} och den kräver minst {least}",
        )


def _exercise(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    asked = rule.when.exercise
    if asked is not None and facts.exercise != asked:
        en, sv = ("exercise", "övning") if asked else ("what is actual", "skarpt läge")
        yield Miss("exercise", f"it is only for {en}", f"den gäller bara {sv}")


def _age(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    most_us = rule.when.age_max_us
    if most_us is not None and now_us - facts.at_us > most_us:
        age_s, most_s = (now_us - facts.at_us) // 1_000_000, most_us // 1_000_000
        yield Miss(
            "age_max",
            f"it is {age_s} s old and the rule takes {most_s} s at most",
            f"det är {age_s} s gammalt och regeln tar högst {most_s} s",
        )


def _area(rule: Rule, facts: Facts, reader: str, now_us: int) -> Iterator[Miss]:
    areas = rule.when.area
    if areas is None:
        return
    inside: Callable[[Area, Place], bool] = Area.touches if rule.deny else Area.holds
    if facts.place is None or not any(inside(area, facts.place) for area in areas):
        names = ", ".join(area.name for area in areas)
        if facts.place is None:
            yield Miss(
                "area", f"it names no place to hold against {names}", f"det saknar plats ({names} krävs)"
            )
        else:
            yield Miss("area", f"its place is not within {names}", f"platsen ligger inte inom {names}")


def _set_miss(condition: str, en: str, sv: str, said: str | None, wanted: frozenset[str]) -> Miss:
    words = " / ".join(sorted(wanted)) or "-"
    return Miss(
        condition,
        f"the {en} is {said or 'not said'} and would have to be {words}",
        f"{sv} är {said or 'inte angivet'} och skulle behöva vara {words}",
    )


_TESTS: Final = (
    _reader,
    _kind,
    _until,
    _marking,
    _onward,
    _words,
    _passing,
    _confidence,
    _exercise,
    _age,
    _area,
)
