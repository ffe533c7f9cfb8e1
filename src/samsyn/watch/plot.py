"""A small plot of speed, course and heading over time, as SVG that reads by day and by night.

Lines and letters take the text colour of the page (currentColor); alone in a viewer the plot has
its own colours for light and dark. Course is drawn as points and heading as rings: where rings and
points part, the bow does not point where the ship goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, iso
from samsyn.watch.finding import Finding, about_whom

WIDTH: Final = 640
HEIGHT: Final = 300
_LEFT: Final = 44
_RIGHT: Final = WIDTH - 12
_SPEED: Final = (34, 124)  # top and bottom of the panels
_TURNS: Final = (150, 270)
_POINTS_MAX: Final = 1_000

_WORDS: Final = {
    "en": {"speed": "Speed, kn", "course": "Course", "heading": "Heading", "none": "No rows to plot"},
    "sv": {"speed": "Fart, kn", "course": "Kurs", "heading": "Stäv", "none": "Inga rader att rita"},
}

_FAINT: Final = 'stroke="currentColor" opacity=".18"'
_BOX: Final = 'fill="none" stroke="currentColor" opacity=".5"'
_LINE: Final = 'fill="none" stroke="currentColor" stroke-width="1.5"'

# Only for a plot alone in a viewer: in a page it has the page's colours (and a page's content
# security policy may refuse a style of ours, so nothing else hangs on it).
_STYLE: Final = (
    "svg:root{color:#1b2733;background:#fff}"
    "@media(prefers-color-scheme:dark){svg:root{color:#d9e2ea;background:#10161c}}"
)


def plot(source: Finding | Sequence[Mapping[str, Any]], *, title: str = "", language: str = "en") -> str:
    """SVG text of a finding's evidence, or of rows with time_us and, where known, speed_kn,
    course_deg and heading_deg, oldest first. A finding's own span is shaded.

    language: "en" or "sv".
    """
    words = _WORDS[language]
    span: tuple[int, int] | None = None
    rows: Sequence[Mapping[str, Any]]
    if isinstance(source, Finding):
        rows = source.evidence
        span = (source.start_us, source.end_us or source.updated_us)
        title = title or f"{source.detector} {about_whom(source)}"
    else:
        rows = source
    if not rows:
        return _svg([f'<text x="{_LEFT}" y="{HEIGHT // 2}">{escape(words["none"])}</text>'], title)
    if len(rows) > _POINTS_MAX:
        rows = rows[:: -(-len(rows) // _POINTS_MAX)]
    begin_us, end_us = int(rows[0]["time_us"]), int(rows[-1]["time_us"])
    if span is not None:
        begin_us, end_us = min(begin_us, span[0]), max(end_us, span[1])
    end_us = max(end_us, begin_us + SECOND_US)

    def across(time_us: int) -> float:
        return _LEFT + (time_us - begin_us) / (end_us - begin_us) * (_RIGHT - _LEFT)

    parts = [f'<text x="{_LEFT}" y="16" font-weight="600">{escape(title)}</text>']
    if span is not None:
        wide = max(across(span[1]) - across(span[0]), 1)
        parts.append(
            f'<rect class="span" opacity=".08" x="{across(span[0]):.1f}" y="{_SPEED[0]}" '
            f'width="{wide:.1f}" height="{_TURNS[1] - _SPEED[0]}"/>'
        )
    parts += _times(begin_us, end_us, across)
    parts += _speed_panel(rows, across, words)
    parts += _turn_panel(rows, across, words)
    return _svg(parts, title)


def _svg(parts: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="system-ui,sans-serif" font-size="11" '
        f'fill="currentColor"><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    )


def _speed_panel(rows: Sequence[Mapping[str, Any]], across: Any, words: Mapping[str, str]) -> list[str]:
    top, bottom = _SPEED
    known = [(int(r["time_us"]), float(r["speed_kn"])) for r in rows if r.get("speed_kn") is not None]
    most = _round_up(max((speed for _, speed in known), default=1.0))
    parts = [_frame(top, bottom, words["speed"])]
    for share in (0.0, 0.5, 1.0):
        parts.append(_rule(bottom - share * (bottom - top), f"{most * share:g}"))
    line = [f"{across(t):.1f},{bottom - min(v / most, 1) * (bottom - top):.1f}" for t, v in known]
    if line:
        parts.append(f'<polyline class="speed" {_LINE} points="{" ".join(line)}"/>')
    return parts


def _turn_panel(rows: Sequence[Mapping[str, Any]], across: Any, words: Mapping[str, str]) -> list[str]:
    top, bottom = _TURNS
    parts = [_frame(top, bottom, f"\u25cf {words['course']}   \u25cb {words['heading']}")]
    for degrees in (0, 90, 180, 270, 360):
        parts.append(_rule(bottom - degrees / 360 * (bottom - top), f"{degrees}\u00b0"))
    for name, radius, look in (
        ("heading", 2.2, 'fill="none" stroke="currentColor" opacity=".75"'),
        ("course", 1.5, ""),
    ):
        parts.append(f'<g class="{name}" {look}>')
        for row in rows:
            turn = row.get(f"{name}_deg")
            if turn is not None:
                y = bottom - float(turn) / 360 * (bottom - top)
                x = across(int(row["time_us"]))
                parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>')
        parts.append("</g>")
    return parts


def _frame(top: float, bottom: float, label: str) -> str:
    return (
        f'<rect {_BOX} x="{_LEFT}" y="{top}" width="{_RIGHT - _LEFT}" '
        f'height="{bottom - top}"/>'
        f'<text x="{_RIGHT}" y="{top - 4}" text-anchor="end">{escape(label)}</text>'
    )


def _rule(y: float, label: str) -> str:
    return (
        f'<line {_FAINT} x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    )


def _times(begin_us: int, end_us: int, across: Any) -> list[str]:
    """Upright rules at round times, labelled in UTC, and the day of the first."""
    steps = (10 * SECOND_US, MINUTE_US, 5 * MINUTE_US, 15 * MINUTE_US, HOUR_US, 2 * HOUR_US, 6 * HOUR_US)
    step = next((s for s in (*steps, 12 * HOUR_US) if (end_us - begin_us) / s <= 10), DAY_US)
    parts = [f'<text x="{_RIGHT}" y="16" text-anchor="end">{iso(begin_us)[:10]} UTC</text>']
    form = "%H:%M:%S" if step < MINUTE_US else "%d %b" if step == DAY_US else "%H:%M"
    at_us = -(-begin_us // step) * step
    while at_us <= end_us:
        x = across(at_us)
        label = datetime.fromtimestamp(at_us / SECOND_US, UTC).strftime(form)
        parts.append(f'<line {_FAINT} x1="{x:.1f}" x2="{x:.1f}" y1="{_SPEED[0]}" y2="{_TURNS[1]}"/>')
        parts.append(f'<text x="{x:.1f}" y="{_TURNS[1] + 16}" text-anchor="middle">{label}</text>')
        at_us += step
    return parts


def _round_up(speed_kn: float) -> float:
    """The top of the scale: the next even number of knots, coarser for the fast."""
    for scale in (1, 2, 4, 6, 8, 10, 20, 30, 40, 60, 100, 200, 400, 600, 1_000):
        if speed_kn <= scale:
            return float(scale)
    return 2_000.0
