"""policy: a release officer writes a rule, looks at what it does, and another puts it in force."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from samsyn.base.settings import Home
from samsyn.desk.accounts import add_account
from samsyn.node.stores import Stores
from tests.cli.conftest import answer, make, ok, refused, run

PASSWORD = "long enough"
RULE = """
[[rule]]
id = "{id}"
why = "Agreement, article 3"
to = {to}
kinds = ["report"]
place = "{place}"
"""
NARROW = RULE.format(id="coarse", to='["se"]', place="region")
WIDE = RULE.format(id="fine", to='["se", "fi"]', place="spot")
TO_RED = NARROW.replace("place", 'when = { marking_max = "TLP:RED" }\nplace')
PEOPLE = {"anna": "release", "bo": "release", "alma": "administrator", "vera": "viewer", "dag": "duty"}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dk's home with partners se and fi, a first policy founded, and people: made once."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.chdir(folder):
        home = make("dk")
        for name in ("se", "fi"):
            make(name)
            card = answer("partner", "card", "--home", name)
            ok("partner", "add", *home, card["card"], "--words", card["words"])
        dk = Home(Path("dk"))
        dk.policy.write_text(NARROW)
        for user, role in PEOPLE.items():
            add_account(dk.accounts, user, user, role, PASSWORD)  # type: ignore[arg-type]
        with Stores(dk) as stores:
            stores.found()
        Path("password").write_text(PASSWORD + "\n")
        Path("wide.toml").write_text(WIDE)
    return folder


@pytest.fixture
def home(made: Path, here: Path) -> Sequence[str]:
    """A copy of it, untouched."""
    shutil.copytree(made / "dk", here / "dk")
    for name in ("password", "wide.toml"):
        shutil.copy(made / name, here / name)
    return ("--home", "dk")


def by(user: str) -> Sequence[str]:
    return ("--by", user, "--password-file", "password")


def say(home: Sequence[str], title: str, marking: str = "TLP:AMBER") -> str:
    place = ("--lat", "55.6", "--lon", "12.7")
    return str(answer("say", *home, "--title", title, *place, "--marking", marking)["id"])


def tick() -> dict[str, list[str]]:
    """What the running node does twice a second; gives what was done, by statement and partner."""
    with Stores(Home(Path("dk"))) as stores:
        door = stores.door()
        door.set_policy(stores.policy(), stores.readers())
        door.tick()
        jtis = {s.jti for s in stores.statements.page()}
        return {j: [f"{d.op} {d.reader}" for d in door.delivered(j)] for j in jtis}


def in_force(home: Sequence[str]) -> Any:
    return answer("policy", "show", *home)["in_force"]


def test_the_walk_of_a_release_officer(home: Sequence[str]) -> None:
    jti = say(home, "Lights out at the buoy")
    assert tick() == {jti: ["release se"]}
    before = in_force(home)
    assert "is a policy of 1 rules" in ok("policy", "check", *home, "wide.toml")

    told = answer("policy", "preview", *home, "wide.toml", "--since", "90d")
    changes = {c["partner"]: c for c in told["changes"]}
    assert (changes["se"]["widened"], changes["fi"]["newly_released"]) == (1, 1)
    (example,) = changes["fi"]["examples"]["newly_released"]
    assert (example["jti"], example["title"]) == (jti, "Lights out at the buoy")
    assert (example["old_rule"], example["new_rule"]) == (None, "fine")
    said = ok("policy", "preview", *home, "wide.toml")
    assert "Lights out at the buoy" in said and '+id = "fine"' in said and '-id = "coarse"' in said

    kept = answer("policy", "propose", *home, "wide.toml", *by("anna"))
    assert in_force(home) == before and answer("policy", "show", *home)["proposed"] == [kept["id"]]
    assert kept["sha256"] in ok("policy", "approve", *home, kept["id"], *by("bo"), typed="y\n")
    now = in_force(home)
    assert (now["id"], now["proposed_by"], now["decided_by"]) == (kept["id"], "anna", "bo")
    assert now["preview"]["changes"] == {"fi": {"newly_released": 1}, "se": {"widened": 1}}
    assert tick() == {jti: ["release se"]}  # what was said before waits for somebody who asks
    later = say(home, "Lights on again")
    assert sorted(tick()[later]) == ["release fi", "release se"]

    (approved,) = answer("log", *home, "--did", "policy-approved")
    what = approved["what"]
    assert (what["sha256"], what["proposed_by"]) == (kept["sha256"], "anna")
    assert what["preview"] == now["preview"] and "buoy" not in str(approved)
    assert "policy-founded" in str(answer("log", *home)) and answer("verify", *home)["clean"]


def test_history_is_caught_up_with_only_when_asked(home: Sequence[str]) -> None:
    jti = say(home, "Before")
    tick()
    kept = answer("policy", "propose", *home, "wide.toml", *by("anna"))
    seen = ("--sha256", kept["sha256"][:12])
    told = answer("policy", "approve", *home, kept["id"], *by("bo"), *seen, "--catch-up", "1d")
    assert told["caught_up"] == 2
    assert sorted(tick()[jti]) == ["release fi", "release se", "widen se"]
    assert "policy-caught-up" in str(answer("log", *home))


def test_narrowing_takes_nothing_back_but_offers_to(home: Sequence[str], here: Path) -> None:
    put(home, "wide.toml")
    jtis = {say(home, "One"), say(home, "Two")}
    tick()
    (here / "narrow.toml").write_text(RULE.format(id="fine", to='["se"]', place="spot"))
    told = answer("policy", "preview", *home, "narrow.toml")
    assert {(g["id"], g["reader"]) for g in told["given"]} == {(j, "fi") for j in jtis}
    assert "It stays theirs" in ok("policy", "preview", *home, "narrow.toml")
    number = put(home, "narrow.toml")
    assert all("withdraw fi" not in done for done in tick().values())

    found = answer("policy", "withdrawals", *home, number)
    assert {(b["partner"], b["id"]) for b in found["beyond"]} == {("fi", j) for j in jtis}
    assert found["queued"] == 0 and all("withdraw fi" not in done for done in tick().values())
    queue = ("policy", "withdrawals", *home, number, "--queue")
    for user in ("alma", "dag", "vera"):
        assert "does not allow this" in refused(*queue, *by(user))
    assert answer(*queue, *by("bo"))["queued"] == 2
    for done in tick().values():
        assert sorted(done) == ["release fi", "release se", "withdraw fi"]  # se keeps what it has
    assert answer("policy", "withdrawals", *home, number)["beyond"] == []
    assert len(answer("log", *home, "--did", "withdraw")) == 2


def test_seeing_as_a_partner(home: Sequence[str]) -> None:
    jti = say(home, "Lights out")
    tick()
    told = answer("view", *home, "--as", "se")
    (held,) = told["held"]
    assert (held["jti"], held["place"], held["rules"][0]["rule"]) == (jti, "region", "coarse")
    assert {"slot": "place.area", "rules": ["coarse"], "hidden_by": []} in held["left_out"]
    said = ok("view", *home, "--as", "fi")
    assert "Not released to fi" in said and "no rule names fi" in said and jti in said
    assert "ingen regel nämner fi" in ok("--lang", "sv", "view", *home, "--as", "fi")
    assert "'xx' is no partner of ours" in refused("view", *home, "--as", "xx")


def put(home: Sequence[str], file: str) -> int:
    """By two persons."""
    kept = answer("policy", "propose", *home, file, *by("anna"))
    answer("policy", "approve", *home, kept["id"], *by("bo"), "--sha256", kept["sha256"])
    return int(kept["id"])


def test_nobody_alone_gets_a_policy_into_force(home: Sequence[str], here: Path) -> None:
    """Whoever it is, in whatever order, with whatever they can type."""
    before = in_force(home)
    dk = here / "dk"
    for user in PEOPLE:
        (dk / "policy.toml").write_text(WIDE + f"# {user}\n")  # editing the file
        run("policy", "propose", *home, dk / "policy.toml", *by(user))
        kept = [p for p in answer("policy", "list", *home) if p["state"] == "proposed"]
        (dk / "policy.toml").write_text(TO_RED)  # and again, after it was looked at
        for proposal, _ in itertools.product([p for p in kept if p["proposed_by"] == user], range(2)):
            seen = ("--sha256", proposal["sha256"])
            assert "cannot approve it" in refused(
                "policy", "approve", *home, proposal["id"], *by(user), *seen
            )
        run("policy", "reject", *home, 1, *by(user), "--why", "x")  # what is in force cannot be
        assert in_force(home) == before
        assert tick() == {}
    assert "differs from what is in force" in ok("policy", "show", *home)
    kept = next(p for p in answer("policy", "list", *home) if p["proposed_by"] == "anna")
    approve = ("policy", "approve", *home, kept["id"])
    assert "does not allow this" in refused(*approve, *by("vera"), "--sha256", kept["sha256"])
    assert "does not allow this" in refused(*approve, *by("dag"), "--sha256", kept["sha256"])
    assert "not the text" in refused(*approve, *by("bo"), "--sha256", "0" * 64)
    assert "not the text" in refused(*approve, *by("bo"), "--sha256", kept["sha256"][:11])
    assert in_force(home) == before
    assert answer(*approve, *by("bo"), "--sha256", kept["sha256"])["policy"] == kept["id"]


def test_a_password_is_asked_for_and_a_wrong_one_is_written_down(home: Sequence[str]) -> None:
    assert "wrong user or password" in refused(
        "policy", "propose", *home, "wide.toml", "--by", "anna", typed="guess\n"
    )
    refused("policy", "propose", *home, "wide.toml", "--by", "my password", typed="anna\n")
    assert answer("policy", "show", *home)["proposed"] == []
    log = answer("log", *home, "--did", "sign-in-failed")
    assert [e["by"] for e in log] == ["anna", "unknown user"]
    assert "Proposed as policy 2" in ok(
        "policy", "propose", *home, "wide.toml", "--by", "anna", typed=PASSWORD + "\n"
    )


def test_nobody_decides_on_the_release_of_what_they_may_not_see(home: Sequence[str], here: Path) -> None:
    (here / "red.toml").write_text(TO_RED)
    said = refused("policy", "propose", *home, "red.toml", *by("anna"))
    assert "a rule reaches TLP:RED" in said
    add_account(here / "dk" / "accounts.toml", "red", "Red", "release", PASSWORD, "TLP:RED")
    kept = answer("policy", "propose", *home, "red.toml", *by("red"))
    approve = ("policy", "approve", *home, kept["id"], "--sha256", kept["sha256"])
    assert "a rule reaches TLP:RED" in refused(*approve, *by("bo"))


def test_what_deserves_a_look_is_said_and_no_error(home: Sequence[str], here: Path) -> None:
    ended = NARROW + "until = 2020-01-01\n"
    (here / "old.toml").write_text(ended)
    (warning,) = answer("policy", "check", *home, "old.toml")["warnings"]
    assert warning["rule"] == "coarse" and "ended" in warning["en"]
    assert "old.toml:2 coarse: it ended" in ok("policy", "check", *home, "old.toml")
    assert "den upphörde" in ok("--lang", "sv", "policy", "check", *home, "old.toml")


def test_what_is_no_policy_is_not_proposed(home: Sequence[str], here: Path) -> None:
    (here / "bad.toml").write_text(WIDE.replace('"fi"', '"xx"'))
    for command in (["check"], ["preview"], ["propose", *by("anna")]):
        said = refused("policy", command[0], *home, "bad.toml", *command[1:])
        assert "bad.toml:" in said or "policy.toml:" in said
        assert "unknown partner 'xx'" in said
    assert "write 90d" in refused("policy", "preview", *home, "wide.toml", "--since", "long")
    assert "no policy 9" in refused("policy", "approve", *home, 9, *by("bo"), "--sha256", "0" * 64)
    assert (
        "hash of what is approved"
        in answer("policy", "approve", *home, 1, *by("bo"), code=2)["error"]["what"]
    )


def test_it_speaks_swedish(home: Sequence[str]) -> None:
    assert "Policy som gäller" in ok("--lang", "sv", "policy", "show", *home)
    assert "nyutlämnas" in ok("--lang", "sv", "policy", "preview", *home, "wide.toml")
    put(home, "wide.toml")
    said = ok("--lang", "sv", "policy", "list", *home)
    assert "gäller" in said and "filen, vid första start" in said
