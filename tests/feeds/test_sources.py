"""Unreadable input and sources that fail: said clearly, counted, and nothing good lost."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import random
import socket
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from samsyn.base.clock import ManualClock, SystemClock
from samsyn.base.settings import FeedSettings
from samsyn.feeds.report import FeedReport
from samsyn.feeds.runner import FeedStream, open_feed
from samsyn.feeds.source import pieces

from .expected import READ_AT_US, read

GOOD = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n"
NO_TIME = "time-unknown"


def ais(tmp_path: Path, data: bytes, name: str = "bad.nmea") -> tuple[int, Counter, list[str]]:
    """Rows, refusals, and the problems but for the note that these lines carry no time."""
    (tmp_path / name).write_bytes(data)
    rows, report = read("ais_nmea", f"file:{tmp_path / name}")
    return rows.height, report.refused, [str(p) for p in report.problems if p.reason != NO_TIME]


def test_a_cut_gzip_gives_what_came_before_the_cut(tmp_path):
    noise = "".join(f"# {random.Random(i).random()}\n" for i in range(3_000)).encode()
    packed = gzip.compress(GOOD * 500 + noise)
    rows, refused, problems = ais(tmp_path, packed[: len(packed) - 2_000], "cut.ais.gz")
    assert rows == 500
    assert refused == {"gzip-cut": 1}
    assert problems == [
        f"{tmp_path}/cut.ais.gz: byte {len(packed) - 2_000}: the compressed file is cut off"
    ]


def test_a_damaged_gzip_gives_what_came_before_the_damage(tmp_path):
    packed = gzip.compress(GOOD * 100)
    rows, refused, problems = ais(tmp_path, packed + b"and then something else", "damaged.gz")
    assert rows == 100
    assert refused == {"gzip-damaged": 1}
    assert f"damaged.gz: byte {len(packed) + 1}: the compressed file is damaged" in problems[0]


def test_a_gzip_with_a_wrong_byte_gives_all_that_comes_before_it(tmp_path):
    lines = b"".join(GOOD + b"# %d\n" % random.Random(i).getrandbits(64) for i in range(9_000))
    packed = bytearray(gzip.compress(lines))
    assert ais(tmp_path, bytes(packed), "whole.gz")[0] == 9_000
    wrong_sum = bytes(packed[:-8]) + b"\0\0\0\0" + bytes(packed[-4:])
    rows, refused, _ = ais(tmp_path, wrong_sum, "sum.gz")
    assert (rows, refused) == (9_000, {"gzip-damaged": 1})
    middle = len(packed) // 2
    packed[middle : middle + 40] = bytes(40)
    rows, refused, _ = ais(tmp_path, bytes(packed), "middle.gz")
    assert rows > 4_000
    assert refused["gzip-damaged"] == 1


def test_a_gzip_of_several_members(tmp_path):
    data = gzip.compress(GOOD * 3) + gzip.compress(GOOD * 4) + bytes(512)
    assert ais(tmp_path, data) == (7, Counter(), [])


def test_binary_noise(tmp_path):
    noise = random.Random(1).randbytes(200_000)
    rows, refused, problems = ais(tmp_path, noise + b"\n" + GOOD + noise[:999] + b"\n" + GOOD)
    assert rows == 2
    assert sum(refused.values()) > 100
    assert len(problems) <= 100
    assert all("bad.nmea: " in text and text.isprintable() for text in problems)


def test_a_file_with_wrong_checksums(tmp_path):
    rows, refused, problems = ais(tmp_path, GOOD + GOOD.replace(b"*23", b"*24") * 2 + GOOD)
    assert (rows, refused) == (2, {"checksum": 2})
    assert problems[0].startswith(f"{tmp_path}/bad.nmea: line 2: the checksum does not fit: !AIVDM")
    assert problems[1].startswith(f"{tmp_path}/bad.nmea: line 3: ")


def test_an_empty_file_and_one_without_a_last_newline(tmp_path):
    assert ais(tmp_path, b"") == (0, Counter(), [])
    assert ais(tmp_path, GOOD + GOOD.strip()) == (2, Counter(), [])


def test_a_line_of_100_mb_without_newline_is_dropped_in_little_memory(tmp_path):
    path = tmp_path / "endless.nmea"
    with path.open("wb") as file:
        file.write(GOOD)
        file.truncate(100_000_000)  # zeros that take no room on disk
    tracemalloc.start()
    rows, report = read("ais_nmea", f"file:{path}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (rows.height, report.refused) == (1, {"line-too-long": 1})
    assert f"endless.nmea: byte {len(GOOD)}: a line longer than any may be" in str(report.problems[-1])
    assert peak < 16_000_000


@pytest.mark.parametrize("kind", ["readsb", "opensky"])
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"now": 17,', "not-json"),
        (b'{"now": 17}', "shape"),
        (b"[1, 2]", "shape"),
        (b"[[[[", "not-json"),
    ],
)
def test_json_of_the_wrong_shape(tmp_path, kind, document, reason):
    (tmp_path / "odd.json").write_bytes(document)
    rows, report = read(kind, f"file:{tmp_path / 'odd.json'}")
    assert (rows.height, report.refused) == (0, {reason: 1})
    assert "odd.json: byte" in str(report.problems[0])


def test_a_document_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("samsyn.feeds.framing.limits.JSON_DOCUMENT_BYTES", 1_000)
    (tmp_path / "big.json").write_bytes(b"[" + b" " * 2_000 + b"]")
    _, report = read("readsb", f"file:{tmp_path / 'big.json'}")
    assert report.refused == {"document-too-large": 1}


def test_every_problem_is_said_in_swedish_too(tmp_path):
    (tmp_path / "x.nmea").write_bytes(GOOD.replace(b"*23", b"*24"))
    _, report = read("ais_nmea", f"file:{tmp_path / 'x.nmea'}")
    assert report.problems[0].what_sv == "kontrollsumman stämmer inte"


class Station:
    """A port on loopback that says something to each caller and closes."""

    def __init__(self, says: list[bytes]) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self._says = says
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for data in self._says:
            caller, _ = self.listening.accept()
            caller.sendall(data)
            caller.close()
        self.listening.close()


class EagerClock(ManualClock):
    """Waits for nothing, so that back-off takes no time; remembers for how long it was asked to."""

    def __init__(self) -> None:
        super().__init__(READ_AT_US)
        self.waits_s: list[float] = []

    def wait_until(self, at_us: int, stop: threading.Event) -> bool:
        self.waits_s.append((at_us - self.now_us()) / 1e6)
        return super().wait_until(at_us, stop)


def live(kind: str, source: str, stop: threading.Event, clock: ManualClock | None = None) -> FeedStream:
    settings = FeedSettings(name="live", kind=kind, source=source, poll_s=0.01)
    return open_feed(settings, originator="dk", exercise=False, clock=clock or EagerClock(), stop=stop)


def test_a_port_that_closes_is_called_again_and_nothing_good_is_lost():
    half = GOOD[:30]
    station = Station([GOOD * 2 + half, GOOD * 3])
    stop = threading.Event()
    stream = live("ais_nmea", f"tcp:127.0.0.1:{station.port}", stop)
    rows = 0
    for delivery in stream:
        rows += delivery.batch.height
        if rows >= 5:
            stop.set()
    assert rows == 5
    assert stream.report.refused["closed"] >= 1
    assert stream.report.refused["malformed"] == 1  # the half line at the end of the first call
    closed = next(p for p in stream.report.problems if p.reason == "closed")
    place = f"tcp:127.0.0.1:{station.port}: byte {2 * len(GOOD) + len(half)}"
    assert str(closed) == f"{place}: the other end closed the connection"
    assert stream.report.last_heard_us is not None


def test_back_off_doubles_up_to_a_minute():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop, clock = threading.Event(), EagerClock()
    stream = live("ais_nmea", f"tcp:127.0.0.1:{port}", stop, clock)
    for _ in pieces(stream._settings, stream.report, clock, stop):
        if len(clock.waits_s) >= 9:
            stop.set()
    assert clock.waits_s[:9] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert stream.report.refused["unreachable"] >= 9
    assert not stream.report.connected


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Reader:
    """A feed read in a thread of its own."""

    def __init__(self, kind: str, source: str) -> None:
        self.stop = threading.Event()
        self.stream = live(kind, source, self.stop)
        self.rows = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for delivery in self.stream:
            self.rows += delivery.batch.height

    def until(self, done: Callable[[], bool]) -> None:
        """Wait until something is so; fails after a minute."""
        until = time.monotonic() + 60
        while not done():
            assert time.monotonic() < until, self.stream.report.refused
            time.sleep(0.005)

    def end(self) -> None:
        self.stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


def test_others_call_a_port_of_ours_and_each_has_its_own_lines():
    port = free_port()
    reader = Reader("ais_nmea", f"tcp-listen:{port}")
    reader.until(lambda: can_call(port))
    with socket.create_connection(("127.0.0.1", port)) as one:
        with socket.create_connection(("127.0.0.1", port)) as other:
            one.sendall(GOOD[:30])
            other.sendall(GOOD[:20])
            reader.until(lambda: reader.stream.report.bytes >= 50)
            one.sendall(GOOD[30:])
            other.sendall(GOOD[20:] + GOOD[:10])
            reader.until(lambda: reader.rows == 2)
            assert reader.stream.report.connected
        reader.until(lambda: reader.stream.report.refused["malformed"] == 1)  # the other's half line
        one.sendall(GOOD)
        reader.until(lambda: reader.rows == 3)
    reader.until(lambda: not reader.stream.report.connected)
    reader.end()
    assert reader.stream.report.refused == {"malformed": 1}
    assert len(reader.stream._decoders) == 1


def can_call(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_no_more_callers_than_may_be(monkeypatch):
    monkeypatch.setattr("samsyn.feeds.sockets.limits.FEED_CALLERS", 2)
    port = free_port()
    reader = Reader("ais_nmea", f"tcp-listen:127.0.0.1:{port}")
    reader.until(lambda: can_call(port))
    reader.until(lambda: not reader.stream.report.connected)
    calls = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    for call in calls:
        call.sendall(GOOD)
    reader.until(lambda: reader.rows == 2)
    with socket.create_connection(("127.0.0.1", port)) as third:
        third.settimeout(60)
        assert third.recv(1) == b""  # turned away: the others spoke just now
    monkeypatch.setattr("samsyn.feeds.sockets.limits.FEED_CALLER_SILENT_S", 0.0)
    with socket.create_connection(("127.0.0.1", port)) as fourth:
        fourth.sendall(GOOD)
        reader.until(lambda: reader.rows == 3)
    for call in calls:
        call.close()
    reader.end()
    assert reader.stream.report.refused["crowded"] == 2


def test_a_port_that_is_taken_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        reader = Reader("ais_nmea", f"tcp-listen:{taken.getsockname()[1]}")
        reader.until(lambda: reader.stream.report.refused["unreachable"] >= 2)
        reader.end()


def test_datagrams_that_the_system_dropped_are_counted():
    port = free_port(socket.SOCK_DGRAM)
    stop, clock = threading.Event(), EagerClock()
    settings = FeedSettings(name="x", kind="ais_nmea", source=f"udp:127.0.0.1:{port}")
    report = FeedReport("x", "ais_nmea", settings.source)
    coming = pieces(settings, report, clock, stop, apart=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        first = threading.Thread(target=_send, args=(port, stop), daemon=True)
        first.start()
        assert next(coming).ends
        stop.set()
        first.join(60)
        stop.clear()
        for _ in range(2_000):  # more than any buffer holds, while nobody reads
            sender.sendto(bytes(32_000), ("127.0.0.1", port))
        heard = 0
        for piece in coming:
            heard += piece.data == bytes(32_000)
            if heard < 5:
                sender.sendto(GOOD, ("127.0.0.1", port))
            if piece.data == GOOD:
                break
    stop.set()
    assert report.refused["dropped"] + heard == 2_000
    assert report.refused["dropped"] > 100


def test_a_multicast_group_is_joined():
    port = free_port(socket.SOCK_DGRAM)
    reader = Reader("asterix", f"udp:239.255.77.77:{port}")
    reader.until(lambda: reader.stream.report.connected)
    reader.end()
    assert "unreachable" not in reader.stream.report.refused


def test_datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stop = threading.Event()
    stream = live("ais_nmea", f"udp:127.0.0.1:{port}", stop, None)
    sending = threading.Thread(target=_send, args=(port, stop), daemon=True)
    sending.start()
    rows = 0
    for delivery in stream:
        rows += delivery.batch.height
        stop.set()
    sending.join(60)
    assert rows >= 1
    assert not stream.report.refused


def _send(port: int, stop: threading.Event) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not stop.wait(0.02):
            sender.sendto(GOOD.strip(), ("127.0.0.1", port))


class Answers(http.server.BaseHTTPRequestHandler):
    """One answer after another: an error, nonsense, then a document."""

    script = (
        (500, b""),
        (200, b"<html>"),
        (
            200,
            json.dumps({"now": 1_700_000_000.0, "aircraft": [{"hex": "4ca123", "seen": 0.1}]}).encode(),
        ),
    )
    asked = 0

    def do_GET(self) -> None:
        status, body = self.script[min(Answers.asked, 2)]
        Answers.asked += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def test_an_address_that_fails_at_first_is_polled_again():
    Answers.asked = 0
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    stop = threading.Event()
    stream = live("readsb", f"http://127.0.0.1:{server.server_port}/aircraft.json", stop)
    for delivery in stream:
        assert delivery.batch["craft"].to_list() == [(2 << 32) + 0x4CA123]
        stop.set()
    server.shutdown()
    server.server_close()
    assert stream.report.refused["http-status"] == 1
    assert stream.report.refused["not-json"] == 1


def test_a_feed_stops_when_told(tmp_path):
    stop = threading.Event()
    silent = socket.create_server(("127.0.0.1", 0))
    stream = live("ais_nmea", f"tcp:127.0.0.1:{silent.getsockname()[1]}", stop, None)
    reading = threading.Thread(target=lambda: list(stream))
    reading.start()
    caller, _ = silent.accept()
    stop.set()
    reading.join(60)
    caller.close()
    silent.close()
    assert not reading.is_alive()


def test_progress_of_a_file_grows_to_its_end(tmp_path):
    (tmp_path / "long.nmea").write_bytes(GOOD * 20_000)
    stop = threading.Event()
    settings = FeedSettings(name="x", kind="ais_nmea", source=f"file:{tmp_path}/long.nmea")
    stream = open_feed(settings, originator="dk", exercise=False, clock=SystemClock(), stop=stop)
    told = [(d.progress, d.batch.height) for d in stream]
    assert [p for p, _ in told] == sorted(p for p, _ in told)
    assert told[-1][0] == 1.0
    assert sum(height for _, height in told) == 20_000
    assert max(height for _, height in told) <= 8_192
