"""Small networks of real node processes on loopback, for scenarios."""

from __future__ import annotations

import functools
import itertools
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from samsyn.base.settings import Home, Realm
from samsyn.demo.world import free_ports, swap_cards
from samsyn.desk.accounts import Account
from samsyn.desk.seat import Seat
from samsyn.node.homes import make_home
from samsyn.node.node import Node
from samsyn.node.stores import Stores

PATIENCE_S = 180.0  # of machines that do much else; what comes, comes sooner
_networks = itertools.count()


class _Forks:
    """The process that nodes are forked from; begun with the first, it ends with the tests."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, str(Path(__file__).with_name("forks.py")), str(theirs.fileno())]
        env = {**os.environ, "POLARS_MAX_THREADS": "1"}
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=env)
        theirs.close()
        self._line = ours

    def begin(self, words: list[str], out: int, log: int) -> int:
        """The number of a new process: `samsyn` with these words."""
        return self._ask({"words": words, "env": dict(os.environ)}, [out, log])

    def end(self, pid: int) -> None:
        """kill -9; when this returns it is gone."""
        self._ask({"end": pid}, [])

    def _ask(self, what: dict[str, Any], descriptors: list[int]) -> int:
        socket.send_fds(self._line, [orjson.dumps(what)], descriptors)
        told = self._line.recv(64)
        assert told, "the process that nodes are forked from has ended"
        return int(told)


@functools.cache
def _forks() -> _Forks:
    return _Forks()


class Forked:
    """A node as `Process` is one, without a picture or feeds: for tests that start very many."""

    def __init__(self, home: Home, *options: str) -> None:
        self.home = home
        self._options = options
        self._pid = 0
        self._out: BinaryIO | None = None

    def start(self) -> dict[str, Any]:
        words = ["up", "--home", str(self.home.root), "--json", *self._options]
        ours, theirs = os.pipe()
        self._out = os.fdopen(ours, "rb")
        with (self.home.root / "up.log").open("ab") as log:
            self._pid = _forks().begin(words, theirs, log.fileno())
        os.close(theirs)
        ready, _, _ = select.select([self._out], [], [], PATIENCE_S)
        line = self._out.readline() if ready else b""
        assert line, (self.home.root / "up.log").read_text()[-3000:]
        told: dict[str, Any] = orjson.loads(line)
        assert told.get("ok"), told
        return told

    def kill(self) -> None:
        """kill -9."""
        if self._pid:
            _forks().end(self._pid)
            self._pid = 0
        if self._out is not None:
            self._out.close()
            self._out = None


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


@contextmanager
def running(root: Path, policies: dict[str, str]) -> Iterator[dict[str, Node]]:
    """Nodes that hold each other's cards, all in this process and without a picture, by name."""
    made = homes(root, policies)
    nodes = {name: Node(Stores(home), picture=False) for name, home in made.items()}
    for node in nodes.values():
        node.start()
    yield nodes
    for node in nodes.values():
        node.stop()


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
