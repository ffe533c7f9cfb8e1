"""Raw Mode S frames, one a line, from a file, a connection or datagrams."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Lines
from samsyn.formats.avr import AvrDecoder


def decoder(settings: FeedSettings) -> Decoder:
    """Raises `ConfigError` where the setting `date` is no date."""
    return Lines(AvrDecoder(settings.date_us(), live=settings.live).decode)
