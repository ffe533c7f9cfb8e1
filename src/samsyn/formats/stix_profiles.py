"""A view in the shapes that a reader's platform keeps: `docs/stix.md` lists what each of them does.

    plain    report, location
    misp     report, location, the craft as an identity, a note with all that is said; the marking
             definitions with each view, and only those that it refers to: misp-stix makes tags of all
             that a document holds
    opencti  report around an incident, location, the craft as an identity, how these hang together, a
             sighting with the time as fine as it is said

In each of them follow the STIX objects of others that the view holds.

The ids of two profiles differ, since STIX forbids two contents under one; from each of them the view's
own is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from samsyn.formats import stix
from samsyn.formats.stix import Finished, Object, common, finished, location, report, us
from samsyn.formats.view import Place, View, finest_place

Profile = Literal["plain", "misp", "opencti"]
PROFILES: Final[tuple[Profile, ...]] = ("plain", "misp", "opencti")

_RANDOM_BITS: Final = ~((0xF << 76) | (0x3 << 62)) & (1 << 128) - 1  # all of a UUID but version, variant
_SPANS: Final = {"day": timedelta(days=1), "hour": timedelta(hours=1), "exact": timedelta(0)}


def own_uuid(uid: UUID, type_: str, profile: Profile) -> UUID:
    """The UUID of a view's object of this type; of that UUID, the view's own: it goes both ways.

    In `plain` all objects of a view have the view's. MISP takes two objects of one UUID for one.
    """
    return uid if profile == "plain" else UUID(int=uid.int ^ _difference(type_, profile))


@lru_cache(maxsize=256)
def _difference(type_: str, profile: str) -> int:
    return int.from_bytes(sha256(f"{profile}\n{type_}".encode()).digest()[:16], "big") & _RANDOM_BITS


def shared(node: str, organisation: str, profile: Profile) -> list[Object]:
    """What stands before all objects of views."""
    return [stix.sender(node, organisation)] if profile == "misp" else stix.shared(node, organisation)


def objects(view: View, node: str, profile: Profile) -> list[Finished]:
    """All objects of a view, made by `node`. Raises `KeyError` for a marking that is none."""
    held = stix.held(view, node)
    made = _Made(view, node, profile, [one.id for one in held])
    return [*map(finished, made.objects()), *held]


def ended(
    uid: UUID, created_us: int, modified_us: int, node: str, profile: Profile, *, exercise: bool
) -> Finished:
    """What stands where a view stood that was withdrawn or replaced."""
    id_ = f"report--{own_uuid(uid, 'report', profile)}"
    return finished(stix.ended(id_, created_us, modified_us, node, exercise=exercise))


class _Made:
    def __init__(self, view: View, node: str, profile: Profile, held: Sequence[str]) -> None:
        self._view = view
        self._node = node
        self._profile: Profile = profile
        self._held = held
        self._place = finest_place(view.slots)
        self._craft = view.slots.get("body.craft")

    def objects(self) -> list[Object]:
        if self._profile == "misp":
            return self._misp()
        return self._opencti() if self._profile == "opencti" else self._plain()

    def _plain(self) -> list[Object]:
        beside = self._location(self._place) if self._place else []
        return [self._report(beside), *beside]

    def _misp(self) -> list[Object]:
        beside = [*(self._location(self._place) if self._place else []), *self._who()]
        note = {
            **self._own("note"),
            "abstract": "All that this reader may know of it",
            "content": _lines(self._view, without={"body.objects"} if self._held else set()),
            "object_refs": [self._own("report")["id"]],
        }
        # misp-stix takes a note that the report refers to, and no other
        about = self._report([*beside, note])
        known = stix.marking_definitions()
        return [*(known[id_] for id_ in stix.markings(self._view)), about, *beside, note]

    def _opencti(self) -> list[Object]:
        if self._held:  # others' objects: nothing happened here
            return self._plain()
        where = self._location(self._place) if self._place else []
        about = {**self._own("incident"), "name": stix.title_of(self._view)}
        about |= {"labels": stix.labels(self._view)}
        text = stix.text_of(self._view)
        if text:
            about["description"] = text
        who = self._who()
        beside = [about, *where, *who, *self._related(about, [*where, *who])]
        seen = _span(self._view)
        if seen:
            sighting = {**self._own("sighting"), "sighting_of_ref": about["id"], "count": 1}
            first, last = map(_time, seen)
            sighting |= {"first_seen": first, "last_seen": last}
            beside.append({**sighting, "where_sighted_refs": [us(self._node)]})
        return [self._report(beside), *beside]

    def _report(self, beside: Sequence[Object]) -> Object:
        refs = [*(one["id"] for one in beside), *self._held]
        slots = {"body.objects"} if self._held else set()
        return report(self._view, self._node, refs, own=self._own("report"), beside=slots)

    def _location(self, place: Place) -> list[Object]:
        return [location(self._view, place, self._own("location"))]

    def _who(self) -> list[Object]:
        """The craft: STIX has none. An identity of class `system` is kept everywhere."""
        if not isinstance(self._craft, str):
            return []
        return [{**self._own("identity"), "name": self._craft, "identity_class": "system"}]

    def _related(self, source: Object, targets: Sequence[Object]) -> list[Object]:
        made = []
        for target in targets:
            own = self._own("relationship", f"relationship {target['type']}")
            ends = {"source_ref": source["id"], "target_ref": target["id"]}
            made.append({**own, "relationship_type": "related-to", **ends})
        return made

    def _own(self, type_: str, which: str = "") -> Object:
        id_ = f"{type_}--{own_uuid(self._view.uid, which or type_, self._profile)}"
        return common(type_, id_, self._view, self._node)


def _lines(view: View, without: set[str]) -> str:
    """Every slot in a line: for who reads no extension."""
    head = {"originator": view.iss, "statement": f"{view.jti}, version {view.ver}", "kind": view.kind}
    head |= {"marking": view.marking, "onward": view.onward, "exercise": str(view.exercise).lower()}
    lines = [f"{name}: {value}" for name, value in head.items()]
    for name, value in sorted(view.slots.items()):
        if name not in without:
            said: Any = value if isinstance(value, str) else orjson.dumps(value).decode()
            lines.append(f"{name}: {said}")
    return "\n".join(lines)


def _span(view: View) -> tuple[datetime, datetime] | None:
    """The finest time that a view says, from its beginning to its end."""
    for rung in ("exact", "hour", "day"):
        said = view.slots.get(f"time.{rung}")
        if isinstance(said, str):
            try:
                begin = datetime.fromisoformat(said.replace("Z", "+00:00"))
            except ValueError:
                return None
            begin = begin.replace(tzinfo=UTC) if begin.tzinfo is None else begin.astimezone(UTC)
            return begin, begin + _SPANS[rung]
    return None


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
