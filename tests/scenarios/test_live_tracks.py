"""Live tracks between real nodes: dk hears traffic, fi sees it coarsely, se learns not even that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from samsyn.base import geo
from samsyn.base.clock import SECOND_US, SystemClock, iso
from samsyn.base.settings import Home
from samsyn.channels.frame import EMPTY, frame_sequence, open_frame
from samsyn.exchange import ask as asking
from samsyn.exchange.card import public_key
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.statements.marking import MARKINGS
from samsyn.tracks.frame import FROM_PARTNER, frame
from tests.policy.tracks import batch, row
from tests.scenarios.network import homes, wait
from tests.scenarios.test_live_feed import Receiver

LAT, LON = 55.123456, 15.654321
SHIP, PLANE = 219_000_001, 0x4CA123
WORLD = (-180.0, -90.0, 180.0, 90.0)
POLICY = """
[[rule]]
id = "ships-to-fi"
why = "test"
to = ["fi"]
kinds = ["track"]
when = { subject = "sea", feed = ["roof"] }
place = "exact"
hide = ["course_deg", "speed_kn"]

[[rule]]
id = "aircraft-coarsely-to-fi"
why = "test"
to = ["fi"]
kinds = ["track"]
when = { subject = "air" }
place = "spot"
hide = ["callsign"]
"""
HEADER = b"time,craft,lat,lon,altitude_ft,speed_kn,course_deg,callsign\n"


def said(craft: str, at_us: int, lat: float) -> bytes:
    return f"{iso(at_us)},{craft},{lat},{LON},1500,12,90,OXSECRET\n".encode()


class Net:
    """dk with and dk without a feed are two homes; every reply that a partner gets is kept."""

    def __init__(self, made: dict[str, Home]) -> None:
        self.made = made
        self.nodes = {name: Node(Stores(home)) for name, home in made.items()}
        self.heard: dict[str, list[bytes]] = {name: [] for name in made}

    def start(self) -> None:
        for node in self.nodes.values():
            node.start()

    def stop(self) -> None:
        for node in self.nodes.values():
            node.stop()

    def picture(self, node: str) -> pl.DataFrame:
        desk = self.nodes[node].desk
        return pl.read_ipc_stream(
            frame(desk.tracks.upto(MARKINGS), WORLD, desk.now_us(), desk.partner_tracks)
        )


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Net, Receiver]]:
    receiver = Receiver()
    feed = f'[[feed]]\nname = "roof"\nkind = "columns"\nsource = "tcp:127.0.0.1:{receiver.port}"\n'
    made = homes(tmp_path, {"dk": POLICY, "no": "", "fi": "", "se": ""})
    with made["dk"].config.open("a") as config:
        config.write(feed)
    net = Net(made)
    read = asking.read

    async def recorded(reply: httpx.Response, bytes_max: int) -> bytes:
        body = await read(reply, bytes_max)
        asked = reply.request
        if asked.url.path == "/exchange/frame":
            who = asked.headers["signature-input"].split('keyid="')[1].split('"')[0]
            net.heard[who].append(body)
        return body

    monkeypatch.setattr(asking, "read", recorded)
    net.start()
    yield net, receiver
    net.stop()
    receiver.close()


def frames_of(net: Net, reader: str, sender: str) -> list[tuple[Any, pl.DataFrame]]:
    card = net.nodes[reader].stores.roster.get(sender)
    assert card is not None
    origin = f"samsyn.{sender}/actual/{reader}"
    ours = [f for f in net.heard[reader] if origin.encode() in f]
    return [open_frame(sent, origin, public_key(card.log_key)) for sent in ours]


def test_a_partner_sees_what_its_rule_allows_and_another_nothing_at_all(
    net: tuple[Net, Receiver],
) -> None:
    nodes, receiver = net
    now_us = SystemClock().now_us()
    receiver.say(HEADER, said(f"mmsi:{SHIP}", now_us, LAT), said(f"icao:{PLANE:06x}", now_us, LAT))
    wait(lambda: nodes.picture("dk").height == 2)
    wait(lambda: nodes.picture("fi").height == 2)
    shown = nodes.picture("fi").sort("domain")
    assert shown["number"].to_list() == [SHIP, PLANE]
    assert shown["flags"].to_list() == [FROM_PARTNER] * 2 and shown["speed_kn"].is_nan().all()
    cell = geo.cell_centre(geo.cell(LAT, LON, 7))
    assert shown["lat"].to_list() == pytest.approx([LAT, cell[0]], abs=1e-4)
    assert shown["altitude_ft"].is_nan().to_list() == [False, True]  # it would tell where it is
    assert not any(b"OXSECRET" in body for body in nodes.heard["se"])
    plane = nodes.nodes["fi"].desk.partner_tracks.one((2 << 32) + PLANE)
    assert plane and (plane["place"], plane["callsign"], plane["course_deg"]) == ("spot", None, None)
    found = nodes.nodes["fi"].desk.partner_tracks.one((1 << 32) + SHIP)
    assert found and (found["partner"], found["place"], found["course_deg"]) == ("dk", "exact", None)
    assert found["craft"] == f"mmsi:{SHIP}"

    # se: the same frames from dk, which hears and shares, as from no, which has no feed at all
    wait(lambda: len(frames_of(nodes, "se", "dk")) >= 2 and len(frames_of(nodes, "se", "no")) >= 2)
    busy, idle = frames_of(nodes, "se", "dk"), frames_of(nodes, "se", "no")
    assert all(rows.height == 0 for _, rows in busy + idle)
    assert {head.sequence for head, _ in busy} & {head.sequence for head, _ in idle}
    assert all(sent.endswith(EMPTY) for sent in nodes.heard["se"])
    assert len({len(sent) for sent in nodes.heard["se"]}) == 1
    numbers = [frame_sequence(sent) for sent in nodes.heard["fi"]]
    assert max(numbers) * 10 <= SystemClock().now_us() // SECOND_US

    # nothing of it is kept, watched or passed on
    assert not nodes.nodes["fi"].desk.findings.newest()
    assert not list(nodes.made["fi"].observations("actual").rglob("*.parquet"))
    assert nodes.picture("se").height == 0
    assert nodes.nodes["fi"].link("dk")["state"] == "up"


def test_our_own_track_of_a_craft_wins_and_a_partner_that_left_is_not_shown(
    net: tuple[Net, Receiver],
) -> None:
    nodes, receiver = net
    now_us = SystemClock().now_us()
    receiver.say(HEADER, said(f"mmsi:{SHIP}", now_us, LAT))
    wait(lambda: nodes.picture("fi").height == 1)
    fi = nodes.nodes["fi"]
    fi.desk.tracks.update(batch(row((1 << 32) + SHIP, 55.5, LON, time_us=now_us), exercise=False))
    shown = nodes.picture("fi")
    assert shown.height == 1 and shown["lat"][0] == pytest.approx(55.5) and shown["flags"][0] == 0
    assert fi.desk.partner_tracks.one((1 << 32) + SHIP)
    (fi.stores.home.partners / "dk.card.json").unlink()
    wait(lambda: fi.desk.partner_tracks.one((1 << 32) + SHIP) is None)
