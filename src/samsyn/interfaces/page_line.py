"""The live line to one page: where the page looks, and when the next frame is due."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import orjson

FRAME_EVERY_S: Final = 1.0
AHEAD: Final = 1  # frames on their way to a page beside the one it is reading
_GOT: Final = '{"got":true}'  # the page says so of each


class PageLine:
    """What a page has told over its live line: where it looks, and what of what was sent it has got."""

    def __init__(self) -> None:
        self.viewport = (-180.0, -90.0, 180.0, 90.0)
        self._hurry = asyncio.Event()
        self._got = asyncio.Event()
        self._counts = False  # the page tells what it has got
        self._ahead = 0

    def told(self, text: str) -> None:
        if asked := _viewport(text):
            self.viewport = asked
            self._hurry.set()
        elif text == _GOT:
            self._counts, self._ahead = True, max(self._ahead - 1, 0)
            self._got.set()

    async def sent(self) -> None:
        """A frame is on its way. Until the next is due: a second, or when the page looks elsewhere. On a
        slow line later: what waits behind other frames would be old when it comes."""
        self._ahead += 1
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), FRAME_EVERY_S)
        while self._counts and self._ahead > AHEAD:
            self._got.clear()
            await self._got.wait()


def _viewport(text: str) -> tuple[float, float, float, float] | None:
    try:
        west, south, east, north = (float(x) for x in orjson.loads(text[:200])["viewport"])
    except (ValueError, KeyError, TypeError):
        return None
    return west, south, east, north
