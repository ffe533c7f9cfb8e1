"""The Parquet store: what was appended is found again, by time and feed, also after a crash."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from samsyn.base.clock import DAY_US, HOUR_US, parse_iso
from samsyn.base.errors import InputError
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
    store.append(batch([NOON, NOON + HOUR_US, NOON + DAY_US]))
    store.append(batch([NOON + 1], feed="../sly"))
    found = store.scan(NOON, NOON + 2 * HOUR_US).collect()
    assert found.schema == SCHEMA
    assert sorted(found["time_us"].to_list()) == [NOON, NOON + 1, NOON + HOUR_US]
    assert store.scan(NOON, NOON + DAY_US, feeds=["../sly"]).collect()["feed"].to_list() == ["../sly"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2013-11-12", "2013-11-13"]
    assert {p.name for p in (tmp_path / "2013-11-12").iterdir()} == {"dk_ais", "___sly"}


def test_a_new_store_reads_what_an_old_one_wrote_and_clears_what_a_crash_left(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([NOON]))
    store.flush()
    half = tmp_path / "2013-11-12" / "dk_ais" / "1.pending"
    half.write_bytes(b"PAR1 half")
    again = ObservationStore(tmp_path)
    assert not half.exists()
    again.append(batch([NOON + 1]))
    assert again.scan(0, NOON * 2).collect().height == 2
    assert len(list(half.parent.glob("*.parquet"))) == 2


def test_files_from_before_a_column_was_there_are_read(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([NOON]))
    store.flush()
    (path,) = tmp_path.glob("*/*/*.parquet")
    pl.read_parquet(path).drop("text").write_parquet(path)
    store.append(batch([NOON + 1]))
    store.flush()
    found = store.scan(NOON, NOON + 2).collect()
    assert (found.schema, found.height) == (SCHEMA, 2)


def test_a_damaged_file_is_named(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([NOON]))
    store.flush()
    file = tmp_path / "2013-11-12" / "dk_ais" / "0.parquet"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"0\.parquet"):
        store.scan(0, NOON * 2)


def test_old_days_go(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([NOON, NOON + DAY_US]))
    store.flush()
    store.append(batch([NOON]))
    assert store.drop_before(date(2013, 11, 13)) == 1
    assert store.scan(0, NOON * 2).collect()["time_us"].to_list() == [NOON + DAY_US]


def test_an_empty_store_has_the_schema(tmp_path):
    assert ObservationStore(tmp_path / "none").scan(0, 1).collect().schema == SCHEMA


def test_only_batches_are_taken(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(empty_batch())
    with pytest.raises(ValueError, match="not a batch"):
        store.append(pl.DataFrame({"x": [1]}))


def test_nonsense_times_are_kept_too(tmp_path):
    store = ObservationStore(tmp_path)
    store.append(batch([-(10**18), 10**18]))
    assert store.scan(-(2 * 10**18), 2 * 10**18).collect().height == 2
