"""Dragged anchors, looked for once a minute: under way over a cable, and out of the circle at anchor."""

from __future__ import annotations

from collections.abc import Sequence

from samsyn.watch.definition import Definition
from samsyn.watch.detectors.anchor_drag.crossing import Crossing
from samsyn.watch.detectors.anchor_drag.holding import Holding
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.ships import (
    FISHING,
    FISHING_TYPE,
    HELD,
    LEISURE_TYPES,
    NO_STATUS,
    NO_TYPE,
    NOT_UNDER_COMMAND,
    RESTRICTED,
    SERVING_TYPES,
    one_of,
)
from samsyn.watch.step import Step
from samsyn.watch.zones import Zone

_NOT_UNDER_WAY = one_of((*HELD, NOT_UNDER_COMMAND, RESTRICTED, FISHING))
_WORKS = one_of((FISHING_TYPE, *SERVING_TYPES, *LEISURE_TYPES))
_NO_TYPE = one_of(NO_TYPE)


class Detector:
    """The two ways to drag an anchor, which share no state."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._crossing = Crossing(definition, zones, recent)
        self._holding = Holding(definition, zones, recent)

    def step(self, step: Step) -> list[Finding]:
        ships = step.minute
        if ships is None:
            return []
        type_, status = step.known.state["ship_type"][ships.slot], ships.nav_status
        works = _WORKS[type_] | (_NO_TYPE[type_] & (status == NO_STATUS))
        found = self._crossing.minute(step, ships, ~works & ~_NOT_UNDER_WAY[status])
        return found + self._holding.minute(step, ships)
