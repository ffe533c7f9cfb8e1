"""A partner's node that lies, attack by attack: refused with its reason, the old state stays.

The attacker here has dk's own keys (or is dk): what is tested is what keys cannot make true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from samsyn.base import limits
from samsyn.base.encoding import b64url
from samsyn.base.errors import Refused
from samsyn.channels import Mirror, reason_texts
from samsyn.channels import batch as wire
from samsyn.channels.batch import Batch, Entry
from samsyn.channels.leaf import release_leaf, withdraw_leaf
from samsyn.channels.names import channel_origin
from samsyn.channels.refusals import REASONS
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.statements.sign import sign
from samsyn.statements.statement import Statement, view_hash
from tests.channels.nodes import Node, bytes_on_disk, draft, new_keys, pull

Said = tuple[bytes, bytes | None]  # leaf and view, as a liar may pair them


class Liar(Node):
    """dk's node gone bad: writes whatever it likes into fi's channel, and proves it correctly."""

    def says(self, entries: Sequence[Said], after: int | None = None) -> bytes:
        """Append the leaves to fi's log and give an encoded batch of the entries from `after` on."""
        origin = channel_origin(self.name, "exercise", "fi")
        before = self.logs.size(origin)
        size = self.logs.append(origin, [(leaf, b"") for leaf, _ in entries])
        note = sign_checkpoint(origin, size, self.logs.root(origin), self.keys.log)
        self.logs.set_checkpoint(origin, note)
        start = before if after is None else after
        return wire.encode(
            Batch(
                checkpoint=note.decode(),
                after=start,
                entries=[Entry(leaf.decode(), view and view.decode()) for leaf, view in entries],
                known=wire.hashes_to_text(self.logs.consistency(origin, start, size)),
                given=wire.hashes_to_text(self.logs.consistency(origin, start + len(entries), size)),
            )
        )

    def signed(self, exercise: bool = True, jti: str | None = None, ver: int = 1) -> Statement:
        said = draft(exercise=exercise)
        return sign(said, iss="dk", key=self.keys.statement, jti=jti, ver=ver)


def released(said: Statement, view: bytes | None = None) -> Said:
    """The entry of a whole view, or of `view`."""
    shown = said.present() if view is None else view
    return release_leaf(said.jti, said.ver, view_hash(shown)), shown


@pytest.fixture
def dk(tmp_path: Path) -> Liar:
    (tmp_path / "dk").mkdir()
    return Liar(tmp_path / "dk", "dk")


@pytest.fixture
def fi(tmp_path: Path, dk: Liar) -> Node:
    (tmp_path / "fi").mkdir()
    node = Node(tmp_path / "fi", "fi")
    node.follow(dk)
    return node


@pytest.fixture
def mirror(dk: Liar, fi: Node) -> Mirror:
    """fi's mirror of dk, which holds one honest statement."""
    mirror = fi.mirrors["dk"]
    mirror.receive(dk.says([released(dk.signed())]))
    return mirror


def refused(mirror: Mirror, data: bytes) -> Refused:
    """Hand it over: it must be refused, nothing changed, and the refusal kept with its words."""
    fi = mirror._statements
    before, note = (mirror.size, [s.jti for s in fi.page()]), mirror.cosigned()
    with pytest.raises(Refused) as error:
        mirror.receive(data)
    assert (mirror.size, [s.jti for s in fi.page()]) == before and mirror.cosigned() == note
    problem = mirror.problems()[0]
    assert problem.reason == error.value.reason
    assert problem.evidence and error.value.reason in REASONS
    assert all(reason_texts(problem.reason)) and problem.en != problem.sv
    return error.value


def altered(data: bytes, change: Callable[[Batch], Batch]) -> bytes:
    return wire.encode(change(wire.decode(data)))


def test_forged_signature(dk: Liar, mirror: Mirror) -> None:
    other = sign(draft(), iss="dk", key=new_keys().statement)
    assert refused(mirror, dk.says([released(other)])).reason == "forged-signature"


def test_forged_signature_with_the_right_key_named(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    head, _, tail = said.present().partition(b"~")
    wrong = head[:-6] + (b"AAAAAA" if head[-6:] != b"AAAAAA" else b"BBBBBA") + b"~" + tail
    assert refused(mirror, dk.says([released(said, wrong)])).reason in ("forged-signature", "malformed")


def test_altered_disclosure(dk: Liar, mirror: Mirror) -> None:
    said, other = dk.signed(), dk.signed()
    swapped = said.present(["title"])[: -len(said.disclosures["title"]) - 1]
    swapped += other.disclosures["title"] + b"~"
    assert refused(mirror, dk.says([released(said, swapped)])).reason == "altered-disclosure"


def test_unknown_originator(dk: Liar, fi: Node, mirror: Mirror) -> None:
    """Whose word it is cannot be checked: it is not shown, and the rest of the channel goes on."""
    other, own = sign(draft(), iss="no", key=dk.keys.statement), dk.signed()
    mirror.receive(dk.says([released(other), released(own)]))
    assert fi.statements.get(other.jti) is None and fi.statements.get(own.jti)
    assert [p.reason for p in mirror.set_aside()] == ["unknown-originator"]


def test_replayed_entry_as_an_old_batch(dk: Liar, fi: Node) -> None:
    mirror = fi.mirrors["dk"]
    data = dk.says([released(dk.signed())])
    mirror.receive(data)
    assert refused(mirror, data).reason == "replayed-entry"
    assert refused(mirror, data).reason == "replayed-entry"
    assert [p.count for p in mirror.problems()] == [2]


def test_replayed_entry_as_a_new_one(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    mirror.receive(dk.says([released(said)]))
    assert refused(mirror, dk.says([released(said)])).reason == "replayed-entry"


def test_replayed_older_version(dk: Liar, mirror: Mirror) -> None:
    new = dk.signed(ver=2)
    mirror.receive(dk.says([released(new)]))
    old = dk.signed(jti=new.jti, ver=1)
    assert refused(mirror, dk.says([released(old)])).reason == "replayed-entry"


def test_missing_entries(dk: Liar, mirror: Mirror) -> None:
    dk.says([released(dk.signed())])
    assert refused(mirror, dk.says([released(dk.signed())])).reason == "missing-entries"


def test_forked_log(tmp_path: Path, dk: Liar, mirror: Mirror) -> None:
    (tmp_path / "fork").mkdir()
    fork = Liar(tmp_path / "fork", "dk", keys=dk.keys)
    fork.says([released(fork.signed())])  # another first entry than fi was shown
    error = refused(mirror, fork.says([released(fork.signed())]))
    assert error.reason == "forked-log"
    assert {"checkpoint-held", "checkpoint-received"} <= mirror.problems()[0].evidence.keys()


def test_forked_log_of_the_same_size(tmp_path: Path, dk: Liar, mirror: Mirror) -> None:
    (tmp_path / "fork").mkdir()
    fork = Liar(tmp_path / "fork", "dk", keys=dk.keys)
    fork.says([released(fork.signed())])
    assert refused(mirror, fork.says([], after=1)).reason == "forked-log"


def test_forked_log_ahead_of_what_was_applied(tmp_path: Path, dk: Liar, fi: Node) -> None:
    """A head shown with a first part of its entries binds what comes after, though not yet applied."""
    mirror = fi.mirrors["dk"]
    shared = [released(dk.signed()) for _ in range(2)]
    (tmp_path / "fork").mkdir()
    fork = Liar(tmp_path / "fork", "dk", keys=dk.keys)
    fork.says(shared)
    whole = dk.says([*shared, released(dk.signed())])
    origin = channel_origin("dk", "exercise", "fi")
    given = wire.hashes_to_text(dk.logs.consistency(origin, 2, 3))

    def first_two(batch: Batch) -> Batch:
        return Batch(batch.checkpoint, 0, batch.entries[:2], [], given)

    assert mirror.receive(altered(whole, first_two)).behind == 1
    assert mirror.cosigned() is None  # nothing is confirmed before the head is reached
    data = fork.says([released(fork.signed()), released(fork.signed())])
    assert refused(mirror, data).reason == "forked-log"


def test_shrunk_log(tmp_path: Path, dk: Liar, mirror: Mirror) -> None:
    mirror.receive(dk.says([released(dk.signed())]))
    (tmp_path / "short").mkdir()
    short = Liar(tmp_path / "short", "dk", keys=dk.keys)
    error = refused(mirror, altered(short.says([]), lambda b: Batch(b.checkpoint, 2, [], [], [])))
    assert error.reason == "shrunk-log"
    assert {"checkpoint-held", "checkpoint-received"} <= mirror.problems()[0].evidence.keys()


def test_forged_checkpoint(dk: Liar, mirror: Mirror) -> None:
    data = dk.says([released(dk.signed())])
    origin = channel_origin("dk", "exercise", "fi")
    forged = sign_checkpoint(origin, 2, dk.logs.root(origin), new_keys().log).decode()
    change = lambda b: Batch(forged, b.after, b.entries, b.known, b.given)  # noqa: E731
    assert refused(mirror, altered(data, change)).reason == "forged-checkpoint"
    for name in (("dk", "exercise", "se"), ("dk", "actual", "fi")):  # of another channel or realm
        other = sign_checkpoint(channel_origin(*name), 2, dk.logs.root(origin), dk.keys.log).decode()
        swapped = altered(data, lambda b, o=other: Batch(o, b.after, b.entries, b.known, b.given))
        assert refused(mirror, swapped).reason == "forged-checkpoint"


def test_oversized_batch(dk: Liar, mirror: Mirror) -> None:
    assert refused(mirror, b" " * (limits.BATCH_BYTES + 1)).reason == "oversized-batch"
    many = [released(dk.signed())] * (limits.BATCH_ENTRIES + 1)
    assert refused(mirror, dk.says(many)).reason == "oversized-batch"


def test_oversized_statement_and_entry(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    view = said.jwt + b"~" + b"A" * limits.STATEMENT_BYTES + b"~"
    assert refused(mirror, dk.says([released(said, view)])).reason == "oversized-statement"


def test_oversized_entry(dk: Liar, mirror: Mirror) -> None:
    leaf, view = released(dk.signed())
    assert (
        refused(mirror, dk.says([(leaf + b" " * limits.LEAF_BYTES, view)])).reason == "malformed-entry"
    )


def test_equivocation(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    mirror.receive(dk.says([released(said)]))
    twin = sign(draft(title="Another"), iss="dk", key=dk.keys.statement, jti=said.jti)
    error = refused(mirror, dk.says([released(twin)]))
    assert error.reason == "equivocation"
    kept = mirror.problems()[0].evidence
    assert kept["held"] == said.present() and kept["received"] == twin.present()


def test_equivocation_within_one_batch(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    twin = sign(draft(title="Another"), iss="dk", key=dk.keys.statement, jti=said.jti)
    assert refused(mirror, dk.says([released(said), released(twin)])).reason == "equivocation"


def test_version_by_another_originator(tmp_path: Path, dk: Liar, fi: Node, mirror: Mirror) -> None:
    ours = fi.say()
    version = dk.signed(jti=ours.jti, ver=2)
    assert refused(mirror, dk.says([released(version)])).reason == "version-by-another-originator"


def test_version_of_a_third_ones_statement(tmp_path: Path, dk: Liar, fi: Node, mirror: Mirror) -> None:
    """Who used an id first cannot be known here, so the second is no reason to refuse a channel: else
    whoever knows an id could use it first and cut off its true originator."""
    theirs = Node(tmp_path, "se").say()
    fi.statements.put(theirs, "se", fi.clock.now_us())
    version = dk.signed(jti=theirs.jti, ver=2)
    mirror.receive(dk.says([released(version)]))
    held = fi.statements.versions(theirs.jti)
    assert [(s.iss, s.ver, s.state) for s in held] == [("se", 1, "standing")]
    (told,) = mirror.set_aside()
    assert told.reason == "id-of-another"
    assert told.evidence == {"held": theirs.present(), "received": version.present()}


def test_withdrawal_by_another_originator(tmp_path: Path, dk: Liar, fi: Node, mirror: Mirror) -> None:
    ours, theirs = fi.say(), Node(tmp_path, "se").say()
    fi.statements.put(theirs, "se", fi.clock.now_us())
    mirror.receive(dk.says([(withdraw_leaf(theirs.jti, 1, True), None)]))  # it passed nothing on
    assert fi.statements.get(theirs.jti).state == "standing"  # type: ignore[union-attr]
    data = dk.says([(withdraw_leaf(ours.jti, 1, True), None)])
    assert refused(mirror, data).reason == "version-by-another-originator"
    assert not fi.statements.get(theirs.jti).purged  # type: ignore[union-attr]


def test_withdrawn_but_kept(tmp_path: Path, dk: Liar, fi: Node) -> None:
    """A cosignature says purged: before the bytes are gone from the disk it must not be given."""
    mirror = fi.mirrors["dk"]
    said = dk.signed()
    mirror.receive(dk.says([released(said)]))
    refused(mirror, dk.says([released(said), released(dk.signed())]))  # kept as evidence, body and all
    assert said.disclosures["title"] in bytes_on_disk(fi)
    (tmp_path / "honest").mkdir()
    honest = Liar(tmp_path / "honest", "dk", keys=dk.keys)
    honest.says([released(said)])
    reading = fi.db._connect()  # someone in the middle of reading keeps the old pages alive
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM statement").fetchone()
    fi.db._writer.execute("PRAGMA busy_timeout=1")
    mirror.receive(honest.says([(withdraw_leaf(said.jti, 1, True), None)]))
    assert mirror.cosigned() is None
    reading.close()
    assert mirror.cosigned() is not None
    assert said.disclosures["title"] not in bytes_on_disk(fi)
    assert mirror.problems()[0].evidence == {}


def test_released_after_its_withdrawal(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    mirror.receive(dk.says([released(said), (withdraw_leaf(said.jti, 1, False), None)]))
    again = dk.signed(jti=said.jti, ver=2)
    assert refused(mirror, dk.says([released(again)])).reason == "released-after-withdrawal"


def test_purged_but_sent_again(dk: Liar, fi: Node, mirror: Mirror) -> None:
    """What was purged must not come back as evidence of its being sent once more."""
    said = dk.signed()
    once = dk.says([released(said)])
    mirror.receive(once)
    mirror.receive(dk.says([(withdraw_leaf(said.jti, 1, True), None)]))
    assert mirror.cosigned() is not None and said.disclosures["title"] not in bytes_on_disk(fi)
    assert refused(mirror, once).reason == "replayed-entry"
    assert said.disclosures["title"] not in bytes_on_disk(fi)
    assert mirror.problems()[0].evidence.keys() == {"batch-sha256"}


def test_a_purge_that_would_wipe_the_evidence_of_a_fork(tmp_path: Path, dk: Liar, fi: Node) -> None:
    mirror = fi.mirrors["dk"]
    said = dk.signed()
    mirror.receive(dk.says([released(said)]))
    (tmp_path / "other").mkdir()
    other = Liar(tmp_path / "other", "dk", keys=dk.keys)
    other.says([released(dk.signed())])
    assert refused(mirror, other.says([released(said)])).reason == "forked-log"
    mirror.receive(dk.says([(withdraw_leaf(said.jti, 1, True), None)]))
    assert mirror.problems()[0].evidence.keys() == {"checkpoint-held", "checkpoint-received"}


def test_released_after_a_purge_that_came_before_it_was_read(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    leaf, _ = released(said)
    mirror.receive(dk.says([(leaf, None), (withdraw_leaf(said.jti, 1, True), None)]))
    again = dk.signed(jti=said.jti, ver=2)
    assert refused(mirror, dk.says([released(again)])).reason == "released-after-withdrawal"


@pytest.mark.parametrize("realm", ["exercise", "actual"])
def test_exercise_marked_as_actual(dk: Liar, mirror: Mirror, realm: str) -> None:
    mirror._realm = realm  # type: ignore[assignment]  # the same channel name, to reach the check
    said = dk.signed(exercise=realm == "actual")
    assert refused(mirror, dk.says([released(said)])).reason == "exercise-marked-as-actual"


def test_reordered_entries(dk: Liar, mirror: Mirror) -> None:
    data = dk.says([released(dk.signed()), released(dk.signed())])
    turned = altered(data, lambda b: Batch(b.checkpoint, b.after, b.entries[::-1], b.known, b.given))
    assert refused(mirror, turned).reason == "altered-entry"


def test_entry_left_out(dk: Liar, mirror: Mirror) -> None:
    data = dk.says([released(dk.signed()), released(dk.signed())])
    fewer = altered(data, lambda b: Batch(b.checkpoint, b.after, b.entries[1:], b.known, b.given))
    assert refused(mirror, fewer).reason == "altered-entry"


def test_entry_whose_view_hash_differs(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    leaf, _ = released(said)
    narrower = said.present(["title"])
    assert refused(mirror, dk.says([(leaf, narrower)])).reason == "altered-entry"


def test_entry_that_names_another_statement(dk: Liar, mirror: Mirror) -> None:
    said, other = dk.signed(), dk.signed()
    leaf = release_leaf(other.jti, 1, view_hash(said.present()))
    assert refused(mirror, dk.says([(leaf, said.present())])).reason == "altered-entry"


def test_null_view_without_a_withdrawal(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    assert refused(mirror, dk.says([(released(said)[0], None)])).reason == "missing-view"


def test_null_view_with_a_withdrawal_that_orders_no_purge(
    tmp_path: Path, dk: Liar, mirror: Mirror
) -> None:
    said = dk.signed()
    entries: list[Said] = [(released(said)[0], None), (withdraw_leaf(said.jti, 1, False), None)]
    assert refused(mirror, dk.says(entries)).reason == "missing-view"


def test_null_view_with_an_invented_purge(dk: Liar, mirror: Mirror) -> None:
    said = dk.signed()
    data = dk.says([(released(said)[0], None)])
    shown = wire.Shown(2, withdraw_leaf(said.jti, 1, True).decode(), [b64url(b"x" * 32)])
    lie = altered(data, lambda b: Batch(b.checkpoint, b.after, b.entries, b.known, b.given, [shown]))
    assert refused(mirror, lie).reason == "missing-view"


def test_unknown_operation(dk: Liar, mirror: Mirror) -> None:
    leaf = b'{"op":"execute","id":"3","ver":1}'
    assert refused(mirror, dk.says([(leaf, None)])).reason == "unknown-operation"


@pytest.mark.parametrize(
    "leaf",
    [
        b"not json",
        b"[]",
        b'{"op":"withdraw"}',
        b'{"op":"withdraw","id":"x","ver":1,"purge":true}',
        b'{"op":"withdraw", "id":"9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11","ver":1,"purge":true}',
        b'{"op":"withdraw","id":"9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11","ver":0,"purge":true}',
        b'{"op":"release","id":"9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11","ver":1,"view":"AA"}',
        b'{"op":"withdraw","id":"9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11","ver":1,"purge":true,"x":1}',
        b'{"op":"withdraw","op":"withdraw","id":"9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11","ver":1,"purge":true}',
    ],
)
def test_malformed_entry(dk: Liar, mirror: Mirror, leaf: bytes) -> None:
    assert refused(mirror, dk.says([(leaf, None)])).reason == "malformed-entry"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"checkpoint":"\\ud800","after":0}',
        b'{"after":-1}',
        b"null",
    ],
)
def test_malformed_batch(mirror: Mirror, data: bytes) -> None:
    assert refused(mirror, data).reason == "malformed-batch"


def test_malformed_slot(dk: Liar, mirror: Mirror) -> None:
    bad = draft()
    bad.slots["title"] = {"html": "<script>"}
    said = sign(bad, iss="dk", key=dk.keys.statement)
    assert refused(mirror, dk.says([released(said)])).reason == "malformed-slot"


def test_after_any_attack_the_honest_channel_goes_on(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    dk, fi = Node(tmp_path / "a", "dk"), Node(tmp_path / "b", "fi")
    dk.open_to([fi, Node(tmp_path, "se")])
    fi.follow(dk)
    said = dk.say()
    dk.door.tick()
    liar = Liar(tmp_path, "dk", keys=dk.keys)
    refused(fi.mirrors["dk"], liar.says([(released(liar.signed())[0], None)]))
    pull(fi, dk)
    assert fi.statements.get(said.jti) is not None


def test_a_cosignature_that_is_not_the_readers_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    dk, fi = Node(tmp_path / "a", "dk"), Node(tmp_path / "b", "fi")
    se = Node(tmp_path, "se")
    dk.open_to([fi, se])
    fi.follow(dk)
    se.follow(dk)
    dk.say()
    dk.door.tick()
    pull(se, dk)
    theirs = se.mirrors["dk"].cosigned()
    channel = dk.door.reader("fi")
    assert channel and theirs
    liar = Liar(tmp_path, "dk", keys=new_keys())
    for note in (theirs, channel.checkpoint(), b"", b"\xff", liar.says([])):
        with pytest.raises(Refused) as error:
            channel.cosign(note)
        assert error.value.reason == "forged-cosignature"
    assert dk.door.applied("fi") == (1, 0) and dk.door.applied("se") == (1, 1)
