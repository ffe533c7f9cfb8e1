"""GPX 1.1 (topografix.com/GPX/1/1): tracks as XML, their segments split where the caller says.

    write([GpxTrack("mmsi:219000001", "TLP:GREEN", [[(55.1, 12.5, None, 0)]])], "TLP:GREEN", at_us=0)

Elements stand in the order that the schema asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from samsyn.base.clock import iso

NAMESPACE: Final = "http://www.topografix.com/GPX/1/1"
_UNSAID = re.compile(r"[^\x20-\x7E\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")

Point = tuple[float, float, float | None, int]  # latitude, longitude (degrees WGS 84), metres, time_us


@dataclass(frozen=True)
class GpxTrack:
    """One craft's track: name, what is to be said of it (its marking stands there), segments."""

    name: str
    description: str
    segments: Sequence[Sequence[Point]]
    source: str = ""


def write(tracks: Iterable[GpxTrack], description: str, at_us: int) -> Iterator[str]:
    """The document in pieces. description: of the whole file, its marking. at_us: when it was made."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<gpx version="1.1" creator="Samsyn" xmlns="{NAMESPACE}">\n'
        f"<metadata>{_element('desc', description)}{_element('time', iso(at_us))}"
        f"{_element('keywords', description)}</metadata>\n"
    )
    for track in tracks:
        yield f"<trk>{_element('name', track.name)}{_element('desc', track.description)}"
        if track.source:
            yield _element("src", track.source)
        for segment in track.segments:
            yield "<trkseg>\n"
            for lat, lon, metres, time_us in segment:
                height = "" if metres is None else f"<ele>{metres:.1f}</ele>"
                time = f"<time>{iso(time_us)}</time>"
                yield f'<trkpt lat="{lat:.6f}" lon="{lon:.6f}">{height}{time}</trkpt>\n'
            yield "</trkseg>"
        yield "</trk>\n"
    yield "</gpx>\n"


def _element(name: str, text: str) -> str:
    """An element with a text; what XML may not hold becomes a space."""
    return f"<{name}>{escape(_UNSAID.sub(' ', text))}</{name}>"
