"""Reading what is kept: in order of arrival, in bounded batches, past what is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, parse_iso
from samsyn.observations.files import PENDING, in_folder
from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.schema import make_batch
from samsyn.observations.store import ObservationStore

NOON = parse_iso("2013-11-12T12:00:00Z")
SHIP = (1 << 32) + 219_000_001


def rows(times: list[int], feed: str = "mast", craft: int = SHIP, lat: float = 55.0) -> pl.DataFrame:
    n = len(times)
    columns = {
        "time_us": times,
        "craft": [craft] * n,
        "lat": [lat] * n,
        "lon": [12.0] * n,
        "time_source": [1] * n,
    }
    return make_batch(columns, feed=feed, originator="dk", exercise=False)


def test_rows_come_in_the_order_in_which_they_arrived(tmp_path: Path) -> None:
    """Over feeds, days, pieces and what is still in memory; late rows where they came."""
    store = ObservationStore(tmp_path)
    midnight = NOON + 12 * HOUR_US
    came = [
        ("mast", [midnight - 2, midnight + 5, midnight - 1]),
        ("roof", [midnight + 3]),
        ("mast", [midnight + 1]),
        ("roof", [midnight - 9, midnight + 4]),
    ]
    for i, (feed, times) in enumerate(came):
        store.append(rows(times, feed), NOON)
        if i == 1:
            store.flush()
    told = store.read(Wanted(), ("time_us", "heard_us"))
    assert told["time_us"].to_list() == [t for _, times in came for t in times]
    assert told["heard_us"].n_unique() == told.height
    store.flush()
    assert Observations(tmp_path).read(Wanted(), ("time_us", "heard_us")).equals(told)


def test_arrivals_go_on_where_they_were_after_a_restart_and_a_clock_put_back(tmp_path: Path) -> None:
    for now_us in (NOON, NOON - MINUTE_US, NOON - DAY_US, NOON):
        store = ObservationStore(tmp_path)
        store.append(rows([NOON]), now_us)
        store.flush()
    heard = store.read(Wanted(), ("heard_us",))["heard_us"].to_list()
    # a minute back is waited for; a day back was a clock that was wrong, and nothing is lost of it
    assert heard == [NOON - DAY_US, NOON, NOON + 1, NOON + 2]


def test_each_bound_bounds(tmp_path: Path) -> None:
    store = ObservationStore(tmp_path)
    store.append(rows([NOON, NOON + 1]), NOON, "TLP:GREEN")
    store.append(rows([NOON + 2], "roof", lat=60.0), NOON + HOUR_US, "TLP:RED")
    store.append(rows([NOON + 3], craft=SHIP + 1), NOON + 2 * HOUR_US)

    def found(**wanted: object) -> list[int]:
        return [t - NOON for t in store.read(Wanted(**wanted), ("time_us",))["time_us"].to_list()]  # type: ignore[arg-type]

    for _ in range(2):  # from memory, then from disk
        assert found() == [0, 1, 2, 3]
        assert found(from_us=NOON + 1, to_us=NOON + 3) == [1, 2]
        assert found(heard_from_us=NOON + 1, heard_to_us=NOON + HOUR_US) == [1]
        assert found(feeds=("roof",)) == [2]
        assert found(folders=("mast",)) == [0, 1, 3]
        assert found(not_feeds=("roof",)) == [0, 1, 3]
        assert found(markings=("TLP:GREEN",)) == [0, 1]
        assert found(craft=(SHIP + 1,)) == [3]
        assert found(area=(11.0, 54.0, 13.0, 56.0)) == [0, 1, 3]
        assert found(area=(170.0, 54.0, 13.0, 61.0)) == [0, 1, 2, 3]
        assert store.first_arrival(Wanted(markings=("TLP:RED",))) == NOON + HOUR_US
        store.flush()


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_batches_are_the_same_rows_in_bounded_pieces(tmp_path: Path, size: int) -> None:
    """Dense arrivals (a recording read at once) beside sparse ones, a silence of days between them."""
    store = ObservationStore(tmp_path)
    for now_us in (NOON, NOON + SECOND_US, NOON + 3 * DAY_US):
        store.append(rows([now_us + i * 1_000 for i in range(300)]), now_us)
        store.flush()
    for i in range(40):
        store.append(rows([NOON + 4 * DAY_US + i * MINUTE_US]), NOON + 4 * DAY_US + i * MINUTE_US)
    got = list(store.batches(Wanted(), rows=size))
    assert pl.concat(got).equals(store.read(Wanted()))
    assert max(batch.height for batch in got) <= 2 * size
    assert len(list(store.batches(Wanted(from_us=0, to_us=1)))) == 0


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    store = ObservationStore(tmp_path)
    for i in range(3):
        store.append(rows(list(range(NOON + 1_000 * i, NOON + 1_000 * i + 500))), NOON)
        store.flush()
    yield tmp_path, in_folder(tmp_path / "2013-11-12" / "mast")[1].path


@pytest.mark.parametrize("how", ["cut", "middle", "empty", "text", "footer"])
def test_a_damaged_file_is_passed_over_and_named(damaged: tuple[Path, Path], how: str) -> None:
    root, path = damaged
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(1).bytes(len(data) // 2)
    if how == "middle":
        data[8 : 8 + len(noise)] = noise
    elif how == "footer":
        data[-60:-8] = noise[:52]
    path.write_bytes({"cut": data[:100], "empty": b"", "text": b"hello PAR1"}.get(how, bytes(data)))
    read = Observations(root)
    times = read.read(Wanted(), ("time_us",))["time_us"].to_list()
    assert times == [*range(NOON, NOON + 500), *range(NOON + 2_000, NOON + 2_500)]
    assert read.torn == {path}
    assert sum(b.height for b in read.batches(Wanted())) == 1_000


def test_another_process_changes_nothing_and_what_goes_meanwhile_is_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ObservationStore(tmp_path)
    for i in range(2):
        store.append(rows([NOON + i]), NOON)
        store.flush()
    half = tmp_path / "2013-11-12" / "mast" / f"2-2.1-2.parquet{PENDING}"
    half.write_bytes(b"half")
    read = Observations(tmp_path)
    files, held = read._now(Wanted())
    files[0].path.unlink()
    answers = [(files, held)]
    now = read._now
    monkeypatch.setattr(read, "_now", lambda wanted: answers.pop() if answers else now(wanted))
    assert read.read(Wanted(), ("time_us",))["time_us"].to_list() == [NOON + 1]
    assert half.exists()
