"""The basemap for map programs: one PMTiles archive (vector tiles), read in pieces by HTTP ranges.

    GET /map/baltic.pmtiles      with Range: bytes=0-16383

The page is built with it (`ui/tools/tiles.mjs`); it is the same for whoever reads it, and needs a token
on the readers' port as everything there. One range at a time (RFC 9110, 14.2); several are refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from samsyn.interfaces.port import TITLES, Channel, No, error_headers

PLACE: Final = "map/baltic.pmtiles"
"""Within the built page, and below a port's root."""

MEDIA_TYPE: Final = "application/vnd.pmtiles"
_PARTS: Final = PLACE.split("/")
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Archive:
    """A file that is read whole once and served in pieces."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError`."""
        self._data = path.read_bytes()
        self._tag = f'"{hashlib.sha256(self._data).hexdigest()[:32]}"'

    def reply(self, headers: Mapping[str, str]) -> Response:
        """All of it (200), the range that is asked for (206), nothing new (304), or no such range (416).

        A range is given only of what the client knows already (`If-Range`); one that cannot be read is
        as if it were not there.
        """
        told = {"etag": self._tag, "accept-ranges": "bytes", "cache-control": "private, max-age=86400"}
        if self._tag in [tag.strip() for tag in headers.get("if-none-match", "").split(",")]:
            return Response(b"", 304, told)
        asked = headers.get("range", "")
        if headers.get("if-range", self._tag) != self._tag or not asked.startswith("bytes="):
            return Response(self._data, 200, told, MEDIA_TYPE)
        size = len(self._data)
        if "," in asked:
            return Response(b"", 416, {**told, "content-range": f"bytes */{size}"})
        found = _RANGE.fullmatch(asked.replace(" ", ""))
        if found is None or found[0] == "bytes=-":
            return Response(self._data, 200, told, MEDIA_TYPE)
        first, last = found[1], found[2]
        begin = int(first) if first else max(size - int(last), 0)
        end = min(int(last), size - 1) if first and last else size - 1
        if first and last and int(last) < int(first):
            return Response(self._data, 200, told, MEDIA_TYPE)
        if begin > end:
            return Response(b"", 416, {**told, "content-range": f"bytes */{size}"})
        told["content-range"] = f"bytes {begin}-{end}/{size}"
        return Response(self._data[begin : end + 1], 206, told, MEDIA_TYPE)


class Basemap:
    """`port.Interface`. web: the built page; where there is none, there is no basemap."""

    def __init__(self, web: Path | None) -> None:
        self._path = web / PLACE if web is not None else None
        self._archive: Archive | None = None

    @property
    def open(self) -> bool:
        return False

    def owns(self, parts: Sequence[str]) -> bool:
        return parts[0] == _PARTS[0]

    def error(self, status: int) -> Response:
        headers = {"cache-control": "no-store", **error_headers(status)}
        return Response(TITLES[status], status, headers, "text/plain")

    def answer(self, request: Request, channel: Channel) -> Response:
        """Raises `No`."""
        if request.method not in ("GET", "HEAD"):
            raise No(405)
        if request.url.path.strip("/").split("/") != _PARTS:
            raise No(404)
        return self.archive().reply(request.headers)

    def archive(self) -> Archive:
        """Raises `No` (404) where none was built."""
        if self._archive is None:
            if self._path is None:
                raise No(404)
            try:
                self._archive = Archive(self._path)
            except OSError:
                raise No(404) from None
        return self._archive
