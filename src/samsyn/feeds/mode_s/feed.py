"""Raw Mode S frames, from a file, a connection or datagrams."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Lines
from samsyn.formats.modes import ModesDecoder


def decoder(settings: FeedSettings) -> Decoder:
    return Lines(ModesDecoder().decode)
