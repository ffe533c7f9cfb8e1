"""What we say, before it is signed: an alert from a finding, a report from a person."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from samsyn.base import limits
from samsyn.base.clock import iso, parse_iso
from samsyn.base.errors import InputError
from samsyn.base.settings import StandingOrder
from samsyn.statements.attachments import SLOTS, Value
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.statements.marking import MARKINGS
from samsyn.statements.statement import Draft
from samsyn.subjects.report import CATEGORIES
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding

EVIDENCE_ROWS = 48  # a plot's worth; the rest stays in our observations
_SUMMARIES: Final = {
    ("sea", 0): "shipping",
    ("sea", 1): "a ship",
    ("sea", 2): "two ships",
    ("air", 0): "air traffic",
    ("air", 1): "an aircraft",
    ("air", 2): "two aircraft",
}
CONFIDENCES = ("low", "medium", "high")
ONWARD = ("no", "ask", "circle", "free")


def point(lat: float, lon: float) -> dict[str, Any]:
    """GeoJSON, rounded to 0.1 m: no source of ours is finer."""
    return {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]}


def alert_draft(finding: Finding, order: StandingOrder, definition: Definition) -> Draft:
    """The alert that `order` makes of `finding`.

    Title, summary and text name no place and no time, so that they may go to a reader whose rule
    allows neither; those stand in their ladders and in slots that need the finest rungs.
    """
    title = definition.title.en
    craft = [one for one in (finding.craft, finding.other) if one is not None]
    domain = finding.domain
    rows = _thinned(finding.evidence, EVIDENCE_ROWS)
    slots: dict[str, Any] = {
        **time_ladder(finding.start_us),
        "title": ": ".join((title, *([", ".join(craft)] if craft else []))),
        "summary": f"{title}: {_SUMMARIES[domain, len(craft)]}",
        "text": definition.definition.en,
        "confidence": order.confidence,
        "author": order.unit or f"standing order {order.id}",
        "sources": [
            *(f"feed {feed}" for feed in (finding.feed, *finding.more_feeds)),
            f"detector {finding.detector}",
        ],
        "tags": [domain, *([finding.group] if finding.group else [])],
        "body.detector": finding.detector,
        "body.state": finding.state,
        "body.start": iso(finding.start_us),
        "body.measured": finding.measured,
        "body.thresholds": finding.thresholds,
        "body.evidence": rows,
        "body.known_errors": [e.en for e in definition.known_errors if e.id in finding.known_errors],
        "body.finding": finding.key,
    }
    if finding.lat is not None and finding.lon is not None:
        slots.update(place_ladder(point(finding.lat, finding.lon)))
    for name, one in (("body.craft", finding.craft), ("body.other", finding.other)):
        if one is not None:
            slots[name] = one
    if finding.zone is not None:
        slots["body.zone"] = finding.zone
    if finding.end_us is not None:
        slots["body.end"] = iso(finding.end_us)
    if finding.closed_because is not None:
        slots["body.closed_because"] = definition.closed[finding.closed_because].en
    return Draft(
        kind="alert",
        marking=order.marking,
        onward=order.onward,
        exercise=finding.exercise,
        slots=slots,
    )


def _thinned(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most `most` rows, evenly taken, first and last among them."""
    if len(rows) <= most:
        return rows
    step = (len(rows) - 1) / (most - 1)
    return [rows[round(i * step)] for i in range(most)]


class ReportForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person's report as typed: in the picture or after `samsyn say`."""

    title: str
    lat: float
    lon: float
    text: str = ""
    summary: str = ""
    category: str = "sea"
    marking: str = "TLP:AMBER"
    onward: str = "ask"
    confidence: str = "medium"
    time: str = ""  # RFC 3339; empty: now
    time_us: int | None = None
    tags: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()  # "originator/id/version": what it was made of
    purpose: str = ""
    personal: bool = False  # holds personal data
    retain_until: str = ""  # 2027-05-31: the last day on which anybody may hold it
    attachments: tuple[Value, ...] = ()  # what is to be named; their bytes are given beside the form

    @staticmethod
    def read(values: Any) -> ReportForm:
        """Raises `InputError` naming the field."""
        try:
            return msgspec.convert(values, ReportForm)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="report") from e

    def draft(self, *, by: str, exercise: bool, now_us: int) -> Draft:
        """Raises `InputError` naming the field that is wrong."""
        _one_of("marking", self.marking, MARKINGS)
        _one_of("confidence", self.confidence, CONFIDENCES)
        _one_of("onward", self.onward, ONWARD)
        _one_of("category", self.category, CATEGORIES)
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise InputError(
                f"{self.lat}, {self.lon} is no place", where="lat, lon", do="degrees WGS 84"
            )
        if not self.title.strip():
            raise InputError("a report needs a title", where="title")
        try:
            at_us = self.time_us or (parse_iso(self.time) if self.time else now_us)
        except ValueError as e:
            raise InputError(str(e), where="time", do="write 2026-11-21T20:15:00Z") from e
        slots: dict[str, Any] = {
            **place_ladder(point(self.lat, self.lon)),
            **time_ladder(at_us),
            "title": self.title,
            "confidence": self.confidence,
            "author": by,
            "body.category": self.category,
            "body.observer": by,
            "tags": list(self.tags),
        }
        more = (("text", self.text), ("summary", self.summary), ("refs", list(self.refs)))
        slots.update({k: v for k, v in more if v})
        if len(self.attachments) > limits.ATTACHMENTS:
            raise InputError(
                f"{len(self.attachments)} attachments",
                where="attachments",
                do=f"a report has {limits.ATTACHMENTS} at most",
            )
        slots.update({SLOTS[n]: dict(one) for n, one in enumerate(self.attachments)})
        return Draft(
            kind="report",
            marking=self.marking,
            onward=self.onward,
            exercise=exercise,
            slots=slots,
            purpose=self.purpose or None,
            personal=True if self.personal else None,
            retain_until=self.retain_until or None,
        )


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{value!r} is no {field}", where=field, do=f"use one of {', '.join(allowed)}")
