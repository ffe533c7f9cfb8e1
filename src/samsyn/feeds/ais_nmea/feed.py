"""AIS sentences, from a file, a connection or datagrams."""

from __future__ import annotations

from samsyn.base.clock import parse_iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Lines
from samsyn.formats.ais import AisDecoder


def decoder(settings: FeedSettings) -> Decoder:
    """Raises `ConfigError` where the setting `date` is no date."""
    try:
        day_us = parse_iso(f"{settings.date}T00:00:00Z") if settings.date else None
    except ValueError as e:
        where = f"feed {settings.name}"
        raise ConfigError(
            f"{settings.date!r} is no date", where=where, do="write it as 2013-11-12"
        ) from e
    ais = AisDecoder(day_us, live=settings.source.startswith(("tcp:", "udp:")))
    return Lines(ais.decode, ais.finish)
