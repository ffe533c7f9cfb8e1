"""samsyn reader, as an administrator types it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import answer, make, ok, refused

RULE = """
[[rule]]
id = "r"
why = "w"
to = ["gis"]
kinds = ["alert"]
"""


def test_a_reader_comes_and_goes(here: Path) -> None:
    dk = make("dk")
    policy = here / "rule.toml"
    policy.write_text(RULE)
    assert "unknown partner 'gis'" in refused("policy", "check", *dk, policy)
    made = answer("reader", "add", *dk, "gis", "--organisation", "Map room")
    assert answer("policy", "check", *dk, policy)["partners"] == ["gis"]
    (listed,) = answer("reader", "list", *dk)
    assert (listed["name"], listed["organisation"], listed["revoked"]) == ("gis", "Map room", False)
    assert made["token"] not in ok("reader", "list", *dk) + (here / "dk" / "readers.toml").read_text()
    assert "revoke its token first" in refused("reader", "add", *dk, "gis", "--organisation", "Map room")
    assert answer("view", *dk, "--as", "gis")["held"] == []
    answer("reader", "revoke", *dk, "gis", "--why", "it left", "--by", "anna")
    assert answer("reader", "list", *dk)[0]["revoked"]
    assert "was revoked" in refused("channel", "export", *dk, "gis", "--out", here / "gis.channel")
    assert answer("reader", "add", *dk, "gis", "--organisation", "Map room")["token"] != made["token"]
    done = [(n["by"], n["did"]) for n in answer("log", *dk) if n["did"].startswith("reader")]
    assert done == [
        ("administrator", "reader-add"),
        ("anna", "reader-revoke"),
        ("administrator", "reader-add"),
    ]
    assert made["token"] not in ok("log", *dk)
    answer("verify", *dk)


def test_a_certificate_comes_and_goes(here: Path) -> None:
    dk = make("dk")
    answer("reader", "add", *dk, "gis", "--organisation", "Map room")
    assert "has no certificate" in refused("reader", "revoke", *dk, "gis", "--certificate", "--why", "x")
    made = answer("reader", "certificate", *dk, "gis", "--out", here / "gis.p12", "--beside-token")
    assert made["password"] and (here / "gis.p12").stat().st_mode & 0o77 == 0
    (listed,) = answer("reader", "list", *dk)
    assert (listed["certificate"], listed["both"]) == (True, True)
    assert "beside the token" in " ".join(ok("reader", "list", *dk).split())
    assert answer("reader", "revoke", *dk, "gis", "--certificate", "--why", "lost")["revoked"] == "gis"
    (listed,) = answer("reader", "list", *dk)
    assert (listed["certificate"], listed["both"], listed["revoked"]) == (False, True, False)
    answer("reader", "certificate", *dk, "gis", "--out", here / "gis.pem", "--pem")
    (listed,) = answer("reader", "list", *dk)
    assert (listed["certificate"], listed["both"]) == (True, False)
    done = [n["did"] for n in answer("log", *dk) if n["did"].startswith("reader-c")]
    assert done == ["reader-certificate", "reader-certificate-revoke", "reader-certificate"]
