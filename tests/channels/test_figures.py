"""How it stands with each reader, in figures."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from samsyn.statements.statement import Statement
from tests.channels.nodes import POLICY, Node, pull

DELAYED = POLICY.replace('id = "area-to-fi"', 'id = "area-to-fi"\ndelay = "10m"')


@pytest.fixture
def three(tmp_path: Path) -> tuple[Node, Node, Node]:
    dk, se, fi = (Node(tmp_path, name) for name in ("dk", "se", "fi"))
    dk.open_to([se, fi], DELAYED)
    se.follow(dk)
    fi.follow(dk)
    return dk, se, fi


def figures(node: Node, reader: str) -> tuple[int, ...]:
    """sent, applied, held, withdrawn, purges, purged"""
    return msgspec.structs.astuple(node.door.figures(reader))


def withdraw(node: Node, said: Statement, *, purge: bool, reader: str | None = None) -> None:
    node.outbox.put("withdraw", said.jti, said.ver, purge=purge, reader=reader)


def test_what_waits_and_what_was_withdrawn_and_purged_is_counted(three: tuple[Node, Node, Node]) -> None:
    dk, se, _ = three
    one, two, last = dk.say(), dk.say(), dk.say()
    dk.door.tick()
    assert figures(dk, "se") == (3, 0, 0, 0, 0, 0)
    assert figures(dk, "fi") == (0, 0, 3, 0, 0, 0)  # a delay runs
    pull(se, dk)
    assert figures(dk, "se") == (3, 3, 0, 0, 0, 0)
    withdraw(dk, one, purge=True)
    withdraw(dk, two, purge=False)
    dk.door.tick()
    assert figures(dk, "se") == (5, 3, 0, 2, 1, 0)
    assert figures(dk, "fi") == (0, 0, 1, 0, 0, 0)  # it was given none of it
    pull(se, dk)
    assert figures(dk, "se") == (5, 5, 0, 2, 1, 1)
    withdraw(dk, last, purge=True, reader="se")
    assert figures(dk, "se") == (5, 5, 1, 2, 1, 1)
    dk.door.tick()
    assert figures(dk, "se") == (6, 5, 0, 3, 2, 1)


def test_a_purge_after_a_withdrawal_counts_once_and_a_restart_changes_nothing(
    three: tuple[Node, Node, Node],
) -> None:
    dk, se, _ = three
    said = dk.say()
    dk.door.tick()
    pull(se, dk)
    withdraw(dk, said, purge=False)
    dk.door.tick()
    assert figures(dk, "se") == (2, 1, 0, 1, 0, 0)
    withdraw(dk, said, purge=True)
    dk.door.tick()
    pull(se, dk)
    held = figures(dk, "se")
    assert held == (3, 3, 0, 1, 1, 1)
    assert figures(dk.again(), "se") == held
