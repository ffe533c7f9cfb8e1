"""The plot is SVG that any page may carry, in both languages, of anything a finding may hold."""

from __future__ import annotations

from xml.etree import ElementTree

from samsyn.watch.plot import plot
from tests.watch import cases as wc

T0 = 1_700_000_000_000_000


def test_rows_become_readable_svg_without_foreign_text():
    rows = [
        {"time_us": T0 + k * 60_000_000, "speed_kn": 0.5, "course_deg": 30.0, "heading_deg": 270.0}
        for k in range(30)
    ]
    svg = plot(rows, title='<script>"x"</script>', language="sv")
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "<script" not in svg
    assert "Fart, kn" in svg and "Stäv" in svg
    assert svg.count("<circle") == 60


def test_missing_values_and_no_rows_are_no_error():
    assert "No rows to plot" in plot([])
    ElementTree.fromstring(plot([{"time_us": T0}]))
    ElementTree.fromstring(plot([{"time_us": T0, "speed_kn": None, "course_deg": 12.5}]))


def test_many_rows_are_thinned():
    rows = [{"time_us": T0 + k * 1_000_000, "course_deg": 1.0} for k in range(50_000)]
    assert plot(rows).count("<circle") <= 1_000


def test_findings_about_places_and_pairs_are_plotted_too():
    """Their evidence has craft, counts or a second aircraft in it, and no speed in some."""
    wanted = {"interference", "activity", "encounter-air"}
    for detector, case in wc.cases():
        if detector in wanted and case["expect"] == "fires":
            wanted.discard(detector)
            for finding in wc.watched(case, detector):
                assert plot(finding).startswith("<svg")
    assert not wanted
