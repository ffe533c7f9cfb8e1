"""Cards, their words, and the roster."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.encoding import b64url
from samsyn.base.errors import ConfigError, InputError, LimitError, Refused
from samsyn.exchange.card import make_card, read_card, words
from tests.exchange.nodes import Keys, Node


@pytest.mark.parametrize(
    ("address", "spoken"),
    [  # the examples of the proposal (arXiv 0901.4016)
        ((127, 0, 0, 1), "lusab-babad"),
        ((63, 84, 220, 193), "gutih-tugad"),
        ((140, 98, 193, 141), "mudof-sakat"),
        ((216, 68, 232, 21), "todah-vobij"),
        ((12, 110, 110, 204), "budov-kuras"),
    ],
)
def test_words_are_those_of_the_published_scheme(address: tuple[int, ...], spoken: str) -> None:
    assert words(bytes(address)) == spoken


@given(st.binary(min_size=2, max_size=2), st.binary(min_size=2, max_size=2))
def test_two_values_never_share_a_word(one: bytes, other: bytes) -> None:
    assert (words(one) == words(other)) == (one == other)


def test_a_card_comes_back_as_it_was_written(tmp_path: Path) -> None:
    card = Node(tmp_path, "dk").card()
    card.write(tmp_path / "dk.card.json")
    assert read_card((tmp_path / "dk.card.json").read_bytes()) == card
    assert list(tmp_path.glob("*.part")) == []
    assert len(card.fingerprint.split("-")) * 16 >= 80


def test_the_words_change_with_every_key_and_the_certificate_but_not_with_the_address(
    tmp_path: Path,
) -> None:
    node = Node(tmp_path, "dk")
    card = node.card()
    for name in ("statement", "log", "request"):
        keys = dataclasses.replace(node.keys, **{name: Keys().statement})
        assert make_card("dk", "x", "h:1", keys, node.certificate).fingerprint != card.fingerprint
    other = Node(tmp_path, "other").certificate
    assert make_card("dk", "x", "h:1", node.keys, other).fingerprint != card.fingerprint
    assert make_card("dk", "x", "h:1", node.keys, node.certificate).fingerprint == card.fingerprint


@pytest.mark.parametrize("field", ["name", "organisation", "address", "log_key", "request_key"])
def test_a_changed_card_is_refused(tmp_path: Path, field: str) -> None:
    card, other = Node(tmp_path, "dk").card("h:1"), Node(tmp_path, "se").card("h:2")
    changed = msgspec.structs.replace(card, **{field: getattr(other, field)})
    with pytest.raises(Refused) as refused:
        read_card(changed.to_bytes())
    assert refused.value.reason == "forged-card"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../dk"},
        {"name": "DK"},
        {"organisation": "two\nlines"},
        {"organisation": ""},
        {"address": "no-port"},
        {"address": "h:0"},
        {"address": "user@h:1"},
        {"address": "h/path:1"},
        {"address": "::1:8441"},
        {"log_key": "short"},
        {"log_key": b64url(bytes(31))},
        {"certificate": "nothing"},
    ],
)
def test_a_card_with_an_impossible_field_is_no_card(tmp_path: Path, change: dict[str, str]) -> None:
    card = msgspec.structs.replace(Node(tmp_path, "dk").card(), **change)
    with pytest.raises(InputError):
        read_card(card.to_bytes())


def test_a_card_has_one_key_a_purpose_and_one_certificate(tmp_path: Path) -> None:
    node = Node(tmp_path, "dk")
    shared = Keys(node.keys.statement, node.keys.statement, node.keys.request)
    with pytest.raises(ConfigError, match="two purposes"):
        make_card("dk", "x", "h:1", shared, node.certificate)
    with pytest.raises(ConfigError, match="one certificate"):
        make_card("dk", "x", "h:1", node.keys, node.certificate + Node(tmp_path, "se").certificate)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"name":"dk"}'])
def test_what_is_no_card_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(InputError):
        read_card(data)


def test_a_card_has_a_limit() -> None:
    with pytest.raises(LimitError):
        read_card(b" " * (limits.CARD_BYTES + 1))


# the roster


def test_nobody_is_known_before_a_card_was_added(tmp_path: Path) -> None:
    dk, se = Node(tmp_path, "dk"), Node(tmp_path, "se")
    assert dk.roster.all() == [] and dk.roster.get("se") is None
    dk.roster.add(se.card())
    assert dk.roster.get("se") == se.card()
    dk.roster.remove("se")
    assert dk.roster.get("se") is None
    with pytest.raises(ConfigError):
        dk.roster.remove("se")


def test_other_keys_under_a_known_name_are_refused_but_a_new_address_is_taken(tmp_path: Path) -> None:
    dk, se = Node(tmp_path, "dk"), Node(tmp_path, "se")
    dk.roster.add(se.card("old:1"))
    dk.roster.add(se.card("new:1"))
    assert [card.address for card in dk.roster.all()] == ["new:1"]
    with pytest.raises(Refused) as refused:
        dk.roster.add(Node(tmp_path / "false", "se").card())
    assert refused.value.reason == "changed-keys"


def test_a_partner_cannot_come_with_the_keys_of_another_or_with_our_name(tmp_path: Path) -> None:
    dk, se, fi = Node(tmp_path, "dk"), Node(tmp_path, "se"), Node(tmp_path, "fi")
    dk.roster.add(se.card())
    fi.keys = dataclasses.replace(fi.keys, request=se.keys.request)
    for card, reason in ((fi.card(), "shared-key"), (dk.card(), "own-name")):
        with pytest.raises(Refused) as refused:
            dk.roster.add(card)
        assert refused.value.reason == reason


def test_a_file_under_another_name_is_not_believed(tmp_path: Path) -> None:
    dk, se = Node(tmp_path, "dk"), Node(tmp_path, "se")
    dk.roster.add(se.card())
    (dk.roster.folder / "se.card.json").rename(dk.roster.folder / "fi.card.json")
    with pytest.raises(ConfigError, match="'se'"):
        dk.roster.get("fi")
    assert dk.roster.get("../fi") is None
