"""STIX 2.1 from others: bundles and TAXII envelopes, object by object.

Objects of 2.0 that say no `spec_version` are taken, too. Markings: the marking definitions of TLP 1
and TLP 2.0 by their ids, which OASIS fixed, whatever a document says that they mean. A `statement`
marking (terms of use, a copyright) says nothing about who may read; any other is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from samsyn.base.clock import parse_iso
from samsyn.formats.foreign import (
    UNKNOWN,
    UNMARKED,
    Foreign,
    Problem,
    Unreadable,
    as_said,
    members,
    strict,
)
from samsyn.formats.stix import EXTENSION, ID, TLP, own_ids

_TLP_1: Final = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "TLP:CLEAR",  # white
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "TLP:GREEN",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "TLP:AMBER",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "TLP:RED",
}
_KNOWN: Final = {**_TLP_1, **{id_: label for label, id_ in TLP.items()}}
_EVERYBODY_S: Final = frozenset(TLP.values())  # and in our own collections anyway
_SPECS: Final = ("2.1", "2.0", None)


class StixReader:
    """Reads the documents of one source, one after the other. `node` is our own name.

    It remembers which markings are terms of use: they may stand in an earlier document.
    """

    def __init__(self, node: str) -> None:
        self._terms: set[str] = set()
        self._own = own_ids(node)

    def read(self, data: bytes) -> Iterator[Foreign | Problem]:
        """The objects of a bundle or an envelope, and a `Problem` for each that cannot be taken.

        Raises `Unreadable` where the document itself cannot be read.
        """
        document = members(data, "objects")
        if document.others.get("type", "bundle") != "bundle":
            raise Unreadable("shape", "neither a bundle nor an envelope")
        for part in document.parts:  # a definition may stand behind what refers to it
            if b'"marking-definition"' in part:
                self._learn(part)
        for n, part in enumerate(document.parts):
            try:
                found = self._object(part)
                if found.id not in _EVERYBODY_S:
                    yield found
            except Unreadable as e:
                yield Problem(e.reason, _called(part, n), e.detail)

    def _learn(self, part: bytes) -> None:
        try:
            value = strict(part)
        except Unreadable:
            return
        if isinstance(value, dict) and value.get("type") == "marking-definition":
            id_ = value.get("id")
            if value.get("definition_type") == "statement" and isinstance(id_, str):
                self._terms.add(id_)

    def _object(self, part: bytes) -> Foreign:
        value = strict(part)
        if not isinstance(value, dict):
            raise Unreadable("shape", "not an object")
        id_, type_ = value.get("id"), value.get("type")
        if not isinstance(id_, str) or not isinstance(type_, str):
            raise Unreadable("shape", "without id or type")
        found = ID.match(id_)
        if found is None or found[1] != type_:
            raise Unreadable("shape", "the id is not its type's")
        if value.get("spec_version") not in _SPECS:
            raise Unreadable("shape", f"spec_version {value['spec_version']!r}"[:80])
        creator = value.get("created_by_ref", "")
        if not isinstance(creator, str) or (creator and not ID.match(creator)):
            raise Unreadable("shape", "created_by_ref")
        if id_ in self._own or creator in self._own:
            raise Unreadable("ours")
        extensions = value.get("extensions", {})
        if isinstance(extensions, dict) and EXTENSION in extensions:
            raise Unreadable("samsyn")
        text, digest, room_bytes = as_said(part, value)
        return Foreign(
            id=id_,
            type=type_,
            version_us=_version_us(value),
            creator=creator,
            removed=False,  # `revoked: true` is a further version, which others must hear of, too
            markings=tuple(self._markings(value)),
            text=text,
            digest=digest,
            room_bytes=room_bytes,
            tags=("stix", type_),
        )

    def _markings(self, value: dict[str, Any]) -> Iterator[str]:
        refs = value.get("object_marking_refs", [])
        granular = value.get("granular_markings", [])
        if not isinstance(refs, list) or not isinstance(granular, list):
            raise Unreadable("shape", "markings")
        parts = [
            one.get("marking_ref") for one in granular if isinstance(one, dict) and "lang" not in one
        ]
        if len(granular) != sum(isinstance(one, dict) for one in granular):
            raise Unreadable("shape", "markings")
        said = False
        for ref in (*refs, *parts):
            label = _KNOWN.get(ref) if isinstance(ref, str) else None
            if label is not None:
                said = True
                yield label
            elif not isinstance(ref, str) or ref not in self._terms:
                said = True
                yield UNKNOWN
        if not said:
            yield UNMARKED


def _version_us(value: dict[str, Any]) -> int:
    at = value.get("modified", value.get("created"))
    if at is None:
        return 0
    try:
        return parse_iso(at)
    except (ValueError, TypeError, AttributeError, OverflowError) as e:
        raise Unreadable("shape", "modified") from e


def _called(part: bytes, number: int) -> str:
    """What to call an object that cannot be read."""
    found = re.search(rb'"id"\s*:\s*"([a-z0-9-]{1,300})"', part)
    return found[1].decode() if found else f"object {number + 1}"
