"""Many files become one, what is over goes, and a crash at any point loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl
import pytest

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US, parse_iso
from samsyn.base.settings import FeedSettings, NodeSettings, Settings, StoreSettings
from samsyn.observations import keeping
from samsyn.observations.files import all_in_folder, in_folder
from samsyn.observations.keeping import Done, Keeping
from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.store import ObservationStore
from tests.observations.test_reader import NOON, rows

LONG = 30 * DAY_US


def forever(folder: str, markings: Collection[str]) -> int:
    return 10_000 * DAY_US


def filled(
    root: Path, pieces: int = 5, feed: str = "mast", marking: str = "TLP:GREEN"
) -> ObservationStore:
    store = ObservationStore(root)
    for i in range(pieces):
        at_us = NOON + i * MINUTE_US
        store.append(rows([at_us + j for j in (3, 1, 2)], feed), at_us, marking)
        store.flush()
    return store


def test_a_day_that_is_over_becomes_one_file_in_the_order_of_arrival(tmp_path: Path) -> None:
    store = filled(tmp_path)
    before, folder = store.read(Wanted()), tmp_path / "2013-11-12" / "mast"
    keep = Keeping(store, forever)
    assert keep.step(NOON + HOUR_US) == Done()  # the day goes on
    assert keep.step(NOON + 2 * DAY_US).merged == 1
    (one,) = in_folder(folder)
    assert (one.first, one.last, len(all_in_folder(folder))) == (0, 4, 6)
    assert store.read(Wanted()).equals(before)  # the pieces are still there, and do not count
    keep.step(NOON + 2 * DAY_US)
    keep.step(NOON + 2 * DAY_US)
    assert all_in_folder(folder) == [one]
    assert Observations(tmp_path).read(Wanted()).equals(before)
    # a row of that day which comes late lies beside it, and is merged in time
    store.append(rows([NOON]), NOON + 2 * DAY_US, "TLP:GREEN")
    store.flush()
    assert [p.first for p in in_folder(folder)] == [0, 5]
    assert store.read(Wanted()).height == before.height + 1
    assert keep.step(NOON + 4 * DAY_US).merged == 1
    assert store.read(Wanted()).height == before.height + 1


def test_the_small_files_of_a_day_that_goes_on_become_one(tmp_path: Path) -> None:
    store = filled(tmp_path, keeping.PIECES_MAX + 1)
    before = store.read(Wanted())
    Keeping(store, forever).step(NOON + HOUR_US)
    assert len(in_folder(tmp_path / "2013-11-12" / "mast")) == 1
    assert store.read(Wanted()).equals(before)


@pytest.mark.parametrize("after", range(4))
def test_a_crash_while_files_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Before the merged file is written, half way through, before it has its name, and after."""

    class Crashed(Exception):
        pass

    store = filled(tmp_path)
    before = store.read(Wanted())
    if after == 3:
        whole = keeping.write_whole
        monkeypatch.setattr(keeping, "write_whole", lambda *a: (whole(*a), _raise(Crashed))[0])
    else:
        target = {0: "samsyn.observations.keeping._readable", 1: "polars.LazyFrame.sink_parquet"}
        name = target.get(after, "pathlib.Path.rename")
        monkeypatch.setattr(name, lambda *a, **k: _raise(Crashed))
    with pytest.raises(Crashed):
        Keeping(store, forever).step(NOON + 2 * DAY_US)
    monkeypatch.undo()
    again = ObservationStore(tmp_path)
    assert again.read(Wanted()).equals(before)
    keep = Keeping(again, forever)
    for _ in range(3):
        keep.step(NOON + 2 * DAY_US)
    assert again.read(Wanted()).equals(before)
    assert len(list(tmp_path.glob("*/*/*"))) == 1


def _raise(error: type[Exception]) -> None:
    raise error


@pytest.mark.parametrize("how", ["cut", "middle"])
def test_a_damaged_file_is_put_aside_and_the_rest_merged(tmp_path: Path, how: str) -> None:
    filled(tmp_path)
    path = in_folder(tmp_path / "2013-11-12" / "mast")[2].path
    data = path.read_bytes()
    path.write_bytes(data[:90] if how == "cut" else data[:4] + b"\xff" * 300 + data[304:])
    keep = Keeping(ObservationStore(tmp_path), forever)
    assert keep.step(NOON + 2 * DAY_US) == Done(merged=1, torn=1)
    for _ in range(2):
        keep.step(NOON + 2 * DAY_US)
    names = sorted(p.name for p in path.parent.iterdir())
    assert len(names) == 2 and names[1] == path.name + ".torn"
    assert Observations(tmp_path).read(Wanted()).height == 12


def test_what_is_over_goes_by_feed_and_by_marking(tmp_path: Path) -> None:
    for feed, marking in (("mast", "TLP:GREEN"), ("roof", "TLP:GREEN"), ("gone", "TLP:RED")):
        filled(tmp_path, 2, feed, marking)
    settings = Settings(
        node=NodeSettings(name="dk", organisation="Coast Watch"),
        feed=(FeedSettings(name="roof", kind="ais_nmea", source="tcp:a:1", keep="7d"),),
        store=StoreSettings(keep_observations="30d", keep_marked={"TLP:RED": "1h"}),
    )
    store = ObservationStore(tmp_path)

    def keep_us(folder: str, markings: Collection[str]) -> int:
        feed = next((f for f in settings.feed if f.name == folder), None)
        return settings.keep_observations_us(feed, markings)

    keep = Keeping(store, keep_us)
    left = {0: 3, 59: 3, 61: 2, 7 * 24 * 60: 2, 7 * 24 * 60 + 1: 1, 30 * 24 * 60 + 1: 0}
    for minute, folders in left.items():
        keep.step(NOON + MINUTE_US // 2 + minute * MINUTE_US)
        assert len(store.folders()) == folders, minute
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_kept_as_long_as_what_came_in_with_it(tmp_path: Path) -> None:
    """Years old when it came in, and not gone at once; and nobody's row goes while more is coming."""
    now_us = parse_iso("2026-01-01T00:00:00Z")
    store = ObservationStore(tmp_path)
    store.append(rows([NOON]), now_us, "TLP:GREEN")
    store.flush()
    keep = Keeping(store, lambda folder, markings: LONG)
    assert keep.step(now_us + LONG - 1).gone == 0
    store.append(rows([NOON]), now_us + LONG, "TLP:GREEN")
    assert keep.step(now_us + LONG + 1).gone == 0
    assert store.read(Wanted()).height == 2
    store.flush()
    assert keep.step(now_us + 2 * LONG + 1).gone == 1


def test_files_from_before_arrivals_were_written_down_go_by_their_day(tmp_path: Path) -> None:
    store = filled(tmp_path, 1)
    (piece,) = in_folder(tmp_path / "2013-11-12" / "mast")
    pl.read_parquet(piece.path).drop("heard_us", "marking").write_parquet(
        piece.path.with_name("0.parquet")
    )
    piece.path.unlink()
    assert store.read(Wanted(), ("time_us",))["time_us"].to_list() == [NOON + 1, NOON + 2, NOON + 3]
    keep = Keeping(store, lambda folder, markings: LONG)
    assert keep.step(NOON + DAY_US // 2 + LONG - 1).gone == 0
    assert keep.step(NOON + DAY_US // 2 + LONG).gone == 1
