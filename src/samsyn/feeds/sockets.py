"""Bytes from the network: a port that is called, callers at a port of ours, datagrams.

What waits to be read lies in the system's buffers, which are bounded: a connection then makes its sender
wait; datagrams are dropped by the system, which says how many.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Final

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.feeds.piece import BackOff, Piece
from samsyn.feeds.report import FeedReport

SOCKET_READ_BYTES: Final = 64 * limits.KIB
CONNECT_S: Final = 10.0
LISTEN_S: Final = 0.5  # how soon a silent connection notices that it is to stop
GATHER_S: Final = 0.2  # few bytes are let gather this long, so that batches are not tiny
_SO_RXQ_OVFL: Final = 40  # Linux: how many datagrams the buffer had no room for; not in `socket`


def called(
    host: str, port: int, report: FeedReport, wait: BackOff, stop: threading.Event
) -> Iterator[Piece]:
    """What a port says that we call; again and again when it closes."""
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


def callers(
    host: str, port: int, report: FeedReport, wait: BackOff, clock: Clock, stop: threading.Event
) -> Iterator[Piece]:
    """What those say who call a port of ours; no more at once than `limits.FEED_CALLERS`."""
    while not stop.is_set():
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.create_server((host.strip("[]"), port), family=family) as listening:
                wait.reset()
                yield from _Callers(listening, report, clock).pieces(stop)
        except OSError as e:
            report.refuse("unreachable", detail=str(e))
        report.connected = False
        if not wait.again():
            return


class _Callers:
    """The connections to one port. `report.connected` says whether there is any."""

    def __init__(self, listening: socket.socket, report: FeedReport, clock: Clock) -> None:
        self._listening = listening
        self._report = report
        self._clock = clock
        self._ready = select.poll()
        self._heard_us: dict[socket.socket, int] = {}
        self._number: dict[socket.socket, int] = {}
        self._count = 0

    def pieces(self, stop: threading.Event) -> Iterator[Piece]:
        self._listening.setblocking(False)
        self._ready.register(self._listening, select.POLLIN)
        try:
            while not stop.is_set():
                heard = 0
                said = {descriptor for descriptor, _ in self._ready.poll(LISTEN_S * 1_000)}
                for connection in [c for c in self._number if c.fileno() in said]:
                    for piece in self._read(connection):
                        heard += len(piece.data)
                        yield piece
                if self._listening.fileno() in said:
                    yield from self._accept()
                if 0 < heard < SOCKET_READ_BYTES // 2:
                    stop.wait(GATHER_S)
        finally:
            for connection in list(self._number):
                self._close(connection)

    def _accept(self) -> Iterator[Piece]:
        try:
            connection, _ = self._listening.accept()
        except OSError:  # gone again before it was taken
            return
        if len(self._number) >= limits.FEED_CALLERS:
            longest = min(self._heard_us, key=self._heard_us.__getitem__)
            silent_us = self._clock.now_us() - self._heard_us[longest]
            self._report.refuse("crowded")
            if silent_us < limits.FEED_CALLER_SILENT_S * SECOND_US:
                connection.close()
                return
            yield self._close(longest)
        connection.setblocking(False)
        self._count += 1
        self._number[connection] = self._count
        self._heard_us[connection] = self._clock.now_us()
        self._ready.register(connection, select.POLLIN)
        self._report.connected = True

    def _read(self, connection: socket.socket) -> Iterator[Piece]:
        try:
            data = connection.recv(SOCKET_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as e:
            self._report.refuse("closed", detail=str(e))
            yield self._close(connection)
            return
        if data:
            self._heard_us[connection] = self._clock.now_us()
            yield Piece(data, caller=self._number[connection])
        else:
            yield self._close(connection)

    def _close(self, connection: socket.socket) -> Piece:
        self._ready.unregister(connection)
        connection.close()
        del self._heard_us[connection]
        ended = Piece(b"", ends=True, caller=self._number.pop(connection))
        self._report.connected = bool(self._number)
        return ended


def datagrams(
    host: str,
    port: int,
    report: FeedReport,
    wait: BackOff,
    stop: threading.Event,
    *,
    apart: bool,
) -> Iterator[Piece]:
    """Datagrams to a port of ours, also to a multicast group. `apart`: as in `source.pieces`."""
    while not stop.is_set():
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as listening:
                _prepare(listening, host.strip("[]"), port)
                report.connected = True
                heard = _Datagrams(listening, report)
                yield from heard.each(stop) if apart else heard.as_lines(stop)
        except OSError as e:
            report.refuse("unreachable", detail=str(e))
        report.connected = False
        yield Piece(b"", ends=True)
        if not wait.again():
            return


def _prepare(listening: socket.socket, host: str, port: int) -> None:
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, limits.FEED_DATAGRAM_BYTES)
    listening.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    try:
        group = ipaddress.ip_address(host)
    except ValueError:  # a name: never a group
        group = None
    if group is not None and group.is_multicast:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # others may listen too
    listening.bind((host, port))
    if group is not None and group.is_multicast:
        if group.version == 4:
            membership = group.packed + bytes(4)  # by whichever interface leads there
            listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        else:
            membership = group.packed + struct.pack("@I", 0)
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
    listening.settimeout(LISTEN_S)


class _Datagrams:
    """What comes to one socket, and how much the system had to drop."""

    def __init__(self, listening: socket.socket, report: FeedReport) -> None:
        self._listening = listening
        self._report = report
        self._dropped = 0

    def each(self, stop: threading.Event) -> Iterator[Piece]:
        """One piece a datagram."""
        while not stop.is_set():
            try:
                yield Piece(self._next(), ends=True)
            except TimeoutError:
                continue

    def as_lines(self, stop: threading.Event) -> Iterator[Piece]:
        """Datagrams that came together, each ended by a newline: no line spans two."""
        while not stop.is_set():
            gathered = bytearray()
            try:
                gathered += _ended(self._next())
            except TimeoutError:
                continue
            stop.wait(GATHER_S)
            self._listening.setblocking(False)
            try:
                while len(gathered) < limits.FEED_READ_BYTES:
                    gathered += _ended(self._next())
            except BlockingIOError:
                pass
            self._listening.settimeout(LISTEN_S)
            yield Piece(bytes(gathered))

    def _next(self) -> bytes:
        """Raises `TimeoutError` or `BlockingIOError` where there is none."""
        data, said, _, _ = self._listening.recvmsg(SOCKET_READ_BYTES, socket.CMSG_SPACE(4))
        for level, kind, raw in said:
            if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                dropped = int(struct.unpack("@I", raw[:4])[0])
                since = (dropped - self._dropped) & 0xFFFFFFFF
                if since:
                    self._report.refuse("dropped", detail=f"{since} datagrams", count=since)
                self._dropped = dropped
        return data


def _ended(datagram: bytes) -> bytes:
    return datagram if datagram.endswith(b"\n") else datagram + b"\n"
