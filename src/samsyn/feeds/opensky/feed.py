"""OpenSky-style state vectors: a JSON document or CSV lines, whichever comes."""

from __future__ import annotations

from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Documents, Either, Lines
from samsyn.formats.opensky import OpenskyDecoder


def decoder(settings: FeedSettings) -> Decoder:
    opensky = OpenskyDecoder()
    lines = Lines(lambda lines, received_us: opensky.decode_csv(lines))
    return Either(Documents(opensky.decode_json), lines)
