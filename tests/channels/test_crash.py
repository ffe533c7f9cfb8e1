"""kill -9 at any moment: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from samsyn.channels.leaf import read_leaf
from samsyn.channels.names import channel_origin
from samsyn.log.store import LogStore
from samsyn.statements.keys import NodeKeys, generate, load
from tests.channels.nodes import Node, pull

ROOT = Path(__file__).resolve().parents[2]


def test_a_tick_that_fails_halfway_leaves_everything_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dk, se, fi = (Node(tmp_path, name) for name in ("dk", "se", "fi"))
    dk.open_to([se, fi])
    for _ in range(3):
        dk.say()
    honest, calls = LogStore.set_checkpoint, Counter[str]()

    def failing(self: LogStore, log: str, note: bytes) -> None:
        calls["n"] += 1
        if calls["n"] == 2:  # one reader's channel is written and sealed, the next is not
            raise OSError("no space left on device")
        honest(self, log, note)

    monkeypatch.setattr(LogStore, "set_checkpoint", failing)
    with pytest.raises(OSError, match="no space"):
        dk.door.tick()
    assert (dk.outbox.waiting(), dk.size_to("se"), dk.size_to("fi")) == (3, 0, 0)
    assert dk.door.tick().released == 6
    assert (dk.outbox.waiting(), dk.size_to("se"), dk.size_to("fi")) == (0, 3, 3)


def child(folder: Path) -> None:
    """Say, tick, pull and withdraw without end; print what was acknowledged."""
    dk, se = (Node(folder, name, keys=load(folder / name)) for name in ("dk", "se"))
    dk.open_to([se, Node(folder, "fi")])
    se.follow(dk)
    print("ready", flush=True)
    n = 0
    while True:
        n += 1
        said = dk.say()
        print("said", said.jti, flush=True)
        dk.door.tick()
        if n % 3 == 0:
            dk.outbox.put("withdraw", said.jti, 1, purge=True)
            print("withdrawn", said.jti, flush=True)
        if n % 2 == 0:
            pull(se, dk)


def test_kill_nine_at_any_moment(tmp_path: Path) -> None:
    keys: dict[str, NodeKeys] = {name: generate(tmp_path / name) for name in ("dk", "se")}
    said: set[str] = set()
    withdrawn: set[str] = set()
    rng = random.Random(7)
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    code = f"import pathlib, tests.channels.test_crash as t; t.child(pathlib.Path({str(tmp_path)!r}))"
    for number in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout and process.stdout.readline() == "ready\n"
        first = "" if number else process.stdout.readline()  # else nothing may be said
        time.sleep(rng.uniform(0.02, 0.3))
        process.send_signal(signal.SIGKILL)
        for line in (first + process.stdout.read()).splitlines(keepends=True):
            if line.endswith("\n"):
                what, jti = line.split()
                (said if what == "said" else withdrawn).add(jti)
        process.wait()
    dk, se = (Node(tmp_path, name, keys=keys[name]) for name in ("dk", "se"))
    dk.open_to([se, Node(tmp_path, "fi")])
    se.follow(dk)
    dk.door.tick()
    pull(se, dk)
    leaves = [
        read_leaf(leaf) for leaf, _ in dk.logs.entries(channel_origin("dk", "exercise", "se"), 0, 10**6)
    ]
    counts = Counter((type(leaf).__name__, leaf.id) for leaf in leaves)
    assert said and set(counts.values()) == {1}
    assert said <= {jti for _, jti in counts}
    assert withdrawn <= {jti for name, jti in counts if name == "Withdraw"}
    for jti in said:
        ours, theirs = dk.statements.get(jti), se.statements.get(jti)
        gone = ("Withdraw", jti) in counts
        assert ours and ours.purged == gone
        assert theirs.purged == gone if theirs else gone
    for node in (dk, se):
        assert all(node.logs.audit(log).problems == () for log in node.logs.names())
