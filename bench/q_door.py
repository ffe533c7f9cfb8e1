"""How many statements a second are signed, decided for ten readers and durable?

Alerts of 22 slots, ten readers under five different rules, a new database on disk each time. The floor
beside it is what Ed25519 alone takes on the same machine in the same run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measure import Row, rate
from bench.nodes import ALERTS, READERS, Giver, drafts

TICK = 1_000


def rows() -> Iterator[Row]:
    """Rates over `ALERTS` alerts, signed and released in ticks of a thousand."""
    corpus = f"{ALERTS:,} generated alerts, {len(READERS)} readers"
    key = Ed25519PrivateKey.generate()
    body = bytes(1_700)
    floor = rate(lambda: sum(1 for _ in range(ALERTS) if key.sign(body)))
    yield Row("Ed25519 signatures alone, one thread", floor, "signatures/s", corpus)
    said = drafts(ALERTS)

    def whole() -> int:
        with tempfile.TemporaryDirectory() as folder, Giver(Path(folder)) as giver:
            for begin in range(0, ALERTS, TICK):
                giver.say(said[begin : begin + TICK])
                giver.door.tick()
            return ALERTS

    done = rate(whole)
    what = "signed, decided for 10 readers, durable"
    yield Row(what, done, "statements/s", corpus, "Ed25519 signatures alone", done / floor)
    with tempfile.TemporaryDirectory() as folder, Giver(Path(folder)) as giver:
        for begin in range(0, ALERTS, TICK):
            giver.say(said[begin : begin + TICK])

        def ticks() -> int:
            while giver.door.tick().decided:
                pass
            return ALERTS

        yield Row("decided and written, already signed", rate(ticks, 1), "statements/s", corpus)
