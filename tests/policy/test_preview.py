"""What a change of policy would do to a history, told before anything happens."""

from __future__ import annotations

from collections import Counter

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US
from samsyn.policy import Facts, Policy
from samsyn.policy.areas import Area
from samsyn.policy.frame import (
    FACT_SCHEMA,
    Change,
    Preview,
    fact_row,
    fact_rows,
    preview,
    rows_touched,
)
from samsyn.policy.rules import Rule, When
from tests.policy.made import NOW_US, READERS, facts, rule, rules_, statements

COUNTS = [f for f in Change.__struct_fields__ if f not in ("reader", "examples")]


def history(said: list[Facts]) -> pl.DataFrame:
    return fact_rows(fact_row(f"j{n}", 1, n, f) for n, f in enumerate(said))


def compared(old: list[Rule], new: list[Rule], said: list[Facts], examples: int = 5) -> Preview:
    return preview(Policy(old, READERS), Policy(new, READERS), history(said), NOW_US, examples)


def of(shown: Preview, reader: str = "fi") -> dict[str, int]:
    change = next(c for c in shown.changes if c.reader == reader)
    return {name: getattr(change, name) for name in COUNTS if getattr(change, name)}


def test_each_reader_is_told_apart() -> None:
    said = [facts(at_us=NOW_US - n * HOUR_US) for n in range(3)]
    fi = frozenset(["fi"])
    shown = compared([], [rule(id="sea", readers=fi, named=fi)], [*said, facts(kind="report")], 2)
    assert shown.statements == 4 and [c.reader for c in shown.changes] == sorted(READERS)
    assert of(shown) == {"newly_released": 3, "unreleased": 1}
    assert of(shown, "no") == {"unreleased": 4}
    change = shown.changes[0]
    assert [e.jti for e in change.examples["newly_released"]] == ["j0", "j1"]  # the newest first
    assert change.examples["newly_released"][0].new_rule == "sea"
    assert "place.area" in change.examples["newly_released"][0].gained
    assert change.examples.keys() == {"newly_released"}


def test_what_a_change_is_called() -> None:
    coarse, fine = rule(id="coarse"), rule(id="fine", place="exact", time="exact")
    said = [facts()]
    assert of(compared([coarse], [fine], said)) == {"widened": 1}
    assert of(compared([fine], [coarse], said)) == {"narrowed": 1}
    assert of(compared([fine], [coarse, fine], said)) == {"unchanged": 1}
    assert of(compared([fine], [], said)) == {"withheld": 1}
    # who gains anything is widened, whatever else is lost
    hides_text = msgspec.structs.replace(fine, hide=("text",))
    shown = compared([coarse], [hides_text], said)
    assert of(shown) == {"widened": 1}
    example = shown.changes[0].examples["widened"][0]
    assert example.lost == ("text",) and "place.exact" in example.gained
    assert (example.old_rule, example.new_rule) == ("coarse", "fine")


def test_a_denial_is_named_in_the_example() -> None:
    no = rule(id="no", deny=True, place=None, time=None)
    shown = compared([rule(id="yes")], [rule(id="yes"), no], [facts()])
    example = shown.changes[0].examples["withheld"][0]
    assert (example.old_rule, example.new_rule) == ("yes", "no")


def test_a_delay_makes_it_later_or_sooner() -> None:
    at_once, waits = rule(), rule(delay_us=HOUR_US)
    old = facts(
        at_us=NOW_US - DAY_US
    )  # what is long released counts too: this is how it would have been
    assert of(compared([at_once], [waits], [old])) == {"later": 1}
    assert of(compared([waits], [at_once], [old])) == {"sooner": 1}
    soon = rule(id="soon", place="region", delay_us=MINUTE_US)
    assert of(compared([waits], [waits, soon], [old])) == {"sooner": 1}


def test_a_partner_of_only_one_policy_has_nothing_under_the_other() -> None:
    no = frozenset(["no"])
    policy = Policy([rule(readers=no, named=no)], ["no"])
    shown = preview(Policy([], []), policy, history([facts()]), NOW_US)
    assert of(shown, "no") == {"newly_released": 1}
    shown = preview(policy, Policy([], []), history([facts()]), NOW_US)
    assert of(shown, "no") == {"withheld": 1}


def test_an_empty_history_changes_nothing() -> None:
    shown = compared([], [rule()], [])
    assert shown.statements == 0 and of(shown) == {}
    assert preview(Policy([], []), Policy([], []), history([facts()]), NOW_US).changes == ()


def test_many_conditions_on_places_are_kept_apart() -> None:
    """More than are held in one code: 40 areas, of which the statement lies in the last only."""
    areas = [Area(f"a{n}", (n * 2.0, 0.0, n * 2.0 + 1, 1.0), frozenset()) for n in range(39)]
    areas.append(Area("here", (14.0, 54.0, 16.0, 56.0), frozenset()))
    rules = [rule(id=a.name, when=When(area=(a,))) for a in areas]
    assert of(compared(rules[:-1], rules, [facts()])) == {"newly_released": 1}
    assert of(compared(rules, rules[:-1], [facts()])) == {"withheld": 1}


def test_a_table_read_back_from_texts_is_the_same_table() -> None:
    """Who keeps the table may keep plain texts."""
    table = history([facts(), facts(kind="report", place=None)])
    texts = table.with_columns(pl.col("profile", "cells").cast(pl.String()))
    old, new = Policy([], READERS), Policy([rule()], READERS)
    assert preview(old, new, texts, NOW_US) == preview(old, new, table, NOW_US)
    assert table.schema == FACT_SCHEMA


@settings(max_examples=80, deadline=None)
@given(st.lists(rules_, max_size=5), st.lists(rules_, max_size=5), st.lists(statements, max_size=6))
def test_the_counts_are_those_of_the_decisions_one_by_one(
    old: list[Rule], new: list[Rule], said: list[Facts]
) -> None:
    shown = compared(old, new, said)
    for change in shown.changes:
        found: Counter[str] = Counter()
        for f in said:
            was, will = (held(rules, f, change.reader) for rules in (old, new))
            found[word(was, will)] += 1
        timing = ("sooner", "later", "unchanged")
        got = {name: getattr(change, name) for name in COUNTS}
        same = sum(got.pop(name) for name in timing)
        assert (got, same) == ({name: found[name] for name in got}, found["same"])
        assert all(len(change.examples.get(n, ())) == min(5, getattr(change, n)) for n in COUNTS[:6])


def held(rules: list[Rule], said: Facts, reader: str) -> frozenset[str] | None:
    """The slots that a reader has when every delay has passed."""
    at_once = [msgspec.structs.replace(r, delay_us=0) for r in rules]
    decision = Policy(at_once, READERS).decide(said, reader, NOW_US)
    return decision.slots if decision.released else None


def word(was: frozenset[str] | None, will: frozenset[str] | None) -> str:
    if was is None:
        return "unreleased" if will is None else "newly_released"
    if will is None:
        return "withheld"
    return "widened" if will - was else "narrowed" if was - will else "same"


@settings(max_examples=40, deadline=None)
@given(st.lists(rules_, max_size=4), st.lists(rules_, max_size=4), st.lists(statements, max_size=6))
def test_the_rows_touched_are_those_that_are_counted(
    old: list[Rule], new: list[Rule], said: list[Facts]
) -> None:
    shown = compared(old, new, said, examples=len(said))
    for name in COUNTS[:6]:
        rows = rows_touched(Policy(old, READERS), Policy(new, READERS), history(said), NOW_US, [name])
        for change in shown.changes:
            named = {f"j{row}" for row in rows[change.reader]}
            assert named == {e.jti for e in change.examples.get(name, ())}
            assert len(named) == getattr(change, name)
