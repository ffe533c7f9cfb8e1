"""Beast's binary stream of Mode S frames, from a file or a connection."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Stream
from samsyn.formats.beast import BeastDecoder


def decoder(settings: FeedSettings) -> Decoder:
    """Raises `ConfigError` where the setting `date` is no date."""
    beast = BeastDecoder(settings.date_us(), live=settings.live)
    return Stream(beast.decode, beast.finish)
