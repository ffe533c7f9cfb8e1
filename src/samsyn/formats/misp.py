"""MISP's JSON from others: an event with its attributes and objects, as MISP exports and serves it.

An event is taken in parts: its head, each attribute, each object. So each keeps a marking of its own,
and what was deleted can go alone. MISP says by a number how far something may go; as TLP 2.0, never
looser:

    0 your organisation only      TLP:RED              1 this community only   TLP:AMBER+STRICT
    2 connected communities       TLP:AMBER            3 all communities       TLP:GREEN
    4 a sharing group             TLP:RED: who is in it cannot be known here
    5 inherit                     as the event         anything else           unknown

A `tlp:` tag beside it can only make it stricter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from samsyn.base.clock import SECOND_US
from samsyn.formats.foreign import UNKNOWN, Foreign, Problem, Unreadable, as_said, strict

TOP: Final = "Event"  # the member that holds all else
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DISTRIBUTION: Final = {
    "0": "TLP:RED",
    "1": "TLP:AMBER+STRICT",
    "2": "TLP:AMBER",
    "3": "TLP:GREEN",
    "4": "TLP:RED",
}
_INHERIT: Final = "5"
_TAGS: Final = {
    "tlp:white": "TLP:CLEAR",
    "tlp:clear": "TLP:CLEAR",
    "tlp:green": "TLP:GREEN",
    "tlp:amber": "TLP:AMBER",
    "tlp:amber+strict": "TLP:AMBER+STRICT",
    "tlp:red": "TLP:RED",
}
_TAGS_MAX: Final = 20
_TAG_CHARACTERS: Final = 100


class MispReader:
    """Reads documents of one source."""

    def read(self, data: bytes) -> Iterator[Foreign | Problem]:
        """The parts of all events of a document, and a `Problem` for each that cannot be taken.

        Raises `Unreadable` where the document itself cannot be read.
        """
        for n, found in enumerate(_events(strict(data))):
            try:
                head = _Head(found)
            except Unreadable as e:
                yield Problem(e.reason, f"event {n + 1}", e.detail)
                continue
            yield from head.parts()


class _Head:
    """One event. Raises `Unreadable`."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise Unreadable("shape", "an event that is no object")
        self._value = value
        self._uuid = _uuid(value)
        maker = value.get("Orgc", {})
        creator = maker.get("uuid", "") if isinstance(maker, dict) else ""
        self._creator = creator if isinstance(creator, str) and _UUID.match(creator) else ""
        self._names = _tag_names(value)
        self._labels = (*_by_tags(self._names), _by_number(value, None))

    def parts(self) -> Iterator[Foreign | Problem]:
        inner = {name: self._value.get(name) or [] for name in ("Attribute", "Object")}
        told = {name: value for name, value in self._value.items() if name not in inner}
        yield self._part("misp", told, self._labels)
        for name, type_ in (("Attribute", "misp-attribute"), ("Object", "misp-object")):
            found = inner[name]
            for n, one in enumerate(found if isinstance(found, list) else [None]):
                try:
                    yield self._inner(type_, one)
                except Unreadable as e:
                    yield Problem(e.reason, f"{self._uuid}: {name} {n + 1}", e.detail)

    def _inner(self, type_: str, value: Any) -> Foreign:
        if not isinstance(value, dict):
            raise Unreadable("shape", "not an object")
        labels = [*self._labels, *_by_tags(_tag_names(value)), _by_number(value, self._labels[-1])]
        held = value.get("Attribute")
        if isinstance(held, list):  # of an object: what was deleted of it is not told
            kept = [one for one in held if isinstance(one, dict) and not _deleted(one)]
            value = {**value, "Attribute": kept}
            for one in kept:
                labels += [*_by_tags(_tag_names(one)), _by_number(one, self._labels[-1])]
        return self._part(type_, value, tuple(dict.fromkeys(labels)))

    def _part(self, type_: str, value: dict[str, Any], labels: tuple[str, ...]) -> Foreign:
        text, digest, room_bytes = as_said(orjson.dumps(value), value)
        return Foreign(
            id=f"{type_}--{_uuid(value)}",
            type=type_,
            version_us=_timestamp_us(value),
            creator=self._creator,
            removed=_deleted(value),
            markings=labels,
            text=text,
            digest=digest,
            room_bytes=room_bytes,
            bundle=self._uuid,
            tags=("misp", *(n[:_TAG_CHARACTERS] for n in self._names[:_TAGS_MAX])),
        )


def _events(value: Any) -> list[Any]:
    """Of one event, a list of them, or the reply to a search."""
    if isinstance(value, dict) and isinstance(value.get("response"), list):
        value = value["response"]
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) and TOP in one for one in found):
        raise Unreadable("shape", "no MISP event")
    return [one[TOP] for one in found]


def _uuid(value: dict[str, Any]) -> str:
    found = value.get("uuid")
    if not isinstance(found, str) or not _UUID.match(found.lower()):
        raise Unreadable("shape", "without uuid")
    return found.lower()


def _timestamp_us(value: dict[str, Any]) -> int:
    try:
        at_s = int(value.get("timestamp", 0))
    except (ValueError, TypeError) as e:
        raise Unreadable("shape", "timestamp") from e
    if not 0 <= at_s < 2**40:
        raise Unreadable("shape", "timestamp")
    return at_s * SECOND_US


def _deleted(value: dict[str, Any]) -> bool:
    return value.get("deleted") in (True, 1, "1", "true")


def _tag_names(value: dict[str, Any]) -> list[str]:
    tags = value.get("Tag") or []
    names = [one.get("name") for one in tags if isinstance(one, dict)] if isinstance(tags, list) else []
    return [name for name in names if isinstance(name, str) and name]


def _by_tags(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name.strip().lower().startswith("tlp:"):
            yield _TAGS.get(name.strip().lower(), UNKNOWN)


def _by_number(value: dict[str, Any], above: str | None) -> str:
    said = str(value.get("distribution", _INHERIT if above else ""))
    if said == _INHERIT and above is not None:
        return above
    return _DISTRIBUTION.get(said, UNKNOWN)
