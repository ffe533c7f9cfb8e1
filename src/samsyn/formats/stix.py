"""Views as STIX 2.1 objects, for threat platforms.

A view becomes a `report` and what belongs to it, by the profile of who reads (`stix_profiles`). All that
it says stands, exactly, in our property-extension on the report; the rest is for who reads no
extension. Nothing here is finer than the view: `created`, `modified` and `published`, which STIX
demands, are given by the caller and are no times of what was seen.

Which view it is stands in the ids, since STIX forbids two contents under one id and version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple
from uuid import uuid5

import orjson

from samsyn.base.clock import SECOND_US, iso
from samsyn.formats.view import NAMESPACE, Place, View, finest_time

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
ID: Final = re.compile(r"([a-z][a-z0-9-]{1,250})--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
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
# what a holder may do with a view, as FIRST's Information Exchange Policy 2.0 in words: STIX has no
# marking of that kind, and importers keep a statement
_ONWARD: Final = {
    "no": "Recipients do not pass this on.",
    "ask": "Recipients pass this on only after its originator has consented.",
    "circle": "Recipients pass this on within the originator's circle only.",
    "free": "Recipients pass this on as its TLP marking allows.",
}
_CONFIDENCE: Final = {"low": 15, "medium": 50, "high": 85}  # STIX 2.1, appendix A, Low/Med/High


def shared(node: str, organisation: str) -> list[Object]:
    """What objects of `node` refer to: the same for every reader, whatever it was released."""
    own = {"created": _BEGIN, "modified": _BEGIN}
    extension = {
        **_common("extension-definition", EXTENSION, **own),
        "created_by_ref": us(node),
        "name": "Samsyn view",
        "description": "What a view of a signed statement says, exactly.",
        "schema": schema_text(),
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }
    return [sender(node, organisation), extension, *marking_definitions().values()]


def sender(node: str, organisation: str) -> Object:
    """Who sends: `node`."""
    who = _common("identity", us(node), _BEGIN, _BEGIN)
    return {**who, "name": organisation, "identity_class": "organization"}


@lru_cache(maxsize=1)
def marking_definitions() -> dict[str, Object]:
    """Every marking that an object of ours may refer to, by id."""
    exercise = "EXERCISE EXERCISE EXERCISE: nothing of this is actual"
    made = [_statement_marking(_EXERCISE, "EXERCISE", exercise)]
    for onward, words in _ONWARD.items():
        policy = {
            "id": str(uuid5(NAMESPACE, f"onward {onward}")),
            "name": f"Samsyn onward: {onward}",
            "version": 2.0,
            "description": words,
            "start_date": _BEGIN,
        }
        text = f"IEP 2.0 {orjson.dumps(policy).decode()}"
        made.append(_statement_marking(_onward(onward), f"IEP {onward}", text))
    made += [
        {
            **_common("marking-definition", id_, _TLP_CREATED),
            "name": name,
            "extensions": {
                _TLP_EXTENSION: {
                    "extension_type": "property-extension",
                    "tlp_2_0": name.removeprefix("TLP:").lower(),
                }
            },
        }
        for name, id_ in TLP.items()
    ]
    return {one["id"]: one for one in made}


def _statement_marking(id_: str, name: str, text: str) -> Object:
    made = {**_common("marking-definition", id_, _BEGIN), "name": name}
    return {**made, "definition_type": "statement", "definition": {"statement": text}}


def _onward(onward: str) -> str:
    return f"marking-definition--{uuid5(NAMESPACE, f'onward {onward}')}"


def markings(view: View) -> list[str]:
    """Ids of the markings of a view's own objects. Raises `KeyError` for a marking that is none."""
    onward = [_onward(view.onward)] if view.onward in _ONWARD else []
    return [TLP[view.marking], *([_EXERCISE] if view.exercise else []), *onward]


def held(view: View, node: str) -> list[Finished]:
    """The STIX objects of others that a view holds, each under its own id, as they made them; but marked
    no more openly than the view is. What would speak in our name, or cannot be read, is left out: a
    partner may have signed anything."""
    if view.slots.get("body.format") != "stix":
        return []
    ours = [TLP[view.marking], *([_EXERCISE] if view.exercise else [])]
    own = own_ids(node)
    found = []
    for text in view.slots.get("body.objects", ()):
        made = _read_held(text, own)
        if made is None:
            continue
        refs = made.get("object_marking_refs", [])
        missing = [ref for ref in ours if ref not in refs]
        data = text.encode()
        if missing:
            data = orjson.dumps({**made, "object_marking_refs": [*refs, *missing]})
        version = made.get("modified") or made.get("created") or stamp(view.modified_us)
        found.append(Finished(made["id"], made["type"], version, data))
    return found


def _read_held(text: Any, own: frozenset[str]) -> Object | None:
    try:
        made = orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError):
        return None
    if not isinstance(made, dict):
        return None
    types: dict[str, type] = {
        "id": str,
        "type": str,
        "modified": str,
        "created": str,
        "created_by_ref": str,
    }
    types |= {"object_marking_refs": list, "extensions": dict}
    if not all(isinstance(made.get(name, type_()), type_) for name, type_ in types.items()):
        return None
    found = ID.match(made.get("id", ""))
    if found is None or found[1] != made.get("type") or EXTENSION in made.get("extensions", {}):
        return None
    return None if own & {made["id"], made.get("created_by_ref")} else made


def report(
    view: View, node: str, refs: Sequence[str], *, own: Object, beside: Collection[str]
) -> Object:
    """The `report` of a view: all that it says in our extension, but for the slots `beside`, whose
    values stand beside it as objects. refs: what it is about; own: id, times, markings (`common`)."""
    slots = view.slots
    made: Object = {
        **own,
        "name": title_of(view),
        "published": stamp(view.created_us),
        "object_refs": [us(node), *refs],
        "labels": labels(view),
        "extensions": {EXTENSION: _extension(view, beside)},
    }
    text = text_of(view)
    if text:
        made["description"] = text
    if slots.get("confidence") in _CONFIDENCE:
        made["confidence"] = _CONFIDENCE[slots["confidence"]]
    return made


def location(view: View, place: Place, own: Object) -> Object:
    """Where it was: the middle of the finest place that is said, and how far from there its edge is."""
    name = f"{place.rung} ({view.kind})"
    made = {**own, "name": name, "latitude": place.lat, "longitude": place.lon}
    return {**made, "precision": place.precision_m} if place.precision_m else made


def title_of(view: View) -> str:
    title = str(view.slots.get("title", view.kind))
    return f"EXERCISE {title}" if view.exercise else title


def text_of(view: View) -> str:
    """Summary and text."""
    return "\n\n".join(str(view.slots[name]) for name in ("summary", "text") if view.slots.get(name))


def ended(id_: str, created_us: int, modified_us: int, node: str, *, exercise: bool) -> Object:
    """What stands where a view stood that was withdrawn or replaced: its revoked `report`, empty."""
    made: Object = {
        **_common("report", id_, stamp(created_us), stamp(modified_us)),
        "created_by_ref": us(node),
        "revoked": True,
        "name": "EXERCISE withdrawn" if exercise else "withdrawn",
        "published": stamp(created_us),
        "object_refs": [us(node)],
    }
    return {**made, "object_marking_refs": [_EXERCISE]} if exercise else made


def finished(made: Object) -> Finished:
    """An object as bytes."""
    version = str(made.get("modified", made["created"]))
    return Finished(made["id"], made["type"], version, orjson.dumps(made))


def own_ids(node: str) -> frozenset[str]:
    """Ids that only `node`, or Samsyn itself, gives things of its own."""
    return frozenset({us(node), EXTENSION, _EXERCISE})


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
def us(node: str) -> str:
    """The id of `node` as a sender."""
    return f"identity--{uuid5(NAMESPACE, node)}"


def _common(type_: str, id_: str, created: str, modified: str = "") -> Object:
    made = {"type": type_, "spec_version": "2.1", "id": id_, "created": created}
    return {**made, "modified": modified} if modified else made


def common(type_: str, id_: str, view: View, node: str) -> Object:
    """What every object that is made of a view begins with."""
    made = _common(type_, id_, stamp(view.created_us), stamp(view.modified_us))
    return {**made, "created_by_ref": us(node), "object_marking_refs": markings(view)}


def labels(view: View) -> list[str]:
    """Kind, originator, category, tags."""
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
    }
    # as JSON text: a slot may hold null and lists of lists, which STIX has not
    slots = [
        {"slot": name, "json": orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()}
        for name, value in sorted(view.slots.items())
        if name not in beside
    ]
    if slots:  # nor has it empty lists
        made["slots"] = slots
    time = finest_time(view.slots)
    return {**made, "time": time} if time else made
