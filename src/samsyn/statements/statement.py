"""A statement: what an organisation put its name to, and the parts of it that are held here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from samsyn.base.errors import Refused


class Draft(msgspec.Struct, kw_only=True):
    """What is about to be said, before anyone signed it.

    slots: name to value, each disclosed or withheld as a whole: `place.*` and `time.*` (see
        `ladder`), title, summary, text, confidence, author, sources, refs, tags, `body.FIELD`.
    purpose, retain_until (a day, "2027-05-31") and personal are duties that travel with it, in
        clear like kind and marking. A day given there is seen by every holder: choose it so that it
        does not tell what the time ladder withholds.
    """

    kind: str
    marking: str
    onward: str
    exercise: bool
    slots: dict[str, Any]
    purpose: str | None = None
    retain_until: str | None = None
    personal: bool | None = None


class Disclosures(Mapping[str, bytes]):
    """The disclosures in a presentation that was read, each cut out only when one is first asked for.

    Of what comes in nearly none is: it is checked and kept as it came. names: its slots, in the order
    of the presentation. Nothing is checked.
    """

    __slots__ = ("_found", "names", "presentation")

    def __init__(self, presentation: bytes, names: tuple[str, ...]) -> None:
        self.presentation = presentation
        self.names = names
        self._found: dict[str, bytes] | None = None

    def by_slot(self) -> dict[str, bytes]:
        """All of them, cut out. For who asks for many: it is not to be changed."""
        if self._found is None:
            self._found = dict(zip(self.names, self.presentation.split(b"~")[1:-1], strict=True))
        return self._found

    def __getitem__(self, slot: str) -> bytes:
        return self.by_slot()[slot]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, slot: object) -> bool:
        return slot in self.names


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One signed statement with the disclosures that are held: all of them, or a view's.

    jwt: the signed part, the same bytes for every holder.
    disclosures: slot to its encoded disclosure; slots: slot to its value. Same keys.
    extra: what else the originator says in clear that this version does not know; kept, so that
        whoever knows it can read it.
    """

    iss: str
    jti: str
    ver: int
    kind: str
    marking: str
    onward: str
    exercise: bool
    purpose: str | None = None
    retain_until: str | None = None
    personal: bool | None = None
    extra: Mapping[str, Any] = {}
    jwt: bytes
    disclosures: Mapping[str, bytes]
    slots: Mapping[str, Any]

    def present(self, slots: Iterable[str] | None = None) -> bytes:
        """The signed part with the disclosures of `slots` (None: all that are held): `jwt~d1~d2~`.

        In the order of slot names, so the same slots give the same bytes. Raises `KeyError` for a
        slot that is not held: what was to be shown must not go missing in silence.
        """
        held = self.disclosures
        if slots is None and type(held) is Disclosures and _are_in_order(held.names):
            return held.presentation
        if slots is None and _are_in_order(tuple(held)):
            return b"~".join([self.jwt, *held.values(), b""])
        names = sorted(held if slots is None else set(slots))
        parts = _by_slot(held)
        return b"~".join([self.jwt, *[parts[name] for name in names], b""])

    def view_hashes(self, cuts: Iterable[frozenset[str]]) -> list[bytes]:
        """`view_hash` of `present(cut)` for each cut; the signed part is hashed once for all, and so is
        each view: rules of many readers let out the same few."""
        begun = sha256(self.jwt + b"~")
        parts = _by_slot(self.disclosures)
        views: dict[frozenset[str], bytes] = {}
        found = []
        for cut in cuts:
            if cut not in views:
                view = begun.copy()
                view.update(b"~".join([*[parts[name] for name in _in_order(cut)], b""]))
                views[cut] = view.digest()
            found.append(views[cut])
        return found

    def merged(self, other: Statement) -> Statement:
        """This statement with the disclosures of another view of it as well (widening).

        Raises `Refused("equivocation")` where the two are not one: same name, other signed part.
        """
        if other.jwt != self.jwt:
            raise Refused(
                "equivocation",
                f"two signed statements under one name ({self.jti}, version {self.ver})",
                evidence={"held": self.present(), "received": other.present()},
            )
        return msgspec.structs.replace(
            self,
            disclosures={**self.disclosures, **other.disclosures},
            slots={**self.slots, **other.slots},
        )


@lru_cache(maxsize=1024)
def _in_order(slots: frozenset[str]) -> list[str]:
    """In the order of a presentation. Rules let out the same few sets again and again."""
    return sorted(slots)


def _by_slot(held: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return held.by_slot() if type(held) is Disclosures else held


@lru_cache(maxsize=1024)
def _are_in_order(slots: tuple[str, ...]) -> bool:
    return list(slots) == sorted(slots)


def view_hash(presentation: bytes) -> bytes:
    """The name of a view in a channel: SHA-256 of its bytes."""
    return sha256(presentation).digest()
