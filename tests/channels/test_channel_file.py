"""A channel carried as a file: the same checks and the same result as over the network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from samsyn.base import limits
from samsyn.base.errors import InputError, LimitError, Refused
from samsyn.channels import batch as wire
from samsyn.channels.file import Header, Taken, export, read, take
from tests.channels.carrying import (
    HEADER,
    batches_of,
    bring,
    carried,
    file_of,
    held,
    history,
    rows,
    speak,
    twin,
)
from tests.channels.nodes import Node, bytes_on_disk, pull


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three entries to a batch, so that a short channel is a file of several."""
    monkeypatch.setattr(limits, "BATCH_ENTRIES", 3)


@pytest.fixture
def dk(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path, "dk")
    yield node
    node.db.close()


@pytest.fixture
def se(tmp_path: Path, dk: Node) -> Node:
    (tmp_path / "se").mkdir()
    node = Node(tmp_path / "se", "se")
    dk.open_to([node, Node(tmp_path, "fi")])
    node.follow(dk)
    return node


# the same as over the network


def test_the_same_bytes_are_stored(dk: Node, se: Node) -> None:
    history(dk)
    by_net = twin(se, dk)
    pull(by_net, dk)
    taken = bring(carried(dk), se)
    assert rows(se) == rows(by_net)
    assert taken.size == taken.entries == se.mirrors["dk"].size == dk.size_to("se")
    assert taken.behind == 0 and taken.withdrawals == 3
    assert se.mirrors["dk"].cosigned() == by_net.mirrors["dk"].cosigned()


def test_the_file_holds_what_the_network_carries(dk: Node, se: Node) -> None:
    history(dk)
    channel = dk.door.reader("se")
    assert channel
    found = batches_of(carried(dk))
    assert len(found) == 4
    assert found == [channel.entries(3 * n) for n in range(4)]
    assert carried(dk).startswith(b"samsyn-channel-file/1 samsyn.dk/exercise/se\n")


def test_a_purge_is_carried_and_acknowledged(dk: Node, se: Node) -> None:
    said = dk.say()
    dk.door.tick()
    bring(carried(dk), se)
    assert said.disclosures["title"] in bytes_on_disk(se)
    dk.outbox.put("withdraw", said.jti, 1, purge=True)
    dk.door.tick()
    assert bring(carried(dk, since=1), se).withdrawals == 1
    receipt = se.mirrors["dk"].cosigned()
    assert receipt and said.disclosures["title"] not in bytes_on_disk(se)
    assert said.disclosures["title"] not in carried(dk)
    channel = dk.door.reader("se")
    assert channel
    channel.cosign(receipt)
    assert dk.door.applied("se") == (2, 2)
    assert all(d.applied for d in dk.door.delivered(said.jti) if d.reader == "se")


def test_an_empty_channel_and_one_without_news(dk: Node, se: Node) -> None:
    assert bring(carried(dk), se) == Taken(0, 0, 0, 0, 0)
    assert se.mirrors["dk"].cosigned()
    speak(dk, 2)
    bring(carried(dk), se)
    assert bring(carried(dk, since=2), se) == Taken(2, 0, 0, 0, 0)
    with pytest.raises(InputError, match="2 entries, fewer than 3"):
        carried(dk, since=3)


def test_file_and_network_take_turns(dk: Node, se: Node) -> None:
    speak(dk, 4)
    bring(carried(dk), se)
    speak(dk, 3)
    pull(se, dk)
    speak(dk, 4)
    bring(carried(dk, since=5), se)
    by_net = twin(se, dk)
    pull(by_net, dk)
    assert held(se) == held(by_net)


# brought again


def test_the_same_file_again_changes_nothing(dk: Node, se: Node) -> None:
    history(dk)
    data = carried(dk)
    bring(data, se)
    before = rows(se)
    assert bring(data, se).entries == 0
    assert rows(se) == before and not before["refusal"]


@pytest.mark.parametrize(
    ("first", "since"), [(first, since) for since in (0, 1, 4) for first in range(since, 8)]
)
def test_what_is_held_is_passed_over(first: int, since: int, dk: Node, se: Node) -> None:
    speak(dk, first)
    bring(carried(dk), se)
    speak(dk, 9 - first)
    assert bring(carried(dk, since), se).entries == 9 - first
    by_net = twin(se, dk)
    pull(by_net, dk)
    assert held(se) == held(by_net) and not se.mirrors["dk"].problems()


def test_an_old_file_after_a_new_one(dk: Node, se: Node) -> None:
    speak(dk, 4)
    old = carried(dk)
    speak(dk, 4)
    bring(carried(dk), se)
    assert bring(old, se) == Taken(8, 0, 0, 0, 0)


def test_an_old_file_when_a_newer_was_begun(dk: Node, se: Node) -> None:
    speak(dk, 4)
    old = carried(dk)
    speak(dk, 4)
    new = carried(dk)
    with pytest.raises(InputError, match="cut short"):
        bring(new[: len(new) // 2], se)
    assert se.mirrors["dk"].size == 3
    with pytest.raises(InputError, match="made before another"):
        bring(old, se)
    assert bring(new, se).size == 8 and not se.mirrors["dk"].problems()


def test_an_old_file_of_nothing_new_when_a_newer_was_begun(dk: Node, se: Node) -> None:
    speak(dk, 3)
    old = carried(dk, since=3)
    speak(dk, 4)
    bring(file_of(batches_of(carried(dk))[:1]), se)
    assert bring(old, se) == Taken(3, 0, 0, 0, 0) and not se.mirrors["dk"].problems()


def test_a_gap_names_what_is_missing(dk: Node, se: Node) -> None:
    speak(dk)
    with pytest.raises(InputError, match="entries 0 to 4 of this channel are missing") as error:
        bring(carried(dk, since=5), se)
    assert "--since 0" in error.value.do
    assert se.mirrors["dk"].size == 0 and not se.mirrors["dk"].problems()  # nobody lied


def test_the_running_node_takes_the_same_entries_meanwhile(
    dk: Node, se: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(dk, 5)
    mirror = se.mirrors["dk"]
    running = se.follow(dk)
    channel, look = dk.door.reader("se"), mirror._holdings
    assert channel

    def late(batch: wire.Batch) -> Any:
        if running.size == 0:
            running.receive(channel.entries(0, 2))
        return look(batch)

    monkeypatch.setattr(mirror, "_holdings", late)
    assert take(batches_of(carried(dk)), mirror).size == 5
    assert not mirror.problems() and not running.problems()


def test_the_running_node_confirms_no_purge_that_another_process_left_on_disk(
    dk: Node, se: Node
) -> None:
    said = dk.say()
    dk.door.tick()
    bring(carried(dk), se)
    running = se.mirrors["dk"]
    assert running.cosigned()
    dk.outbox.put("withdraw", said.jti, 1, purge=True)
    dk.door.tick()
    se.follow(dk)  # the process that takes the file, and ends before it has emptied the log
    bring(carried(dk), se)
    assert said.disclosures["title"] in bytes_on_disk(se)
    assert running.cosigned() and said.disclosures["title"] not in bytes_on_disk(se)


# what the way did


def test_bytes_after_the_end(dk: Node, se: Node) -> None:
    speak(dk, 1)
    with pytest.raises(InputError, match="damaged"):
        bring(carried(dk) + b"\n", se)


def test_batches_in_another_order_or_left_out(dk: Node, se: Node) -> None:
    speak(dk)
    first, second, third = batches_of(carried(dk))
    data = carried(dk)
    at = data.index(first) - 36
    with pytest.raises(InputError, match="damaged"):  # cut out of the file, with its digest
        bring(data[:at] + data[at + 36 + len(first) :], se)
    with pytest.raises(InputError, match="entries 3 to 5 of this channel are missing"):
        bring(file_of([first, third, second]), se)
    assert se.mirrors["dk"].size == 3


def test_a_batch_over_the_limit_is_not_read(dk: Node, se: Node) -> None:
    class Endless(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None and 0 <= size <= limits.BATCH_BYTES
            return super().read(size)

    file = Endless(HEADER.line() + b"\xff" * 100)
    with pytest.raises(LimitError, match="4294967295 bytes"):
        take(read(file)[1], se.mirrors["dk"])


# what the partner, or somebody in its name, did


def test_a_file_for_somebody_else(dk: Node, se: Node) -> None:
    speak(dk, 2)
    batches = batches_of(carried(dk))
    theirs = Header("dk", "exercise", "fi")
    with pytest.raises(InputError, match="this file is for fi, and this node is se"):
        bring(file_of(batches, theirs), se)
    channel, file = dk.door.reader("fi"), BytesIO()
    assert channel
    export(channel, HEADER, 0, file)  # fi's entries under se's name
    with pytest.raises(Refused) as error:
        bring(file.getvalue(), se)
    assert error.value.reason == "forged-checkpoint" and se.mirrors["dk"].size == 0


def test_a_file_of_the_other_realm(dk: Node, se: Node) -> None:
    speak(dk, 2)
    header = Header("dk", "actual", "se")
    with pytest.raises(InputError, match="of the realm actual, not exercise"):
        bring(file_of(batches_of(carried(dk)), header), se)


def test_a_file_of_another_node_under_a_partners_name(dk: Node, se: Node, tmp_path: Path) -> None:
    (tmp_path / "liar").mkdir()
    liar = Node(tmp_path / "liar", "dk")  # its own keys
    liar.open_to([se, Node(tmp_path / "liar", "fi")])
    speak(liar, 2)
    with pytest.raises(Refused) as error:
        bring(carried(liar), se)
    assert error.value.reason == "forged-checkpoint"
    assert se.mirrors["dk"].problems()[0].reason == "forged-checkpoint"


@pytest.mark.parametrize("entries", [1, 3, 4, 5, 6, 9])
def test_a_fork_is_told_wherever_it_begins(entries: int, dk: Node, se: Node, tmp_path: Path) -> None:
    """Held: 4 entries. The other past has fewer, as many, or more; below, across and beyond them."""
    speak(dk, 4)
    bring(carried(dk), se)
    before = rows(se, "statement", "log", "mirror")
    (tmp_path / "other").mkdir()
    other = Node(tmp_path / "other", "dk", keys=dk.keys)
    other.open_to([se, Node(tmp_path / "other", "fi")])
    speak(other, entries)
    for since in range(min(entries, 4) + 1):
        with pytest.raises(Refused) as error:
            bring(carried(other, since), se)
        assert error.value.reason == "forked-log"
        assert {"checkpoint-held", "checkpoint-received"} <= error.value.evidence.keys()
    assert rows(se, "statement", "log", "mirror") == before
    assert {p.reason for p in se.mirrors["dk"].problems()} == {"forked-log"}


def other_past(dk: Node, se: Node, shared: int) -> Node:
    """dk as it would be had it gone another way after so many entries of its own."""
    folder = dk.path.parent / "other"
    folder.mkdir()
    speak(dk, shared)
    assert dk.db.checkpoint()
    shutil.copy(dk.path, folder / dk.path.name)
    other = Node(folder, "dk", keys=dk.keys, clock=dk.clock)
    other.open_to([se, Node(folder, "fi")])
    return other


@pytest.mark.parametrize(
    ("shared", "size", "since"),
    [
        (5, 15, 5),  # across what is held, short of the head that was seen: only the entries tell
        (6, 15, 5),  # what is held is the same; the head that was seen is passed by
        (3, 5, 0),  # the entries are the same, the head is of another past
    ],
)
def test_a_fork_within_a_file_that_was_begun(
    shared: int, size: int, since: int, dk: Node, se: Node
) -> None:
    other = other_past(dk, se, shared)
    speak(dk, 8 - shared if shared == 6 else 12 - shared)
    speak(other, size - shared)
    bring(file_of(batches_of(carried(dk))[:2]), se)
    assert se.mirrors["dk"].size == 6
    before = rows(se, "statement", "log", "mirror")
    with pytest.raises(Refused) as error:
        bring(file_of(batches_of(carried(other, since))[:1]), se)
    assert error.value.reason == "forked-log"
    assert rows(se, "statement", "log", "mirror") == before


def test_a_batch_that_lies_about_what_is_held(dk: Node, se: Node) -> None:
    """Its entries beyond what is held are true; the ones before are not."""
    speak(dk, 2)
    bring(carried(dk), se)
    speak(dk, 1)
    (data,) = batches_of(carried(dk))
    batch = wire.decode(data)
    batch.entries[0], batch.entries[1] = batch.entries[1], batch.entries[0]
    with pytest.raises(Refused) as error:
        bring(file_of([wire.encode(batch)]), se)
    assert error.value.reason == "altered-entry" and se.mirrors["dk"].size == 2


def test_over_the_network_a_replay_stays_an_attack(dk: Node, se: Node) -> None:
    speak(dk, 2)
    (data,) = batches_of(carried(dk))
    se.mirrors["dk"].receive(data)
    with pytest.raises(Refused) as error:
        se.mirrors["dk"].receive(data)
    assert error.value.reason == "replayed-entry"
