"""The policies that were in force, held against the diary: two persons, and the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samsyn.desk.approved import unapproved
from samsyn.desk.diary import diary_origin
from samsyn.desk.policies import digest
from samsyn.node.homes import make_home
from samsyn.node.stores import Stores


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    home = make_home(tmp_path / "dk", name="dk", organisation="D", realm="actual", policy="# 1\n")
    with Stores(home) as opened:
        opened.found()
        policies = opened.policies
        for text in ("# 2\n", "# 3\n"):
            kept = policies.propose(text, by="anna", preview={})
            now = policies.version()
            policies.approve(kept.id, by="bo", seen=kept.sha256, preview={}, instead_of=now)
        policies.propose("# 4\n", by="anna", preview={})
        yield opened


def wrong(stores: Stores) -> str:
    origin = diary_origin(stores.me, stores.realm)
    return " | ".join(unapproved(origin, stores.logs, stores.policies))


def tamper(stores: Stores, change: str) -> str:
    """What somebody with the file and a database program could do."""
    with stores.db.write() as db:
        db.execute("DROP TRIGGER IF EXISTS policy_stays")
        db.execute("DROP TRIGGER IF EXISTS policy_kept")
        db.execute("DROP INDEX IF EXISTS policy_in_force")
        db.execute(change)
    return wrong(stores)


def test_what_two_persons_did_is_clean(stores: Stores) -> None:
    assert wrong(stores) == ""


MINE = digest("# mine\n")
FORGED = (
    "INSERT INTO policy (state, text, sha256, proposed_by, proposed_us, preview, decided_by)"
    f" VALUES ('in-force', '# mine\n', '{MINE}', 'anna', 1, '{{}}', 'bo')"
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE policy SET text = '# mine\n' WHERE id = 3", "another text than its hash"),
        (
            f"UPDATE policy SET text = '# mine\n', sha256 = '{MINE}' WHERE id = 3",
            "another text than the one that was approved",
        ),
        ("UPDATE policy SET state = 'in-force' WHERE id = 4", "does not tell of it"),
        ("UPDATE policy SET state = 'superseded' WHERE id = 3", "policy 3 as the last"),
        ("UPDATE policy SET state = 'in-force' WHERE id = 2", "policy 2 is in-force"),
        ("UPDATE policy SET proposed_by = 'carl' WHERE id = 3", "by one person"),
        (FORGED, "does not tell of it"),
        ("DELETE FROM policy WHERE id = 1", "not kept here any more"),
    ],
)
def test_what_was_changed_behind_the_diary_is_told(stores: Stores, change: str, said: str) -> None:
    assert said in tamper(stores, change)


def test_one_person_in_the_diary_is_told(stores: Stores) -> None:
    """Somebody who can write the diary too, and does it by the book but for the second person."""
    stores.diary.write("anna", "policy-approved", policy=4, sha256=digest("# 4\n"), proposed_by="anna")
    change = "UPDATE policy SET state = CASE id WHEN 4 THEN 'in-force' ELSE 'superseded' END"
    assert "policy 4 was proposed and approved by one person" in tamper(stores, change)
