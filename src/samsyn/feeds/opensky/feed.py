"""OpenSky-style state vectors: a JSON document or CSV lines, whichever comes."""

from __future__ import annotations

from collections.abc import Iterator

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Documents, Lines
from samsyn.formats.decoded import Decoded
from samsyn.formats.opensky import OpenskyDecoder


class _Either:
    """Tells JSON from CSV by the first character that is not blank."""

    def __init__(self) -> None:
        opensky = OpenskyDecoder()
        self._documents = Documents(opensky.decode_json)
        self._lines = Lines(lambda lines, received_us: opensky.decode_csv(lines))
        self._chosen: Decoder | None = None

    def push(self, piece: bytes, received_us: int) -> Iterator[Decoded]:
        begins = piece.lstrip()[:1]
        if self._chosen is None and begins:
            self._chosen = self._documents if begins in b"[{" else self._lines
        if self._chosen:
            yield from self._chosen.push(piece, received_us)

    def end(self, received_us: int) -> Iterator[Decoded]:
        if self._chosen:
            yield from self._chosen.end(received_us)
        self._chosen = None


def decoder(settings: FeedSettings) -> Decoder:
    return _Either()
