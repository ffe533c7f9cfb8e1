"""What is true in a simulated network, kept outside it, and what must hold once it has healed.

Acknowledged is what a call returned for; doubtful is what was under way when power was lost, which may
have happened or not, but wholly. The expectation comes from `Policy.decide` on what was signed; the
door itself decides many at once by other code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from samsyn.channels.leaf import Leaf, Withdraw, read_leaf
from samsyn.channels.names import channel_origin
from samsyn.node.audit import audit
from samsyn.policy import facts_of
from samsyn.sim import onward
from samsyn.sim.place import Place
from samsyn.statements.statement import Statement
from samsyn.statements.store import Stored
from samsyn.statements.through import Way

Name = tuple[str, int]  # jti, version


class Said(NamedTuple):
    """A statement that its node has acknowledged, and when by its own clock."""

    by: str
    statement: Statement
    at_us: int


class Truth:
    """What each node has acknowledged, and what is in doubt."""

    def __init__(self) -> None:
        self.said: dict[Name, Said] = {}
        self.withdrawn: dict[str, bool] = {}  # by id: with purge
        self.doubtful: dict[Name, str] = {}  # by whom
        self.perhaps_withdrawn: dict[str, bool] = {}
        self.not_taken: dict[Name, str] = {}  # the disk was full, and the caller was told so
        self.unseen: set[Name] = (
            set()
        )  # was in doubt, came to be, and was purged before it was looked up
        self.last_ver: dict[str, int] = {}  # tried, whether it came to be or not

    def own(self, node: str, *, standing: bool = False) -> list[str]:
        """Ids of what a node has said; standing: only what it has not taken back."""
        jtis = dict.fromkeys(jti for (jti, _), said in self.said.items() if said.by == node)
        return [jti for jti in jtis if not standing or jti not in self.withdrawn]

    def may_be_purged(self, jti: str) -> bool:
        return self.withdrawn.get(jti, False) or self.perhaps_withdrawn.get(jti, False)

    def versions(self, jti: str) -> dict[int, Said]:
        return {ver: said for (j, ver), said in self.said.items() if j == jti}

    def settle(self, places: Mapping[str, Place]) -> Iterator[str]:
        """Look up what came of all that was in doubt; yields what cannot be."""
        for (jti, ver), by in self.doubtful.items():
            stored = places[by].stores.statements.get(jti, ver)
            if stored is not None and stored.statement is not None:
                self.said[jti, ver] = Said(by, stored.statement, stored.at_us)
            elif stored is not None:
                self.unseen.add((jti, ver))
        self.doubtful.clear()
        for (jti, ver), by in self.not_taken.items():
            if places[by].stores.statements.get(jti, ver) is not None:
                yield f"{by} holds {jti:.8} v{ver}, which it said it had no room for"
        for jti, purge in self.perhaps_withdrawn.items():
            by = next(said.by for (j, _), said in self.said.items() if j == jti)
            stored = places[by].stores.statements.get(jti)
            if stored is not None and stored.state == "withdrawn":
                self.withdrawn[jti] = self.withdrawn.get(jti, False) or (purge and stored.purged)
        self.perhaps_withdrawn.clear()


def problems(places: Mapping[str, Place], truth: Truth, now_us: int) -> Iterator[str]:
    """Whatever does not hold in a network that has healed. Stops the nodes at the end."""
    yield from truth.settle(places)
    for place in places.values():
        yield from _own(place, truth)
        for reader in place.partners:
            channel = _Channel(place, places[reader], truth, now_us)
            yield from channel.problems()
        yield from _strangers(place, truth)
        yield from _left_on_disk(place, truth)
    answers = onward.consents(
        {name: said.statement for name, said in truth.said.items()}, truth.withdrawn
    )
    yield from onward.problems(places, answers, now_us)
    for place in places.values():
        place.stop()
        for part in audit(place.home):
            yield from (f"{place.name} {part.what}: {what}" for what in part.problems)


def _own(place: Place, truth: Truth) -> Iterator[str]:
    """Nothing acknowledged is lost at home, and nothing waits."""
    if place.stores.outbox.waiting():
        yield f"{place.name} still has acts in its queue"
    for (jti, ver), said in truth.said.items():
        if said.by != place.name:
            continue
        stored = place.stores.statements.get(jti, ver)
        what = f"{place.name} {jti:.8} v{ver}"
        if stored is None:
            yield f"{what}: acknowledged, and lost"
        elif jti not in truth.withdrawn and (
            stored.state == "withdrawn" or stored.body != said.statement.present()
        ):
            yield f"{what}: is not held as it was signed"
        elif jti in truth.withdrawn and stored.state != "withdrawn":
            yield f"{what}: its withdrawal was acknowledged, and lost"
        elif truth.withdrawn.get(jti) and not stored.purged:
            yield f"{what}: withdrawn with purge, and still held"


def _strangers(place: Place, truth: Truth) -> Iterator[str]:
    """A node holds nothing that nobody said."""
    for stored in place.stores.statements.page(limit=1_000_000):
        name = stored.jti, stored.ver
        said = truth.said.get(name)
        if name not in truth.unseen and (said is None or said.by != stored.iss):
            yield f"{place.name} holds {stored.jti:.8} v{stored.ver} of {stored.iss}: never said"


def _left_on_disk(place: Place, truth: Truth) -> Iterator[str]:
    """Not a byte of what was purged is left, in free pages, write-ahead log and evidence neither."""
    disk = place.bytes_on_disk()
    for (jti, ver), said in truth.said.items():
        if truth.withdrawn.get(jti) and said.statement.jwt.rpartition(b".")[2] in disk:
            yield f"{place.name} {jti:.8} v{ver} of {said.by}: purged, and its bytes are on disk"


class _Channel:
    """One originator's channel to one reader, and what the reader made of it."""

    def __init__(self, place: Place, reader: Place, truth: Truth, now_us: int) -> None:
        self._place = place
        self._reader = reader
        self._truth = truth
        self._now_us = now_us
        self._what = f"{place.name} to {reader.name}"
        origin = channel_origin(place.name, place.realm, reader.name)
        logs = place.stores.logs
        self._raw = [leaf for leaf, _ in logs.entries(origin, 0, logs.size(origin))]
        self._leaves: dict[str, list[Leaf]] = {}
        for leaf in map(read_leaf, self._raw):
            self._leaves.setdefault(leaf.id, []).append(leaf)
        held = reader.stores.logs
        self._same = held.entries(origin, 0, held.size(origin)) == [(leaf, b"") for leaf in self._raw]

    def problems(self) -> Iterator[str]:
        size, applied = self._place.door.applied(self._reader.name)
        if applied != size:
            yield f"{self._what}: {size} entries, {applied} cosigned"
        if not self._same:
            yield f"{self._what}: the reader holds another log"
        for leaf, count in Counter(self._raw).items():
            if count > 1:
                yield f"{self._what}: doubled: {leaf.decode()}"
        jtis = self._truth.own(self._place.name)
        for jti in self._leaves.keys() - {jti for jti, _ in self._truth.said}:
            yield f"{self._what}: an entry of {jti:.8}, which was never said"
        for jti in jtis:
            for problem in self._statement(jti):
                yield f"{self._what} {jti:.8}: {problem}"

    def _statement(self, jti: str) -> Iterator[str]:
        may_have = {
            ver: slots
            for ver, said in self._truth.versions(jti).items()
            if (slots := self._decided(said, self._now_us))
        }
        leaves = self._leaves.get(jti, [])
        released = {leaf.ver for leaf in leaves if not isinstance(leaf, Withdraw)}
        held = {s.ver: s for s in self._reader.stores.statements.versions(jti)}
        ways = self._reader.stores.statements.ways([jti]).get(jti)
        if ways is not None:  # it came by others too
            yield from self._given(jti)
            yield from self._by_ways(jti, leaves, may_have, ways)
            return
        purged = any(isinstance(leaf, Withdraw) and leaf.purge for leaf in leaves)
        if held.keys() - released or (
            released - held.keys() and not purged
        ):  # purged before it was read
            yield f"released are {sorted(released)}, held {sorted(held)}"
        if any(ver not in may_have and (jti, ver) not in self._truth.unseen for ver in released):
            yield f"released are {sorted(released)}, policy gives {sorted(may_have)}"
        yield from self._given(jti)
        if jti in self._truth.withdrawn:
            yield from self._taken_back(jti, leaves, held)
            return
        newest = max(self._truth.versions(jti), default=None)
        if any(isinstance(leaf, Withdraw) for leaf in leaves):
            yield from self._ended(jti, leaves, held, may_have)
            return
        if newest in may_have and newest not in released:
            yield f"policy gives version {newest}, and it was not released"
        if newest not in may_have and released:
            yield f"released are {sorted(released)}, and of version {newest} nothing was said"
        for ver, stored in held.items():
            yield from self._view(stored, may_have.get(ver, frozenset()), whole=ver == newest)

    def _ended(
        self, jti: str, leaves: list[Leaf], held: Mapping[int, Stored], may_have: Collection[int]
    ) -> Iterator[str]:
        """The reader was told that what it has stands no more: a newer version was not for it."""
        last = max(leaf.ver for leaf in leaves)
        newer = [ver for ver in self._truth.versions(jti) if ver > last and ver not in may_have]
        if not newer:
            yield "withdrawn, and nobody asked for that"
        *before, end = leaves
        if not isinstance(end, Withdraw) or any(isinstance(leaf, Withdraw) for leaf in before):
            yield "something follows a withdrawal"
        elif end.purge:
            yield "purged, and nobody asked for that"
        if any(stored.state != "withdrawn" for stored in held.values()):
            yield "withdrawn, and the reader still holds it"

    def _by_ways(
        self,
        jti: str,
        leaves: list[Leaf],
        may_have: Mapping[int, frozenset[str]],
        ways: Sequence[Way],
    ) -> Iterator[str]:
        """What the originator gave stands beside what came through others, and ends all of it."""
        mine = {way.ver: way for way in ways if way.via == self._place.name}
        ended = any(isinstance(leaf, Withdraw) for leaf in leaves)
        for ver in {leaf.ver for leaf in leaves if not isinstance(leaf, Withdraw)} - mine.keys():
            if not ended:
                yield f"v{ver} was released, and is not among the ways"
        if ended and any(not way.ended for way in mine.values()):
            yield "the originator's withdrawal has not ended its way"
        newest = max(self._truth.versions(jti), default=0)
        if not ended and newest in mine and mine[newest].slots != may_have.get(newest):
            yield f"v{newest}: its way has other slots than policy gives"
        held = self._reader.stores.statements.versions(jti)
        if (ended or jti in self._truth.withdrawn) and any(s.state != "withdrawn" for s in held):
            yield "its originator has withdrawn it, and the reader holds it of others"
        if self._truth.withdrawn.get(jti) and any(not s.purged for s in held):
            yield "purged by its originator, and the reader holds it of others"

    def _view(self, stored: Stored, slots: frozenset[str], *, whole: bool) -> Iterator[str]:
        """A standing version has exactly the slots that policy gives; a superseded one no others."""
        state = "standing" if whole else "superseded"
        if stored.state != state or stored.statement is None:
            yield f"v{stored.ver} is {stored.state}{', purged' * stored.purged}, not {state}"
            return
        has = frozenset(stored.statement.slots)
        if has - slots or (whole and has != slots):
            yield f"v{stored.ver}: has {sorted(has - slots)} too much, {sorted(slots - has)} too little"
        if stored.statement.jwt != self._truth.said[stored.jti, stored.ver].statement.jwt:
            yield f"v{stored.ver}: another signed part than was signed"

    def _taken_back(self, jti: str, leaves: list[Leaf], held: Mapping[int, Stored]) -> Iterator[str]:
        """Who had something of it is told, and has it no longer; who had nothing is told nothing."""
        purge = self._truth.withdrawn[jti]
        if not leaves:
            return
        last = leaves[-1]
        if not isinstance(last, Withdraw) or (purge and not last.purge):
            yield "the channel does not end with the withdrawal that was asked for"
        if isinstance(leaves[0], Withdraw):
            yield "a withdrawal of what was never released"
        for ver, stored in held.items():
            if stored.state != "withdrawn" or (purge and not stored.purged):
                yield f"v{ver} was withdrawn{' with purge' * purge}, and the reader still holds it"

    def _given(self, jti: str) -> Iterator[str]:
        """Each entry gave what policy gave at that moment: no delay was cut short."""
        for given in self._place.door.delivered(jti):
            said = self._truth.said.get((jti, given.ver))
            if said is None or given.reader != self._reader.name or given.op == "withdraw":
                continue
            if self._decided(said, given.at_us) != given.slots:
                yield f"v{given.ver}, entry {given.index}: not what policy gave at that moment"

    def _decided(self, said: Said, at_us: int) -> frozenset[str]:
        """The slots that the reader may have at an instant; empty for none."""
        facts = facts_of(said.statement, said.at_us, foreign=False)
        decision = self._place.policy.decide(facts, self._reader.name, at_us)
        return decision.slots if decision.reason == "released" else frozenset()
