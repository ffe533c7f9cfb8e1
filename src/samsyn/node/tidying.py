"""What a running node does every minute with the observations that it keeps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection

from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.settings import Settings
from samsyn.observations.files import folder_name
from samsyn.observations.keeping import Keeping
from samsyn.observations.store import ObservationStore
from samsyn.tracks.hours import keep_states

log = logging.getLogger("samsyn.node")

EVERY_US = 60 * SECOND_US
STATES_AT_ONCE = 8  # of full hours, each of them half a second's work for a busy feed


class Tidying:
    """marking: of a feed by its name; None for one that this node does not have. gone: called when
    rows were deleted."""

    def __init__(
        self,
        store: ObservationStore,
        settings: Settings,
        marking: Callable[[str], str | None],
        gone: Callable[[], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._marking = marking
        self._gone = gone
        self._keeping = Keeping(store, self._keep_us)

    def take(self, settings: Settings) -> None:
        """Settings that are in force from now on."""
        self._settings = settings

    def run(self, wall: Clock, clock: Clock, stop: threading.Event) -> None:
        """Until `stop`: merge files, keep what was known at each full hour, delete what is over."""
        while wall.wait_until(wall.now_us() + EVERY_US, stop):
            try:
                self.step(clock.now_us())
            except Exception:  # a full disk, perhaps: what was not done is done another time
                log.exception("observations could not be put in order; it is tried again")

    def step(self, now_us: int) -> None:
        """`now_us`: the realm's time. A clock may be put back a little: the last minute is not over."""
        if self._keeping.step(now_us).gone:
            self._gone()
        keep_states(self._store, now_us - EVERY_US, STATES_AT_ONCE)

    def _keep_us(self, folder: str, markings: Collection[str]) -> int:
        feeds = [feed for feed in self._settings.feed if folder_name(feed.name) == folder]
        keep = self._settings.keep_observations_us
        markings = {*markings, *filter(None, (self._marking(feed.name) for feed in feeds))}
        return min((keep(feed, markings) for feed in feeds), default=keep(None, markings))
