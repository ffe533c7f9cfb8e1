"""What the policy answers, and that its two readings answer alike."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US
from samsyn.policy import Cap, Decision, Facts, Passing, Policy
from samsyn.policy.areas import Area, Place
from samsyn.policy.rules import ADDRESSED, ONWARD, Rule, When, hides
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.marking import MARKINGS
from samsyn.subjects import declared, need

READERS = ("fi", "no", "se")
KINDS_SAID = ("alert", "report", "request")
NOW_US = 20_000 * DAY_US
BALTIC = Area("baltic", (9.0, 53.0, 31.0, 66.0), frozenset())
NORTH = Area("north", (0.0, 60.0, 40.0, 80.0), frozenset())
CELLS = Area("cells", None, frozenset(["831f05fffffffff"]))

SLOTS = frozenset(
    [
        *(f"place.{rung}" for rung in PLACE_RUNGS),
        *(f"time.{rung}" for rung in TIME_RUNGS),
        *("title", "text", "author", "body.detector", "body.measured", "body.start", "body.zone"),
    ]
)


def facts(**more: object) -> Facts:
    base = Facts(
        kind="alert",
        originator="dk",
        marking="TLP:AMBER",
        onward="ask",
        exercise=True,
        at_us=NOW_US,
        slots=SLOTS,
        subject="sea",
        place=Place((15.0, 55.0, 15.0, 55.0), ("871f05000ffffff",), (55.0, 15.0)),
        confidence="medium",
        detector="drift",
        tags=frozenset(["cable"]),
        foreign=False,
    )
    return msgspec.structs.replace(base, **more)


def rule(**more: object) -> Rule:
    fields: dict[str, object] = {
        "id": "r",
        "why": "w",
        "deny": False,
        "readers": frozenset(READERS),
        "named": frozenset(READERS),
        "kinds": frozenset(["alert"]),
        "place": "area",
        "time": "hour",
    }
    return Rule(**{**fields, **more})  # type: ignore[arg-type]


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


# --- the two readings of the policy

_subset = st.sets(st.sampled_from(READERS)).map(frozenset)
_maybe_words = lambda *words: st.none() | st.sets(st.sampled_from(words)).map(frozenset)  # noqa: E731

whens = st.builds(
    When,
    subject=_maybe_words("sea", "air", "cyber"),
    area=st.none() | st.lists(st.sampled_from([BALTIC, NORTH, CELLS]), max_size=2).map(tuple),
    marking_max=st.none() | st.sampled_from(MARKINGS),
    confidence_min=st.none() | st.sampled_from(["low", "medium", "high"]),
    detector=_maybe_words("drift", "silence"),
    originator=_maybe_words("dk", "se", "*"),
    exercise=st.none() | st.booleans(),
    tags=_maybe_words("cable", "night"),
    age_max_us=st.none() | st.sampled_from([0, HOUR_US, DAY_US]),
)


@st.composite
def rules_(draw: st.DrawFn) -> Rule:
    readers = draw(_subset)
    deny = draw(st.sampled_from([False, False, False, True]))
    named = frozenset(r for r in readers if draw(st.booleans()))
    return Rule(
        id=draw(st.uuids()).hex,
        why="w",
        deny=deny,
        readers=readers,
        named=named,
        circled=(readers - named) | frozenset(r for r in named if draw(st.booleans())),
        kinds=frozenset(draw(st.sets(st.sampled_from(KINDS_SAID), min_size=1))),
        when=draw(st.just(When()) | whens),
        place=draw(st.none() | st.sampled_from(PLACE_RUNGS)),
        time=draw(st.none() | st.sampled_from(TIME_RUNGS)),
        delay_us=draw(st.sampled_from([0, 0, MINUTE_US, HOUR_US])),
        hide=tuple(
            draw(st.lists(st.sampled_from(["author", "body", "text", "place.exact"]), max_size=2))
        ),
        onward=draw(st.none() | st.sampled_from(ONWARD)),
        until_us=draw(st.none() | st.sampled_from([NOW_US - 1, NOW_US, NOW_US + DAY_US])),
    )


_rungs = st.tuples(st.none() | st.sampled_from(PLACE_RUNGS), st.none() | st.sampled_from(TIME_RUNGS))
caps = st.builds(
    lambda reader, rungs, until_us: Cap(reader, *rungs, until_us),
    st.sampled_from([*READERS, "stranger"]),
    _rungs,
    st.none() | st.sampled_from([NOW_US, NOW_US + 1, NOW_US + DAY_US]),
)
passings = st.none() | st.builds(
    Passing,
    readers=st.none() | _subset,
    circles_only=st.booleans(),
    caps=st.lists(caps, max_size=3).map(tuple),
)
places = st.none() | st.sampled_from(
    [
        Place((15.0, 55.0, 15.0, 55.0), ("871f05000ffffff",), (55.0, 15.0)),
        Place((15.0, 55.0, 35.0, 61.0), ("871f05000ffffff", "871f1c000ffffff"), None),
        Place((-150.0, 10.0, -150.0, 10.0), (), None),
    ]
)
statements = st.builds(
    Facts,
    kind=st.sampled_from([*KINDS_SAID, "unheard-of"]),
    originator=st.sampled_from(["dk", "se"]),
    marking=st.sampled_from([*MARKINGS, "TLP:UNKNOWN"]),
    onward=st.sampled_from([*ONWARD, "perhaps"]),
    exercise=st.booleans(),
    at_us=st.sampled_from([NOW_US, NOW_US - MINUTE_US, NOW_US - DAY_US - 1]),
    slots=st.sets(st.sampled_from([*sorted(SLOTS), "body.later"])).map(frozenset),
    subject=st.sampled_from([None, "sea", "air"]),
    place=places,
    confidence=st.sampled_from([None, "low", "medium", "high", "sure"]),
    detector=st.sampled_from([None, "drift", "silence"]),
    tags=st.sets(st.sampled_from(["cable", "night"])).map(frozenset),
    foreign=st.booleans(),
    addressees=st.frozensets(st.sampled_from([*READERS, "stranger"])),
    passing=passings,
)
nows = st.sampled_from([NOW_US, NOW_US + MINUTE_US, NOW_US + HOUR_US])


@settings(max_examples=250, deadline=None)
@given(st.lists(rules_(), max_size=6), st.lists(statements, max_size=4), nows)
def test_the_fast_reading_agrees_with_the_explained_one(
    rules: list[Rule], said: list[Facts], now_us: int
) -> None:
    policy = Policy(rules, READERS)
    fast = policy.decide_many(said, now_us)
    plain = [[policy.decide(f, reader, now_us) for reader in policy.partners] for f in said]
    assert fast == plain
    assert policy.decide_many(said, now_us) == plain  # from what was kept, too


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
@given(st.lists(rules_(), min_size=1, max_size=5), statements, st.sampled_from(READERS), nows, st.data())
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
@given(st.lists(rules_(), max_size=5), statements, st.sampled_from(READERS), nows)
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
