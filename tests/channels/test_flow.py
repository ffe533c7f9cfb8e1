"""A statement's way from one node to two others, and back again when it is withdrawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.channels.nodes import LAT, Node, bytes_on_disk, draft, pull


@pytest.fixture
def three(tmp_path: Path) -> tuple[Node, Node, Node]:
    dk, se, fi = (Node(tmp_path, name) for name in ("dk", "se", "fi"))
    dk.open_to([se, fi])
    se.follow(dk)
    fi.follow(dk)
    return dk, se, fi


def test_each_partner_gets_what_its_rule_says(three: tuple[Node, Node, Node]) -> None:
    dk, se, fi = three
    said = dk.say()
    report = dk.door.tick()
    assert (report.decided, report.released, report.readers) == (1, 2, {"fi": 1, "se": 1})
    pull(se, dk)
    pull(fi, dk)
    at_se, at_fi = se.statements.get(said.jti), fi.statements.get(said.jti)
    assert at_se and at_se.statement and at_fi and at_fi.statement
    assert at_se.statement.slots == said.slots
    assert at_fi.statement.slots.keys() == {
        "place.region",
        "place.area",
        "time.day",
        "time.hour",
        "title",
        "summary",
        "confidence",
        "body.detector",
        "body.craft",
        "body.state",
        "body.thresholds",
    }
    assert at_fi.statement.jwt == said.jwt  # one signature under both
    delivered = {d.reader: d for d in dk.door.delivered(said.jti)}
    assert delivered["fi"].applied and delivered["fi"].rules == (
        ("area-to-fi", "Sea surveillance agreement, art. 3"),
    )
    assert delivered["se"].slots == said.slots.keys()


def test_no_byte_of_what_is_withheld_is_at_the_reader(three: tuple[Node, Node, Node]) -> None:
    dk, _, fi = three
    said = dk.say()
    dk.door.tick()
    pull(fi, dk)
    held = bytes_on_disk(fi)
    for slot in said.slots.keys() - fi.statements.get(said.jti).statement.slots.keys():  # type: ignore[union-attr]
        assert said.disclosures[slot] not in held, slot
    assert str(LAT).encode() not in held


def test_withdrawal_purges_and_is_acknowledged(three: tuple[Node, Node, Node]) -> None:
    dk, se, fi = three
    said = dk.say()
    dk.door.tick()
    pull(se, dk)
    pull(fi, dk)
    dk.outbox.put("withdraw", said.jti, said.ver, purge=True)
    assert dk.door.tick().withdrawn == 2
    pull(se, dk)
    pull(fi, dk)
    for node in (dk, se, fi):
        stored = node.statements.get(said.jti)
        assert stored and stored.state == "withdrawn" and stored.purged
        assert said.disclosures["title"] not in bytes_on_disk(node)
    withdrawals = [d for d in dk.door.delivered(said.jti) if d.op == "withdraw"]
    assert [d.applied for d in withdrawals] == [True, True]
    assert all(node.logs.audit(log).problems == () for node in (dk, se, fi) for log in node.logs.names())


def test_a_reader_that_comes_after_the_purge_gets_no_body(three: tuple[Node, Node, Node]) -> None:
    dk, se, _ = three
    said = [dk.say() for _ in range(5)]
    dk.door.tick()
    dk.outbox.put("withdraw", said[2].jti, 1, purge=True)
    dk.door.tick()
    assert pull(se, dk, limit=2) == 3  # the withdrawal stands in the last batch, the release before
    assert se.statements.get(said[2].jti) is None
    assert all(se.statements.get(s.jti) for n, s in enumerate(said) if n != 2)


def test_a_reader_without_a_rule_has_an_empty_channel(tmp_path: Path) -> None:
    dk, no = Node(tmp_path, "dk"), Node(tmp_path, "no")
    se, fi = Node(tmp_path, "se"), Node(tmp_path, "fi")
    dk.open_to([se, fi, no])
    before = dk.door.reader("no").entries(0)  # type: ignore[union-attr]
    said = dk.say()
    dk.door.tick()
    dk.outbox.put("withdraw", said.jti, 1, purge=True)
    dk.door.tick()
    assert dk.size_to("no") == 0
    assert dk.door.reader("no").entries(0) == before  # type: ignore[union-attr]
    no.follow(dk)
    pull(no, dk)


def test_a_new_version_is_released_the_same_way(three: tuple[Node, Node, Node]) -> None:
    dk, se, _ = three
    said = dk.say()
    dk.door.tick()
    pull(se, dk)
    dk.say(draft(title="Drift, closed", **{"body.state": "closed"}), jti=said.jti, ver=2)
    assert dk.door.tick().released == 2
    pull(se, dk)
    latest = se.statements.get(said.jti)
    assert latest and latest.ver == 2 and latest.state == "standing"
    assert se.statements.get(said.jti, 1).state == "superseded"  # type: ignore[union-attr]
