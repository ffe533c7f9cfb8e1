"""Evidence for third parties: what a liar has done is proved, and no forgery speaks against the honest.

The judge holds nothing but the card of whom it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.encoding import b64url
from samsyn.base.errors import InputError, Refused
from samsyn.channels import batch as wire
from samsyn.channels.accuse import evidence_of
from samsyn.channels.evidence import (
    Accused,
    Equivocation,
    Evidence,
    Fork,
    Other,
    Released,
    ShownEntry,
    decode,
    encode,
    judge,
    step,
)
from samsyn.channels.leaf import withdraw_leaf
from samsyn.channels.names import channel_origin
from samsyn.log import merkle
from samsyn.log.checkpoint import parse_checkpoint, sign_checkpoint
from samsyn.log.note import parse_note
from samsyn.log.store import LogStore
from samsyn.log.witness import cosign
from samsyn.statements.sign import sign
from tests.attacks.test_channel_attacks import Liar, released
from tests.channels.nodes import Node, draft, new_keys

TO_FI = channel_origin("dk", "exercise", "fi")


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


def accused(node: Node) -> Accused:
    return Accused(node.name, node.keys.statement.public_key(), node.keys.log.public_key())


def judged(evidence: Evidence, node: Node) -> str:
    """As a third party does: from bytes, with what stands on the card."""
    return judge(decode(encode(evidence), "file"), accused(node)).outcome


def refusal(fi: Node, data: bytes) -> Evidence:
    """Evidence of what fi refuses now."""
    mirror = fi.mirrors["dk"]
    with pytest.raises(Refused):
        mirror.receive(data)
    return evidence_of(mirror.problems()[0], TO_FI, fi.logs)


def leaves(count: int, word: str = "a") -> list[bytes]:
    return [f"{word}{n}".encode() for n in range(count)]


def tree(hashes: list[bytes]) -> merkle.RangeHash:
    return lambda begin, end: merkle.root_of(hashes[begin:end])


def head(node: Node, entries: list[bytes], origin: str = TO_FI) -> str:
    root = merkle.root_of([merkle.leaf_hash(leaf) for leaf in entries])
    return sign_checkpoint(origin, len(entries), root, node.keys.log).decode()


def fork(node: Node, small: list[bytes], large: list[bytes], shown: list[bytes] | None = None) -> Fork:
    """Two heads; `shown`: the past of the larger one as its proof shows it."""
    hashes = [merkle.leaf_hash(leaf) for leaf in (large if shown is None else shown)]
    path = []
    if 0 < len(small) < len(large):
        proof = merkle.consistency(len(small), len(large), tree(hashes))
        path = [step(len(small), merkle.root_of(hashes[: len(small)]), proof)]
    heads = head(node, small), head(node, large)
    return Fork(of=node.name, origin=TO_FI, checkpoints=heads, path=path)


# what a liar did is proved


def test_equivocation(dk: Liar, fi: Node) -> None:
    one, other = dk.signed(), dk.signed()
    twin = sign(draft(title="Other"), iss="dk", key=dk.keys.statement, jti=one.jti)
    fi.mirrors["dk"].receive(dk.says([released(one), released(other)]))
    made = refusal(fi, dk.says([released(twin)]))
    assert isinstance(made, Equivocation) and judged(made, dk) == "proved"
    bare = [s.partition("~")[0] + "~" for s in made.statements]  # nothing of them needs to be told
    hidden = msgspec.structs.replace(made, statements=(bare[0], bare[1]))
    assert judged(hidden, dk) == "proved"


def test_fork_at_one_size(dk: Liar, fi: Node) -> None:
    fi.mirrors["dk"].receive(dk.says([released(dk.signed())]))
    dk.logs = LogStore(dk.db)
    with dk.db.write() as db:
        for table in ("log", "log_bundle", "log_tile"):
            db.execute(f"DELETE FROM {table}")
    data = dk.says([released(dk.signed())])
    batch = wire.decode(data)
    again = msgspec.structs.replace(batch, after=1, entries=[], known=[], given=[])
    made = refusal(fi, wire.encode(again))
    assert isinstance(made, Fork) and judged(made, dk) == "proved"


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_fork_below_what_is_held(dk: Liar, fi: Node, size: int) -> None:
    """A shorter head that its longer one does not continue: our own log has the proof."""
    fi.mirrors["dk"].receive(dk.says([released(dk.signed()) for _ in range(7)]))
    other = head(dk, leaves(size, "other"))
    past = wire.Batch(checkpoint=other, after=7, entries=[], known=[], given=[])
    made = refusal(fi, wire.encode(past))
    assert isinstance(made, Fork) and judged(made, dk) == "proved"


def test_fork_above_what_is_held(dk: Liar, fi: Node) -> None:
    """fi has seen a head of 4 and holds 2 entries; then the log shows another past at 4."""
    mirror = fi.mirrors["dk"]
    said = [released(dk.signed()) for _ in range(6)]
    whole = dk.says(said[:4])
    part = wire.decode(whole)
    proof = wire.hashes_to_text(dk.logs.consistency(TO_FI, 2, 4))
    first = msgspec.structs.replace(part, entries=part.entries[:2], given=proof)
    assert mirror.receive(wire.encode(first)).behind == 2
    with dk.db.write() as db:
        for table in ("log", "log_bundle", "log_tile"):
            db.execute(f"DELETE FROM {table}")
    dk.says([*said[:2], released(dk.signed())])
    for more in (said[4], said[5]):
        dk.says([more])
    held = dk.logs.entries(TO_FI, 0, 5)
    checkpoint = dk.logs.checkpoint(TO_FI)
    assert checkpoint is not None and len(held) == 5
    by_id = {s[0]: s[1] for s in said}
    entries = [
        wire.Entry(leaf.decode(), (by_id.get(leaf) or b"").decode() or None) for leaf, _ in held[2:]
    ]
    other = wire.Batch(
        checkpoint=checkpoint.decode(),
        after=2,
        entries=entries,
        known=wire.hashes_to_text(dk.logs.consistency(TO_FI, 2, 5)),
        given=[],
    )
    made = refusal(fi, wire.encode(other))
    assert isinstance(made, Fork) and made.path and judged(made, dk) == "proved"


# nothing speaks against the honest


@given(st.integers(0, 40), st.integers(0, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_no_two_heads_of_an_honest_log_prove_anything(a: int, b: int, data: st.DataObject) -> None:
    """Whatever proof is put beside them: right, of another log, cut, doubled or noise."""
    small, large = sorted((a, b))
    node = Honest()
    entries = leaves(large)
    shown = data.draw(st.sampled_from([entries, leaves(large, "x"), entries[:small] + leaves(large)]))
    made = fork(node, entries[:small], entries, shown[:large])  # type: ignore[arg-type]
    noise = st.lists(st.binary(min_size=32, max_size=32), max_size=6)
    if made.path and data.draw(st.booleans()):
        root = data.draw(st.binary(min_size=32, max_size=32))
        made = msgspec.structs.replace(made, path=[step(small, root, data.draw(noise))])
    if made.path and data.draw(st.booleans()):
        made = msgspec.structs.replace(made, path=[*made.path, *made.path])
    assert judge(made, node.accused).outcome != "proved"


class Honest:
    """A node that only ever signs heads of one log."""

    name = "dk"

    def __init__(self) -> None:
        self.keys = new_keys()
        public = self.keys.statement.public_key(), self.keys.log.public_key()
        self.accused = Accused("dk", *public)


def altered_checkpoint(dk: Node) -> Evidence:
    made = fork(dk, leaves(3), leaves(3))
    text = made.checkpoints[1].replace("\n3\n", "\n4\n")
    return msgspec.structs.replace(made, checkpoints=(made.checkpoints[0], text))


def altered_root(dk: Node) -> Evidence:
    made = fork(dk, leaves(3), leaves(3))
    one, other = made.checkpoints[1], head(dk, leaves(3, "b"))
    text = one.replace(one.split("\n")[2], other.split("\n")[2])
    return msgspec.structs.replace(made, checkpoints=(made.checkpoints[0], text))


def checkpoint_of_another_channel(dk: Node) -> Evidence:
    """One key signs all of a node's channels: that two of them differ is no fork."""
    heads = head(dk, leaves(3)), head(dk, leaves(3, "b"), channel_origin("dk", "exercise", "se"))
    return Fork(of="dk", origin=TO_FI, checkpoints=heads)


def checkpoint_of_the_other_realm(dk: Node) -> Evidence:
    heads = head(dk, leaves(3)), head(dk, leaves(3, "b"), channel_origin("dk", "actual", "fi"))
    return Fork(of="dk", origin=TO_FI, checkpoints=heads)


def checkpoint_by_another_key(dk: Node) -> Evidence:
    root = merkle.root_of([b"x" * 32])
    other = sign_checkpoint(TO_FI, 1, root, Ed25519PrivateKey.generate()).decode()
    return Fork(of="dk", origin=TO_FI, checkpoints=(head(dk, leaves(1)), other))


def cosignature_taken_for_a_head(dk: Node) -> Evidence:
    """dk's log key has cosigned another node's channel: that is no head of dk's own."""
    theirs = new_keys().log
    origin = channel_origin("fi", "exercise", "dk")
    note = sign_checkpoint(origin, 1, merkle.root_of([b"x" * 32]), theirs)
    signed = cosign(note, "samsyn.dk", dk.keys.log, 1).decode()
    return Fork(of="dk", origin=origin, checkpoints=(signed, signed))


def heads_of_a_log_that_is_not_theirs(dk: Node) -> Evidence:
    origin = channel_origin("fi", "exercise", "dk")
    heads = head(dk, leaves(3), origin), head(dk, leaves(3, "b"), origin)
    return Fork(of="dk", origin=origin, checkpoints=heads)


def same_checkpoint_twice(dk: Node) -> Evidence:
    return fork(dk, leaves(3), leaves(3))


def two_honest_heads(dk: Node) -> Evidence:
    """A shrunk log alone: an old head shown again."""
    return msgspec.structs.replace(fork(dk, leaves(3), leaves(5)), path=[])


def two_honest_heads_with_their_proof(dk: Node) -> Evidence:
    return fork(dk, leaves(3), leaves(5))


def proof_of_another_log(dk: Node) -> Evidence:
    return fork(dk, leaves(3), leaves(5), leaves(5, "b"))


def heads_in_the_wrong_order(dk: Node) -> Evidence:
    made = fork(dk, leaves(3), leaves(5))
    return msgspec.structs.replace(made, checkpoints=made.checkpoints[::-1])


def same_statement_twice(dk: Node) -> Evidence:
    said = sign(draft(), iss="dk", key=dk.keys.statement)
    views = said.present().decode(), said.present(["title"]).decode()
    return Equivocation(of="dk", statements=views)


def two_versions(dk: Node) -> Evidence:
    one = sign(draft(), iss="dk", key=dk.keys.statement)
    two = sign(draft(), iss="dk", key=dk.keys.statement, jti=one.jti, ver=2)
    return Equivocation(of="dk", statements=(one.present().decode(), two.present().decode()))


def statement_by_another_key(dk: Node) -> Evidence:
    one = sign(draft(), iss="dk", key=dk.keys.statement)
    two = sign(draft(), iss="dk", key=new_keys().statement, jti=one.jti)
    return Equivocation(of="dk", statements=(one.present().decode(), two.present().decode()))


def statement_with_an_altered_signature(dk: Node) -> Evidence:
    one = sign(draft(), iss="dk", key=dk.keys.statement)
    two = sign(draft(), iss="dk", key=dk.keys.statement, jti=one.jti, ver=2)
    a, b = one.jwt.decode().split("."), two.jwt.decode().split(".")
    return Equivocation(of="dk", statements=(one.present().decode(), ".".join([*b[:2], a[2]]) + "~"))


def statements_of_somebody_else(dk: Node) -> Evidence:
    other = new_keys().statement
    one = sign(draft(), iss="se", key=other)
    two = sign(draft(title="Other"), iss="se", key=other, jti=one.jti)
    return Equivocation(of="dk", statements=(one.present().decode(), two.present().decode()))


def noise(dk: Node) -> Evidence:
    return Other(of="dk", reason="malformed-batch")


def about_somebody_else(dk: Node) -> Evidence:
    made = fork(dk, leaves(3), leaves(3, "b"))
    return msgspec.structs.replace(made, of="se")


@pytest.mark.parametrize(
    ("forged", "outcome"),
    [
        (altered_checkpoint, "false"),
        (altered_root, "false"),
        (checkpoint_of_another_channel, "false"),
        (checkpoint_of_the_other_realm, "false"),
        (checkpoint_by_another_key, "false"),
        (cosignature_taken_for_a_head, "false"),
        (heads_of_a_log_that_is_not_theirs, "false"),
        (proof_of_another_log, "false"),
        (heads_in_the_wrong_order, "false"),
        (statement_by_another_key, "false"),
        (statement_with_an_altered_signature, "false"),
        (statements_of_somebody_else, "false"),
        (about_somebody_else, "false"),
        (same_checkpoint_twice, "nothing"),
        (two_honest_heads, "nothing"),
        (two_honest_heads_with_their_proof, "nothing"),
        (same_statement_twice, "nothing"),
        (two_versions, "nothing"),
        (noise, "nothing"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_forged_evidence_against_an_honest_partner(
    forged: Callable[[Node], Evidence], outcome: str, dk: Liar
) -> None:
    assert judged(forged(dk), dk) == outcome


def test_the_same_against_a_liar_is_proved(dk: Liar) -> None:
    """The forgeries above fail for what they are, not because nothing would ever be proved."""
    assert judged(fork(dk, leaves(3), leaves(3, "b")), dk) == "proved"
    assert judged(fork(dk, leaves(3, "b"), leaves(5), leaves(5)), dk) == "proved"


def entry(index: int, entries: list[bytes], size: int | None = None) -> ShownEntry:
    hashes = [merkle.leaf_hash(leaf) for leaf in entries]
    proof = merkle.inclusion(index, size or len(entries), tree(hashes))
    return ShownEntry(index, entries[index].decode(), [b64url(h) for h in proof])


def test_an_entry_that_is_not_in_the_channel_is_not_shown_to_be(dk: Liar) -> None:
    ids = [dk.signed().jti for _ in range(5)]
    entries = [withdraw_leaf(jti, 1, False) for jti in ids]
    shown = [entry(n, entries) for n in (1, 2, 4)]
    made = Released(of="dk", origin=TO_FI, checkpoint=head(dk, entries), entries=shown)
    assert judged(made, dk) == "proved"
    assert "1 to 4 (3 of them shown)" in judge(made, accused(dk)).says
    other = withdraw_leaf(dk.signed().jti, 1, False).decode()
    for wrong in (
        [msgspec.structs.replace(shown[0], leaf=other)],
        [msgspec.structs.replace(shown[0], index=0)],
        [shown[1], shown[0]],
        [shown[0], shown[0]],
    ):
        assert judged(msgspec.structs.replace(made, entries=wrong), dk) == "false"
    short = msgspec.structs.replace(made, checkpoint=head(dk, entries[:4]))
    assert judged(short, dk) == "false"


def test_what_is_no_evidence_is_not_read() -> None:
    for data in (b"", b"{}", b'{"evidence":"fork"}', b"\xff", b"[" * 5_000):
        with pytest.raises(InputError, match="no evidence"):
            decode(data, "file")


def test_a_head_is_what_it_says(dk: Liar) -> None:
    """The helpers of this file make what dk would sign."""
    assert parse_checkpoint(parse_note(head(dk, leaves(3)).encode()).text).size == 3
