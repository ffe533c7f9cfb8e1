"""What a statement can be about. A closed list: kinds are protocol.

Adding a kind is one module of this folder (see `common.Kind` for what it holds) and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from samsyn.subjects import alert, consent, reference, report, request, track
from samsyn.subjects.common import COMMON, SUBJECTS, Kind, Need

KINDS: Final[Mapping[str, Kind]] = {
    alert.NAME: alert,
    report.NAME: report,
    request.NAME: request,
    consent.NAME: consent,
    reference.NAME: reference,
}

NO_NEED: Final[Need] = (None, None)


def declared(kind: str) -> frozenset[str]:
    """Every slot that a statement of `kind` may carry; empty for a kind that we do not know.

    Of live tracks, which are no statements: every column.
    """
    if kind == track.NAME:
        return track.FIELDS
    found = KINDS.get(kind)
    return found.FIELDS | COMMON.keys() if found else frozenset()


def need(kind: str, slot: str) -> Need | None:
    """How fine a rule must allow place and time before `slot` may leave; None: it never may."""
    if slot not in declared(kind):
        return None
    needs = track.NEEDS if kind == track.NAME else KINDS[kind].NEEDS
    return needs.get(slot, NO_NEED)


def subjects_of(kind: str) -> frozenset[str]:
    """What statements of `kind` can be about; tracks, too, are of sea or air; a request is about a
    statement."""
    if kind in (request.NAME, consent.NAME):
        return frozenset()
    return frozenset({"sea", "air"} if kind in (alert.NAME, track.NAME) else SUBJECTS)


__all__ = ["KINDS", "NO_NEED", "Kind", "Need", "declared", "need", "subjects_of"]
