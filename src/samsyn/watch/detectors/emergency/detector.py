"""Emergency codes and beacons, confirmed, followed and ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import SECOND_US
from samsyn.formats.codes import SQUAWK_EMERGENCY, Emergency
from samsyn.tracks.table import ABSENT_U8, ABSENT_U16
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.situation import Situation
from samsyn.watch.step import Rows, Step
from samsyn.watch.zones import Zone

# a medical flight asks for priority, not for help
CALLS: Final = frozenset(Emergency) - {Emergency.NONE, Emergency.MEDICAL}
BEACONS: Final = (Emergency.AIS_SART, Emergency.AIS_MOB, Emergency.AIS_EPIRB)

_CALLING = np.zeros(256, bool)
_CALLING[[int(code) for code in CALLS]] = True
_CALLING_SQUAWK = np.zeros(ABSENT_U16 + 1, bool)
_CALLING_SQUAWK[list(SQUAWK_EMERGENCY)] = True


class _Call(Situation):
    """A craft that calls: what for, how often, and since when it says otherwise."""

    code = 0
    squawk = 0
    reports = 0
    called_us = 0
    otherwise_us = 0


class Detector:
    """Follows every craft that calls."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        self._calls: dict[int, _Call] = {}

    def step(self, step: Step) -> list[Finding]:
        rows = step.rows
        calling = _CALLING[rows.emergency] | _CALLING_SQUAWK[rows.squawk]
        if not self._calls and not np.count_nonzero(calling):
            return []
        found: list[Finding] = []
        for slot in sorted({*self._calls, *rows.slot[calling].tolist()}):
            a, b = np.searchsorted(rows.slot, [slot, slot + 1]).tolist()
            for i in range(a, b):
                found += self._row(step, rows, i, bool(calling[i]))
        return found + self._lost(step)

    def _row(self, step: Step, rows: Rows, i: int, calling: bool) -> list[Finding]:
        slot, time_us = int(rows.slot[i]), int(rows.time_us[i])
        call = self._calls.get(slot)
        if not calling:
            return self._otherwise(call, rows, i) if call is not None else []
        code = _code(rows, i)
        if call is None:
            if len(self._calls) >= limits.CRAFT_FOLLOWED:
                return []
            call = _Call(self._definition, step, rows, i, lead_up=self._recent.rows(slot))
            self._calls[slot] = call
        else:
            call.observe(step, rows, i)
        changed = call.code not in (0, code)
        call.code = code
        call.squawk = int(rows.squawk[i]) if rows.squawk[i] != ABSENT_U16 else 0
        call.reports += time_us > call.called_us  # several receivers of one report count once
        call.called_us, call.otherwise_us = time_us, 0
        value = self._definition.value
        beacon = code in BEACONS
        enough = beacon or (
            call.reports >= value("reports") and time_us - call.start_us >= value("held_s") * SECOND_US
        )
        due = changed or time_us - call.written_us >= value("update_s") * SECOND_US
        if not enough or (call.raised and not due):
            return []
        return [self._write(call, time_us, on_ground=bool(rows.on_ground[i] == 1))]

    def _otherwise(self, call: _Call, rows: Rows, i: int) -> list[Finding]:
        """A row of a calling craft that does not call: it ends the call if it says so long enough."""
        if rows.squawk[i] == ABSENT_U16 and rows.emergency[i] == ABSENT_U8:
            return []  # says nothing about it
        time_us = int(rows.time_us[i])
        call.otherwise_us = call.otherwise_us or time_us
        if time_us - call.called_us < self._definition.value("ended_s") * SECOND_US:
            return []
        del self._calls[call.slot]
        return [self._close(call, time_us, "code-ended")] if call.raised else []

    def _lost(self, step: Step) -> list[Finding]:
        found = []
        for slot, call in list(self._calls.items()):
            air = step.known.flies(slot)
            lost_s = self._definition.value("lost_air_s" if air else "lost_sea_s")
            if step.end_us - call.arrived_us > lost_s * SECOND_US:
                del self._calls[slot]
                if call.raised:
                    found.append(self._close(call, step.end_us, "no-longer-heard"))
        return found

    def _measured(self, call: _Call) -> dict[str, float]:
        measured = {
            "emergency": float(call.code),
            "reports": float(call.reports),
            "held_s": (call.called_us - call.start_us) / SECOND_US,
        }
        return {**measured, "squawk": float(call.squawk)} if call.squawk else measured

    def _write(self, call: _Call, at_us: int, *, on_ground: bool) -> Finding:
        known = ["beacon-test"] if call.code in BEACONS else ["dialled-through"]
        return call.write(
            "open",
            at_us,
            measured=self._measured(call),
            thresholds=self._thresholds(call),
            known_errors=(*known, *(["on-ground"] if on_ground else [])),
        )

    def _thresholds(self, call: _Call) -> dict[str, float]:
        if call.code in BEACONS:
            return {"reports": 1.0}
        return self._definition.values("reports", "held_s")

    def _close(self, call: _Call, at_us: int, because: str) -> Finding:
        known = ("beacon-test",) if call.code in BEACONS else ("dialled-through",)
        return call.write(
            "closed",
            at_us,
            measured=self._measured(call),
            thresholds=self._thresholds(call),
            known_errors=known,
            because=because,
            end_us=call.called_us,
        )


def _code(rows: Rows, i: int) -> int:
    """The call of a calling row as `Emergency`."""
    code = int(rows.emergency[i])
    return code if _CALLING[code] else int(SQUAWK_EMERGENCY[int(rows.squawk[i])])
