"""How many statements a second does a partner verify and apply?

Batches as they come over the network, from memory; verified, applied and cosigned on disk. First on one
core, without the second process of a node, and between the batches on the same core what Ed25519
verification alone allows there: by OpenSSL, which most others use, and by the library that we use. Each
rate is the median of its slices, so that what else the machine does meets all alike. Then as a node
does it, with its second process.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measure import TRIES, Row, rate_after
from bench.nodes import COUNT, Giver, Taker, alerts, reports
from samsyn.base.limits import BATCH_ENTRIES
from samsyn.base.memory import collect_seldom
from samsyn.statements import keys, read
from samsyn.statements.statement import Draft

SLICE = 500  # verifications between two batches
OPENSSL = "Ed25519 alone, OpenSSL"
OURS = f"Ed25519 alone, {'OpenSSL' if keys.open_signed is None else 'libsodium'}"


def rows() -> Iterator[Row]:
    """Rates for reports and for alerts with evidence, of which one reader gets all slots."""
    collect_seldom()  # as in a node that runs
    how = "compiled reader" if read.compiled else "reader in Python"
    for kind, said in (("reports of 15 slots", reports()), ("alerts of 22 slots", alerts())):
        corpus = f"{COUNT:,} {kind}, whole"
        with tempfile.TemporaryDirectory() as folder, Giver(Path(folder)) as giver:
            batches = _batches(giver, said)
            sent = sum(map(len, batches))
            found = _one_core(giver, batches)
            for floor in dict.fromkeys((OPENSSL, OURS)):
                yield Row(floor, found[floor], "verifications/s", "1,700 bytes each, the same core")
                share = found["applied"] / found[floor]
                what = f"verified and applied, one core, {how}"
                yield Row(what, found["applied"], "statements/s", corpus, floor, share)
            done = rate_after(lambda giver=giver, batches=batches: _take(giver, batches))
        what = "verified and applied, with the second process"
        yield Row(what, done, "statements/s", corpus, OPENSSL, done / found[OPENSSL])
        yield Row("bytes a statement on the wire", sent / COUNT, "bytes", corpus)


def _batches(giver: Giver, said: list[Draft]) -> list[bytes]:
    giver.say(said)
    while giver.door.tick().decided:
        pass
    channel = giver.door.reader("r0")
    assert channel is not None
    return [channel.entries(after) for after in range(0, channel.size, BATCH_ENTRIES)]


def _one_core(giver: Giver, batches: list[bytes]) -> dict[str, float]:
    """Things a second, by name; the floors and the work take turns, a batch at a time."""
    checks = _floors()
    slices: dict[str, list[float]] = defaultdict(list)

    def timed(name: str, work: Callable[[], int]) -> None:
        begin = time.perf_counter()
        done = work()
        slices[name].append(done / (time.perf_counter() - begin))

    with _pinned():
        for _ in range(TRIES):
            with Taker(giver, alone=True) as taker:
                gc.collect()
                for batch in batches:
                    for name, check in checks.items():
                        timed(name, check)
                    timed("applied", lambda batch=batch, taker=taker: _apply(taker, batch))
                assert taker.mirror.cosigned()
    return {name: median(rates) for name, rates in slices.items()}


def _apply(taker: Taker, batch: bytes) -> int:
    before = taker.mirror.size
    taker.mirror.receive(batch)
    return taker.mirror.size - before


def _floors() -> dict[str, Callable[[], int]]:
    key = Ed25519PrivateKey.generate()
    public, body = key.public_key(), bytes(1_700)
    raw, signature = public.public_bytes_raw(), key.sign(body)
    sealed = signature + body

    def openssl() -> int:
        for _ in range(SLICE):
            public.verify(signature, body)
        return SLICE

    def ours() -> int:
        for _ in range(SLICE):
            assert keys.holds(raw, sealed)
        return SLICE

    return {OURS: ours, OPENSSL: openssl}


@contextmanager
def _pinned() -> Iterator[None]:
    """This process on one core of those it may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


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
