"""Feeds that bring objects, at work: a thread for each, and what the command line imports by hand."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from samsyn.base.clock import SECOND_US
from samsyn.base.errors import ConfigError, SamsynError
from samsyn.base.settings import FeedSettings, Home
from samsyn.desk.diary import NODE
from samsyn.desk.imports import ImportSource, Taken
from samsyn.feeds.objects import Reader, documents, open_reader
from samsyn.feeds.piece import BackOff
from samsyn.feeds.report import FeedReport
from samsyn.feeds.runner import discover
from samsyn.feeds.taxii_client import TaxiiClient
from samsyn.formats.foreign import Foreign, Problem, Unreadable
from samsyn.node.stores import Stores

log = logging.getLogger("samsyn.imports")

TAXII = "taxii"
_STOP_S = 10


class Importing:
    """Takes documents of one kind from one source. taken: what came of it so far; may be read at any
    time. seen: ids of all objects that came."""

    def __init__(self, stores: Stores, kind: str, source: ImportSource, *, by: str) -> None:
        """Raises `ConfigError` where kind or source cannot be."""
        source.check()
        self.source = source
        self.taken = Taken()
        self.seen: set[str] = set()
        self._stores = stores
        self._reader: Reader = open_reader(kind, stores.me)
        self._by = by

    def document(self, data: bytes | None, called: str, told: Callable[[int], None]) -> bool:
        """Take one document; None: it was too large to be read. `told` hears of objects as they are
        done. Returns whether the document could be read."""
        try:
            if data is None:
                raise Unreadable("too-large")
            found = self._each(self._reader.read(data))
            for count in self._stores.importer.take(self.source, found, by=self._by, taken=self.taken):
                told(count)
        except Unreadable as e:
            self.taken.refuse(Problem(e.reason, called, e.detail))
            return False
        return True

    def complete(self) -> None:
        """What the source gave before and did not give now is gone."""
        self._stores.importer.complete(self.source, self.seen, by=self._by, taken=self.taken)

    def collection(self, client: TaxiiClient, told: Callable[[int], None]) -> bool:
        """All that came to a collection since the last time. Returns whether it answered well."""
        importer, name = self._stores.importer, self.source.name
        try:
            for fetched in client.round(importer.place(name)):
                if not self.document(fetched.data, name, told):
                    return False
                importer.set_place(name, fetched.after)
        except Unreadable as e:
            self.taken.refuse(Problem(e.reason, name, e.detail))
            return False
        return True

    def _each(self, found: Iterable[Foreign | Problem]) -> Iterable[Foreign | Problem]:
        for one in found:
            if isinstance(one, Foreign):
                self.seen.add(one.id)
            yield one


def source_of(settings: FeedSettings) -> ImportSource:
    """What a `[[feed]]` says of the objects that it brings."""
    said: dict[str, Any] = {"marking": settings.marking} if settings.marking else {}
    return ImportSource(
        name=settings.name,
        format="misp" if settings.kind == "misp" else "stix",
        onward=settings.onward,
        category=settings.category,
        creators=frozenset(settings.creators),
        **said,
    )


def client_of(home: Home, url: str, user: str, secret: str, authority: str) -> TaxiiClient:
    """A client. secret, authority: names of files, from the home on. Raises `ConfigError`."""
    trust = None
    if authority:
        try:
            trust = ssl.create_default_context(cafile=str(home.root / authority))
        except (OSError, ssl.SSLError) as e:
            raise ConfigError(f"the certificate cannot be read: {e}", where=authority) from e
    return TaxiiClient(url, user=user, secret=_secret(home.root / secret) if secret else "", trust=trust)


def _secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"the secret cannot be read: {e}", where=str(path)) from e


class _Feed:
    """One `[[feed]]` at work."""

    def __init__(self, stores: Stores, settings: FeedSettings) -> None:
        self.settings = settings
        self.importing = Importing(stores, settings.kind, source_of(settings), by=NODE)
        self.state = "waiting"
        self.problem = ""
        self.heard_us: int | None = None
        self.report = FeedReport(settings.name, settings.kind, settings.source)
        self.stop = threading.Event()

    def shown(self, now_us: int) -> dict[str, Any]:
        """As a feed of observations is shown; the rows are objects."""
        taken = self.importing.taken
        return {
            "name": self.settings.name,
            "kind": self.settings.kind,
            "title": discover()[self.settings.kind].title,
            "state": self.state,
            "rows": sum(taken.objects.values()),
            "refused": sum(taken.refused.values()) + sum(self.report.refused.values()),
            "last_heard_us": self.heard_us,
            "problem": self.problem,
        }


class Imports:
    """The feeds of a node that bring objects."""

    def __init__(self, stores: Stores, changed: Callable[[str], None]) -> None:
        self._stores = stores
        self._changed = changed
        self._threads: list[threading.Thread] = []
        self.feeds: list[_Feed] = []

    def start(self, feeds: Sequence[FeedSettings]) -> None:
        """Raises `ConfigError` for a feed that cannot be as written."""
        for settings in feeds:
            feed = _Feed(self._stores, settings)
            self.feeds.append(feed)
            thread = threading.Thread(
                target=self._run, args=(feed,), name=f"import-{settings.name}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def remove(self, name: str) -> None:
        """Take nothing more from a feed; cheap where there is none of that name."""
        for feed in [one for one in self.feeds if one.settings.name == name]:
            feed.stop.set()
            self.feeds.remove(feed)

    def stop(self) -> None:
        for feed in self.feeds:
            feed.stop.set()
        for thread in self._threads:
            thread.join(timeout=_STOP_S)

    def _run(self, feed: _Feed) -> None:
        try:
            if feed.settings.kind == TAXII:
                self._collection(feed)
            else:
                self._documents(feed)
            feed.state = "ended"
        except SamsynError as e:
            feed.state, feed.problem = "failed", str(e)
            log.warning("feed %s: %s", feed.settings.name, e)
        except Exception as e:  # a fault in one feed must not take the node with it: shown, and logged
            feed.state, feed.problem = "failed", f"fault: {e!r}"
            log.exception("feed %s failed", feed.settings.name)
        finally:
            self._changed("feeds")

    def _documents(self, feed: _Feed) -> None:
        for data in documents(feed.settings, feed.report, self._stores.wall, feed.stop):
            self._done(feed, feed.importing.document(data, feed.settings.source, lambda _: None))

    def _collection(self, feed: _Feed) -> None:
        said, clock = feed.settings, self._stores.wall
        client = client_of(self._stores.home, said.source, said.user, said.secret, said.authority)
        wait = BackOff(clock, feed.stop)
        going = True
        try:
            while going:
                asked_us = clock.now_us()
                good = feed.importing.collection(client, lambda _: self._changed("statements"))
                self._done(feed, good)
                if good:
                    wait.reset()
                    going = clock.wait_until(asked_us + int(said.poll_s * SECOND_US), feed.stop)
                else:
                    going = wait.again()
        finally:
            client.close()

    def _done(self, feed: _Feed, good: bool) -> None:
        feed.state = "live" if good else "failed"
        problems = feed.importing.taken.problems
        feed.problem = "" if good or not problems else f"{problems[-1].reason}: {problems[-1].detail}"
        feed.heard_us = self._stores.wall.now_us() if good else feed.heard_us
        self._changed("feeds")
