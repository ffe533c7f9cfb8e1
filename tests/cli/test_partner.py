"""partner show, suspend, resume, leave: as an administrator types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import answer, ok, refused, run
from tests.desk.homes import made_homes

DK = ("--home", "dk")


@pytest.fixture(autouse=True)
def homes(here: Path) -> None:
    made_homes(here, "dk", "se", "fi")


def test_suspended_shown_and_resumed() -> None:
    assert "fi is suspended" in ok("partner", "suspend", *DK, "fi", "--why", "Under attack")
    told = answer("partner", "show", *DK, "fi")
    assert told["standing"]["state"] == "suspended" and told["standing"]["why"] == "Under attack"
    assert told["standing"]["by"] == "administrator"
    assert [r["realm"] for r in told["realms"]] == ["actual"]
    assert [p["state"] for p in answer("partner", "list", *DK)] == ["suspended", ""]
    said = ok("partner", "show", *DK, "fi")
    assert "Under attack" in said and "releases held back" in said
    assert "fi is suspended" in refused("channel", "export", *DK, "fi", "--out", "x")
    assert "0 releases are decided now" in ok("partner", "resume", *DK, "fi", "--catch-up")
    assert "not suspended" in refused("partner", "resume", *DK, "fi")
    assert [n["did"] for n in answer("log", *DK)] == ["partner-suspend", "partner-resume"]


def test_a_partner_is_added_and_leaves_with_a_word_in_the_log(here: Path) -> None:
    made_homes(here / "more", "no")
    card = answer("partner", "card", "--home", "more/no")
    ok("partner", "add", *DK, card["card"], "--words", card["words"], "--by", "anna")
    told = answer(
        "partner", "leave", *DK, "no", "--keep", "--theirs", "purge", "--why", "Over", "--by", "anna"
    )
    assert told == {"partner": "no", "done": True, "withdrawn": 0, "unconfirmed": 0, "purged": 0}
    entries = answer("log", *DK)
    assert [(n["by"], n["did"]) for n in entries] == [("anna", "partner-add"), ("anna", "partner-leave")]
    assert entries[0]["what"]["words"] == card["words"]
    assert "'no' is no partner of ours" in refused("partner", "show", *DK, "no")


def test_a_partner_that_the_policy_names_cannot_leave_yet() -> None:
    leave = ("partner", "leave", *DK, "se", "--keep", "--theirs", "keep", "--why", "Over")
    said = refused(*leave)
    assert "the policy in force names se" in said and "have a policy approved" in said
    assert "--theirs" in run("partner", "leave", *DK, "se", "--keep", "--why", "x").output
    Path("dk/policy.toml").write_text("")
    assert "se is no partner any more" in ok(*leave)


def test_new_keys_are_sent_and_taken(here: Path) -> None:
    made = answer("keys", "rotate", *DK, "--out", "out", "--by", "anna")
    assert sorted(made["successions"]) == ["fi", "se"] and made["not_released"] == 0
    assert made["words"] != made["old_words"]
    file = made["successions"]["se"]
    assert file == "out/se.succession.json"

    take = ("partner", "succeed", "--home", "se", file)
    assert "not the words" in refused(*take, "--words", made["old_words"])
    assert "words" in answer(*take, code=2)["error"]["what"]
    asked = run(*take, typed="n\n")
    assert asked.exit_code == 1 and made["words"] in asked.output and made["old_words"] in asked.output
    assert "dk has new keys here." in ok(*take, typed="y\n")
    assert answer("partner", "show", "--home", "se", "dk")["words"] == made["words"]
    assert "it follows a card with the words" in refused(*take, "--yes")
    assert "this succession is for se" in refused("partner", "succeed", "--home", "fi", file, "--yes")
    (noted,) = answer("log", "--home", "se")
    assert noted["did"] == "partner-succeed" and noted["what"]["new"] == made["words"]

    again = ok("keys", "rotate", *DK)
    assert "words of the new card" in again and "fi.succession.json" in again
    for name in ("dk", "se"):
        assert answer("verify", "--home", name)["clean"]
