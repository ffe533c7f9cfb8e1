"""Changes that a careless or hurried hand might make, each of which tells a reader something.

Each patches the real code in one place. `BY_PAIRS` must be found by pairs of histories, `BY_TWINS` by
pairs whose statements differ in what is withheld.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from pytest import MonkeyPatch
from starlette.responses import Response

from samsyn.base import limits
from samsyn.base.encoding import from_json
from samsyn.base.errors import SamsynError
from samsyn.channels.door import Door
from samsyn.channels.given import Holding
from samsyn.channels.reader import ReaderChannel
from samsyn.channels.tick import Tick
from samsyn.exchange import serve
from samsyn.log.checkpoint import Checkpoint
from samsyn.log.note import sign_note
from samsyn.policy import compiled
from samsyn.policy.decision import Decision
from samsyn.statements import sign
from samsyn.statements.statement import Draft, Statement

Mutant = Callable[[MonkeyPatch], None]


def _count(channel: Any, sql: str) -> int:
    return int(channel._logs._db.read().execute(sql).fetchone()[0] or 0)


def _beside_entries(patch: MonkeyPatch, tell: Callable[[ReaderChannel, dict[str, Any]], Any]) -> None:
    """One more field in every batch."""
    honest = ReaderChannel.entries

    def entries(self: ReaderChannel, after: int, limit: int = limits.BATCH_ENTRIES) -> bytes:
        batch = from_json(honest(self, after, limit))
        return json.dumps({**batch, "more": tell(self, batch)}).encode()

    patch.setattr(ReaderChannel, "entries", entries)


# --- counts


def counts_all_channels_in_the_head(patch: MonkeyPatch) -> None:
    def seal(self: Door, origin: str) -> tuple[int, bytes]:
        size, root = self._logs.head(origin)
        of_all = _count(self, "SELECT sum(size) FROM log")
        note = Checkpoint(origin, size, root, (f"entries in all {of_all}",)).text()
        self._logs.set_checkpoint(origin, sign_note(note, origin, self._keys.log))
        return size, root

    patch.setattr(Door, "_seal", seal)


def tells_how_much_waits(patch: MonkeyPatch) -> None:
    _beside_entries(patch, lambda c, _: _count(c, "SELECT count(*) FROM pending"))


def tells_when_the_next_delay_ends(patch: MonkeyPatch) -> None:
    _beside_entries(patch, lambda c, _: _count(c, "SELECT min(not_before_us) FROM pending"))


def tells_how_many_readers_have_confirmed(patch: MonkeyPatch) -> None:
    _beside_entries(patch, lambda c, _: _count(c, "SELECT count(*) FROM log_cosignature"))


# --- ids and order


def numbers_statements_as_they_lie_in_the_store(patch: MonkeyPatch) -> None:
    def numbers(channel: ReaderChannel, batch: dict[str, Any]) -> list[int]:
        ids = [json.loads(entry["leaf"])["id"] for entry in batch["entries"]]
        found = [channel._cutter._statements.get(id_) for id_ in ids]
        return [stored.id for stored in found if stored]

    _beside_entries(patch, numbers)


def orders_entries_by_the_rule_that_released_them(patch: MonkeyPatch) -> None:
    def channels(self: Tick) -> dict[str, Any]:
        return {r: sorted(out.entries, key=lambda entry: entry[1]) for r, out in self._outs.items()}

    patch.setattr(Tick, "channels", property(channels))


def has_one_log_for_all_readers(patch: MonkeyPatch) -> None:
    """Each reader is shown its own entries of it, under their numbers in it."""
    honest = Tick._add

    def add(self: Tick, reader: str, entry: Any) -> int:
        for other in self._policy.partners:
            if other != reader:
                honest(self, other, (b'{"op":"withdraw","id":"%s","ver":1,"purge":false}' % NOBODY, b""))
        return honest(self, reader, entry)

    patch.setattr(Tick, "_add", add)


NOBODY = b"9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11"


def shows_which_cut_an_entry_has(patch: MonkeyPatch) -> None:
    """A number made of the slots and the rules' names."""

    def cuts(channel: ReaderChannel, batch: dict[str, Any]) -> list[str]:
        entries = channel._logs.entries(channel._origin, batch["after"], len(batch["entries"]))
        return [private.decode() for _, private in entries]

    _beside_entries(patch, cuts)


# --- more entries than are due


def tells_everybody_of_a_withdrawal(patch: MonkeyPatch) -> None:
    honest = Tick._withdraw

    def withdraw(self: Tick, jti: str, purge: bool, held: Mapping[str, Holding]) -> None:
        everybody = {reader: Holding(1, frozenset()) for reader in self._policy.partners}
        honest(self, jti, purge, {**everybody, **held})

    patch.setattr(Tick, "_withdraw", withdraw)


def releases_an_empty_view_where_no_rule_does(patch: MonkeyPatch) -> None:
    empty = Decision(True, frozenset(), 0, (("none", "none"),), "released")
    patch.setattr(compiled, "NO_RULE", empty)
    compiled_anew(patch)


def shows_that_a_rule_denied(patch: MonkeyPatch) -> None:
    patch.setattr(
        compiled, "denied", lambda r: Decision(True, frozenset(), 0, ((r.id, r.why),), "released")
    )
    compiled_anew(patch)


def compiled_anew(patch: MonkeyPatch) -> None:
    """Policies that were loaded before keep what they decided: load them again."""
    from tests.noninterference import rules, world

    patch.setattr(world, "policy", rules.policy.__wrapped__)


# --- limits that readers share


def takes_few_acts_at_a_time(patch: MonkeyPatch) -> None:
    patch.setattr(limits, "TICK_STATEMENTS", 2)


def counts_requests_of_all_readers_together(patch: MonkeyPatch) -> None:
    class Together(dict[str, Any]):
        def get(self, _: str, default: Any = None) -> Any:
            return super().get("all", default)

        def __setitem__(self, _: str, value: Any) -> None:
            super().__setitem__("all", value)

    honest = serve._Gate.__init__

    def init(self: Any, *given: Any) -> None:
        honest(self, *given)
        self._allowances = Together()

    patch.setattr(serve._Gate, "__init__", init)


# --- errors, headers, times


def says_what_is_wrong_with_a_cosignature(patch: MonkeyPatch) -> None:
    """With the sizes of the heads that it could have been, of whatever log."""
    honest = serve._Gate.cosign

    async def cosign(self: Any, request: Any, channel: Any, body: bytes) -> Response:
        try:
            return await honest(self, request, channel, body)
        except SamsynError as e:
            sizes = _count(channel, "SELECT sum(size) FROM log")
            return Response(
                f"{e.what}; of {sizes} entries none has this root".encode(), 409, serve._HEADERS
            )

    patch.setattr(serve._Gate, "cosign", cosign)


def tells_forbidden_from_unknown(patch: MonkeyPatch) -> None:
    latest: list[Door] = []
    honest = Door.__init__

    def init(self: Door, *given: Any, **named: Any) -> None:
        honest(self, *given, **named)
        latest[:] = [self]

    async def no_such_thing(request: Any, _: Exception) -> Response:
        id_ = request.url.path.rpartition("/")[2]
        known = latest[0]._statements.get(id_) is not None
        return Response(b'{"error":"no such thing"}', 403 if known else 404, serve._HEADERS)

    patch.setattr(Door, "__init__", init)
    patch.setattr(serve, "_no_such_thing", no_such_thing)


def has_an_etag_of_the_whole_store(patch: MonkeyPatch) -> None:
    honest = serve._Gate.checkpoint

    async def checkpoint(self: Any, request: Any, channel: Any, body: bytes) -> Response:
        reply = await honest(self, request, channel, body)
        reply.headers["etag"] = str(_count(channel, "SELECT max(id) FROM given"))
        return reply

    patch.setattr(serve._Gate, "checkpoint", checkpoint)


def tells_when_the_node_last_did_something(patch: MonkeyPatch) -> None:
    _beside_entries(patch, lambda c, _: _count(c, "SELECT max(at_us) FROM given"))


def fails_where_anothers_policy_is_odd(patch: MonkeyPatch) -> None:
    """One reader's circle decides whether another is answered."""
    honest = Door.reader

    def reader(self: Door, name: str) -> ReaderChannel | None:
        empty = self.policy is not None and not any("se" in r.named for r in self.policy.rules)
        return None if empty else honest(self, name)

    patch.setattr(Door, "reader", reader)


BY_PAIRS: list[Mutant] = [
    counts_all_channels_in_the_head,
    tells_how_much_waits,
    tells_when_the_next_delay_ends,
    tells_how_many_readers_have_confirmed,
    numbers_statements_as_they_lie_in_the_store,
    orders_entries_by_the_rule_that_released_them,
    has_one_log_for_all_readers,
    shows_which_cut_an_entry_has,
    tells_everybody_of_a_withdrawal,
    releases_an_empty_view_where_no_rule_does,
    shows_that_a_rule_denied,
    takes_few_acts_at_a_time,
    counts_requests_of_all_readers_together,
    says_what_is_wrong_with_a_cosignature,
    tells_forbidden_from_unknown,
    has_an_etag_of_the_whole_store,
    tells_when_the_node_last_did_something,
    fails_where_anothers_policy_is_odd,
]


# --- what is withheld of a statement


def _says_in_clear(patch: MonkeyPatch, what: Callable[[Draft], str]) -> None:
    honest = sign._prepare

    def prepare(draft: Draft, *given: Any) -> Any:
        return honest(msgspec.structs.replace(draft, purpose=what(draft)), *given)

    patch.setattr(sign, "_prepare", prepare)


def says_the_time_of_signing_in_clear(patch: MonkeyPatch) -> None:
    _says_in_clear(patch, lambda draft: draft.slots.get("time.exact", "at no time"))


def says_how_long_it_is(patch: MonkeyPatch) -> None:
    _says_in_clear(patch, lambda draft: f"{len(str(draft.slots)):06}")


def pads_with_no_decoys(patch: MonkeyPatch) -> None:
    honest = sign._disclose

    def disclose(slots: Mapping[str, Any]) -> Any:
        disclosures, digests = honest(slots)
        real = sign.digest_texts([sign.sha256(d).digest() for d in disclosures.values()])
        return disclosures, sorted(set(digests) & set(real))

    patch.setattr(sign, "_disclose", disclose)


def leaves_a_mark_where_a_slot_is_withheld(patch: MonkeyPatch) -> None:
    def present(self: Statement, slots: Any = None) -> bytes:
        names = sorted(self.disclosures)
        shown = set(names if slots is None else slots)
        return b"~".join([self.jwt, *[self.disclosures[n] if n in shown else b"" for n in names], b""])

    def view_hashes(self: Statement, cuts: Any) -> list[bytes]:
        return [sign.sha256(present(self, cut)).digest() for cut in cuts]

    patch.setattr(Statement, "present", present)
    patch.setattr(Statement, "view_hashes", view_hashes)


BY_TWINS: list[Mutant] = [
    says_the_time_of_signing_in_clear,
    says_how_long_it_is,
    pads_with_no_decoys,
    leaves_a_mark_where_a_slot_is_withheld,
]
