"""ASTERIX blocks, from a capture, plain files, a connection or datagrams."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Stream
from samsyn.formats.asterix import AsterixBlocks
from samsyn.formats.asterix_stream import AsterixStream


def decoder(settings: FeedSettings) -> Decoder:
    """Raises `ConfigError` where the settings `date` or `sites` cannot be."""
    blocks = AsterixBlocks(settings.checked_sites())
    asterix = AsterixStream(blocks, settings.date_us(), live=settings.live)
    return Stream(asterix.decode, asterix.finish)
