"""What a person may see of the past: the feeds that the clearance covers, then and now."""

from __future__ import annotations

from samsyn.base.settings import Settings
from samsyn.desk.rights import cleared
from samsyn.tracks.past import Sight


def sight_of(settings: Settings, clearance: str) -> Sight:
    """A row is seen where its feed's marking was covered when it came in and is covered today."""
    markings = cleared(clearance)
    usual = settings.node.default_marking
    closed = (feed.name for feed in settings.feed if (feed.marking or usual) not in markings)
    gone = (name for name, marking in settings.removed.items() if marking not in markings)
    return Sight(markings, frozenset((*closed, *gone)))
