"""Finds the kinds of feed and runs one: bytes in, marked batches and a report out."""

from __future__ import annotations

import functools
import importlib
import re
import threading
import tomllib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import polars as pl

from samsyn.base import limits
from samsyn.base.clock import Clock
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings, Struct
from samsyn.feeds.framing import Decoder
from samsyn.feeds.report import FeedReport
from samsyn.feeds.source import check_source, pieces
from samsyn.formats.decoded import Decoded
from samsyn.observations.plausible import Plausibility
from samsyn.observations.schema import make_batch

HEAD_BYTES = 4 * limits.KIB  # of a file, to guess its kind from


class GuessHints(Struct, frozen=True):
    """Regular expressions that tell a kind: of the source as written, and of how the content begins."""

    source: tuple[str, ...] = ()
    head: tuple[str, ...] = ()


class FeedKind(Struct, frozen=True):
    """One folder of `feeds`: its `feed.toml`, and how to make its decoder."""

    name: str
    title: dict[str, str]  # en, sv
    description: dict[str, str]
    units: dict[str, str]  # as the source has them, before they become the schema's
    licence: dict[str, str]
    known_errors: tuple[dict[str, str], ...]
    sources: tuple[str, ...]  # of file, extract, tcp (either way round), udp, http
    guess: GuessHints = GuessHints()
    exercise_only: bool = False  # made up: never in the actual realm
    brings: Literal["rows", "objects"] = "rows"  # observations, or objects (`feeds.objects`)
    datagrams: bool = False  # by udp each datagram stands for itself; else they are lines

    def decoder(self, settings: FeedSettings) -> Decoder:
        """A new decoder. Raises `ConfigError` where a setting makes no sense for the kind."""
        make: Callable[[FeedSettings], Decoder] = importlib.import_module(
            f"samsyn.feeds.{self.name}.feed"
        ).decoder
        return make(settings)


class Delivery(NamedTuple):
    """A batch, marked; and how far a file is read (0 to 1)."""

    batch: pl.DataFrame
    progress: float | None


class FeedStream:
    """A feed at work. Iterate it once; `report` may be read at any time from any thread.

    A file ends; the other sources end when `stop` is set. Raises nothing for bad input: that is in
    the report.
    """

    def __init__(
        self, settings: FeedSettings, given: dict[str, Any], clock: Clock, stop: threading.Event
    ) -> None:
        self.report = FeedReport(settings.name, settings.kind, settings.source)
        self._settings = settings
        self._given = given
        self._clock = clock
        self._stop = stop
        self._plausibility = Plausibility()
        self._kind = _kind(settings.kind)
        self._decoders: dict[int, Decoder] = {0: self._kind.decoder(settings)}
        self._batches = self._run()

    def __iter__(self) -> Iterator[Delivery]:
        return self._batches

    def heard(self) -> None:
        """The heartbeat: something came just now."""
        self.report.last_heard_us = self._clock.now_us()

    def _run(self) -> Iterator[Delivery]:
        apart = self._kind.datagrams
        for piece in pieces(self._settings, self.report, self._clock, self._stop, apart=apart):
            now_us = self._clock.now_us()
            if piece.data:
                self.heard()
                self.report.bytes += len(piece.data)
            decoder = self._decoders.get(piece.caller) or self._kind.decoder(self._settings)
            self._decoders[piece.caller] = decoder
            for out in decoder.push(piece.data, now_us):
                yield from self._deliver(out, piece.progress)
            if piece.ends:
                for out in decoder.end(now_us):
                    yield from self._deliver(out, piece.progress)
                if piece.caller:  # callers have new numbers each time
                    del self._decoders[piece.caller]

    def _deliver(self, out: Decoded, progress: float | None) -> Iterator[Delivery]:
        self.report.add(out)
        if not out.rows:
            return
        batch = self._plausibility.mark(make_batch(out.columns, **self._given))
        for part in batch.iter_slices(limits.FEED_BATCH_ROWS):
            yield Delivery(part, progress)


def open_feed(
    settings: FeedSettings, *, originator: str, exercise: bool, clock: Clock, stop: threading.Event
) -> FeedStream:
    """A feed ready to be iterated. Raises `ConfigError` for an unknown kind, a source that cannot be
    (no such file, no host:port), a source or date that the kind cannot use, or made-up traffic in the
    actual realm."""
    where = f"feed {settings.name}"
    kind = _kind(settings.kind)
    scheme = settings.source.partition(":")[0].replace("https", "http")
    check_source(settings.source)
    if scheme.removesuffix("-listen") not in kind.sources:
        raise ConfigError(
            f"kind {kind.name} does not come by {scheme}",
            where=where,
            do=f"use {', '.join(kind.sources)}",
        )
    if kind.brings != "rows":
        raise ConfigError(
            f"kind {kind.name} brings objects, no observations",
            where=where,
            do="use samsyn import, or name it as a [[feed]] of the node",
        )
    if kind.exercise_only and not exercise:
        raise ConfigError(
            f"kind {kind.name} is made up and may only be fed to an exercise",
            where=where,
            do="take it out, or run the node in the exercise realm",
        )
    given = {"feed": settings.name, "originator": originator, "exercise": exercise}
    return FeedStream(settings, given, clock, stop)


@functools.cache
def discover() -> dict[str, FeedKind]:
    """The kinds of feed by name: every folder beside this file that has a feed.toml."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*/feed.toml")):
        try:
            said = {"name": path.parent.name, **tomllib.loads(path.read_text("utf-8"))}
            found[path.parent.name] = msgspec.convert(said, FeedKind)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
            raise ConfigError(str(e), where=str(path)) from e
    return found


def guess(source: str) -> str:
    """The kind of a source, by how a file begins or how an address is written.

    `source` is a path or a feed's source (`file:...`, `tcp:...`). Raises `ConfigError` where no kind
    or more than one fits, naming the kinds.
    """
    plain = source.removeprefix("file:")
    scheme = source.partition(":")[0]
    if scheme in ("tcp", "tcp-listen", "udp", "http", "https"):
        fits = [k.name for k in discover().values() if _matches(k.guess.source, source)]
    else:
        check_source(f"file:{plain}")
        head = _head(Path(plain))
        fits = [k.name for k in discover().values() if _matches(k.guess.head, head)]
    if len(fits) == 1:
        return fits[0]
    raise ConfigError(
        "the kind of this source is not clear" + (f": {' or '.join(fits)}" if fits else ""),
        where=plain,
        do=f"say which it is: {', '.join(discover())}",
    )


def _kind(name: str) -> FeedKind:
    kinds = discover()
    if name not in kinds:
        raise ConfigError(f"there is no kind of feed {name!r}", do=f"use one of {', '.join(kinds)}")
    return kinds[name]


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    return any(re.search(pattern, text, re.MULTILINE) for pattern in patterns)


def _head(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(HEAD_BYTES)
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = zlib.decompressobj(wbits=31).decompress(raw, HEAD_BYTES)
        except zlib.error:
            raw = b""
    return raw.decode("latin-1")  # each byte one character: binary kinds are recognised too
