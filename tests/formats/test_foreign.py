"""Documents of other systems in two: a long list, its parts unread; and all others."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.formats.foreign import Unreadable, members, room_of

LISTS = st.lists(st.sampled_from([{"a": 1}, {}, [], "objects", 7, {"b": "[]"}]), max_size=4)
LONG = [{"id": n, "same": "x" * 90} for n in range(99)]


@given(LISTS, LISTS, st.booleans())
def test_the_list_and_what_stands_around_it(objects: list[Any], more: list[Any], spaced: bool) -> None:
    document = {"before": more, "objects": objects, "behind": objects, "type": "bundle"}
    data = (json.dumps(document, indent=1) if spaced else json.dumps(document)).encode()
    found = members(data, "objects")
    assert [orjson.loads(part) for part in found.parts] == objects
    assert found.others["type"] == "bundle"


def test_a_list_that_begins_as_another_does() -> None:
    document = {"decoy": [*LONG, 1], "objects": [*LONG, 2], "type": "bundle"}
    found = members(orjson.dumps(document), "objects")
    assert found.others == document | {"objects": []}
    assert len(found.parts) == len(LONG) + 1


def test_a_key_that_stands_twice_beside_the_list() -> None:
    with pytest.raises(Unreadable) as told:
        members(b'{"type": "bundle", "objects": [1], "type": "other"}', "objects")
    assert told.value.reason == "key-twice"


@given(st.text())
def test_the_room_of_a_text_is_what_it_takes_in_a_list(text: str) -> None:
    assert room_of(text) == len(orjson.dumps([text, text])) - len(orjson.dumps([text]))
