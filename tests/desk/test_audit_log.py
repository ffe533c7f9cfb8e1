"""The audit log is complete, and `samsyn verify` finds it out where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from samsyn.base.clock import ManualClock, parse_iso
from samsyn.base.encoding import b64url_bytes
from samsyn.base.errors import Refused
from samsyn.base.settings import Home
from samsyn.channels.leaf import withdraw_leaf
from samsyn.channels.names import channel_origin
from samsyn.desk.diary import diary_origin
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.node.audit import audit
from samsyn.node.stores import Stores
from samsyn.policy import load
from samsyn.subjects import KINDS
from tests.channels.nodes import draft
from tests.desk.homes import made_homes, tick

START_US = parse_iso("2026-11-21T20:00:00Z")
TO_SE = channel_origin("dk", "actual", "se")
DIARY = diary_origin("dk", "actual")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_US)


@pytest.fixture
def dk(tmp_path: Path, clock: ManualClock) -> Iterator[Stores]:
    """dk's stores, with two statements released to se and one of them withdrawn."""
    home = made_homes(tmp_path, "dk", "se")["dk"]
    with Stores(home, wall=clock) as stores:
        said = [stores.pen.sign(draft(exercise=False), by="anna") for _ in range(2)]
        tick(stores)
        stores.pen.withdraw(said[0].jti, purge=True, why="", by="anna")
        clock.advance(60_000_000)
        tick(stores)
        yield stores


def problems(home: Home) -> list[str]:
    return [problem for part in audit(home) for problem in part.problems]


def test_every_release_is_in_the_diary(dk: Stores) -> None:
    heads = [n.what["channels"] for n in dk.diary.entries() if n.did == "release"]
    assert [(h["reader"], h["from"], h["size"]) for (h,) in heads] == [("se", 0, 2), ("se", 2, 3)]
    assert [n.did for n in dk.diary.entries()] == ["sign", "sign", "release", "withdraw", "release"]
    assert problems(dk.home) == []


def test_a_tick_that_fails_leaves_neither_entry_nor_diary(
    dk: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    dk.pen.sign(draft(exercise=False), by="anna")
    door, before = dk.door(), dk.logs.size(DIARY)
    door.set_policy(load(dk.home.policy, partners=["se"], kinds=KINDS), dk.readers())

    def broken(_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(door, "_tell", broken)
    with pytest.raises(OSError, match="full"):
        door.tick()
    assert dk.logs.size(TO_SE) == 3 and dk.logs.size(DIARY) == before
    assert problems(dk.home) == []


def slip_in(dk: Stores) -> None:
    """An entry beside the tick, under a head that is properly signed."""
    said = dk.statements.page(states=["standing"])[0]
    dk.logs.append(TO_SE, [(withdraw_leaf(said.jti, 1, True), b"")])
    sign(dk, TO_SE)


def slip_in_and_go_on(dk: Stores) -> None:
    """The same, hidden under a later tick."""
    slip_in(dk)
    dk.pen.sign(draft(exercise=False), by="anna")
    tick(dk)


def cut_the_diary(dk: Stores) -> None:
    rewrite(dk, lambda entries: entries[:-1])


def take_out_an_entry(dk: Stores) -> None:
    rewrite(dk, lambda entries: entries[:2] + entries[3:])


def change_a_head(dk: Stores) -> None:
    rewrite(dk, lambda entries: [entry.replace(b'"size":2', b'"size":1') for entry in entries])


def change_a_root(dk: Stores) -> None:
    old = dk.logs.root_at(TO_SE, 2)
    rewrite(
        dk,
        lambda entries: [entry.replace(b64url_bytes(old), b64url_bytes(b"x" * 32)) for entry in entries],
    )


def forget_what_was_given(dk: Stores) -> None:
    with dk.db.write() as db:
        db.execute("DELETE FROM given WHERE id = (SELECT max(id) FROM given)")


def leave_a_hole_without_the_key(dk: Stores) -> None:
    with dk.db.write() as db:
        db.execute("DELETE FROM log_bundle WHERE log = ? AND first = 1", (DIARY,))


def rewrite(dk: Stores, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """The diary anew, by somebody who has the node's own key: the log itself is in order."""
    entries = [data for data, _ in dk.logs.entries(DIARY, 0, 1_000)]
    with dk.db.write() as db:
        for table, column in (("log", "name"), ("log_bundle", "log"), ("log_tile", "log")):
            db.execute(f"DELETE FROM {table} WHERE {column} = ?", (DIARY,))
    dk.logs.append(DIARY, [(data, b"") for data in change(entries)])
    sign(dk, DIARY)
    assert dk.logs.audit(DIARY).problems == ()


def sign(dk: Stores, origin: str) -> None:
    size, root = dk.logs.head(origin)
    dk.logs.set_checkpoint(origin, sign_checkpoint(origin, size, root, dk.keys.log))


@pytest.mark.parametrize(
    "tampered",
    [
        slip_in,
        slip_in_and_go_on,
        cut_the_diary,
        take_out_an_entry,
        change_a_head,
        change_a_root,
        forget_what_was_given,
        leave_a_hole_without_the_key,
    ],
    ids=lambda f: f.__name__,
)
def test_an_incomplete_trail_is_found(dk: Stores, tampered: Callable[[Stores], None]) -> None:
    tampered(dk)
    assert problems(dk.home)


def test_a_head_kept_elsewhere_shows_a_diary_cut_short(dk: Stores) -> None:
    """A last entry that is no release leaves no trace elsewhere here: that is what the head is for."""
    dk.diary.write("anna", "sign-in")
    kept = dk.diary.checkpoint()
    assert kept is not None
    assert not any(part.problems for part in audit(dk.home, kept))
    cut_the_diary(dk)
    assert problems(dk.home) == []
    said = [p for part in audit(dk.home, kept) for p in part.problems]
    assert said == ["it had 6 entries when the head was kept, and has fewer now"]


def test_a_head_of_something_else_is_no_head_of_the_diary(dk: Stores) -> None:
    channel = dk.logs.checkpoint(TO_SE)
    assert channel is not None
    with pytest.raises(Exception, match="no head of an audit log"):
        audit(dk.home, channel)


def test_refusals_are_counted_and_cannot_flood(dk: Stores, clock: ManualClock) -> None:
    mirror = dk.mirror(dk.roster.all()[0])
    size = dk.logs.size(DIARY)
    for _ in range(2):
        for _ in range(50):
            with pytest.raises(Refused):
                mirror.receive(b"noise")
            dk.refused.flush()
        clock.advance(60_000_000)
    dk.refused.flush()
    told = [n.what for n in dk.diary.entries() if n.did == "refuse"]
    matter = {"partner": "se", "what": "batch", "reason": "malformed-batch"}
    assert [{k: t[k] for k in matter} for t in told] == [matter] * len(told)
    assert [t["count"] for t in told] == [1, 50, 49]
    assert dk.logs.size(DIARY) == size + 3
