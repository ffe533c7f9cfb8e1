"""say, statements, explain, withdraw, verify: the life of a report on one home."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from samsyn.base.settings import Home
from samsyn.node.stores import Stores
from tests.cli.conftest import answer, make, ok, refused, run

RULE = """
[[rule]]
id = "sea-to-se"
why = "Agreement, article 3"
to = ["se"]
kinds = ["report"]
place = "area"
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dk's home, with se for a partner and a rule for it: made once, for making keys takes a while."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.chdir(folder):
        make("se")
        home = make("dk")
        card = answer("partner", "card", "--home", "se")
        ok("partner", "add", *home, card["card"], "--words", card["words"])
        Path("dk/policy.toml").write_text(RULE)
    return folder


@pytest.fixture
def home(made: Path, here: Path) -> Sequence[str]:
    """A copy of it, untouched."""
    shutil.copytree(made / "dk", here / "dk")
    return ("--home", "dk")


def say(home: Sequence[str], title: str = "Lights out at the buoy") -> str:
    told = answer("say", *home, "--title", title, "--lat", "55.6", "--lon", "12.7", "--text", "Seen so.")
    assert told["kind"] == "report" and told["node_runs"] is False
    return str(told["id"])


def tick() -> None:
    """What the running node does once a second."""
    with Stores(Home(Path("dk"))) as stores:
        door = stores.door()
        door.set_policy(stores.policy(), stores.readers())
        door.tick()


def test_the_life_of_a_report(home: Sequence[str]) -> None:
    jti = say(home)
    (row,) = answer("statements", *home)
    assert (row["id"], row["state"], row["title"]) == (jti, "standing", "Lights out at the buoy")
    assert jti in ok("statements", *home)  # on one line, to be copied

    why = answer("explain", *home, jti, "se")
    assert why["released"] and why["rule"] == "sea-to-se"
    assert "sea-to-se" in ok("explain", *home, jti, "se")
    tick()

    assert "No node runs on this home" in ok("withdraw", *home, jti, "--why", "it was a buoy")
    tick()
    (row,) = answer("statements", *home)
    assert row["state"] == "withdrawn, purged"
    assert "återtagen, innehållet raderat" in ok("--lang", "sv", "statements", *home)
    assert "withdrawn" in ok("explain", *home, jti, "se")
    assert "withdrawn already" in refused("withdraw", *home, jti)

    told = answer("verify", *home)
    assert told["clean"]
    assert {"realm": "actual", "what": "channel to se", "checked": 2, "problems": []} in told["parts"]
    assert "clean" in ok("verify", *home)


def test_explain_in_the_language_of_the_user(home: Sequence[str]) -> None:
    jti = say(home)
    told = answer("explain", *home, jti, "se")
    assert ok("explain", *home, jti, "se").strip() == told["en"]
    assert ok("--lang", "sv", "explain", *home, jti, "se").strip() == told["sv"]


def test_a_title_is_shown_and_not_obeyed(home: Sequence[str]) -> None:
    say(home, "[red]x[/nothing] \x1b[31m\x07 Öst\nlig")
    said = ok("statements", *home)
    assert "[red]x[/nothing]" in said and "Öst lig" in said
    assert "\x1b" not in said and "\x07" not in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["say", "--title", "x", "--lat", "99", "--lon", "1"], "99.0, 1.0 is no place"),
        (["say", "--title", " ", "--lat", "5", "--lon", "1"], "a report needs a title"),
        (["say", "--title", "x", "--lat", "5", "--lon", "1", "--time", "noon"], "2026-11-21T20:15:00Z"),
        (["withdraw", "nothing"], "nothing is no statement of ours"),
        (["explain", "nothing", "se"], "we hold no statement nothing"),
        (["explain", "nothing", "fi"], "'fi' is no partner of ours"),
        (["statements", "--limit", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_done(args: list[str], said: str, home: Sequence[str]) -> None:
    assert said in refused(args[0], *home, *args[1:])
    assert answer("statements", *home) == []


def test_a_policy_that_cannot_be_read_is_told_by_line(home: Sequence[str], here: Path) -> None:
    jti = say(home)
    (here / "dk" / "policy.toml").write_text(RULE.replace('["se"]', '["xx"]'))
    assert "policy.toml:" in refused("explain", *home, jti, "se")
    said = run("--lang", "sv", "explain", *home, jti, "se")
    assert said.exit_code == 2 and "okänd partner 'xx'" in said.stderr


def test_verify_finds_a_ledger_that_was_tampered_with(home: Sequence[str], here: Path) -> None:
    say(home)
    tick()
    assert answer("verify", *home)["clean"]
    ledger = sqlite3.connect(here / "dk" / "actual" / "ledger.sqlite")
    with ledger:
        ((name, leaves),) = ledger.execute(
            "SELECT log, leaves FROM log_bundle WHERE log LIKE '%/se' AND first = 0"
        ).fetchall()
        flipped = bytearray(leaves)
        flipped[leaves.index(b'"ver"') + 6] ^= 1  # another version than the one that was released
        ledger.execute(
            "UPDATE log_bundle SET leaves = ? WHERE log = ? AND first = 0", (bytes(flipped), name)
        )
    ledger.close()

    said = run("verify", *home)
    assert said.exit_code == 1
    assert "WRONG" in said.stdout and "channel to se" in said.stderr
    told = answer("verify", *home, code=1)
    assert not told["clean"]
    assert [p["what"] for p in told["parts"] if p["problems"]] == ["channel to se"]
    swedish = run("--lang", "sv", "verify", *home)
    assert swedish.exit_code == 1
    assert "FEL" in swedish.stdout and "kanal till se" in swedish.stderr


def test_verify_of_a_home_where_nothing_was_said() -> None:
    assert "nothing to audit" in ok("verify", *make("dk"))
