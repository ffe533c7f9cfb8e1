"""One text for one value, and one value for one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base.encoding import b64url, from_json, sha256, to_json, unb64url

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, width=32)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200))
def test_bytes_come_back(data: bytes) -> None:
    text = b64url(data)
    assert "=" not in text
    assert unb64url(text) == data
    assert unb64url(text.encode()) == data


@given(st.text(st.sampled_from("AQgw_-"), min_size=1, max_size=7))
def test_no_two_texts_mean_the_same_bytes(text: str) -> None:
    try:
        data = unb64url(text)
    except ValueError:
        return
    assert b64url(data) == text


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+/A", "AA\n", "AA AA", "å", "AAAAA"])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        unb64url(text)


def test_rfc_4648_vectors() -> None:
    assert [b64url(b"foobar"[:n]) for n in range(7)] == [
        "",
        "Zg",
        "Zm8",
        "Zm9v",
        "Zm9vYg",
        "Zm9vYmE",
        "Zm9vYmFy",
    ]
    assert b64url(b"\xfb\xff") == "-_8"


def test_sha256_vector() -> None:
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(VALUES)
def test_json_comes_back_and_is_always_the_same(value: object) -> None:
    assert to_json(from_json(to_json(value))) == to_json(value)


def test_the_order_of_keys_does_not_matter() -> None:
    assert to_json({"b": 1, "a": [1, {"d": 1, "c": 2}]}) == b'{"a":[1,{"c":2,"d":1}],"b":1}'


@pytest.mark.parametrize("data", [b"", b"{", b"{'a':1}", b"NaN", b"\xff", b"1 2"])
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        from_json(data)
