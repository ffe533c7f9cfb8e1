"""A receiver on TCP, a standing order, a partner: from radio lines to the partner's store."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyais.encode import encode_dict

from samsyn.base.clock import SECOND_US, SystemClock
from samsyn.demo.world import ZONES
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.observations.store import ObservationStore
from tests.scenarios.network import homes, seat, wait

POLICY = """
[[rule]]
id = "area-to-fi"
why = "test"
to = ["fi"]
kinds = ["alert"]
when = { detector = ["emergency"] }
place = "area"
time = "hour"
"""
ORDER = """
[[standing_order]]
id = "distress"
why = "test"
detectors = ["emergency"]
"""
BEACON = 970_123_456  # an AIS-SART's number (ITU-R M.585)


class Receiver:
    """Listens on TCP and sends what it is given to whoever is connected."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._lines: list[bytes] = []
        self._more = threading.Condition()
        self._open = True
        threading.Thread(target=self._serve, daemon=True).start()

    def say(self, *lines: bytes) -> None:
        with self._more:
            self._lines += lines
            self._more.notify_all()

    def hang_up(self) -> None:
        """Cut the present connection, as a pulled cable does."""
        self.say(b"")

    def _serve(self) -> None:
        while self._open:
            line = b"x"
            peer, _ = self._server.accept()
            with peer:
                while line:
                    with self._more:
                        self._more.wait_for(lambda: bool(self._lines))
                        line = self._lines.pop(0)
                    peer.sendall(line)

    def close(self) -> None:
        self._open = False
        self._server.close()


def position(mmsi: int, at_us: int, lat: float, lon: float, status: int = 0) -> bytes:
    """One type 1 report with a tag block that says when it was heard."""
    fields = {"msg_type": 1, "mmsi": mmsi, "lat": lat, "lon": lon, "speed": 8.0, "course": 90.0}
    (line,) = encode_dict({**fields, "heading": 90, "status": status, "second": 1})
    tag = f"c:{at_us // SECOND_US}"
    check = 0
    for c in tag.encode():
        check ^= c
    return f"\\{tag}*{check:02X}\\{line}\r\n".encode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_a_call_for_help_reaches_the_partner(tmp_path: Path, receiver: Receiver) -> None:
    feed = f'[[feed]]\nname = "roof"\nkind = "ais_nmea"\nsource = "tcp:127.0.0.1:{receiver.port}"\n'
    made = homes(tmp_path, {"dk": POLICY, "fi": ""})
    with made["dk"].config.open("a") as config:
        config.write(feed + ORDER)
    nodes = {name: Node(Stores(home)) for name, home in made.items()}
    for node in nodes.values():
        node.start()
    try:
        now_us = SystemClock().now_us() - 600 * SECOND_US
        receiver.say(position(219_000_001, now_us, 55.0, 14.0), b"!AIVDM,1,1,,A,broken,0*00\r\n")
        receiver.hang_up()  # the feed connects again by itself
        receiver.say(
            *(position(BEACON, now_us + i * 10 * SECOND_US, 55.1, 14.1, 14) for i in range(1, 13)),
            *(position(219_000_001, now_us + i * 10 * SECOND_US, 55.0, 14.0) for i in range(1, 20)),
        )
        (held,) = wait(lambda: seat(nodes["fi"]).statements())
        assert held["slots"]["body.craft"] == f"mmsi:{BEACON}"
        assert (held["provenance"]["place"], held["exercise"]) == ("area", False)
        assert "body.evidence" not in held["slots"]
        # every good line of both connections, and the bad one counted
        wait(lambda: seat(nodes["dk"]).picture()["feeds"][0]["rows"] == 1 + 12 + 19)
        (shown,) = seat(nodes["dk"]).picture()["feeds"]
        assert shown["state"] == "live" and shown["refused"] >= 1
        assert seat(nodes["dk"]).track(1, 219_000_001)
    finally:
        for node in nodes.values():
            node.stop()


def test_a_policy_that_cannot_be_read_stops_the_change_not_the_node(tmp_path: Path) -> None:
    made = homes(tmp_path, {"dk": '[[rule]]\nid = "x"\nto = ["nobody"]\n', "fi": ""})
    node = Node(Stores(made["dk"]))
    node.start()
    try:
        assert "policy.toml" in node.policy_problem
        assert node.desk.health()["ok"]
    finally:
        node.stop()


def test_two_nodes_on_one_home_are_refused(tmp_path: Path) -> None:
    made = homes(tmp_path, {"dk": ""})
    first = Node(Stores(made["dk"]))
    first.start()
    try:
        with pytest.raises(Exception, match="runs on this home already"):
            Node(Stores(made["dk"])).start()
    finally:
        first.stop()


def test_a_recording_is_replayed_into_an_exercise_at_a_speed(tmp_path: Path) -> None:
    made = homes(tmp_path, {"dk": ""}, realm="exercise", zones=json.dumps(ZONES))
    node = Node(Stores(made["dk"]))
    node.start()
    try:
        with Stores(made["dk"]) as asking:  # as `samsyn replay` does, from another process
            began_us = node.desk.now_us()
            asked = asking.replays.ask("extract:bornholm", "columns", 2_000.0)
            wait(lambda: asking.replays.get(asked).state == "done")
            assert asking.replays.get(asked).rows > 500
        assert node.desk.speed() == 1.0  # as before
        (found, *_) = seat(node).findings()
        assert found["detector"] == "zone-entry" and found["exercise"] is True
        assert found["start_us"] > began_us  # the exercise's time, not the recording's
    finally:
        node.stop()


def test_a_recording_never_enters_the_actual_realm(tmp_path: Path) -> None:
    made = homes(tmp_path, {"dk": ""})
    node = Node(Stores(made["dk"]))
    node.start()
    try:
        with Stores(made["dk"]) as asking:
            asked = asking.replays.ask("extract:bornholm", "columns", 2_000.0)
            wait(lambda: asking.replays.get(asked).state == "failed")
            assert "exercise realm" in asking.replays.get(asked).problem
        assert seat(node).picture()["feeds"] == []
    finally:
        node.stop()


def test_a_recording_as_a_feed_of_the_actual_realm_keeps_its_own_time(tmp_path: Path) -> None:
    """Started twice: found once, kept once."""
    feed = '[[feed]]\nname = "old"\nkind = "columns"\nsource = "extract:bornholm"\n'
    order = ORDER.replace("emergency", "zone-entry")
    made = homes(tmp_path, {"dk": ""}, feeds=[feed], orders=[order], zones=json.dumps(ZONES))
    seen = []
    for _ in range(2):
        node = Node(Stores(made["dk"]))
        node.start()
        try:
            wait(lambda n=node: seat(n).picture()["feeds"][0]["state"] == "ended" and seat(n).findings())
            # two ships enter, one has left when the extract ends: both are to be told, not one only
            wait(
                lambda n=node: (
                    sorted(s["slots"]["body.state"] for s in seat(n).statements()) == ["closed", "open"]
                )
            )
            seen.append({s["jti"]: s["slots"]["time.day"] for s in seat(node).statements()})
            assert not any(s["exercise"] for s in seat(node).statements())
        finally:
            node.stop()
    assert seen[0] == seen[1] and set(seen[0].values()) == {"2018-11-26"}
    store = ObservationStore(made["dk"].observations("actual"))
    rows = store.scan(0, 2**62)
    assert rows.height == rows.unique(["craft", "time_us"]).height
