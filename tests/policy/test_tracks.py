"""Live tracks under the policy: whole columns at once, and the same as row by row."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base import geo
from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key
from samsyn.policy import Policy
from samsyn.policy.areas import Area
from samsyn.policy.rules import TRACK, Rule, When
from samsyn.policy.tracks import Lag, TrackFilter, lag_of, least_every_us
from samsyn.statements.ladder import PLACE_RUNGS, RESOLUTIONS
from samsyn.statements.marking import MARKINGS
from samsyn.subjects import declared
from samsyn.tracks.released import COLUMNS, RUNGS
from tests.policy.tracks import NOW_US, PLANE, SHIP, facts_of_row, plainly, row, state

READERS = ("fi", "se", "no")
FEEDS = {"roof": "TLP:AMBER", "radar": "TLP:RED", "mast": "TLP:GREEN"}
AREAS = (
    Area("box", (14.0, 54.0, 16.0, 56.0), frozenset()),
    Area("coarse", None, frozenset({geo.cell(55.1, 15.6, 4)})),
    Area("spot", None, frozenset({geo.cell(55.1, 15.6, 7), geo.cell(55.2, 15.7, 5)})),
    Area("tiny", None, frozenset({geo.cell(55.1, 15.6, 10)})),
)
HIDEABLE = sorted(name for name in declared(TRACK) if not name.startswith("place."))
ASTRIDE = ((55.1893, 15.6894), (55.2962, 15.5525))  # in a cell whose parent is not the point's own cell
MOVES = ("speed_kn", "course_deg", "heading_deg", "altitude_ft", "vertical_rate_fpm", "nav_status")


def rule(to: str = "fi", *, deny: bool = False, when: When | None = None, **more: Any) -> Rule:
    return Rule(
        id="r",
        why="test",
        deny=deny,
        readers=frozenset({to}),
        named=frozenset({to}),
        kinds=frozenset({TRACK}),
        when=when or When(),
        **more,
    )


def cut(reader: str, rules: list[Rule], *states: Any, now_us: int = NOW_US) -> pl.DataFrame:
    made = TrackFilter(rules, node="dk", exercise=True, marking=FEEDS.get)
    return made.cut(reader, lambda _: states, now_us)


def one(rows: pl.DataFrame) -> dict[str, Any]:
    assert rows.height == 1
    return rows.row(0, named=True)


def absent(name: str, value: Any) -> bool:
    nothing = COLUMNS[name].absent
    return bool(value == nothing or value != value)


subjects = st.none() | st.sets(st.sampled_from(["sea", "air"]), min_size=1).map(frozenset)
whens = st.builds(
    When,
    subject=subjects,
    area=st.none() | st.lists(st.sampled_from(AREAS), min_size=1, max_size=2).map(tuple),
    marking_max=st.none() | st.sampled_from(MARKINGS),
    feed=st.none() | st.sets(st.sampled_from(sorted(FEEDS)), min_size=1).map(frozenset),
    exercise=st.none() | st.booleans(),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    deny = draw(st.integers(0, 3)) == 0
    readers = frozenset(draw(st.sets(st.sampled_from(READERS), min_size=1)))
    return Rule(
        id="r",
        why="test",
        deny=deny,
        readers=readers,
        named=frozenset(draw(st.sets(st.sampled_from(sorted(readers))))),
        kinds=frozenset({TRACK}),
        when=draw(whens),
        place=None if deny else draw(st.none() | st.sampled_from(PLACE_RUNGS)),
        hide=() if deny else tuple(draw(st.sets(st.sampled_from(HIDEABLE)))),
        until_us=draw(st.none() | st.sampled_from([NOW_US, NOW_US + 1])),
    )


crafts = st.builds(craft_key, st.sampled_from([DOMAIN_SEA, DOMAIN_AIR]), st.integers(1, 5))
places = st.tuples(st.floats(54.5, 56.5), st.floats(13.5, 16.5)) | st.sampled_from(
    [(55.1, 15.6), (55.1001, 15.6001), (54.0, 14.0), (56.0, 16.0), *ASTRIDE]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(rules(), max_size=5), st.dictionaries(crafts, places), st.sampled_from(sorted(FEEDS)))
def test_columns_at_once_are_the_rules_row_by_row(
    made: list[Rule], at: dict[int, tuple[float, float]], feed: str
) -> None:
    said = {craft: row(craft, lat, lon) for craft, (lat, lon) in at.items()}
    one_state = state(*said.values(), feed=feed)
    policy = Policy(made, READERS)
    for reader in READERS:
        got = cut(reader, made, one_state)
        wanted = {
            c: plainly(policy, facts_of_row(r, feed, FEEDS[feed]), reader, NOW_US)
            for c, r in said.items()
        }
        wanted = {c: slots for c, slots in wanted.items() if slots is not None}
        assert got.height == len(wanted)
        for craft, slots in wanted.items():
            if "craft" in slots:
                check(got.filter(pl.col("craft") == craft), said[craft], slots)


def test_a_denial_by_cells_covers_a_point_that_descends_from_another_cell() -> None:
    """H3 is not exactly nested: the cell that a point lies in need not be its finer cell's ancestor."""
    lat, lon = 55.2962, 15.5525
    cell = geo.cell(lat, lon, 5)
    assert geo.parent(geo.cell(lat, lon, 7), 5) != cell
    denied = Rule(
        id="deny",
        why="test",
        deny=True,
        readers=frozenset({"fi"}),
        named=frozenset(),
        kinds=frozenset({"track"}),
        when=When(area=(Area("here", None, frozenset({cell})),)),
    )
    let = msgspec.structs.replace(denied, id="let", deny=False, named=frozenset({"fi"}), when=When())
    here = state(row(SHIP, lat, lon), feed="mast")
    assert cut("fi", [let], here).height == 1
    assert cut("fi", [denied, let], here).height == 0


def check(got: pl.DataFrame, said: dict[str, Any], slots: frozenset[str]) -> None:
    """One released row against the plain columns of the one that was heard."""
    found = one(got)
    rung = next((r for r in reversed(RUNGS) if f"place.{r}" in slots), None)
    assert found["place"] == (RUNGS.index(rung) + 1 if rung else 0)
    every_us = least_every_us(rung, found["domain"]) if rung != "exact" else SECOND_US
    assert found["heard_s"] == said["time_us"] // every_us * every_us // SECOND_US
    if rung == "exact":
        assert (found["lat"], found["lon"]) == (said["lat"], said["lon"])
    elif rung:
        cell = geo.parent(geo.cell(said["lat"], said["lon"], 7), RESOLUTIONS[rung])
        assert (found["lat"], found["lon"]) == pytest.approx(geo.cell_centre(cell))
    else:
        assert absent("lat", found["lat"]) and absent("lon", found["lon"])
    for name in declared(TRACK) & COLUMNS.keys():
        kept = (name in slots and said.get(name) is not None) or (
            name == "implausible" and name in slots
        )
        assert absent(name, found[name]) != kept, name


def test_a_coarse_place_cannot_be_made_fine_again() -> None:
    """Of two craft in one cell that differ in all that moves, the same bytes but for their names."""
    slow = row(SHIP, 55.1231, 15.6541, speed_kn=0.0, nav_status=5, time_us=NOW_US - 9 * SECOND_US)
    fast = row(SHIP, 55.1239, 15.6549, speed_kn=22.0, course_deg=1.0, nav_status=0)
    coarse = [rule(place="area")]
    assert cut("fi", coarse, state(slow)).equals(cut("fi", coarse, state(fast)))
    found = one(cut("fi", coarse, state(fast)))
    assert all(absent(name, found[name]) for name in MOVES) and found["name"] == "SALLY"
    assert (NOW_US // SECOND_US - found["heard_s"]) >= 0
    assert found["heard_s"] * SECOND_US % (30 * MINUTE_US) == 0


def test_a_coarse_place_is_told_no_oftener_than_a_cell_is_crossed() -> None:
    assert lag_of(rule(place="area"), DOMAIN_SEA) == Lag(0, 30 * MINUTE_US)
    assert lag_of(rule(place="area"), DOMAIN_AIR) == Lag(0, MINUTE_US)
    assert lag_of(rule(place="exact", every_us=61 * SECOND_US), DOMAIN_SEA) == Lag(0, 70 * SECOND_US)
    assert lag_of(rule(place="exact", delay_us=HOUR_US), DOMAIN_SEA) == Lag(HOUR_US, 450 * SECOND_US)
    assert lag_of(rule(), DOMAIN_SEA) == lag_of(rule(place="region"), DOMAIN_SEA)


def test_a_denial_beats_every_rule() -> None:
    no_air = rule(deny=True, when=When(subject=frozenset({"air"})))
    found = cut("fi", [rule(place="exact"), no_air], state(row(SHIP), row(PLANE)))
    assert found["craft"].to_list() == [SHIP]


def test_the_marking_of_a_feed_caps_and_red_goes_to_readers_named() -> None:
    assert not cut("fi", [rule(place="exact")], state(row(), feed="radar")).height
    to_all = When(marking_max="TLP:RED")
    assert cut("fi", [rule(place="exact", when=to_all)], state(row(), feed="radar")).height
    by_circle = msgspec.structs.replace(rule(place="exact", when=to_all), named=frozenset())
    assert not cut("fi", [by_circle], state(row(), feed="radar")).height


def test_of_a_feed_that_nobody_marked_nothing_leaves() -> None:
    assert not cut("fi", [rule(place="exact")], state(row(), feed="unheard-of")).height


def test_what_is_of_the_other_realm_never_leaves() -> None:
    actual = TrackFilter([rule(place="exact")], node="dk", exercise=False, marking=FEEDS.get)
    assert not actual.cut("fi", lambda _: [state(row())], NOW_US).height


def test_feeds_join_by_what_is_released() -> None:
    """The finest place first, then the newest; the name from the feed that knows it."""
    old = row(lat=55.5, name="SALLY", time_us=NOW_US - MINUTE_US)
    new = row(lat=55.6, name=None, callsign=None, ship_type=None)
    found = one(cut("fi", [rule(place="exact")], state(old), state(new, feed="mast")))
    assert (found["lat"], found["name"], found["ship_type"]) == (55.6, "SALLY", 70)
    fine = rule(place="exact", when=When(feed=frozenset({"roof"})))
    found = one(cut("fi", [fine, rule(place="area")], state(old), state(new, feed="mast")))
    assert (found["lat"], found["place"]) == (55.5, 4)


def test_hidden_craft_stand_in_an_order_that_tells_nothing() -> None:
    first, second = row(craft_key(1, 1), 55.2), row(craft_key(1, 2), 55.1)
    nameless = [rule(place="exact", hide=("craft",))]
    swapped = row(craft_key(1, 2), 55.2), row(craft_key(1, 1), 55.1)
    assert cut("fi", nameless, state(first, second)).equals(cut("fi", nameless, state(*swapped)))
