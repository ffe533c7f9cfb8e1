"""A node's home folder and its `config.toml`.

HOME/
  config.toml      this organisation's settings
  policy.toml      its release policy
  zones.geojson    its zones (optional)
  feeds.toml       feeds set in the picture (optional); feeds/ holds the files that these may read
  accounts.toml    who may sign in (password hashes)
  keys/            private keys and the TLS certificate, readable by the owner only
  partners/        one card a partner
  readers.toml     readers without a node (hashes of their tokens)
  actual/          store of the actual realm: ledger.sqlite, observations/
  exercise/        store of the exercise realm; the two never meet
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import msgspec

from samsyn.base.clock import HOUR_US, MINUTE_US, parse_iso, parse_span
from samsyn.base.errors import ConfigError
from samsyn.base.ids import is_node_name

Realm = Literal["actual", "exercise"]


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings refuse what they do not know: a misspelt key must not pass in silence."""


class NodeSettings(Struct, frozen=True):
    """`[node]`: who this is, and where it listens."""

    name: str  # short name, lower case: "dk"
    organisation: str
    realm: Realm = "actual"
    home_listen: str = "127.0.0.1:8440"  # the picture and the home API
    exchange_listen: str = "127.0.0.1:8441"  # partners, HTTPS
    readers_listen: str = ""  # readers without a node, HTTPS; empty: not served
    readers_certificate: str = ""  # for these: PEM that names an address; empty: the node's own
    readers_key: str = ""  # its key, PEM; empty: in the same file
    tak_listen: str = ""  # TAK clients among them, Cursor on Target over TLS; empty: not served
    exchange_address: str = ""  # what partners are told, if it differs ("host:port")
    languages: tuple[str, ...] = ("en", "sv")
    default_marking: str = "TLP:AMBER"


class ExerciseSettings(Struct, frozen=True):
    """How time runs in the exercise realm; the actual realm has the machine's clock."""

    start: str = ""  # RFC 3339, the exercise's own time at its beginning; empty: now
    began: str = ""  # RFC 3339, the real time of that beginning; empty: when the node starts
    speed: float = 1.0

    def start_us(self) -> int | None:
        return parse_iso(self.start) if self.start else None

    def began_us(self) -> int | None:
        return parse_iso(self.began) if self.began else None


class FeedSettings(Struct, frozen=True):
    """One `[[feed]]`: where its bytes come from, and what they themselves do not say."""

    name: str  # stands beside every row that it brings
    kind: str  # a folder of feeds/
    source: str  # file:PATH, tcp:HOST:PORT, tcp-listen:HOST:PORT, udp:HOST:PORT, http(s)://...
    date: str = ""  # "2013-11-12", or with a time: for a recording that carries no date
    utc_offset: str = ""  # "+02:00": for a source that writes local times
    columns: dict[str, str] = {}  # for kind table: ours = "THEIRS"
    units: dict[str, str] = {}  # for kind table: ours = unit of theirs; time: s, ms, us or a format
    ignore: tuple[str, ...] = ()  # for kind table: their columns that are left
    sites: dict[str, tuple[float, ...]] = {}  # radars by "SAC/SIC": latitude, longitude, metres
    poll_s: float = 5.0  # for http
    silent_after_s: float = 60.0  # the feed itself counts as silent after this long
    keep: str = ""  # how long its observations are kept; empty: as [store] says
    marking: str = ""  # of its live tracks, empty: node.default_marking; of objects, empty: TLP:RED
    onward: Literal["no", "ask", "circle", "free"] = "no"  # of statements made of its objects
    category: str = "cyber"  # what its objects are about: a subject
    creators: tuple[str, ...] = ()  # whose objects this source may bring; empty: anybody's
    user: str = ""  # for taxii: with `secret`; without, the secret is a bearer token
    secret: str = ""  # for taxii: a file in the home that holds the password or token
    authority: str = ""  # for taxii: a file in the home with the certificate to trust; else the system's
    suspended: bool = False  # it stays named, and nothing is taken from it
    begin: str = ""  # exercise only: span after the exercise's start at which a recording begins

    @property
    def live(self) -> bool:
        """Whether bytes come as they are made, so that our own clock says something about them."""
        return self.source.partition(":")[0] not in ("file", "extract")

    def date_us(self) -> int | None:
        """When the setting `date` says that a recording begins. Raises `ConfigError`."""
        try:
            whole = self.date if "T" in self.date else f"{self.date}T00:00:00Z"
            return parse_iso(whole) if self.date else None
        except ValueError as e:
            where = f"feed {self.name}"
            raise ConfigError(
                f"{self.date!r} is no date", where=where, do="write it as 2013-11-12"
            ) from e

    def utc_offset_us(self) -> int:
        """How far the source's clock is ahead of UTC. Raises `ConfigError`."""
        found = re.fullmatch(r"([+-])(\d\d):([0-5]\d)", self.utc_offset or "+00:00")
        if not found:
            where = f"feed {self.name}"
            raise ConfigError(
                f"{self.utc_offset!r} is no difference to UTC", where=where, do="write it as +02:00"
            )
        ahead_us = int(found[2]) * HOUR_US + int(found[3]) * MINUTE_US
        return -ahead_us if found[1] == "-" else ahead_us

    def checked_sites(self) -> dict[str, tuple[float, ...]]:
        """`sites`, each with two numbers or three. Raises `ConfigError`."""
        for name, place in self.sites.items():
            if len(place) not in (2, 3) or abs(place[0]) > 90 or abs(place[1]) > 180:
                raise ConfigError(
                    f"the place of {name!r} is none",
                    where=f"feed {self.name}",
                    do="write latitude, longitude and, if known, metres above sea: [55.6, 12.6, 40]",
                )
        return self.sites


class FeedsFile(Struct, frozen=True):
    """`feeds.toml`: what was set in the picture. suspended: feeds of `config.toml`. removed: markings
    of feeds that were there, by name: what came by them stays as closed as it was."""

    feed: tuple[FeedSettings, ...] = ()
    suspended: tuple[str, ...] = ()
    removed: dict[str, str] = {}


class StandingOrder(Struct, frozen=True):
    """Findings that the organisation signs as alerts by itself, without a person."""

    id: str
    why: str
    detectors: tuple[str, ...]
    marking: str = "TLP:AMBER"
    onward: Literal["no", "ask", "circle", "free"] = "ask"
    confidence: Literal["low", "medium", "high"] = "medium"
    unit: str = ""  # the unit whose order it is; goes into the slot `author`


class WatchSettings(Struct, frozen=True):
    zones: str = "zones.geojson"
    detectors: tuple[str, ...] = ()  # empty: all
    warm: str = "24h"  # how far back the watch reads its own observations at start

    def warm_us(self) -> int:
        return parse_span(self.warm)


class StoreSettings(Struct, frozen=True):
    keep_observations: str = "30d"
    keep_marked: dict[str, str] = {}  # the same by marking of a feed: "TLP:RED" = "3d"
    keep_personal: str = "90d"  # personal data whose originator names no last day

    def keep_marked_us(self) -> dict[str, int]:
        return {marking: parse_span(span) for marking, span in self.keep_marked.items()}

    def keep_personal_us(self) -> int:
        return parse_span(self.keep_personal)


class RetentionRule(Struct, frozen=True):
    """How long we keep what partners say; what it does not name, it does not ask for."""

    keep: str  # a span: "90d"
    marking: str = ""
    kind: str = ""
    received_from: str = ""

    def keep_us(self) -> int:
        return parse_span(self.keep)


class SignInSettings(Struct, frozen=True):
    """`[sign_in]`: an identity provider beside passwords (OpenID Connect). Empty: none."""

    issuer: str = ""  # "https://id.example.org/realms/watch"
    client_id: str = ""
    client_secret: str = ""  # a file in the home that holds it; empty: a client without a secret
    claim: str = "preferred_username"  # what of a person is the user name of its account here
    title: str = ""  # what the button calls it


class Settings(Struct, frozen=True):
    """All of `config.toml`."""

    node: NodeSettings
    exercise: ExerciseSettings = ExerciseSettings()
    feed: tuple[FeedSettings, ...] = ()
    removed: dict[str, str] = {}  # from feeds.toml
    standing_order: tuple[StandingOrder, ...] = ()
    sign_in: SignInSettings = SignInSettings()
    watch: WatchSettings = WatchSettings()
    store: StoreSettings = StoreSettings()
    retention: tuple[RetentionRule, ...] = ()

    def keep_observations_us(self, feed: FeedSettings | None, markings: Collection[str]) -> int:
        """How long observations of a feed (None: one that is not there any more) with some markings
        are kept: what is said of it or of one of them, the shortest; else what is said of all."""
        marked = self.store.keep_marked_us()
        said = [marked[marking] for marking in markings if marking in marked]
        if feed is not None and feed.keep:
            said.append(parse_span(feed.keep))
        return min(said, default=parse_span(self.store.keep_observations))


class Home:
    """Where things lie in a home folder. No file is read but `config.toml`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    @property
    def policy(self) -> Path:
        return self.root / "policy.toml"

    @property
    def feeds_file(self) -> Path:
        return self.root / "feeds.toml"

    @property
    def feed_files(self) -> Path:
        """Where files lie that a feed set in the picture may read."""
        return self.root / "feeds"

    def feeds(self) -> FeedsFile:
        """What was set in the picture, sources as written there. Raises `ConfigError`."""
        if not self.feeds_file.is_file():
            return FeedsFile()
        try:
            return msgspec.convert(tomllib.loads(self.feeds_file.read_text()), FeedsFile)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
            raise ConfigError(str(e), where=str(self.feeds_file)) from e

    def with_feeds(self, settings: Settings, set_here: FeedsFile) -> Settings:
        """Settings of `config.toml` with what was set in the picture. Raises `ConfigError`."""
        replace = msgspec.structs.replace
        ours = [
            replace(feed, suspended=True) if feed.name in set_here.suspended else feed
            for feed in settings.feed
        ]
        both = {feed.name for feed in ours} & {feed.name for feed in set_here.feed}
        if both:
            raise ConfigError(
                f"feed {min(both)!r} is in config.toml, too",
                where=str(self.feeds_file),
                do="take one of them away",
            )
        theirs = [replace(feed, source=self.source_here(feed.source)) for feed in set_here.feed]
        return replace(settings, feed=(*ours, *theirs), removed=set_here.removed)

    def source_here(self, source: str) -> str:
        """A source set in the picture as feeds read it: `file:NAME` is a file in `feed_files`, and no
        way leads out of there. Raises `ConfigError`."""
        scheme, _, name = source.partition(":")
        if scheme == "extract":
            raise ConfigError("an extract is set in config.toml", where=source)
        if scheme != "file":
            return source
        folder = self.feed_files.resolve()
        path = (folder / name).resolve()
        if "\0" in name or not path.is_relative_to(folder) or path == folder:
            raise ConfigError("this file is not in the folder of feeds", where=str(folder))
        return f"file:{path}"

    @property
    def accounts(self) -> Path:
        return self.root / "accounts.toml"

    @property
    def readers(self) -> Path:
        return self.root / "readers.toml"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def partners(self) -> Path:
        return self.root / "partners"

    def realm(self, realm: Realm) -> Path:
        return self.root / realm

    def ledger(self, realm: Realm) -> Path:
        return self.realm(realm) / "ledger.sqlite"

    def observations(self, realm: Realm) -> Path:
        return self.realm(realm) / "observations"

    def settings(self) -> Settings:
        """Raises `ConfigError` with file and field."""
        if not self.config.is_file():
            raise ConfigError(
                "this folder is no Samsyn home", where=str(self.root), do="make one with: samsyn init"
            )
        try:
            found = msgspec.convert(tomllib.loads(self.config.read_text()), Settings)
            found.exercise.start_us()
            found.exercise.began_us()
            found.watch.warm_us()
            parse_span(found.store.keep_observations)
            found.store.keep_personal_us()
            found.store.keep_marked_us()
            for feed in found.feed:
                found.keep_observations_us(feed, ())
            for rule in found.retention:
                rule.keep_us()
            found = self.with_feeds(found, self.feeds())
        except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as e:
            raise ConfigError(str(e), where=str(self.config)) from e
        if not is_node_name(found.node.name):
            raise ConfigError(
                f"{found.node.name!r} is no node name",
                where=f"{self.config}: node.name",
                do="use lower-case letters, digits and -, at most 31",
            )
        return found


def split_address(text: str, where: str) -> tuple[str, int]:
    """`host:port`. Raises `ConfigError`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 65_536:
        raise ConfigError(f"{text!r} is no host:port", where=where)
    return host, int(port)


def to_toml_value(value: Any) -> str:
    """One TOML value, for the few files that we write ourselves."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(to_toml_value(v) for v in value) + "]"
    return '"' + re.sub(r'[\\"\x00-\x1f\x7f]', lambda c: f"\\u{ord(c[0]):04x}", str(value)) + '"'
