"""How much memory does an idle node take?

A new home with the picture served, one partner that is away and no feed, asked after it has been up for
a while: the resident set of the process.
"""

from __future__ import annotations

import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.measure import Row
from samsyn.demo.world import free_ports, swap_cards
from samsyn.node.homes import make_home

UP_S = 10.0


def rows() -> Iterator[Row]:
    """Megabytes of one process."""
    with tempfile.TemporaryDirectory() as folder:
        ports = free_ports(4, 28_440)
        homes = [
            make_home(
                Path(folder) / name,
                name=name,
                organisation=name,
                realm="actual",
                home_listen=f"127.0.0.1:{ports[2 * i]}",
                exchange_listen=f"127.0.0.1:{ports[2 * i + 1]}",
            )
            for i, name in enumerate(("a", "b"))
        ]
        swap_cards(homes)
        command = [sys.executable, "-m", "samsyn.cli", "up", "--home", str(homes[0].root), "--json"]
        begin = time.perf_counter()
        node = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert node.stdout is not None
            assert select.select([node.stdout], [], [], 60)[0], "the node did not start"
            ready = time.perf_counter() - begin
            time.sleep(UP_S)
            resident = psutil.Process(node.pid).memory_info().rss
            busy = sum(psutil.Process(node.pid).cpu_times()[:2]) - ready
        finally:
            node.terminate()
            node.wait()
    yield Row("resident memory of an idle node", resident / 2**20, "MB", "a new home")
    yield Row("from command to ready", ready, "s", "a new home")
    yield Row("share of a core while idle", max(busy, 0.0) / UP_S, "cores", "a new home")
