"""The same rows give the same findings: in any batches, by any feeds, over restarts, looked back at."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samsyn.base.clock import DAY_US, HOUR_US, SECOND_US
from samsyn.observations.keeping import Keeping
from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.schema import SCHEMA
from samsyn.observations.store import ObservationStore
from samsyn.watch.definition import discover
from samsyn.watch.finding import Finding
from samsyn.watch.look_back import Period, look_back
from samsyn.watch.runner import Watch
from samsyn.watch.zones import Zone
from tests.watch import cases as wc

CASES = wc.cases()
OF_FEEDS = {"implausible"}
"""What these find depends on which feed heard what: how far a feed hears is learned feed by feed."""
Told = dict[tuple[str, int], dict[str, Any]]


def told(found: Iterable[Finding], *, feeds: bool = True) -> Told:
    """Findings by key and revision; a revision that is written again must be the same."""
    made: Told = {}
    for finding in found:
        values = msgspec.to_builtins(finding)
        if not feeds:
            del values["feed"], values["more_feeds"]
        known = made.setdefault((finding.key, finding.revision), values)
        assert known == values
    return made


def test_every_detector_has_cases() -> None:
    """Else what follows would say nothing about it."""
    assert {detector for detector, _ in CASES} == set(discover())


def zones_of(case: dict[str, Any]) -> list[Zone]:
    return list({zone.name: zone for one in case.get("of", [case]) for zone in wc.zones(one)}.values())


def medley() -> dict[str, Any]:
    """All small cases at once, in one sea and sky, and every row up to half a minute late: what the
    detectors make of that is nobody's intention, but it must always be the same."""
    small = [case for _, case in CASES if ROWS[case["name"]].height <= 150]
    rng = np.random.default_rng(1)
    ways = [
        ROWS[case["name"]].with_columns(pl.col("craft") + number * 10_000)
        for number, case in enumerate(small)
    ]
    rows = pl.concat(ways)
    comes = rows["time_us"] + pl.Series(rng.integers(0, 30 * SECOND_US, rows.height))
    ROWS["medley"] = rows.with_columns(comes=comes).sort("comes", maintain_order=True).drop("comes")
    return {"name": "medley", "of": small}


ROWS = {case["name"]: wc.batch(case) for _, case in CASES}
MEDLEY = medley()


@st.composite
def lives(
    draw: st.DrawFn, some: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[int], set[int], int]:
    """A case, the places at which its rows are cut into batches, the batches before which the node
    is started again, and how many feeds its rows come by."""
    case = draw(st.sampled_from(some))
    inside = st.integers(0, ROWS[case["name"]].height)
    cuts = [0, *sorted(draw(st.lists(inside, max_size=12))), ROWS[case["name"]].height]
    return case, cuts, draw(st.sets(st.integers(1, 12), max_size=2)), draw(st.integers(1, 3))


def lived(examples: int, some: list[dict[str, Any]]) -> None:
    """So many lives of a node, over some of the cases."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(lives(some))
    def each(life: tuple[dict[str, Any], list[int], set[int], int]) -> None:
        live(*life)

    each()


def at_once(rows: pl.DataFrame, zones: list[Zone]) -> list[Finding]:
    watch = Watch(zones=zones)
    return [*watch.feed(rows), *watch.finish()]


def live(case: dict[str, Any], cuts: list[int], restarts: set[int], feeds: int) -> None:
    """A node's life over a case, and a look back at it: as one watch that sees it all at once."""
    rows, zones = ROWS[case["name"]], zones_of(case)
    if feeds > 1:  # the rows come by turns, so that each feed alone shows half a way
        together = told(at_once(rows, zones), feeds=False)
        by = pl.concat_str(pl.lit("by-"), (pl.int_range(rows.height) % feeds).cast(pl.String))
        rows = rows.with_columns(feed=by)
        apart = told(at_once(rows, zones), feeds=False)
        assert [f for f in apart.items() if f[1]["detector"] not in OF_FEEDS] == [
            f for f in together.items() if f[1]["detector"] not in OF_FEEDS
        ]
    whole = told(at_once(rows, zones))
    with tempfile.TemporaryDirectory() as folder:
        store, watch = ObservationStore(Path(folder)), Watch(zones=zones)
        found: list[Finding] = []
        for number, (a, b) in enumerate(pairwise(cuts)):
            if number in restarts:
                store.flush()
                store, watch = ObservationStore(Path(folder)), Watch(zones=zones)
                for batch in store.batches(Wanted(), tuple(SCHEMA), rows=500):
                    found += watch.feed(batch)
            store.append(rows[a:b], wc.BEGIN_US + number)
            found += watch.feed(rows[a:b])
        known = told(found)
        assert known == {key: whole[key] for key in known}  # all but what the last step completes
        found += watch.finish()
        assert told(found) == whole
        store.flush()
        Keeping(store, lambda name, markings: 10**6 * DAY_US).step(wc.BEGIN_US + 30 * DAY_US)
        again: list[Finding] = []
        look_back(
            Observations(Path(folder)),
            lambda: Watch(zones=zones),
            lambda feed: False,
            Period(wc.BEGIN_US, wc.BEGIN_US + 30 * DAY_US, HOUR_US),
            seen=again.append,
        )
        assert told(again) == known


@pytest.mark.parametrize("detector", sorted(discover()))
def test_in_any_batches_by_any_feeds_and_over_restarts(detector: str) -> None:
    """One life each, drawn by lot; many more of them by night."""
    mine = sorted((c for d, c in CASES if d == detector), key=lambda c: ROWS[c["name"]].height)
    by_lot(random.Random(detector), mine[: len(mine) // 2 + 1])


def test_a_medley_in_any_batches_by_any_feeds_and_over_restarts() -> None:
    by_lot(random.Random(2), [MEDLEY])


def by_lot(rng: random.Random, some: list[dict[str, Any]]) -> None:
    case = rng.choice(some)
    rows = ROWS[case["name"]].height
    cuts = [0, *sorted(rng.randrange(rows) for _ in range(6)), rows]
    live(case, cuts, {rng.randrange(2, 6)}, rng.randrange(1, 4))


@pytest.mark.nightly
@pytest.mark.parametrize("detector", sorted(discover()))
def test_many_lives(detector: str) -> None:
    lived(60, [c for d, c in CASES if d == detector] + [MEDLEY])


@pytest.mark.parametrize(
    "name",
    ["not under command for twelve hours", "in the published band", "aircraft vanishes at height"],
)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_looked_back_at_until_some_instant_it_is_what_was_known_then(
    tmp_path: Path, name: str, share: float
) -> None:
    """The rows come in one by one; at the end of a period the watch had found this, and no more."""
    case = next(case for _, case in CASES if case["name"] == name)
    rows, zones = wc.batch(case), wc.zones(case)
    store, watch = ObservationStore(tmp_path), Watch(zones=zones)
    first_us, last_us = int(rows["time_us"][0]), int(rows["time_us"][-1])
    end_us = first_us + int((last_us - first_us) * share)
    live: list[Finding] = []
    times = rows["time_us"].to_list()
    for a in range(0, rows.height, 7):
        part = rows[a : a + 7]
        store.append(part, times[a])
        found = watch.feed(part)
        if times[min(a + 6, rows.height - 1)] <= end_us:
            live += found
    seen: list[Finding] = []
    look_back(
        store,
        lambda: Watch(zones=zones),
        lambda feed: False,
        Period(first_us + HOUR_US, end_us, 24 * HOUR_US),
        seen=seen.append,
    )
    assert told(seen) | told(live) == told(seen)
    assert all(finding["updated_us"] <= end_us for finding in told(seen).values())


def test_only_what_was_so_in_the_period_is_told(tmp_path: Path) -> None:
    case = next(case for _, case in CASES if case["name"] == "not under command for twelve hours")
    rows = wc.batch(case)
    store = ObservationStore(tmp_path)
    store.append(rows, wc.BEGIN_US)

    def found(begin_h: float, end_h: float, warm_h: float = 24) -> list[str]:
        begin_us, end_us = (wc.BEGIN_US + int(h * HOUR_US) for h in (begin_h, end_h))
        period = Period(begin_us, end_us, int(warm_h * HOUR_US))
        return [f.state for f in look_back(store, Watch, lambda feed: False, period).findings]

    whole = next(f for f in wc.watched(case, None) if f.state == "closed")
    assert whole.end_us is not None
    ends_h = (whole.updated_us - wc.BEGIN_US) / HOUR_US
    begins_h = (whole.start_us - wc.BEGIN_US) / HOUR_US
    assert found(0, begins_h) == []
    assert found(begins_h + 4, begins_h + 4.1) == ["open"]
    assert found(begins_h, ends_h + 1) == ["closed"]
    assert found(ends_h + 1, ends_h + 2) == []
    assert found(begins_h + 4, begins_h + 4.1, warm_h=0) == []  # six minutes show no drift


def test_recordings_are_watched_alone_and_finished(tmp_path: Path) -> None:
    """As the node does: what one recording finds must not hang on another's rows."""
    case = next(case for _, case in CASES if case["name"] == "aircraft vanishes at height")
    rows = wc.batch(case)
    store = ObservationStore(tmp_path)
    for feed in ("one", "two"):
        # two recordings of the same hours, the second cut off before the end
        part = rows if feed == "one" else rows[: rows.height // 3]
        store.append(part.with_columns(feed=pl.lit(feed)), wc.BEGIN_US)
    shares: list[float] = []
    found = look_back(
        store,
        lambda: Watch(zones=wc.zones(case)),
        lambda feed: True,
        Period(wc.BEGIN_US, wc.BEGIN_US + DAY_US, 0),
        progress=lambda share, done: shares.append(share),
    )
    alone = {f.key for f in wc.watched(case, None)}
    assert {f.key for f in found.findings if f.feed == "one"} == alone
    assert found.feeds == ["one", "two"]
    assert shares == sorted(shares) and 0 < shares[-1] <= 1
    only = look_back(
        store,
        lambda: Watch(zones=wc.zones(case)),
        lambda feed: True,
        Period(wc.BEGIN_US, wc.BEGIN_US + DAY_US, 0, feeds=("two",)),
    )
    assert (only.feeds, only.rows) == (["two"], rows.height // 3)
