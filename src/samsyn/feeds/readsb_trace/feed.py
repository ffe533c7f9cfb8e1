"""readsb's traces, from a file or polled."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Documents
from samsyn.formats.readsb_trace import decode_trace


def decoder(settings: FeedSettings) -> Decoder:
    return Documents(decode_trace)
