"""Every bench question can be asked, and every kept answer says where it was measured."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import run
from bench.measure import NoCorpus, Row, corpus, rate
from tests.tidy import tree


@pytest.mark.parametrize("name", run.questions())
def test_a_question_asks_and_answers(name: str) -> None:
    module = importlib.import_module(f"bench.q_{name}")
    assert (module.__doc__ or "").splitlines()[0].endswith("?"), (
        "the docstring's first line is the question"
    )
    assert not inspect.signature(module.rows).parameters


KEYS = {"question", "metric", "value", "unit", "compared_with", "ratio", "machine", "corpus"}


def test_kept_answers_are_flat_rows_that_name_machine_and_measure() -> None:
    kept = json.loads((tree.ROOT / "bench" / "results.json").read_text())
    assert {row["question"] for row in kept} == set(run.questions())
    for row in kept:
        assert set(row) == KEYS
        assert row["unit"] and row["metric"] and row["machine"]
        assert row["compared_with"] or row["ratio"] is None


def test_an_answer_replaces_only_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked:
        """Is it one?"""

        @staticmethod
        def rows() -> Iterator[Row]:
            yield Row("ones", 1, "ones")

    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(run, "questions", lambda: ["one", "two"])
    monkeypatch.setattr(run.importlib, "import_module", lambda _: Asked)
    old = [dict.fromkeys(KEYS, None) | {"question": name} for name in ("two", "gone", "one")]
    (tmp_path / "results.json").write_text(json.dumps(old))
    assert run.main(["one"]) == 0
    kept = json.loads((tmp_path / "results.json").read_text())
    assert [(row["question"], row["value"]) for row in kept] == [("one", 1), ("two", None)]
    assert run.main(["three"]) == 2


def test_a_corpus_that_is_absent_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMSYN_DATA", str(tmp_path))
    with pytest.raises(NoCorpus, match="SAMSYN_DATA"):
        corpus("sea/gone.ais")


def test_a_rate_is_what_was_done_over_what_it_took() -> None:
    assert rate(lambda: 0) == 0
    assert rate(lambda: 5) > 0
