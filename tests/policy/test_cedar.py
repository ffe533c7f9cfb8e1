"""Another engine, Cedar, allows slot by slot what we release, and nothing else."""

from __future__ import annotations

import random
from collections import Counter

from samsyn.policy import Policy
from samsyn.policy.rules import ADDRESSED_KINDS
from tests.policy import cedar
from tests.policy.made import NOWS, READERS, SLOTS, make_facts, make_rule


def test_cedar_says_the_same_of_every_slot() -> None:
    chance = random.Random(7)
    seen: Counter[str] = Counter()
    pairs = slots = 0
    while pairs < 4_000:
        rules = [rule for _ in range(8) if cedar.can_say(rule := make_rule(chance))]
        policy, now_us = Policy(rules, READERS), chance.choice(NOWS)
        said = [make_facts(chance) for _ in range(40)]
        asked, expected = [], []
        for one, decisions in zip(said, policy.decide_many(said, now_us), strict=True):
            some = chance.sample(sorted(one.slots), min(3, len(one.slots)))
            for reader, decision in zip(policy.partners, decisions, strict=True):
                now = decision.reason == "released"
                seen[decision.reason] += 1
                asked.append(cedar.request(one, reader, None, now_us))
                expected.append(now)
                for slot in some:
                    asked.append(cedar.request(one, reader, slot, now_us))
                    expected.append(now and slot in decision.slots)
                    seen["a slot" if expected[-1] else "no slot"] += 1
        assert cedar.answers(cedar.told(policy), asked) == expected
        pairs += len(said) * len(READERS)
        slots += len(asked)
    assert min(seen[word] for word in ("released", "delayed", "denied", "a slot")) > 100, seen
    assert slots > 12_000


def test_cedar_is_asked_of_all_that_leaves_under_the_built_in_rule() -> None:
    chance = random.Random(8)
    policy = Policy([], READERS)
    said = [one for _ in range(400) if (one := make_facts(chance)).kind in ADDRESSED_KINDS]
    asked = [
        (cedar.request(one, reader, slot, NOWS[0]), decision.released and slot in decision.slots)
        for one, decisions in zip(said, policy.decide_many(said, NOWS[0]), strict=True)
        for reader, decision in zip(policy.partners, decisions, strict=True)
        for slot in sorted(SLOTS & one.slots)[:4]
    ]
    assert cedar.answers(cedar.told(policy), [request for request, _ in asked]) == [e for _, e in asked]
