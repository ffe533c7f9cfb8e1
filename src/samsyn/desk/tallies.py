"""The counts behind the picture's layers: what each feed heard in each place, span by span."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from samsyn.base.clock import DAY_US
from samsyn.base.database import Database
from samsyn.base.limits import TALLY_DAYS
from samsyn.watch.tally import Layer, Tally, named

SCHEMA = """
CREATE TABLE IF NOT EXISTS tallies (
  layer TEXT NOT NULL, begin_us INTEGER NOT NULL, place TEXT NOT NULL, domain TEXT NOT NULL,
  feed TEXT NOT NULL, figures BLOB NOT NULL,
  PRIMARY KEY (layer, begin_us, place, domain, feed)
) WITHOUT ROWID;
"""


class TallyStore:
    """The newest tally of each layer, span, place, domain and feed. They never leave home."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._newest_us = 0

    def put(self, tallies: Iterable[Tally]) -> None:
        """Keep them, in place of earlier ones of the same span; forget what is older than
        `limits.TALLY_DAYS` days before the newest."""
        rows = [
            (t.layer, t.begin_us, t.place, t.domain, t.feed, msgspec.json.encode(t.figures))
            for t in tallies
        ]
        if not rows:
            return
        with self._db.write() as db:
            db.executemany("INSERT OR REPLACE INTO tallies VALUES (?,?,?,?,?,?)", rows)
            newest_us = max(row[1] for row in rows)
            if newest_us > self._newest_us:
                self._newest_us = newest_us
                db.execute("DELETE FROM tallies WHERE begin_us < ?", (newest_us - TALLY_DAYS * DAY_US,))

    def spans(self, layer: Layer, feeds: Iterable[str]) -> list[int]:
        """When the spans begin of which there are tallies that rest on these feeds alone, newest
        first."""
        rows = self._db.read().execute(
            "SELECT DISTINCT begin_us, feed FROM tallies WHERE layer=? ORDER BY begin_us DESC", (layer,)
        )
        known = set(feeds)
        return list(dict.fromkeys(begin_us for begin_us, feed in rows if known.issuperset(named(feed))))

    def of(self, layer: Layer, begin_us: int, feeds: Iterable[str]) -> list[Tally]:
        """The tallies of a span that rest on these feeds alone, in order of place, domain and feed."""
        rows = self._db.read().execute(
            "SELECT place, domain, feed, figures FROM tallies WHERE layer=? AND begin_us=? "
            "ORDER BY place, domain, feed",
            (layer, begin_us),
        )
        known = set(feeds)
        return [
            Tally(
                layer=layer,
                begin_us=begin_us,
                place=place,
                domain=domain,
                feed=feed,
                figures=msgspec.json.decode(figures),
            )
            for place, domain, feed, figures in rows
            if known.issuperset(named(feed))
        ]
