"""Every case of every detector does what it says, in any batches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import SECOND_US
from samsyn.watch.definition import discover
from tests.watch import cases as wc

CASES = wc.cases()
NAMES = [f"{detector}: {case['name']}" for detector, case in CASES]


def _with(case: dict[str, Any], detector: str) -> str | None:
    """All detectors; of cases that last for weeks only the one that they are for."""
    days = max(leg["to_s"] + leg.get("count", 1) * leg.get("step_s", 0) for leg in case["legs"]) / 86400
    return detector if days > 7 else None


@pytest.mark.parametrize(("detector", "case"), CASES, ids=NAMES)
def test_a_case_does_what_it_says(detector: str, case: dict[str, Any]):
    revisions = wc.watched(case, detector)
    last = {f.key: f for f in revisions}
    expected = case.get("findings", [])
    assert case["expect"] == ("fires" if expected else "silent")
    assert len(last) == len(expected), [(f.key, f.measured) for f in revisions]
    for finding, said in zip(last.values(), expected, strict=True):
        for name, value in said.items():
            if name == "raised_by_s":
                first = next(f for f in revisions if f.key == finding.key)
                assert first.revision == 1
                assert (first.updated_us - wc.BEGIN_US) / SECOND_US <= value
            elif name == "closed_by_s":
                assert (finding.updated_us - wc.BEGIN_US) / SECOND_US <= value
            else:
                assert getattr(finding, name) == value, name


def test_every_detector_has_cases_of_both_sorts():
    sorts = {(detector, case["expect"]) for detector, case in CASES}
    detectors = {detector for detector, _ in sorts}
    assert detectors == set(discover())
    assert sorts == {(d, e) for d in detectors for e in ("fires", "silent")}


@pytest.mark.parametrize(("detector", "case"), CASES, ids=NAMES)
def test_no_other_detector_speaks_about_a_silent_case(detector: str, case: dict[str, Any]):
    if case["expect"] == "silent":
        all_of_them = wc.watched(case, _with(case, detector))
        assert [f.key for f in all_of_them if f.detector == detector] == []


@pytest.mark.parametrize(("detector", "case"), CASES, ids=NAMES)
def test_any_batches_give_the_same_findings(detector: str, case: dict[str, Any]):
    rows, which = wc.batch(case), _with(case, detector)
    whole = wc.watch_rows(case, rows, which, [])

    @settings(max_examples=3, deadline=None, database=None)
    @given(st.lists(st.integers(0, rows.height), max_size=12))
    def same(cuts: list[int]) -> None:
        assert wc.watch_rows(case, rows, which, cuts) == whole

    same()


def test_one_row_at_a_time_gives_the_same_findings():
    case = next(case for _, case in CASES if case["name"] == "emergency for ten minutes")
    rows = wc.batch(case).height
    assert wc.watched(case, None, list(range(rows))) == wc.watched(case, None)
