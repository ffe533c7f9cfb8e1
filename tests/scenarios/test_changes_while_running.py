"""Policy and partners change while a node runs: nothing is started again for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from samsyn.base.settings import Home
from samsyn.desk.drafts import ReportForm
from samsyn.exchange.card import SUFFIX
from samsyn.node.homes import own_card
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from tests.scenarios.network import homes, wait

RULE = '[[rule]]\nid = "r"\nwhy = "w"\nto = ["fi"]\nkinds = ["report"]\n'


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Home]:
    return homes(tmp_path, {"dk": "", "fi": "", "se": ""})


def approve(home: Home, text: str) -> None:
    """What two release officers do, from another process than the node's."""
    with Stores(home) as stores:
        kept = stores.policies.propose(text, by="anna", preview={})
        version = stores.policies.version()
        stores.policies.approve(kept.id, by="bo", seen=kept.sha256, preview={}, instead_of=version)


def say(node: Node) -> str:
    form = ReportForm(title="Drifting", lat=55.0, lon=12.0)
    return node.stores.pen.sign(form.draft(by="t", exercise=False, now_us=1), by="t").jti


def given(node: Node, jti: str) -> list[str]:
    node.tick()
    return [d.reader for d in node._door.delivered(jti)]


def test_an_approved_policy_is_taken_up_and_an_edited_file_is_not(made: dict[str, Home]) -> None:
    node = Node(Stores(made["dk"]))
    try:
        made["dk"].policy.write_text(RULE)
        assert given(node, say(node)) == []
        assert node.stores.file_differs() and not node.policy_problem
        approve(made["dk"], RULE)
        assert not node.stores.file_differs()
        assert given(node, say(node)) == ["fi"]
    finally:
        node.stop()


def test_a_partner_that_is_taken_away_closes_the_door_until_the_policy_is_mended(
    made: dict[str, Home],
) -> None:
    made["dk"].policy.write_text(RULE)
    node = Node(Stores(made["dk"]))
    try:
        jti = say(node)
        assert given(node, jti) == ["fi"]
        (made["dk"].partners / f"fi{SUFFIX}").unlink()
        node.stores.pen.withdraw(jti, purge=True, why="", by="t")
        late = say(node)
        assert given(node, late) == [] and given(node, jti) == ["fi", "fi"]  # the withdrawal goes out
        assert "unknown partner 'fi'" in node.policy_problem and "policy 1" in node.policy_problem
        own_card(made["fi"]).write(made["dk"].partners / f"fi{SUFFIX}")
        assert given(node, late) == ["fi"] and not node.policy_problem
    finally:
        node.stop()


def test_a_card_that_cannot_be_read_releases_nothing_and_withdraws(made: dict[str, Home]) -> None:
    made["dk"].policy.write_text(RULE)
    node = Node(Stores(made["dk"]))
    try:
        jti = say(node)
        assert given(node, jti) == ["fi"]
        card = made["dk"].partners / f"se{SUFFIX}"
        good = card.read_bytes()
        card.write_text("{")
        late = say(node)
        node.stores.pen.withdraw(jti, purge=True, why="", by="t")
        assert given(node, late) == [] and given(node, jti) == ["fi", "fi"]
        assert node.policy_problem
        card.write_bytes(good)
        assert given(node, late) == ["fi"]
    finally:
        node.stop()


def test_a_policy_of_partners_yet_unknown_is_founded_once_they_are_known(made: dict[str, Home]) -> None:
    card = made["dk"].partners / f"fi{SUFFIX}"
    good = card.read_bytes()
    card.unlink()
    made["dk"].policy.write_text(RULE)
    node = Node(Stores(made["dk"]))
    try:
        assert "policy.toml" in node.policy_problem and not node.stores.policies.founded()
        jti = say(node)
        assert given(node, jti) == []
        card.write_bytes(good)
        assert given(node, jti) == ["fi"] and node.stores.policies.founded()
    finally:
        node.stop()


def test_a_partner_comes_and_goes_while_the_node_runs(made: dict[str, Home]) -> None:
    for name in ("dk", "fi"):
        (made[name].partners / f"{'fi' if name == 'dk' else 'dk'}{SUFFIX}").unlink()
        (made[name].partners / f"se{SUFFIX}").unlink()
    nodes = {name: Node(Stores(made[name]), picture=False) for name in ("dk", "fi")}
    for node in nodes.values():
        node.start()
    try:
        own_card(made["fi"]).write(made["dk"].partners / f"fi{SUFFIX}")
        own_card(made["dk"]).write(made["fi"].partners / f"dk{SUFFIX}")
        for name, partner in (("dk", "fi"), ("fi", "dk")):
            wait(lambda n=name: nodes[n]._links())
            wait(lambda n=name, p=partner: nodes[n].link(p)["state"] == "up")
        approve(made["dk"], RULE)
        jti = say(nodes["dk"])
        wait(lambda: nodes["fi"].stores.statements.get(jti))
        (made["fi"].partners / f"dk{SUFFIX}").unlink()
        wait(lambda: not nodes["fi"]._links())
    finally:
        for node in nodes.values():
            node.stop()
