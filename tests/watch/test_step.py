"""Steps and minutes: the same however the rows came, each ship once in a minute, by its last fix."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import SECOND_US
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key
from samsyn.observations.schema import make_batch
from samsyn.watch.step import Cutter
from tests.watch.cases import BEGIN_US

AIRCRAFT, COAST_STATION = craft_key(DOMAIN_AIR, 0xF00001), craft_key(DOMAIN_SEA, 3_000_001)
SHIPS = tuple(craft_key(DOMAIN_SEA, 300_000_001 + k) for k in range(3))


def rows_of(at_s: list[int], craft: list[int]) -> pl.DataFrame:
    at_s = sorted(at_s)
    return make_batch(
        {
            "time_us": [BEGIN_US + s * SECOND_US for s in at_s],
            "craft": craft,
            "lat": [55 + s / 100_000 for s in at_s],
            "lon": [15.0] * len(at_s),
            "time_source": [4] * len(at_s),
        },
        feed="mast",
        originator="dk",
        exercise=False,
    )


def minutes(rows: pl.DataFrame, cuts: list[int]) -> list[list[tuple[int, int]]]:
    """Slot and time of the ships of each minute."""
    cutter = Cutter()
    found = []
    for a, b in pairwise([0, *sorted(cuts), rows.height]):
        for step in cutter.cut(rows[a:b]):
            if step.minute is not None:
                ships = step.minute
                found.append(list(zip(ships.slot.tolist(), ships.time_us.tolist(), strict=True)))
    return found


def by_hand(said: list[tuple[int, int]]) -> list[list[int]]:
    """Times of the ships' last fixes by minute. The last step is not complete: no row has come after."""
    found: list[list[int]] = []
    held: dict[int, int] = {}
    before = None
    for number in sorted({s // 10 for s, _ in said})[:-1]:
        held |= {
            craft: BEGIN_US + s * SECOND_US for s, craft in said if s // 10 == number and craft in SHIPS
        }
        minute = (number + 1) // 6
        if before is not None and minute != before:
            found.append(sorted(held.values()))
            held = {}
        before = minute
    return found


@settings(max_examples=60, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1_200), st.sampled_from([AIRCRAFT, COAST_STATION, *SHIPS])),
        min_size=1,
        max_size=60,
    ),
    st.data(),
)
def test_a_minute_has_each_ship_once_by_its_last_fix(said: list[tuple[int, int]], data: st.DataObject):
    said.sort()
    rows = rows_of([s for s, _ in said], [craft for _, craft in said])
    whole = minutes(rows, [])
    assert minutes(rows, data.draw(st.lists(st.integers(0, rows.height), max_size=8))) == whole
    assert [sorted(us for _, us in minute) for minute in whole] == by_hand(said)
    for minute in whole:
        slots = [slot for slot, _ in minute]
        assert slots == sorted(set(slots))
