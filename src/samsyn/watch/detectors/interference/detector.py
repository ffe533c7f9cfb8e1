"""Interference: craft by craft, and cell by cell with the counts behind.

A craft is judged by what it says of its own position: an aircraft by its accuracy category and by
whether it still gives a position while it flies, a ship by whether its reports still hold one. Only
craft that were well before can lose it, so an old receiver that is always poor raises nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US
from samsyn.base.geo import cell_centre
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_text
from samsyn.tracks.arrays import Array, SlotArrays, lasts, trues
from samsyn.tracks.table import ABSENT_U8
from samsyn.watch.definition import Definition
from samsyn.watch.detectors.interference.counts import DEGRADED, LOST, POOR, WELL, Cell, Counts, figures
from samsyn.watch.finding import Finding
from samsyn.watch.recent import Recent
from samsyn.watch.situation import PlaceSituation, Situation
from samsyn.watch.step import NEVER_US, Step
from samsyn.watch.tally import Tally
from samsyn.watch.zones import Zone

# AIS messages that hold a position (ITU-R M.1371): without one, the ship has none to give
_POSITION_TYPES = np.isin(np.arange(256), (1, 2, 3, 18, 19, 27))
# Where a message says its type, only ADS-B's own (Mode S 17 and 18) tell whether a position is missing
_ADSB_TYPES = np.isin(np.arange(256), (17, 18, ABSENT_U8))
_EVER: Final = NEVER_US // 2  # subtracting from it does not overflow


class _Loss(Situation):
    """A craft that was well and is not. worst: of the states that it was in."""

    worst = DEGRADED


class Detector:
    """Follows craft that lose their position, and counts them by cell and hour."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        self._value = definition.values(*definition.thresholds)
        self._counts = Counts()
        self._hour = -1
        self._open: dict[int, _Loss] = {}
        self._ill: set[int] = set()  # slots of those that are not well
        self._cells: dict[tuple[int, int], PlaceSituation] = {}
        self._tallies: list[Tally] = []
        self._feeds: list[str] = []
        self._craft = SlotArrays(
            {
                "well_us": (np.int64, _EVER),  # when it last gave a good position
                "since_us": (np.int64, NEVER_US),  # since when it does not; NEVER_US: it does
                "bad": (np.int32, 0),  # reports since then
                "better_us": (np.int64, NEVER_US),  # since when it does again
                "state": (np.int8, WELL),
                "placed_us": (np.int64, _EVER),  # when it last sent a position, read by us or not
                "counted_us": (np.int64, _EVER),
                "known": (np.bool_, False),  # has said how good its position is
                "nac_p": (np.uint8, ABSENT_U8),
            }
        )

    def step(self, step: Step) -> list[Finding]:
        found: list[Finding] = []
        hour = (step.end_us - 1) // HOUR_US
        if hour != self._hour:
            found = self._end_of_hour(step)
            self._hour = hour
        if not len(step.rows):
            return found
        self._craft.reserve(len(step.known))
        self._feeds = step.known.feeds
        found += self._judge(step)
        found += self._count(step)
        return found + self._lost(step)

    def tallies(self) -> list[Tally]:
        """Counts of the cells that changed since the last call."""
        found, self._tallies = self._tallies + self._told(), []
        return found

    # craft by craft

    def _judge(self, step: Step) -> list[Finding]:
        rows, craft = step.rows, self._craft
        told, missing = rows.nac_p != ABSENT_U8, np.isnan(rows.claimed_lat)
        if not self._ill and not np.count_nonzero(told) and not np.count_nonzero(missing):
            craft["well_us"][rows.slot] = craft["placed_us"][rows.slot] = rows.time_us
            return []
        air = step.known.is_air(rows.slot)
        flies = air & (rows.on_ground != 1)
        says = flies & told
        low = says & (rows.nac_p <= self._value["nac_p_up"])
        good = says & (rows.nac_p >= self._value["nac_p_down"])
        missing &= np.where(
            air,
            flies & (rows.speed_kn >= self._value["airborne_kn"]) & _ADSB_TYPES[rows.message_type],
            _POSITION_TYPES[rows.message_type] & step.known.state["ship"][rows.slot],
        )
        sent = air & (rows.nic > 0) & (rows.nic != ABSENT_U8) | ~np.isnan(rows.claimed_lat)
        craft["placed_us"][rows.slot[sent]] = rows.time_us[sent]
        if np.count_nonzero(says):
            craft["known"][rows.slot[says]] = True
            craft["nac_p"][rows.slot[says]] = rows.nac_p[says]
        # a ship's position is good if it is there; so is that of an aircraft that never says how good
        placed = ~np.isnan(rows.lat) & (~air | ~craft["known"][rows.slot])
        good |= placed
        bad = low | missing
        if not np.count_nonzero(bad):
            craft["well_us"][rows.slot[good]] = rows.time_us[good]
            if not self._ill:
                return []
        return self._follow(step, good, bad, low)

    def _follow(self, step: Step, good: Array, bad: Array, low: Array) -> list[Finding]:
        """Craft of which something is or was bad, one by one, row by row."""
        craft, rows = self._craft, step.rows
        doubtful = bad | (craft["since_us"][rows.slot] != NEVER_US)
        rest = good & ~doubtful
        craft["well_us"][rows.slot[rest]] = rows.time_us[rest]
        found = []
        for i in trues((good | bad) & _of(rows.slot, doubtful)).tolist():
            slot, time_us = int(rows.slot[i]), int(rows.time_us[i])
            if bad[i]:
                found += self._bad(step, i, slot, time_us, LOST if not low[i] else DEGRADED)
            else:
                found += self._good(step, i, slot, time_us)
        return found

    def _bad(self, step: Step, i: int, slot: int, time_us: int, state: int) -> list[Finding]:
        craft, value = self._craft, self._value
        well = craft["well_us"][slot] != _EVER
        if not well:
            if state == DEGRADED:
                craft["state"][slot] = POOR
            return []
        if state == LOST and step.known.state["fix_us"][slot] == NEVER_US:
            return []
        if state == LOST and time_us - int(craft["placed_us"][slot]) < value["lost_s"] * SECOND_US:
            return []  # between two positions others are told: speed alone says nothing yet
        if craft["since_us"][slot] == NEVER_US:
            craft["since_us"][slot], craft["bad"][slot] = time_us, 0
            self._ill.add(slot)
        craft["bad"][slot] += 1
        craft["better_us"][slot] = NEVER_US
        since_us = int(craft["since_us"][slot])
        if craft["bad"][slot] < value["reports"] or time_us - since_us < value["held_s"] * SECOND_US:
            return []
        craft["state"][slot] = max(state, int(craft["state"][slot]))
        here = self._open.get(slot)
        if here is None and len(self._open) >= limits.CRAFT_FOLLOWED:
            return []
        if here is None:
            here = self._open[slot] = _Loss(
                self._definition, step, step.rows, i, lead_up=self._recent.rows(slot), start_us=since_us
            )
            place = step.known.state
            if here.place is None and not np.isnan(place["lat"][slot]):
                here.place = (round(float(place["lat"][slot]), 6), round(float(place["lon"][slot]), 6))
        else:
            here.observe(step, step.rows, i)
        here.worst = max(here.worst, state)
        if time_us - since_us < value["told_s"] * SECOND_US:
            return []  # its cell counts it already
        if here.raised and time_us - here.written_us < value["update_s"] * SECOND_US:
            return []
        return [self._write(here, time_us)]

    def _good(self, step: Step, i: int, slot: int, time_us: int) -> list[Finding]:
        craft = self._craft
        if craft["better_us"][slot] == NEVER_US:
            craft["better_us"][slot] = time_us
        if time_us - craft["better_us"][slot] < self._value["ended_s"] * SECOND_US:
            return []
        end_us = int(craft["better_us"][slot])
        self._ill.discard(slot)
        craft["since_us"][slot] = craft["better_us"][slot] = NEVER_US
        craft["well_us"][slot], craft["state"][slot] = time_us, WELL
        here = self._open.pop(slot, None)
        if here is None or not here.raised:
            return []
        here.observe(step, step.rows, i)
        return [self._write(here, time_us, "recovered", end_us)]

    def _lost(self, step: Step) -> list[Finding]:
        found = []
        for slot, here in list(self._open.items()):
            lost_s = self._value["gone_air_s" if step.known.flies(slot) else "gone_sea_s"]
            if step.end_us - here.arrived_us > lost_s * SECOND_US:
                del self._open[slot]
                self._ill.discard(slot)
                self._craft["since_us"][slot] = NEVER_US
                self._craft["state"][slot] = WELL
                if here.raised:
                    at_us = here.arrived_us
                    found.append(self._write(here, step.end_us, "no-longer-heard", at_us))
        return found

    def _write(
        self, here: _Loss, at_us: int, because: str | None = None, end_us: int | None = None
    ) -> Finding:
        craft, slot = self._craft, here.slot
        lost = here.worst == LOST
        measured = {
            "duration_s": ((end_us or at_us) - here.start_us) / SECOND_US,
            "reports": float(craft["bad"][slot]),
            "position_lost": float(lost),
        }
        thresholds = {"reports": self._value["reports"], "duration_s": self._value["told_s"]}
        if craft["nac_p"][slot] != ABSENT_U8:
            measured["nac_p"] = float(craft["nac_p"][slot])
            thresholds["nac_p_max"] = self._value["nac_p_up"]
        air = here.domain == "air"
        return here.write(
            "open" if because is None else "closed",
            at_us,
            measured=measured,
            thresholds=thresholds,
            known_errors=("own-receiver", "reception" if lost else "manoeuvre")
            if air
            else ("own-receiver", "antenna"),
            because=because,
            end_us=end_us,
        )

    # cell by cell

    def _count(self, step: Step) -> list[Finding]:
        craft, rows = self._craft, step.rows
        last = lasts(rows.slot)
        slot = rows.slot[last]
        due = step.end_us - craft["counted_us"][slot] >= MINUTE_US
        if self._ill:
            due |= craft["state"][slot] != WELL
        if not np.count_nonzero(due):
            return []
        last, slot = last[due], slot[due]
        craft["counted_us"][slot] = step.end_us
        air = step.known.is_air(slot)
        judged = np.where(air, craft["known"][slot], step.known.state["ship"][slot])
        judged |= craft["state"][slot] != WELL
        judged &= rows.on_ground[last] != 1
        found = []
        for domain, some in ((DOMAIN_AIR, judged & air), (DOMAIN_SEA, judged & ~air)):
            at = last[some]
            if not len(at):
                continue
            where, feed, state = rows.slot[at], rows.feed[at], craft["state"][rows.slot[at]]
            cells = step.cells(where)
            for k, cell in self._counts.add(where, cells, feed, state, domain):
                if state[k] > POOR:
                    cell.rows.append(self._shown(step, int(at[k]), int(state[k])))
                    found += self._weigh(step, cell)
        return found

    def _shown(self, step: Step, i: int, state: int) -> dict[str, Any]:
        """A craft's row as the evidence of a cell."""
        slot = int(step.rows.slot[i])
        place = step.known.state
        return {
            "time_us": int(step.rows.time_us[i]),
            "craft": craft_text(int(step.known.index.keys[slot])),
            "lat": round(float(place["lat"][slot]), 6),
            "lon": round(float(place["lon"][slot]), 6),
            "lost": state == LOST,
        }

    def _weigh(self, step: Step, cell: Cell) -> list[Finding]:
        """A cell in which one more craft is not well."""
        measured = self._measured(cell)
        value = self._value
        if measured["not_well"] < value["cell_least"] or measured["share"] < value["share_high"]:
            return []
        key = (cell.number, cell.domain)
        here = self._cells.get(key)
        if here is None:
            name = f"{cell.number:x}"
            here = self._cells[key] = PlaceSituation(
                self._definition,
                domain="air" if cell.domain == DOMAIN_AIR else "sea",
                start_us=cell.rows[0]["time_us"],
                place=cell_centre(name),
                cell=name,
            )
        here.seen(step.known.feeds, cell.heard, exercise=bool(step.rows.exercise[0] == 1))
        here.add(cell.rows)
        cell.rows = []
        if here.raised and step.end_us - here.written_us < value["update_s"] * SECOND_US:
            return []
        return [self._write_cell(here, step.end_us, measured)]

    def _measured(self, cell: Cell) -> dict[str, float]:
        counted = figures(cell.craft())
        not_well = counted["degraded"] + counted["lost"]
        return {**counted, "not_well": not_well, "share": not_well / max(counted["craft"], 1.0)}

    def _write_cell(
        self, here: PlaceSituation, at_us: int, measured: dict[str, float], because: str | None = None
    ) -> Finding:
        thresholds = {"not_well": self._value["cell_least"], "share": self._value["share_high"]}
        return here.write(
            at_us,
            measured=measured,
            thresholds=thresholds,
            known_errors=("few-craft", "position-of-jammed"),
            because=because,
        )

    def _end_of_hour(self, step: Step) -> list[Finding]:
        """Closes the cells that are well again, and begins to count anew."""
        found = []
        for key, here in list(self._cells.items()):
            cell = self._counts.cells.get(key)
            measured = (
                self._measured(cell) if cell else dict.fromkeys(("craft", "share", "not_well"), 0.0)
            )
            if measured["share"] >= self._value["share_high"] and measured["not_well"]:
                continue
            del self._cells[key]
            because = "well-again" if measured["craft"] else "no-longer-heard"
            found.append(self._write_cell(here, step.end_us, measured, because))
        self._tallies += self._told()
        self._counts.clear()
        return found

    def _told(self) -> list[Tally]:
        return [
            Tally(
                layer="interference",
                begin_us=self._hour * HOUR_US,
                place=f"{cell.number:x}",
                domain="air" if cell.domain == DOMAIN_AIR else "sea",
                feed=self._feeds[feed],
                figures=figures(craft),
            )
            for cell in self._counts.changed()
            for feed, craft in sorted(cell.heard.items())
        ]


def _of(slot: Array, some: Array) -> Array:
    """Which rows are of a craft that has one of `some`."""
    found: Array = np.isin(slot, np.unique(slot[some]))
    return found
