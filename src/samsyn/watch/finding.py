"""What a detector raises: a finding, unsigned, updated while its situation lasts."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

EVIDENCE_ROWS_MAX: Final = 200


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One situation as one detector sees it now; a later revision with the same key replaces it.

    key:          detector, craft, other, zone or cell, and start; the same on every run over the same
                  rows.
    craft:        whom it is about; None where it is about a place.
    domain:       of the craft, or of the traffic that a finding about a place is about.
    other:        the second craft of a pair.
    group:        class of craft that was counted: merchant, passenger, fishing, other, aircraft.
    cell:         H3 cell, of a finding about one.
    feed:         that it was seen by; more_feeds: others that it rests on.
    measured:     what was measured, by names that carry units.
    thresholds:   what it was held against; a name that is also in `measured` was crossed by the
                  difference.
    evidence:     rows (time_us, lat, lon, and what else was claimed), oldest first, thinned out to
                  `EVIDENCE_ROWS_MAX`.
    known_errors: ids in the detector's definition: what would explain this finding away.
    closed_because: an id in the definition's `closed`.
    """

    key: str
    detector: str
    craft: str | None
    state: Literal["open", "closed"]
    start_us: int
    updated_us: int
    end_us: int | None
    lat: float | None
    lon: float | None
    measured: dict[str, float]
    thresholds: dict[str, float]
    zone: str | None
    evidence: list[dict[str, Any]]
    feed: str
    exercise: bool
    known_errors: tuple[str, ...]
    revision: int
    closed_because: str | None
    domain: Literal["sea", "air"] = "sea"
    other: str | None = None
    cell: str | None = None
    group: str | None = None
    more_feeds: tuple[str, ...] = ()


def about_whom(finding: Finding) -> str:
    """Its craft, both of a pair; else its zone or cell."""
    named = [one for one in (finding.craft, finding.other) if one is not None]
    place = [one for one in (finding.zone, finding.group) if one is not None]
    return " ".join(named) or " ".join(place) or finding.cell or ""


class Evidence:
    """Rows that show a situation: the first and the last always, between them evenly spread.

    When full, every second row goes and the least distance in time doubles.
    """

    def __init__(self, every_us: int, rows: list[dict[str, Any]] | None = None) -> None:
        self._every_us = every_us
        self._rows: list[dict[str, Any]] = list(rows or [])
        self._last: dict[str, Any] | None = None

    def add(self, row: dict[str, Any]) -> None:
        """`row` holds at least time_us; rows come in order of time."""
        if not self.due(row["time_us"]):
            self._last = row if row["time_us"] > self._rows[-1]["time_us"] else None
            return
        self._rows.append(row)
        self._last = None
        if len(self._rows) >= EVIDENCE_ROWS_MAX:
            self._rows = self._rows[::2]
            self._every_us *= 2

    def due(self, time_us: int) -> bool:
        """Whether a row of this time would be kept for good."""
        return not self._rows or time_us - self._rows[-1]["time_us"] >= self._every_us

    def rows(self) -> list[dict[str, Any]]:
        return [*self._rows, self._last] if self._last is not None else list(self._rows)
