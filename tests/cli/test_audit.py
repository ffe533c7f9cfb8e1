"""log, released, evidence, verify --evidence: what an auditor and a third party ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from samsyn.base.clock import iso
from samsyn.base.errors import Refused
from samsyn.base.settings import Home
from samsyn.channels import batch as wire
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.node.stores import Stores
from tests.cli.conftest import answer, ok, refused, run
from tests.desk.homes import made_homes, tick

DK, SE = ("--home", "dk"), ("--home", "se")
SPAN = ("--between", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z")


def say(title: str, home: Sequence[str] = DK) -> str:
    place = ("--lat", "55.6", "--lon", "12.7", "--text", "Seen so.")
    return str(answer("say", *home, "--title", title, *place)["id"])


@pytest.fixture
def said(here: Path) -> tuple[str, str]:
    """dk has released two reports to se, withdrawn the first, and holds se's receipt of all of it."""
    made_homes(here, "dk", "se")
    ids = say("Lights out at the buoy"), say("A boat adrift")
    with Stores(Home(Path("dk"))) as dk:
        tick(dk)
    ok("withdraw", *DK, ids[0], "--why", "It was another buoy")
    with Stores(Home(Path("dk"))) as dk:
        tick(dk)
    ok("channel", "export", *DK, "se", "--out", "a.channel")
    ok("channel", "receive", *SE, "a.channel", "--cosign-out", "receipt")
    ok("channel", "cosign", *DK, "receipt")
    return ids


def test_the_log_tells_who_did_what(said: tuple[str, str], here: Path) -> None:
    told = answer("log", *DK)
    assert [(n["by"], n["did"]) for n in told if n["did"] not in ("policy-founded", "partner-add")] == [
        ("duty officer", "sign"),
        ("duty officer", "sign"),
        ("node", "release"),
        ("duty officer", "withdraw"),
        ("node", "release"),
    ]
    shown = ok("log", *DK, "--did", "withdraw")
    assert said[0] in shown and "It was another buoy" in shown and "Audit log" in shown
    assert "se 0-1" in ok("log", *DK, "--did", "release")
    assert answer("log", *DK, "--limit", "1") == told[-1:]
    assert answer("log", *DK, "--since", "2099-01-01T00:00:00Z") == []
    assert "write 2026-" in refused("log", *DK, "--since", "yesterday")

    ok("log", *DK, "--head-out", "head")
    say("And one more")
    assert answer("verify", *DK, "--log-head", "head")["clean"]
    assert "no head of an audit log" in refused("verify", *SE, "--log-head", "head")


def test_what_was_released_between_two_times(said: tuple[str, str]) -> None:
    told = answer("released", *DK, "--to", "se", *SPAN)
    assert (told["released"], told["widened"], told["withdrawn"]) == (2, 0, 1)
    assert (told["statements"], told["not_applied"]) == (2, 0)
    by_id = {e["id"]: e for e in told["entries"] if e["op"] == "release"}
    assert [e["entry"] for e in told["entries"]] == [0, 1, 2]
    kept, gone = by_id[said[1]], by_id[said[0]]
    assert (kept["title"], kept["marking"], kept["purged"]) == ("A boat adrift", "TLP:AMBER", False)
    assert (kept["place"], kept["time"]) == ("area", "hour")
    assert {"text", "author", "place.exact"} <= set(kept["left_out"])
    assert kept["rules"] == [{"rule": "all-to-se", "why": "Close partnership"}]
    assert kept["applied"] is not None
    assert (gone["title"], gone["marking"], gone["purged"], gone["kind"]) == (None, None, True, "report")
    assert told["entries"][2]["op"] == "withdraw" and told["entries"][2]["purge"]

    shown = ok("released", *DK, "--to", "se", *SPAN)
    assert "all-to-se (Close partnership)" in shown and "area/hour" in shown
    assert "2 releases, 0 widenings, 1 withdrawals of 2 statements" in shown
    before = ("--between", "2020-01-01T00:00:00Z", iso(1))
    assert answer("released", *DK, "--to", "se", *before)["entries"] == []
    assert "no partner of ours" in refused("released", *DK, "--to", "no", *SPAN)


def test_the_proof_is_checked_with_nothing_but_a_card(said: tuple[str, str], here: Path) -> None:
    ok("released", *DK, "--to", "se", *SPAN, "--proof", "proof.json")
    ok("partner", "card", *DK)
    ok("partner", "card", *SE)
    alone = ("verify", "--home", "none", "--evidence", "proof.json", "--card", "dk.card.json")
    told = answer(*alone)
    assert told["proves"] == "proved"
    assert told["says"] == "dk has written the entries 0 to 2 (none between them left out) of 3 for se"
    both = answer(*alone, "--card", "se.card.json")
    assert both["says"].endswith("se has signed that 3 of them are applied")
    assert answer("verify", *SE, "--evidence", "proof.json")["proves"] == "proved"
    assert "PROVED" in ok("verify", *SE, "--evidence", "proof.json")

    proof = json.loads(Path("proof.json").read_text())
    proof["entries"][1]["leaf"] = proof["entries"][0]["leaf"]
    Path("proof.json").write_text(json.dumps(proof))
    failed = run(*alone)
    assert failed.exit_code == 1 and "FALSE" in failed.output
    assert "no card of dk is held here" in refused(*alone[:5])


def test_evidence_goes_to_a_third_party(said: tuple[str, str], here: Path) -> None:
    """dk signs a second past for se: se refuses it, and whoever holds dk's card can see why."""
    with Stores(Home(Path("dk"))) as dk, Stores(Home(Path("se"))) as se:
        mirror = se.mirror(se.roster.all()[0])
        forged = sign_checkpoint(mirror.origin, 3, b"x" * 32, dk.keys.log).decode()
        batch = wire.Batch(checkpoint=forged, after=3, entries=[], known=[], given=[])
        for data in (wire.encode(batch), b"noise"):
            with pytest.raises(Refused):
                mirror.receive(data)
    listed = {e["reason"]: e for e in answer("evidence", "list", *SE)}
    assert listed["forked-log"]["proves"] == "proved"
    assert listed["malformed-batch"]["proves"] == "nothing"
    assert "has signed two pasts of 3 entries" in ok("evidence", "list", *SE)
    matters = [n["what"]["reason"] for n in answer("log", *SE, "--did", "refuse")]
    assert sorted(matters) == ["forked-log", "malformed-batch"]

    ok("evidence", "export", *SE, str(listed["forked-log"]["number"]), "fork.json")
    ok("evidence", "export", *SE, str(listed["malformed-batch"]["number"]), "noise.json")
    ok("partner", "card", *DK)
    card = ("--home", "none", "--card", "dk.card.json")
    assert "PROVED" in ok("verify", *card, "--evidence", "fork.json")
    nothing = run("verify", *card, "--evidence", "noise.json")
    assert nothing.exit_code == 1 and "NOT DECISIVE" in nothing.output
    assert "no such refusal" in refused("evidence", "export", *SE, "999", "x.json")
    swedish = run("--lang", "sv", "verify", *card, "--evidence", "fork.json")
    assert "BEVISAT: dk har signerat två förflutna med 3 poster" in swedish.output
