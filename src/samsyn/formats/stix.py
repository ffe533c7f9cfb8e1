"""Views as STIX 2.1 objects, for threat platforms.

A view becomes a `report`, and a `location` beside it where it says a place: what importers keep. All
that it says stands, exactly, in our property-extension on the report; the rest is for who reads no
extension. Nothing here is finer than the view: `created`, `modified` and `published`, which STIX
demands, are given by the caller and are no times of what was seen.

Which view it is stands in the id, since STIX forbids two contents under one id and version.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

import orjson

from samsyn.base.clock import SECOND_US, iso
from samsyn.formats.view import NAMESPACE, Place, View, finest_place, finest_time

Object = dict[str, Any]


class Finished(NamedTuple):
    """An object as it is sent. version: as TAXII counts them."""

    id: str
    type: str
    version: str
    data: bytes


EXTENSION: Final = "extension-definition--ab36f9f0-d064-4601-993c-0edcb6af581e"
MEDIA_TYPE: Final = "application/stix+json;version=2.1"
_EXERCISE: Final = "marking-definition--b516e99b-c82c-4edc-b5d5-f840428c0abf"
_BEGIN: Final = "2026-01-01T00:00:00.000Z"  # of what is the same for everybody, always
# TLP 2.0 as OASIS defines it for STIX 2.1: extension, and the five marking definitions by name
_TLP_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_TLP_CREATED: Final = "2022-10-01T00:00:00.000Z"
TLP: Final = {
    "TLP:CLEAR": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "TLP:GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "TLP:AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "TLP:AMBER+STRICT": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "TLP:RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_CONFIDENCE: Final = {"low": 15, "medium": 50, "high": 85}  # STIX 2.1, appendix A, Low/Med/High


def shared(node: str, organisation: str) -> list[Object]:
    """What objects of `node` refer to: the same for every reader, whatever it was released."""
    own = {"created": _BEGIN, "modified": _BEGIN}
    us = _common("identity", _us(node), **own)
    return [
        {**us, "name": organisation, "identity_class": "organization"},
        {
            **_common("extension-definition", EXTENSION, **own),
            "created_by_ref": _us(node),
            "name": "Samsyn view",
            "description": "What a view of a signed statement says, exactly.",
            "schema": schema_text(),
            "version": "1.0.0",
            "extension_types": ["property-extension"],
        },
        {
            **_common("marking-definition", _EXERCISE, created=_BEGIN),
            "name": "EXERCISE",
            "definition_type": "statement",
            "definition": {"statement": "EXERCISE EXERCISE EXERCISE: nothing of this is actual"},
        },
        *(
            {
                **_common("marking-definition", id_, created=_TLP_CREATED),
                "name": name,
                "extensions": {
                    _TLP_EXTENSION: {
                        "extension_type": "property-extension",
                        "tlp_2_0": name.removeprefix("TLP:").lower(),
                    }
                },
            }
            for name, id_ in TLP.items()
        ),
    ]


def objects(view: View, node: str) -> list[Finished]:
    """The objects of a view, made by `node`: its `report`, a `location` at the finest place that it
    says, where it says one, and the STIX objects of others that it holds, each under its own id.

    Raises `KeyError` for a marking that is none.
    """
    place = finest_place(view.slots)
    held = _held(view) if view.slots.get("body.format") == "stix" else []
    made = [_report(view, node, place, [one.id for one in held])]
    made += [_location(view, node, place)] if place else []
    return [*map(finished, made), *held]


def _held(view: View) -> list[Finished]:
    """What others made, as they made it; but nobody reads it as marked more openly than the view is."""
    ours = [TLP[view.marking], *([_EXERCISE] if view.exercise else [])]
    found = []
    for text in view.slots.get("body.objects", ()):
        made = orjson.loads(text)
        refs = made.get("object_marking_refs", [])
        missing = [ref for ref in ours if ref not in refs]
        data = text.encode()
        if missing:
            data = orjson.dumps({**made, "object_marking_refs": [*refs, *missing]})
        version = made.get("modified") or made.get("created") or stamp(view.modified_us)
        found.append(Finished(made["id"], made["type"], version, data))
    return found


def _report(view: View, node: str, place: Place | None, held: Sequence[str]) -> Object:
    slots = view.slots
    title = str(slots.get("title", view.kind))
    refs = [_us(node), *([f"location--{view.uid}"] if place else []), *held]
    made: Object = {
        **_of_view("report", view, node),
        "name": f"EXERCISE {title}" if view.exercise else title,
        "published": stamp(view.created_us),
        "object_refs": refs,
        "labels": _labels(view),
        "extensions": {EXTENSION: _extension(view, beside={"body.objects"} if held else ())},
    }
    text = "\n\n".join(str(slots[name]) for name in ("summary", "text") if slots.get(name))
    if text:
        made["description"] = text
    if slots.get("confidence") in _CONFIDENCE:
        made["confidence"] = _CONFIDENCE[slots["confidence"]]
    return made


def _location(view: View, node: str, place: Place) -> Object:
    made = _of_view("location", view, node)
    made |= {"name": f"{place.rung} ({view.kind})", "latitude": place.lat, "longitude": place.lon}
    return {**made, "precision": place.precision_m} if place.precision_m else made


def ended(uid: UUID, created_us: int, modified_us: int, node: str, *, exercise: bool) -> Object:
    """What stands where a view stood that was withdrawn or replaced: its revoked `report`, empty."""
    made: Object = {
        **_common("report", f"report--{uid}", stamp(created_us), stamp(modified_us)),
        "created_by_ref": _us(node),
        "revoked": True,
        "name": "EXERCISE withdrawn" if exercise else "withdrawn",
        "published": stamp(created_us),
        "object_refs": [_us(node)],
    }
    return {**made, "object_marking_refs": [_EXERCISE]} if exercise else made


def finished(made: Object) -> Finished:
    """An object as bytes."""
    version = str(made.get("modified", made["created"]))
    return Finished(made["id"], made["type"], version, orjson.dumps(made))


def own_ids(node: str) -> frozenset[str]:
    """Ids that only `node`, or Samsyn itself, gives things of its own."""
    return frozenset({_us(node), EXTENSION, _EXERCISE})


@lru_cache(maxsize=4_096)
def stamp(at_us: int) -> str:
    """A time as STIX writes it, cut to milliseconds."""
    whole, part = divmod(at_us, SECOND_US)
    return f"{iso(whole * SECOND_US)[:-1]}.{part // 1000:03d}Z"


@lru_cache(maxsize=1)
def schema_text() -> str:
    """The JSON schema of our extension."""
    file = resources.files("samsyn.formats") / f"{EXTENSION}.json"
    return json.dumps(json.loads(file.read_text(encoding="utf-8")), separators=(",", ":"))


@lru_cache(maxsize=64)
def _us(node: str) -> str:
    return f"identity--{uuid5(NAMESPACE, node)}"


def _common(type_: str, id_: str, created: str, modified: str = "") -> Object:
    made = {"type": type_, "spec_version": "2.1", "id": id_, "created": created}
    return {**made, "modified": modified} if modified else made


def _of_view(type_: str, view: View, node: str) -> Object:
    made = _common(type_, f"{type_}--{view.uid}", stamp(view.created_us), stamp(view.modified_us))
    markings = [TLP[view.marking], *([_EXERCISE] if view.exercise else [])]
    return {**made, "created_by_ref": _us(node), "object_marking_refs": markings}


def _labels(view: View) -> list[str]:
    tags = [str(tag) for tag in view.slots.get("tags", ())]
    category = view.slots.get("body.category")
    own = [view.kind, f"originator:{view.iss}", *([str(category)] if category else [])]
    return list(dict.fromkeys([*own, *(["exercise"] if view.exercise else []), *tags]))


def _extension(view: View, beside: Collection[str]) -> Object:
    """All that a view says, but for the slots whose values stand beside it, as objects."""
    made: Object = {
        "extension_type": "property-extension",
        "originator": view.iss,
        "statement": view.jti,
        "statement_version": view.ver,
        "kind": view.kind,
        "marking": view.marking,
        "onward": view.onward,
        "exercise": view.exercise,
        # as JSON text: a slot may hold null and lists of lists, which STIX has not
        "slots": [
            {"slot": name, "json": orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()}
            for name, value in sorted(view.slots.items())
            if name not in beside
        ],
    }
    time = finest_time(view.slots)
    return {**made, "time": time} if time else made
