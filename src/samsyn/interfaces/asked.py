"""Boxes and spans of time, as other systems ask for them."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf, isfinite
from typing import NamedTuple

from samsyn.formats.view import when


class Area(NamedTuple):
    """West, south, east, north in degrees; west above east: across 180 degrees."""

    west: float
    south: float
    east: float
    north: float

    def touches(self, other: Area) -> bool:
        """Whether two have a point in common."""
        if self.south > other.north or other.south > self.north:
            return False
        return any(a.west <= b.east and b.west <= a.east for a in self._parts() for b in other._parts())

    def _parts(self) -> tuple[Area, ...]:
        if self.west <= self.east:
            return (self,)
        return self._replace(east=180.0), self._replace(west=-180.0)


class Span(NamedTuple):
    """From one time to another, seconds since 1970 UTC, both included; without end: infinite."""

    begin_s: float
    end_s: float

    def touches(self, other: Span) -> bool:
        return self.begin_s <= other.end_s and other.begin_s <= self.end_s


def read_area(text: str) -> Area:
    """`west,south,east,north`, or six numbers with heights, which are left. Raises `ValueError`."""
    numbers = [float(part) for part in text.split(",")]
    if len(numbers) == 6:
        numbers = [*numbers[0:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(isfinite, numbers)):
        raise ValueError("a box has four or six numbers")
    area = Area(*numbers)
    if area.south > area.north or not (area.south >= -90 and area.north <= 90):
        raise ValueError("a box goes from south to north, -90 to 90")
    if max(abs(area.west), abs(area.east)) > 180:
        raise ValueError("a box is within -180 and 180")
    return area


def read_span(text: str) -> Span:
    """An RFC 3339 time or two with `/` between; `..` or nothing: no end. Raises `ValueError`."""
    begin, slash, end = text.partition("/")
    if not slash:
        at_s = _seconds(begin)
        return Span(at_s, at_s)
    span = Span(
        -inf if begin in ("", "..") else _seconds(begin), inf if end in ("", "..") else _seconds(end)
    )
    if span.begin_s > span.end_s or (begin in ("", "..") and end in ("", "..")):
        raise ValueError("a span begins before it ends")
    return span


def span_of(said: str) -> Span | None:
    """How long a time of a view is (`formats.view.when`), both ends included; None of no time."""
    found = when(said)
    if found is None:
        return None
    begin, length = found
    begin_s = begin.timestamp()
    return Span(begin_s, begin_s + max(length.total_seconds() - 1e-6, 0.0))


def _seconds(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except OverflowError as e:
        raise ValueError(str(e)) from e
