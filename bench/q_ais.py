"""How fast is AIS decoded, beside pyais alone?

Both read the same lines from memory in one thread. pyais makes one object for each message; ours
makes columns of a piece of input, times and all, ready for the schema. Messages a second are
counted by what each of them understood.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from pyais.exceptions import AISBaseException
from pyais.stream import IterMessages

from bench.measure import CPU, Row, corpus, rate
from samsyn.base.limits import FEED_READ_BYTES
from samsyn.formats.ais import AisDecoder

FILES = ("sea/nmea-sample.txt.gz", "sea/dma_aisabnormal_ais-sample.txt.gz")


def rows() -> Iterator[Row]:
    """Messages a second, pyais and ours, for a volume corpus and for one with times and tag blocks."""
    for name in FILES:
        data = gzip.decompress(corpus(name).read_bytes())
        alone = rate(lambda data=data: _pyais(data), clock=CPU)
        ours = rate(lambda data=data: _ours(data), clock=CPU)
        short = name.partition("/")[2]
        yield Row("pyais alone", alone, "messages/s", short)
        yield Row("understood by pyais", _pyais(data), "messages", short)
        yield Row("understood by us", _ours(data), "messages", short)
        yield Row("columns by formats/ais", ours, "messages/s", short, "pyais alone", ours / alone)


def _pyais(data: bytes) -> int:
    lines = [line[line.index(b"!") :] for line in data.splitlines() if b"!" in line]
    done = 0
    for message in IterMessages(lines):
        try:
            message.decode()
            done += 1
        except AISBaseException:
            continue
    return done


def _ours(data: bytes) -> int:
    decoder, done, begin = AisDecoder(), 0, 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + FEED_READ_BYTES) + 1 or len(data)
        done += decoder.decode(data[begin:end], received_us=0).messages
        begin = end
    return done
