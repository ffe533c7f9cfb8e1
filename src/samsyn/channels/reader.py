"""One reader's channel: all that anything a reader can reach may hold.

It knows its own log and a cutter for its own views. It cannot name another reader, list statements
or ask the policy, so nothing built on it can show what this reader was not given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.encoding import b64url
from samsyn.base.errors import NotYetError, Refused, SamsynError
from samsyn.channels import batch as wire
from samsyn.channels.given import Account
from samsyn.channels.leaf import Leaf, Withdraw, read_leaf
from samsyn.channels.names import witness_name
from samsyn.log.checkpoint import open_checkpoint, parse_checkpoint
from samsyn.log.merkle import HASH_BYTES
from samsyn.log.note import parse_note
from samsyn.log.store import LogStore
from samsyn.log.witness import verify_cosignature
from samsyn.statements.attachments import named
from samsyn.statements.reread import reread
from samsyn.statements.statement import view_hash
from samsyn.statements.store import StatementStore

# room for the head, its proofs and the frame, beside the entries themselves
_FRAME_BYTES: Final = limits.CHECKPOINT_BYTES + 2 * limits.PROOF_HASHES * 2 * HASH_BYTES
_SHOWN_BYTES: Final = 2 * limits.LEAF_BYTES + limits.PROOF_HASHES * 2 * HASH_BYTES


class Cutter:
    """Cuts the views of one reader, as its entries say, from the statements that are still held."""

    def __init__(self, reader: str, statements: StatementStore, account: Account) -> None:
        self._reader = reader
        self._statements = statements
        self._account = account

    def view(self, leaf: Leaf, private: bytes) -> bytes | None:
        """The view that an entry names; None for a withdrawal and for what was purged since."""
        if isinstance(leaf, Withdraw):
            return None
        stored = self._statements.get(leaf.id, leaf.ver)
        if stored is None or stored.body is None or self._account.recalled(leaf.id, self._reader):
            return None
        slots = self._account.cut(int(private)).slots
        # all that is held: as it is kept
        if stored.body.count(b"~") == len(slots) + 1 and b64url(view_hash(stored.body)) == leaf.view:
            return stored.body
        held = reread(stored.body)
        if not slots <= held.disclosures.keys():  # what others said: they have taken some of it back
            return None
        view = held.present(slots)
        if b64url(view_hash(view)) != leaf.view:  # never let out what the entry does not name
            raise SamsynError("a stored statement is not the one that was released", where=leaf.id)
        return view

    def stamps(self, names: Collection[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """Of those versions (jti, ver) of which this reader may still have its view: what says that the
        bytes held are still the same, and so the view that can be cut of them."""
        recalled = self._account.recalled_of({jti for jti, _ in names}, self._reader)
        held = self._statements.stamps(names)
        return {name: stamp for name, stamp in held.items() if name[0] not in recalled}

    def attachment(self, jti: str, ver: int, digest: str) -> bytes | None:
        """The bytes of an attachment that the view which this reader holds names; None of any other,
        and where they are not here."""
        holding = self._account.holdings({jti}).get(jti, {}).get(self._reader)
        if holding is None or holding.withdrawn or holding.ver != ver:
            return None
        if self._account.recalled(jti, self._reader):
            return None
        stored = self._statements.get(jti, ver)
        statement = stored.statement if stored else None
        if statement is None:
            return None
        given = {slot: value for slot, value in statement.slots.items() if slot in holding.slots}
        if all(one.sha256 != digest for one in named(given)):
            return None
        return self._statements.attachments.get(jti, ver, digest)

    def written_us(self, jti: str, index: int) -> int:
        """When an entry about a statement was written, by the node's clock."""
        entries = self._account.entries(jti)
        return next(at_us for at_us, g in entries if (g.reader, g.index) == (self._reader, index))

    def purge_index(self, jti: str) -> int | None:
        """Which entry of this reader's channel orders the purge of a statement given to it."""
        return self._account.purge_index(jti, self._reader)


class ReaderChannel:
    """What one reader was given, in order, provable."""

    def __init__(
        self,
        name: str,
        origin: str,
        logs: LogStore,
        cutter: Cutter,
        log_key: Ed25519PublicKey,
        reader_key: Ed25519PublicKey | None,
        frame: Callable[[], bytes],
        former_log_keys: Sequence[Ed25519PublicKey] = (),
    ) -> None:
        """`reader_key` cosigns; None: of a reader without a node, which cosigns nothing.

        `frame`: this reader's newest frame of live tracks. former_log_keys: ours of before, under
        whose heads a reader may still cosign."""
        self.name = name
        self._origin = origin
        self._logs = logs
        self._cutter = cutter
        self._log_keys = (*former_log_keys, log_key)
        self._reader_key = reader_key
        self._frame = frame

    @property
    def size(self) -> int:
        """Number of entries."""
        return self._logs.size(self._origin)

    def checkpoint(self) -> bytes:
        """The channel's head, a signed note (C2SP tlog-checkpoint)."""
        note = self._logs.checkpoint(self._origin)
        if note is None:
            raise SamsynError("this channel was never opened", where=self._origin)
        return note

    def entries(self, after: int, limit: int = limits.BATCH_ENTRIES) -> bytes:
        """Entries from index `after` on, an encoded `Batch`: at most `limit`, within all limits.

        A reader that asks beyond the end gets no entries and the head, which tells it so. Raises
        `NotYetError` between a withdrawal by another originator and the next tick, which passes it on.
        """
        after = max(after, 0)
        count = min(max(limit, 1), limits.BATCH_ENTRIES)
        entries, missing = self._cut(after, count)
        # read after the views were cut: a purge that took a view is then in the log under this head
        note = self.checkpoint()
        size = parse_checkpoint(parse_note(note).text).size
        end = after + len(entries)
        return wire.encode(
            wire.Batch(
                checkpoint=note.decode(),
                after=after,
                entries=entries,
                known=self._proof(after, size),
                given=self._proof(end, size),
                withdrawn=[self._shown(index, size) for index in sorted(missing) if index >= end],
            )
        )

    def frame(self) -> bytes:
        """The newest frame of live tracks, empty where this reader may have none (`channels.frame`)."""
        return self._frame()

    def attachment(self, jti: str, ver: int, digest: str) -> bytes:
        """The bytes of an attachment that this reader was given the name of. Empty for all others, and
        where they are not here: the reply does not tell which."""
        return self._cutter.attachment(jti, ver, digest) or b""

    def leaves(self, after: int, limit: int) -> list[tuple[Leaf, int]]:
        """At most `limit` entries from index `after` on, each with when it was written (us, the node's
        clock), without their views."""
        found = self._logs.entries(self._origin, after, limit)
        leaves = [read_leaf(data) for data, _ in found]
        return [(leaf, self._cutter.written_us(leaf.id, after + n)) for n, leaf in enumerate(leaves)]

    def stamps(self, names: Collection[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """Of those versions (jti, ver) of which this reader may have its view now: 32 bytes that stay
        the same for as long as what is held of it does."""
        return self._cutter.stamps(names)

    def views(self, indexes: Sequence[int]) -> dict[int, bytes]:
        """The views that these entries name (ascending); none for a withdrawal and for what was purged
        since."""
        found: dict[int, bytes] = {}
        for first, count in _runs(indexes):
            for index, (data, private) in enumerate(
                self._logs.entries(self._origin, first, count), first
            ):
                view = self._cutter.view(read_leaf(data), private)
                if view is not None:
                    found[index] = view
        return found

    def cosign(self, note: bytes) -> None:
        """Take the reader's cosignature: it has applied this channel up to the note's size.

        Raises `Refused` ("forged-cosignature") unless the note is a head of this channel that this
        node signed, and the reader's key cosigned it.
        """
        if self._reader_key is None:
            raise Refused(
                "forged-cosignature", "this reader has no key to cosign with", where=self._origin
            )
        found = verify_cosignature(note, witness_name(self.name), self._reader_key)
        checkpoint = found.checkpoint
        try:
            self._check_ours(note)
            if self._logs.root_at(self._origin, checkpoint.size) != checkpoint.root:
                raise ValueError("another root")
        except (Refused, ValueError) as e:
            raise Refused(
                "forged-cosignature", "this was never a head of the channel", where=self._origin
            ) from e
        self._logs.add_cosignature(self._origin, self.name, checkpoint.size, note, found.at_s)

    def _check_ours(self, note: bytes) -> None:
        """Raises `Refused` unless one of this node's log keys, of now or of before, signed it."""
        for key in self._log_keys[:-1]:
            with contextlib.suppress(Refused):
                open_checkpoint(note, self._origin, key)
                return
        open_checkpoint(note, self._origin, self._log_keys[-1])

    def _cut(self, after: int, count: int) -> tuple[list[wire.Entry], set[int]]:
        """Entries within the size of a batch, and the indexes of purges that explain missing views."""
        room = limits.BATCH_BYTES - _FRAME_BYTES
        entries: list[wire.Entry] = []
        missing: set[int] = set()
        for data, private in self._logs.entries(self._origin, after, count):
            leaf = read_leaf(data)
            view = self._cutter.view(leaf, private)
            purge = None
            if view is None and not isinstance(leaf, Withdraw):
                purge = self._cutter.purge_index(leaf.id)
                if purge is None and entries:
                    break
                if purge is None:
                    raise NotYetError("a withdrawal is about to be written", do="ask again in a second")
            entry = wire.Entry(data.decode(), view.decode() if view is not None else None)
            room -= wire.entry_bytes(entry) + (_SHOWN_BYTES if purge is not None else 0)
            if room < 0 and entries:
                break
            entries.append(entry)
            if purge is not None:
                missing.add(purge)
        return entries, missing

    def _proof(self, old: int, size: int) -> list[str]:
        if not 0 < old <= size:
            return []
        return wire.hashes_to_text(self._logs.consistency(self._origin, old, size))

    def _shown(self, index: int, size: int) -> wire.Shown:
        leaf, _ = self._logs.entries(self._origin, index, 1)[0]
        proof = self._logs.inclusion(self._origin, index, size)
        return wire.Shown(index, leaf.decode(), wire.hashes_to_text(proof))


def _runs(indexes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and length of each stretch without a gap."""
    begin = 0
    for n in range(1, len(indexes) + 1):
        if n == len(indexes) or indexes[n] != indexes[n - 1] + 1:
            yield indexes[begin], n - begin
            begin = n
