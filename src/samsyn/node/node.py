"""The running node: intake, the door's ticks, a puller for each partner, and the two servers."""

from __future__ import annotations

import logging
import threading
from typing import Any

import msgspec

from samsyn.base.clock import SECOND_US, ExerciseClock
from samsyn.base.encoding import from_json
from samsyn.base.errors import ConfigError, InputError, SamsynError
from samsyn.base.settings import FeedSettings, Settings
from samsyn.channels.frame import STEP_US
from samsyn.channels.names import channel_origin
from samsyn.desk.desk import Desk, Partners
from samsyn.desk.feed_book import FeedBook
from samsyn.desk.replays import Replay
from samsyn.desk.standing import StandingOrders
from samsyn.desk.zone_book import ZoneBook
from samsyn.exchange.bell import Bell
from samsyn.exchange.card import write_whole
from samsyn.exchange.link import LinkState, explain
from samsyn.exchange.serve import partner_routes
from samsyn.feeds.objects import brings_objects
from samsyn.interfaces.kept import Kept
from samsyn.node.attachments import attaching
from samsyn.node.homes import own_card
from samsyn.node.imports import Imports
from samsyn.node.intake import REPLAYED, Intake, Source
from samsyn.node.links import Links
from samsyn.node.servers import Servers
from samsyn.node.stores import Stores
from samsyn.node.tidying import Tidying
from samsyn.node.trying import Trying
from samsyn.node.verifying import Verifying
from samsyn.observations.store import ObservationStore
from samsyn.statements.marking import MARKINGS
from samsyn.tracks.layers import Layers
from samsyn.tracks.partners import PartnerTracks
from samsyn.tracks.past import PastTracks
from samsyn.watch.definition import discover as discover_detectors
from samsyn.watch.runner import Watch
from samsyn.watch.zones import Zone, load_zones

log = logging.getLogger("samsyn.node")

TICK_S = 0.5
FRAMES_US_MIN = SECOND_US  # between two frames, however fast an exercise runs
NO_ZONES = {"type": "FeatureCollection", "features": []}


class Node:
    """One node in one realm. `start` returns when both servers listen; `stop` is prompt."""

    def __init__(self, stores: Stores, *, picture: bool = True) -> None:
        """Raises `ConfigError` where settings, zones or standing orders are wrong."""
        self.stores = stores
        self._picture = picture
        settings = stores.settings
        # the realm chosen at start is the one that everything below sees
        self._settings = msgspec.structs.replace(
            settings, node=msgspec.structs.replace(settings.node, realm=stores.realm)
        )
        self._stop = threading.Event()
        self._changes: dict[str, int] = {"statements": 0, "links": 0, "feeds": 0, "findings": 0}
        self._changes["zones"] = 0
        self._changes_lock = threading.Lock()
        self._bell = Bell()
        self._door = stores.door()
        self._retention = stores.retention()
        self.kept = Kept()  # of what is served to readers without a node
        self.policy_problem = ""
        self._standing: object = None  # policy and partners as they were taken up last
        self._pulls = False
        self._renew()
        exercise = stores.realm == "exercise"
        self._partner_tracks = PartnerTracks(stores.wall, stores.clock, exercise=exercise)
        self._pulling = Links(stores, self._partner_tracks, lambda: self._changed("statements", "links"))
        self._threads: list[threading.Thread] = []
        self._servers = Servers(stores, settings)
        zones = self._zones_path = stores.home.root / settings.watch.zones
        self._zones: list[Zone] = load_zones(zones)
        self._zones_file = from_json(zones.read_bytes()) if zones.is_file() else NO_ZONES
        self._zones_new = threading.Event()
        self._definitions = {name: d for name, (d, _) in discover_detectors().items()}
        self._markings = _markings(self._settings)
        present = {*self._markings.values(), self._settings.node.default_marking}
        self._tracks = Layers(MARKINGS, present, self._marking)
        self._observations = ObservationStore(stores.home.observations(stores.realm))
        self._past = PastTracks(self._observations)
        self._tidying = Tidying(self._observations, self._settings, self._marking, self._past.forget)
        self._intake = self._make_intake()
        self._imports = Imports(stores, self._changed)
        self._verifying = Verifying(stores)
        self._door.frames.mark(self._marking)
        self.desk = self._make_desk()

    # building

    def _renew(self) -> None:
        """Take up another policy in force, and partners that came, went or changed; cheap if none did.

        Raises `SamsynError` where a partner's card cannot be used.
        """
        stores = self.stores
        cards, waiting = stores.roster.all(), stores.waiting()
        readers = stores.tokens.all()
        if (stores.policies.version(), cards, readers, waiting) == self._standing:
            return
        self.policy_problem = self._load_policy()
        # a founding was made only now
        self._standing = (stores.policies.version(), cards, readers, waiting)
        stores.take_aside()
        if self._pulls:
            self._pulling.set([card for card in cards if card.name not in waiting])
        self._changed("links")

    def _load_policy(self) -> str:
        """Why no policy is in force, or "". Without one nothing new is released; what was released
        stays so, and can be withdrawn."""
        readers, policies = self.stores.readers(), self.stores.policies
        try:
            self.stores.found()
            version = policies.version()
            self._door.set_policy(self.stores.policy(), readers, lambda: policies.version() == version)
        except (ConfigError, InputError) as e:
            log.error("%s; nothing is released until this is mended", e)
            self._door.set_policy(None, readers)  # what is signed meanwhile waits
            return str(e)
        return ""

    def _release_nothing(self, problem: str) -> None:
        if problem != self.policy_problem:
            log.error("%s; nothing is released until this is mended", problem)
        self.policy_problem, self._standing = problem, None
        self._door.close()

    def _new_watch(self) -> Watch:
        names = self._settings.watch.detectors or tuple(self._definitions)
        return Watch(names, zones=self._zones)

    def _take_feeds(self, new: Settings) -> None:
        """Feeds as they are set from now on: what changed is stopped, and started as it is now."""
        before = {feed.name: feed for feed in self._settings.feed}
        now = {feed.name: feed for feed in new.feed}
        self._settings = self.desk.settings = new
        # a feed that is gone stays as closed as it was: rows of it may be on their way
        self._markings.update(_markings(new))
        self._tidying.take(new)
        for name in sorted(before.keys() | now.keys()):
            old, feed = before.get(name), now.get(name)
            if old == feed:
                continue
            if old is not None:
                self._stop_feed(old)
            if feed is not None and not feed.suspended:
                self._start_feed(feed)
        self._changed("feeds")

    def _stop_feed(self, feed: FeedSettings) -> None:
        self._imports.remove(feed.name) if brings_objects(feed.kind) else self._intake.remove(feed.name)

    def _start_feed(self, feed: FeedSettings) -> None:
        self._imports.start([feed]) if brings_objects(feed.kind) else self._intake.add(feed)

    def _take_zones(self, zones: list[Zone], collection: dict[str, Any]) -> None:
        """On the map at once; in the watch when a new one has caught up."""
        self._zones, self.desk.zones = zones, collection
        self._changed("zones")
        self._zones_new.set()

    def _watch_anew_on(self) -> None:
        clock = self.stores.clock
        while not self._stop.is_set():
            if self._zones_new.wait(TICK_S):
                self._zones_new.clear()
                self._intake.watch_anew(clock.now_us(), self._settings.watch.warm_us())

    def _make_intake(self) -> Intake:
        stores = self.stores
        orders = StandingOrders(
            stores.db, self._settings.standing_order, self._definitions, stores.findings, stores.pen
        )
        clock = stores.clock
        return Intake(
            originator=stores.me,
            exercise=stores.realm == "exercise",
            clock=clock,
            wall=stores.wall,
            begin_us=self._settings.exercise.start_us() or clock.now_us(),
            tracks=self._tracks,
            heard=self._door.frames.take,
            store=self._observations,
            marking=self._marking,
            new_watch=self._new_watch,
            orders=orders,
            counted=stores.tallies.put,
            changed=self._changed,
        )

    # running

    def start(self) -> None:
        """Raises `ConfigError` where an address is taken or another node runs on this home."""
        stores = self.stores
        stores.take_lock()
        stores.replays.abandon()
        self._warm()
        self._serve()
        self._standing, self._pulls = None, True
        self._renew()
        feeds = tuple(feed for feed in self._settings.feed if not feed.suspended)
        self._intake.start(tuple(f for f in feeds if not brings_objects(f.kind)))
        self._imports.start([f for f in feeds if brings_objects(f.kind)])
        self._run(self._tick_on, "door")
        self._run(self._cut_on, "frames")
        self._run(self._watch_anew_on, "zones")
        self._run(lambda: self._tidying.run(stores.wall, stores.clock, self._stop), "tidying")

    def stop(self) -> None:
        self._stop.set()
        self._intake.stop()
        self._imports.stop()
        self._verifying.stop()
        self._servers.stop()
        self._pulling.stop()
        for thread in self._threads:
            thread.join(timeout=10)
        self.stores.refused.flush(all_of_them=True)
        self.stores.close()

    def _run(self, work: Any, name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _warm(self) -> None:
        """A restart must not forget a ship that has drifted since yesterday."""
        stores = self.stores
        now_us, span_us = stores.clock.now_us(), self._settings.watch.warm_us()
        self._intake.warm(tuple(f for f in self._settings.feed if not f.suspended), now_us, span_us)

    def _serve(self) -> None:
        partners = partner_routes(
            self._door.reader,
            self.stores.roster,
            self.stores.wall,
            own_card(self.stores.home),
            realm=self.stores.realm,
            bell=self._bell,
            cosigned=lambda: self._changed("links", "statements"),
            refused=self.stores.refused.note,
        )
        self._servers.partners(partners, on_stop=self._bell.close)
        if self._picture:
            self._servers.picture(self.desk)
        self._servers.readers(self._door.reader, self.kept)

    def addresses(self) -> dict[str, str]:
        """Where partners reach this node; its picture and readers without a node, if served."""
        return self._servers.addresses()

    def _tick_on(self) -> None:
        """Twice a second: what is queued is decided, written and announced."""
        while not self._stop.wait(TICK_S):
            try:
                self.tick()
                asked = self.stores.replays.take()
                if asked:
                    self._run(lambda a=asked: self._replay(a), "replay")
            except Exception:  # the door must go on; what was not done stays queued and is retried
                log.exception("a tick of the door failed; it is tried again")

    def tick(self) -> None:
        """Decide and write what waits; wake the partners that got something."""
        try:
            self._renew()
        except SamsynError as e:  # a card that cannot be read: who may have what is not known
            self._release_nothing(str(e))
        if self._retention.step().expired:
            self._door.scrub()
            self.kept.forget()
            self._changed("statements")
        report = self._door.tick()
        if report.ended:
            self.kept.forget(report.ended)
        self.stores.refused.flush()
        self.stores.forget()
        if report.entries:
            self._bell.ring()
        if report.entries or report.decided:
            self._changed("statements", "links")

    def _cut_on(self) -> None:
        """At every step of the clock a frame of live tracks for each reader, whatever was heard."""
        frames, clock, wall = self._door.frames, self.stores.clock, self.stores.wall
        going = True
        while going:
            began_us = wall.now_us()
            try:
                if frames.cut():
                    self._bell.ring()
            except Exception:  # the next step must come; until then the last frames stand
                log.exception("the frames of live tracks could not be cut")
            wall.wait_until(began_us + FRAMES_US_MIN, self._stop)
            going = clock.wait_until((clock.now_us() // STEP_US + 1) * STEP_US, self._stop)

    def _marking(self, feed: str) -> str | None:
        """That of a feed's live tracks; None for a feed that this node does not have."""
        if any(source.settings.name == feed for source in list(self._intake.sources)):
            return self._markings.get(feed, self._settings.node.default_marking)
        return self._markings.get(feed)

    # replay

    def _replay(self, asked: Replay) -> None:
        """Play a recording into this node at the speed asked for; exercise realm only."""
        replays, clock = self.stores.replays, self.stores.clock
        if not isinstance(clock, ExerciseClock):
            why = "a recording may only be replayed in the exercise realm (samsyn up --realm exercise)"
            replays.note(asked.id, "failed", 0.0, 0, 0, why)
            return
        usual = clock.speed
        clock.set_speed(asked.speed)
        try:
            feed = FeedSettings(name=f"{REPLAYED}{asked.id}", kind=asked.kind, source=asked.source)
            self._markings[feed.name] = asked.marking or self._settings.node.default_marking
            source = self._intake.add(feed)
            while not source.done.wait(TICK_S) and not self._stop.is_set():
                self._note_replay(asked.id, source, "running")
            self._note_replay(asked.id, source, "failed" if source.state == "failed" else "done")
        except SamsynError as e:
            replays.note(asked.id, "failed", 0.0, 0, 0, str(e))
        finally:
            clock.set_speed(usual)

    def _note_replay(self, replay_id: int, source: Source, state: str) -> None:
        shown = source.shown(self.stores.clock.now_us())
        self.stores.replays.note(
            replay_id, state, source.progress, source.rows, shown["refused"], source.problem
        )

    # what the desk asks

    def _make_desk(self) -> Desk:
        stores = self.stores
        return Desk(
            self._settings,
            clock=stores.clock,
            wall=stores.wall,
            door=self._door,
            statements=stores.statements,
            earlier=stores.earlier(self._door),
            findings=stores.findings,
            tallies=stores.tallies,
            pen=stores.pen,
            asking=stores.asking,
            attaching=attaching(stores),
            notices=stores.notices,
            diary=stores.diary,
            handling=stores.handling,
            releases=stores.releases(),
            verified=stores.verified,
            check=self._verifying,
            saved=stores.saved,
            review=stores.review(self._door),
            tracks=self._tracks,
            partner_tracks=self._partner_tracks,
            past=self._past,
            zones=self._zones_file,
            feed_book=self._make_feed_book(),
            try_feed=Trying(stores.wall, exercise=stores.realm == "exercise").run,
            zone_book=ZoneBook(self._zones_path, stores.diary, write_whole, self._take_zones),
            definitions=self._definitions,
            partners=self._partners,
            feeds=self._feeds,
            links=self._links,
            versions=self._versions,
        )

    def _make_feed_book(self) -> FeedBook:
        stores = self.stores
        return FeedBook(
            stores.home,
            lambda: self._settings,
            stores.diary,
            write_whole,
            self._take_feeds,
            exercise=stores.realm == "exercise",
        )

    def _partners(self) -> Partners:
        stores = self.stores
        cards = stores.roster.all()
        keys = {name: key.public_bytes_raw() for name, key in stores.statement_keys().items()}
        organisations = {card.name: card.organisation for card in cards}
        organisations |= {reader.name: reader.organisation for reader in stores.tokens.all()}
        organisations[stores.me] = self._settings.node.organisation
        return Partners(organisations, keys)

    def _feeds(self) -> list[dict[str, Any]]:
        now_us = self.stores.wall.now_us()
        shown = [source.shown(now_us) for source in list(self._intake.sources)]
        return shown + [feed.shown(now_us) for feed in self._imports.feeds]

    def _links(self) -> list[dict[str, Any]]:
        made = []
        for card in self.stores.roster.all():
            state = self._link_state(card.name)
            if state is None:
                continue
            made.append(
                {
                    "partner": card.name,
                    "organisation": card.organisation,
                    "state": state.state,
                    "last_heard_us": state.last_heard_us,
                    **msgspec.structs.asdict(self._door.figures(card.name)),
                    "received": state.applied_size,
                    "refused": state.refused,
                }
            )
        return made

    def _link_state(self, partner: str) -> LinkState | None:
        """None for a card that was not taken up yet."""
        standing = self.stores.roster.standing(partner)
        puller = self._pulling.puller(partner)
        if standing is not None:
            received = self.stores.logs.size(channel_origin(partner, self.stores.realm, self.stores.me))
            state = LinkState(partner=partner, applied_size=received)
            reason: str | None = standing.state
        elif puller is None:
            return None
        else:
            state = puller.state()
            reason = None if state.refused else self._pulling.refused_tracks(partner)
        if not reason:
            return state
        en, sv = explain(reason)
        return msgspec.structs.replace(state, state="refused", refused_reason=reason, en=en, sv=sv)

    def link(self, partner: str) -> dict[str, Any]:
        """How the link with one partner stands. Raises `StopIteration` for a stranger."""
        return next(link for link in self._links() if link["partner"] == partner)

    def _changed(self, *what: str) -> None:
        with self._changes_lock:
            for name in what:
                self._changes[name] += 1

    def _versions(self) -> dict[str, int]:
        with self._changes_lock:
            versions = dict(self._changes)
        versions["statements"] += self.stores.handling.changes
        return versions


def _markings(settings: Settings) -> dict[str, str]:
    """The marking of each feed's live tracks. Raises `ConfigError` for one that is none."""
    made = {feed.name: feed.marking or settings.node.default_marking for feed in settings.feed}
    said = [(f"feed {feed}", marking) for feed, marking in made.items()]
    said += [("store.keep_marked", marking) for marking in settings.store.keep_marked]
    for where, marking in said:
        if marking not in MARKINGS:
            raise ConfigError(
                f"{marking!r} is no marking",
                where=f"config.toml: {where}",
                do="use " + ", ".join(MARKINGS),
            )
    return made
