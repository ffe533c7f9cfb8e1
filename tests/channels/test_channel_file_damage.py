"""Whatever becomes of a channel file on its way: told, harmless, and nobody is accused of it."""

from __future__ import annotations

import tempfile
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.errors import InputError, LimitError, Refused, SamsynError
from samsyn.channels import batch as wire
from samsyn.channels.file import read
from samsyn.channels.refusals import REASONS
from tests.channels.carrying import batches_of, bring, carried, file_of, history
from tests.channels.nodes import Node


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three entries to a batch, so that a short channel is a file of several."""
    monkeypatch.setattr(limits, "BATCH_ENTRIES", 3)


class Scene:
    """A file of several batches; homes to bring it to are made anew for each try."""

    def __init__(self) -> None:
        self.kept = tempfile.TemporaryDirectory()  # as long as this lives
        folder = Path(self.kept.name)
        self.dk, self.se = Node(folder, "dk"), Node(folder, "se")
        self.dk.open_to([self.se, Node(folder, "fi")])
        history(self.dk)
        self.file = carried(self.dk)

    def fails(self, data: bytes) -> tuple[SamsynError, Node, Path]:
        """The error, and the home: what it holds must begin what was sent."""
        folder = Path(tempfile.mkdtemp(dir=self.kept.name))
        se = Node(folder, "se", keys=self.se.keys, clock=self.se.clock)
        mirror = se.follow(self.dk)
        with pytest.raises(SamsynError) as error:
            bring(data, se)
        assert mirror.size in (0, 3, 6, 9, 12)
        origin = mirror.origin
        assert se.logs.root(origin) == self.dk.logs.root_at(origin, mirror.size)
        return error.value, se, folder


@cache
def scene() -> Scene:
    return Scene()


def at_random() -> st.SearchStrategy[int]:
    return st.integers(0, 10**9)


@settings(max_examples=40, deadline=None)
@given(at_random(), st.integers(1, 255))
def test_a_byte_flipped_anywhere_is_damage(at: int, other: int) -> None:
    data = bytearray(scene().file)
    data[at % len(data)] ^= other
    error, se, _ = scene().fails(bytes(data))
    assert isinstance(error, InputError | LimitError) and error.do
    assert not se.mirrors["dk"].problems()  # the partner did nothing
    se.db.close()


@settings(max_examples=30, deadline=None)
@given(at_random())
def test_a_file_cut_short_anywhere(at: int) -> None:
    whole = scene().file
    data = whole[: at % len(whole)]
    error, se, _ = scene().fails(data)
    assert isinstance(error, InputError)
    bring(whole, se)  # and what was taken of it is no hindrance
    assert se.mirrors["dk"].size == scene().dk.size_to("se") and not se.mirrors["dk"].problems()
    se.db.close()


@settings(max_examples=40, deadline=None)
@given(at_random(), st.integers(1, 255))
def test_a_byte_changed_by_somebody_who_mends_the_digests(at: int, other: int) -> None:
    batches = batches_of(scene().file)
    n = at % len(batches)
    data = bytearray(batches[n])
    data[at // 7 % len(data)] ^= other
    try:
        if wire.decode(bytes(data)) == wire.decode(batches[n]):
            return  # another spelling of the same batch is the same batch
    except Refused:
        pass
    batches[n] = bytes(data)
    error, se, _ = scene().fails(file_of(batches))
    if isinstance(error, Refused):
        assert error.reason in REASONS and se.mirrors["dk"].problems()[0].evidence
    else:  # a number changed so that it looks like another part of the channel
        assert isinstance(error, InputError) and error.do
    se.db.close()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no channel file"),
        (b"\x00" * 500, "no channel file"),
        (b"samsyn-channel-file/2 samsyn.dk/exercise/se\n", "does not know"),
        (b"samsyn-channel-file/1 samsyn.dk/exercise/se", "damaged"),
        (b"samsyn-channel-file/1 samsyn.dk/exercise/se \n", "damaged"),
        (b"samsyn-channel-file/1 samsyn.dk/exercise/../se\n", "damaged"),
        (b"samsyn-channel-file/1 samsyn.dk/drill/se\n", "damaged"),
        (b"samsyn-channel-file/1 samsyn." + b"d" * 500 + b"/exercise/se\n", "damaged"),
        (b"samsyn-channel-file/1 samsyn.d\xc3\xb6/exercise/se\n", "damaged"),
        (b"samsyn-channel-file/1 samsyn.dk/exercise/se\n", "cut short"),
    ],
)
def test_a_first_line_that_is_not_as_it_must_be(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(read(BytesIO(data))[1])
