"""A rule that never matches, or that others cover, is an error at load; and no other rule is."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from samsyn.base.clock import DAY_US, HOUR_US, parse_iso
from samsyn.base.errors import ConfigError
from samsyn.policy import Decision, Facts, Policy, load
from samsyn.policy.rules import Rule, When
from samsyn.policy.sense import Fault, faults, remarks
from samsyn.subjects import KINDS, declared, subjects_of
from tests.policy.made import NOW_US, NOWS, READERS, facts, make_facts, make_rule, rule

HEAD = """\
[circles]
nordic = ["fi", "no"]
empty = []

[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }
sound = { bbox = [12.0, 55.0, 13.0, 56.5] }

"""
BASE = {"id": "base", "why": "w", "to": ["fi"], "kinds": ["alert", "report"]}


def load_rules(tmp_path: Path, *tables: dict[str, object]) -> Policy:
    file = tmp_path / "policy.toml"
    text = HEAD
    for table in tables:
        text += "[[deny]]\n" if table.get("deny") else "[[rule]]\n"
        for key, value in table.items():
            if key != "deny":
                text += f"{key} = {toml(value)}\n"
    file.write_text(text)
    return load(file, partners=READERS, kinds=KINDS)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'


@pytest.mark.parametrize(
    ("more", "key", "words"),
    [
        ({"when": {"subject": []}}, "subject", "no subject is in the list"),
        ({"when": {"area": []}}, "area", "no area is in the list"),
        ({"when": {"originator": []}}, "originator", "no originator is in the list"),
        ({"when": {"detector": []}}, "detector", "no detector is in the list"),
        ({"when": {"tags": []}}, "tags", "no tags is in the list"),
        ({"kinds": ["alert"], "when": {"subject": "cyber"}}, "subject", "air, sea"),
        ({"kinds": ["track"], "when": {"subject": "land"}}, "subject", "air, sea"),
        ({"kinds": ["track"], "when": {"feed": []}}, "feed", "no feed is in the list"),
        ({"kinds": ["report"], "when": {"detector": "drift"}}, "detector", "never matches"),
        ({"to": ["circle:nordic"], "when": {"marking_max": "TLP:RED"}}, "marking_max", "names none"),
        ({"delay": "2h", "when": {"age_max": "1h"}}, "age_max", "nothing is ever released"),
        (
            {"hide": sorted({s.partition(".")[0] for k in KINDS for s in declared(k)})},
            "hide",
            "hides all",
        ),
        ({"deny": True, "when": {"tags": []}}, "tags", "never matches"),
    ],
)
def test_a_rule_that_never_does_anything_is_an_error(
    tmp_path: Path, more: dict[str, object], key: str, words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load_rules(tmp_path, {**BASE, **more})
    assert words in str(error.value)
    assert error.value.where.endswith(" deny base" if more.get("deny") else " rule base")
    line = int(error.value.where.split(":")[1].split()[0])
    assert key in (tmp_path / "policy.toml").read_text().splitlines()[line - 1]


def test_an_area_of_no_cells_and_a_date_before_all_time(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("[areas]\nnowhere = { cells = [] }\n")
    with pytest.raises(ConfigError, match="list of H3 cells"):
        load(file, partners=READERS, kinds=KINDS)
    file.write_text('[[rule]]\nid = "a"\nwhy = "w"\nto = "fi"\nkinds = "alert"\nuntil = 0001-01-01\n')
    with pytest.raises(ConfigError, match="before that: never matches"):
        load(file, partners=READERS, kinds=KINDS)


def test_a_date_without_a_day_after_it_never_ends(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('[[rule]]\nid = "a"\nwhy = "w"\nto = "fi"\nkinds = "alert"\nuntil = 9999-12-31\n')
    assert load(file, partners=READERS, kinds=KINDS).rules[0].until_us is None


def test_an_empty_circle_is_legal_and_reaches_nobody(tmp_path: Path) -> None:
    policy = load_rules(tmp_path, {**BASE, "to": ["circle:empty"]})
    assert not any(d.released for d in policy.decide_many([facts()], NOW_US)[0])
    assert [r.en for r in remarks(policy.rules, NOW_US)] == [
        "nobody is in its circles: it reaches nobody"
    ]


def test_a_rule_that_has_ended_is_remarked_upon() -> None:
    until_us = parse_iso("2026-01-01T00:00:00Z")
    ended = rule(id="old", until_us=until_us, line=7)
    (found,) = remarks([ended, rule(until_us=until_us + 1)], until_us)
    assert (found.rule, found.line) == ("old", 7)
    assert "2026-01-01" in found.en and "2026-01-01" in found.sv


WIDE = {**BASE, "id": "wide", "to": ["fi", "circle:nordic"], "place": "exact", "time": "exact"}
DENY = {"deny": True, "id": "never", "why": "w"}


@pytest.mark.parametrize(
    ("tables", "who", "words"),
    [
        # the same, or less, of a wider one
        ([WIDE, {**BASE}], "base", "already by wide"),
        ([{**BASE}, WIDE], "base", "already by wide"),
        ([WIDE, {**WIDE, "id": "again"}], "again", "already by wide"),
        ([WIDE, {**BASE, "to": ["circle:nordic"], "kinds": ["alert"]}], "base", "already by wide"),
        ([WIDE, {**BASE, "place": "area", "hide": ["author"]}], "base", "already by wide"),
        ([WIDE, {**BASE, "delay": "10m", "until": "x"}], "base", "already by wide"),
        ([WIDE, {**BASE, "when": {"subject": "sea", "tags": "a", "age_max": "2d"}}], "base", "by wide"),
        ([WIDE, {**BASE, "when": {"confidence_min": "high", "exercise": True}}], "base", "by wide"),
        ([WIDE, {**BASE, "onward": "no", "when": {"marking_max": "TLP:GREEN"}}], "base", "by wide"),
        (
            [
                {**BASE, "id": "a", "when": {"area": ["baltic"]}},
                {**BASE, "when": {"area": ["sound"]}},
            ],
            "base",
            "already by a",
        ),
        (
            [
                {**BASE, "id": "a", "when": {"originator": "*"}},
                {**BASE, "when": {"originator": "se"}},
            ],
            "base",
            "already by a",
        ),
        # by two rules, one for each reader
        (
            [
                {**BASE, "id": "a", "to": ["fi"]},
                {**BASE, "id": "b", "to": ["no"]},
                {**BASE, "to": ["fi", "no"], "when": {"subject": "sea"}},
            ],
            "base",
            "already by a (line 9), b (line 14)",
        ),
        # never effective
        ([WIDE, DENY], "wide", "denied by never"),
        ([{**BASE, "when": {"subject": "air"}}, {**DENY, "to": ["fi"]}], "base", "denied by never"),
        ([{**BASE, "kinds": ["alert"]}, {**DENY, "kinds": ["alert"]}], "base", "denied by never"),
        ([{**BASE, "kinds": ["track"]}, DENY], "base", "denied by never"),
        (
            [{**BASE, "when": {"area": "sound"}}, {**DENY, "when": {"area": "baltic"}}],
            "base",
            "denied by never",
        ),
        (
            [WIDE, {**DENY, "to": ["se"]}, {**DENY, "id": "also", "to": ["se"]}],
            "also",
            "already by never",
        ),
        (
            [
                WIDE,
                {**DENY, "when": {"tags": "a"}},
                {**DENY, "id": "also", "when": {"tags": ["a", "b"]}},
            ],
            "never",
            "already by also",
        ),
        (
            [{**BASE, "kinds": ["track"]}, {**BASE, "id": "b", "kinds": ["track"]}],
            "b",
            "already by base",
        ),
    ],
)
def test_a_shadowed_rule_is_an_error(
    tmp_path: Path, tables: list[dict[str, object]], who: str, words: str
) -> None:
    for table in tables:
        if table.get("until") == "x":
            del table["until"]
    with pytest.raises(ConfigError) as error:
        load_rules(tmp_path, *tables)
    assert error.value.where.endswith(f" {who}") and words in str(error.value)


@pytest.mark.parametrize(
    "tables",
    [
        [WIDE, {**BASE, "to": ["se"]}],
        [WIDE, {**BASE, "when": {"marking_max": "TLP:RED"}}],
        [WIDE, {**BASE, "when": {"originator": "se"}}],
        [{**BASE, "when": {"originator": "se"}}, {**BASE, "id": "own"}],
        [{**BASE, "hide": ["author"]}, {**BASE, "id": "b", "hide": ["text"]}],
        [{**BASE, "place": "exact"}, {**BASE, "id": "b", "time": "exact"}],
        [{**BASE, "delay": "10m", "place": "exact"}, {**BASE, "id": "b"}],  # less, but sooner
        # through a circle is another way than by name
        [{**BASE, "place": "exact", "to": ["fi", "no"]}, {**BASE, "id": "b", "to": ["circle:nordic"]}],
        [{**BASE, "when": {"marking_max": "TLP:RED"}}, {**BASE, "id": "b", "to": ["circle:nordic"]}],
        [
            {**BASE, "when": {"area": "sound"}},
            {**BASE, "id": "b", "when": {"area": "baltic"}, "hide": "text"},
        ],
        [{**BASE}, {**DENY, "when": {"subject": "sea"}}],
        [{**BASE}, {**DENY, "when": {"marking_max": "TLP:CLEAR"}}],
        [{**BASE, "when": {"area": "baltic"}}, {**DENY, "when": {"area": "sound"}}],
        [
            {**BASE, "kinds": ["track"], "every": "60s"},
            {**BASE, "id": "b", "kinds": ["track"], "delay": "1h"},
        ],
        [{**BASE, "kinds": ["request"]}] if "request" in KINDS else [BASE],
        [{**BASE, "delay": "1h", "when": {"age_max": "1h"}}],
    ],
)
def test_rules_that_differ_at_all_stand_beside_each_other(
    tmp_path: Path, tables: list[dict[str, object]]
) -> None:
    policy = load_rules(tmp_path, *tables)
    assert len({r.id for r in (*policy.rules, *policy.track_rules)}) == len(tables)


# --- never a word against a rule that does something


def shadowed(rules: list[Rule]) -> list[Fault]:
    return [f for f in faults(rules) if f.key == "id"]


def told(policy: Policy, said: list[Facts], now_us: int) -> list[list[Decision]]:
    """Decisions but for the names of the rules."""
    return [
        [msgspec.structs.replace(d, rules=()) for d in decisions]
        for decisions in policy.decide_many(said, now_us)
    ]


def likenesses(chance: random.Random) -> list[Rule]:
    """Two or three rules that differ in one or two things, so that many are shadowed, and rightly or
    wrongly by a hair."""
    first = make_rule(chance)
    asked = chance.sample(When.__struct_fields__, 2)
    when = When(**{name: getattr(first.when, name) for name in asked})
    reach = chance.choice([None, "TLP:RED", "TLP:RED"])
    first = msgspec.structs.replace(first, when=msgspec.structs.replace(when, marking_max=reach))
    rules = [first]
    for n in range(chance.randint(1, 2)):
        like, other = chance.choice(rules), make_rule(chance)
        changes: dict[str, object] = {}
        for name in chance.sample(_FIELDS, chance.randrange(3)):
            if name in When.__struct_fields__:
                when = changes.get("when", like.when)
                changes["when"] = msgspec.structs.replace(when, **{name: getattr(other.when, name)})
            elif name == "readers":
                changes |= {k: getattr(other, k) for k in ("readers", "named", "circled")}
            elif name in ("named", "circled"):  # all of them by the one way only
                none: frozenset[str] = frozenset()
                changes |= {"named": none, "circled": none, name: changes.get("readers", like.readers)}
            else:
                changes[name] = getattr(other, name)
        rules.append(msgspec.structs.replace(like, id=f"like-{n}", **changes))
    chance.shuffle(rules)
    return [msgspec.structs.replace(r, line=n + 1) for n, r in enumerate(rules)]


_OF_RULE = (
    "readers",
    "named",
    "circled",
    "kinds",
    "place",
    "time",
    "delay_us",
    "hide",
    "onward",
    "until_us",
)
_FIELDS = (*_OF_RULE, "deny", "deny", *(f for f in When.__struct_fields__ if f != "feed"))


def test_taking_a_shadowed_rule_away_changes_no_decision() -> None:
    chance = random.Random(12)
    seen: Counter[str] = Counter()
    history = [make_facts(chance) for _ in range(2_000)]
    for _ in range(1_500):
        rules = likenesses(chance)
        said = chance.sample(history, 60)
        now_us = chance.choice(NOWS)
        for fault in shadowed(rules):
            seen[fault.what.split(" by ")[0]] += 1
            with_it = Policy(rules, READERS)
            without = Policy([r for r in rules if r is not fault.rule], READERS)
            assert told(with_it, said, now_us) == told(without, said, now_us), fault
    assert len(seen) == 3 and min(seen.values()) > 40, seen  # each way was met


def test_a_rule_that_never_matches_gives_nothing() -> None:
    chance = random.Random(13)
    seen: Counter[str] = Counter()
    for _ in range(1_500):
        one = make_rule(chance)
        for fault in faults([one]):
            seen[fault.key] += 1
            if fault.key in ("subject", "area", "detector", "originator", "tags", "age_max"):
                alone = Policy([one], READERS)
                said = [make_facts(chance) for _ in range(12)]
                for decisions in alone.decide_many(said, chance.choice(NOWS)):
                    assert all(d.reason == "delayed" or (one.id, "w") not in d.rules for d in decisions)
    assert seen["area"] and seen["age_max"] and seen["subject"], seen


def test_alerts_are_of_sea_or_air() -> None:
    alert = KINDS["alert"]
    about = {alert.subject({"body.craft": c}) for c in ("mmsi:219000001", "icao:4ca123", "x:1", "")}
    assert about - {None} == subjects_of("alert")


def test_the_age_at_which_a_delay_ends_is_held_against_age_max() -> None:
    """At the very end of both the rule still gives."""
    even = rule(delay_us=HOUR_US, when=When(age_max_us=HOUR_US))
    assert not list(faults([even]))
    (decision, *_) = Policy([even], READERS).decide_many([facts()], NOW_US + HOUR_US)[0]
    assert decision.reason == "released"
    assert list(faults([rule(delay_us=DAY_US, when=When(age_max_us=HOUR_US))]))
