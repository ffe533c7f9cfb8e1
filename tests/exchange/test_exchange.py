"""Two nodes over loopback: what one writes, the other holds and confirms."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from samsyn.base import limits
from samsyn.base.allowance import Allowance
from samsyn.base.clock import MINUTE_US, ManualClock
from samsyn.base.errors import ConfigError
from samsyn.exchange.bell import Bell
from samsyn.exchange.link import _WORDS, LinkState, explain
from samsyn.exchange.listen import serve
from tests.exchange.nodes import PATIENCE_S, MemoryMirror, Node, pulling


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi")
    dk.knows(fi)
    dk.start()
    yield dk, fi
    dk.stop()


def test_what_is_written_arrives_and_is_confirmed(pair: tuple[Node, Node]) -> None:
    dk, fi = pair
    channel, mirror = dk.channels["fi"], MemoryMirror()
    channel.kept += ["a", "b"]
    with pulling(fi, dk.card(), mirror) as link:
        link.until(lambda: mirror.kept == ["a", "b"])
        link.until_state("up")
        channel.kept.append("c")
        dk.bell.ring()
        link.until(lambda: mirror.kept == ["a", "b", "c"])
        dk.until_confirmed(lambda: channel.cosigned == [b"cosigned 2", b"cosigned 3"])
    assert link.puller.state().their_size == 3 and link.puller.state().last_heard_us


def test_an_empty_channel_is_a_link_that_is_up(pair: tuple[Node, Node]) -> None:
    dk, fi = pair
    with pulling(fi, dk.card(), MemoryMirror()) as link:
        link.until_state("up")
    assert dk.channels["fi"].cosigned == []


def test_a_long_absence_is_caught_up_in_batches_on_the_normal_path(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BATCH_ENTRIES", 10)
    dk, fi = pair
    dk.channels["fi"].kept += [str(i) for i in range(95)]
    mirror = MemoryMirror()
    with pulling(fi, dk.card(), mirror) as link:
        link.until(lambda: mirror.size == 95)
        link.until_state("up")
    assert mirror.batches == 10
    assert mirror.kept == dk.channels["fi"].kept


def test_while_a_batch_is_applied_the_partner_makes_the_next(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BATCH_ENTRIES", 10)
    dk, fi = pair
    channel = dk.channels["fi"]
    channel.kept += [str(i) for i in range(25)]
    asked = {after: threading.Event() for after in (0, 10, 20)}
    give = channel.entries

    def entries(after: int, limit: int) -> bytes:
        asked[after].set()
        return give(after, limit)

    class Waiting(MemoryMirror):
        def receive(self, batch: bytes) -> None:
            if self.size + 10 in asked:
                assert asked[self.size + 10].wait(PATIENCE_S)
            super().receive(batch)

    monkeypatch.setattr(channel, "entries", entries)
    mirror = Waiting()
    with pulling(fi, dk.card(), mirror) as link:
        link.until(lambda: mirror.size == 25)
    assert mirror.batches == 3


def test_batches_cut_short_by_their_bytes_are_asked_for_where_they_end(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BATCH_ENTRIES", 10)
    dk, fi = pair
    channel = dk.channels["fi"]
    channel.kept += [str(i) for i in range(45)]
    give, asked = channel.entries, []

    def entries(after: int, limit: int) -> bytes:
        asked.append(after)
        return give(after, min(limit, 7))

    monkeypatch.setattr(channel, "entries", entries)
    mirror = MemoryMirror()
    with pulling(fi, dk.card(), mirror) as link:
        link.until(lambda: mirror.size == 45)
        link.until_state("up")
    assert mirror.kept == channel.kept
    # ahead once, at 10, and then no more in this round
    assert [after for after in asked if after != 10] == [0, 7, 14, 21, 28, 35, 42]


def test_what_was_applied_before_a_crash_is_confirmed_after_it(pair: tuple[Node, Node]) -> None:
    dk, fi = pair
    dk.channels["fi"].kept += ["a"]
    mirror = MemoryMirror()
    mirror.kept = ["a"]  # applied, but the cosignature never left
    with pulling(fi, dk.card(), mirror):
        dk.until_confirmed(lambda: dk.channels["fi"].cosigned == [b"cosigned 1"])


def test_what_cannot_be_confirmed_yet_is_confirmed_without_waiting_for_news(
    pair: tuple[Node, Node],
) -> None:
    dk, fi = pair
    dk.channels["fi"].kept += ["a"]

    class Hesitant(MemoryMirror):
        asked = 0

        def cosigned(self) -> bytes | None:
            self.asked += 1
            return None if self.asked == 1 else super().cosigned()

    with pulling(fi, dk.card(), Hesitant()):
        dk.until_confirmed(lambda: dk.channels["fi"].cosigned == [b"cosigned 1"])


def test_a_partner_that_is_away_is_down_and_comes_back_by_itself(pair: tuple[Node, Node]) -> None:
    dk, fi = pair
    card = dk.card()
    port = dk.listener.port if dk.listener else 0
    dk.stop()
    mirror = MemoryMirror()
    with pulling(fi, card, mirror) as link:
        link.until_state("down", "unreachable")
        dk.bell = Bell()
        dk.channels["fi"].kept += ["a"]
        dk.start(port=port)
        link.until(lambda: mirror.kept == ["a"])
        link.until_state("up")


def test_a_refused_batch_leaves_the_old_state_and_other_partners_go_on(tmp_path: Path) -> None:
    dk, se, fi = (Node(tmp_path, name) for name in ("dk", "se", "fi"))
    for partner in (dk, se):
        partner.knows(fi)
        partner.start()
        partner.channels["fi"].kept += ["a"]
    from_dk, from_se = MemoryMirror(), MemoryMirror()
    with pulling(fi, dk.card(), from_dk) as bad, pulling(fi, se.card(), from_se) as good:
        bad.until(lambda: from_dk.kept == ["a"])
        dk.channels["fi"].kept += ["b", "!forked-log"]
        dk.bell.ring()
        bad.until_state("refused", "forked-log")
        assert from_dk.kept == ["a"]
        state = bad.puller.state()
        assert state.applied_size == 1 and state.their_size == 3
        assert state.refused == {"reason": "forked-log", "en": state.en, "sv": state.sv}
        se.channels["fi"].kept += ["b"]
        se.bell.ring()
        good.until(lambda: from_se.kept == ["a", "b"])
        assert good.puller.state().refused is None
    dk.stop()
    se.stop()


def test_a_node_that_does_not_hold_our_card_is_a_reason_to_call_it(tmp_path: Path) -> None:
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi")
    dk.start()
    with pulling(fi, dk.card(), MemoryMirror()) as link:
        link.until_state("refused", "not-accepted")
        dk.channels["fi"] = dk.knows(fi)
        link.until_state("up")
    dk.stop()


def test_a_shorter_channel_is_shown_to_the_mirror_and_not_passed_over(pair: tuple[Node, Node]) -> None:
    dk, fi = pair
    dk.channels["fi"].kept += ["a"]
    mirror = MemoryMirror()
    mirror.kept = ["a", "b"]
    with pulling(fi, dk.card(), mirror) as link:
        link.until_state("refused", "not-taken")  # the double refuses to read past its end
    assert mirror.kept == ["a", "b"]


def test_a_partner_that_says_more_than_it_gives_is_not_asked_in_circles(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    dk, fi = pair
    monkeypatch.setattr(dk.channels["fi"], "checkpoint", lambda: b"x\n7\nroot\n\n")
    with pulling(fi, dk.card(), MemoryMirror()) as link:
        link.until_state("refused", "no-progress")


def test_our_own_fault_while_applying_is_retried_and_said(pair: tuple[Node, Node]) -> None:
    dk, fi = pair
    dk.channels["fi"].kept += ["a"]

    class Full(MemoryMirror):
        def receive(self, batch: bytes) -> None:
            if not self.batches:
                self.batches += 1
                raise OSError("no space left on device")
            super().receive(batch)

    mirror = Full()
    with pulling(fi, dk.card(), mirror) as link:
        link.until_state("down", "own-fault")
        link.until(lambda: mirror.kept == ["a"])


def test_the_two_sides_agree_on_every_read_endpoint(pair: tuple[Node, Node]) -> None:
    dk, fi = pair
    dk.channels["fi"].kept += ["a", "b", "c"]
    card = dk.card()
    assert fi.ask(card, "GET", "/exchange/checkpoint").content == dk.channels["fi"].checkpoint()
    assert fi.ask(card, "GET", "/exchange/live?after=0").content == dk.channels["fi"].checkpoint()
    assert (
        fi.ask(card, "GET", "/exchange/entries?after=1&limit=1").content
        == b'{"after": 1, "kept": ["b"]}'
    )
    assert fi.ask(card, "GET", "/healthz").json() == {"ok": True}
    assert fi.ask(card, "POST", "/exchange/cosign", b"cosigned 3").status_code == 200
    assert fi.ask(card, "POST", "/exchange/cosign", b"something else").status_code == 409


@pytest.mark.parametrize(
    "path",
    [
        "/exchange/entries",
        "/exchange/entries?after=0",
        "/exchange/entries?after=-1&limit=1",
        "/exchange/entries?after=0&limit=0",
        "/exchange/entries?after=0&limit=1&after=1",
        "/exchange/entries?after=0&limit=1&reader=se",
        "/exchange/entries?after=%D9%A1&limit=1",
        "/exchange/entries?after=9999999999999999999999&limit=1",
        "/exchange/live?after=x",
        "/exchange/checkpoint?x=1",
        "/exchange/checkpoint/",
        "/exchange",
        "/",
    ],
)
def test_an_odd_question_has_the_one_answer(pair: tuple[Node, Node], path: str) -> None:
    dk, fi = pair
    reply = fi.ask(dk.card(), "GET", path)
    assert (reply.status_code, reply.content) == (404, b'{"error":"no such thing"}')


def test_our_own_fault_shows_a_partner_no_detail(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    dk, fi = pair

    def broken() -> bytes:
        raise OSError("/secret/path is full")

    monkeypatch.setattr(dk.channels["fi"], "checkpoint", broken)
    reply = fi.ask(dk.card(), "GET", "/exchange/checkpoint")
    assert (reply.status_code, reply.content) == (503, b'{"error":"out of order"}')


def test_a_held_wake_up_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi")
    dk.knows(fi)
    dk.start()
    card, answers = dk.card(), []
    asked = threading.Event()
    looked = dk.channels["fi"].checkpoint

    def checkpoint() -> bytes:
        asked.set()
        return looked()

    dk.channels["fi"].checkpoint = checkpoint  # type: ignore[method-assign]
    held = threading.Thread(
        target=lambda: answers.append(fi.ask(card, "GET", "/exchange/live?after=0").status_code)
    )
    held.start()
    assert asked.wait(PATIENCE_S)
    dk.stop()
    held.join(limits.LIVE_WAIT_S / 2)
    assert answers == [200]


def test_one_partner_cannot_hold_any_number_of_wake_ups(
    pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_WAITS", 0)
    dk, fi = pair
    assert fi.ask(dk.card(), "GET", "/exchange/live?after=0").status_code == 200


# the bell


def test_a_ring_wakes_all_who_wait_from_another_thread_and_none_is_missed() -> None:
    bell = Bell()

    async def wait_twice() -> int:
        seen = bell.rings
        bell.ring()
        await bell.rung_after(seen)  # rung before we came to wait
        waiting = [asyncio.create_task(bell.rung_after(bell.rings)) for _ in range(3)]
        await asyncio.sleep(0)
        threading.Thread(target=bell.ring).start()
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
        bell.close()
        await bell.rung_after(bell.rings)
        return bell.rings

    assert asyncio.run(wait_twice()) == 3


def test_a_bell_outlives_the_loop_of_those_who_waited() -> None:
    bell = Bell()

    async def give_up() -> None:
        task = asyncio.create_task(bell.rung_after(0))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(give_up())
    bell.ring()


# allowance, listener, words


def test_an_allowance_is_spent_and_comes_back_with_time() -> None:
    allowance = Allowance(3, 0)
    assert [allowance.take(0) for _ in range(3)] == [0, 0, 0]
    wait_us = allowance.take(0)
    assert 0 < wait_us <= MINUTE_US // 3 + 1
    assert allowance.take(-MINUTE_US) > 0  # a clock set back
    assert allowance.take(-MINUTE_US + wait_us) == 0


def test_too_many_requests_are_told_so(pair: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUESTS_PER_MINUTE", 1)
    dk, fi = pair
    dk.wall = ManualClock(dk.wall.now_us())
    dk.stop()
    dk.start()
    codes = [fi.ask(dk.card(), "GET", "/exchange/checkpoint").status_code for _ in range(3)]
    assert codes == [200, 429, 429]


def test_a_taken_port_is_an_error_that_says_which() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)):
            serve(None, "127.0.0.1", port).start()


def test_an_open_websocket_is_not_taken_for_a_silent_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_READ_S", 1.0)

    async def hold(socket: WebSocket) -> None:
        await socket.accept()
        await asyncio.sleep(1.3)  # longer than a silent connection may live
        await socket.send_text("still here")
        await socket.receive_text()

    listener = serve(Starlette(routes=[WebSocketRoute("/", hold)]), "127.0.0.1", 0)
    listener.start()
    with connect(f"ws://{listener.address}/") as there:
        assert there.recv(PATIENCE_S) == "still here"
        listener.stop()  # while it is open


def test_every_reason_has_words_in_both_languages() -> None:
    for reason in [*_WORDS, "forked-log", "some-new-reason"]:
        en, sv = explain(reason)
        assert en and sv and en != sv
    assert LinkState(partner="x").refused is None
