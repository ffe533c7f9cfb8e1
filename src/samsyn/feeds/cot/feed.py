"""Cursor on Target messages, from a file, a connection, callers or datagrams."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Stream
from samsyn.formats.cot import CotDecoder


def decoder(settings: FeedSettings) -> Decoder:
    cot = CotDecoder()
    return Stream(cot.decode, cot.finish)
