"""How many statements a second does a partner verify and apply?

Batches as they come over the network, from memory; verified, applied and cosigned on disk. Beside it
what Ed25519 verification alone allows on the same machine in the same run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measure import Row, rate, rate_after
from bench.nodes import COUNT, Giver, Taker, alerts, reports
from samsyn.base.limits import BATCH_ENTRIES
from samsyn.statements.statement import Draft


def rows() -> Iterator[Row]:
    """Rates for reports and for alerts with evidence, of which one reader gets all slots."""
    key = Ed25519PrivateKey.generate()
    public, body = key.public_key(), bytes(1_700)
    signature = key.sign(body)

    def checks() -> int:
        for _ in range(COUNT):
            public.verify(signature, body)
        return COUNT

    floor = rate(checks)
    yield Row("Ed25519 verification alone, one thread", floor, "verifications/s", "1,700 bytes each")
    for kind, said in (("reports of 15 slots", reports()), ("alerts of 22 slots", alerts())):
        corpus = f"{COUNT:,} {kind}, whole"
        with tempfile.TemporaryDirectory() as folder, Giver(Path(folder)) as giver:
            batches = _batches(giver, said)
            done = rate_after(lambda giver=giver, batches=batches: _take(giver, batches))
            sent = sum(map(len, batches))
        yield Row("verified and applied", done, "statements/s", corpus, "Ed25519 alone", done / floor)
        yield Row("bytes a statement on the wire", sent / COUNT, "bytes", corpus)


def _batches(giver: Giver, said: list[Draft]) -> list[bytes]:
    giver.say(said)
    while giver.door.tick().decided:
        pass
    channel = giver.door.reader("r0")
    assert channel is not None
    return [channel.entries(after) for after in range(0, channel.size, BATCH_ENTRIES)]


@contextmanager
def _take(giver: Giver, batches: list[bytes]) -> Iterator[Callable[[], int]]:
    with Taker(giver) as taker:
        # the second process is up, as in a node that runs
        taker.stores.second.sign_many(reports(300), iss="x", key=taker.stores.keys.statement)

        def work() -> int:
            for batch in batches:
                taker.mirror.receive(batch)
            assert taker.mirror.cosigned()
            return taker.mirror.size

        yield work
