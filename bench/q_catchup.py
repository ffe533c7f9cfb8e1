"""How long does a node take to catch up with 100,000 statements after a day's cut?

Two nodes, two processes, HTTPS with signed requests on loopback. The giver runs as `samsyn up` and has
said, while the link was cut, half reports and half alerts with evidence; then the reader's node pulls,
verifies, applies durably and cosigns the head. Beside it the floor that nobody can go below: that many
Ed25519 checks on one core (by OpenSSL and by our own library, after the catch-up), and the bytes of the
views themselves.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Row, rate
from bench.nodes import Giver, Taker, alerts, reports
from bench.q_exchange import _floors
from samsyn.base.memory import collect_seldom
from samsyn.exchange.pull import Puller
from samsyn.node.homes import own_card

STATEMENTS = int(os.environ.get("SAMSYN_CATCHUP", "100000"))
STEP = 5_000  # said at once, and of progress
WAIT_S = 600


class _Counted:
    """The reader's mirror, with the bytes that reach it counted and its progress told."""

    def __init__(self, taker: Taker) -> None:
        self._mirror = taker.mirror
        self.bytes = 0
        self.whole = threading.Event()
        self._begin = time.perf_counter()

    @property
    def size(self) -> int:
        return self._mirror.size

    def receive(self, data: bytes) -> object:
        self.bytes += len(data)
        done = self._mirror.receive(data)
        if self.size % (2 * STEP) == 0:
            _tell("caught up", self.size, self._begin)
        return done

    def cosigned(self) -> bytes | None:
        note = self._mirror.cosigned()
        if note is not None and self.size == STATEMENTS:
            self.whole.set()
        return note


def rows() -> Iterator[Row]:
    """Seconds, and bytes against the bytes of the views."""
    collect_seldom()  # as in a node that runs
    corpus = f"{STATEMENTS:,} statements, half reports, half alerts"
    with tempfile.TemporaryDirectory() as folder:
        giver = _cut(Path(folder))
        with _serving(giver.home.root), Taker(giver) as taker:
            taker.stores.second.sign_many(reports(300), iss="x", key=taker.stores.keys.statement)
            counted = _Counted(taker)
            took = _pull(taker, counted, giver)
            views = (
                taker.stores.db.read().execute("SELECT sum(length(body)) FROM statement").fetchone()[0]
            )
    yield Row("caught up, applied and cosigned", took, "s", corpus)
    for name, check in dict(sorted(_floors().items())).items():
        floor = STATEMENTS / rate(check)
        yield Row(f"as many times {name}, one core", floor, "s", corpus)
        speed, alone = STATEMENTS / took, STATEMENTS / floor
        yield Row("caught up", speed, "statements/s", corpus, f"{name}, one core", speed / alone)
    yield Row("bytes of the views themselves", views, "bytes", corpus)
    share = counted.bytes / views
    yield Row("bytes of the replies", counted.bytes, "bytes", corpus, "the views themselves", share)


def _cut(folder: Path) -> Giver:
    """A giver that nobody has heard for a day; its stores are closed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begin = time.perf_counter()
    with Giver(folder, f"127.0.0.1:{port}") as giver:
        for first in range(0, STATEMENTS, STEP):
            giver.say(reports(STEP // 2, first) + alerts(STEP // 2, first))
            while giver.door.tick().decided:
                pass
            if not (first + STEP) % (4 * STEP):
                _tell("said while the link was cut", first + STEP, begin)
    return giver


@contextmanager
def _serving(root: Path) -> Iterator[None]:
    """`samsyn up` on that home, until the block ends."""
    command = [sys.executable, "-m", "samsyn.cli", "up", "--home", str(root), "--no-picture", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as node:
        try:
            assert node.stdout is not None
            json.loads(node.stdout.readline())  # it is ready
            yield
        finally:
            node.terminate()


def _pull(taker: Taker, counted: _Counted, giver: Giver) -> float:
    stop = threading.Event()
    stores = taker.stores
    puller = Puller(
        own_card(giver.home),
        counted,
        me=stores.me,
        request_key=stores.keys.request,
        realm=stores.realm,
        wall=stores.wall,
        jitter=random.Random(1),
    )
    thread = threading.Thread(target=puller.run, args=(stop,))
    begin = time.perf_counter()
    thread.start()
    try:
        assert counted.whole.wait(WAIT_S), puller.state()
        return time.perf_counter() - begin
    finally:
        stop.set()
        thread.join()


def _tell(what: str, count: int, begin: float) -> None:
    took = time.perf_counter() - begin
    print(f"{what}: {count:,} of {STATEMENTS:,}, {took:.0f} s, {count / took:,.0f}/s", flush=True)
