"""Pieces of bytes to what a decoder takes: whole lines, whole documents, or the stream itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from samsyn.base import limits
from samsyn.formats.decoded import Decoded
from samsyn.formats.lines import LineCutter


class Decoder(Protocol):
    """What a kind of feed gives the runner: takes bytes as they come, gives columns."""

    def push(self, piece: bytes, received_us: int) -> Iterator[Decoded]:
        """More bytes of the same file, connection or reply."""
        ...

    def end(self, received_us: int) -> Iterator[Decoded]:
        """The file, connection or reply has ended; more may follow from a new one."""
        ...


class Lines:
    """A decoder of lines. `decode` gets whole lines, each with its newline, and the time of receipt."""

    def __init__(
        self,
        decode: Callable[[bytes, int], Decoded],
        finish: Callable[[], Decoded] | None = None,
    ) -> None:
        self._decode = decode
        self._finish = finish
        self._cutter = LineCutter()

    def push(self, piece: bytes, received_us: int) -> Iterator[Decoded]:
        whole = self._cutter.push(piece)
        yield from self._lines(whole, received_us)

    def end(self, received_us: int) -> Iterator[Decoded]:
        rest = self._cutter.rest()
        yield from self._lines(rest + b"\n" if rest else b"", received_us)
        if self._finish:
            yield self._finish()

    def _lines(self, whole: bytes, received_us: int) -> Iterator[Decoded]:
        if self._cutter.too_long:
            out = Decoded()
            for offset, length in self._cutter.too_long:
                out.refuse("line-too-long", offset=offset, detail=f"{length} bytes")
            yield out
            whole = b"\n" * len(self._cutter.too_long) + whole  # so that line numbers stay right
            self._cutter.too_long.clear()
        if whole:
            yield self._decode(whole, received_us)


class Documents:
    """A decoder of whole documents, each at most `limits.JSON_DOCUMENT_BYTES`."""

    def __init__(self, decode: Callable[[bytes], Decoded]) -> None:
        self._decode = decode
        self._held = bytearray()
        self._dropped = 0

    def push(self, piece: bytes, received_us: int) -> Iterator[Decoded]:
        if len(self._held) + len(piece) > limits.JSON_DOCUMENT_BYTES or self._dropped:
            self._dropped += len(self._held) + len(piece)
            self._held.clear()
        else:
            self._held += piece
        yield from ()

    def end(self, received_us: int) -> Iterator[Decoded]:
        document, dropped = bytes(self._held), self._dropped
        self._held.clear()
        self._dropped = 0
        if dropped:
            out = Decoded()
            limit = limits.JSON_DOCUMENT_BYTES
            out.refuse("document-too-large", offset=limit, detail=f"{dropped} bytes, at most {limit}")
            yield out
        elif document.strip():
            yield self._decode(document)


class Stream:
    """A decoder of bytes that finds its own way in them, and holds back little of what is unfinished."""

    def __init__(
        self, decode: Callable[[bytes, int], Decoded], finish: Callable[[], Decoded] | None = None
    ) -> None:
        self._decode = decode
        self._finish = finish

    def push(self, piece: bytes, received_us: int) -> Iterator[Decoded]:
        if piece:
            yield self._decode(piece, received_us)

    def end(self, received_us: int) -> Iterator[Decoded]:
        if self._finish:
            yield self._finish()


class Either:
    """Documents of JSON, or lines: told by the first character that is not blank."""

    def __init__(self, documents: Documents, lines: Lines) -> None:
        self._documents = documents
        self._lines = lines
        self._chosen: Decoder | None = None

    def push(self, piece: bytes, received_us: int) -> Iterator[Decoded]:
        begins = piece.lstrip()[:1]
        if self._chosen is None and begins:
            self._chosen = self._documents if begins in b"[{" else self._lines
        if self._chosen:
            yield from self._chosen.push(piece, received_us)

    def end(self, received_us: int) -> Iterator[Decoded]:
        if self._chosen:
            yield from self._chosen.end(received_us)
        self._chosen = None
