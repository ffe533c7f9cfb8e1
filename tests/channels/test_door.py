"""What the door does with what is queued: delays, denials, widening, withdrawal, explanation."""

from __future__ import annotations

from pathlib import Path

import pytest

from samsyn.base.clock import HOUR_US, MINUTE_US
from samsyn.base.errors import ConfigError, InputError
from samsyn.channels import batch as wire
from samsyn.channels.leaf import read_leaf
from samsyn.channels.names import channel_origin
from samsyn.policy import Policy
from samsyn.statements.sign import sign
from tests.channels.nodes import POLICY, Node, draft, pull

DELAYED = """
[[rule]]
id = "soon"
why = "Area at once"
to = ["fi"]
kinds = ["alert"]
place = "area"
time = "hour"

[[rule]]
id = "late"
why = "Everything after ten minutes"
to = ["fi", "se"]
kinds = ["alert"]
place = "exact"
time = "exact"
delay = "10m"
"""


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Node, Node, Node]:
    dk, se, fi = (Node(tmp_path, name) for name in ("dk", "se", "fi"))
    dk.open_to([se, fi])
    se.follow(dk)
    fi.follow(dk)
    return dk, se, fi


def ops(node: Node, reader: str) -> list[tuple[str, int]]:
    """What a reader's channel says: operation and version of each entry."""
    origin = channel_origin(node.name, "exercise", reader)
    leaves = [read_leaf(leaf) for leaf, _ in node.logs.entries(origin, 0, 10_000)]
    return [(type(leaf).__name__.lower(), leaf.ver) for leaf in leaves]


def test_a_delay_survives_a_restart(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, fi = nodes
    dk.open_to([se, fi], DELAYED)
    said = dk.say()
    report = dk.door.tick()
    assert (report.released, report.delayed) == (1, 2)
    assert report.next_due_us == dk.clock.now_us() + 10 * MINUTE_US
    assert ops(dk, "se") == [] and ops(dk, "fi") == [("release", 1)]
    assert "more from 2026-11-21T20:25:03.25Z" in dk.door.explain(said.jti, "fi").en
    assert "Will be released to se at 2026-11-21T20:25:03.25Z" in dk.door.explain(said.jti, "se").en
    dk = dk.again()
    dk.open_to([se, fi], DELAYED)
    dk.clock.advance(10 * MINUTE_US - 1)
    assert dk.door.tick().entries == 0
    dk.clock.advance(1)
    report = dk.door.tick()
    assert (report.released, report.widened, report.delayed) == (1, 1, 0)
    assert ops(dk, "se") == [("release", 1)] and ops(dk, "fi") == [("release", 1), ("widen", 1)]
    pull(fi, dk)
    pull(se, dk)
    for node in (se, fi):
        assert node.statements.get(said.jti).statement.slots == said.slots  # type: ignore[union-attr]
    assert dk.door.tick().entries == 0


def test_a_withdrawal_before_the_delayed_release_leaves_no_trace(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, fi = nodes
    dk.open_to([se, fi], DELAYED)
    said = dk.say()
    dk.door.tick()
    dk.outbox.put("withdraw", said.jti, 1, purge=True)
    assert dk.door.tick().withdrawn == 1  # fi alone had it
    dk.clock.advance(HOUR_US)
    assert dk.door.tick().entries == 0
    assert ops(dk, "se") == [] and ops(dk, "fi") == [("release", 1), ("withdraw", 1)]


def test_released_and_withdrawn_within_one_tick_leaves_no_trace(nodes: tuple[Node, Node, Node]) -> None:
    dk, _, _ = nodes
    said = dk.say()
    dk.outbox.put("withdraw", said.jti, 1, purge=True)
    assert dk.door.tick().entries == 0
    assert ops(dk, "se") == ops(dk, "fi") == []
    assert dk.statements.get(said.jti).purged  # type: ignore[union-attr]
    assert dk.outbox.waiting() == 0


def test_what_is_withdrawn_stays_so(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, _ = nodes
    said = dk.say()
    dk.door.tick()
    dk.outbox.put("withdraw", said.jti, 1)
    dk.door.tick()
    dk.outbox.put("release", said.jti, 1)
    dk.say(jti=said.jti, ver=2)
    assert dk.door.tick().entries == 0
    dk.outbox.put("withdraw", said.jti, 1)
    assert dk.door.tick().entries == 0  # nothing new to say
    dk.outbox.put("withdraw", said.jti, 1, purge=True)
    assert dk.door.tick().withdrawn == 2  # but a purge is more than a withdrawal
    pull(se, dk)
    assert se.statements.get(said.jti) is None


def test_a_withdrawal_without_purge_keeps_the_body(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, _ = nodes
    said = dk.say()
    dk.door.tick()
    dk.outbox.put("withdraw", said.jti, 1)
    dk.door.tick()
    pull(se, dk)
    stored = se.statements.get(said.jti)
    assert stored and stored.state == "withdrawn" and not stored.purged


def test_asking_twice_releases_once_and_a_wider_policy_widens_when_asked(
    nodes: tuple[Node, Node, Node],
) -> None:
    dk, se, fi = nodes
    said = dk.say()
    dk.outbox.put("release", said.jti, 1)
    dk.door.tick()
    dk.outbox.put("release", said.jti, 1)
    assert dk.door.tick().entries == 0
    wider = POLICY.replace('"area"\ntime = "hour"', '"exact"\ntime = "exact"')
    dk.open_to([se, fi], wider)
    assert dk.door.tick().entries == 0  # only when asked
    dk.outbox.put("release", said.jti, 1)
    assert dk.door.tick().widened == 1
    pull(fi, dk)
    held = fi.statements.get(said.jti).statement.slots  # type: ignore[union-attr]
    assert "place.exact" in held and "author" not in held


def test_who_may_not_have_a_new_version_is_told_that_the_old_one_does_not_stand(
    nodes: tuple[Node, Node, Node],
) -> None:
    dk, se, _ = nodes
    said = dk.say()
    dk.door.tick()
    dk.say(draft(text="new words"), jti=said.jti, ver=2)
    dk.say(draft(marking="TLP:AMBER+STRICT"), jti=said.jti, ver=3)  # no rule reaches that
    assert dk.door.tick().withdrawn == 2
    assert ops(dk, "se") == ops(dk, "fi") == [("release", 1), ("withdraw", 1)]
    pull(se, dk)
    assert se.statements.get(said.jti).state == "withdrawn"  # type: ignore[union-attr]
    assert dk.statements.get(said.jti).state == "standing"  # type: ignore[union-attr]
    dk.say(jti=said.jti, ver=4)
    assert dk.door.tick().entries == 0  # a withdrawal is final


def test_a_new_version_that_only_waits_withdraws_nothing(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, fi = nodes
    said = dk.say()
    dk.door.tick()
    dk.open_to([se, fi], DELAYED)
    dk.say(jti=said.jti, ver=2)
    dk.door.tick()
    assert ops(dk, "se") == [("release", 1)]
    dk.open_to([se, fi], DELAYED.replace(', "se"]', "]"))
    dk.clock.advance(10 * MINUTE_US)
    dk.door.tick()
    assert ops(dk, "se") == [("release", 1), ("withdraw", 1)]  # the wait ended in a no


def test_what_is_superseded_does_not_come_at_the_end_of_its_delay(
    nodes: tuple[Node, Node, Node],
) -> None:
    dk, se, fi = nodes
    dk.open_to([se, fi], DELAYED)
    said = dk.say()
    dk.door.tick()
    dk.say(draft(marking="TLP:RED"), jti=said.jti, ver=2)
    dk.door.tick()
    dk.clock.advance(HOUR_US)
    assert dk.door.tick().entries == 0
    assert ops(dk, "se") == [] and ops(dk, "fi") == [("release", 1), ("withdraw", 1)]


def test_a_withdrawal_from_one_reader(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, fi = nodes
    said = dk.say()
    dk.door.tick()
    dk.outbox.put("withdraw", said.jti, 1, purge=True, reader="fi")
    report = dk.door.tick()
    assert (report.withdrawn, report.readers) == (1, {"fi": 1})
    channel = dk.door.reader("fi")
    assert channel and wire.decode(channel.entries(0)).entries[0].view is None  # it is not told again
    pull(fi, dk)
    pull(se, dk)
    assert fi.statements.get(said.jti) is None  # purged before it was read
    assert se.statements.get(said.jti).state == "standing"  # type: ignore[union-attr]
    assert dk.statements.get(said.jti).state == "standing"  # type: ignore[union-attr]
    dk.outbox.put("release", said.jti, 1)
    dk.say(jti=said.jti, ver=2)
    assert dk.door.tick().readers == {"se": 1}
    dk.outbox.put("withdraw", said.jti, 2, purge=True)
    assert dk.door.tick().readers == {"se": 1}
    assert dk.statements.get(said.jti).purged  # type: ignore[union-attr]


def test_a_withdrawal_from_a_reader_before_anything_was_released_to_it(
    nodes: tuple[Node, Node, Node],
) -> None:
    dk, se, fi = nodes
    dk.open_to([se, fi], DELAYED)
    said = dk.say()
    dk.outbox.put("withdraw", said.jti, 1, reader="fi")
    dk.outbox.put("withdraw", said.jti, 1, reader="no")
    dk.door.tick()
    assert ops(dk, "fi") == []
    other = dk.say()
    dk.door.tick()
    dk.outbox.put("withdraw", other.jti, 1, reader="se")
    dk.door.tick()
    dk.clock.advance(HOUR_US)
    dk.door.tick()
    assert ops(dk, "se") == [("release", 1)]  # of the first alone: what waited was dropped


def test_a_release_to_one_reader_decides_for_nobody_else(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, fi = nodes
    said = dk.say()
    dk.door.tick()
    wider = POLICY.replace('"area"\ntime = "hour"', '"exact"\ntime = "exact"')
    dk.open_to([se, fi], wider)
    dk.outbox.put("release", said.jti, 1, reader="se")
    assert dk.door.tick().entries == 0
    dk.outbox.put("release", said.jti, 1, reader="fi")
    dk.outbox.put("release", said.jti, 1, reader="se")
    assert dk.door.tick().readers == {"fi": 1}


def test_only_own_statements_of_this_realm_leave(nodes: tuple[Node, Node, Node]) -> None:
    dk, _, fi = nodes
    theirs = sign(draft(), iss="fi", key=fi.keys.statement)
    dk.statements.put(theirs, "fi", 0)
    dk.outbox.put("release", theirs.jti, 1)
    actual = dk.say(draft(exercise=False))
    dk.outbox.put("release", "9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11", 1)
    assert dk.door.tick().entries == 0
    dk.outbox.put("withdraw", theirs.jti, 1, purge=True)
    dk.outbox.put("withdraw", "9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11", 1)
    assert dk.door.tick().entries == 0
    assert not dk.statements.get(theirs.jti).purged  # type: ignore[union-attr]
    assert "fi is to be asked first" in dk.door.explain(theirs.jti, "se").en
    assert "other realm" in dk.door.explain(actual.jti, "se").en
    with pytest.raises(InputError):
        dk.door.explain("9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11", "se")


def test_without_a_policy_releases_wait_and_withdrawals_go(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, fi = nodes
    old = dk.say()
    dk.door.tick()
    readers = {node.name: node.keys.log.public_key() for node in (se, fi)}
    dk.door.set_policy(None, readers)
    dk.say()
    dk.outbox.put("withdraw", old.jti, 1, purge=True)
    report = dk.door.tick()
    assert (report.released, report.withdrawn, dk.outbox.waiting()) == (0, 2, 1)
    assert "no policy is in force" in dk.door.explain(dk.say().jti, "fi").en
    dk.open_to([se, fi])
    assert dk.door.tick().released == 4


def test_a_policy_that_names_a_reader_without_a_key_is_refused(nodes: tuple[Node, Node, Node]) -> None:
    dk, se, _ = nodes
    before = dk.door.policy
    with pytest.raises(ConfigError, match="no key is known for fi"):
        dk.door.set_policy(Policy((), ["fi", "se"]), {"se": se.keys.log.public_key()})
    assert dk.door.policy is before


def test_explanations_tell_what_leaves_and_what_does_not(nodes: tuple[Node, Node, Node]) -> None:
    dk, _, _ = nodes
    said = dk.say()
    found = dk.door.explain(said.jti, "fi")
    assert found.released and found.rule == "area-to-fi"
    assert "place to area, time to hour" in found.en and "author" in found.en
    abroad = dk.say(draft(marking="TLP:RED"))
    missed = dk.door.explain(abroad.jti, "fi")
    assert not missed.released and "TLP:RED" in missed.en and "TLP:RED" in missed.sv
    dk.outbox.put("withdraw", said.jti, 1)
    dk.door.tick()
    assert "withdrawn" in dk.door.explain(said.jti, "fi").en


def test_an_unknown_reader_has_no_channel(nodes: tuple[Node, Node, Node]) -> None:
    assert nodes[0].door.reader("no") is None
    assert nodes[0].door.applied("no") == (0, 0)


def test_entries_stand_in_the_order_of_their_ids(nodes: tuple[Node, Node, Node]) -> None:
    dk, _, _ = nodes
    said = [dk.say() for _ in range(600)]  # more than the door has in memory at once
    dk.outbox.put("withdraw", said[3].jti, 1)
    dk.door.tick()
    origin = channel_origin("dk", "exercise", "se")
    ids = [read_leaf(leaf).id for leaf, _ in dk.logs.entries(origin, 0, 1000)]
    assert ids == sorted(s.jti for n, s in enumerate(said) if n != 3)


def test_asking_beyond_the_end_gives_the_head_and_nothing_else(nodes: tuple[Node, Node, Node]) -> None:
    dk, _, _ = nodes
    dk.say()
    dk.door.tick()
    channel = dk.door.reader("se")
    assert channel
    for after in (1, 2, 10**15):
        batch = wire.decode(channel.entries(after, 10))
        assert batch.entries == [] and batch.after == after
    assert len(wire.decode(channel.entries(-5, 0)).entries) == 1


def test_a_batch_of_large_views_stays_within_its_limit(
    nodes: tuple[Node, Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    dk, se, _ = nodes
    for _ in range(12):
        dk.say(draft(text="x" * 30_000))
    dk.door.tick()
    monkeypatch.setattr("samsyn.base.limits.BATCH_BYTES", 128 * 1024)
    channel = dk.door.reader("se")
    assert channel
    assert len(channel.entries(0)) <= 128 * 1024
    assert 3 <= pull(se, dk) <= 6
    assert len(se.statements.page()) == 12
