"""From a refusal that is kept here to evidence that others can check, where there is any."""

from __future__ import annotations

from collections.abc import Sequence

from samsyn.base.errors import Refused
from samsyn.channels import batch as wire
from samsyn.channels.evidence import Equivocation, Evidence, Fork, Other, Step, step
from samsyn.channels.refusals import Problem
from samsyn.log import merkle
from samsyn.log.checkpoint import Checkpoint, parse_checkpoint
from samsyn.log.note import parse_note
from samsyn.log.store import LogStore

_HELD, _RECEIVED = "checkpoint-held", "checkpoint-received"


def evidence_of(problem: Problem, origin: str, logs: LogStore) -> Evidence:
    """What the refusal proves about the partner; `Other` where it proves nothing to others.

    origin: of the partner's channel, of which `logs` has what was taken.
    """
    kept = problem.evidence
    if problem.reason == "equivocation" and b"~" in kept.get("held", b"") and "received" in kept:
        both = kept["held"].decode(), kept["received"].decode()
        return Equivocation(of=problem.partner, statements=both)
    if kept.get(_HELD) and kept.get(_RECEIVED):
        return _fork(problem, origin, logs)
    heads = [kept[name].decode() for name in (_HELD, _RECEIVED) if kept.get(name)]
    return Other(of=problem.partner, reason=problem.reason, checkpoints=heads)


def _fork(problem: Problem, origin: str, logs: LogStore) -> Fork:
    notes = sorted((problem.evidence[_HELD], problem.evidence[_RECEIVED]), key=lambda n: _head(n).size)
    small, large = (_head(note) for note in notes)
    path: list[Step] = []
    if 0 < small.size < large.size:
        path = _path(small, large, logs, origin, problem.evidence.get("batch"))
    return Fork(
        of=problem.partner,
        origin=origin,
        checkpoints=(notes[0].decode(), notes[1].decode()),
        path=path,
    )


def _path(
    small: Checkpoint, large: Checkpoint, logs: LogStore, origin: str, batch: bytes | None
) -> list[Step]:
    """From the root that the log under `large` had at the smaller size; empty where we cannot tell.

    Either the larger head is of what was taken here, or the refused batch leads from there to it.
    """
    size = logs.size(origin)
    if large.size <= size and logs.root_at(origin, large.size) == large.root:
        proof = logs.consistency(origin, small.size, large.size)
        return [step(small.size, logs.root_at(origin, small.size), proof)]
    try:
        sent = wire.decode(batch or b"")
    except Refused:
        return []
    leaves = [merkle.leaf_hash(entry.leaf.encode()) for entry in sent.entries]
    end = sent.after + len(leaves)
    if sent.after > size or not small.size <= end <= large.size:
        return []
    held = (merkle.leaf_hash(leaf) for leaf, _ in logs.entries(origin, 0, sent.after))
    tree = _Tree([*held, *leaves])
    last = step(end, tree.range_hash(0, end), wire.hashes_from_text(sent.given))
    if end == large.size:
        last = step(small.size, tree.range_hash(0, small.size), _proof(tree, small.size, end))
        return [last]
    if small.size == end:
        return [last]
    return [step(small.size, tree.range_hash(0, small.size), _proof(tree, small.size, end)), last]


class _Tree:
    """A tree of leaf hashes in memory."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self._hashes = hashes

    def range_hash(self, begin: int, end: int) -> bytes:
        return merkle.root_of(self._hashes[begin:end])


def _proof(tree: _Tree, old: int, new: int) -> list[bytes]:
    return merkle.consistency(old, new, tree.range_hash)


def _head(note: bytes) -> Checkpoint:
    return parse_checkpoint(parse_note(note).text)  # was checked when it was kept
