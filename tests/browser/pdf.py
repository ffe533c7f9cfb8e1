"""The words on each page of a PDF that Chromium wrote: enough of the format for that, and no more."""

from __future__ import annotations

import re
import zlib
from typing import Any

OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.S)
STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.S)
REFERENCE = re.compile(rb"/(\w+) (\d+) 0 R")
SHOWN = re.compile(rb"/(\w+) [\d.]+ Tf|<([0-9A-Fa-f]+)>|\((?:[^()\\]|\\.)*\)|/(\w+) Do|(ET)|(T[dm])\b")
CHARS = re.compile(rb"beginbfchar(.*?)endbfchar", re.S)
RANGES = re.compile(rb"beginbfrange(.*?)endbfrange", re.S)
HEX = re.compile(rb"<([0-9A-Fa-f]+)>")


class Pdf:
    """The pages of `data`, and their words."""

    def __init__(self, data: bytes) -> None:
        self._objects = {int(n): body for n, body in OBJECT.findall(data)}
        self._glyphs: dict[int, dict[int, str]] = {}

    def pages(self) -> list[str]:
        """The words of each page, in the order in which they are drawn, spaces left out."""
        root = next(b for b in self._objects.values() if b"/Type /Catalog" in b)
        return [self._words(n) for n in self._leaves(_reference(root, b"Pages"))]

    def _leaves(self, number: int) -> list[int]:
        body = self._objects[number]
        if b"/Type /Pages" not in body:
            return [number]
        kids = re.search(rb"/Kids \[(.*?)\]", body, re.S)
        assert kids is not None
        return [leaf for kid in re.findall(rb"(\d+) 0 R", kids[1]) for leaf in self._leaves(int(kid))]

    def _words(self, number: int) -> str:
        page = self._objects[number]
        return "".join(self._drawn(self._stream(_reference(page, b"Contents")), page))

    def _drawn(self, content: bytes, resources: bytes) -> list[str]:
        fonts = self._named(resources, b"Font")
        things = self._named(resources, b"XObject") | self._named(resources, b"Pattern")
        glyphs: dict[int, str] = {}
        words: list[str] = []
        for found in SHOWN.finditer(content):
            font, shown, thing = found[1], found[2], found[3]
            if font in fonts:
                glyphs = self._glyphs_of(fonts[font])
            elif shown:
                codes = bytes.fromhex(shown.decode())
                words += [
                    glyphs.get(int.from_bytes(codes[i : i + 2]), "") for i in range(0, len(codes), 2)
                ]
            elif thing in things and b"/Subtype /Form" in self._objects[things[thing]]:
                form = self._objects[things[thing]]
                words += self._drawn(self._stream(things[thing]), form)
        return words

    def _named(self, body: bytes, sort: bytes) -> dict[bytes, int]:
        """What a page or a form calls its fonts and its pieces."""
        within = re.search(rb"/" + sort + rb" <<(.*?)>>", body, re.S)
        return {name: int(n) for name, n in REFERENCE.findall(within[1])} if within else {}

    def _glyphs_of(self, font: int) -> dict[int, str]:
        if font not in self._glyphs:
            self._glyphs[font] = _unicode(self._stream(_reference(self._objects[font], b"ToUnicode")))
        return self._glyphs[font]

    def _stream(self, number: int) -> bytes:
        found: Any = STREAM.search(self._objects[number])
        packed = b"/FlateDecode" in self._objects[number].partition(b"stream")[0]
        return zlib.decompress(found[1]) if packed else bytes(found[1])


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    assert found is not None, (name, body[:200])
    return int(found[1])


def _unicode(cmap: bytes) -> dict[int, str]:
    found: dict[int, str] = {}
    for block in CHARS.findall(cmap):
        values = HEX.findall(block)
        found |= {int(a, 16): _text(b) for a, b in zip(values[::2], values[1::2], strict=True)}
    for block in RANGES.findall(cmap):
        values = HEX.findall(block)
        for first, last, text in zip(values[::3], values[1::3], values[2::3], strict=True):
            start = int(text, 16)
            found |= {
                int(first, 16) + k: chr(start + k) for k in range(int(last, 16) - int(first, 16) + 1)
            }
    return found


def _text(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be")
