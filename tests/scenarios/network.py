"""Small networks of real node processes on loopback, for scenarios."""

from __future__ import annotations

import itertools
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from samsyn.base.settings import Home, Realm
from samsyn.demo.world import free_ports, swap_cards
from samsyn.desk.accounts import Account
from samsyn.desk.seat import Seat
from samsyn.node.homes import make_home
from samsyn.node.node import Node

PATIENCE_S = 180.0  # of machines that do much else; what comes, comes sooner
_networks = itertools.count()


class Process:
    """One `samsyn up` on a home; may be killed and started again."""

    def __init__(self, home: Home, *options: str) -> None:
        self.home = home
        self._options = options
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "samsyn.cli", "up", "--home", str(self.home.root), "--json"]
        with (self.home.root / "up.log").open("ab") as log:
            self._running = subprocess.Popen(
                [*command, *self._options],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "POLARS_MAX_THREADS": "1"},
            )
        out = self._running.stdout
        assert out is not None
        ready, _, _ = select.select([out], [], [], PATIENCE_S)
        line = out.readline() if ready else b""
        assert line, (self.home.root / "up.log").read_text()[-3000:]
        told: dict[str, Any] = orjson.loads(line)
        assert told.get("ok"), told
        return told

    def kill(self) -> None:
        """kill -9."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            if self._running.stdout is not None:
                self._running.stdout.close()
            self._running = None

    stop = kill


def ports_for(count: int) -> list[int]:
    """Ports to listen on. Tests run in several processes with neighbouring numbers: each has a block
    of its own, below those that the system gives out, and its networks take turns in it."""
    block = 18_000 + os.getpid() % 256 * 56
    return free_ports(count, block + next(_networks) % 6 * 8)


def homes(
    root: Path, policies: dict[str, str], *, realm: Realm = "actual", **more: Any
) -> dict[str, Home]:
    """Homes that hold each other's cards, by name; `policies` are the texts of their policy.toml."""
    ports = ports_for(2 * len(policies))
    made = {
        name: make_home(
            root / name,
            name=name,
            organisation=f"Organisation {name}",
            realm=realm,
            home_listen=f"127.0.0.1:{ports[2 * i]}",
            exchange_listen=f"127.0.0.1:{ports[2 * i + 1]}",
            policy=policy,
            **more,
        )
        for i, (name, policy) in enumerate(policies.items())
    }
    swap_cards(made.values())
    return made


def wait(until: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """The first true answer; fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := until():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {until}")


def seat(node: Node) -> Seat:
    """A release officer's, who is cleared for everything."""
    officer = Account(user="t", name="T", role="release", password="", clearance="TLP:RED")
    return Seat(node.desk, officer)
