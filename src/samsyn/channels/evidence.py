"""Evidence that a third party can check with nothing but the card of whom it is about, and no I/O.

    equivocation  two statements that one node signed under one id and version
    fork          two heads of one log that cannot both be true
    released      entries that stand in a channel, under a head that its node signed
    other         something was refused, but what is left of it accuses nobody

`judge` says what a document proves. Nothing is believed but signatures and proofs: a forged document
must never speak against an honest node, so whatever does not hold makes the whole of it false, and
what holds but an honest node could have done as well proves nothing. The format: spec/evidence.md.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.encoding import b64url, unb64url
from samsyn.base.errors import InputError, LimitError, Refused
from samsyn.channels.batch import hashes_from_text
from samsyn.channels.leaf import read_leaf
from samsyn.channels.names import split_origin, witness_name
from samsyn.log.checkpoint import Checkpoint, open_checkpoint
from samsyn.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from samsyn.log.witness import verify_cosignature
from samsyn.statements.sign import verify


class _Document(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="evidence", forbid_unknown_fields=True
):
    of: str  # the node that it is about


class Equivocation(_Document, frozen=True, kw_only=True, tag="equivocation"):
    """Presentations of two signed parts; they may disclose as little as the holder likes."""

    statements: tuple[str, str]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The log had `root` at `size`: `proof` shows it to begin the next step, or the larger head."""

    size: int
    root: str
    proof: list[str]


class Fork(_Document, frozen=True, kw_only=True, tag="fork"):
    """Two signed heads of the log `origin`, the smaller first. Of different sizes: a path of
    consistency proofs from the root that the smaller one should have had to the larger one."""

    origin: str
    checkpoints: tuple[str, str]
    path: list[Step] = []


class ShownEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry with its audit path to the head."""

    index: int
    leaf: str
    proof: list[str]


class Released(_Document, frozen=True, kw_only=True, tag="released"):
    """Entries of the channel `origin`; `between` is the question that was asked, as its asker put it.

    cosignature: the latest head that the reader cosigned, or none.
    """

    origin: str
    checkpoint: str
    entries: list[ShownEntry]
    between: tuple[str, str] | None = None
    cosignature: str | None = None


class Other(_Document, frozen=True, kw_only=True, tag="other"):
    """A refusal that cannot be proved to others, with its reason and the heads that were kept."""

    reason: str
    checkpoints: list[str] = []


Evidence = Equivocation | Fork | Released | Other

Outcome = Literal["proved", "nothing", "false"]


class Verdict(msgspec.Struct, frozen=True):
    """proved: whoever holds the card must believe it. nothing: it holds, and accuses nobody.
    false: something in it does not hold; it says nothing of the node, but of who made it."""

    outcome: Outcome
    says: str


class Accused(msgspec.Struct, frozen=True):
    """Whom evidence is about: the name and two public keys of its card."""

    name: str
    statement_key: Ed25519PublicKey
    log_key: Ed25519PublicKey


_decode = msgspec.json.Decoder(Evidence).decode


def encode(evidence: Evidence) -> bytes:
    return msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n"


def decode(data: bytes, where: str) -> Evidence:
    """Raises `LimitError`, `InputError`. Nothing in it is to be believed before `judge` has said so."""
    if len(data) > limits.EVIDENCE_BYTES:
        raise LimitError(f"evidence may have {limits.EVIDENCE_BYTES} bytes", where=where)
    try:
        found: Evidence = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InputError(f"this is no evidence: {e}", where=where) from e
    return found


def judge(
    evidence: Evidence, accused: Accused, readers: dict[str, Ed25519PublicKey] | None = None
) -> Verdict:
    """What `evidence` proves about the node `accused`. readers: log keys of others who cosigned."""
    if evidence.of != accused.name:
        return Verdict("false", f"it is about {evidence.of}, and the card is of {accused.name}")
    try:
        if isinstance(evidence, Equivocation):
            return _equivocation(evidence, accused)
        if isinstance(evidence, Fork):
            return _fork(evidence, accused)
        if isinstance(evidence, Released):
            return _released(evidence, accused, readers or {})
    except (Refused, ValueError) as e:
        return Verdict("false", str(e))
    return Verdict("nothing", f"refused as {evidence.reason}: what is left of it accuses nobody")


def _equivocation(evidence: Equivocation, accused: Accused) -> Verdict:
    keys = {accused.name: accused.statement_key}
    one, other = (verify(text.encode(), keys) for text in evidence.statements)
    if (one.jti, one.ver) != (other.jti, other.ver):
        return Verdict("nothing", "two statements under two names: that is what anybody says all day")
    if one.jwt == other.jwt:
        return Verdict("nothing", "it is one and the same signed statement twice")
    return Verdict("proved", f"{accused.name} has signed two statements as {one.jti}, version {one.ver}")


def _head(note: str, origin: str, accused: Accused) -> Checkpoint:
    """Raises `Refused` for what the accused did not sign as a head of this very log."""
    if split_origin(origin)[0] != accused.name:
        raise Refused("forged-checkpoint", f"the log {origin} is not one of {accused.name}")
    return open_checkpoint(note.encode(), origin, accused.log_key)


def _fork(evidence: Fork, accused: Accused) -> Verdict:
    small, large = (_head(note, evidence.origin, accused) for note in evidence.checkpoints)
    if small.size > large.size:
        return Verdict("false", "the heads are not in the order of their sizes")
    if small.size == large.size:
        if small.root == large.root:
            return Verdict("nothing", "the two heads are one and the same")
        return Verdict("proved", f"{accused.name} has signed two pasts of {small.size} entries")
    if not evidence.path:
        return Verdict(
            "nothing",
            "two heads of different sizes, and nothing shows the one to contradict the other: "
            "an honest log had both, at different times",
        )
    root = _true_root(evidence.path, small.size, large)
    if root == small.root:
        return Verdict("nothing", "the smaller head begins the larger one: an honest log had both")
    return Verdict(
        "proved",
        f"{accused.name} has signed a head of {small.size} entries that its head of {large.size} "
        "entries does not continue",
    )


def _true_root(path: list[Step], size: int, head: Checkpoint) -> bytes:
    """The root that the log under `head` had at `size`. Raises `ValueError` where a proof fails."""
    if path[0].size != size or len(path) > limits.EVIDENCE_STEPS:
        raise ValueError("the path does not begin at the smaller head")
    steps = [(step.size, unb64url(step.root), hashes_from_text(step.proof)) for step in path]
    ends = [*((at, root) for at, root, _ in steps[1:]), (head.size, head.root)]
    for (at, root, proof), (end, end_root) in zip(steps, ends, strict=True):
        if not 0 < at < end or not verify_consistency(at, end, proof, root, end_root):
            raise ValueError(f"the proof from {at} to {end} entries does not hold")
    return steps[0][1]


def _released(evidence: Released, accused: Accused, readers: dict[str, Ed25519PublicKey]) -> Verdict:
    head = _head(evidence.checkpoint, evidence.origin, accused)
    before = -1
    for entry in evidence.entries:
        read_leaf(entry.leaf.encode())
        hash_ = leaf_hash(entry.leaf.encode())
        if entry.index <= before:
            raise ValueError("the entries are not in their order")
        if not verify_inclusion(hash_, entry.index, head.size, hashes_from_text(entry.proof), head.root):
            raise ValueError(f"entry {entry.index} is not in the log under this head")
        before = entry.index
    name, reader = accused.name, split_origin(evidence.origin)[2]
    told = _span([entry.index for entry in evidence.entries])
    if evidence.cosignature is not None:
        applied = _head(evidence.cosignature, evidence.origin, accused).size
        if reader in readers:
            verify_cosignature(evidence.cosignature.encode(), witness_name(reader), readers[reader])
            said = (
                f"{name} has written {told} of {head.size} for {reader}; "
                f"{reader} has signed that {applied} of them are applied"
            )
            return Verdict("proved", said)
    return Verdict("proved", f"{name} has written {told} of {head.size} for {reader}")


def _span(indexes: list[int]) -> str:
    if not indexes:
        return "no entry that is shown"
    first, last = indexes[0], indexes[-1]
    whole = last - first + 1 == len(indexes)
    gaps = "none between them left out" if whole else f"{len(indexes)} of them shown"
    return f"the entries {first} to {last} ({gaps})"


def step(size: int, root: bytes, proof: list[bytes]) -> Step:
    """One step of a path, from hashes."""
    return Step(size, b64url(root), [b64url(hash_) for hash_ in proof])
