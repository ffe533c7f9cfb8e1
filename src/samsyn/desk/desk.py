"""The desk: the one object behind the home tree. What a reader can reach never holds it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from samsyn import __version__
from samsyn.base.clock import MINUTE_US, Clock, ExerciseClock
from samsyn.base.limits import FAILED_SIGN_INS_WRITTEN_PER_MINUTE
from samsyn.base.settings import FeedSettings, Settings
from samsyn.channels.door import Door
from samsyn.desk.asking import Asking
from samsyn.desk.attaching import Attaching
from samsyn.desk.diary import Diary
from samsyn.desk.drafts import ReportForm
from samsyn.desk.earlier import Earlier
from samsyn.desk.feed_book import FeedBook
from samsyn.desk.findings import FindingStore
from samsyn.desk.handling import HandlingStore
from samsyn.desk.pen import Pen
from samsyn.desk.released import Releases
from samsyn.desk.review import Review
from samsyn.desk.saved import SavedViews
from samsyn.desk.tallies import TallyStore
from samsyn.desk.verified import Check, Verified
from samsyn.desk.zone_book import ZoneBook
from samsyn.statements.store import StatementStore
from samsyn.tracks.layers import Layers
from samsyn.tracks.partners import PartnerTracks
from samsyn.tracks.past import PastTracks
from samsyn.watch.definition import Definition

__all__ = ["Desk", "ReportForm"]


class Partners(msgspec.Struct, frozen=True):
    """What the desk shows of partners: organisation and statement key by node name, ourselves too."""

    organisations: Mapping[str, str]
    keys: Mapping[str, bytes]


class Desk:
    """What the organisation's own people see and do, in one realm: each at a seat of their own.

    The parts that it is made of are for seats, not for routes: what a route shows a person goes
    through a `seat.Seat`, where role and clearance are asked for.

    feeds, links, notices, partners and versions are the node's to tell: what stands above the desk is
    asked for, not imported. versions: a counter for each list, so that a page knows what to fetch
    again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        wall: Clock,
        door: Door,
        statements: StatementStore,
        earlier: Earlier,
        findings: FindingStore,
        tallies: TallyStore,
        pen: Pen,
        asking: Asking,
        attaching: Attaching,
        notices: Callable[[], list[dict[str, Any]]],
        diary: Diary,
        handling: HandlingStore,
        releases: Releases,
        verified: Verified,
        check: Check,
        saved: SavedViews,
        review: Review,
        tracks: Layers,
        partner_tracks: PartnerTracks,
        past: PastTracks,
        zones: dict[str, Any],
        zone_book: ZoneBook,
        feed_book: FeedBook,
        try_feed: Callable[[FeedSettings], dict[str, Any]],
        definitions: Mapping[str, Definition],
        partners: Callable[[], Partners],
        feeds: Callable[[], list[dict[str, Any]]],
        links: Callable[[], list[dict[str, Any]]],
        versions: Callable[[], dict[str, int]],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.wall = wall
        self.door = door
        self.statements = statements
        self.earlier = earlier
        self.findings = findings
        self.tallies = tallies
        self.pen = pen
        self.asking = asking
        self.attaching = attaching
        self.notices = notices
        self.diary = diary
        self.handling = handling
        self.releases = releases
        self.verified = verified
        self.check = check
        self.saved = saved
        self.review = review
        self.tracks = tracks
        self.partner_tracks = partner_tracks
        self.past = past
        self.zones = zones
        self.zone_book = zone_book
        self.feed_book = feed_book
        self.try_feed = try_feed
        self.definitions = definitions
        self.partners = partners
        self.feeds = feeds
        self.links = links
        self.versions = versions
        self._failed = deque[int]()
        self._unwritten = 0
        self._failed_lock = threading.Lock()

    @property
    def name(self) -> str:
        """This node's."""
        return self.settings.node.name

    def now_us(self) -> int:
        return self.clock.now_us()

    def speed(self) -> float:
        return self.clock.speed if isinstance(self.clock, ExerciseClock) else 1.0

    def health(self) -> dict[str, Any]:
        node = self.settings.node
        return {"ok": True, "node": node.name, "realm": node.realm, "version": __version__}

    def sign_in_failed(self, user: str, now_us: int) -> None:
        """Write it down, so many a minute at most: who guesses must not fill the diary.

        user: an account's name, or "" for a name that is none (people type passwords there).
        """
        with self._failed_lock:
            while self._failed and self._failed[0] <= now_us - MINUTE_US:
                self._failed.popleft()
            if len(self._failed) >= FAILED_SIGN_INS_WRITTEN_PER_MINUTE:
                self._unwritten += 1
                return
            self._failed.append(now_us)
            unwritten, self._unwritten = self._unwritten, 0
        self.diary.write(user or "unknown user", "sign-in-failed", unwritten_before=unwritten)
