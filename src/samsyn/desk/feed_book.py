"""The feeds that an administrator sets in the picture, in `feeds.toml` of the home.

What `config.toml` names can be suspended here and taken up again, not changed. A feed set here is never
marked more openly than the node's usual marking, nor more openly than it was: what it brings would then
be released by rules that two persons approved for less.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from samsyn.base.clock import parse_span
from samsyn.base.errors import InputError, LimitError, SamsynError
from samsyn.base.ids import is_node_name
from samsyn.base.limits import FEEDS
from samsyn.base.settings import FeedSettings, FeedsFile, Home, Settings, to_toml_value
from samsyn.desk.diary import Diary
from samsyn.feeds.runner import discover
from samsyn.feeds.source import check_source
from samsyn.statements.marking import MARKINGS, rank

HIDDEN: Final = "?…"  # what stands for the query of an address: keys are kept there
FIELDS: Final = ("name", "kind", "source", "marking", "date", "utc_offset", "keep")
_SECONDS: Final = ("poll_s", "silent_after_s")
_SECONDS_MAX: Final = 86_400.0

Act = Literal["suspend", "resume", "remove"]


class FeedForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A feed as the page has it: `FeedSettings` without what only files can say."""

    name: str = ""
    kind: str = ""
    source: str = ""
    marking: str = ""
    date: str = ""
    utc_offset: str = ""
    keep: str = ""
    poll_s: float = 5.0
    silent_after_s: float = 60.0

    @classmethod
    def read(cls, body: Any) -> FeedForm:
        """Raises `InputError`."""
        try:
            return msgspec.convert(body, cls)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="feed") from e


class FeedStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a feed that is there."""

    name: str
    act: Act

    @classmethod
    def read(cls, body: Any) -> FeedStep:
        """Raises `InputError`."""
        try:
            return msgspec.convert(body, cls)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="feed") from e


class FeedBook:
    """save: writes a file whole or not at all. taken: takes settings into force."""

    def __init__(
        self,
        home: Home,
        settings: Callable[[], Settings],
        diary: Diary,
        save: Callable[[Path, bytes], None],
        taken: Callable[[Settings], None],
        *,
        exercise: bool,
    ) -> None:
        self._home = home
        self._settings = settings
        self._diary = diary
        self._save = save
        self._taken = taken
        self._exercise = exercise
        self._lock = threading.Lock()

    def told(self, markings: frozenset[str]) -> dict[str, Any]:
        """The feeds of these markings; here: whether it was set here and can be changed here."""
        here = {feed.name for feed in self._home.feeds().feed}
        settings = self._settings()
        usual = settings.node.default_marking
        feeds = []
        for feed in self._as_written(settings):
            if (feed.marking or usual) in markings:
                told = {name: getattr(feed, name) for name in (*FIELDS, *_SECONDS, "suspended")}
                told["source"] = shown_source(feed.source)
                feeds.append({**told, "here": feed.name in here})
        kinds = [
            {"name": kind.name, "title": kind.title, "sources": self._sources(kind.sources)}
            for kind in discover().values()
            if self._settable(kind.name)
        ]
        usable = [m for m in MARKINGS if m in markings and rank(m) >= rank(usual)]
        return {"feeds": feeds, "kinds": kinds, "markings": usable, "usual": usual}

    def wrong(self, form: FeedForm, markings: frozenset[str]) -> dict[str, str]:
        """What is wrong with a feed, by its field; nothing where nothing is."""
        return dict(self._faults(form, self._feed(form), markings))

    def settings_of(self, form: FeedForm) -> FeedSettings:
        """As the node would read it. Raises `ConfigError`."""
        feed = self._feed(form)
        return msgspec.structs.replace(feed, source=self._home.source_here(feed.source))

    def put(self, form: FeedForm, by: str, markings: frozenset[str]) -> dict[str, str]:
        """Add a feed, or change one that was set here; in force at once, and in the diary. Returns what
        is wrong: then nothing was done. Raises `InputError`, `LimitError`."""
        with self._lock:
            wrong = self.wrong(form, markings)
            if wrong:
                return wrong
            now, feed = self._home.feeds(), self._feed(form)
            others = tuple(one for one in now.feed if one.name != feed.name)
            did = "feed-added" if len(others) == len(now.feed) else "feed-changed"
            if did == "feed-added" and len(self._settings().feed) >= FEEDS:
                raise LimitError(f"more than {FEEDS} feeds")
            self._write(msgspec.structs.replace(now, feed=(*others, feed)), did, feed, by)
            return {}

    def step(self, step: FeedStep, by: str, markings: frozenset[str]) -> None:
        """Suspend a feed, take it up again, or remove one that was set here. Raises `InputError`."""
        with self._lock:
            now = self._home.feeds()
            usual = self._settings().node.default_marking
            feed = next((f for f in self._as_written(self._settings()) if f.name == step.name), None)
            if feed is None or (feed.marking or usual) not in markings:
                raise InputError(f"there is no feed {step.name!r}", do="look at the list again")
            here = any(one.name == step.name for one in now.feed)
            replace = msgspec.structs.replace
            if step.act == "remove":
                if not here:
                    raise InputError(
                        "this feed is named in config.toml", do="suspend it here, or take it out there"
                    )
                removed = {**now.removed, step.name: feed.marking or usual}
                others = tuple(one for one in now.feed if one.name != step.name)
                now = replace(now, feed=others, removed=removed)
            elif here:
                changed = replace(feed, suspended=step.act == "suspend")
                now = replace(now, feed=tuple(changed if f.name == step.name else f for f in now.feed))
            else:
                names = {*now.suspended} - {step.name} | (
                    {step.name} if step.act == "suspend" else set()
                )
                now = replace(now, suspended=tuple(sorted(names)))
            self._write(now, _DID[step.act], feed, by)

    def _write(self, file: FeedsFile, did: str, feed: FeedSettings, by: str) -> None:
        settings = self._settings()
        here = {one.name for one in self._home.feeds().feed}
        plain = tuple(
            msgspec.structs.replace(
                f, suspended=f.suspended and f.name not in self._home.feeds().suspended
            )
            for f in settings.feed
            if f.name not in here
        )
        new = self._home.with_feeds(msgspec.structs.replace(settings, feed=plain), file)
        self._diary.write(
            by,
            did,
            feed=feed.name,
            kind=feed.kind,
            source=shown_source(feed.source),
            marking=feed.marking or settings.node.default_marking,
        )
        self._save(self._home.feeds_file, _toml(file))
        self._taken(new)

    def _as_written(self, settings: Settings) -> list[FeedSettings]:
        """All feeds, those set here with their sources as they were typed."""
        here = {feed.name: feed for feed in self._home.feeds().feed}
        return [here.get(feed.name, feed) for feed in settings.feed]

    def _feed(self, form: FeedForm) -> FeedSettings:
        values = msgspec.structs.asdict(form)
        before = next((f for f in self._home.feeds().feed if f.name == form.name), None)
        if before is not None:
            values["suspended"] = before.suspended
            if form.source == shown_source(before.source):  # nobody typed the hidden part again
                values["source"] = before.source
        return FeedSettings(**values)

    def _faults(
        self, form: FeedForm, feed: FeedSettings, markings: frozenset[str]
    ) -> list[tuple[str, str]]:
        settings = self._settings()
        before = next((f for f in self._home.feeds().feed if f.name == form.name), None)
        taken = before is None and any(f.name == form.name for f in settings.feed)
        found: list[tuple[str, str]] = []
        if not is_node_name(form.name) or form.name.startswith("replay-"):
            found.append(("name", "lower-case letters, digits and -, at most 31"))
        elif taken or form.name in settings.removed:
            found.append(("name", "another feed has this name, or had it"))
        found += self._wrong_marking(form.marking, before, settings.node.default_marking, markings)
        if not self._settable(form.kind):
            found.append(("kind", "there is no such kind to be set here"))
        else:
            found += self._wrong_source(feed)
        for name, read in (("date", feed.date_us), ("utc_offset", feed.utc_offset_us)):
            found += _said(name, read)
        if feed.keep:
            found += _said("keep", lambda: parse_span(feed.keep))
        for name in _SECONDS:
            if not 1.0 <= getattr(feed, name) <= _SECONDS_MAX:
                found.append((name, f"1 to {_SECONDS_MAX:.0f} seconds"))
        return found

    def _wrong_marking(
        self, marking: str, before: FeedSettings | None, usual: str, markings: frozenset[str]
    ) -> list[tuple[str, str]]:
        if (marking or usual) not in markings:
            return [("marking", "this account is not cleared for it, or it is none")]
        least = rank(usual) if before is None else max(rank(usual), rank(before.marking or usual))
        if rank(marking or usual) < least:
            return [("marking", "more open than it was, or than this node's usual marking")]
        return []

    def _wrong_source(self, feed: FeedSettings) -> list[tuple[str, str]]:
        kind, scheme = discover()[feed.kind], feed.source.partition(":")[0]
        plain = scheme.replace("https", "http").removesuffix("-listen")
        if len(feed.source) > 500 or plain not in self._sources(kind.sources):
            return [("source", f"this kind comes by {', '.join(self._sources(kind.sources))}")]
        if plain == "http":
            try:
                parts = urlsplit(feed.source)
                if not parts.hostname or "@" in parts.netloc or parts.port == 0:
                    return [("source", "an address without a name and password in it")]
            except ValueError as e:
                return [("source", str(e))]
        found = _said("source", lambda: check_source(self._home.source_here(feed.source)))
        return found or _said("date", lambda: kind.decoder(feed))

    def _settable(self, name: str) -> bool:
        """What needs tables or secrets of its own is set in the file; made-up traffic not in earnest."""
        kind = discover().get(name)
        if kind is None or kind.brings != "rows" or name == "table":
            return False
        return self._exercise or not kind.exercise_only

    def _sources(self, sources: tuple[str, ...]) -> list[str]:
        return [source for source in sources if source != "extract"]


_DID: Final[dict[Act, str]] = {
    "suspend": "feed-suspended",
    "resume": "feed-resumed",
    "remove": "feed-removed",
}


def shown_source(source: str) -> str:
    """A source as it is shown and noted: without an address's query, which may hold a key."""
    if not source.startswith(("http:", "https:")) or not (set("?#") & set(source)):
        return source
    return source.replace("#", "?").partition("?")[0] + HIDDEN


def _said(field: str, read: Callable[[], Any]) -> list[tuple[str, str]]:
    try:
        read()
    except SamsynError as e:
        return [(field, e.what)]
    except (ValueError, OSError) as e:
        return [(field, str(e))]
    return []


def _toml(file: FeedsFile) -> bytes:
    lines = ["# Set in the picture (Settings). Each change is in the audit log.", ""]
    if file.suspended:
        lines += [f"suspended = {to_toml_value(file.suspended)}", ""]
    for feed in file.feed:
        lines.append("[[feed]]")
        for name in (*FIELDS, *_SECONDS, "suspended"):
            value = getattr(feed, name)
            if value not in ("", False):
                lines.append(f"{name} = {to_toml_value(value)}")
        lines.append("")
    if file.removed:
        lines.append("[removed]")
        lines += [f"{name} = {to_toml_value(marking)}" for name, marking in file.removed.items()]
    return ("\n".join(lines) + "\n").encode()
