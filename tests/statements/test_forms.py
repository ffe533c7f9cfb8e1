"""What the compiled reader takes for a slot is what the types of the kind take, and no more."""

from __future__ import annotations

from types import ModuleType
from typing import Annotated, Any, Literal

import msgspec
import orjson
import pytest

from samsyn.base import limits
from samsyn.statements import read as reading
from samsyn.statements.forms import FORMS, form_of
from samsyn.subjects import KINDS
from tests.statements import presentations
from tests.statements.samples import DK, draft, slots
from tests.statements.test_compiled import built, is_lazy, outcome, restored, sign

__all__ = ["built", "restored"]  # fixtures


def _list(one: bytes, count: int) -> bytes:
    return b"[" + b",".join([one] * count) + b"]"


def _members(count: int, value: bytes = b"1") -> bytes:
    return b"{" + b",".join(b'"k%d":%b' % (n, value) for n in range(count)) + b"}"


LENGTHS = (0, 1, 2, 99, 100, 101, 199, 200, 201, 499, 500, 501)
TEXTS = [b'"%b"' % (b"a" * n) for n in (*LENGTHS, 31_999, 32_000, 32_001)]
TEXTS += [b'"%b"' % (b"\xc3\xa5" * n) for n in LENGTHS]
TEXTS += [b'"%b"' % (b"\\n" * n) for n in LENGTHS]
TEXTS += [b'"%b\\u0061"' % (b"a" * n) for n in LENGTHS]
CHOICES = [b'"high"', b'"low"', b'"hig"', b'"highh"', b'"High"', b'"hi\\u0067h"', b'"open"', b'"sea"']
CHOICES += [
    b'"closed"',
    b'"area"',
    b'"hour"',
    b'"given"',
    b'"consent"',
    b'"lowmedium"',
    b'"medium\\u0000"',
]
SCALARS = [b"null", b"true", b"false", b"1", b"-0", b"0.5", b"1e5", b"1e400", b"01", b"1.", b"-", b"tru"]
SCALARS += [b"nul", b"fals", b"truex", b"1" * 18, b"1" * 19, b"1" * 70, b"0." + b"3" * 70, b"-1.5e-3"]
SCALARS += [b'"a"', b'""', b'"\xff"', b'"\\ud800"', b'"a\x01"', b"[]", b"{}", b"[1]", b'{"a":1}']
KEYS = [b"a" * n for n in (0, 1, 100, 101)] + [b"\xc3\xa5", b"\xff", b"a\\n", b"_sd", b"...", b"_sd_alg"]
OBJECTS = [b'{"%b":1}' % key for key in KEYS] + [b'{"a":%b}' % scalar for scalar in SCALARS]
OBJECTS += [_members(n) for n in (0, 1, 32, 33, 63, 64, 65, 66)]
OBJECTS += [b'{"a":1,"b":2,"a":3}', b'{"a":1,}', b'{"a":1', b'{"a":1]', b'{"a" :1}', b'{"a":1,"ab":2}']
LISTS = [
    _list(one, n) for one in (b'"a"', b'{"a":1}', b"1", b"[]") for n in (0, 1, 32, 33, 199, 200, 201)
]
LISTS += [b"[%b]" % text for text in TEXTS] + [b"[%b]" % one for one in SCALARS]
LISTS += [b"[%b]" % one for one in OBJECTS] + [b'["a",]', b'["a"', b'["a"}', b'["a" ,"b"]', b'[,"a"]']
VALUES = [*TEXTS, *CHOICES, *SCALARS, *OBJECTS, *LISTS, *presentations.VALUES]


def _slots_by_form() -> list[tuple[str, str]]:
    """Of each form that any kind has, the kinds and slots that have it; the common ones once."""
    found = {form: (kind, slot) for kind, forms in FORMS.items() for slot, form in forms.items()}
    return sorted(found.values())


@pytest.mark.parametrize(("kind", "slot"), _slots_by_form())
def test_each_form_takes_what_its_type_takes(built: ModuleType, kind: str, slot: str) -> None:
    for value in VALUES:
        presentation = presentations.spelt(b'["s","%b",%b]' % (slot.encode(), value), kind=kind)
        assert outcome(presentation, built) == outcome(presentation, None), value


OTHERS = [int, bool, None, str, float, int | None, bool | str, float | None, list[int], dict[str, bool]]
OTHERS += [Literal["high", "lo"], Annotated[list[str], msgspec.Meta(min_length=2, max_length=32)]]
OTHERS += [
    Annotated[str, msgspec.Meta(min_length=100)],
    dict[Annotated[str, msgspec.Meta(min_length=2)], int],
]
OTHERS += [Annotated[dict[str, int], msgspec.Meta(min_length=2, max_length=32)], list[list[list[None]]]]


@pytest.mark.parametrize("type_", OTHERS, ids=str)
def test_forms_that_no_kind_has_take_what_their_types_take(built: ModuleType, type_: Any) -> None:
    form = form_of(msgspec.inspect.type_info(type_))
    taken = 0
    for value in VALUES:
        if _fits(built, form, value):
            msgspec.convert(orjson.loads(value), type_, strict=True)
            taken += 1
    assert taken


def _fits(built: ModuleType, form: Any, value: bytes) -> bool:
    found = built.take_apart(
        presentations.spelt(b'["s","body.x",%b]' % value),
        limits.STATEMENT_SLOTS,
        limits.DISCLOSURE_BYTES,
        limits.STATEMENT_JSON_DEPTH,
        {"alert": {"body.x": form}},
    )
    return found is not None


# of what is spelt as we spell it, what the reader is to decide by itself
DECIDED = {
    "title": [b'"a"', b'"%b"' % (b"\xc3\xa5" * 200), b'"two\\nlines"'],
    "confidence": [b'"low"', b'"high"'],
    "sources": [b"[]", b'["ais","radar"]'],
    "body.state": [b'"open"', b'"closed"'],
    "body.measured": [b"{}", b'{"speed_kn":0.5,"turn_deg":60}', _members(64)],
    "body.evidence": [b"[]", b'[{"a":1,"b":0.5,"c":null,"d":true,"e":"x"}]', _list(b'{"a":1}', 200)],
}


@pytest.mark.parametrize("slot", DECIDED)
def test_what_is_in_order_is_told_without_making_it(built: ModuleType, slot: str) -> None:
    for value in DECIDED[slot]:
        presentation = presentations.spelt(b'["s","%b",%b]' % (slot.encode(), value))
        assert is_lazy(presentation, built), value
        found = reading.read(presentation).statement.slots
        assert isinstance(found, reading.Slots) and found.made == {}
        KINDS["alert"].check_held(found)
        assert found.made == {}


def test_statements_as_we_make_them_are_read_so(built: ModuleType) -> None:
    for presentation in presentations.ordinary()[:2]:
        assert is_lazy(presentation, built)
    assert not is_lazy(presentations.ordinary()[2], built)  # it says duties, which few do
    other = sign(draft({"title": "x"}, kind="x"), iss="dk", key=DK).present()
    assert not is_lazy(other, built)  # a kind of which nothing is known here


CLAIMS: list[tuple[dict[str, Any], bool]] = [
    *[({"iss": iss}, True) for iss in ("a", "d-k", "d2", "a" * 31, "d-")],
    *[({"iss": iss}, False) for iss in ("", "-d", "2d", "d_k", "dK", "a" * 32, "dä", "d\n", 1, None)],
    *[({"jti": jti}, True) for jti in ("0" * 8 + "-0000-abcd-efff-" + "f" * 12,)],
    *[({"jti": "0" * 8 + jti + "f" * 12}, False) for jti in ("-0000-abcd-egff-", "-0000-Abcd-efff-")],
    *[
        ({"jti": "0" * 8 + jti + "f" * 12}, False)
        for jti in ("-0000-abcd0efff-", "-0000-abcd-efff-f", "")
    ],
    *[({"jti": jti}, False) for jti in ("x", 7, None, "å" * 18)],
    *[({"ver": ver}, True) for ver in (1, 2, 2**31 - 1)],
    *[({"ver": ver}, False) for ver in (0, -1, 2**31, 2**40, 10**17, 1.5, True, "1", None)],
    *[({"marking": f"TLP:{m}"}, True) for m in ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")],
    *[({"marking": marking}, False) for marking in ("TLP:", "TLP:REDS", "red", 1, None, "TLP:RE")],
    *[({"onward": onward}, True) for onward in ("no", "ask", "circle", "free")],
    *[({"onward": onward}, False) for onward in ("", "n", "nob", "frei", False, None)],
    *[({"exercise": exercise}, True) for exercise in (True, False)],
    *[({"exercise": exercise}, False) for exercise in (0, 1, "true", None, [])],
    *[({"kind": kind}, True) for kind in FORMS],
    *[({"kind": kind}, False) for kind in ("", "Alert", "x", 1, None, ["alert"])],
    *[({name: "x"}, False) for name in ("extra", "purpose", "nonce", "title", "isss")],
]


@pytest.mark.parametrize(("claims", "ours"), CLAIMS, ids=str)
def test_claims_are_told_as_the_rules_tell_them(
    built: ModuleType, claims: dict[str, Any], ours: bool
) -> None:
    presentation = presentations.spelt(b'["s","title","x"]', **claims)
    assert outcome(presentation, built) == outcome(presentation, None)
    reading.compiled = built
    assert (reading.take_ours(presentation) is not None) == ours


def test_a_claim_that_is_not_there_is_missed(built: ModuleType) -> None:
    for name in ("iss", "jti", "ver", "kind", "marking", "onward", "exercise"):
        for more in ({}, {"extra": 1}):
            presentation = presentations.spelt(b'["s","title","x"]', without=name, **more)
            assert outcome(presentation, built) == outcome(presentation, None)


@pytest.mark.parametrize("name", ["iss", "ver", "exercise", "_sd", "extra"])
def test_a_slot_with_the_name_of_a_claim_is_found(built: ModuleType, name: str) -> None:
    for claims in ({}, {"extra": 1}):
        presentation = presentations.spelt(b'["s","%b","x"]' % name.encode(), **claims)
        assert outcome(presentation, built) == outcome(presentation, None)


def test_what_does_not_stand_in_order_is_read_whole(built: ModuleType) -> None:
    one, two, three = b'["s","text","a"]', b'["s","title","b"]', b'["s","titles","c"]'
    assert is_lazy(presentations.spelt(one, two, three), built)
    for some in ((two, one), (two, two), (one, three, two), (three, two), (one, one, two)):
        presentation = presentations.spelt(*some)
        assert outcome(presentation, built) == outcome(presentation, None)
    assert not is_lazy(presentations.spelt(three, two), built)


def test_what_is_disclosed_twice_is_found_both_ways(built: ModuleType) -> None:
    same = [b'["s","title","b"]', b'["t","title","c"]', b'["u","title","b"]']
    for some in (same[:2], same, [*same, b'["s","zone","d"]'], [b'["s","text","a"]', *same]):
        for kind in ("alert", "x"):
            presentation = presentations.spelt(*some, kind=kind)
            assert outcome(presentation, built) == outcome(presentation, None)
    jwt, one, _ = presentations.spelt(same[0], kind="x").split(b"~")
    for times in (2, 31, 32, 33, 34, 200):
        presentation = b"~".join([jwt, *[one] * times, b""])
        assert outcome(presentation, built) == outcome(presentation, None)


def test_values_are_there_when_asked_for(built: ModuleType) -> None:
    presentation = sign(draft(), iss="dk", key=DK).present()
    reading.compiled = built
    for without in (False, True):
        found = reading.read(presentation).statement.slots
        assert isinstance(found, reading.Slots) and "body.evidence" not in found.made
        assert len(found) == len(slots()) and list(found) == sorted(slots()) and "title" in found
        if without:  # the process that reads on may have no compiled reader
            reading.compiled = None
        assert found["body.evidence"] == slots()["body.evidence"]
        assert found == slots() and dict(found) == slots()
        assert found.get("body.none") is None and "body.none" not in found
        with pytest.raises(KeyError):
            found["body.none"]


def test_forms_that_lie_do_no_harm(built: ModuleType) -> None:
    """They are our own; still no length in them is believed."""
    lies: list[Any] = [
        b"",
        b"s",
        b"s\x01",
        b"x",
        b"c\x09low",
        b"o",
        b"l",
        b"l" + bytes(8),
        b"d" + b"\xff" * 16,
    ]
    lies += [b"l" + b"\x00\x00\x00\x00\xff\xff\xff\xff" * 1 + b"l", "text", 7]
    for value in (b'"low"', b'"lowlowlow"', b'["a"]', b'{"a":1}', b"1", b"[[[]]]"):
        for lie in lies:
            assert not _fits(built, lie, value), (value, lie)


def test_no_form_is_deeper_than_a_value_may_be(built: ModuleType) -> None:
    depth = limits.STATEMENT_JSON_DEPTH
    lists = (b"l" + bytes(4) + b"\xff" * 4) * 40 + b"o\x01"
    objects = (b"d" + (bytes(4) + b"\xff" * 4) * 2) * 40 + b"o\x01"
    for levels in range(depth - 3, depth + 3):
        for form, value in (
            (lists, b"[" * levels + b"]" * levels),
            (objects, b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)),
        ):
            read = outcome(presentations.spelt(b'["s","body.x",%b]' % value), None)[0] == "read"
            assert _fits(built, form, value) == (levels < depth) == read


@pytest.mark.parametrize(
    ("type_", "has"),
    [
        (str, True),
        (list[str], True),
        (dict[str, int], True),
        (float | None, True),
        (Any, False),
        (bytes, False),
        (dict[int, str], False),
        (list[Any], False),
        (dict[str, Any], False),
        (str | list[str], False),
        (msgspec.Raw, False),
    ],
)
def test_a_type_has_a_form_or_none(type_: Any, has: bool) -> None:
    assert bool(form_of(msgspec.inspect.type_info(type_))) is has
