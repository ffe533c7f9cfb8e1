"""A statement as it is used: said, cut to a view, checked by its holder, widened."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.encoding import sha256
from samsyn.base.errors import Refused
from samsyn.base.ids import is_id
from samsyn.statements.reread import reread
from samsyn.statements.sign import MANY, parse, sign, sign_many, verify, verify_many
from samsyn.statements.statement import Statement, view_hash
from tests.statements import samples
from tests.statements.samples import DK, KEYS, SE, disclosure, draft, forged

SAID = sign(draft(), iss="dk", key=DK)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=30)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=10).filter(lambda k: k not in ("_sd", "...")), inner, max_size=4
        )
    ),
    max_leaves=12,
)
free_slots = st.sampled_from(
    ["title", "summary", "text", "confidence", "author", "sources", "refs", "tags"]
) | st.from_regex(r"body\.[a-z][a-z0-9_]{0,12}", fullmatch=True)
slot_sets = st.dictionaries(free_slots, json_values, max_size=limits.STATEMENT_SLOTS)


def claims(statement: Statement) -> dict[str, Any]:
    found = json.loads(urlsafe_b64decode(statement.jwt.split(b".")[1] + b"=="))
    assert isinstance(found, dict)
    return found


# --- one signature, many views


def test_two_readers_hold_one_signature_and_different_slots() -> None:
    """The example that opens the design: one reader gets all, another the area and the hour."""
    whole = verify(SAID.present(), KEYS)
    coarse = verify(SAID.present(["place.region", "place.area", "time.day", "time.hour", "title"]), KEYS)
    assert whole == SAID
    assert coarse.jwt == whole.jwt
    assert set(coarse.slots) == {"place.region", "place.area", "time.day", "time.hour", "title"}
    assert (coarse.iss, coarse.kind, coarse.marking, coarse.exercise) == (
        "dk",
        "alert",
        "TLP:AMBER",
        True,
    )


def test_no_byte_of_a_withheld_slot_is_in_a_view() -> None:
    view = SAID.present(["place.region", "title"])
    plain = view + b"".join(
        urlsafe_b64decode(part + b"==") for part in view.replace(b".", b"~").split(b"~")
    )
    for word in ("55.34", "watch officer", "drift", "20:05", "radar", *SAID.slots["place.spot"]):
        assert word.encode() not in plain
    assert b"Tanker" in plain


def test_a_view_is_the_same_bytes_whatever_order_it_was_asked_for_in() -> None:
    asked = ["title", "text", "place.area"]
    assert SAID.present(asked) == SAID.present(reversed(asked)) == SAID.present([*asked, "text"])
    assert view_hash(SAID.present(asked)) == sha256(SAID.present(asked))
    cuts = [frozenset(asked), frozenset[str](), frozenset(SAID.slots)]
    assert SAID.view_hashes(cuts) == [view_hash(SAID.present(cut)) for cut in cuts]


def test_a_view_of_nothing_still_says_who_what_and_how_to_handle_it() -> None:
    assert SAID.present([]) == SAID.jwt + b"~"
    assert verify(SAID.present([]), KEYS).slots == {}


def test_a_slot_that_is_not_held_cannot_be_presented() -> None:
    with pytest.raises(KeyError):
        SAID.present(["title", "body.unheard"])
    with pytest.raises(KeyError):
        verify(SAID.present(["title"]), KEYS).present(["text"])


@given(slot_sets, st.data())
def test_any_slots_and_any_subset_of_them_present_and_verify(
    given_slots: dict[str, Any], data: st.DataObject
) -> None:
    said = sign(draft(given_slots), iss="dk", key=DK)
    assert verify(said.present(), KEYS).slots == given_slots
    shown = data.draw(st.sets(st.sampled_from(sorted(given_slots)))) if given_slots else set()
    view = verify(said.present(shown), KEYS)
    assert view.slots == {slot: given_slots[slot] for slot in shown}
    assert view.jwt == said.jwt
    assert view.present() == said.present(shown)


@given(st.data())
def test_views_widen_to_the_whole_in_any_order(data: st.DataObject) -> None:
    names = sorted(SAID.slots)
    one = data.draw(st.sets(st.sampled_from(names)))
    two = data.draw(st.sets(st.sampled_from(names)))
    a, b = (parse(SAID.present(shown)) for shown in (one, two))
    assert a.merged(b).present() == b.merged(a).present() == SAID.present(one | two)


# --- what the signed part tells of what is withheld: nothing


@given(slot_sets, slot_sets)
def test_the_signed_part_is_as_long_whatever_is_said(one: dict[str, Any], two: dict[str, Any]) -> None:
    """What holds exactly: the length depends on the claims in clear alone (iss, kind, marking, onward,
    exercise, ver, duties; jti, kid and digests are of fixed length), and on nothing of the slots."""
    a, b = (sign(draft(slots), iss="dk", key=DK) for slots in (one, two))
    assert len(a.jwt) == len(b.jwt)
    for statement in (a, b):
        digests = claims(statement)["_sd"]
        assert len(digests) == limits.STATEMENT_SLOTS
        assert digests == sorted(set(digests))
        assert {len(d) for d in digests} == {43}


def test_a_claim_in_clear_is_all_that_changes_the_length() -> None:
    longer = sign(draft(marking="TLP:AMBER+STRICT"), iss="dk", key=DK)
    assert len(longer.jwt) > len(SAID.jwt)
    assert len(sign(draft(marking="TLP:GREEN"), iss="dk", key=DK).jwt) == len(SAID.jwt)


def test_where_a_digest_stands_says_nothing_of_its_slot() -> None:
    """Sorted by value, and the values are of salted hashes: over many statements every place is used."""
    places = set()
    for said in sign_many([draft({"title": "A"})] * 400, iss="dk", key=DK):
        digest = claims(said)["_sd"]
        own = sha256(said.disclosures["title"])
        places.add([urlsafe_b64decode(d + "=") for d in digest].index(own))
    assert places == set(range(limits.STATEMENT_SLOTS))


def test_the_same_words_said_twice_share_no_digest() -> None:
    again = sign(draft(), iss="dk", key=DK)
    assert not set(claims(SAID)["_sd"]) & set(claims(again)["_sd"])
    assert SAID.jti != again.jti


def test_no_time_and_no_slot_name_stands_in_clear() -> None:
    in_clear = claims(SAID)
    assert set(in_clear) == {
        "_sd", "_sd_alg", "exercise", "iss", "jti", "kind", "marking", "onward", "ver",
    }  # fmt: skip
    assert is_id(in_clear["jti"])
    assert in_clear["jti"][14] == "4"  # a random id, version 4: no time in it


# --- versions, duties, what is not known


def test_a_further_version_keeps_its_name() -> None:
    later = sign(draft(), iss="dk", key=DK, jti=SAID.jti, ver=2)
    assert (later.jti, later.ver) == (SAID.jti, 2)


def test_duties_travel_in_clear() -> None:
    said = sign(
        draft(purpose="search and rescue", retain_until="2027-05-31", personal=True), iss="dk", key=DK
    )
    view = verify(said.present([]), KEYS)
    assert (view.purpose, view.retain_until, view.personal) == ("search and rescue", "2027-05-31", True)


def test_what_a_later_version_says_is_kept() -> None:
    given_ = [disclosure("salt", "wave.height_m", 2.5), disclosure("salt", "title", "A")]
    view = verify(forged(given_, caveat="no third party", colours=["a", {"b": 1}]), KEYS)
    assert view.extra == {"caveat": "no third party", "colours": ["a", {"b": 1}]}
    assert view.slots == {"wave.height_m": 2.5, "title": "A"}
    assert verify(view.present(), KEYS) == view


@given(slot_sets, st.data())
def test_what_is_kept_is_read_back_as_it_was_verified(
    given_slots: dict[str, Any], data: st.DataObject
) -> None:
    said = sign(draft(given_slots, purpose="search and rescue"), iss="dk", key=DK)
    shown = data.draw(st.sets(st.sampled_from(sorted(given_slots)))) if given_slots else set()
    body = said.present(shown)
    assert reread(body) == parse(body) == verify(body, KEYS)


def test_json_written_otherwise_is_taken_if_it_means_one_thing() -> None:
    raw = b'[ "salt" , "body.x" , { "b" : 1.50, "a" : "\\u00e5" } ]'
    assert verify(forged([disclosure(raw=raw)]), KEYS).slots == {"body.x": {"b": 1.5, "a": "å"}}


# --- what cannot be said


@pytest.mark.parametrize(
    "given_slots",
    [
        {"colour": "red"},
        {"body": 1},
        {"body.": 1},
        {"body.Field": 1},
        {"body.a.b": 1},
        {"iss": "se"},
        {"place.street": "x"},
        {"title": float("nan")},
        {"body.x": {"deep": [1.0, float("inf")]}},
        {"body.x": {1: "a"}},
        {"body.x": {1, 2}},
        {"body.x": b"bytes"},
        {"body.x": 2**53},
        {"body.x": "\ud800"},
        {"place.exact": {"type": "Point", "coordinates": [200, 0]}},
        {"time.hour": "2026-11-21T20:00Z"},
        {7: "seven"},
    ],
)
def test_what_no_verifier_would_take_is_not_signed(given_slots: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        sign(draft(given_slots), iss="dk", key=DK)
    assert caught.value.reason == "malformed"


def test_a_value_nested_too_deep_is_not_signed() -> None:
    value: Any = 1
    for _ in range(limits.STATEMENT_JSON_DEPTH):
        value = [value]
    with pytest.raises(Refused, match="nested deeper"):
        sign(draft({"body.x": value}), iss="dk", key=DK)
    assert sign(draft({"body.x": value[0]}), iss="dk", key=DK).slots["body.x"] == value[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "Alert!"},
        {"marking": "SECRET"},
        {"onward": "maybe"},
        {"exercise": "yes"},
        {"purpose": ""},
        {"retain_until": "2027-05-31T00:00Z"},
    ],
)
def test_a_draft_whose_claims_are_wrong_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        sign(draft(**changes), iss="dk", key=DK)
    for bad in ({"iss": "DK"}, {"jti": "1"}, {"ver": 0}):
        with pytest.raises(Refused):
            sign(draft(), **{"iss": "dk", "key": DK, **bad})  # type: ignore[arg-type]


# --- many at once


def test_many_are_as_one_by_one() -> None:
    drafts = [draft({**samples.slots(), "title": f"number {n}"}) for n in range(MANY + 3)]
    said = sign_many(drafts, iss="dk", key=DK)
    assert [s.slots["title"] for s in said] == [d.slots["title"] for d in drafts]
    assert verify_many([s.present() for s in said], KEYS) == said
    jtis = [s.jti for s in said]
    again = sign_many(drafts, iss="dk", key=DK, jtis=jtis, vers=[2] * len(jtis))
    assert [(s.jti, s.ver) for s in again] == [(jti, 2) for jti in jtis]
    assert sign_many([], iss="dk", key=DK) == verify_many([], KEYS) == []


def test_many_of_several_originators() -> None:
    mixed = [sign(draft(), iss=iss, key=key) for iss, key in (("dk", DK), ("se", SE))] * MANY
    assert [s.iss for s in verify_many([s.present() for s in mixed], KEYS)] == ["dk", "se"] * MANY


def test_a_statement_cannot_be_changed_in_hand() -> None:
    with pytest.raises(AttributeError):
        SAID.marking = "TLP:CLEAR"  # type: ignore[misc]
    assert msgspec.structs.replace(SAID, marking="TLP:CLEAR").jwt == SAID.jwt  # the signed part is not
