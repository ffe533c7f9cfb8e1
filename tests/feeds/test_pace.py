"""Replay in an exercise: the clock says when a row comes, and nothing comes early."""

from __future__ import annotations

import threading

import polars as pl
import pytest

from samsyn.base.clock import SECOND_US, ManualClock
from samsyn.base.settings import FeedSettings
from samsyn.feeds.pace import GRAIN_US, paced
from samsyn.feeds.runner import FeedStream, open_feed
from samsyn.feeds.summary import Summary

from .expected import READ_AT_US, read, sample

BEGIN_US = READ_AT_US + 3600 * SECOND_US


def recording(clock: ManualClock, exercise: bool = True) -> FeedStream:
    return open_feed(
        FeedSettings(name="flight", kind="columns", source="extract:bornholm"),
        originator="dk",
        exercise=exercise,
        clock=clock,
        stop=threading.Event(),
    )


def test_rows_keep_their_spacing_and_come_when_the_clock_says_so():
    clock = ManualClock(READ_AT_US)
    stream = recording(clock)
    played = []
    for delivery in paced(stream, clock, BEGIN_US, threading.Event()):
        now_us = clock.now_us()
        assert delivery.batch["time_us"].max() <= now_us
        assert now_us - delivery.batch["time_us"].min() <= GRAIN_US + SECOND_US
        assert stream.report.last_heard_us == now_us
        played.append(delivery.batch)
    told = pl.concat(played)
    real, _ = read("columns", "extract:bornholm")
    assert told["time_us"][0] == BEGIN_US
    shift = BEGIN_US - real["time_us"][0]
    assert (told["time_us"] - shift).to_list() == real["time_us"].to_list()
    assert told["lat"].to_list() == real["lat"].to_list()


def test_a_clock_that_is_ahead_gets_many_rows_at_once():
    clock = ManualClock(BEGIN_US + 3600 * SECOND_US)
    first = next(paced(recording(clock), clock, BEGIN_US, threading.Event()))
    assert first.batch.height > 300


def test_it_stops_when_told():
    clock, stop = ManualClock(READ_AT_US), threading.Event()
    stop.set()
    assert list(paced(recording(clock), clock, BEGIN_US, stop)) == []


def test_real_time_is_not_shifted():
    clock = ManualClock(READ_AT_US)
    with pytest.raises(ValueError, match="exercise"):
        next(paced(recording(clock, exercise=False), clock, BEGIN_US, threading.Event()))


def test_a_summary_of_a_sample():
    rows, _ = read("ais_nmea", f"file:{sample('ais_nmea')}")
    summary = Summary()
    for part in rows.iter_slices(3):
        summary.add(part)
    told = summary.told()
    assert (told["rows"], told["positions"], told["craft"]) == (7, 4, 3)
    assert told["domains"] == {"sea": 3}
    assert told["message_types"] == {"1": 3, "5": 1, "18": 1, "24": 1, "27": 1}
    assert told["time_sources"] == {"tag_block": 4, "pghp": 3}
    assert (told["first"], told["last"]) == ("2013-11-12T12:00:00Z", "2013-11-12T12:00:10.25Z")
    assert told["area"] == [12.6, 55.4, 12.75, 55.61]
    assert Summary().told()["area"] is None
