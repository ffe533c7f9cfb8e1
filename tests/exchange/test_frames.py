"""GET /exchange/frame: one's own newest frame, held open for the next, no oftener than agreed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.base.clock import ManualClock, SystemClock
from samsyn.base.errors import Refused
from samsyn.channels.frame import EMPTY, frame_sequence, seal
from samsyn.exchange.link import explain
from samsyn.exchange.pull_frames import FramePuller
from tests.exchange.nodes import PATIENCE_S, REALM, Node

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    still = ManualClock(SystemClock().now_us())  # no allowance grows while a test runs
    dk, fi = Node(tmp_path, "dk", still), Node(tmp_path, "fi", still)
    dk.start()
    dk.knows(fi)
    yield dk, fi
    dk.stop()


def publish(dk: Node, sequence: int, body: bytes = EMPTY) -> bytes:
    made = seal(f"samsyn.dk/{REALM}/fi", sequence, 0, body, KEY)
    dk.channels["fi"].newest = made
    dk.bell.ring()
    return made


def get(dk: Node, fi: Node, path: str) -> httpx.Response:
    return fi.ask(dk.card(), "GET", path)


def test_a_frame_newer_than_asked_for_comes_at_once(nodes: tuple[Node, Node]) -> None:
    dk, fi = nodes
    made = publish(dk, 7)
    reply = get(dk, fi, "/exchange/frame?after=6")
    assert reply.content == made and reply.headers["content-type"] == "application/octet-stream"


def test_a_request_is_held_open_until_there_is_a_newer_one(nodes: tuple[Node, Node]) -> None:
    dk, fi = nodes
    publish(dk, 7)
    came: list[bytes] = []
    asking = threading.Thread(target=lambda: came.append(get(dk, fi, "/exchange/frame?after=7").content))
    asking.start()
    for _ in range(6_000):
        if dk.bell._waiting:  # the request has arrived and waits
            break
        time.sleep(0.01)
    assert dk.bell._waiting
    dk.bell.ring()  # a channel has grown: nothing for who waits for a frame
    publish(dk, 8)
    asking.join(PATIENCE_S)
    assert [frame_sequence(frame) for frame in came] == [8]


def test_frames_have_a_rate_of_their_own(nodes: tuple[Node, Node]) -> None:
    dk, fi = nodes
    publish(dk, 7)
    codes = [
        get(dk, fi, "/exchange/frame?after=0").status_code
        for _ in range(limits.FRAME_REQUESTS_PER_MINUTE + 8)
    ]
    assert codes == [200] * limits.FRAME_REQUESTS_PER_MINUTE + [429] * 8
    assert get(dk, fi, "/exchange/checkpoint").status_code == 200  # the channel is not held up by it


@pytest.mark.parametrize(
    "query", ["", "?after=x", "?after=-1", "?after=1&reader=se", "?after=1&after=2"]
)
def test_any_other_question_gets_the_one_refusal(nodes: tuple[Node, Node], query: str) -> None:
    dk, fi = nodes
    publish(dk, 7)
    reply = get(dk, fi, f"/exchange/frame{query}")
    assert (reply.status_code, reply.content) == (404, b'{"error":"no such thing"}')
    with fi.client(dk.card()) as unsigned:
        stranger = unsigned.get("/exchange/frame?after=1")
    assert (stranger.status_code, stranger.content) == (404, reply.content)


class MemoryFrames:
    """Takes frames by number; refuses one whose body is not empty."""

    def __init__(self) -> None:
        self.sequence = -1

    def receive(self, frame: bytes) -> bool:
        if not frame.endswith(EMPTY):
            raise Refused("malformed-frame", "as the test asked")
        news = frame_sequence(frame) > self.sequence
        self.sequence = max(self.sequence, frame_sequence(frame))
        return news


def test_a_bad_frame_is_raised_and_the_next_good_one_mends_it(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PULL_BACKOFF_S_MAX", 0.05)
    monkeypatch.setattr("samsyn.exchange.pull_frames.ROUND_US_MIN", 1_000)
    dk, fi = nodes
    fi.wall = SystemClock()  # it waits by it
    publish(dk, 7)
    news, stop, frames = threading.Condition(), threading.Event(), MemoryFrames()

    def changed() -> None:
        with news:
            news.notify_all()

    puller = FramePuller(
        dk.card(),
        frames,
        me="fi",
        request_key=fi.keys.request,
        realm=REALM,
        wall=fi.wall,
        jitter=random.Random(1),
        changed=changed,
    )
    thread = threading.Thread(target=puller.run, args=(stop,), daemon=True)
    thread.start()
    try:
        with news:
            assert news.wait_for(lambda: frames.sequence == 7, PATIENCE_S)
        publish(dk, 8, b"not a table")
        with news:
            assert news.wait_for(lambda: puller.refused == "malformed-frame", PATIENCE_S)
        assert frames.sequence == 7
        assert all(explain("malformed-frame")) and explain("malformed-frame") != explain("?")
        publish(dk, 9)
        with news:
            assert news.wait_for(lambda: puller.refused is None and frames.sequence == 9, PATIENCE_S)
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
