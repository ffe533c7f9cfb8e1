"""Tables of positions with a map of columns: CSV lines, GeoJSON points, JSON lists."""

from __future__ import annotations

from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings
from samsyn.feeds.framing import Decoder, Documents, Either, Lines
from samsyn.formats.table import OURS, TableDecoder


def decoder(settings: FeedSettings) -> Decoder:
    """Raises `ConfigError` where the settings name a column or unit that is not ours."""
    try:
        table = TableDecoder(settings.columns, settings.units, settings.ignore, settings.utc_offset_us())
    except ValueError as e:
        raise ConfigError(
            f"a table cannot be mapped to {str(e)!r}",
            where=f"feed {settings.name}",
            do=f"map columns to {', '.join(sorted(OURS))}, and use the units of docs/feeds.md",
        ) from e
    lines = Lines(lambda data, received_us: table.decode_csv(data), table.end_csv)
    return Either(Documents(table.decode_json), lines)
