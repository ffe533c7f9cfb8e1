"""init, user, partner: a home is made, and two partners take each other's cards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import answer, make, ok, refused, run


def test_a_home_is_made_once(here: Path) -> None:
    said = ok("init", "--home", "dk", "--name", "dk", "--organisation", "Coast [bold]Watch")
    assert "A home for Coast [bold]Watch" in said  # the name as it is, not as markup
    assert "samsyn up --home dk" in said
    assert {p.name for p in (here / "dk").iterdir()} >= {"config.toml", "policy.toml", "keys"}
    kept = (here / "dk" / "config.toml").read_bytes()
    again = refused("init", "--home", "dk", "--name", "se", "--organisation", "Other")
    assert "there is a home here already" in again and "do:" in again
    assert (here / "dk" / "config.toml").read_bytes() == kept


def test_the_first_password_signs_in(here: Path) -> None:
    from samsyn.base.clock import SystemClock
    from samsyn.interfaces.accounts import Sessions

    told = answer("init", "--home", "dk", "--name", "dk", "--organisation", "Watch")
    sessions = Sessions(here / "dk" / "accounts.toml", SystemClock())
    assert sessions.sign_in(told["user"], told["password"]) is not None


@pytest.mark.parametrize(
    "wrong", [["--name", "D K"], ["--user", "a b"], ["--home-listen", "nowhere"]], ids=lambda w: w[0]
)
def test_nothing_is_left_of_a_home_that_cannot_be(wrong: list[str], here: Path) -> None:
    refused("init", "--home", "x", "--name", "dk", "--organisation", "Watch", *wrong)
    assert not (here / "x").exists()


def test_a_folder_that_may_not_be_written_is_told(here: Path) -> None:
    (here / "file").write_text("")
    said = refused("init", "--home", "file/home", "--name", "dk", "--organisation", "Watch")
    assert "file" in said and "Traceback" not in said


def test_accounts() -> None:
    home = make("dk")
    said = ok("user", "add", *home, "anna", "--role", "viewer", typed="long enough\nlong enough\n")
    assert "anna may sign in." in said
    assert "already" in refused("user", "add", *home, "anna", "--password", "long enough")
    assert "at least 10" in refused("user", "add", *home, "bo", "--password", "short")
    assert "no user name" in refused("user", "add", *home, "b o", "--password", "long enough")
    told = answer("user", "add", *home, "bo", "--password", "long enough")
    assert told == {"user": "bo", "role": "duty", "clearance": "TLP:AMBER+STRICT"}


def test_two_partners_swap_cards(here: Path) -> None:
    dk, se = make("dk"), make("se")
    card = answer("partner", "card", *se)
    assert (here / card["card"]).name == "se.card.json"
    assert card["words"] in ok("partner", "card", *se, "--out", "again.card.json")

    said = refused("partner", "add", *dk, "se.card.json", "--words", "these are not the words")
    assert "these are not the words of this card" in said
    assert answer("partner", "list", *dk) == []

    spoken = card["words"].replace("-", " ").upper()  # as one types what one hears
    said = ok("partner", "add", *dk, "se.card.json", typed=f"{spoken}\n")
    assert "Coast Watch SE" in said and "se is a partner now" in said
    assert [c["partner"] for c in answer("partner", "list", *dk)] == ["se"]
    assert card["words"] in ok("partner", "list", *dk)


def test_cards_that_are_not_taken(here: Path) -> None:
    dk = make("dk")
    own = answer("partner", "card", *dk)
    assert "our own card" in refused("partner", "add", *dk, "dk.card.json", "--words", own["words"])
    changed = json.loads((here / "dk.card.json").read_text()) | {"address": "evil.example:1"}
    (here / "changed.card.json").write_text(json.dumps(changed))
    refused("partner", "add", *dk, "changed.card.json", "--words", own["words"])
    (here / "noise.card.json").write_bytes(b"\x00\xff{")
    assert "this is no card" in refused("partner", "add", *dk, "noise.card.json", "--words", "x")
    assert answer("partner", "list", *dk) == []


def test_a_program_is_not_asked_for_words() -> None:
    dk, se = make("dk"), make("se")
    ok("partner", "card", *se)
    told = answer("partner", "add", *dk, "se.card.json", code=2)
    assert "words" in told["error"]["what"]


def test_what_is_wrong_with_a_forged_card_is_told_in_swedish_too(here: Path) -> None:
    dk = make("dk")
    own = answer("partner", "card", *dk)
    changed = json.loads((here / "dk.card.json").read_text()) | {"organisation": "Someone else"}
    (here / "changed.card.json").write_text(json.dumps(changed))
    said = run("--lang", "sv", "partner", "add", *dk, "changed.card.json", "--words", own["words"])
    assert said.exit_code == 2
    assert "var:" in said.stderr and "kortet har ändrats efter att det signerades" in said.stderr
