"""How do ours compare with the tools of others, on the same data in one run?

Each tool runs in an environment of its own (.venv-peers, which `make bench` makes). Both sides are
measured in seconds of the processor, so that what else the machine does counts little; each peer runs
between two runs of ours, and the slower of those counts. Beside each ratio stands how far both agree.
"""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.measure import ROOT, NoCorpus, Row, corpus
from samsyn.base.clock import MINUTE_US, ManualClock, parse_iso
from samsyn.base.geo import EARTH_RADIUS_M, METRES_PER_NM
from samsyn.base.limits import FEED_READ_BYTES
from samsyn.base.settings import FeedSettings
from samsyn.feeds.runner import open_feed
from samsyn.formats.ais import AisDecoder
from samsyn.formats.avr import AvrDecoder
from samsyn.observations.craft import NUMBER_MASK
from samsyn.tracks.smooth import SEA, Reports, Smoother
from samsyn.watch.near import close_pairs
from samsyn.watch.runner import Watch

PYTHON = ROOT / ".venv-peers" / "bin" / "python"
FRAMES = 60_000  # of the long flight: rs1090 takes a second for as many
LINES = 40_000
REPORTS = 6_000
STOP_S, STOP_M, STOP_KN = 600.0, 100.0, 0.5
DEGREE_M = EARTH_RADIUS_M * np.pi / 180
FILTER_Q, FILTER_VARIANCE = 0.01, 25.0


def rows() -> Iterator[Row]:
    """Each pair of tools in turn."""
    if not PYTHON.is_file():
        raise NoCorpus("the peers are not here; `make bench` brings them into .venv-peers")
    yield from _ais()
    yield from _modes()
    yield from _filter()
    yield from _stops()
    yield from _encounters()


def beside(
    peer: str, given: dict[str, Any], ours: Callable[[], Any]
) -> tuple[dict[str, Any], Any, float]:
    """What the peer said, what ours gave, and CPU seconds: the slower of two runs of ours around it."""
    ours()  # once to warm up
    before, _ = _timed(ours)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        np.savez(path, **given)
        done = subprocess.run(
            [str(PYTHON), str(ROOT / "bench" / "peer.py"), peer, str(path)],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
    if done.returncode:
        raise NoCorpus(f"{peer} failed: {done.stderr.strip().splitlines()[-1:]}")
    after, result = _timed(ours)
    return json.loads(done.stdout.splitlines()[-1]), result, max(before, after)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def _two(metric: str, short: str, peer: str, said: dict[str, Any], ours_s: float) -> Iterator[Row]:
    unit = metric.partition(", ")[2] or "rows/s"
    name = metric.partition(", ")[0]
    theirs = said["done"] / said["seconds"]
    yield Row(f"{name}: {peer}", theirs, unit, short)
    ours = said["done"] / ours_s
    yield Row(f"{name}: ours", ours, unit, short, peer, ours / theirs)


def _pieces(data: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + FEED_READ_BYTES) + 1 or len(data)
        yield data[begin:end]
        begin = end


def _ais() -> Iterator[Row]:
    short = "nmea-sample.txt.gz"
    lines = gzip.decompress(corpus(f"sea/{short}").read_bytes()).splitlines(keepends=True)[:LINES]
    data = b"".join(lines)

    def ours() -> np.ndarray:
        decoder, found = AisDecoder(), []
        for piece in _pieces(data):
            columns = decoder.decode(piece, 0).columns
            of_ships = np.isin(columns["message_type"], (1, 2, 3, 18, 19))
            found.append(np.stack([columns["lat"], columns["lon"]])[:, of_ships])
        return np.concatenate(found, axis=1)

    said, found, seconds = beside("pyais", {"data": np.frombuffer(data, np.uint8)}, ours)
    yield from _two("AIS decoded, messages/s", short, "pyais", said, seconds)
    yield Row("positions by pyais", said["places"], "positions", short)
    yield Row(
        "positions by us",
        found.shape[1],
        "positions",
        short,
    )
    absent = np.isnan(found)
    # who has no position says 91 and 181 degrees
    # who has no position says 91 and 181 degrees
    ours_sum = float(np.nansum(found) + 91 * absent[0].sum() + 181 * absent[1].sum())
    yield Row(
        "mean difference of latitude plus longitude",
        abs(ours_sum - said["sum"]) / said["places"],
        "degrees",
        short,
    )


def _modes() -> Iterator[Row]:
    short = "rs1090_long_flight.csv.gz"
    lines = gzip.decompress(corpus(f"air/{short}").read_bytes()).splitlines()[:FRAMES]
    data = b"\n".join([*lines, b""])

    def ours() -> int:
        decoder = AvrDecoder()
        return sum(
            int((~np.isnan(out.columns["lat"])).sum())
            for out in (decoder.decode(piece, 0) for piece in _pieces(data))
            if out.rows
        )

    said, placed, seconds = beside("rs1090", {"data": np.frombuffer(data, np.uint8)}, ours)
    yield from _two("Mode S decoded with positions, frames/s", short, "rs1090", said, seconds)
    yield Row("positions by rs1090", said["places"], "positions", short)
    yield Row("positions by us", placed, "positions", short)


def _solent() -> dict[str, np.ndarray]:
    with corpus("sea/stonesoup_SolentAIS.csv").open() as file:
        said = list(csv.DictReader(file))
    found = {
        "craft": np.array([int(r["MMSI"]) for r in said]),
        "time_us": np.array([parse_iso(r["Time"].replace(" ", "T") + "Z") for r in said]),
        "lat": np.array([float(r["Latitude_degrees"]) for r in said]),
        "lon": np.array([float(r["Longitude_degrees"]) for r in said]),
    }
    order = np.lexsort((found["time_us"], found["craft"]))
    c, t, la, lo = (found[n][order] for n in ("craft", "time_us", "lat", "lon"))
    again = np.r_[
        False,
        (np.diff(c) == 0)
        & ((np.diff(t) == 0) | ((np.diff(t) <= 2e6) & (np.diff(la) == 0) & (np.diff(lo) == 0))),
    ]
    keep = np.sort(order[~again])
    keep = keep[np.argsort(found["time_us"][keep], kind="stable")]
    return {name: values[keep] for name, values in found.items()}


def _reports(given: dict[str, np.ndarray], variance: float) -> Reports:
    count = len(given["lat"])
    unsaid = np.full(count, np.nan)
    variances = np.full(count, variance)
    air = np.zeros(count, np.uint8)
    return Reports(given["time_us"], given["lat"], given["lon"], variances, unsaid, unsaid, air)


def _filter() -> Iterator[Row]:
    short = f"stonesoup_SolentAIS.csv, {REPORTS:,} reports"
    given = {name: values[:REPORTS] for name, values in _solent().items()}
    craft, slots = np.unique(given["craft"], return_inverse=True)
    some, models = _reports(given, FILTER_VARIANCE), np.array([[FILTER_Q, SEA.speed_m_s, 1.0]])

    def ours() -> Smoother:
        smoother = Smoother(len(craft), models, gate=1e30)
        smoother.take(np.arange(len(slots)), slots, some)
        return smoother

    scale = DEGREE_M * np.cos(np.radians(50.8))
    plane = {"x": given["lon"] * scale, "y": given["lat"] * DEGREE_M}
    constants = {"q": FILTER_Q, "variance": FILTER_VARIANCE, "speed": SEA.speed_m_s}
    said, smoother, seconds = beside("filtered", {**given, **plane, **constants}, ours)
    yield from _two("Kalman filter, reports/s", short, "Stone Soup", said, seconds)
    ends, ours_end = (
        np.array([said["ends"][str(c)] for c in craft.tolist()]),
        smoother.at(np.arange(len(craft))),
    )
    apart = np.hypot((ours_end.lon * scale - ends[:, 0]), ours_end.lat * DEGREE_M - ends[:, 2])
    yield Row("where craft end: half are nearer than", float(np.median(apart)), "m", short)
    yield Row("where craft end: farthest apart", float(apart.max()), "m", short)
    deviation = np.abs(ours_end.place_sd_m / np.sqrt(ends[:, 4]) - 1)
    yield Row("stated error: largest difference", float(deviation.max()), "of it", short)


def _stops() -> Iterator[Row]:
    short = "stonesoup_SolentAIS.csv"
    given = _solent()
    craft, slots = np.unique(given["craft"], return_inverse=True)
    some = _reports(given, 20.0**2)

    def ours() -> set[int]:
        """Craft that, smoothed, are slower than half a knot for ten minutes."""
        smoother = Smoother(len(craft))
        since, still = np.full(len(craft), -1), np.zeros(len(craft), bool)
        for minute in range(int(np.ptp(given["time_us"]) // MINUTE_US) + 1):
            until = given["time_us"][0] + (minute + 1) * MINUTE_US
            a, b = np.searchsorted(given["time_us"], [until - MINUTE_US, until])
            if a == b:
                continue
            smoother.take(np.arange(a, b), slots, some)
            heard = np.unique(slots[a:b])
            slow = smoother.at(heard).speed_kn < STOP_KN
            since[heard] = np.where(slow, np.where(since[heard] < 0, until, since[heard]), -1)
            still[heard] |= slow & (until - since[heard] >= STOP_S * 1e6)
        return set(craft[still].tolist())

    said, found, seconds = beside("stops", {**given, "seconds": STOP_S, "metres": STOP_M}, ours)
    yield from _two("stops of ten minutes, reports/s", short, "MovingPandas", said, seconds)
    theirs = set(said["craft"])
    yield Row("craft that stopped, by MovingPandas (within 100 m)", len(theirs), "craft", short)
    yield Row("craft that stopped, by us (smoothed speed below 0.5 kn)", len(found), "craft", short)
    yield Row("craft that stopped, by both", len(theirs & found), "craft", short)


def _encounters() -> Iterator[Row]:
    short = "traffic_switzerland.json.gz, a quarter of an hour"
    path = corpus("air/traffic_switzerland.json.gz")
    feed = open_feed(
        FeedSettings(name="b", kind="opensky", source=f"file:{path}"),
        originator="x", exercise=False, clock=ManualClock(0), stop=threading.Event(),
    )  # fmt: skip
    whole = pl.concat([delivery.batch for delivery in feed]).sort("time_us", maintain_order=True)
    begin = int(whole["time_us"][0]) + 60 * MINUTE_US
    batch = whole.filter(pl.col("time_us").is_between(begin, begin + 15 * MINUTE_US))
    placed = batch.drop_nulls(["lat", "lon", "altitude_ft"])

    def ours() -> set[tuple[str, str]]:
        watch = Watch(["encounter-air"])
        found = [f for part in batch.iter_slices(8_192) for f in watch.feed(part)] + watch.finish()
        pairs = {(f.craft.partition(":")[2], str(f.other).partition(":")[2]) for f in found if f.other}
        return {(min(pair), max(pair)) for pair in pairs}

    given = {n: placed[n].to_numpy() for n in ("time_us", "lat", "lon", "altitude_ft")}
    given["craft"] = placed["craft"].to_numpy() & NUMBER_MASK
    said, found, seconds = beside("encounters", given, ours)
    yield from _two("close aircraft, rows/s", short, "traffic", said, seconds)
    theirs = {tuple(pair) for pair in said["pairs"]}
    same = _by_the_same_rule(given)
    yield Row("pairs within 5 NM and 1,000 ft, by traffic", len(theirs), "pairs", short)
    yield Row("pairs by the same rule, by watch/near", len(same), "pairs", short)
    yield Row("pairs by both", len(theirs & same), "pairs", short)
    yield Row("findings: above 6,000 ft, not slow, not in formation", len(found), "pairs", short)


def _by_the_same_rule(given: dict[str, np.ndarray]) -> set[tuple[str, str]]:
    """Pairs at the same second within 5 NM and 1,000 ft."""
    found: set[tuple[str, str]] = set()
    for second in np.unique(given["time_us"]):
        at = np.flatnonzero(given["time_us"] == second)
        pairs = close_pairs(given["lat"][at], given["lon"][at], 5 * METRES_PER_NM)
        one, two = at[pairs.first], at[pairs.second]
        near = np.abs(given["altitude_ft"][one] - given["altitude_ft"][two]) <= 1_000
        craft = given["craft"][np.stack([one, two])][:, near]
        found |= {(f"{min(pair):06x}", f"{max(pair):06x}") for pair in craft.T.tolist()}
    return found
