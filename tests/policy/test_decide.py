"""What the policy answers, and that its readings answer alike."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base import geo
from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US
from samsyn.policy import Cap, Decision, Facts, Passing, Policy
from samsyn.policy.areas import Place
from samsyn.policy.frame import REASONS, decide_frame, fact_row, fact_rows, slots_of
from samsyn.policy.rules import ADDRESSED, Rule, When, hides
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.subjects import declared, need
from tests.policy.made import (
    BALTIC,
    CELLS,
    NOW_US,
    NOWS,
    READERS,
    SLOTS,
    facts,
    make_facts,
    make_rule,
    nows,
    rule,
    rules_,
    statements,
)


def decide(
    rules: list[Rule], said: Facts | None = None, reader: str = "fi", now_us: int = NOW_US
) -> Decision:
    return Policy(rules, READERS).decide(said or facts(), reader, now_us)


def test_nothing_is_released_without_a_rule() -> None:
    assert not decide([]).released and decide([]).reason == "no-rule"
    assert not decide([rule(kinds=frozenset(["report"]))]).released
    assert not decide([rule()], reader="stranger").released


def test_a_rule_releases_no_finer_than_it_says() -> None:
    answer = decide([rule(hide=("author",))])
    assert answer.slots == {
        "place.region",
        "place.area",
        "time.day",
        "time.hour",
        "title",
        "text",
        "body.detector",
    }
    assert answer.rules == (("r", "w"),)


def test_a_rule_without_rungs_gives_nothing_of_place_and_time() -> None:
    slots = decide([rule(place=None, time=None)]).slots
    assert slots == {"title", "text", "author", "body.detector"}


def test_what_the_kind_does_not_declare_never_leaves() -> None:
    odd = facts(slots=SLOTS | {"body.later", "anything"})
    answer = decide([rule(place="exact", time="exact")], odd)
    assert answer.slots == SLOTS


def test_exact_time_alone_does_not_let_out_what_tells_the_place() -> None:
    slots = decide([rule(place="area", time="exact")]).slots
    assert "time.exact" in slots and "body.start" not in slots and "body.zone" not in slots


def test_slots_join_over_rules_but_needs_are_held_by_each_rule() -> None:
    joined = decide([rule(id="a", place="exact", time="day"), rule(id="b", place=None, time="exact")])
    assert {"place.exact", "time.exact"} <= joined.slots
    assert "body.start" not in joined.slots  # no single rule allows both
    assert [r for r, _ in joined.rules] == ["a", "b"]


def test_a_denial_beats_every_rule() -> None:
    answer = decide([rule(), rule(id="no", why="never", deny=True, place=None, time=None)])
    assert not answer.released and answer.reason == "denied" and answer.rules == (("no", "never"),)


def test_markings_cap() -> None:
    named, circle = rule(), rule(named=frozenset())
    strict, red = facts(marking="TLP:AMBER+STRICT"), facts(marking="TLP:RED")
    assert not decide([named], strict).released  # must be said
    assert decide([rule(when=When(marking_max="TLP:AMBER+STRICT"))], strict).released
    assert not decide([named], red).released
    reaching = When(marking_max="TLP:RED")
    assert decide([msgspec.structs.replace(named, when=reaching)], red).released
    assert not decide([msgspec.structs.replace(circle, when=reaching)], red).released
    assert not decide([rule(when=When(marking_max="TLP:GREEN"))]).released


def test_onward_caps() -> None:
    assert decide([rule(onward="ask")]).released
    assert not decide([rule(onward="no")]).released


def test_a_missing_fact_makes_a_condition_false() -> None:
    bare = facts(subject=None, place=None, confidence=None, detector=None, tags=frozenset())
    for when in (
        When(subject=frozenset(["sea"])),
        When(area=(BALTIC,)),
        When(confidence_min="low"),
        When(detector=frozenset(["drift"])),
        When(tags=frozenset(["cable"])),
    ):
        assert decide([rule(when=when)]).released
        assert not decide([rule(when=when)], bare).released


def test_until_and_age() -> None:
    assert decide([rule(until_us=NOW_US + 1)]).released
    assert not decide([rule(until_us=NOW_US)]).released
    old = When(age_max_us=HOUR_US)
    assert decide([rule(when=old)], now_us=NOW_US + HOUR_US).released
    assert not decide([rule(when=old)], now_us=NOW_US + HOUR_US + 1).released


def test_a_release_wants_the_whole_place_and_a_denial_any_of_it() -> None:
    across = facts(place=Place((15.0, 55.0, 35.0, 56.0), (), None))
    within = When(area=(BALTIC,))
    assert not decide([rule(when=within)], across).released
    assert decide([rule(), rule(id="no", deny=True, when=within)], across).reason == "denied"


def test_a_denial_by_cells_covers_a_place_that_names_no_cells() -> None:
    point = facts(place=Place((12.0, 56.0, 12.0, 56.0), (), (56.0, 12.0)))
    line = facts(place=Place((2.0, 50.0, 12.0, 56.0), (), None))
    no = rule(id="no", deny=True, when=When(area=(CELLS,)))
    assert CELLS.cells == {geo.cell(56.0, 12.0, 3)}
    assert decide([rule(), no], point).reason == "denied"
    assert decide([rule(), no], line).reason == "denied"  # nobody can say that it lies outside
    assert not decide([rule(when=When(area=(CELLS,)))], line).released
    assert decide([rule(), no]).released


def test_delays_let_slots_out_one_after_the_other() -> None:
    rules = [
        rule(id="soon", place="region", time="day", delay_us=MINUTE_US),
        rule(id="late", place="exact", time="exact", delay_us=HOUR_US),
    ]
    waiting = decide(rules)
    assert waiting.reason == "delayed" and waiting.not_before_us == NOW_US + MINUTE_US
    assert "place.area" not in waiting.slots
    first = decide(rules, now_us=NOW_US + MINUTE_US)
    assert first.reason == "released" and "place.area" not in first.slots
    assert first.widens_us == NOW_US + HOUR_US
    last = decide(rules, now_us=NOW_US + HOUR_US)
    assert last.slots == SLOTS and last.widens_us is None


def test_hide_takes_names_fields_and_prefixes() -> None:
    assert hides("author", "author") and hides("measured", "body.measured")
    assert hides("body", "body.measured") and hides("body.*", "body.measured")
    assert hides("place", "place.area") and not hides("aut", "author")


def test_explanations_name_the_rule_and_what_would_have_had_to_differ() -> None:
    policy = Policy([rule(id="sea", why="art. 3", readers=frozenset(["fi"]))], READERS)
    yes = policy.explain(facts(), "fi", NOW_US)
    assert yes.released and yes.rule == "sea" and "art. 3" in yes.en and "plats till område" in yes.sv
    no = policy.explain(facts(marking="TLP:RED"), "fi", NOW_US)
    assert not no.released and "TLP:RED" in no.en and "TLP:AMBER" in no.en and "märkningen" in no.sv
    assert "no rule names se" in policy.explain(facts(), "se", NOW_US).en
    denied = Policy([rule(), rule(id="no", why="never", deny=True)], READERS)
    assert (
        "denied by no (never); without it, r would release" in denied.explain(facts(), "fi", NOW_US).en
    )
    waits = Policy([rule(delay_us=HOUR_US)], READERS).explain(facts(), "fi", NOW_US)
    assert "Will be released to fi at" in waits.en


# --- what others said, and what is addressed

SE_SAYS = When(originator=frozenset(["se"]))
ANY_SAYS = When(originator=frozenset(["*"]))
FREE = Passing(readers=None, circles_only=False, caps=())


def of_se(**more: object) -> Facts:
    return facts(**{"originator": "se", "foreign": True, "passing": FREE, **more})


def test_a_rule_that_asks_for_no_originator_speaks_of_own_statements_only() -> None:
    assert decide([rule()]).released and not decide([rule()], of_se()).released
    assert decide([rule(when=SE_SAYS)], of_se()).released
    assert decide([rule(when=ANY_SAYS)], of_se()).released and decide([rule(when=ANY_SAYS)]).released
    assert not decide([rule(when=When(originator=frozenset(["no"])))], of_se()).released
    assert not decide([rule(when=SE_SAYS)]).released


def test_a_denial_that_asks_for_no_originator_covers_what_others_said() -> None:
    assert decide([rule(when=SE_SAYS), rule(id="no", deny=True)], of_se()).reason == "denied"


def test_what_another_said_goes_nowhere_while_nobody_knows_that_it_may() -> None:
    assert not decide([rule(when=ANY_SAYS)], of_se(passing=None)).released
    unknown = msgspec.structs.replace(facts(), foreign=Facts.__struct_defaults__[-3])
    assert unknown.foreign and not decide([rule(when=ANY_SAYS)], unknown).released


def test_consents_name_readers() -> None:
    said = of_se(passing=Passing(frozenset(["no"]), False, ()))
    assert not decide([rule(when=SE_SAYS)], said, "fi").released
    assert decide([rule(when=SE_SAYS)], said, "no").released
    assert "no consent of its originators names fi" in explained([rule(when=SE_SAYS)], said)


def test_onward_to_a_circle_is_not_onward_to_a_name() -> None:
    said = of_se(passing=Passing(None, True, ()))
    by_name, by_circle = rule(when=SE_SAYS), rule(when=SE_SAYS, circled=frozenset(["fi"]))
    assert not decide([by_name], said).released and decide([by_circle], said).released
    assert "through a circle only" in explained([by_name], said)


def test_a_consent_caps_what_leaves_and_ends() -> None:
    every = rule(when=SE_SAYS, place="exact", time="exact")
    until_us = NOW_US + HOUR_US
    said = of_se(passing=Passing(None, False, (Cap("fi", "area", None, until_us),)))
    slots = decide([every], said).slots
    assert "place.area" in slots and not {"place.spot", "time.day", "body.measured"} & slots
    assert decide([every], said, "no").slots == SLOTS
    assert not decide([every], said, now_us=until_us).released
    assert "the consent for fi ended" in explained([every], said, until_us)
    both = (Cap("fi", "area", "exact", None), Cap("fi", "exact", "day", None))
    slots = decide([every], of_se(passing=Passing(None, False, both))).slots
    assert "place.area" in slots and "time.day" in slots  # all that bind it do
    assert not {"place.spot", "time.hour"} & slots


def test_an_own_statement_made_of_theirs_waits_for_their_consent_too() -> None:
    derived = facts(passing=Passing(frozenset(), False, ()))
    assert not decide([rule()], derived).released


def test_who_is_asked_hears_the_question_and_nobody_else() -> None:
    asked = facts(kind="request", marking="TLP:RED", addressees=frozenset(["fi", "stranger"]))
    answer = decide([], asked)
    assert answer.released and answer.rules == (("addressed", "Asked and answered between the two"),)
    assert answer.slots == declared("request") & SLOTS
    assert not decide([], asked, "no").released and not decide([], asked, "stranger").released
    assert not decide(
        [], facts(addressees=frozenset(["fi"]))
    ).released  # an alert is addressed to nobody
    no = rule(id="no", deny=True, kinds=frozenset(["request"]), place=None, time=None)
    assert decide([no], asked).reason == "denied"
    assert "addressed" in explained([], asked)


def explained(rules: list[Rule], said: Facts, now_us: int = NOW_US) -> str:
    policy = Policy(rules, READERS)
    assert policy.decide_many([said], now_us)[0][0] == policy.decide(said, "fi", now_us)
    return policy.explain(said, "fi", now_us).en


def test_rules_on_tracks_say_nothing_of_statements() -> None:
    track = rule(kinds=frozenset(["track"]))
    all_kinds = rule(id="no", deny=True, kinds=frozenset(["alert", "track"]))
    policy = Policy([track, all_kinds], READERS)
    assert policy.rules == (all_kinds,) and policy.track_rules == (track, all_kinds)
    assert not decide([track], facts(kind="track")).released


# --- the readings of the policy


def framed(policy: Policy, said: list[Facts], now_us: int) -> list[list[Decision]]:
    """The decisions of the reading over tables, told as the other two tell theirs."""
    table = fact_rows(fact_row(f"j{n}", 1, n, f) for n, f in enumerate(said))
    found: list[list[Decision]] = [[] for _ in said]
    for row in decide_frame(policy, table, now_us).sort("row", "reader").iter_rows(named=True):
        rule = policy.statement_rules[row["rule"]] if row["rule"] >= 0 else None
        found[row["row"]].append(
            Decision(
                row["released"],
                frozenset(slots_of(said[row["row"]].kind, row["slots"])),
                row["not_before_us"],
                ((rule.id, rule.why),) if rule else (),
                REASONS[row["reason"]],
                row["widens_us"],
            )
        )
    return found


@settings(max_examples=100, deadline=None)
@given(st.lists(rules_, max_size=6), st.lists(statements, max_size=4), nows)
def test_the_readings_agree(rules: list[Rule], said: list[Facts], now_us: int) -> None:
    hold_to_one_another(Policy(rules, READERS), said, now_us)


def test_the_readings_agree_on_a_hundred_thousand_pairs() -> None:
    chance = random.Random(31)
    history = [make_facts(chance) for _ in range(6_000)]
    seen: Counter[tuple[str, bool]] = Counter()
    pairs = 0
    while pairs < 100_000:
        policy = Policy([make_rule(chance) for _ in range(chance.randrange(10))], READERS)
        said = chance.sample(history, 500)
        for decisions in hold_to_one_another(policy, said, chance.choice(NOWS)):
            seen.update((d.reason, d.widens_us is not None) for d in decisions)
            pairs += len(decisions)
    assert min(seen[reason, False] for reason in REASONS) > 1_000, seen
    assert min(seen[reason, True] for reason in ("released", "delayed")) > 20, seen


OTHER = {
    "kind": "report",
    "originator": "se",
    "foreign": True,
    "marking": "TLP:RED",
    "onward": "free",
    "exercise": False,
    "subject": "air",
    "confidence": "low",
    "detector": "silence",
    "tags": frozenset(),
    "place": None,
    "at_us": NOW_US - DAY_US,
    "slots": frozenset(["title"]),
}


@pytest.mark.parametrize("name", OTHER)
def test_what_was_decided_of_one_statement_does_not_answer_for_one_that_differs(name: str) -> None:
    when = When(
        subject=frozenset(["sea"]),
        area=(BALTIC,),
        confidence_min="medium",
        detector=frozenset(["drift"]),
        exercise=True,
        tags=frozenset(["cable"]),
        age_max_us=HOUR_US,
    )
    if name == "originator":
        when = When(originator=frozenset(["dk"]))
    policy, other = Policy([rule(when=when, onward="ask")], READERS), facts(**{name: OTHER[name]})
    (first, *_), (second, *_) = policy.decide_many([facts(), other], NOW_US)
    assert first == policy.decide(facts(), "fi", NOW_US) and first.released
    assert second == policy.decide(other, "fi", NOW_US) and second.slots < first.slots


def test_the_generator_leaves_nothing_out() -> None:
    """A condition that is new in the language is one that the readings are held to."""
    chance = random.Random(5)
    made = [make_rule(chance) for _ in range(500)]
    said = [make_facts(chance) for _ in range(500)]
    for kind, ones, left_out in (
        (Rule, made, {"id", "why", "addressed", "every_us", "line"}),
        (When, [r.when for r in made], {"feed"}),
        (Facts, said, {"feed"}),
        (Passing, [f.passing for f in said if f.passing], set()),
        (Cap, [c for f in said if f.passing for c in f.passing.caps], set()),
    ):
        for name in set(kind.__struct_fields__) - left_out:
            assert len({repr(getattr(one, name)) for one in ones}) > 1, f"{kind.__name__}.{name}"


def hold_to_one_another(policy: Policy, said: list[Facts], now_us: int) -> list[list[Decision]]:
    fast = policy.decide_many(said, now_us)
    plain = [[policy.decide(f, reader, now_us) for reader in policy.partners] for f in said]
    assert fast == plain
    assert policy.decide_many(said, now_us) == plain  # from what was kept, too
    first = [[msgspec.structs.replace(d, rules=d.rules[:1]) for d in row] for row in plain]
    assert framed(policy, said, now_us) == first
    return plain


@dataclass(frozen=True)
class Reach:
    """What a reader has of a statement at an instant."""

    slots: frozenset[str]
    released: bool


def reach(rules: list[Rule], said: Facts, reader: str, now_us: int) -> Reach:
    answer = Policy(rules, READERS).decide(said, reader, now_us)
    now = answer.reason == "released"
    return Reach(answer.slots if now else frozenset(), now)


@settings(max_examples=150, deadline=None)
@given(st.lists(rules_, min_size=1, max_size=5), statements, st.sampled_from(READERS), nows, st.data())
def test_taking_a_releasing_rule_away_never_gives_more(
    rules: list[Rule], said: Facts, reader: str, now_us: int, data: st.DataObject
) -> None:
    releasing = [r for r in rules if not r.deny]
    if not releasing:
        return
    gone = data.draw(st.sampled_from(releasing))
    before = reach(rules, said, reader, now_us)
    after = reach([r for r in rules if r is not gone], said, reader, now_us)
    assert after.slots <= before.slots
    assert before.released or not after.released


@settings(max_examples=150, deadline=None)
@given(st.lists(rules_, max_size=5), statements, st.sampled_from(READERS), nows)
def test_every_slot_that_leaves_is_allowed_by_a_rule_that_names_the_reader(
    rules: list[Rule], said: Facts, reader: str, now_us: int
) -> None:
    answer = Policy(rules, READERS).decide(said, reader, now_us)
    by_id = {r.id: r for r in [*rules, ADDRESSED]}
    for slot in answer.slots:
        place, time = need(said.kind, slot) or ("never", "never")
        assert slot in declared(said.kind) & said.slots
        assert any(
            reader in (said.addressees if r.addressed else r.readers)
            and not r.deny
            and said.kind in r.kinds
            and not any(hides(h, slot) for h in r.hide)
            and (place is None or (r.place and PLACE_RUNGS.index(r.place) >= PLACE_RUNGS.index(place)))
            and (time is None or (r.time and TIME_RUNGS.index(r.time) >= TIME_RUNGS.index(time)))
            for r in (by_id[i] for i, _ in answer.rules)
        )
    assert answer.released or not answer.slots
    assert Policy(rules, READERS).explain(said, reader, now_us).released == answer.released
