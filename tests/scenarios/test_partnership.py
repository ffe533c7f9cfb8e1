"""A partnership's life between two running nodes: suspended, resumed, new keys, and the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samsyn.base.settings import Home
from samsyn.channels import figures
from samsyn.desk.drafts import ReportForm
from samsyn.node import partners
from samsyn.node.audit import audit
from samsyn.node.node import Node
from samsyn.node.rotation import rotate
from samsyn.node.stores import Stores
from tests.scenarios.network import homes, seat, wait

RULE = '[[rule]]\nid = "r"\nwhy = "w"\nto = ["fi"]\nkinds = ["report"]\n'


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Home]:
    return homes(tmp_path, {"dk": RULE, "fi": ""})


@pytest.fixture
def running() -> Iterator[list[Node]]:
    """Nodes that the test has started; stopped at its end."""
    started: list[Node] = []
    yield started
    for node in started:
        node.stop()


def start(home: Home, running: list[Node]) -> Node:
    node = Node(Stores(home), picture=False)
    node.start()
    running.append(node)
    return node


def stop(node: Node, running: list[Node]) -> None:
    running.remove(node)
    node.stop()


def say(node: Node) -> str:
    form = ReportForm(title="Drifting", lat=55.0, lon=12.0)
    return node.stores.pen.sign(form.draft(by="t", exercise=False, now_us=1), by="t").jti


def has(node: Node, jti: str) -> bool:
    return node.stores.statements.get(jti) is not None


def test_from_suspension_to_new_keys(made: dict[str, Home], running: list[Node]) -> None:
    dk, fi = start(made["dk"], running), start(made["fi"], running)
    first = say(dk)
    wait(lambda: has(fi, first))

    partners.suspend(made["dk"], "fi", by="anna", why="Under attack")
    wait(lambda: (fi.link("dk")["refused"] or {}).get("reason") == "not-accepted")
    assert (dk.link("fi")["state"], dk.link("fi")["refused"]["reason"]) == ("refused", "suspended")
    second = say(dk)
    wait(lambda: partners.shown(made["dk"], "fi")[0].waiting == 1)
    assert not has(fi, second)
    link = seat(dk).links()[0]
    assert (link["sent"], link["applied"], link["held"]) == (1, 1, 1)
    partners.resume(made["dk"], "fi", by="anna", catch_up=True)
    wait(lambda: has(fi, second))

    stop(dk, running)
    new = rotate(made["dk"], by="anna")
    dk = start(made["dk"], running)
    third = say(dk)
    wait(lambda: (fi.link("dk")["refused"] or {}).get("reason") == "wrong-certificate")
    file = new.successions["fi"]
    partners.succeed(made["fi"], file.read_bytes(), str(file), by="bo")
    wait(lambda: has(fi, third))
    wait(lambda: dk.link("fi")["applied"] == 3)
    dk.stores.pen.withdraw(third, purge=True, why="Wrong", by="t")
    wait(lambda: dk.link("fi")["purged"] == 1)
    link = seat(dk).links()[0]
    assert [link[name] for name in figures.NAMES] == [4, 4, 0, 1, 1, 1]

    for node in (dk, fi):
        stop(node, running)
    assert not [p for home in made.values() for part in audit(home) for p in part.problems]
