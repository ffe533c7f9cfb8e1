"""The rules by which a batch of a partner is taken or refused, all of them, and no I/O.

`admit` is handed what the mirror holds (`MirrorState`) and a batch, and says what is to be applied.
The first rule that does not hold refuses the whole batch with its reason; nothing is taken of it.

In order:
1.  shape and size (`batch.decode`)                       malformed-batch, oversized-batch
2.  the head is signed by the partner's log key and is
    of this channel; by a former one while it stood       forged-checkpoint, retired-key
3.  the batch begins where we stand                       replayed-entry, missing-entries
4.  the log did not shrink                                shrunk-log
5.  what we hold begins the log under the head            forked-log
6.  these entries follow it under the head                altered-entry
7.  each entry is an operation that we know               malformed-entry, unknown-operation
8.  each view is the one its entry names                  altered-entry
9.  a view is missing only where a purge is shown         missing-view
10. each view is signed by its originator, ladders hold   forged-signature, altered-disclosure, ...
11. it is of this realm                                   exercise-marked-as-actual
12. the partner says it itself, or may pass it on, and
    it is not ours; ids and versions stay with who used
    them first                                            onward-not-allowed, own-statement-returned,
                                                          version-by-another-originator, equivocation
13. nothing is released twice, or after its withdrawal,
    by this partner                                       replayed-entry, released-after-withdrawal
14. slots that we know hold what they can hold            malformed-slot

Others' statements may be such that the partner who passes them on is not to blame: of an originator who
is not known here, of one who has signed two under one id and version, under an id that another has
used. Their entries are taken, they themselves are set aside (`Admission.asides`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base.encoding import b64url, sha256
from samsyn.base.errors import Refused
from samsyn.channels.batch import Batch, hashes_from_text
from samsyn.channels.leaf import Leaf, Release, Withdraw, read_leaf
from samsyn.channels.retired import Retired, check_views, open_head
from samsyn.log.checkpoint import Checkpoint
from samsyn.log.merkle import (
    Frontier,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from samsyn.statements.sign import Verify, parse, verify_many
from samsyn.statements.statement import Statement
from samsyn.subjects import KINDS


class Held(msgspec.Struct, frozen=True):
    """A version that this node holds of a statement that the batch names.

    here: it came by this channel; `withdrawn` speaks of this channel alone. Originator and hash are
    empty where nothing but that is known.
    """

    originator: str
    jwt_hash: bytes
    withdrawn: bool
    body: bytes | None  # for evidence
    here: bool = True


class SetAside(msgspec.Struct, frozen=True):
    """A statement that is not shown, and why. other: what was held under its name, as evidence."""

    statement: Statement
    reason: Literal["unknown-originator", "equivocation-of-another", "id-of-another"]
    other: bytes = b""


class MirrorState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known here of one partner's channel before a batch.

    keys: of other originators, whose statements the partner may pass on.
    seen: the latest head that was accepted, and its note; it may lie ahead of `frontier`.
    """

    origin: str  # samsyn.<partner>/<realm>/<me>
    partner: str
    me: str
    realm: Literal["actual", "exercise"]
    statement_key: Ed25519PublicKey
    keys: Mapping[str, Ed25519PublicKey]
    log_key: Ed25519PublicKey
    size: int
    frontier: bytes  # merkle.Frontier, packed
    seen: Checkpoint | None
    seen_note: bytes
    retired: tuple[Retired, ...] = ()  # keys that the partner had before


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that may be applied: all of it."""

    leaves: list[bytes]
    statements: list[Statement]
    asides: list[SetAside]
    withdrawals: list[Withdraw]
    frontier: bytes
    size: int
    head: Checkpoint
    note: bytes

    @property
    def whole(self) -> bool:
        """Whether applying it reaches the head: only then may the head be cosigned."""
        return self.size == self.head.size


Holdings = Mapping[str, Mapping[int, Held]]
"""jti to version to what is held; only of the ids that the batch names."""


def read_leaves(batch: Batch) -> list[Leaf]:
    """The operations of a batch. Raises `Refused` (7)."""
    return [read_leaf(entry.leaf.encode()) for entry in batch.entries]


def admit_head(state: MirrorState, batch: Batch) -> Admission:
    """Rules 2 to 6: the log itself. Returns an admission with leaves and nothing in them read."""
    note = batch.checkpoint.encode()
    head = open_head(note, state.origin, state.log_key, state.retired)
    evidence = {"checkpoint-held": state.seen_note, "checkpoint-received": note}
    if batch.after < state.size:
        raise Refused("replayed-entry", f"entry {batch.after} again; {state.size} are held")
    if batch.after > state.size:
        raise Refused("missing-entries", f"entries {state.size} to {batch.after} are missing")
    if head.size < (state.seen.size if state.seen else 0):
        raise Refused("shrunk-log", f"the log is now of {head.size} entries", evidence=evidence)
    if head.size < state.size + len(batch.entries):
        raise Refused("malformed-batch", "more entries than the log has")
    frontier = Frontier.unpack(state.size, state.frontier)
    known, given = hashes_from_text(batch.known), hashes_from_text(batch.given)
    if not verify_consistency(state.size, head.size, known, frontier.root(), head.root):
        raise Refused("forked-log", "the log does not continue what is held", evidence=evidence)
    leaves = [entry.leaf.encode() for entry in batch.entries]
    forked = _same_size_fork(state, head)
    hashes = list(map(leaf_hash, leaves))
    if state.seen is not None and 0 < (until := state.seen.size - state.size) <= len(hashes):
        frontier.extend(hashes[:until])  # the last head lies within: what was said there must hold
        hashes = hashes[until:]
        forked = forked or frontier.root() != state.seen.root
    frontier.extend(hashes)
    if not verify_consistency(frontier.size, head.size, given, frontier.root(), head.root):
        raise Refused("altered-entry", "the entries are not those of the log", evidence=evidence)
    if forked:
        raise Refused("forked-log", "the log has another past than its last head", evidence=evidence)
    return Admission(
        leaves=leaves,
        statements=[],
        asides=[],
        withdrawals=[],
        frontier=frontier.pack(),
        size=frontier.size,
        head=head,
        note=note,
    )


def admit_again(
    state: MirrorState, past: MirrorState, batch: Batch, held: list[bytes], root: bytes | None
) -> Admission:
    """Rules 2 to 6 for a batch that begins before what is held, as one carried by hand may.

    past: the state as it was when the batch's first entry was the next. held: the leaves from there
    on. root: of what is held at the head's size, where it is that long. Returns an admission of the
    entries beyond what is held, none of them read; of an older head it may not be applied.
    """
    admission = admit_head(past, batch)
    again = admission.leaves[: len(held)]
    if again != held[: len(again)] or root not in (None, admission.head.root):
        evidence = {"checkpoint-held": state.seen_note, "checkpoint-received": admission.note}
        raise Refused("forked-log", "the log has another past than what is held", evidence=evidence)
    return msgspec.structs.replace(admission, leaves=admission.leaves[len(held) :])


def _same_size_fork(state: MirrorState, head: Checkpoint) -> bool:
    seen = state.seen
    return seen is not None and seen.size == head.size and seen.root != head.root


def admit(
    state: MirrorState,
    batch: Batch,
    leaves: list[Leaf],
    holdings: Holdings,
    verify: Verify = verify_many,
) -> Admission:
    """What applying `batch` means. `leaves` are `read_leaves(batch)`; `holdings` are by their ids.
    `verify` is `verify_many` or does as it does.

    Raises `Refused`; the reasons are those listed above.
    """
    return admit_entries(state, batch, leaves, admit_head(state, batch), holdings, verify)


def admit_entries(
    state: MirrorState,
    batch: Batch,
    leaves: list[Leaf],
    admission: Admission,
    holdings: Holdings,
    verify: Verify = verify_many,
) -> Admission:
    """Rules 8 to 14: what the entries say, once the log itself is admitted."""
    check_views(batch, state.partner, state.retired)
    views = list(_check_views(state, batch, leaves, admission.head))
    statements, unknown = _verify(state, [view for _, view in views], verify)
    _check_ours(state, leaves, holdings)
    asides: list[SetAside] = []
    first: dict[tuple[str, int], Statement] = {}
    for (leaf, _), statement in zip(views, statements, strict=True):
        _check_statement(state, leaf, statement)
        earlier = first.setdefault((leaf.id, leaf.ver), statement)
        if earlier.jwt != statement.jwt:
            raise _two(statement, earlier.present())
        if unknown or leaf.id in holdings:  # else there is nothing that it could be at odds with
            aside = set_aside(state, statement, holdings.get(leaf.id, {}), unknown)
            if aside is not None:
                asides.append(aside)
    _check_order(leaves, holdings)
    left_out = {id(aside.statement) for aside in asides}
    taken = [s for s in statements if id(s) not in left_out] if left_out else statements
    for statement in taken:
        if statement.kind in KINDS:
            KINDS[statement.kind].check_held(statement.slots)
    return msgspec.structs.replace(
        admission,
        statements=taken,
        asides=asides,
        withdrawals=[leaf for leaf in leaves if isinstance(leaf, Withdraw)],
    )


def _verify(
    state: MirrorState, views: list[bytes], verify: Verify
) -> tuple[list[Statement], frozenset[str]]:
    """Rule 10. The statements in their order, and which originators of them are unknown here."""
    keys = {**state.keys, state.partner: state.statement_key}
    keys.pop(state.me, None)  # nobody has our statements to pass on to ourselves
    try:
        return verify(views, keys), frozenset()
    except Refused as refused:
        if refused.reason != "unknown-originator":
            raise
    read = [parse(view) for view in views]
    unknown = frozenset(s.iss for s in read) - keys.keys()
    if state.me in unknown:
        raise Refused("own-statement-returned", "the partner sends us a statement of our own")
    verified = iter(verify([v for v, s in zip(views, read, strict=True) if s.iss in keys], keys))
    return [s if s.iss in unknown else next(verified) for s in read], unknown


def _check_views(
    state: MirrorState, batch: Batch, leaves: list[Leaf], head: Checkpoint
) -> Iterator[tuple[Leaf, bytes]]:
    """Rules 8 and 9; yields each leaf that brings a view, with its bytes."""
    purges = [leaf.id if isinstance(leaf, Withdraw) and leaf.purge else None for leaf in leaves]
    last_purge = {jti: n for n, jti in enumerate(purges) if jti is not None}
    shown = _shown_purges(state.size + len(leaves), batch, head)
    for n, (leaf, entry) in enumerate(zip(leaves, batch.entries, strict=True)):
        if isinstance(leaf, Withdraw):
            if entry.view is not None:
                raise Refused("malformed-batch", "a withdrawal with a view", where=leaf.id)
        elif entry.view is None:
            if leaf.id not in shown and last_purge.get(leaf.id, -1) < n:
                raise Refused("missing-view", "a view is missing and no purge is shown", where=leaf.id)
        else:
            view = entry.view.encode()
            if b64url(sha256(view)) != leaf.view:
                raise Refused("altered-entry", "a view is not the one its entry names", where=leaf.id)
            yield leaf, view


def _shown_purges(end: int, batch: Batch, head: Checkpoint) -> set[str]:
    """Ids whose purge is proved to stand in the log after this batch."""
    found = set()
    for shown in batch.withdrawn:
        leaf = read_leaf(shown.leaf.encode())
        proof = hashes_from_text(shown.proof)
        hash_ = leaf_hash(shown.leaf.encode())
        if not isinstance(leaf, Withdraw) or not leaf.purge or shown.index < end:
            raise Refused("malformed-batch", "what is shown is no purge further on", where=leaf.id)
        if not verify_inclusion(hash_, shown.index, head.size, proof, head.root):
            raise Refused("missing-view", "a purge is shown that is not in the log", where=leaf.id)
        found.add(leaf.id)
    return found


def _check_ours(state: MirrorState, leaves: list[Leaf], holdings: Holdings) -> None:
    """Rule 12: our ids are ours, also in a withdrawal."""
    for leaf in leaves:
        if any(h.originator == state.me for h in holdings.get(leaf.id, {}).values()):
            raise Refused(
                "version-by-another-originator",
                f"{state.partner} uses the id of a statement of ours",
                where=leaf.id,
            )


def _check_statement(state: MirrorState, leaf: Leaf, statement: Statement) -> None:
    """Rules 8, 11 and 12 for one view."""
    if (statement.jti, statement.ver) != (leaf.id, leaf.ver):
        raise Refused("altered-entry", "a view is of another statement than its entry", where=leaf.id)
    if statement.exercise != (state.realm == "exercise"):
        marked = "exercise" if statement.exercise else "actual"
        raise Refused(
            "exercise-marked-as-actual",
            f"a statement marked {marked} in a channel of the realm {state.realm}",
            where=leaf.id,
        )

    if statement.iss != state.partner and statement.onward == "no":
        raise Refused(
            "onward-not-allowed",
            f"{statement.iss} lets nobody pass this on, and {state.partner} does",
            where=leaf.id,
        )


def set_aside(
    state: MirrorState, statement: Statement, held: Mapping[int, Held], unknown: Collection[str] = ()
) -> SetAside | None:
    """Rule 12: one originator for an id, one signed part for a version. The partner answers for what
    it says itself and for what it brought before; for what others say, those others.

    Raises `Refused` ("equivocation").
    """
    if statement.iss in unknown:
        return SetAside(statement, "unknown-originator")
    same = held.get(statement.ver)
    if same is not None and same.jwt_hash not in (b"", sha256(statement.jwt)):
        other = same.body or same.jwt_hash
        if same.originator == statement.iss and (statement.iss == state.partner or same.here):
            raise _two(statement, other)
        if same.originator == statement.iss:
            return SetAside(statement, "equivocation-of-another", other)
    for known in held.values():
        if known.originator not in ("", statement.iss):
            return SetAside(statement, "id-of-another", known.body or known.jwt_hash)
    return None


def _two(statement: Statement, other: bytes) -> Refused:
    return Refused(
        "equivocation",
        f"{statement.iss} has signed two statements under one id and version",
        where=statement.jti,
        evidence={"held": other, "received": statement.present()},
    )


def _check_order(leaves: list[Leaf], holdings: Holdings) -> None:
    """Rule 13: what is released, widened and withdrawn, in the order in which it happened here."""
    here = {
        jti: {ver: held for ver, held in versions.items() if held.here}
        for jti, versions in holdings.items()
    }
    withdrawn = {jti for jti, versions in here.items() if any(h.withdrawn for h in versions.values())}
    released = {jti: max(versions) for jti, versions in here.items() if versions}
    for leaf in leaves:
        if isinstance(leaf, Withdraw):
            withdrawn.add(leaf.id)
        elif leaf.id in withdrawn:
            raise Refused(
                "released-after-withdrawal", "a withdrawn statement is released again", where=leaf.id
            )
        elif isinstance(leaf, Release) and leaf.ver <= released.get(leaf.id, 0):
            raise Refused("replayed-entry", f"version {leaf.ver} is released again", where=leaf.id)
        released[leaf.id] = max(leaf.ver, released.get(leaf.id, 0))
