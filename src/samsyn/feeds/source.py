"""Where bytes come from: `file:PATH` (also gzip), `tcp:HOST:PORT` (we call), `tcp-listen:HOST:PORT`
(others call), `udp:HOST:PORT`, `http(s)://...`.

`extract:NAME` is a file too: one of the recordings that come with Samsyn. A file ends. The others go
on until they are stopped: they connect again, waiting longer each time nothing comes of it. All
memory is bounded: a piece is at most `limits.FEED_READ_BYTES`.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings, split_address
from samsyn.feeds.piece import BackOff, Piece
from samsyn.feeds.report import FeedReport
from samsyn.feeds.sockets import CONNECT_S, SOCKET_READ_BYTES, called, callers, datagrams

SOCKETS: Final = ("tcp", "tcp-listen", "udp")
EXTRACTS: Final = Path(__file__).parent / "columns" / "extracts"
_GZIP: Final = b"\x1f\x8b"


def check_source(source: str) -> None:
    """Raises `ConfigError` where `source` cannot be opened as written."""
    scheme, _, rest = source.partition(":")
    if scheme in ("file", "extract"):
        path = _path(scheme, rest)
        if not path.is_file():
            raise ConfigError("there is no such file", where=str(path))
        try:
            path.open("rb").close()
        except OSError as e:
            raise ConfigError(f"the file cannot be read: {e.strerror}", where=str(path)) from e
    elif scheme in SOCKETS:
        split_address(_address(scheme, rest), where=source)
    elif scheme not in ("http", "https"):
        raise ConfigError(
            f"{source!r} is no source",
            do="write file:PATH, tcp:HOST:PORT, tcp-listen:HOST:PORT, udp:HOST:PORT, http://... or https://...",
        )


def pieces(
    settings: FeedSettings,
    report: FeedReport,
    clock: Clock,
    stop: threading.Event,
    *,
    apart: bool = False,
) -> Iterator[Piece]:
    """The bytes of a feed's source, in pieces. What goes wrong is told to `report`, not raised.

    apart: each datagram is a piece of its own that ends; else datagrams are lines, some in a piece.
    """
    scheme, _, rest = settings.source.partition(":")
    if scheme in ("file", "extract"):
        return _file(_path(scheme, rest), report, stop)
    if scheme in SOCKETS:
        wait = BackOff(clock, stop)
        address = split_address(_address(scheme, rest), where=settings.source)
        if scheme == "tcp":
            return called(*address, report, wait, stop)
        if scheme == "udp":
            return datagrams(*address, report, wait, stop, apart=apart)
        return callers(*address, report, wait, clock, stop)
    return _http(settings, report, clock, stop)


def _address(scheme: str, rest: str) -> str:
    """Who listens for others does so on this machine only, unless an address is written."""
    return f"127.0.0.1:{rest}" if scheme == "tcp-listen" and ":" not in rest else rest


def _path(scheme: str, rest: str) -> Path:
    return EXTRACTS / f"{Path(rest).name}.csv.gz" if scheme == "extract" else Path(rest)


def _file(path: Path, report: FeedReport, stop: threading.Event) -> Iterator[Piece]:
    size = max(path.stat().st_size, 1)
    report.connected = True
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        gunzip = _Gunzip(report) if packed else None
        while not stop.is_set():
            raw = file.read(limits.FEED_READ_BYTES)
            if not raw:
                break
            progress = min(file.tell() / size, 1.0)
            for data in gunzip.push(raw) if gunzip else (raw,):
                yield Piece(data, progress=progress)
        if gunzip and not stop.is_set():
            gunzip.end()
    report.connected = False
    yield Piece(b"", ends=True, progress=1.0)


class _Gunzip:
    """Unpacks gzip piece by piece and gives all that is good before a fault."""

    def __init__(self, report: FeedReport) -> None:
        self._report = report
        self._member = zlib.decompressobj(wbits=31)
        self._inside = False
        self._offset = 0
        self._damaged = False

    def push(self, raw: bytes) -> Iterator[bytes]:
        self._offset += len(raw)
        while raw and not self._damaged:
            self._inside = True
            before = self._member.copy()
            try:
                data = self._member.decompress(raw, limits.FEED_READ_BYTES)
            except zlib.error as e:
                self._damaged = True
                data, good = _salvaged(before, raw)
                self._report.refuse("gzip-damaged", offset=self._offset - len(raw) + good, detail=str(e))
            if data:
                yield data
            raw = self._member.unconsumed_tail
            if self._member.eof:
                raw = self._member.unused_data.lstrip(b"\x00")  # padding between members is allowed
                self._member = zlib.decompressobj(wbits=31)
                self._inside = False

    def end(self) -> None:
        if self._inside and not self._damaged:
            self._report.refuse("gzip-cut", offset=self._offset)


def _salvaged(member: zlib._Decompress, raw: bytes) -> tuple[bytes, int]:
    """What comes out of `raw` before the fault, and how many of its bytes were good."""
    data = bytearray()
    for i in range(len(raw)):
        try:
            data += member.decompress(raw[i : i + 1])
        except zlib.error:
            return bytes(data), i
    return bytes(data), len(raw)


def _http(
    settings: FeedSettings, report: FeedReport, clock: Clock, stop: threading.Event
) -> Iterator[Piece]:
    wait = BackOff(clock, stop)
    with httpx.Client(timeout=CONNECT_S, follow_redirects=False) as client:
        while not stop.is_set():
            asked_us = clock.now_us()
            good = False
            try:
                with client.stream("GET", settings.source) as reply:
                    good = reply.status_code == httpx.codes.OK
                    if good:
                        yield from _body(reply, stop)
                    else:
                        report.refuse("http-status", detail=str(reply.status_code))
            except (httpx.HTTPError, httpx.InvalidURL) as e:
                good = False
                report.refuse("unreachable", detail=str(e) or type(e).__name__)
            report.connected = good
            yield Piece(b"", ends=True)
            if good:
                wait.reset()
                going = clock.wait_until(asked_us + int(settings.poll_s * SECOND_US), stop)
            else:
                going = wait.again()
            if not going:
                return


def _body(reply: httpx.Response, stop: threading.Event) -> Iterator[Piece]:
    """A reply in pieces, no more of it than a document may have: an endless one is left."""
    heard = 0
    for data in reply.iter_bytes(SOCKET_READ_BYTES):
        heard += len(data)
        yield Piece(data)
        if heard > limits.JSON_DOCUMENT_BYTES or stop.is_set():
            return
