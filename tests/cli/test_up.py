"""up: a node as a person starts and stops it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import answer, make, refused

SRC = Path(__file__).resolve().parents[2] / "src"
SPEAKS_S = 60


@pytest.mark.parametrize(
    ("lang", "more", "said"),
    [
        ("sv", [], ["Samsyn är igång", "skarpt läge", "lägesbild", "https://127.0.0.1:", "gäller"]),
        (
            "en",
            ["--no-picture", "--realm", "exercise"],
            ["Samsyn is up", "exercise", "https://127.0.0.1:"],
        ),
    ],
)
def test_a_node_says_where_it_is_and_stops(lang: str, more: list[str], said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:  # partners must be told one: it cannot be 0
        port = free.getsockname()[1]
    home = make("dk", "--home-listen", "127.0.0.1:0", "--exchange-listen", f"127.0.0.1:{port}")
    command = [sys.executable, "-m", "samsyn.cli", "--lang", lang, "up", *home, *more]
    node = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(SRC), "PYTHONUTF8": "1"},
        encoding="utf-8",
    )
    try:
        assert node.stdout
        lines: list[str] = []
        for line in node.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        node.send_signal(signal.SIGTERM)
        assert node.wait(SPEAKS_S) == 0, "".join(lines)
    finally:
        node.kill()
        node.wait()
    text = "".join(lines)
    assert [word for word in said if word not in text] == []
    assert ("http://" in text) == ("--no-picture" not in more)
    assert answer("verify", *home)["clean"]


@pytest.fixture
def own_signals() -> Iterator[None]:
    """What a command in this process does to signals ends with it."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    kept = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, kept, strict=True):
        signal.signal(number, handler)


def test_a_port_in_use_is_told(own_signals: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        home = make("dk", "--home-listen", "127.0.0.1:0", "--exchange-listen", taken)
        said = refused("up", *home)
    assert "cannot listen" in said and taken in said
