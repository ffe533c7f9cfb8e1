"""Cutting a stream into lines, whatever it holds."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from samsyn.formats.lines import LineCutter, TooLong


@given(pieces=st.lists(st.text("ab\n", max_size=9).map(str.encode), max_size=12))
def test_nothing_is_lost_or_changed(pieces):
    cutter = LineCutter()
    out = b"".join(cutter.push(piece) for piece in pieces)
    assert out + cutter.rest() == b"".join(pieces)
    assert cutter.too_long == []


@given(pieces=st.lists(st.text("ab\n", max_size=9).map(str.encode), max_size=12))
def test_long_lines_are_told_with_their_place(pieces):
    whole = b"".join(pieces)
    cutter = LineCutter(limit=3)
    kept = b"".join(cutter.push(piece) for piece in pieces) + cutter.rest()
    for offset, length in cutter.too_long:
        assert offset == 0 or whole[offset - 1 : offset] == b"\n"
        assert whole[offset : offset + length].count(b"\n") == 0
        assert whole[offset + length : offset + length + 1] in (b"\n", b"")
    dropped = sum(length for _, length in cutter.too_long)
    assert len(kept) + dropped <= len(whole) <= len(kept) + dropped + len(cutter.too_long)


def test_a_line_of_100_mb_without_an_end_needs_little_memory():
    cutter, piece = LineCutter(), b"x" * 1_000_000
    tracemalloc.start()
    for _ in range(100):
        assert cutter.push(piece) == b""
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
    assert cutter.push(b"y\ngood\n") == b"good\n"
    assert cutter.too_long == [TooLong(0, 100_000_001)]
