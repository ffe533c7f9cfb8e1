"""How long does it take to cut the live tracks of ten partners by their rules?

What happens every ten seconds in a node with 100,000 craft: the state of the track tables, the policy
over whole columns, cells, the Arrow table, its digest and its signature, for each of ten readers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measure import Row, seconds
from samsyn.base.clock import SECOND_US, ManualClock
from samsyn.base.limits import FRAME_EVERY_S
from samsyn.channels.frame import open_frame
from samsyn.channels.frames import Frames
from samsyn.formats.codes import TimeSource
from samsyn.observations.craft import DOMAIN_SEA, craft_key
from samsyn.observations.schema import make_batch
from samsyn.policy import Policy
from samsyn.policy.areas import Area
from samsyn.policy.rules import TRACK, Rule, When
from samsyn.policy.tracks import TrackFilter
from samsyn.tracks.state import TrackState
from samsyn.tracks.table import TrackTable

TRACKS = 100_000
READERS = 10
NOW_US = 1_800_000_000_000_000


def rows() -> Iterator[Row]:
    """Tracks times readers a second, for the policy alone and for whole frames."""
    batch = _batch()
    corpus = f"{TRACKS:,} generated ships x {READERS} readers, each with a rule and a denial of its own"
    rules = [rule for n in range(READERS) for rule in _rules(n)]
    table = TrackTable()
    took = seconds(lambda: table.update(batch))
    yield Row("one report of each craft into its feed's table", TRACKS / took, "rows/s", corpus)
    cutter = TrackFilter(rules, node="dk", exercise=False, marking=lambda feed: "TLP:GREEN")

    def policy_alone(state: TrackState) -> None:
        for n in range(READERS):
            cutter.cut(f"r{n}", lambda lag: [state], NOW_US)

    took = seconds(lambda: policy_alone(table.state("bench", NOW_US)))
    yield Row("policy over the state of the tables", TRACKS * READERS / took, "tracks/s", corpus)
    key = Ed25519PrivateKey.generate()
    clock = ManualClock(NOW_US)
    frames = Frames(node="dk", realm="actual", key=key, clock=clock)
    frames.mark(lambda feed: "TLP:GREEN")
    frames.take(batch)
    frames.set_policy(
        Policy(rules, [f"r{n}" for n in range(READERS)]), [f"r{n}" for n in range(READERS)]
    )

    def step() -> None:
        clock.advance(FRAME_EVERY_S * SECOND_US)
        frames.cut()

    took = seconds(step)
    yield Row("signed frames of all readers", took * 1000, "ms", corpus)
    frame = frames.latest("r0")
    yield Row("size of a frame, exact places", len(frame), "bytes", corpus)
    took = seconds(lambda: open_frame(frame, "samsyn.dk/actual/r0", key.public_key()))
    yield Row("a frame verified and read", took * 1000, "ms", corpus)


def _rules(n: int) -> tuple[Rule, Rule]:
    """What reader `n` may have: exact, spot, area, region in turn, area a minute late."""
    to = frozenset({f"r{n}"})
    own = {"why": "bench", "readers": to, "named": to, "kinds": frozenset({TRACK})}
    place = ("exact", "spot", "area", "region")[n % 4]
    delay_us = 60 * SECOND_US if n % 4 == 2 else 0
    released = Rule(id=f"r{n}", deny=False, place=place, delay_us=delay_us, hide=("name",), **own)
    small = Area("port", (11.0, 55.0, 11.5, 55.5), frozenset())
    return released, Rule(id=f"d{n}", deny=True, when=When(area=(small,)), **own)


def _batch() -> pl.DataFrame:
    random = np.random.default_rng(1)
    columns = {
        "time_us": np.sort(NOW_US - random.integers(0, 60_000_000, TRACKS)),
        "craft": craft_key(DOMAIN_SEA, 200_000_000) + np.arange(TRACKS),
        "lat": random.uniform(54, 66, TRACKS),
        "lon": random.uniform(10, 30, TRACKS),
        "speed_kn": random.uniform(0, 20, TRACKS),
        "course_deg": random.uniform(0, 360, TRACKS),
        "callsign": [f"OX{n}" for n in range(TRACKS)],
        "name": [f"SHIP {n}" for n in range(TRACKS)],
        "time_source": np.full(TRACKS, int(TimeSource.RECEIVED)),
    }
    return make_batch(columns, feed="bench", originator="dk", exercise=False)
