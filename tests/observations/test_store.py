"""The Parquet store: what was appended is found again, by time and feed, also after a crash."""

from __future__ import annotations

import polars as pl
import pytest

from samsyn.base.clock import DAY_US, HOUR_US, parse_iso
from samsyn.observations.schema import SCHEMA, empty_batch, make_batch
from samsyn.observations.store import ObservationStore

NOON = parse_iso("2013-11-12T12:00:00Z")


def batch(times: list[int], feed: str = "dk ais") -> pl.DataFrame:
    columns = {
        "time_us": times,
        "craft": [(1 << 32) + 219_000_001] * len(times),
        "time_source": [1] * len(times),
    }
    return make_batch(columns, feed=feed, originator="dk", exercise=True)


def test_rows_are_found_again_by_time_and_feed(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([NOON, NOON + HOUR_US, NOON + DAY_US]), NOON)
    store.append(batch([NOON + 1], feed="../sly"), NOON)
    found = store.scan(NOON, NOON + 2 * HOUR_US)
    assert found.schema == SCHEMA
    assert found["time_us"].to_list() == [NOON, NOON + HOUR_US, NOON + 1]
    assert store.scan(NOON, NOON + DAY_US, feeds=["../sly"])["feed"].to_list() == ["../sly"]
    store.flush()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2013-11-12", "2013-11-13"]
    assert {p.name for p in (tmp_path / "2013-11-12").iterdir()} == {"dk_ais", "___sly"}


def test_a_new_store_reads_what_an_old_one_wrote_and_clears_what_a_crash_left(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([NOON]), NOON)
    store.flush()
    half = tmp_path / "2013-11-12" / "dk_ais" / "1-1.5-6.parquet.pending"
    half.write_bytes(b"PAR1 half")
    again = ObservationStore(tmp_path)
    assert not half.exists()
    again.append(batch([NOON + 1]), NOON)
    assert again.scan(0, NOON * 2).height == 2
    again.flush()
    assert len(list(half.parent.glob("*.parquet"))) == 2


def test_files_from_before_a_column_was_there_are_read(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([NOON]), NOON)
    store.flush()
    (path,) = tmp_path.glob("*/*/*.parquet")
    pl.read_parquet(path).drop("text", "heard_us", "marking").write_parquet(path.with_name("0.parquet"))
    path.unlink()
    store.append(batch([NOON + 1]), NOON)
    store.flush()
    found = store.scan(NOON, NOON + 2)
    assert (found.schema, found.height) == (SCHEMA, 2)


def test_an_empty_store_has_the_schema(tmp_path):
    assert ObservationStore(tmp_path / "none").scan(0, 1).schema == SCHEMA


def test_only_batches_are_taken(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(empty_batch(), NOON)
    with pytest.raises(ValueError, match="not a batch"):
        store.append(pl.DataFrame({"x": [1]}), NOON)


def test_nonsense_times_are_kept_too(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([-(10**18), 10**18]), NOON)
    assert store.scan(-(2 * 10**18), 2 * 10**18).height == 2
