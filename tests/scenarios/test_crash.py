"""kill -9 at any moment: nothing acknowledged is lost, nothing is doubled, the logs verify."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from samsyn.desk.drafts import ReportForm
from samsyn.node.audit import audit
from samsyn.node.stores import Stores
from tests.scenarios.network import Forked, homes, wait

POLICY = """
[[rule]]
id = "all"
why = "test"
to = ["fi"]
kinds = ["report"]
place = "exact"
time = "exact"
"""


@pytest.mark.parametrize(("seed", "kills"), [(1, 50), pytest.param(2, 500, marks=pytest.mark.nightly)])
def test_kill_at_any_moment(tmp_path: Path, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    made = homes(tmp_path, {"dk": POLICY, "fi": ""})
    nodes = {name: Forked(home, "--no-picture") for name, home in made.items()}
    said: list[str] = []
    withdrawn: set[str] = set()
    try:
        for node in nodes.values():
            node.start()
        with Stores(made["dk"]) as dk:
            for _ in range(kills):
                _speak(dk, chance, said, withdrawn)
                time.sleep(chance.uniform(0.0, 0.6))  # the kill falls into any phase of a tick
                victim = nodes[chance.choice(["dk", "fi"])]
                victim.kill()
                _speak(dk, chance, said, withdrawn)
                victim.start()
            wait(lambda: _all_applied(dk))
        _check_readers_copy(made["fi"].root, said, withdrawn)
        for home in made.values():
            assert [p for part in audit(home) for p in part.problems] == []
    finally:
        for node in nodes.values():
            node.kill()


def _speak(dk: Stores, chance: random.Random, said: list[str], withdrawn: set[str]) -> None:
    """Say a few things, take some back. What returned is acknowledged."""
    for _ in range(chance.randrange(4)):
        form = ReportForm(title=f"report {len(said)}", lat=55.0, lon=14.0, text="body of the report")
        said.append(dk.pen.sign(form.draft(by="t", exercise=False, now_us=1), by="t").jti)
    standing = [jti for jti in said if jti not in withdrawn]
    if standing and chance.random() < 0.4:
        jti = chance.choice(standing)
        dk.pen.withdraw(jti, purge=True, why="", by="t")
        withdrawn.add(jti)


def _all_applied(dk: Stores) -> bool:
    sent, applied = dk.door().applied("fi")
    return dk.outbox.waiting() == 0 and sent == applied


def _check_readers_copy(root: Path, said: list[str], withdrawn: set[str]) -> None:
    from samsyn.base.settings import Home

    with Stores(Home(root)) as fi:
        held = {s.jti: s for s in fi.statements.page(limit=10_000)}
        rows = len(fi.statements.page(limit=10_000))
    assert rows == len(held)  # nothing doubled
    assert set(said) - withdrawn <= set(held)  # nothing lost
    assert all(held[jti].statement is not None for jti in set(said) - withdrawn)
    # what was withdrawn before it ever left has no trace; what had left is purged
    assert all(held[jti].purged and held[jti].state == "withdrawn" for jti in withdrawn & set(held))
    assert set(held) <= set(said)
