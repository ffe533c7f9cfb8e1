"""docs/history.md, walked: every command that it shows, in its order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from samsyn.base.settings import Home
from samsyn.cli import main
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from tests.scenarios.network import ports_for, seat, wait

PAGE = Path(__file__).resolve().parents[2] / "docs" / "history.md"
WORD = "a long password of Rita"


def test_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    home = Home(tmp_path / "dk")
    answers: list[str] = []
    running: Node | None = None
    try:
        for language, text in blocks:
            if language == "toml":
                here, there = ports_for(2)
                config = (
                    home.config.read_text().replace(":8440", f":{here}").replace(":8441", f":{there}")
                )
                home.config.write_text(config + text)
                continue
            for line in text.splitlines():
                name, *words = shlex.split(line)
                assert name == "samsyn"
                if words[0] != "up":
                    done = CliRunner().invoke(main, words, input=f"{WORD}\n{WORD}\n")
                    assert done.exit_code == 0, (line, done.output)
                    answers.append(done.stdout)
                    continue
                running = Node(Stores(home, "exercise" if "exercise" in words else "actual"))
                running.start()
                if "exercise" not in words:
                    wait(lambda n=running: seat(n).picture()["feeds"][0]["state"] == "ended")
                    running.stop()
                    running = None
    finally:
        if running is not None:
            running.stop()
    assert (tmp_path / "east.parquet").stat().st_size > 1_000
    assert "<trkpt" in (tmp_path / "east.gpx").read_text()
    assert sum("TLP:AMBER" in answer for answer in answers) >= 2
