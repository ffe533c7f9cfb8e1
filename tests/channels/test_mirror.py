"""What a mirror keeps of a partner's channel, over restarts, pauses and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from samsyn.base import limits
from samsyn.base.clock import HOUR_US
from samsyn.base.errors import Refused
from samsyn.channels import reason_texts
from samsyn.channels.audit import audit_given, audit_held
from samsyn.channels.given import Account
from samsyn.log.checkpoint import open_checkpoint
from tests.channels.nodes import Node, bytes_on_disk, draft, pull


@pytest.fixture
def two(tmp_path: Path) -> tuple[Node, Node]:
    dk, se = Node(tmp_path, "dk"), Node(tmp_path, "se")
    dk.open_to([se, Node(tmp_path, "fi")])
    se.follow(dk)
    return dk, se


def test_it_goes_on_where_it_was_after_a_restart(two: tuple[Node, Node]) -> None:
    dk, se = two
    dk.say()
    dk.door.tick()
    pull(se, dk)
    before = se.mirrors["dk"].cosigned()
    se = se.again()
    assert se.follow(dk).size == 1 and se.mirrors["dk"].cosigned() == before
    dk.say()
    dk.door.tick()
    pull(se, dk)
    assert se.mirrors["dk"].size == 2 and len(se.statements.page()) == 2


def test_it_catches_up_in_pieces_and_confirms_at_the_end(two: tuple[Node, Node]) -> None:
    dk, se = two
    for _ in range(7):
        dk.say()
    dk.door.tick()
    mirror, channel = se.mirrors["dk"], dk.door.reader("se")
    assert channel
    found = mirror.receive(channel.entries(0, 3))
    assert (found.size, found.statements, found.behind) == (3, 3, 4)
    assert mirror.cosigned() is None
    dk.say()
    dk.door.tick()  # the head moves on while it catches up
    assert mirror.receive(channel.entries(3, 3)).behind == 2
    assert mirror.receive(channel.entries(6, 3)).behind == 0
    note = mirror.cosigned()
    assert note and open_checkpoint(note, mirror.origin, dk.keys.log.public_key()).size == 8


def test_an_older_head_may_be_cosigned_after_the_log_grew(two: tuple[Node, Node]) -> None:
    dk, se = two
    dk.say()
    dk.door.tick()
    mirror, channel = se.mirrors["dk"], dk.door.reader("se")
    assert channel
    mirror.receive(channel.entries(0))
    note = mirror.cosigned()
    dk.say()
    dk.door.tick()
    assert note
    channel.cosign(note)
    assert dk.door.applied("se") == (2, 1)
    pull(se, dk)
    channel.cosign(note)  # late or twice: the newer one stays
    assert dk.door.applied("se") == (2, 2)


def test_an_empty_channel_is_taken_and_confirmed(two: tuple[Node, Node]) -> None:
    dk, se = two
    assert se.mirrors["dk"].accepted_us is None
    pull(se, dk)
    assert se.mirrors["dk"].size == 0 and se.mirrors["dk"].accepted_us == se.clock.now_us()


def test_a_batch_for_another_reader_is_refused(tmp_path: Path, two: tuple[Node, Node]) -> None:
    dk, se = two
    dk.say()
    dk.door.tick()
    theirs = dk.door.reader("fi")
    assert theirs
    with pytest.raises(Refused) as error:
        se.mirrors["dk"].receive(theirs.entries(0))
    assert error.value.reason == "forged-checkpoint"


def test_refusals_are_counted_and_bounded(two: tuple[Node, Node]) -> None:
    _, se = two
    mirror = se.mirrors["dk"]
    for n in range(limits.REFUSALS_KEPT + 5):
        se.clock.advance(1)
        for _ in range(2):
            with pytest.raises(Refused):
                mirror.receive(b"noise %d" % n)
    problems = mirror.problems()
    assert len(problems) == limits.REFUSALS_KEPT
    assert problems[0].count == 2 and problems[0].last_us == se.clock.now_us()
    assert problems[0].en == reason_texts("malformed-batch")[0]
    # noise could be anybody's words, which a withdrawal must reach: only its hash is kept
    assert b"noise" not in bytes_on_disk(se) and problems[0].evidence.keys() == {"batch-sha256"}


def test_a_long_absence_ends_with_what_still_stands(two: tuple[Node, Node]) -> None:
    dk, se = two
    said = [dk.say() for _ in range(40)]
    dk.door.tick()
    pull(se, dk, limit=7)
    for n, statement in enumerate(said):
        dk.clock.advance(HOUR_US)
        if n % 4 == 0:
            dk.outbox.put("withdraw", statement.jti, 1, purge=True)
        elif n % 4 == 1:
            changed = dict.fromkeys(["title", "summary"], f"Version two of {n}")
            dk.say(draft(**changed), jti=statement.jti, ver=2)
        dk.door.tick()
    fresh = [dk.say() for _ in range(20)]
    dk.door.tick()
    for n, statement in enumerate(fresh):
        if n % 2:
            dk.outbox.put("withdraw", statement.jti, 1, purge=n % 3 == 0)
    dk.door.tick()
    pull(se, dk, limit=7)
    for statement in [*said, *fresh]:
        ours, theirs = dk.statements.get(statement.jti), se.statements.get(statement.jti)
        assert ours
        if ours.purged and statement in fresh:
            assert theirs is None  # it was gone before they asked
        else:
            assert theirs and (theirs.ver, theirs.state, theirs.body) == (
                ours.ver,
                ours.state,
                ours.body,
            )
    given = audit_given(
        se.mirrors["dk"].origin,
        "se",
        dk.logs,
        dk.statements,
        Account(dk.db),
        dk.keys.log.public_key(),
        [se.keys.log.public_key()],
    )
    held = audit_held(
        se.mirrors["dk"].origin, "dk", se.logs, se.statements, dk.keys.log.public_key(), {}
    )
    assert given.problems == held.problems == ()
    assert given.size == held.size == dk.size_to("se")
