"""channel export, receive, cosign: two homes with no network between them."""

from __future__ import annotations

import contextlib
import shutil
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
hide = ["text"]
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dk and se, who hold each other's cards, and fi, who holds nobody's: made once."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.chdir(folder):
        for name in ("dk", "se", "fi"):
            make(name)
        for one, other in (("dk", "se"), ("se", "dk")):
            card = answer("partner", "card", "--home", other)
            ok("partner", "add", "--home", one, card["card"], "--words", card["words"])
        Path("dk/policy.toml").write_text(RULE)
    return folder


@pytest.fixture
def dk(made: Path, here: Path) -> Sequence[str]:
    """Copies of them, untouched; gives the words that name dk's."""
    for name in ("dk", "se", "fi"):
        shutil.copytree(made / name, here / name)
    return ("--home", "dk")


SE = ("--home", "se")


def say(home: Sequence[str], title: str) -> str:
    place = ("--lat", "55.6", "--lon", "12.7")
    return str(answer("say", *home, "--title", title, *place, "--text", "Seen so.")["id"])


def tick() -> None:
    """What the running node does twice a second."""
    with Stores(Home(Path("dk"))) as stores:
        door = stores.door()
        door.set_policy(stores.policy(), stores.readers())
        door.tick()


def test_there_and_back_without_a_network(dk: Sequence[str]) -> None:
    jti = say(dk, "Lights out at the buoy")
    tick()
    first = answer("channel", "export", *dk, "se", "--out", "a.channel")
    assert (first["since"], first["size"], first["confirmed"], first["waiting"]) == (0, 1, 0, 0)
    assert Path("a.channel").stat().st_size == first["bytes"]
    assert b"Seen so." not in Path("a.channel").read_bytes()
    assert Path("a.channel").stat().st_mode & 0o777 == 0o600

    taken = answer("channel", "receive", *SE, "a.channel")
    assert (taken["partner"], taken["entries"], taken["statements"]) == ("dk", 1, 1)
    assert taken["cosignature"] == "a.channel.cosign" and taken["behind"] == 0
    (row,) = answer("statements", *SE)
    assert (row["id"], row["by"], row["title"]) == (jti, "dk", "Lights out at the buoy")
    back = answer("channel", "cosign", *dk, "a.channel.cosign")
    assert back == {"partner": "se", "applied": 1, "size": 1}

    ok("withdraw", *dk, jti)
    tick()
    assert "confirmed by the partner so far" in ok(
        "channel", "export", *dk, "se", "--since", "1", "--out", "b.channel"
    )
    said = ok("channel", "receive", *SE, "b.channel", "--cosign-out", "receipt")
    assert "Taken from b.channel" in said and "receipt" in said
    assert answer("statements", *SE)[0]["state"] == "withdrawn, purged"
    assert "se has applied 2 of 2 entries." in ok("channel", "cosign", *dk, "receipt")
    assert answer("channel", "receive", *SE, "a.channel")["entries"] == 0
    for home in (dk, SE):
        assert answer("verify", *home)["clean"]


def test_what_waits_for_the_node_is_told(dk: Sequence[str]) -> None:
    say(dk, "Not decided yet")
    assert "not in it (samsyn up): 1" in ok("channel", "export", *dk, "se", "--out", "a.channel")
    assert answer("channel", "export", *dk, "se", "--out", "a.channel")["size"] == 0
    assert answer("channel", "receive", *SE, "a.channel")["entries"] == 0


def test_what_does_not_fit(dk: Sequence[str]) -> None:
    for _ in range(2):
        say(dk, "One of two")
    tick()
    ok("channel", "export", *dk, "se", "--since", "1", "--out", "late.channel")
    said = refused("channel", "receive", *SE, "late.channel")
    assert "entries 0 to 0 of this channel are missing" in said and "--since 0" in said
    assert "this file is for se, and this node is fi" in refused(
        "channel", "receive", "--home", "fi", "late.channel"
    )
    assert "this node is dk" in refused("channel", "receive", *dk, "late.channel")
    other = refused("channel", "receive", *SE, "--realm", "exercise", "late.channel")
    assert "of the realm actual, not exercise" in other
    assert "'no' is no partner of ours" in refused("channel", "export", *dk, "no", "--out", "x")
    assert "fewer than 3" in refused("channel", "export", *dk, "se", "--since", "3", "--out", "x")
    assert not Path("x").exists() and not Path("x.part").exists()
    Path("se/partners/dk.card.json").unlink()
    assert "no partner of ours" in refused("channel", "receive", *SE, "late.channel")
    swedish = run("--lang", "sv", "channel", "receive", *SE, "late.channel")
    assert "denna fil är från dk, som inte är partner till oss" in swedish.stderr


def test_a_file_that_was_damaged(dk: Sequence[str]) -> None:
    say(dk, "Lights out at the buoy")
    tick()
    ok("channel", "export", *dk, "se", "--out", "a.channel")
    data = bytearray(Path("a.channel").read_bytes())
    data[200] ^= 1
    Path("a.channel").write_bytes(data)
    assert "damaged on its way" in refused("channel", "receive", *SE, "a.channel")
    assert not Path("a.channel.cosign").exists() and answer("statements", *SE) == []


def test_receipts_that_are_none(dk: Sequence[str]) -> None:
    say(dk, "Lights out at the buoy")
    tick()
    ok("channel", "export", *dk, "se", "--out", "a.channel")
    ok("channel", "receive", *SE, "a.channel")
    note = Path("a.channel.cosign").read_text()
    for text, said in (
        ("", "no receipt of a channel"),
        ("x" * 10_000, "no receipt of a channel"),
        (note.replace("samsyn.dk/actual/se\n1", "samsyn.fi/actual/se\n1"), "this is a receipt for fi"),
        (note.replace("samsyn.dk/actual/se\n1", "samsyn.dk/exercise/se\n1"), "of the realm exercise"),
        (note.replace("samsyn.dk/actual/se\n1", "samsyn.dk/actual/se\n2"), "does not hold"),
        (note.rpartition("— samsyn.se")[0], "no cosignature"),
    ):
        Path("note").write_text(text)
        assert said in refused("channel", "cosign", *dk, "note")
    assert answer("channel", "cosign", *dk, "a.channel.cosign")["applied"] == 1


def test_while_the_node_runs(dk: Sequence[str]) -> None:
    say(dk, "Lights out at the buoy")
    tick()
    with Stores(Home(Path("dk"))) as ours, Stores(Home(Path("se"))) as theirs:
        ours.take_lock()
        theirs.take_lock()
        ok("channel", "export", *dk, "se", "--out", "a.channel")
        ok("channel", "receive", *SE, "a.channel")
        ok("channel", "cosign", *dk, "a.channel.cosign")
        assert ours.door().applied("se") == (1, 1)
        card = theirs.roster.get("dk")
        assert card and theirs.mirror(card).size == 1
