"""The exchange with real channels: signed, released, pulled, applied, confirmed, withdrawn, purged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samsyn.base.database import Database
from samsyn.channels import SCHEMA
from samsyn.channels.door import Door
from samsyn.channels.mirror import Mirror
from samsyn.channels.outbox import Outbox
from samsyn.exchange.card import public_key
from samsyn.log import store as logs
from samsyn.log.store import LogStore
from samsyn.policy.decide import load
from samsyn.statements import store as statements
from samsyn.statements.keys import NodeKeys
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft
from samsyn.statements.store import StatementStore
from tests.exchange.nodes import REALM, Node, pulling

POLICY = """
[[rule]]
id = "to-se"
why = "all of it"
to = ["se"]
kinds = ["report"]
place = "exact"
time = "exact"

[[rule]]
id = "to-fi"
why = "roughly"
to = ["fi"]
kinds = ["report"]
place = "area"
time = "hour"
hide = ["author"]
"""
SECRET = "Lieutenant Hemlig"


class Full(Node):
    """A node with real stores."""

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(root, name)
        self.db = Database(
            self.folder / "ledger.sqlite",
            statements.SCHEMA,
            logs.SCHEMA,
            SCHEMA,
        )
        self.statements = StatementStore(self.db)
        self.logs = LogStore(self.db)
        self.outbox = Outbox(self.db)
        self.signing = NodeKeys(self.keys.statement, self.keys.log, self.keys.request)
        self.door = Door(
            self.db,
            self.statements,
            self.logs,
            node=name,
            realm=REALM,
            keys=self.signing,
            clock=self.wall,
        )

    def open_door(self) -> None:
        path = self.folder / "policy.toml"
        path.write_text(POLICY)
        cards = self.roster.all()
        policy = load(path, partners=[card.name for card in cards], kinds=["report"])
        self.door.set_policy(policy, {card.name: public_key(card.log_key) for card in cards})
        self.channels = {card.name: self.door.reader(card.name) for card in cards}  # type: ignore[misc]

    def mirror(self, partner: Node) -> Mirror:
        card = partner.card()
        return Mirror(
            self.db,
            self.statements,
            self.logs,
            partner=card.name,
            statement_key=public_key(card.statement_key),
            log_key=public_key(card.log_key),
            me=self.name,
            key=self.keys.log,
            realm=REALM,
            clock=self.wall,
        )

    def say(self, title: str) -> str:
        now_us = self.wall.now_us()
        draft = Draft(
            kind="report",
            marking="TLP:GREEN",
            onward="ask",
            exercise=True,
            slots={
                **place_ladder({"type": "Point", "coordinates": [12.34567, 55.76543]}),
                **time_ladder(now_us),
                "title": title,
                "author": SECRET,
            },
        )
        said = sign(draft, iss=self.name, key=self.keys.statement)
        self.statements.put(said, None, now_us)
        self.outbox.put("release", said.jti, said.ver)
        self.tick()
        return said.jti

    def tick(self) -> None:
        self.door.tick()
        self.bell.ring()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[tuple[Full, Full, Full]]:
    dk, se, fi = (Full(tmp_path, name) for name in ("dk", "se", "fi"))
    dk.roster.add(se.card())
    dk.roster.add(fi.card())
    dk.open_door()
    dk.start()
    yield dk, se, fi
    dk.stop()
    for node in (dk, se, fi):
        node.db.close()


def test_each_partner_holds_what_its_rule_gives_and_a_withdrawal_reaches_both(
    three: tuple[Full, Full, Full],
) -> None:
    dk, se, fi = three
    before = dk.say("said while nobody listened")
    at_se, at_fi = se.mirror(dk), fi.mirror(dk)
    with pulling(se, dk.card(), at_se) as to_se, pulling(fi, dk.card(), at_fi) as to_fi:
        to_se.until(lambda: at_se.size == 1)
        to_fi.until(lambda: at_fi.size == 1)
        meanwhile = dk.say("said while they listened")
        to_se.until(lambda: at_se.size == 2)
        to_fi.until(lambda: at_fi.size == 2)
        whole, rough = se.statements.get(before), fi.statements.get(before)
        assert whole and whole.statement and rough and rough.statement
        assert whole.statement.jwt == rough.statement.jwt
        assert "place.exact" in whole.statement.slots and "author" in whole.statement.slots
        assert "place.exact" not in rough.statement.slots and "time.hour" in rough.statement.slots
        dk.statements.withdraw(meanwhile, True, dk.wall.now_us())
        dk.outbox.put("withdraw", meanwhile, 1, purge=True)
        dk.tick()
        for link, mirror in ((to_se, at_se), (to_fi, at_fi)):
            link.until(lambda mirror=mirror: mirror.size == 3)  # type: ignore[misc]

        def all_confirmed() -> bool:
            return all(dk.door.applied(name)[0] == 3 for name in ("se", "fi"))

        dk.until_confirmed(all_confirmed)
    for node in (se, fi):
        gone = node.statements.get(meanwhile)
        assert gone and gone.purged
    for file in fi.folder.glob("ledger.sqlite*"):
        assert SECRET.encode() not in file.read_bytes()


def test_a_mirror_from_another_channel_is_refused_and_stays_as_it_was(
    three: tuple[Full, Full, Full],
) -> None:
    """fi pulls with se's eyes: the checkpoint is of another channel, so nothing of it is taken."""
    dk, se, fi = three
    dk.say("one")
    mistaken = se.mirror(dk)
    with pulling(fi, dk.card(), mistaken) as link:
        link.until_state("refused", "forged-checkpoint")
    assert mistaken.size == 0 and se.statements.page() == []
    assert [problem.reason for problem in mistaken.problems()] == ["forged-checkpoint"]
