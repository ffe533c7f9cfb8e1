"""A node with craft that move and an inbox, for the question of the page: a process of its own.

`python -m bench.page_node FOLDER CRAFT PORT` says in JSON where it is, then moves craft until killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import orjson

from samsyn.base.clock import SECOND_US, SystemClock
from samsyn.desk.accounts import Account, add_account
from samsyn.desk.drafts import ReportForm
from samsyn.desk.seat import Seat
from samsyn.formats.codes import TimeSource
from samsyn.node.homes import make_home
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key
from samsyn.observations.schema import make_batch

USER, PASSWORD = "bench", "correct horse battery"
REPORTS = 60
PARTS = 10  # of the craft report in one second: each every ten seconds
CLOCK = SystemClock()


class Craft:
    """Ships and aircraft over the Baltic Sea, each on its own course; who leaves comes back."""

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(1)
        air = np.arange(count) % 5 == 0
        ships, planes = craft_key(DOMAIN_SEA, 200_000_000), craft_key(DOMAIN_AIR, 0x400000)
        self._key = np.where(air, planes, ships) + np.arange(count)
        self._lat = random.uniform(54, 65.5, count)
        self._lon = random.uniform(9, 30, count)
        self._speed_kn = np.where(air, random.uniform(250, 480, count), random.uniform(5, 20, count))
        self._course_deg = random.uniform(0, 360, count)
        self._level_ft = np.where(air, 34_000.0, np.nan)

    def part(self, number: int, gone_s: float) -> dict[str, np.ndarray]:
        """One part of them, moved on by `gone_s` seconds."""
        rows = slice(number % PARTS, None, PARTS)
        far_deg = self._speed_kn[rows] * gone_s / 3600 / 60
        course = np.radians(self._course_deg[rows])
        self._lat[rows] = 54 + (self._lat[rows] + far_deg * np.cos(course) - 54) % 11.5
        east = far_deg * np.sin(course) / np.cos(np.radians(self._lat[rows]))
        self._lon[rows] = 9 + (self._lon[rows] + east - 9) % 21
        count = len(self._lat[rows])
        return {
            "time_us": np.full(count, CLOCK.now_us()),
            "craft": self._key[rows],
            "lat": self._lat[rows],
            "lon": self._lon[rows],
            "speed_kn": self._speed_kn[rows],
            "course_deg": self._course_deg[rows],
            "altitude_ft": self._level_ft[rows],
            "time_source": np.full(count, int(TimeSource.RECEIVED)),
        }


def main(folder: Path, count: int, port: int) -> None:
    home = make_home(
        folder,
        name="dk",
        organisation="Bench",
        realm="actual",
        home_listen=f"127.0.0.1:{port}",
        exchange_listen=f"127.0.0.1:{port + 1}",
    )
    add_account(home.accounts, USER, "Bench", "release", PASSWORD, "TLP:RED")
    with Stores(home) as stores:
        node = Node(stores)
        node.start()
        seat = Seat(node.desk, Account(USER, "Bench", "release", "", "TLP:RED"))
        for i in range(REPORTS):
            said = ReportForm(title=f"Report {i}", text="Seen.", lat=54 + i / 9, lon=10 + i / 4)
            seat.report(said)
        craft = Craft(count)
        for part in range(PARTS):
            node.desk.tracks.update(_batch(craft.part(part, 0)))
        url = f"http://127.0.0.1:{port}"
        print(orjson.dumps({"url": url, "user": USER, "password": PASSWORD}).decode(), flush=True)
        second, began_us = 0, CLOCK.now_us()
        while True:
            node.desk.tracks.update(_batch(craft.part(second, PARTS)))
            second += 1
            time.sleep(max(0.0, (began_us + second * SECOND_US - CLOCK.now_us()) / SECOND_US))


def _batch(columns: dict[str, np.ndarray]):  # type: ignore[no-untyped-def]
    return make_batch(columns, feed="bench", originator="dk", exercise=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
