"""Whatever bytes come as a batch: taken as they were meant, or refused with a reason that we know."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.errors import Refused
from samsyn.channels import Mirror
from samsyn.channels.refusals import REASONS
from tests.channels.nodes import Node


class Scene:
    """A mirror that holds one entry, and an honest batch of two more."""

    def __init__(self) -> None:
        self.kept = tempfile.TemporaryDirectory()  # as long as this lives
        folder = Path(self.kept.name)
        self.dk, self.se = Node(folder, "dk"), Node(folder, "se")
        self.dk.open_to([self.se, Node(folder, "fi")])
        self.mirror: Mirror = self.se.follow(self.dk)
        channel = self.dk.door.reader("se")
        assert channel
        self.dk.say()
        self.dk.door.tick()
        self.mirror.receive(channel.entries(0))
        said = [self.dk.say() for _ in range(2)]
        self.dk.door.tick()
        self.dk.outbox.put("withdraw", said[0].jti, 1, purge=True)
        self.dk.door.tick()
        self.honest = channel.entries(1, 2)  # a purged view, shown by proof, and a whole one

    def refused(self, data: bytes) -> None:
        with pytest.raises(Refused) as error:
            self.mirror.receive(data)
        assert error.value.reason in REASONS
        assert self.mirror.size == 1 and len(self.se.statements.page()) == 1


@cache
def scene() -> Scene:
    """One for all: what is refused changes nothing, so it serves again."""
    return Scene()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.data())
def test_any_byte_changed(data: st.DataObject) -> None:
    honest = scene().honest
    at = data.draw(st.integers(0, len(honest) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda b: b != honest[at]))
    changed = honest[:at] + bytes([other]) + honest[at + 1 :]
    if json_of(changed) != json.loads(honest):  # another spelling of the same batch is the same batch
        scene().refused(changed)


@settings(max_examples=150)
@given(st.data())
def test_any_part_replaced(data: st.DataObject) -> None:
    copy = json.loads(scene().honest)
    parts: list[tuple[Any, Any]] = [(copy, key) for key in copy]
    parts += [(entry, key) for entry in copy["entries"] for key in entry]
    parts += [(shown, key) for shown in copy["withdrawn"] for key in shown]
    holder, key = data.draw(st.sampled_from(parts))
    holder[key] = data.draw(values)
    if copy != json.loads(scene().honest):
        scene().refused(json.dumps(copy).encode())


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    scene().refused(data)


def json_of(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
