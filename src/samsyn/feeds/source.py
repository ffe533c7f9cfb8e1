"""Where bytes come from: `file:PATH` (also gzip), `tcp:HOST:PORT`, `udp:HOST:PORT`, `http(s)://...`.

`extract:NAME` is a file too: one of the recordings that come with Samsyn. A file ends. The others go
on until they are stopped: they connect again, waiting longer each time nothing comes of it. All
memory is bounded: a piece is at most `limits.FEED_READ_BYTES`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings, split_address
from samsyn.feeds.report import FeedReport

FILE_READ_BYTES: Final = limits.FEED_READ_BYTES // 4  # pieces that stay in the processor's cache
SOCKET_READ_BYTES: Final = 64 * limits.KIB
CONNECT_S: Final = 10.0
LISTEN_S: Final = 0.5  # how soon a silent connection notices that it is to stop
GATHER_S: Final = 0.2  # few bytes are let gather this long, so that batches are not tiny
EXTRACTS: Final = Path(__file__).parent / "columns" / "extracts"
_GZIP: Final = b"\x1f\x8b"


class Piece(NamedTuple):
    """Some bytes; `ends` where the file, connection or reply ends with them."""

    data: bytes
    ends: bool = False
    progress: float | None = None  # of a file, 0 to 1


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
    elif scheme in ("tcp", "udp"):
        split_address(rest, where=source)
    elif scheme not in ("http", "https"):
        raise ConfigError(
            f"{source!r} is no source",
            do="write file:PATH, tcp:HOST:PORT, udp:HOST:PORT, http://... or https://...",
        )


def pieces(
    settings: FeedSettings, report: FeedReport, clock: Clock, stop: threading.Event
) -> Iterator[Piece]:
    """The bytes of a feed's source, in pieces. What goes wrong is told to `report`, not raised."""
    scheme, _, rest = settings.source.partition(":")
    if scheme in ("file", "extract"):
        return _file(_path(scheme, rest), report, stop)
    if scheme == "udp":
        return _udp(*split_address(rest, where=settings.source), report, clock, stop)
    if scheme == "tcp":
        return _tcp(*split_address(rest, where=settings.source), report, clock, stop)
    return _http(settings, report, clock, stop)


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
            raw = file.read(FILE_READ_BYTES)
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


def _tcp(
    host: str, port: int, report: FeedReport, clock: Clock, stop: threading.Event
) -> Iterator[Piece]:
    wait = _BackOff(clock, stop)
    while not stop.is_set():
        try:
            with socket.create_connection((host, port), timeout=CONNECT_S) as connection:
                report.connected = True
                heard = 0
                for data in _received(connection, stop):
                    heard += len(data)
                    wait.reset()
                    yield Piece(data)
                if not stop.is_set():
                    report.refuse("closed", offset=heard)
        except OSError as e:
            if not stop.is_set():
                report.refuse("unreachable", detail=str(e))
        report.connected = False
        yield Piece(b"", ends=True)
        if not wait.again():
            return


def _received(connection: socket.socket, stop: threading.Event) -> Iterator[bytes]:
    """What a connection says, until it is closed or stopped."""
    connection.settimeout(LISTEN_S)
    while not stop.is_set():
        try:
            data = connection.recv(SOCKET_READ_BYTES)
        except TimeoutError:
            continue
        if not data:
            return
        yield data
        if len(data) < SOCKET_READ_BYTES // 2:
            stop.wait(GATHER_S)


def _udp(
    host: str, port: int, report: FeedReport, clock: Clock, stop: threading.Event
) -> Iterator[Piece]:
    wait = _BackOff(clock, stop)
    while not stop.is_set():
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as listening:
                listening.bind((host.strip("[]"), port))
                listening.settimeout(LISTEN_S)
                report.connected = True
                yield from _datagrams(listening, stop)
        except OSError as e:
            report.refuse("unreachable", detail=str(e))
        report.connected = False
        yield Piece(b"", ends=True)
        if not wait.again():
            return


def _datagrams(listening: socket.socket, stop: threading.Event) -> Iterator[Piece]:
    """Datagrams that came together, each ended by a newline: no line spans two."""
    while not stop.is_set():
        gathered = bytearray()
        try:
            gathered += listening.recv(limits.MIB)
        except TimeoutError:
            continue
        stop.wait(GATHER_S)
        listening.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while len(gathered) < limits.FEED_READ_BYTES:
                if not gathered.endswith(b"\n"):
                    gathered += b"\n"
                gathered += listening.recv(limits.MIB)
        listening.settimeout(LISTEN_S)
        if not gathered.endswith(b"\n"):
            gathered += b"\n"
        yield Piece(bytes(gathered))


def _http(
    settings: FeedSettings, report: FeedReport, clock: Clock, stop: threading.Event
) -> Iterator[Piece]:
    wait = _BackOff(clock, stop)
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


class _BackOff:
    """Waits before each new attempt, twice as long each time, until something came of one."""

    def __init__(self, clock: Clock, stop: threading.Event) -> None:
        self._clock = clock
        self._stop = stop
        self.reset()

    def reset(self) -> None:
        self._wait_s = limits.FEED_RECONNECT_S_MIN

    def again(self) -> bool:
        """Wait; False when stopped."""
        until_us = self._clock.now_us() + int(self._wait_s * SECOND_US)
        self._wait_s = min(self._wait_s * 2, limits.FEED_RECONNECT_S_MAX)
        return self._clock.wait_until(until_us, self._stop)
