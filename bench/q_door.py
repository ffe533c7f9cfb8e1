"""How many statements a second are signed, decided for ten readers and durable?

Ten readers under five rules, a new database on disk each time, a node with its second process: one
thread has statements signed a thousand at a time, another ticks. Beside it what Ed25519 alone takes on
the same machine in the same run.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measure import Row, rate, rate_after
from bench.nodes import COUNT, READERS, Giver, alerts, reports
from samsyn.statements.statement import Draft

TICK = 1_000


def rows() -> Iterator[Row]:
    """Rates for reports and for alerts with evidence."""
    key = Ed25519PrivateKey.generate()
    body = bytes(1_700)
    floor = rate(lambda: sum(1 for _ in range(COUNT) if key.sign(body)))
    yield Row("Ed25519 signatures alone, one thread", floor, "signatures/s", "1,700 bytes each")
    for kind, said in (("reports of 15 slots", reports()), ("alerts of 22 slots", alerts())):
        corpus = f"{COUNT:,} {kind}, {len(READERS)} readers"
        done = rate_after(lambda said=said: _whole(said))
        what = "signed, decided for 10 readers, durable"
        yield Row(what, done, "statements/s", corpus, "Ed25519 signatures alone", done / floor)
        ticks = rate_after(lambda said=said: _ticks(said))
        yield Row("decided and written, already signed", ticks, "statements/s", corpus)


@contextmanager
def _whole(said: list[Draft]) -> Iterator[Callable[[], int]]:
    with tempfile.TemporaryDirectory() as folder, Giver(Path(folder)) as giver:

        def speak() -> None:
            for begin in range(0, COUNT, TICK):
                giver.say(said[begin : begin + TICK])

        def work() -> int:
            """One thread has statements signed, as the intake does; this one ticks, as the door's."""
            speaking = threading.Thread(target=speak)
            speaking.start()
            while giver.door.applied("r0")[0] < COUNT + TICK:
                if not giver.door.tick().decided:
                    time.sleep(0.005)  # a node's door waits much longer between ticks
            speaking.join()
            return COUNT

        giver.say(said[:TICK])  # the second process is up, as in a node that runs
        giver.door.tick()
        yield work


@contextmanager
def _ticks(said: list[Draft]) -> Iterator[Callable[[], int]]:
    with tempfile.TemporaryDirectory() as folder, Giver(Path(folder)) as giver:
        for begin in range(0, COUNT, TICK):
            giver.say(said[begin : begin + TICK])

        def work() -> int:
            while giver.door.tick().decided:
                pass
            return giver.door.applied("r0")[0]

        yield work
