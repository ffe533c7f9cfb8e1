"""What a reader without a node may not have changes no byte that it gets: by TAXII, OGC, public, TAK."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.noninterference.histories import first_difference, pair
from tests.noninterference.mutants_neighbours import BY_INTERFACE, Mutant
from tests.noninterference.neighbours import opaque, profile_of, same, seen
from tests.noninterference.test_hidden import drawn

AT_ONCE = 10


def check(first: int, at_once: int = AT_ONCE) -> None:
    for seed in range(first, first + at_once):
        one, other = (seen(pair(seed), b, profile_of(seed)) for b in (False, True))
        assert one == other, f"seed {seed}: " + first_difference(one, other)  # type: ignore[arg-type]


def check_hidden(first: int, at_once: int = AT_ONCE) -> None:
    for seed in range(first, first + at_once):
        one = opaque(seen(drawn(seed), False, profile_of(seed)))
        other = opaque(seen(drawn(seed), True, profile_of(seed), twins=True))
        assert one == other, f"seed {seed}: " + first_difference(one, other)  # type: ignore[arg-type]


@pytest.mark.parametrize("first", range(0, 30, AT_ONCE))
def test_what_a_reader_may_not_have_changes_no_byte_of_any_interface(first: int) -> None:
    check(first)


@pytest.mark.parametrize("seed", [100_529])  # a stream told first what was kept for others
def test_a_pair_that_told_something_once(seed: int) -> None:
    check(seed, 1)


@pytest.mark.parametrize("first", (0,))
def test_what_is_withheld_of_a_statement_changes_nothing_but_ids(first: int) -> None:
    check_hidden(first)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(100_000, 101_000, 50))
def test_a_thousand_pairs(first: int) -> None:
    check(first, 50)
    check_hidden(first, 50)


def test_the_pairs_say_something_by_every_interface() -> None:
    """Else the tests above would hold of nothing."""
    marks: dict[str, Callable[[str, bytes], bool]] = {
        "features": lambda asked, body: "/items?" in asked and b'"statement":' in body,
        "tracks": lambda asked, body: "/tracks/items?" in asked and b'"heard"' in body,
        "atom": lambda asked, body: "atom" in asked and b"entry>" in body,
        "cap": lambda asked, body: "/cap/" in asked and b"headline>" in body,
        "an end": lambda asked, body: "/cap/" in asked and b"Cancel" in body,
        "calendar": lambda asked, body: "calendar" in asked and b"VEVENT" in body,
        "a spot": lambda asked, body: "tak" in asked and b"b-m-p-s-p-i" in body,
        "a spot that goes": lambda asked, body: "tak" in asked and b"t-x-d-d" in body,
        "too many": lambda asked, body: b"Too many" in body,
    }
    found = [told for seed in range(8) for told in seen(pair(seed), True, profile_of(seed))]
    silent = {name for name, says in marks.items() if not any(says(t.asked, t.body) for t in found)}
    assert not silent


@pytest.mark.parametrize("mutant", BY_INTERFACE, ids=lambda m: m.__name__)
def test_a_leak_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert any(not same(pair(seed), profile_of(seed)) for seed in range(40))
