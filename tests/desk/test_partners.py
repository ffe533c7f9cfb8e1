"""A partnership's life: suspended and resumed, ended with and without taking back, for both realms."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from samsyn.base.errors import ConfigError, Refused
from samsyn.base.settings import Home
from samsyn.exchange.roster import Roster, Standing
from samsyn.node import partners
from samsyn.node.audit import audit
from samsyn.node.homes import own_card
from samsyn.node.stores import Stores
from tests.channels.nodes import draft
from tests.desk.homes import ALL_TO_SE, carry, made_homes, tick

WHO = {"by": "anna", "why": "Agreement ended"}


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Home]:
    """dk releases to se and to fi."""
    policy = ALL_TO_SE.replace('["se"]', '["se", "fi"]')
    return made_homes(tmp_path, "dk", "se", "fi", policy=policy)


def say(home: Home) -> str:
    with Stores(home) as stores:
        return stores.pen.sign(draft(exercise=False), by="duty").jti


def go(home: Home) -> dict[str, int]:
    """A tick; gives the size of each channel after it."""
    with Stores(home) as stores:
        tick(stores)
        return {r: stores.logs.size(f"samsyn.dk/actual/{r}") for r in ("se", "fi")}


def clean(*homes: Home) -> bool:
    return not [p for home in homes for part in audit(home) for p in part.problems]


def did(home: Home) -> list[str]:
    with Stores(home) as stores:
        return [n.did for n in stores.diary.entries() if n.did.startswith("partner-")]


@pytest.mark.parametrize("catch_up", [True, False])
def test_what_a_suspended_partner_is_not_given_waits(homes: dict[str, Home], catch_up: bool) -> None:
    dk = homes["dk"]
    first = say(dk)
    go(dk)
    partners.suspend(dk, "fi", by="anna", why="Their node is compromised")
    say(dk)
    assert go(dk) == {"se": 2, "fi": 1}
    with Stores(dk) as stores:
        stores.pen.withdraw(first, purge=True, why="", by="duty")
    assert go(dk) == {"se": 3, "fi": 2}  # it is told of what was withdrawn
    (held,) = partners.shown(dk, "fi")
    assert (held.written, held.waiting) == (2, 1)

    assert partners.resume(dk, "fi", by="anna", catch_up=catch_up) == 1
    assert go(dk) == {"se": 3, "fi": 3 if catch_up else 2}
    say(dk)
    assert go(dk) == {"se": 4, "fi": 4 if catch_up else 3}
    assert did(dk) == ["partner-suspend", "partner-resume"] and clean(dk)


def test_no_other_reader_can_tell(homes: dict[str, Home], tmp_path: Path) -> None:
    """The same history with fi suspended, leaving, or served: se gets the same bytes."""
    dk = homes["dk"]
    for _ in range(3):
        with Stores(dk) as stores:
            stores.pen.sign(draft(exercise=False), by="duty")
    seen = set()
    for state in ("served", "suspended", "leaving"):
        twin = Home(Path(shutil.copytree(dk.root, tmp_path / state)))
        if state == "suspended":
            partners.suspend(twin, "fi", **WHO)
        elif state == "leaving":
            Roster(twin.partners).set_standing("fi", Standing("leaving", "", "", ""))
        with Stores(twin) as stores:
            tick(stores)
            door = stores.door()
            door.set_policy(None, stores.readers())
            channel = door.reader("se")
            assert channel is not None and channel.size == 3
            seen.add(channel.entries(0))
    assert len(seen) == 1


def test_what_was_withdrawn_meanwhile_is_not_caught_up_on(homes: dict[str, Home]) -> None:
    dk = homes["dk"]
    partners.suspend(dk, "fi", **WHO)
    jti = say(dk)
    go(dk)
    with Stores(dk) as stores:
        stores.pen.withdraw(jti, purge=True, why="", by="duty")
    go(dk)
    assert partners.resume(dk, "fi", by="anna", catch_up=True) == 0
    assert go(dk)["fi"] == 0


def test_a_delay_that_ends_during_a_suspension_waits_too(homes: dict[str, Home]) -> None:
    dk = homes["dk"]
    dk.policy.write_text(dk.policy.read_text() + 'delay = "0s"\n')
    say(dk)
    with Stores(dk) as stores, stores.db.write() as db:
        db.execute("INSERT INTO pending SELECT 'fi', jti, ver, 1 FROM outbox")
        db.execute("DELETE FROM outbox")
    partners.suspend(dk, "fi", **WHO)
    assert go(dk)["fi"] == 0
    assert partners.resume(dk, "fi", by="anna", catch_up=True) == 1
    assert go(dk)["fi"] == 1


def test_a_suspended_partner_cannot_be_told_from_a_stranger(homes: dict[str, Home]) -> None:
    roster = Roster(homes["dk"].partners)
    assert not roster.suspended("fi")
    partners.suspend(homes["dk"], "fi", **WHO)
    assert roster.suspended("fi") and roster.waiting() == {"fi"}
    (homes["dk"].partners / "fi.state.json").write_text("{")  # fail closed
    assert roster.suspended("fi")
    with pytest.raises(ConfigError, match="suspended already"):
        partners.suspend(homes["dk"], "fi", **WHO)
    with pytest.raises(ConfigError, match="no partner"):
        partners.suspend(homes["dk"], "no", **WHO)
    partners.resume(homes["dk"], "fi", by="anna", catch_up=False)
    with pytest.raises(ConfigError, match="not suspended"):
        partners.resume(homes["dk"], "fi", by="anna", catch_up=False)


def without_fi(home: Home) -> None:
    """As after an approved change of policy."""
    home.policy.write_text(ALL_TO_SE)


def test_leaving_takes_back_everything_and_waits_for_the_receipt(homes: dict[str, Home]) -> None:
    dk, se, fi = homes["dk"], homes["se"], homes["fi"]
    said = [say(dk), say(dk)]
    go(dk)
    for other in (se, fi):
        carry(dk, other)
    words = [signature(dk, jti) for jti in said]
    assert all(word in disk(fi) for word in words)

    left = partners.leave(dk, "fi", withdraw=True, theirs="keep", now=False, **WHO)
    assert (left.done, left.withdrawn) == (False, 2)
    say(dk)  # nothing of this goes to who is leaving
    assert go(dk) == {"se": 3, "fi": 4}
    again = partners.leave(dk, "fi", withdraw=True, theirs="keep", now=False, **WHO)
    assert (again.done, again.unconfirmed) == (False, 2)

    carry(dk, fi)
    assert not any(word in disk(fi) for word in words)
    assert all(word in disk(se) for word in words)
    with pytest.raises(ConfigError, match="the policy in force names fi"):
        partners.leave(dk, "fi", withdraw=True, theirs="keep", now=False, **WHO)
    without_fi(dk)
    assert partners.leave(dk, "fi", withdraw=True, theirs="keep", now=False, **WHO).done
    roster = Roster(dk.partners)
    assert [c.name for c in roster.all()] == ["se"] and [c.name for c in roster.former()] == ["fi"]
    assert did(dk) == ["partner-withdraw", "partner-leave"] and clean(dk, se, fi)
    say(dk)
    assert go(dk) == {"se": 4, "fi": 4} and clean(dk)


def test_an_interrupted_leave_takes_back_what_it_had_not(
    homes: dict[str, Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    dk = homes["dk"]
    say(dk)
    go(dk)

    def failing(*_: object) -> int:
        raise OSError("power failed")

    with monkeypatch.context() as patched:
        patched.setattr(partners, "_withdraw_all", failing)
        with pytest.raises(OSError, match="power"):
            partners.leave(dk, "fi", withdraw=True, theirs="keep", now=False, **WHO)
    say(dk)
    assert go(dk) == {"se": 2, "fi": 1}  # nothing new in any case
    assert partners.leave(dk, "fi", withdraw=True, theirs="keep", now=False, **WHO).withdrawn == 1
    assert partners.leave(dk, "fi", withdraw=True, theirs="keep", now=False, **WHO).withdrawn == 0
    assert go(dk) == {"se": 2, "fi": 2}


def test_what_each_side_keeps(homes: dict[str, Home]) -> None:
    """fi ends it: dk's statements go from its disk, their hashes and every log stay."""
    dk, fi = homes["dk"], homes["fi"]
    word = signature(dk, say(dk))
    go(dk)
    carry(dk, fi)
    assert word in disk(fi)
    left = partners.leave(fi, "dk", withdraw=False, theirs="purge", now=False, **WHO)
    assert (left.done, left.purged) == (True, 1)
    assert word not in disk(fi)
    with Stores(fi) as stores:
        (kept,) = stores.statements.page()
        assert kept.purged and kept.state == "standing" and kept.jwt_hash
        assert stores.logs.size("samsyn.dk/actual/fi") == 1
    assert clean(dk, fi)
    with Stores(fi) as stores, stores.db.write() as db:
        db.execute("DELETE FROM expired")  # gone without a word is not let go
    assert not clean(fi)


def test_old_signatures_of_a_former_partner_can_still_be_checked(homes: dict[str, Home]) -> None:
    dk, fi = homes["dk"], homes["fi"]
    say(dk)
    go(dk)
    carry(dk, fi)
    partners.leave(fi, "dk", withdraw=False, theirs="keep", now=False, **WHO)
    assert clean(fi)
    (fi.partners / "former" / "dk.card.json").unlink()
    assert not clean(fi)  # it was that card that they were checked by


def test_a_former_partner_comes_back_with_its_own_keys_only(
    homes: dict[str, Home], tmp_path: Path
) -> None:
    dk = homes["dk"]
    without_fi(dk)
    partners.leave(dk, "fi", withdraw=False, theirs="keep", now=False, **WHO)
    other = made_homes(tmp_path / "other", "fi")["fi"]
    with pytest.raises(Refused, match="was a partner with other keys"):
        partners.added(dk, own_card(other), by="anna")
    partners.added(dk, own_card(homes["fi"]), by="anna")
    assert Roster(dk.partners).former() == []


def signature(home: Home, jti: str) -> bytes:
    """Bytes of a signed statement that nobody has who does not hold its body."""
    with Stores(home) as stores:
        stored = stores.statements.get(jti)
        assert stored is not None and stored.body is not None
        return stored.body.partition(b"~")[0].rpartition(b".")[2]


def disk(home: Home) -> bytes:
    file = home.ledger("actual")
    return b"".join(p.read_bytes() for p in file.parent.glob(f"{file.name}*"))
