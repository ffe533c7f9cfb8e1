"""The live picture by clearance: what a closed feed hears changes nothing below its layer."""

from __future__ import annotations

import polars as pl

from samsyn.observations.craft import craft_key
from samsyn.observations.schema import make_batch
from samsyn.statements.marking import MARKINGS
from samsyn.tracks.frame import frame
from samsyn.tracks.layers import Layers

NOW_US = 1_700_000_000_000_000
WORLD = (-180.0, -90.0, 180.0, 90.0)
SHIP = craft_key(1, 219_000_001)
OPEN = ("TLP:CLEAR", "TLP:GREEN")


def layers() -> Layers:
    by_feed = {"open": "TLP:GREEN", "closed": "TLP:RED"}
    return Layers(MARKINGS, by_feed.values(), by_feed.get)


def heard(feed: str, **columns: object) -> pl.DataFrame:
    row = {"craft": SHIP, "time_us": NOW_US, "time_source": 4, "lat": 55.0, "lon": 12.0, **columns}
    return make_batch({k: [v] for k, v in row.items()}, feed=feed, originator="dk", exercise=False)


def shown(made: Layers, markings: tuple[str, ...]) -> bytes:
    return frame(made.upto(markings), WORLD, NOW_US)


def test_a_closed_feed_leaves_no_trace_below() -> None:
    made, without = layers(), layers()
    for one in (made, without):
        one.update(heard("open"))
    made.update(heard("closed", time_us=NOW_US + 1, lat=56.0, name="NONSUCH"))
    made.update(heard("closed", craft=craft_key(1, 1)))
    made.update(heard("unheard of", craft=craft_key(1, 2)))
    assert shown(made, OPEN) == shown(without, OPEN)
    assert made.upto(OPEN).one(SHIP) == without.upto(OPEN).one(SHIP)
    above = made.upto(MARKINGS)
    assert above.one(SHIP)["name"] == "NONSUCH" and len(above) == 3


def test_a_batch_of_several_feeds_is_parted() -> None:
    made = layers()
    made.update(pl.concat([heard("open"), heard("closed", craft=craft_key(1, 1))]))
    assert (len(made.upto(OPEN)), len(made.upto(MARKINGS))) == (1, 2)


def test_who_is_cleared_for_no_feed_sees_an_empty_picture() -> None:
    made = layers()
    made.update(heard("open"))
    assert pl.read_ipc_stream(shown(made, ("TLP:CLEAR",))).height == 0
    assert len(made.upto(())) == 0
