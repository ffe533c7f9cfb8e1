"""readsb's aircraft.json, from a file or polled."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Documents
from samsyn.formats.readsb import ReadsbDecoder


def decoder(settings: FeedSettings) -> Decoder:
    return Documents(ReadsbDecoder().decode)
