"""A scenario's traffic through the ordinary decoders. Rows come when the file has been read whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from samsyn.base import limits
from samsyn.base.errors import InputError
from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder
from samsyn.feeds.simulated.air_sea import Traffic
from samsyn.feeds.simulated.scenario import read_scenario
from samsyn.formats.ais import AisDecoder
from samsyn.formats.decoded import Decoded
from samsyn.formats.readsb import ReadsbDecoder

SCENARIO_BYTES: Final = limits.MIB


class Simulated:
    """Takes the bytes of a scenario or of a receiver's file (whose scenario lies beside it)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._text = b""

    def push(self, piece: bytes, received_us: int) -> Iterator[Decoded]:
        self._text = (self._text + piece)[: SCENARIO_BYTES + 1]
        yield from ()

    def end(self, received_us: int) -> Iterator[Decoded]:
        text, self._text = self._text, b""
        try:
            if len(text) > SCENARIO_BYTES:
                raise InputError(f"more than {SCENARIO_BYTES} bytes")
            traffic = Traffic(*read_scenario(text, self._folder))
        except InputError as e:
            out = Decoded()
            out.refuse("malformed", offset=0, detail=str(e))
            yield out
            return
        ais, receiver = AisDecoder(), ReadsbDecoder()
        for lines, documents in traffic.chunks():
            for document in documents:
                yield receiver.decode(document)
            if lines:
                yield ais.decode(lines, received_us)


def decoder(settings: FeedSettings) -> Decoder:
    return Simulated(Path(settings.source.removeprefix("file:")).parent)
