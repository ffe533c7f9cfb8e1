"""Policies in the ledger: founded once, then two persons for every change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from samsyn.base.errors import InputError
from samsyn.desk.policies import Policies, digest
from samsyn.node.homes import make_home
from samsyn.node.stores import Stores

FIRST, SECOND, THIRD = "# one\n", "# two\n", "# three\r\n"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    home = make_home(tmp_path / "dk", name="dk", organisation="D", realm="actual", policy=FIRST)
    with Stores(home) as opened:
        yield opened


@pytest.fixture
def policies(stores: Stores) -> Policies:
    stores.found()
    return stores.policies


def diary(stores: Stores) -> list[str]:
    """What stands in the audit log, oldest first."""
    (name,) = [n for n in stores.logs.names() if n.endswith(".diary")]
    return [leaf.decode() for leaf, _ in stores.logs.entries(name, 0, stores.logs.size(name))]


def test_the_file_founds_once_and_never_again(stores: Stores, policies: Policies) -> None:
    assert policies.in_force().text == FIRST
    stores.home.policy.write_text(SECOND)
    stores.found()
    assert policies.in_force().text == FIRST and stores.file_differs()
    with pytest.raises(InputError, match="already"):
        policies.found(SECOND)
    (founded,) = diary(stores)
    assert '"did":"policy-founded"' in founded and digest(FIRST) in founded


def test_two_persons_take_it_into_force(stores: Stores, policies: Policies) -> None:
    made = policies.propose(THIRD, by="anna", preview={"counts": {"fi": 1}})
    assert policies.in_force().text == FIRST
    before = policies.version()
    policies.approve(made.id, by="bo", seen=made.sha256, preview={"counts": {}}, instead_of=before)
    now = policies.in_force()
    assert (now.text, now.proposed_by, now.decided_by) == (THIRD, "anna", "bo")
    assert policies.version() != before
    assert [p.state for p in policies.all()] == ["in-force", "superseded"]
    last = diary(stores)[-1]
    assert all(
        word in last for word in ("policy-approved", made.sha256, '"by":"bo"', '"anna"', "preview")
    )


def test_one_person_alone_never_gets_a_policy_into_force(stores: Stores, policies: Policies) -> None:
    made = policies.propose(SECOND, by="anna", preview={})
    now = policies.version()

    def approve(**other: object) -> None:
        given = {"by": "bo", "seen": made.sha256, "preview": {}, "instead_of": now, **other}
        policies.approve(made.id, **given)  # type: ignore[arg-type]

    for by in ("anna", "", "(founding)"):
        with pytest.raises(InputError, match="second release officer"):
            approve(by=by)
    with pytest.raises(InputError, match="not the text"):
        approve(seen=digest(THIRD))
    with pytest.raises(InputError, match="meanwhile"):
        approve(instead_of=now + 1)
    with stores.db.write() as db:
        for change in ("text = '# mine'", "proposed_by = 'carl'"):
            with pytest.raises(sqlite3.IntegrityError, match="does not change"):
                db.execute(f"UPDATE policy SET {change} WHERE id = ?", (made.id,))
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("UPDATE policy SET state = 'in-force' WHERE id = ?", (made.id,))
    assert policies.in_force().text == FIRST
    approve()
    with pytest.raises(InputError, match="decided already"):
        approve(by="carl")


def test_the_founding_one_is_not_proposed_to_itself(policies: Policies) -> None:
    with pytest.raises(InputError, match="in force"):
        policies.propose(FIRST, by="anna", preview={})


def test_a_rejection_says_why_and_is_final(policies: Policies) -> None:
    made = policies.propose(SECOND, by="anna", preview={})
    with pytest.raises(InputError, match="says why"):
        policies.reject(made.id, by="bo", why=" ")
    policies.reject(made.id, by="bo", why="too wide")
    assert policies.get(made.id).state == "rejected" and policies.get(made.id).why == "too wide"
    with pytest.raises(InputError, match="decided already"):
        policies.approve(made.id, by="bo", seen=made.sha256, preview={}, instead_of=policies.version())
    with pytest.raises(InputError, match="no policy 99"):
        policies.get(99)


def test_a_text_changed_in_the_store_is_not_obeyed(stores: Stores, policies: Policies) -> None:
    with stores.db.write() as db:
        db.execute("DROP TRIGGER policy_stays")
        db.execute("UPDATE policy SET text = '# mine'")
    with pytest.raises(InputError, match="was changed in the store"):
        stores.policy()
