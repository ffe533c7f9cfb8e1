"""SBS-1 lines, from a file, a connection or datagrams."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Lines
from samsyn.formats.sbs import SbsDecoder


def decoder(settings: FeedSettings) -> Decoder:
    """Raises `ConfigError` where the setting `utc_offset` is none."""
    return Lines(SbsDecoder(settings.utc_offset_us()).decode)
