"""docs/release-officer.md, walked: every command it shows, in its order, as Rita and Otto type them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.scenarios.network import ports_for, wait

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "release-officer.md"
PASSWORDS = {"rita": "a long password of Rita", "otto": "another one of Otto"}
PORTS = {"8440": "dk's picture", "8441": "dk", "8450": "fi's picture", "8451": "fi"}


def blocks() -> list[tuple[str, str]]:
    """Language and text of each fenced block, in order."""
    return re.findall(
        r"^```(\w*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


class Walk:
    """A shell in a folder of its own: runs what the page shows and remembers what was answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        ports = ports_for(len(PORTS))
        self._ports = dict(zip(PORTS, map(str, ports), strict=True))
        self._known: dict[str, str] = {}  # what STATEMENT and NUMBER stand for
        self._words: dict[str, str] = {}  # of each card, as it was read over the telephone
        self._env = {k: v for k, v in os.environ.items() if not k.startswith(("SAMSYN", "LANG", "LC_"))}
        self._env |= {"PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1", "POLARS_MAX_THREADS": "1"}
        for user, password in PASSWORDS.items():
            (folder / f"{user}.password").write_text(password)

    def close(self) -> None:
        for node in self._running:
            node.terminate()
        for node in self._running:
            node.wait(30)
            if node.stdout is not None:
                node.stdout.close()

    def write(self, text: str) -> None:
        (self._folder / "dk" / "policy.toml").write_text(text)

    def type(self, line: str) -> str:
        """One command, as the page has it but for ports, names of statements, and what is asked."""
        words = [self._known.get(w, w) for w in shlex.split(line)]
        words = [re.sub(r"127\.0\.0\.1:(\d+)", self._port, w) for w in words]
        if words[1] == "up":
            return self._start(words)
        asked = ""
        if words[1:3] == ["user", "add"]:
            asked = f"{PASSWORDS[words[3]]}\n" * 2
        elif words[1:3] == ["partner", "add"]:
            asked = self._words[words[3]] + "\n"
        elif "--by" in words and words[words.index("--by") + 1] in PASSWORDS and words[1] == "policy":
            words += ["--password-file", f"{words[words.index('--by') + 1]}.password"]
            asked = "y\n"
        output = self._run(words, asked)
        self._learn(words, output)
        return output

    def _port(self, found: re.Match[str]) -> str:
        return f"127.0.0.1:{self._ports[found[1]]}"

    def _run(self, words: list[str], asked: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "samsyn.cli", "--lang", "en", *words[1:]],
            cwd=self._folder,
            env=self._env,
            input=asked,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def ask(self, *words: str) -> Any:
        """The same question for a program."""
        return orjson.loads(self._run(["samsyn", *words, "--json"]))

    def _learn(self, words: list[str], output: str) -> None:
        if words[1:3] == ["partner", "card"]:
            found = re.search(r"\b([a-z]{5}(?:-[a-z]{5}){5})\b", output)
            assert found, output
            self._words[words[words.index("--out") + 1]] = found[1]
        elif words[1] == "say":
            self._known["STATEMENT"] = output.split()[1]
        elif words[1:3] == ["policy", "propose"]:
            self._known["NUMBER"] = str(self.ask("policy", "list", "--home", "dk")[0]["id"])

    def _start(self, words: list[str]) -> str:
        node = subprocess.Popen(
            [sys.executable, "-m", "samsyn.cli", *words[1:], "--json"],
            cwd=self._folder,
            env=self._env,
            stdout=subprocess.PIPE,
        )
        self._running.append(node)
        assert node.stdout is not None
        line = node.stdout.readline()
        assert orjson.loads(line)["ok"], line
        return line.decode()


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    made = Walk(tmp_path)
    yield made
    made.close()


def fi_holds(walk: Walk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = walk.ask("statements", "--home", "fi")
    return found


def until_fi_holds_it(walk: Walk, _: str) -> None:
    (held,) = wait(lambda: fi_holds(walk))
    assert held["state"] == "standing"


def until_it_is_gone_and_signed_for(walk: Walk, _: str) -> None:
    wait(lambda: [s for s in fi_holds(walk) if s["state"].startswith("withdrawn")])
    span = ("--between", "2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
    asked = ("released", "--to", "fi", *span, "--home", "dk")
    wait(lambda: all(r["applied"] for r in walk.ask(*asked)["entries"]))


def says(*words: str) -> Callable[[Walk, str], None]:
    def check(_: Walk, output: str) -> None:
        assert [w for w in words if w not in output] == [], output

    return check


# What must have come of each command, in the order of the page; a command that is not here only has
# to succeed.
CHECKS: list[tuple[str, Callable[[Walk, str], None]]] = [
    ("samsyn explain", says("Not released to fi: no rule names fi")),
    ("samsyn policy check", says("1")),
    ("samsyn policy show", says("differs")),
    ("samsyn policy preview", says("newly released", "reports-to-fi", "Buoy adrift")),
    ("samsyn policy list", says("rita", "proposed")),
    ("samsyn policy approve", until_fi_holds_it),
    ("samsyn view", says("Buoy adrift", "author", "reports-to-fi")),
    ("samsyn explain", says("Released to fi", "reports-to-fi", "place to area", "author")),
    ("samsyn statements", says("Buoy adrift")),
    ("samsyn withdraw", until_it_is_gone_and_signed_for),
    ("samsyn statements", says("withdrawn")),
    ("samsyn released", says("reports-to-fi", "Sea surveillance agreement")),
    ("samsyn verify --evidence", says("fi")),
    ("samsyn log", says("rita", "otto", "withdraw")),
    ("samsyn verify", says("dk")),
]


def test_every_command_of_the_page_does_what_the_page_says(walk: Walk) -> None:
    checks = list(CHECKS)
    for language, text in blocks():
        if language == "toml":
            walk.write(text)
            continue
        for line in text.splitlines():
            output = walk.type(line)
            if checks and line.startswith(checks[0][0]):
                checks.pop(0)[1](walk, output)
    assert checks == []  # the page has all of them
