"""The compiled reader gives what the rules in Python give, for whatever comes, or leaves it to them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings

import hatch_build
from samsyn.base import limits
from samsyn.base.errors import Refused
from samsyn.statements import read as reading
from samsyn.statements.sign import sign
from samsyn.subjects import KINDS
from tests.statements import presentations
from tests.statements.samples import DK, disclosure, draft, forged
from tests.statements.test_statement import slot_sets

Found = tuple[Any, ...]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Built anew from `_read.c`, whatever lies beside it."""
    try:
        path = hatch_build.build_reader(tmp_path_factory.mktemp("reader"), "-Werror")
    except hatch_build.ReaderError as e:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the compiled reader cannot be built here: {e}")
    spec = spec_from_file_location("_read", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = reading.compiled
    yield
    reading.compiled = before


def outcome(presentation: bytes, compiled: ModuleType | None) -> Found:
    """What reading gives, in a form that tells 1 from 1.0 and one order from another."""
    reading.compiled = compiled
    try:
        found = reading.read(presentation)
    except Refused as e:
        return ("refused", e.reason, e.what, e.where)
    s = found.statement
    said_of_kind = ""
    if s.kind in KINDS:
        try:
            KINDS[s.kind].check_held(s.slots)
        except Refused as e:
            said_of_kind = f"{e.reason} {e.what}"
    held = [s.jwt, list(s.disclosures.items()), repr(list(s.slots.items())), repr(s.extra), said_of_kind]
    said = [s.iss, s.jti, s.ver, s.kind, s.marking, s.onward, s.exercise, s.purpose, s.retain_until]
    return ("read", found.kid, found.sealed, *said, s.personal, *held)


def is_lazy(presentation: bytes, compiled: ModuleType) -> bool:
    """Whether it is read without making all its values."""
    reading.compiled = compiled
    return type(reading.read(presentation).statement.slots) is reading.Slots


def alike(built: ModuleType, count: int, seed: int) -> Counter[str]:
    """How many of each outcome; all of them the same both ways."""
    seen: Counter[str] = Counter()
    for presentation in presentations.cases(count, seed):
        rules = outcome(presentation, None)
        assert outcome(presentation, built) == rules, presentation
        seen[rules[0] if rules[0] == "read" else rules[1]] += 1
    return seen


def test_twenty_thousand_odd_ones_are_read_alike(built: ModuleType) -> None:
    seen = alike(built, 20_000, seed=11)
    assert min(seen[r] for r in ("read", "malformed", "altered-disclosure")) > 500, seen


@pytest.mark.nightly
def test_a_million_odd_ones_are_read_alike(built: ModuleType) -> None:
    for seed in range(50):
        alike(built, 20_000, seed=1000 + seed)


@settings(max_examples=200)
@given(slot_sets)
def test_what_is_signed_here_is_read_alike(built: ModuleType, slots: dict[str, Any]) -> None:
    presentation = sign(draft(slots), iss="dk", key=DK).present()
    assert outcome(presentation, built) == outcome(presentation, None)


def test_what_we_say_is_taken_apart_without_the_rules(built: ModuleType, monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "_read_whole", lambda _: pytest.fail("left to the rules"))
    for presentation in presentations.ordinary():
        assert outcome(presentation, built)[0] == "read"


@pytest.mark.parametrize("value", presentations.VALUES, ids=lambda v: repr(v[:24]))
def test_each_odd_value_is_read_alike(built: ModuleType, value: bytes) -> None:
    around = [b'["s","title","x"]', b'["s","body.v",%b]' % value, b'["s","text","y"]']
    for which in (around, around[1:2], around[:2]):
        presentation = presentations.spelt(*which)
        assert outcome(presentation, built) == outcome(presentation, None)


def test_what_stands_at_a_limit_is_read_alike(built: ModuleType) -> None:
    largest = limits.DISCLOSURE_BYTES * 3 // 4 - 14
    long = [[disclosure("s", "text", "a" * (largest + n))] for n in range(-3, 4)]
    full = [disclosure("s", f"body.s{n}", "x") for n in range(limits.STATEMENT_SLOTS)]
    for parts in (*long, full):
        presentation = forged(parts)
        assert outcome(presentation, built) == outcome(presentation, None)


def test_what_was_read_gives_its_disclosures_and_itself_back(built: ModuleType) -> None:
    ordinary = [whole.split(b"~") for whole in presentations.ordinary()]
    turned = [[jwt, *reversed(parts), end] for jwt, *parts, end in ordinary]
    for presentation in map(b"~".join, ordinary + turned):
        reading.compiled = None
        plain = reading.read(presentation).statement
        reading.compiled = built
        found = reading.read(presentation).statement
        assert found.disclosures.keys() == plain.disclosures.keys()
        assert found.present() == plain.present(plain.slots)  # in the order of names, however it came
        some = list(plain.slots)[:2]
        assert found.present(some) == plain.present(some)
        assert dict(found.disclosures) == plain.disclosures and found == plain


def test_it_is_built_for_the_rules_that_use_it(built: ModuleType) -> None:
    assert built.FORM == reading._FORM  # else an older one that lies about would be taken


NOTHING = [b"", b"~", b".", b"..~", b"...~", b"a.b.c", b"a.b.c~", b"\x00" * 99, b"~~~"]


@pytest.mark.parametrize("data", NOTHING)
def test_what_is_no_presentation_is_left_to_the_rules(built: ModuleType, data: bytes) -> None:
    assert built.take_apart(data, limits.STATEMENT_SLOTS, limits.DISCLOSURE_BYTES, 16, None) is None
    assert outcome(data, built) == outcome(data, None)


def test_a_presentation_cut_anywhere_is_read_alike(built: ModuleType) -> None:
    whole = presentations.ordinary()[0]
    for end in range(0, len(whole), 3):
        assert outcome(whole[:end], built) == outcome(whole[:end], None)


def test_other_limits_than_it_was_built_for_are_left_to_the_rules(built: ModuleType) -> None:
    whole = presentations.ordinary()[0]
    assert built.take_apart(whole, limits.STATEMENT_SLOTS + 1, limits.DISCLOSURE_BYTES, 16, None) is None
    assert built.take_apart(whole, limits.STATEMENT_SLOTS, 100, 16, None) is None
    with pytest.raises(TypeError):
        built.take_apart("text", limits.STATEMENT_SLOTS, limits.DISCLOSURE_BYTES, 16, None)
