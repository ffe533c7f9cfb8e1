"""Finished pages are kept in memory, and never outlive a release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.formats.view import View
from samsyn.interfaces.collection import StixMaker
from samsyn.interfaces.kept import Kept
from samsyn.statements.statement import Statement
from tests.channels.nodes import draft
from tests.interfaces.readers import Site, told

SECRET = "secret radar"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def say(site: Site, kind: str = "alert", **more: Any) -> Statement:
    said = site.node.stores.pen.sign(draft(kind, exercise=False, **more), by="t")
    site.node.tick()
    return said


def in_memory(kept: Kept) -> str:
    return str(kept._things)


def test_what_is_kept_is_what_was_made(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is made once, whoever asks for it however often."""
    made: list[View] = []
    make = StixMaker.make

    def counted(self: StixMaker, view: View) -> Any:
        made.append(view)
        return make(self, view)

    monkeypatch.setattr(StixMaker, "make", counted)
    for _ in range(3):
        say(site)
    first = site.fetched("cyber")
    assert len(made) == 3 and SECRET in in_memory(site.node.kept)
    assert site.fetched("cyber", per_page=1) == site.fetched("cyber", per_page=4) == first
    assert len(made) == 3
    assert SECRET not in str(site.fetched("gis")), "another reader's view is another thing"


def test_a_purge_empties_the_memory_at_the_same_tick(site: Site) -> None:
    gone, stays = say(site), say(site)
    site.fetched("cyber")
    assert gone.jti in in_memory(site.node.kept)
    site.node.stores.pen.withdraw(gone.jti, purge=True, why="", by="t")
    site.node.tick()
    # nobody has asked since
    assert gone.jti not in in_memory(site.node.kept) and stays.jti in in_memory(site.node.kept)
    assert told(site.fetched("cyber")).keys() == {stays.jti}


def test_what_is_gone_from_the_store_is_not_served_before_any_tick(site: Site) -> None:
    """Another process purged it, or its originator did: the memory is asked, and is not believed."""
    gone, stays = say(site), say(site)
    assert told(site.fetched("cyber")).keys() == {gone.jti, stays.jti}
    site.node.stores.statements.withdraw(gone.jti, purge=True, at_us=site.wall.now_us())
    assert told(site.fetched("cyber")).keys() == {stays.jti}
    assert gone.jti not in in_memory(site.node.kept)


def test_a_newer_version_and_a_narrower_policy_empty_it(site: Site) -> None:
    said = say(site)
    before = site.fetched("cyber")
    site.node.stores.pen.sign(draft(exercise=False, title="Another title"), by="t", jti=said.jti, ver=2)
    site.node.tick()
    after = site.fetched("cyber")
    assert before != after and "Another title" in str(after)
    # a version that only another reader may have: this one is told that the old one ended
    site.node.stores.pen.sign(
        draft(exercise=False, marking="TLP:RED", title="For few"), by="t", jti=said.jti, ver=3
    )
    site.node.tick()
    assert (said.jti in told(site.fetched("gis"))) == (said.jti in site.held("gis"))
    assert "Another title" not in str(site.fetched("gis"))


def test_what_was_being_made_while_it_ended_is_not_kept() -> None:
    kept = Kept()
    since = kept.now
    kept.forget(["a"])
    kept.put("key", "a", b"1", "words", 5, since)
    assert kept.get("key", b"1") is None and kept.bytes == 0


def test_of_other_bytes_nothing_is_given_out() -> None:
    kept = Kept()
    kept.put("key", "a", b"1", "words", 5, kept.now)
    assert kept.get("key", b"1") == "words"
    assert kept.get("key", b"2") is None
    assert kept.get("key", b"1") is None, "and it is dropped: it never comes true again"


@given(
    st.lists(
        st.tuples(
            st.sampled_from("pgf"), st.integers(0, 5), st.sampled_from("abc"), st.integers(0, 4_000)
        )
    )
)
def test_it_is_bounded_whatever_is_put(steps: list[tuple[str, int, str, int]]) -> None:
    room = 6_000
    kept = Kept(room)
    ended: set[str] = set()
    for what, key, jti, size in steps:
        if what == "p":
            kept.put((key, jti), jti, b"", jti, size, kept.now)
            ended.discard(jti)
        elif what == "f":
            kept.forget([jti])
            ended.add(jti)
        else:
            kept.get((key, jti), b"")
        assert 0 <= kept.bytes <= room
        assert kept.bytes == sum(thing[3] for thing in kept._things.values())
        assert {thing[0] for thing in kept._things.values()} == kept._of.keys()
        assert not ended & kept._of.keys()
    kept.forget()
    assert kept.bytes == 0 and not kept._things and not kept._of
