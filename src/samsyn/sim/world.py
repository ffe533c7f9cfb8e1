"""A network of whole nodes in one process, run from one seed.

Real are stores, door, channels, mirrors, pen and policy, on real SQLite files. Simulated are time,
the network between the nodes, their disks, their loss of power, and one node that may be in other
hands. The same seed gives the same run to the last byte, so that a run that failed can be studied.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NoReturn

from samsyn.base import limits
from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, ManualClock, iso, parse_iso
from samsyn.base.errors import NotYetError, Refused
from samsyn.base.settings import Realm
from samsyn.channels.given import Account
from samsyn.channels.leaf import Withdraw, read_leaf
from samsyn.channels.names import channel_origin
from samsyn.sim.disk import Disk, PowerLost
from samsyn.sim.history import make_consent, make_draft, make_policy
from samsyn.sim.hostile import Hostile, new_id
from samsyn.sim.network import Ask, Cosign, Network, Reply, Sent
from samsyn.sim.place import Place, make_homes
from samsyn.sim.truth import Said, Truth, problems
from samsyn.statements.statement import Draft, Statement

NAMES: Final = ("dk", "fi", "is", "no", "se")
START_US: Final = parse_iso("2026-11-21T20:15:00Z")
HEALING_US: Final = 10 * DAY_US  # beyond every delay, cut and wrong clock
ROUNDS: Final = 40  # of ticks and questions after which a healed network must be at rest

Came = Literal["done", "lost power", "no room"]


class Broken(Exception):
    """Something that must hold does not."""


class World:
    """One run. `folder` is for the homes; `tell` is told each thing that happens."""

    def __init__(self, seed: int, folder: Path, tell: Callable[[str], None]) -> None:
        self._chance = chance = random.Random(seed)  # noqa: S311  a simulation must be repeatable
        self._tell = tell
        self.counts: Counter[str] = Counter()
        self._now_us = START_US
        self._realm: Realm = chance.choice(["actual", "actual", "exercise"])
        names = NAMES[: chance.randint(3, 5)]
        policies = {n: make_policy(chance, [p for p in names if p != n]) for n in names}
        self._network = Network(chance)
        self._truth = Truth()
        self._places: dict[str, Place] = {}
        for name, home in make_homes(folder, policies, self._realm, chance, START_US).items():
            clock = ManualClock(START_US + chance.randrange(-6 * HOUR_US, 6 * HOUR_US))
            disk = Disk(home.ledger(self._realm), chance)
            self._places[name] = Place(name, home, self._realm, clock, disk)
        self._back_us: dict[str, int] = {}  # when those that are down come back
        self._mended_us: dict[str, int] = {}  # when a full disk has room again
        self._checked: Counter[tuple[str, str]] = Counter()  # cosigned entries that were looked at
        self._hostile: Hostile | None = None
        if chance.random() < 0.7:
            place = self._places[chance.choice(names)]
            self._hostile = Hostile(place, chance, self._truth.own)
            self._note(place.name, "is in other hands")

    def run(self, steps: int) -> None:
        """`steps` things happen, then all is mended. Raises `Broken` where something does not hold."""
        for _ in range(steps):
            self._pass_time(self._chance.choice(_PAUSES_US))
            self._restart_and_mend()
            self._act()
        self._heal()
        for place in self._places.values():
            held = place.stores.statements.page(limit=1_000_000)
            self.counts["passed on"] += sum(s.received_from not in (None, s.iss) for s in held)
        for problem in problems(self._places, self._truth, self._now_us + HEALING_US):
            raise Broken(problem)

    def close(self) -> None:
        for place in self._places.values():
            if place.is_up:
                place.stop()

    # time

    def _pass_time(self, longest_us: int) -> None:
        """Time goes on, and what is on its way arrives meanwhile."""
        until_us = self._now_us + self._chance.randrange(longest_us)
        while sent := self._network.arrived(until_us):
            self._set_time(max(sent.at_us, self._now_us))
            self._arrive(sent)
        self._set_time(until_us)

    def _set_time(self, now_us: int) -> None:
        for place in self._places.values():
            place.clock.advance(now_us - self._now_us)
        self._now_us = now_us

    def _restart_and_mend(self) -> None:
        for name, at_us in list(self._back_us.items()):
            if at_us <= self._now_us:
                del self._back_us[name]
                self._places[name].start()
                self._note(name, "is back")
        for name, at_us in list(self._mended_us.items()):
            if at_us <= self._now_us:
                del self._mended_us[name]
                self._places[name].disk.mend()

    # what people and nodes do

    def _act(self) -> None:
        place = self._places[self._chance.choice(sorted(self._places))]
        if not place.is_up:
            return
        (act,) = self._chance.choices(list(_ACTS), weights=list(_ACTS.values()))
        act(self, place)

    def _say(self, place: Place, jti: str | None = None) -> None:
        at_us = place.clock.now_us()
        self._sign(place, make_draft(self._chance, at_us, exercise=self._realm == "exercise"), jti)

    def _consent(self, place: Place) -> None:
        """Say whom one's own statement may be passed on to, as if somebody had asked."""
        own = [
            jti
            for jti in self._truth.own(place.name, standing=True)
            if any(s.statement.onward == "ask" for s in self._truth.versions(jti).values())
        ]
        if not own:
            return
        asker, *others = self._chance.sample(place.partners, len(place.partners))
        readers = self._chance.sample(others, self._chance.randint(1, len(others)))
        about, at_us = self._chance.choice(own), place.clock.now_us()
        exercise = self._realm == "exercise"
        draft = make_consent(self._chance, about, asker, readers, at_us, exercise=exercise)
        self.counts["answered"] += 1
        self._sign(place, draft)

    def _sign(self, place: Place, draft: Draft, jti: str | None = None) -> None:
        truth, at_us = self._truth, place.clock.now_us()
        jti = jti or new_id(self._chance)
        ver = truth.last_ver[jti] = truth.last_ver.get(jti, 0) + 1
        signed: list[Statement] = []
        came = self._try(
            place,
            f"says {jti:.8} v{ver} {draft.kind} {draft.marking}",
            lambda: signed.append(place.stores.pen.sign(draft, by="sim", jti=jti, ver=ver)),
        )
        if came == "done":
            self.counts["said"] += 1
            truth.said[jti, ver] = Said(place.name, signed[0], at_us)
        elif came == "lost power":
            truth.doubtful[jti, ver] = place.name
        else:
            truth.not_taken[jti, ver] = place.name

    def _say_more(self, place: Place) -> None:
        own = [
            jti
            for jti in self._truth.own(place.name)
            if all(s.statement.kind != "consent" for s in self._truth.versions(jti).values())
        ]
        if own:
            self._say(place, self._chance.choice(own))

    def _withdraw(self, place: Place) -> None:
        own = self._truth.own(place.name, standing=True)
        if not own:
            return
        jti, purge = self._chance.choice(own), self._chance.random() < 0.7
        held = place.stores.statements.get(jti)
        if held is not None and held.state == "withdrawn":  # the power went, and yet it was done
            self._truth.withdrawn[jti] = held.purged
            return
        came = self._try(
            place,
            f"withdraws {jti:.8}{' with purge' * purge}",
            lambda: place.stores.pen.withdraw(jti, purge=purge, why="", by="sim"),
        )
        if came == "done":
            self._truth.withdrawn[jti] = purge
        elif came == "lost power":
            self._truth.perhaps_withdrawn[jti] = purge

    def _tick(self, place: Place) -> None:
        def tick() -> None:
            report = place.door.tick()
            self.counts["released"] += report.released
            self.counts["widened"] += report.widened
            self.counts["withdrawn"] += report.withdrawn
            self.counts["delayed"] += report.delayed

        self._try(place, "ticks", tick)

    def _ask(self, place: Place) -> None:
        partner = self._chance.choice(place.partners)
        limit = self._chance.choice([1, 3, limits.BATCH_ENTRIES])
        self._network.send(self._now_us, place.name, partner, Ask(place.mirrors[partner].size, limit))

    def _lose_power_soon(self, place: Place) -> None:
        place.disk.lose_power_in(self._chance.randint(1, 30))

    def _fill_disk(self, place: Place) -> None:
        place.disk.fill_up_in(self._chance.randint(1, 20))
        self._mended_us[place.name] = self._now_us + self._chance.randrange(6 * HOUR_US)

    def _stop(self, place: Place) -> None:
        self._note(place.name, "is stopped")
        self.counts["stopped"] += 1
        self._down(place, 12 * HOUR_US)

    def _cut(self, place: Place) -> None:
        partner = self._chance.choice(place.partners)
        self._note(place.name, f"is cut off from {partner}")
        self.counts["cut off"] += 1
        self._network.cut(place.name, partner, self._now_us)

    def _set_clock(self, place: Place) -> None:
        by_us = self._chance.randrange(-3 * HOUR_US, 3 * HOUR_US)
        place.clock.advance(by_us)
        self.counts["clock set"] += 1
        self._note(place.name, f"sets its clock by {by_us // MINUTE_US} minutes")

    def _try(self, place: Place, what: str, act: Callable[[], object]) -> Came:
        """Do something at a node whose disk may fail while it does."""
        try:
            act()
        except PowerLost:
            self._note(place.name, f"{what}: POWER LOST")
            self.counts["power lost"] += 1
            self._down(place, HOUR_US)
            return "lost power"
        except sqlite3.OperationalError as e:
            if not place.disk.is_full:
                self._break(f"{place.name} {what}: {e}")
            self._note(place.name, f"{what}: NO ROOM")
            self.counts["no room"] += 1
            return "no room"
        self._note(place.name, what)
        return "done"

    def _down(self, place: Place, longest_us: int) -> None:
        place.stop()
        self._back_us[place.name] = self._now_us + self._chance.randrange(longest_us)

    # what arrives

    def _arrive(self, sent: Sent) -> None:
        place = self._places[sent.to]
        if not place.is_up:
            return
        if isinstance(sent.what, Ask):
            self._answer(place, sent.sender, sent.what)
        elif isinstance(sent.what, Reply):
            self._receive(place, sent.sender, sent.what)
        else:
            self._take_cosignature(place, sent.sender, sent.what)

    def _answer(self, place: Place, reader: str, ask: Ask) -> None:
        channel = place.door.reader(reader)
        if channel is None:
            self._break(f"{place.name} has no channel for {reader}")
        try:
            hostile, reply = self._hostile, Reply(channel.entries(ask.after, ask.limit))
        except NotYetError:
            return  # the reader asks again
        if hostile and place.name == hostile.name:
            hostile.keep(reader, reply.batch)
            if not self._network.calm and self._chance.random() < 0.5:
                reply = hostile.reply(reader, ask, reply.batch)
        self._network.send(self._now_us, place.name, reader, reply)

    def _receive(self, place: Place, partner: str, reply: Reply) -> None:
        mirror = place.mirrors[partner]
        before = _held(place)
        behind: list[int] = []
        what = f"takes a batch of {partner}" + f" ({reply.wrong})" * bool(reply.wrong)
        try:
            came = self._try(place, what, lambda: behind.append(mirror.receive(reply.batch).behind))
        except Refused as e:
            self._refused(place, what, reply, e.reason)
            if _held(place) != before:
                self._break(f"{place.name} {what}: refused, and what it holds has changed")
            return
        if came != "done":
            return
        self.counts["taken"] += 1
        if reply.wrong:
            self._break(f"{place.name} {what}: it was not refused")
        if behind[0]:
            ask = Ask(mirror.size, limits.BATCH_ENTRIES)
            self._network.send(self._now_us, place.name, partner, ask)
            if self._chance.random() < 0.5:  # usually one cosigns at the end; one may at any time
                return
        notes: list[bytes | None] = []
        self._try(place, f"cosigns {partner} at {mirror.size}", lambda: notes.append(mirror.cosigned()))
        for note in filter(None, notes):
            self._network.send(self._now_us, place.name, partner, Cosign(note))

    def _refused(self, place: Place, what: str, reply: Reply, reason: str) -> None:
        self._note(place.name, f"{what}: REFUSED {reason}")
        self.counts[f"refused {reply.wrong or 'doubled'}"] += 1
        # what the network doubled or held up is no longer news: nothing else honest is ever refused
        expected = reply.reasons if reply.wrong else {"replayed-entry"}
        if reason not in expected and "*" not in expected:
            self._break(f"{place.name} {what}: refused for {reason}, not for {sorted(expected)}")

    def _take_cosignature(self, place: Place, reader: str, cosigned: Cosign) -> None:
        channel = place.door.reader(reader)
        if channel is None:
            self._break(f"{place.name} has no channel for {reader}")
        came = self._try(
            place, f"takes a cosignature of {reader}", lambda: channel.cosign(cosigned.note)
        )
        if came == "done" and self._places[reader].is_up:
            self._check_applied(place, self._places[reader])

    def _check_applied(self, place: Place, reader: Place) -> None:
        """A cosignature says: received and applied, purges included. At this moment it must be so."""
        pair = place.name, reader.name
        _, applied = place.door.applied(reader.name)
        first, self._checked[pair] = self._checked[pair], max(applied, self._checked[pair])
        origin = channel_origin(place.name, self._realm, reader.name)
        for data, _ in place.stores.logs.entries(origin, first, max(applied - first, 0)):
            leaf = read_leaf(data)
            held = [s for s in reader.stores.statements.versions(leaf.id) if s.iss == place.name]
            ways = reader.stores.statements.ways([leaf.id]).get(leaf.id)
            if ways is not None or leaf.id not in self._truth.own(place.name):  # it comes by others too
                mine = [way for way in ways or () if way.via == place.name]
                wrong = isinstance(leaf, Withdraw) and any(w.ended <= leaf.purge for w in mine)
            elif isinstance(leaf, Withdraw):
                wrong = any(s.state != "withdrawn" or (leaf.purge and not s.purged) for s in held)
            else:
                # what was purged before it was ever read leaves nothing but its hash in the log
                wrong = all(s.ver != leaf.ver for s in held) and not self._truth.may_be_purged(leaf.id)
            if wrong:
                self._break(f"{reader.name} has cosigned and not applied: {data.decode()}")

    # the end

    def _heal(self) -> None:
        self._note("all", "is mended")
        self._network.mend()
        for name, place in self._places.items():
            place.disk.mend()
            if not place.is_up:
                self._places[name].start()
        self._back_us.clear()
        self._mended_us.clear()
        while (next_us := self._network.next_us()) is not None:
            self._pass_time(max(next_us - self._now_us, 0) + SECOND_US)
        for _ in NAMES:  # what arrives late is passed on later still, once for each node at most
            self._set_time(self._now_us + HEALING_US)
            self._come_to_rest()
            if all(Account(p.stores.db).next_due_us() is None for p in self._places.values()):
                return
        self._break("delays do not end")

    def _come_to_rest(self) -> None:
        for _ in range(ROUNDS):
            for place in self._places.values():
                self._tick(place)
                for partner, mirror in place.mirrors.items():
                    ask = Ask(mirror.size, limits.BATCH_ENTRIES)
                    self._network.send(self._now_us, place.name, partner, ask)
            for _ in range(4):  # question, reply, cosignature, and one to spare
                self._set_time(self._now_us + SECOND_US)
                self._pass_time(SECOND_US)
            if self._at_rest():
                return
        self._break("the network did not come to rest")

    def _at_rest(self) -> bool:
        sizes = [place.door.applied(r) for place in self._places.values() for r in place.partners]
        waiting = [place.stores.outbox.waiting() for place in self._places.values()]
        return not any(waiting) and all(size == applied for size, applied in sizes)

    def _note(self, who: str, what: str) -> None:
        self._tell(f"{iso(self._now_us // SECOND_US * SECOND_US)}  {who:3} {what}")

    def _break(self, what: str) -> NoReturn:
        raise Broken(what)


def _held(place: Place) -> int:
    """A number that changes with whatever the node holds of statements and logs."""
    db = place.stores.db.read()
    rows = db.execute("SELECT jti, ver, state, body FROM statement ORDER BY id").fetchall()
    return hash((tuple(rows), tuple(db.execute("SELECT name, frontier, checkpoint FROM log"))))


_PAUSES_US: Final = (SECOND_US, 30 * SECOND_US, 10 * MINUTE_US, 2 * HOUR_US)
_ACTS: Final[dict[Callable[[World, Place], None], float]] = {
    World._say: 4,
    World._say_more: 2,
    World._withdraw: 2,
    World._consent: 1.5,
    World._tick: 6,
    World._ask: 14,
    World._lose_power_soon: 1,
    World._fill_disk: 0.5,
    World._stop: 0.4,
    World._cut: 0.5,
    World._set_clock: 0.3,
}
"""What can happen, and how often beside the others."""
