"""How many statements a second does a partner verify and apply?

Batches as they come over the network, from memory; verified, applied and cosigned on disk. Beside it
what Ed25519 verification alone allows on the same machine in the same run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measure import Row, rate
from bench.nodes import ALERTS, Giver, Taker, drafts
from samsyn.base.limits import BATCH_ENTRIES


def rows() -> Iterator[Row]:
    """Rates over `ALERTS` alerts that one reader gets whole."""
    corpus = f"{ALERTS:,} generated alerts, whole"
    key = Ed25519PrivateKey.generate()
    public, body = key.public_key(), bytes(1_700)
    signature = key.sign(body)

    def checks() -> int:
        for _ in range(ALERTS):
            public.verify(signature, body)
        return ALERTS

    floor = rate(checks)
    yield Row("Ed25519 verification alone, one thread", floor, "verifications/s", corpus)
    with tempfile.TemporaryDirectory() as folder, Giver(Path(folder)) as giver:
        giver.say(drafts(ALERTS))
        while giver.door.tick().decided:
            pass
        channel = giver.door.reader("r0")
        assert channel is not None
        batches, after = [], 0
        while after < channel.size:
            batches.append(channel.entries(after))
            after += BATCH_ENTRIES
        sent = sum(map(len, batches))

        def take() -> int:
            with Taker(giver) as taker:
                for batch in batches:
                    taker.mirror.receive(batch)
                assert taker.mirror.cosigned() and taker.mirror.size == ALERTS
            return ALERTS

        done = rate(take)
    yield Row("verified and applied", done, "statements/s", corpus, "Ed25519 alone", done / floor)
    yield Row("bytes a statement on the wire", sent / ALERTS, "bytes", corpus)
