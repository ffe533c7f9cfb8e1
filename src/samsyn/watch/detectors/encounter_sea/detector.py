"""Encounters at sea, looked for once a minute: who lies beside whom, and whose courses meet."""

from __future__ import annotations

from collections.abc import Sequence

from samsyn.watch.definition import Definition
from samsyn.watch.detectors.encounter_sea.collision import Collision
from samsyn.watch.detectors.encounter_sea.latest import Latest
from samsyn.watch.detectors.encounter_sea.rendezvous import Rendezvous
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.step import Step
from samsyn.watch.zones import Zone


class Detector:
    """Two kinds of meeting over one memory of where every ship was last."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._latest = Latest()
        self._rendezvous = Rendezvous(definition, zones, recent)
        self._collision = Collision(definition, zones, recent)

    def step(self, step: Step) -> list[Finding]:
        if step.minute is None:
            return []
        self._latest.note(step, step.minute)
        return self._rendezvous.minute(step, self._latest) + self._collision.minute(step, self._latest)
