"""Originator control: whom a statement may be passed on to, and what is made of it. No I/O.

Each originator says by `onward` what becomes of its statement in other hands:

    no      nobody gets it, nor what is made of it
    ask     those whom a consent of the originator names, no finer than that consent
    circle  those whom a rule reaches through a circle, and only by who has it from the originator
    free    whom the holder's policy says

Nobody is sent its own statement. What is made of several statements goes where all their originators
let it go; an originator needs no consent of its own to get what was made of its statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from samsyn.base.clock import DAY_US, iso, parse_iso
from samsyn.policy import Cap, Passing


class Consent(msgspec.Struct, frozen=True):
    """An originator's answer as it stands. Rungs: the finest allowed; None: none of that ladder."""

    given: bool
    readers: frozenset[str]
    place: str | None
    time: str | None
    until_us: int | None  # from then on nothing more goes out by it


class Source(msgspec.Struct, frozen=True):
    """A foreign statement that is passed on, or that something was made of.

    itself: it is the statement that is passed on. direct: we have it from its originator. consents:
    its originator's to us, oldest first.
    """

    originator: str
    onward: str
    itself: bool
    direct: bool
    consents: tuple[Consent, ...] = ()


def consent_of(slots: Mapping[str, Any], me: str) -> Consent | None:
    """What a consent's slots say to `me`; None where they are not addressed to it. An end that cannot
    be read has passed."""
    if me not in slots.get("body.to", ()):
        return None
    until = slots.get("body.until")
    return Consent(
        given=slots.get("body.answer") == "given",
        readers=frozenset(slots.get("body.readers", ())),
        place=slots.get("body.place"),
        time=slots.get("body.time"),
        until_us=None if until is None else until_us(until),
    )


def until_us(text: str) -> int:
    """First microsecond after an instant, or after the end of a day, UTC; 0 for what is neither."""
    try:
        if len(text) == len("2026-11-21"):
            return parse_iso(f"{text}T00:00:00Z") + DAY_US
        return parse_iso(text)
    except ValueError:
        return 0


def consented(consents: Sequence[Consent]) -> dict[str, Cap]:
    """Who may have it by these consents, and at most what: for each reader the latest answer holds."""
    found: dict[str, Cap] = {}
    for consent in consents:
        for reader in consent.readers:
            found.pop(reader, None)
            if consent.given:
                found[reader] = Cap(reader, consent.place, consent.time, consent.until_us)
    return found


def passing_of(sources: Sequence[Source], readers: Iterable[str]) -> Passing:
    """What the originators of all sources allow, among `readers`."""
    left = set(readers)
    caps: list[Cap] = []
    for source in sources:
        if source.itself:
            left.discard(source.originator)
        if source.onward == "ask":
            mine = consented(source.consents)
            mine.pop(source.originator, None)
            left &= {*mine, source.originator}
            caps += mine.values()
        elif source.onward != "free" and (source.onward != "circle" or not source.direct):
            left.clear()
    return Passing(
        readers=frozenset(left),
        circles_only=any(source.onward == "circle" for source in sources),
        caps=tuple(sorted((c for c in caps if c.reader in left), key=lambda cap: cap.reader)),
    )


def why_not(sources: Sequence[Source], reader: str, now_us: int) -> tuple[str, str] | None:
    """Why the originators do not let `reader` have it, English and Swedish; None where they do."""
    for source in sources:
        said = source.originator
        if source.itself and reader == said:
            return f"it is {said}'s own statement", f"det är {said}s egen utsaga"
        found = _why_not(source, reader, now_us)
        if found is not None:
            return found
    return None


def _why_not(source: Source, reader: str, now_us: int) -> tuple[str, str] | None:
    said = source.originator
    if source.onward == "ask":
        if reader == said:
            return None
        cap = consented(source.consents).get(reader)
        if cap is None:
            return (
                f"{said} is to be asked first, and has given no consent for {reader}",
                f"{said} ska tillfrågas först och har inte gett medgivande för {reader}",
            )
        if cap.until_us is not None and cap.until_us <= now_us:
            at = iso(cap.until_us)
            return (
                f"the consent of {said} for {reader} ended at {at}",
                f"medgivandet från {said} för {reader} upphörde {at}",
            )
        return None
    if source.onward == "circle" and not source.direct:
        return (
            f"{said} lets it go on only by who has it from {said}, and it came through another",
            f"{said} låter det gå vidare bara via den som har det från {said}, hit kom det via en annan",
        )
    if source.onward not in ("circle", "free"):
        return f"{said} lets it go no further", f"{said} låter det inte gå vidare"
    return None
