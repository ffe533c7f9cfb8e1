"""Loitering, looked for once a minute in three ways: slow on the open sea, slow over a cable or
pipeline, to and fro over one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from samsyn.base.geo import turn_deg
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.loiter.passes import Passes
from samsyn.watch.detectors.loiter.slow import Slow
from samsyn.watch.finding import Finding
from samsyn.watch.places import NOWHERE, Places
from samsyn.watch.recent import Recent
from samsyn.watch.ships import (
    AGROUND,
    AT_ANCHOR,
    FISHING,
    FISHING_TYPE,
    HELD,
    LEISURE_TYPES,
    MOORED,
    NO_STATUS,
    NO_TYPE,
    NOT_UNDER_COMMAND,
    RESTRICTED,
    SERVING_TYPES,
    one_of,
)
from samsyn.watch.step import Step
from samsyn.watch.zones import HARBOURS, INFRASTRUCTURE, Zone

_AT_WORK: Final = (NOT_UNDER_COMMAND, RESTRICTED, FISHING)
_NOT_OPEN = one_of((*HELD, *_AT_WORK))
_NOT_OVER = one_of((MOORED, AGROUND, *_AT_WORK))
_AT_WORK_STATUS = one_of(_AT_WORK)
_WORKS = one_of((FISHING_TYPE, *SERVING_TYPES, *LEISURE_TYPES))
_BY_TIMETABLE = one_of((*range(40, 50), *range(60, 70)))
_NO_TYPE = one_of(NO_TYPE)


class Detector:
    """Slow ships outside harbours, and ships near cables and pipelines."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        value = definition.value
        self._speed_kn = value("speed_kn")
        self._turn_deg, self._carried_kn, self._carried_over_kn = (
            value("turn_deg"),
            value("carried_kn"),
            value("carried_over_kn"),
        )
        self._harbours = Places([z for z in zones if z.sort in HARBOURS], value("harbour_margin_m"))
        self._lines = Places([z for z in zones if z.sort in INFRASTRUCTURE])
        self._open = Slow(definition, recent, "open", self._lines)
        self._over = Slow(definition, recent, "over", self._lines)
        self._passes = Passes(definition, zones, recent, self._harbours)

    def step(self, step: Step) -> list[Finding]:
        ships = step.minute
        if ships is None:
            return []
        type_, status = step.known.state["ship_type"][ships.slot], ships.nav_status
        judged = ~_WORKS[type_] & ~(_NO_TYPE[type_] & (status == NO_STATUS))
        slow = judged & (ships.speed_kn < self._speed_kn)
        open_, zone = slow, np.full(len(ships), NOWHERE)
        if np.count_nonzero(slow):
            slow[slow] = self._harbours.where(ships.lat[slow], ships.lon[slow]) == NOWHERE
            aside = turn_deg(ships.course_deg, ships.heading_deg) >= self._turn_deg
            carried = aside & (ships.speed_kn >= self._carried_kn)
            over = slow & ~_NOT_OVER[status]
            over &= ~((aside | (status == AT_ANCHOR)) & (ships.speed_kn >= self._carried_over_kn))
            zone[over] = self._lines.where(ships.lat[over], ships.lon[over])
            open_ = slow & ~_NOT_OPEN[status] & ~carried & (zone == NOWHERE)
        found = self._open.minute(step, ships, open_, zone)
        found += self._over.minute(step, ships, zone != NOWHERE, zone)
        if not self._lines.zones:
            return found
        passing = judged & ~_AT_WORK_STATUS[status] & ~_BY_TIMETABLE[type_]
        return found + self._passes.minute(step, ships, passing)
