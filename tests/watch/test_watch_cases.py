"""Every case of every detector does what it says, in any batches."""

from __future__ import annotations

import random
from functools import cached_property
from typing import Any

import polars as pl
import pytest

from samsyn.base.clock import SECOND_US
from samsyn.watch.definition import discover
from samsyn.watch.finding import Finding
from tests.watch import cases as wc

CASES = wc.cases()
NAMES = [f"{detector}: {case['name']}" for detector, case in CASES]
CUTS = 2  # other ways to cut a case into batches; tests/watch/test_same_findings.py draws many


class Played:
    """A case, and what is found in it."""

    def __init__(self, detector: str, case: dict[str, Any]) -> None:
        self.detector = detector
        self.case = case
        days = (
            max(leg["to_s"] + leg.get("count", 1) * leg.get("step_s", 0) for leg in case["legs"]) / 86400
        )
        # all detectors; of cases that last for weeks only the one that they are for
        self._which = detector if days > 7 else None

    @cached_property
    def rows(self) -> pl.DataFrame:
        return wc.batch(self.case)

    @cached_property
    def found(self) -> list[Finding]:
        """By all detectors, in one batch."""
        return self.found_in([])

    def found_in(self, cuts: list[int]) -> list[Finding]:
        return wc.watch_rows(self.case, self.rows, self._which, cuts)


@pytest.fixture(scope="module", params=CASES, ids=NAMES)
def played(request: pytest.FixtureRequest) -> Played:
    """One case for all tests of it, before the next."""
    return Played(*request.param)


def test_a_case_does_what_it_says(played: Played) -> None:
    case = played.case
    revisions = wc.watch_rows(case, played.rows, played.detector, [])
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


def test_no_other_detector_speaks_about_a_silent_case(played: Played) -> None:
    if played.case["expect"] == "silent":
        assert [f.key for f in played.found if f.detector == played.detector] == []


def _same_in_any_batches(played: Played, chance: random.Random, ways: int) -> None:
    for _ in range(ways):
        cuts = sorted(chance.choices(range(played.rows.height + 1), k=chance.randint(1, 12)))
        assert played.found_in(cuts) == played.found, cuts


def test_any_batches_give_the_same_findings(played: Played) -> None:
    _same_in_any_batches(played, random.Random(played.case["name"]), CUTS)


@pytest.mark.nightly
def test_many_more_batches_give_the_same_findings(played: Played) -> None:
    _same_in_any_batches(played, random.Random(), 20)  # others each night; a failure tells its cuts


def test_one_row_at_a_time_gives_the_same_findings():
    case = next(case for _, case in CASES if case["name"] == "emergency for ten minutes")
    rows = wc.batch(case).height
    assert wc.watched(case, None, list(range(rows))) == wc.watched(case, None)
