"""Which craft a sensor's track is: joined where it fits, parted where not, and never guessed."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base.clock import MINUTE_US, SECOND_US, ManualClock
from samsyn.channels.frames import Frames
from samsyn.observations.craft import (
    DOMAIN_AIR,
    DOMAIN_AIR_TRACK,
    DOMAIN_SEA,
    DOMAIN_SEA_TRACK,
    craft_from_text,
    craft_key,
    craft_text,
)
from samsyn.observations.plain import plain
from samsyn.observations.schema import make_batch
from samsyn.tracks.associate import COLUMNS, Associations
from samsyn.tracks.frame import UNNAMED, frame
from samsyn.tracks.table import TrackTable
from samsyn.watch.runner import Watch

from .skies import START_US, judged, sky

ANNA, BERT = (craft_key(DOMAIN_AIR, 0x4CA100 + k) for k in range(2))
RADAR = craft_key(DOMAIN_AIR_TRACK, 25 << 24 | 13 << 16 | 7)
OTHER = RADAR + 1
DEGREE_M = 111_195.0


def row(craft: int, t: float, north_m: float = 0, east_m: float = 0, **more: Any) -> dict[str, Any]:
    """One report at 55 N; speed and course of something that flies north at 200 m/s, unless told."""
    return {
        "craft": craft, "time_us": START_US + int(t * SECOND_US), "lat": 55 + north_m / DEGREE_M,
        "lon": 12 + east_m / DEGREE_M / np.cos(np.radians(55)), "speed_kn": 388.8, "course_deg": 0.0,
        "altitude_ft": 30_000.0, "squawk": None, "time_source": 3, **more,
    }  # fmt: skip


def batch(rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = {name: [one[name] for one in rows] for name in rows[0]}
    return make_batch(columns, feed="radar", originator="dk", exercise=False)


def taken(rows: list[dict[str, Any]], links: Associations | None = None) -> Associations:
    links = links or Associations()
    links.take(plain(batch(rows), COLUMNS))
    return links


def together(
    seconds: range, *who: int, apart_m: float = 200, north: float = 200, **more: Any
) -> list[dict[str, Any]]:
    """Reports every five seconds of craft that fly north beside each other."""
    return [
        row(craft, t, north * t, apart_m * k, **more)
        for t in seconds[::5]
        for k, craft in enumerate(who)
    ]


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        ({"count": 60}, 0.97),
        ({"count": 120, "reach_km": 40.0}, 0.97),
        ({"count": 80, "coded": 0.0}, 0.97),
        ({"count": 80, "pairs": 20}, 0.8),
        ({"count": 60, "silent": 1.0}, 0.0),
    ],
)
def test_of_a_simulated_sky_nearly_all_are_joined_and_none_wrongly(settings, least):
    made, links = sky(seed=3, seconds=400, **settings), Associations()
    for part in made.rows.iter_slices(1_500):
        links.take(plain(part, COLUMNS))
        assert judged(made, links.joined())["wrong"] == 0
    assert judged(made, links.joined())["right"] >= least


def test_they_are_the_same_however_rows_are_cut_and_from_whichever_start():
    made, rng, ways = sky(50, seed=5, seconds=300, pairs=5), random.Random(1), []
    for cuts in (0, 3, 40):
        links = Associations()
        edges = sorted({0, made.rows.height, *(rng.randrange(made.rows.height) for _ in range(cuts))})
        for a, b in pairwise(edges):
            links.take(plain(made.rows[a:b], COLUMNS))
        ways.append({key: links.of(key) for key in made.truth})
    assert ways[0] == ways[1] == ways[2]
    assert any(ways[0].values())
    quiet = Associations()  # ships alone before: nothing of them is held, and nothing changes
    for k in range(40):
        taken([row(craft_key(DOMAIN_SEA, 219_000_001), k - 3_000)], quiet)
    assert sum(len(held[1].craft) for held in quiet._held) <= 10
    quiet.take(plain(made.rows, COLUMNS))
    assert {key: quiet.of(key) for key in made.truth} == ways[0]


def test_joined_after_five_times_and_told_from_both_sides():
    links = taken(together(range(0, 40), ANNA, RADAR))
    assert links.joined() == {}
    taken(together(range(40, 120), ANNA, RADAR), links)
    (told,) = links.of(RADAR)
    assert (told["craft"], told["agreed"], told["compared"]) == (craft_text(ANNA), 11, 11)
    assert told["apart_m"] == pytest.approx(200, abs=5)
    assert links.of(ANNA) == [{**told, "craft": craft_text(RADAR)}]
    assert links.of(BERT) == []


def test_parted_when_they_go_apart_and_joined_anew():
    links = taken(together(range(0, 100), ANNA, RADAR))
    away = [row(ANNA, t, 200 * t) for t in range(100, 200, 5)]
    away += [row(BERT, t, -200 * t, 60_000, course_deg=180.0) for t in range(100, 200, 5)]
    away += [row(RADAR, t, -200 * t, 60_000, course_deg=180.0) for t in range(100, 200, 5)]
    away.sort(key=lambda one: one["time_us"])
    early = [one for one in away if one["time_us"] < START_US + 120 * SECOND_US]
    taken(early, links)
    assert links.joined() == {RADAR: ANNA}  # not yet: once is not enough
    taken(away[len(early) :], links)
    assert links.joined() == {RADAR: BERT}


@pytest.mark.parametrize(
    ("track", "joins"),
    [
        ({}, True),
        ({"altitude_ft": None, "speed_kn": None, "course_deg": None}, True),
        ({"squawk": 2_277}, True),
        ({"squawk": 4_411}, False),
        ({"altitude_ft": 26_000.0, "squawk": 2_277}, False),
        ({"altitude_ft": 31_200.0}, True),  # without a code it may be a height
        ({"course_deg": 90.0}, False),
        ({"speed_kn": 250.0}, False),
        ({"marks": 4}, False),
    ],
)
def test_what_must_fit(track, joins):
    own = {name: value for name, value in track.items() if name != "marks"}
    rows = [
        one | ({"squawk": 2_277} if one["craft"] == ANNA else own)
        for one in together(range(0, 200), ANNA, RADAR)
    ]
    given = batch(rows)
    marks = pl.when(pl.col("craft") == RADAR).then(track.get("marks", 0)).otherwise(0)
    links = Associations()
    links.take(plain(given.with_columns(marks.cast(pl.UInt16).alias("marks")), COLUMNS))
    assert bool(links.joined()) is joins


def test_two_in_formation_are_not_told_apart_and_one_of_them_silent_neither():
    assert taken(together(range(0, 200), ANNA, RADAR, BERT, OTHER)).joined() == {}
    assert taken(together(range(0, 200), RADAR, ANNA, OTHER)).joined() == {}
    assert taken(together(range(0, 200), ANNA, RADAR, BERT)).joined() == {}
    clear = taken(together(range(0, 200), ANNA, RADAR, apart_m=300) +
                  [row(BERT, t, 200 * t, 9_000) for t in range(0, 200, 5)])  # fmt: skip
    assert clear.joined() == {RADAR: ANNA}


def test_a_number_that_is_used_again_begins_anew():
    links = taken(together(range(0, 100), ANNA, RADAR))
    assert links.joined()
    taken([row(RADAR, 300, 90_000), row(RADAR, 320, 90_000)], links)
    assert links.joined() == {}


def test_a_craft_that_falls_silent_is_followed_by_the_radar_for_a_while():
    links = taken(together(range(0, 100), ANNA, RADAR))
    for t in range(100, 900, 100):
        taken(together(range(t, t + 100), RADAR), links)
        assert bool(links.joined()) is (t < 700)


def test_a_helicopter_by_ais_and_by_ads_b():
    rescue = craft_key(DOMAIN_SEA, 111_219_501)
    rows = [one | {"altitude_ft": None} if one["craft"] == rescue else one
            for one in together(range(0, 200), ANNA, rescue)]  # fmt: skip
    assert taken(rows).joined() == {rescue: ANNA}
    assert taken(together(range(0, 200), ANNA, BERT)).joined() == {}


def test_a_ship_by_ais_and_by_somebody_elses_radar():
    ship, unit = craft_key(DOMAIN_SEA, 219_000_123), craft_key(DOMAIN_SEA_TRACK, 99)
    slow = {"speed_kn": 10.0, "altitude_ft": None, "apart_m": 80.0, "north": 5.144}
    assert taken(together(range(0, 200), ship, unit, **slow)).joined() == {unit: ship}
    plane = together(range(0, 200), ANNA, unit, **slow)
    assert taken(plane).joined() == {}


def test_no_more_are_followed_than_may_be(monkeypatch):
    monkeypatch.setattr("samsyn.base.limits.ASSOCIATED_TRACKS", 20)
    links = Associations()
    for k in range(30):
        taken([row(RADAR + 100 * k + i, 10 * k, 1_000.0 * i) for i in range(15)], links)
    assert len(links._followed) <= 30


@pytest.mark.parametrize("pairs", [1_000_000, 2_000])
def test_of_a_crowd_nothing_is_told_and_elsewhere_all(monkeypatch, pairs):
    """300 tracks and 300 aircraft at one point, and a track beside them that fits one of these best."""
    monkeypatch.setattr("samsyn.base.limits.ASSOCIATED_PAIRS", pairs)
    crowd = [BERT + k for k in range(300)] + [OTHER + 1 + k for k in range(300)]
    links = Associations()
    for t in range(0, 100, 5):
        rows = [row(key, t, 200 * t, 60_000) for key in crowd] + [row(OTHER, t, 200 * t, 61_500)]
        taken(rows + together(range(t, t + 5), ANNA, RADAR), links)
    assert links.joined() == {RADAR: ANNA}


def test_who_is_in_a_crowd_still_counts_for_those_beside_it(monkeypatch):
    """Two tracks fit one aircraft; of one of them nothing is told, for a crowd is within its reach."""
    monkeypatch.setattr("samsyn.base.limits.ASSOCIATED_PAIRS", 2_000)
    links, many = Associations(), range(10, 310)
    for t in range(0, 100, 5):
        rows = [row(key, t, 200 * t, -11_150) for k in many for key in (BERT + k, OTHER + k)]
        rows += [row(ANNA, t, 200 * t), row(RADAR, t, 200 * t, 300), row(OTHER, t, 200 * t, -300)]
        taken(rows, links)
    assert links.joined() == {}


def test_joined_before_they_come_into_a_crowd_they_stay_so():
    links = taken(together(range(0, 100), ANNA, RADAR))
    for t in range(100, 200, 5):
        crowd = [row(BERT + k, t, 200 * t) for k in range(150)]
        taken(together(range(t, t + 5), ANNA, RADAR) + crowd, links)
    assert links.joined() == {RADAR: ANNA}


def test_the_picture_shows_a_joined_track_once_and_another_for_itself():
    table = TrackTable(smooth=True)
    table.update(batch(together(range(0, 120), ANNA, RADAR)))
    table.update(batch([row(OTHER, t, 200 * t, 40_000) for t in range(0, 120, 5)]))
    now_us = START_US + 120 * SECOND_US

    def shown(now_us: int) -> dict[int, int]:
        rows = pl.read_ipc_stream(frame(table, (0, 50, 20, 60), now_us))
        return dict(zip(rows["number"].to_list(), rows["flags"].to_list(), strict=True))

    assert shown(now_us) == {ANNA & 0xFFFFFFFF: 0, OTHER & 0xFFFFFFFF: UNNAMED}
    assert table.one(RADAR)["same_as"][0]["craft"] == craft_text(ANNA)
    assert table.one(OTHER)["same_as"] == []
    table.update(batch(together(range(120, 240), RADAR)))  # the craft is silent: its track goes on
    assert set(shown(now_us + 2 * MINUTE_US)) == {key & 0xFFFFFFFF for key in (ANNA, RADAR, OTHER)}


def test_tracks_that_nobody_names_are_neither_watched_nor_released():
    rows = [row(RADAR, t, 200 * t, squawk=7_700) for t in range(0, 120, 5)]
    watch = Watch()
    assert watch.feed(batch(rows)) == []
    assert watch.finish() == []
    key = Ed25519PrivateKey.generate()
    frames = Frames(node="dk", realm="actual", key=key, clock=ManualClock(START_US + 2 * MINUTE_US))
    frames.take(batch(rows))
    assert all(len(table) == 0 for table in frames._tables.values())


def test_a_track_has_a_name_that_can_be_read_back():
    for key in (ANNA, RADAR, craft_key(DOMAIN_SEA, 219_000_123), craft_key(DOMAIN_SEA_TRACK, 99)):
        assert craft_from_text(craft_text(key)) == key
    assert craft_text(RADAR) == "air-track:190d0007"
    with pytest.raises(ValueError, match="no craft"):
        craft_from_text("air-track:190d007")
