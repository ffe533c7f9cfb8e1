"""Feeds that bring objects, not observations: STIX and MISP, from a file, an address or a collection.

A kind of feed whose `feed.toml` says `brings = "objects"` gives a `Reader` in its `feed.py`. What
becomes of the objects is the desk's matter (`desk.imports`).
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from samsyn.base import limits
from samsyn.base.clock import Clock
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings
from samsyn.feeds.report import FeedReport
from samsyn.feeds.runner import discover
from samsyn.feeds.source import check_source, pieces
from samsyn.formats.foreign import UNKNOWN, UNMARKED, Foreign, Problem
from samsyn.statements.marking import MARKINGS, strictest


class Reader(Protocol):
    """Reads the documents of one source, one after the other."""

    def read(self, data: bytes) -> Iterable[Foreign | Problem]:
        """Raises `formats.foreign.Unreadable` where the document itself cannot be read."""


def brings_objects(kind: str) -> bool:
    """Whether a kind of feed brings objects. An unknown kind brings nothing."""
    found = discover().get(kind)
    return found is not None and found.brings == "objects"


def open_reader(kind: str, node: str) -> Reader:
    """A new reader. node: our own name. Raises `ConfigError` for a kind that brings no objects."""
    if not brings_objects(kind):
        names = sorted(name for name in discover() if brings_objects(name))
        raise ConfigError(
            f"kind {kind!r} brings no objects", do=f"use {', '.join(names)}; see: samsyn feed list"
        )
    make: Callable[[str], Reader] = importlib.import_module(f"samsyn.feeds.{kind}.feed").reader
    return make(node)


def marking_of(found: Foreign, unmarked: str) -> str:
    """The marking of what is made of an object: its strictest; where it says none, `unmarked`; of one
    that we cannot read, the strictest there is."""
    labels = [unmarked if label == UNMARKED else label for label in found.markings]
    return MARKINGS[-1] if UNKNOWN in labels else strictest(labels)


def documents(
    settings: FeedSettings, report: FeedReport, clock: Clock, stop: threading.Event
) -> Iterator[bytes | None]:
    """The whole documents of a file or a polled address, and None for one that was too large. What goes
    wrong with the source is told to `report`. Raises `ConfigError` for a source that cannot be."""
    check_source(settings.source)
    held, too_large = bytearray(), False
    for piece in pieces(settings, report, clock, stop):
        report.bytes += len(piece.data)
        too_large = too_large or len(held) + len(piece.data) > limits.JSON_DOCUMENT_BYTES
        if too_large:
            held.clear()
        else:
            held += piece.data
        if piece.ends:
            if too_large or held.strip():
                yield None if too_large else bytes(held)
            held, too_large = bytearray(), False
