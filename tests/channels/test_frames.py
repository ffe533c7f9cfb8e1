"""Frames of live tracks: what leaves, when, and that it tells nothing of what does not."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US, ManualClock
from samsyn.base.errors import Refused
from samsyn.channels.frame import frame_sequence, open_frame
from samsyn.channels.frames import Frames
from samsyn.log.note import ED25519, verifier_key
from samsyn.observations.craft import DOMAIN_SEA, craft_key
from samsyn.policy import Policy, load
from samsyn.policy.rules import Rule
from samsyn.subjects import KINDS
from samsyn.tracks.table import TrackTable
from tests.policy.test_tracks import FEEDS as MARKED
from tests.policy.test_tracks import crafts, places, rules
from tests.policy.tracks import NOW_US, PLANE, SHIP, batch, facts_of_row, plainly, row

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
READERS = ("fi", "no", "se")
STEP_US = 10 * SECOND_US
FEEDS = {"roof": "TLP:AMBER", "radar": "TLP:RED"}

POLICY = """
[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }

[[rule]]
id = "all-to-se"
why = "test"
to = ["se"]
kinds = ["track"]
place = "exact"

[[rule]]
id = "coarse-to-fi"
why = "test"
to = ["fi"]
kinds = ["track"]
when = { subject = "sea", area = "baltic" }
place = "spot"
hide = ["name", "craft"]
"""


def policy(text: str) -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "policy.toml")
        file.write_text(text)
        return load(file, partners=READERS, kinds=KINDS.keys())


class Sender:
    """`dk`'s frames, on a clock of its own."""

    def __init__(self, text: str = POLICY) -> None:
        self.clock = ManualClock(NOW_US)
        self.frames = Frames(node="dk", realm="exercise", key=KEY, clock=self.clock)
        self.frames.mark(FEEDS.get)
        self.frames.set_policy(policy(text), READERS)

    def hear(self, *rows: dict[str, Any], feed: str = "roof", exercise: bool = True) -> None:
        self.frames.take(batch(*rows, feed=feed, exercise=exercise))

    def step(self, by_us: int = STEP_US) -> dict[str, bytes]:
        self.clock.advance(by_us)
        self.frames.cut()
        return {reader: self.frames.latest(reader) for reader in READERS}


def rows(frame: bytes, reader: str) -> list[dict[str, Any]]:
    _, found = open_frame(frame, f"samsyn.dk/exercise/{reader}", KEY.public_key())
    return found.to_dicts()


def test_each_reader_has_what_its_rules_allow() -> None:
    dk = Sender()
    dk.hear(row(SHIP), row(PLANE))
    made = dk.step(5 * MINUTE_US)
    ship, plane = rows(made["se"], "se")
    assert (ship["craft"], ship["lat"], ship["speed_kn"]) == (SHIP, 55.123456, 7.25)
    assert (plane["craft"], plane["squawk"], plane["on_ground"]) == (PLANE, 7000, 0)
    (coarse,) = rows(made["fi"], "fi")
    assert (coarse["craft"], coarse["name"], coarse["callsign"]) == (-1, "", "OXAB")
    assert coarse["lat"] != ship["lat"] and coarse["lat"] == pytest.approx(ship["lat"], abs=0.02)
    assert coarse["speed_kn"] != coarse["speed_kn"] and coarse["place"] == 3
    assert rows(made["no"], "no") == []


def test_a_reader_without_a_rule_cannot_tell_that_from_a_node_without_feeds() -> None:
    busy, idle, lawless = Sender(), Sender(), Sender("")
    for n in range(5):
        busy.hear(row(SHIP, 55.0 + n / 10, time_us=busy.clock.now_us()), row(PLANE))
        made, quiet, none = busy.step(), idle.step(), lawless.step()
        assert made["no"] == quiet["no"] == none["no"]
        assert quiet["se"] == none["se"] != made["se"]


def test_numbers_and_times_go_by_the_clock() -> None:
    dk = Sender()
    first = dk.step()
    assert frame_sequence(first["se"]) == dk.clock.now_us() // STEP_US
    dk.hear(row())
    assert dk.step(STEP_US - 1) == first  # something was heard: no reason for a frame
    assert not dk.frames.cut()
    assert frame_sequence(dk.step(1)["se"]) == frame_sequence(first["se"]) + 1
    assert frame_sequence(dk.step(HOUR_US)["se"]) == frame_sequence(first["se"]) + 1 + 360


def test_a_delay_shows_what_was_and_never_what_is() -> None:
    dk = Sender(POLICY.replace('place = "exact"', 'place = "exact"\ndelay = "80s"'))
    seen = []
    for n in range(30):
        now_us = dk.clock.now_us()
        dk.hear(row(SHIP, 55.0 + n / 100, time_us=now_us))
        found = rows(dk.step()["se"], "se")
        if found:
            seen.append(found[0]["lat"])
            heard_us = found[0]["heard_s"] * SECOND_US
            assert 80 * SECOND_US <= dk.clock.now_us() - heard_us <= 80 * SECOND_US + 3 * STEP_US
    assert len(seen) > 15 and seen == sorted(seen) and len(set(seen)) == len(seen)
    assert len(dk.frames._past["se"]) < 16


def test_what_another_readers_delay_kept_is_not_shown_when_ones_own_rules_change() -> None:
    """A change for fi must look the same whether or not se has long had such a delay."""
    delayed = """
[[rule]]
id = "{0}"
why = "test"
to = ["{0}"]
kinds = ["track"]
place = "exact"
delay = "80s"
"""
    seen = []
    for before in ("", delayed.format("se")):
        dk, made = Sender(before), []
        for n in range(40):
            dk.hear(row(SHIP, 55.0 + n / 100, time_us=dk.clock.now_us()))
            if n == 12:  # in the middle of an interval that se's rule has begun
                dk.frames.set_policy(policy(before + delayed.format("fi")), READERS)
            made.append(dk.step()["fi"])
        seen.append(made)
    assert seen[0] == seen[1]
    assert rows(seen[0][-1], "fi")


def test_a_delay_counts_from_when_it_was_heard_not_from_the_step_before() -> None:
    dk = Sender(POLICY.replace('place = "exact"', 'place = "exact"\ndelay = "80s"'))
    dk.clock.advance(STEP_US - 1)
    dk.hear(row(time_us=dk.clock.now_us()))
    heard_us = dk.clock.now_us()
    dk.step(0)  # a late cut of the step that began ten seconds ago
    dk.step(1)
    while not rows(dk.frames.latest("se"), "se"):
        dk.step()
    assert 80 * SECOND_US <= dk.clock.now_us() - heard_us <= 80 * SECOND_US + 2 * STEP_US


def test_thinning_keeps_a_state_for_its_interval() -> None:
    dk = Sender(POLICY.replace('place = "exact"', 'place = "exact"\nevery = "60s"'))
    seen = []
    for n in range(17):
        dk.hear(row(SHIP, 55.0 + n / 100, time_us=dk.clock.now_us()))
        seen += [r["lat"] for r in rows(dk.step()["se"], "se")]
    assert len(set(seen)) == 3 and all(seen.count(lat) <= 6 for lat in set(seen))


def test_a_fast_clock_that_leaves_steps_out_still_shows_each_interval() -> None:
    dk = Sender(POLICY.replace('place = "exact"', 'place = "exact"\ndelay = "10m"'))
    found = []
    for n in range(12):
        dk.hear(row(SHIP, 55.0 + n / 100, time_us=dk.clock.now_us()))
        found.append(rows(dk.step(7 * MINUTE_US + 1)["se"], "se"))
    assert not found[0] and all(found[3:])


def test_no_policy_means_empty_frames_and_a_new_reader_gets_one_at_once() -> None:
    dk = Sender()
    dk.hear(row())
    assert rows(dk.step()["se"], "se")
    dk.frames.set_policy(None, READERS)
    made = dk.step()
    assert rows(made["se"], "se") == []
    assert rows(dk.frames.latest("is"), "is") == []


def test_what_is_not_of_this_realm_never_leaves() -> None:
    dk = Sender()
    dk.hear(row(), exercise=False)
    assert rows(dk.step()["se"], "se") == []


def test_a_position_that_cannot_be_is_none() -> None:
    dk = Sender()
    dk.hear(row(SHIP, 91.0, 181.0), row(PLANE, name="A\nB\u202e" + "x" * 99, heading_deg=511.0))
    (plane,) = rows(dk.step()["se"], "se")
    assert plane["name"] == "A B " + "x" * 36 and plane["heading_deg"] != plane["heading_deg"]


def test_a_table_kept_for_one_feed_is_not_the_picture_of_all() -> None:
    """What the secret radar hears of a craft changes nothing of what the roof is released with."""
    with_radar, without = Sender(), Sender()
    for n in range(3):
        at_us = with_radar.clock.now_us()
        said = row(SHIP, 55.0 + n / 10, time_us=at_us)
        with_radar.hear(said)
        without.hear(said)
        with_radar.hear(row(SHIP, 55.9, name="UNMASKED", time_us=at_us + 1), feed="radar")
        assert with_radar.step() == without.step()


# Two nodes that differ only in what fi may not have: no craft's name or number, no more than the
# spot of its place, nothing of the air, nothing outside the Baltic, nothing of the radar.

ships = st.integers(0, 5)
heard = st.tuples(ships, st.sampled_from([(55.123, 15.654), (57.7, 17.3), (70.0, 3.0)]))
Told = Sequence[Sequence[tuple[int, tuple[float, float]]]]


def node(
    steps: Told, change: Callable[[int, dict[str, Any]], dict[str, Any]], more: Told
) -> list[bytes]:
    dk = Sender()
    seen = []
    for n, step in enumerate(steps):
        at_us = dk.clock.now_us()
        for ship, (lat, lon) in more[n]:
            dk.hear(row(PLANE + ship, lat, lon, time_us=at_us))
            dk.hear(row(SHIP + 50 + ship, 70.0, lon, time_us=at_us))
            dk.hear(row(SHIP + ship, lat, lon, time_us=at_us, name="SEEN"), feed="radar")
        for ship, (lat, lon) in step:
            dk.hear(change(ship, row(SHIP + ship, lat, lon, time_us=at_us, callsign=f"C{ship}")))
        seen.append(dk.step(5 * MINUTE_US)["fi"])
    return seen


def another(ship: int, said: dict[str, Any]) -> dict[str, Any]:
    """The same as far as fi may know: elsewhere in its cell, with other names and another course."""
    number = 900 - ship  # in another order, too
    nearby = {"lat": said["lat"] + 1e-4 * ship, "lon": said["lon"] - 1e-4 * ship}
    moved = {"speed_kn": 0.5 * ship, "course_deg": 10.0 * ship, "nav_status": ship}
    return {**said, **nearby, **moved, "craft": craft_key(DOMAIN_SEA, number), "name": f"OTHER {ship}"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(heard, max_size=5), min_size=1, max_size=3),
    st.lists(st.lists(heard, max_size=4), min_size=3, max_size=3),
)
def test_what_a_reader_may_not_have_changes_no_byte_of_its_frames(steps: Told, more: Told) -> None:
    assert node(steps, lambda _, said: said, [[], [], []]) == node(steps, another, more)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(rules(), max_size=5),
    st.dictionaries(st.tuples(crafts, st.sampled_from(sorted(MARKED))), places, max_size=6),
)
def test_rows_that_no_rule_lets_out_change_no_byte_whatever_the_rules(
    made: list[Rule], at: dict[tuple[int, str], tuple[float, float]]
) -> None:
    """By generated rules: a node that never heard what the reader may not have sends it the same."""
    policy_ = Policy(made, READERS)
    for reader in READERS:
        sent = []
        for all_of_them in (True, False):
            dk = Sender("")
            dk.frames.mark(MARKED.get)
            dk.frames.set_policy(policy_, READERS)
            for (craft, feed), (lat, lon) in at.items():
                said = row(craft, lat, lon)
                facts = facts_of_row(said, feed, MARKED[feed])
                if all_of_them or plainly(policy_, facts, reader, NOW_US + STEP_US) is not None:
                    dk.hear(said, feed=feed)
            sent.append(dk.step()[reader])
        assert sent[0] == sent[1]


@settings(max_examples=30, deadline=None)
@given(st.lists(places, min_size=12, max_size=12), st.integers(0, 11))
def test_what_is_younger_than_the_delay_changes_no_byte(
    at: list[tuple[float, float]], split: int
) -> None:
    """Two nodes that heard the same until a moment send the same until the delay has passed after it."""
    delayed = POLICY.replace('place = "exact"', 'place = "exact"\ndelay = "60s"')
    one, other = Sender(delayed), Sender(delayed)
    for n, (lat, lon) in enumerate(at):
        for dk, craft in ((one, SHIP), (other, SHIP if n < split else SHIP + 1)):
            dk.hear(row(craft, lat, lon, time_us=dk.clock.now_us()))
        sent, wanted = one.step()["se"], other.step()["se"]
        if n < split + 6:  # the first that differs was heard at the begin of step `split`
            assert sent == wanted


def test_the_home_picture_keeps_all_feeds_together() -> None:
    table = TrackTable()
    table.update(batch(row(SHIP)))
    table.update(batch(row(SHIP, 55.5, name=None, time_us=NOW_US), feed="radar"))
    found = table.state("any", NOW_US)
    assert (found.columns["lat"][0], found.columns["name"][0]) == (55.5, "SALLY")


def test_the_vectors_read_as_they_say() -> None:
    said = json.loads(Path(__file__).parents[2].joinpath("spec/vectors/frames.json").read_text())
    assert said["key"] == verifier_key(said["origin"], ED25519, KEY.public_key().public_bytes_raw())
    _, found = open_frame(base64.b64decode(said["frame"]), said["origin"], KEY.public_key())
    assert [{k: None if v != v else v for k, v in r.items()} for r in found.to_dicts()] == said["rows"]
    for reason, frame in said["refused"].items():
        with pytest.raises(Refused) as told:
            open_frame(base64.b64decode(frame), said["origin"], KEY.public_key())
        assert told.value.reason == reason
