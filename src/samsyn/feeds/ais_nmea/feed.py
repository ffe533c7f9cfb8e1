"""AIS sentences, from a file, a connection or datagrams."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Lines
from samsyn.formats.ais import AisDecoder


def decoder(settings: FeedSettings) -> Decoder:
    """Raises `ConfigError` where the setting `date` is no date."""
    ais = AisDecoder(settings.date_us(), live=settings.live)
    return Lines(ais.decode, ais.finish)
