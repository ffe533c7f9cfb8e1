"""A compromised node: it has its own keys and its own log, and now and then it answers wrongly.

Each wrong is made from the honest reply to the same question, so that only one thing is wrong with
it. None of them touches the node's own store: between wrongs it answers honestly, and what it says
then must still arrive.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.channels import batch as wire
from samsyn.channels.batch import Batch, Entry
from samsyn.channels.leaf import Leaf, Release, Withdraw, read_leaf, release_leaf
from samsyn.channels.names import channel_origin
from samsyn.log import merkle
from samsyn.log.checkpoint import parse_checkpoint, sign_checkpoint
from samsyn.log.note import parse_note
from samsyn.sim.history import make_draft
from samsyn.sim.network import Ask, Reply
from samsyn.sim.place import Place
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft, Statement, view_hash

# The rules of the log come first: what comes late, when more was taken meanwhile, fails at those.
LATE: Final = frozenset({"replayed-entry", "shrunk-log", "forked-log"})


class Hostile:
    """What a compromised node may answer. `readers_own`: ids of a reader's own statements."""

    def __init__(
        self, place: Place, chance: random.Random, readers_own: Callable[[str], Sequence[str]]
    ) -> None:
        self.name = place.name
        self._place = place
        self._chance = chance
        self._readers_own = readers_own
        self._sent: dict[str, list[bytes]] = defaultdict(list)

    def reply(self, reader: str, ask: Ask, honest: bytes) -> Reply:
        """A wrong reply to `reader`: one of those that can be made of what it has had."""
        batch = wire.decode(honest)
        drawn = self._chance.sample(sorted(_WRONGS), len(_WRONGS))
        if self._chance.random() < 0.5:  # what can seldom be made, if it can be made now
            drawn.sort(key=_SELDOM.__contains__, reverse=True)
        for wrong in drawn:
            made = _WRONGS[wrong](self, reader, batch)
            if made is not None:
                # what is added behind entries that cannot all be told yet does not follow them
                reasons = (
                    made[1] if self._tells_all(reader, batch.after) else made[1] | {"altered-entry"}
                )
                return Reply(made[0], wrong, reasons | LATE)
        return Reply(honest)

    def keep(self, reader: str, honest: bytes) -> None:
        """Remember what was answered honestly, to send it again some day."""
        self._sent[reader].append(honest)

    # wrongs without a new log

    def _altered(self, _reader: str, honest: Batch) -> _Made:
        data = bytearray(wire.encode(honest))
        data[self._chance.randrange(len(data))] ^= self._chance.randrange(1, 256)
        return bytes(data), _ANY

    def _replayed(self, reader: str, honest: Batch) -> _Made:
        for data in self._sent[reader]:
            if wire.decode(data).after < honest.after:
                return data, frozenset()
        return None

    def _shrunk(self, reader: str, honest: Batch) -> _Made:
        for data in self._sent[reader]:
            note = wire.decode(data).checkpoint
            if _size(note) < honest.after:
                return wire.encode(Batch(note, honest.after, [], [], [])), frozenset()
        return None

    def _oversized(self, _reader: str, honest: Batch) -> _Made:
        if self._chance.random() < 0.1:
            return bytes(limits.BATCH_BYTES + 1), frozenset({"oversized-batch"})
        entries = [Entry("{}")] * (limits.BATCH_ENTRIES + 1)
        return wire.encode(msgspec.structs.replace(honest, entries=entries)), frozenset(
            {"oversized-batch"}
        )

    # wrongs in a log that its owner signed

    def _forked(self, reader: str, honest: Batch) -> _Made:
        """A second log that has another past than the reader has applied."""
        leaves = self._leaves(reader)
        if not honest.after:
            return None
        common = self._chance.randrange(honest.after)
        others = [release_leaf(self._new_id(), 1, self._chance.randbytes(32)) for _ in leaves[common:]]
        return self._signed(reader, honest, [*leaves[:common], *others], []), frozenset()

    def _exercise(self, reader: str, honest: Batch) -> _Made:
        """A statement of the other realm."""
        other = self._place.realm == "actual"
        return self._with(reader, honest, self._say(exercise=other), "exercise-marked-as-actual")

    def _impostor(self, reader: str, honest: Batch) -> _Made:
        """A statement in another's name."""
        return self._with(reader, honest, self._say(iss=reader), "own-statement-returned")

    def _forged(self, reader: str, honest: Batch) -> _Made:
        """A statement in its own name that another key signed."""
        key = Ed25519PrivateKey.from_private_bytes(self._chance.randbytes(32))
        return self._with(reader, honest, self._say(key=key), "forged-signature")

    def _stolen(self, reader: str, honest: Batch) -> _Made:
        """A next version of the reader's own statement."""
        theirs = self._readers_own(reader)
        if not theirs:
            return None
        said = self._say(jti=self._chance.choice(theirs), ver=2)
        return self._with(reader, honest, said, "version-by-another-originator")

    def _two_faced(self, reader: str, honest: Batch) -> _Made:
        """Another statement under the id and version of one that the reader has."""
        had = [leaf for leaf in self._had(reader, honest) if isinstance(leaf, Release)]
        if not had:
            return None
        leaf = self._chance.choice(had)
        said = self._say(jti=leaf.id, ver=leaf.ver)
        batch, reasons = self._with(reader, honest, said, "equivocation")
        return batch, reasons | {"released-after-withdrawal"}  # where it was purged before it was read

    def _passed_on(self, reader: str, honest: Batch) -> _Made:
        """What another has said, whom it let nobody pass it on."""
        page = self._place.stores.statements.page(limit=1_000, states=["standing"])
        closed = [
            s.statement
            for s in page
            if s.iss not in (self.name, reader) and s.statement and s.statement.onward == "no"
        ]
        if not closed:
            return None
        return self._with(reader, honest, self._chance.choice(closed), "onward-not-allowed")

    def _returned(self, reader: str, honest: Batch) -> _Made:
        """The reader's own statement."""
        page = self._place.stores.statements.page(limit=1_000, states=["standing"])
        theirs = [s.statement for s in page if s.iss == reader and s.statement]
        if not theirs:
            return None
        return self._with(reader, honest, self._chance.choice(theirs), "own-statement-returned")

    def _risen(self, reader: str, honest: Batch) -> _Made:
        """A new version of what was withdrawn."""
        gone = [leaf for leaf in self._had(reader, honest) if isinstance(leaf, Withdraw)]
        if not gone:
            return None
        said = self._say(jti=self._chance.choice(gone).id, ver=99)
        return self._with(reader, honest, said, "released-after-withdrawal")

    def _again(self, reader: str, honest: Batch) -> _Made:
        """An entry that the reader has, once more at the end."""
        entries = [e for e in honest.entries if isinstance(read_leaf(e.leaf.encode()), Release)]
        if not entries:
            return None
        entry = self._chance.choice(entries)
        reasons = frozenset({"replayed-entry", "released-after-withdrawal"})
        if entry.view is None:  # purged since: then its view is missing once more
            reasons |= {"missing-view"}
        return self._signed(
            reader, honest, [*self._leaves(reader), entry.leaf.encode()], [entry]
        ), reasons

    def _held_back(self, reader: str, honest: Batch) -> _Made:
        """A view that is missing although nothing was purged."""
        leaf = release_leaf(self._new_id(), 1, self._chance.randbytes(32))
        batch = self._signed(reader, honest, [*self._leaves(reader), leaf], [Entry(leaf.decode())])
        return batch, frozenset({"missing-view"})

    def _unknown(self, reader: str, honest: Batch) -> _Made:
        """An operation that there is not."""
        leaf = b'{"op":"forget","id":"%s","ver":1}' % self._new_id().encode()
        batch = self._signed(reader, honest, [*self._leaves(reader), leaf], [Entry(leaf.decode())])
        return batch, frozenset({"unknown-operation"})

    # how they are made

    def _say(
        self,
        *,
        exercise: bool | None = None,
        iss: str | None = None,
        key: Ed25519PrivateKey | None = None,
        jti: str | None = None,
        ver: int = 1,
    ) -> Statement:
        here = self._place.realm == "exercise"
        draft: Draft = make_draft(
            self._chance, self._place.clock.now_us(), exercise=here if exercise is None else exercise
        )
        return sign(
            draft,
            iss=iss or self._place.name,
            key=key or self._place.stores.keys.statement,
            jti=jti or self._new_id(),
            ver=ver,
        )

    def _new_id(self) -> str:
        return new_id(self._chance)

    def _had(self, reader: str, honest: Batch) -> list[Leaf]:
        """What of its own statements the reader has been told."""
        statements = self._place.stores.statements
        leaves = [read_leaf(leaf) for leaf in self._leaves(reader)[: honest.after]]
        held = {leaf.id: statements.get(leaf.id) for leaf in leaves}
        return [leaf for leaf in leaves if (s := held[leaf.id]) and s.iss == self.name]

    def _leaves(self, reader: str) -> list[bytes]:
        logs, origin = self._place.stores.logs, self._origin(reader)
        return [leaf for leaf, _ in logs.entries(origin, 0, logs.size(origin))]

    def _origin(self, reader: str) -> str:
        return channel_origin(self._place.name, self._place.realm, reader)

    def _with(
        self, reader: str, honest: Batch, said: Statement, reason: str
    ) -> tuple[bytes, frozenset[str]]:
        """The log with one release more."""
        view = said.present()
        leaf = release_leaf(said.jti, said.ver, view_hash(view))
        entry = Entry(leaf.decode(), view.decode())
        return self._signed(reader, honest, [*self._leaves(reader), leaf], [entry]), frozenset({reason})

    def _tells_all(self, reader: str, after: int) -> bool:
        """Whether the honest entries go to the log's end; not while a withdrawal waits to be written."""
        channel = self._place.door.reader(reader)
        told = wire.decode(channel.entries(after)).entries if channel is not None else []
        return after + len(told) == len(self._leaves(reader))

    def _signed(self, reader: str, honest: Batch, leaves: list[bytes], more: list[Entry]) -> bytes:
        """A batch of a log of these leaves: the honest entries up to its end, and `more`."""
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        size, origin = len(leaves), self._origin(reader)
        note = sign_checkpoint(origin, size, merkle.root_of(hashes), self._place.stores.keys.log)
        channel = self._place.door.reader(reader)
        entries = list(more)
        if more and channel is not None:  # the question's limit does not bind one who lies
            entries = [*wire.decode(channel.entries(honest.after)).entries, *more]

        def proof(old: int) -> list[str]:
            found = merkle.consistency(old, size, lambda a, b: merkle.root_of(hashes[a:b]))
            return wire.hashes_to_text(found)

        end = honest.after + len(entries)
        known = proof(honest.after) if honest.after else []
        return wire.encode(Batch(note.decode(), honest.after, entries, known, proof(end) if end else []))


def new_id(chance: random.Random) -> str:
    """A statement id made from the seed."""
    return str(uuid.UUID(bytes=chance.randbytes(16), version=4))


def _size(note: str) -> int:
    return parse_checkpoint(parse_note(note.encode()).text).size


_Made = tuple[bytes, frozenset[str]] | None
_ANY: Final = frozenset({"*"})  # whichever rule the byte happens to break
_WRONGS: Final[dict[str, Callable[[Hostile, str, Batch], _Made]]] = {
    "altered": Hostile._altered,
    "replayed": Hostile._replayed,
    "shrunk": Hostile._shrunk,
    "oversized": Hostile._oversized,
    "forked": Hostile._forked,
    "exercise": Hostile._exercise,
    "impostor": Hostile._impostor,
    "forged": Hostile._forged,
    "stolen": Hostile._stolen,
    "two-faced": Hostile._two_faced,
    "risen": Hostile._risen,
    "passed-on": Hostile._passed_on,
    "returned": Hostile._returned,
    "again": Hostile._again,
    "held-back": Hostile._held_back,
    "unknown": Hostile._unknown,
}
"""Wrong by name; each gives the batch and the reasons that may refuse it."""

WRONGS: Final = frozenset(_WRONGS)
_SELDOM: Final = frozenset({"again", "forked", "replayed", "risen", "shrunk", "two-faced"})
