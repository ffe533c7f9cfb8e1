"""Pairs of aircraft under the civil minimum, now or within a minute.

All aircraft are brought to one moment by their own speed and course, at the end of each step. Those
that are near each other there, or will be, are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.base.geo import KNOT_M_S, METRES_PER_NM, distance_m
from samsyn.observations.craft import DOMAIN_AIR
from samsyn.observations.plausible import Mark
from samsyn.tracks.arrays import Array, SlotArrays, trues
from samsyn.tracks.table import ABSENT_U16
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding
from samsyn.watch.near import close_pairs
from samsyn.watch.recent import Recent
from samsyn.watch.situation import Situation
from samsyn.watch.step import NEVER_US, Rows, Step, absent
from samsyn.watch.zones import METRES_PER_DEGREE, Zone

_EVER: Final = NEVER_US // 2  # subtracting from it does not overflow
ODD_M: Final = 500.0  # what clocks and coarse positions explain of a way between two steps
Pair = tuple[int, int]  # slots, the lower craft key first


class _Meeting(Situation):
    """A pair that is under the minimum, or will be."""

    range_nm = 0.0  # now
    vertical_ft = 0.0
    range_nm_min = np.inf  # at its closest
    vertical_ft_then = 0.0
    closing_kn = 0.0
    under_us = 0  # since when under the minimum; 0: not yet
    last_us = 0  # when last
    steps = 0
    ahead_s = 0.0
    together = False
    second = 0  # slot of the other


class Detector:
    """Follows pairs of aircraft in flight."""

    def __init__(self, definition: Definition, zones: Sequence[Zone], recent: Recent) -> None:
        self._definition = definition
        self._recent = recent
        self._value = definition.values(*definition.thresholds)
        self._meetings: dict[Pair, _Meeting] = {}
        self._craft = SlotArrays(
            {
                "time_us": (np.int64, _EVER),
                "lat": (np.float64, np.nan),
                "lon": (np.float64, np.nan),
                "altitude_ft": (np.float32, np.nan),
                "speed_kn": (np.float32, np.nan),
                "course_deg": (np.float32, np.nan),
                "vertical_rate_fpm": (np.float32, np.nan),
                "squawk": (np.uint16, ABSENT_U16),
                "on_ground": (np.int8, -1),
                "feed": (np.int16, -1),
                "exercise": (np.int8, -1),
                "doubted_us": (np.int64, _EVER),  # when its positions last could not be believed
            }
        )
        self._ahead = False

    def step(self, step: Step) -> list[Finding]:
        if DOMAIN_AIR not in step.known.domains:
            return []
        slot = step.fixes.slot[step.last]
        air = step.known.is_air(slot)
        if not self._meetings and not air.any():
            return []
        self._take(step, step.last[air])
        near = self._near(step)
        found = [finding for pair in self._with_room(near) for finding in self._meet(step, pair)]
        return found + self._part(step)

    # where everybody is

    def _take(self, step: Step, at: Array) -> None:
        """The latest that each aircraft said. Speed, course and level may come in other rows than
        positions."""
        craft, fixes, rows = self._craft, step.fixes, step.rows
        craft.reserve(len(step.known))
        air = step.known.is_air(rows.slot)
        if not air.all():
            rows = rows.pick(air)
        for name in ("speed_kn", "course_deg", "vertical_rate_fpm", "altitude_ft"):
            column = getattr(rows, name)
            said = column == column
            craft[name][rows.slot[said]] = column[said]
        for name, nothing in (("squawk", ABSENT_U16), ("on_ground", -1)):
            column = getattr(rows, name)
            said = column != nothing
            craft[name][rows.slot[said]] = column[said]
        jumped = (rows.marks & Mark.JUMP) != 0
        if jumped.any():
            craft["doubted_us"][rows.slot[jumped]] = rows.time_us[jumped]
        slot = fixes.slot[at]
        self._compare(slot, fixes.time_us[at], fixes.lat[at], fixes.lon[at])
        for name in ("time_us", "lat", "lon", "feed", "exercise"):
            craft[name][slot] = getattr(fixes, name)[at]

    def _compare(self, slot: Array, time_us: Array, lat: Array, lon: Array) -> None:
        """Doubts positions that have not moved on as far as the speed says."""
        craft = self._craft
        between_s = (time_us - craft["time_us"][slot]) / SECOND_US
        way_m = METRES_PER_DEGREE * np.hypot(
            lat - craft["lat"][slot],
            ((lon - craft["lon"][slot] + 180) % 360 - 180) * np.cos(np.radians(lat)),
        )
        due_m = craft["speed_kn"][slot] * KNOT_M_S * between_s
        odd = (np.abs(way_m - due_m) > 0.5 * due_m + ODD_M) & (between_s < 60)
        craft["doubted_us"][slot[odd]] = time_us[odd]

    def _near(self, step: Step) -> Array:
        """Pairs under the minimum now or a while ahead, a row each: two slots, the lower craft key
        first."""
        craft, value, end_us = self._craft, self._value, step.end_us
        live = trues(craft["time_us"] >= end_us - int(value["stale_s"]) * SECOND_US)
        judged = (craft["altitude_ft"][live] >= value["floor_ft"]) & (craft["on_ground"][live] != 1)
        judged &= craft["speed_kn"][live] >= value["speed_min_kn"]
        judged &= craft["doubted_us"][live] < end_us - value["doubted_s"] * SECOND_US
        slot = live[judged]
        found = [np.empty((0, 2), np.int64)]
        if len(slot) < 2:
            return found[0]
        here = self._at(slot, end_us)
        self._ahead = not self._ahead  # every other step is soon enough for what is ahead
        looks = [(value["ahead_s"], value["ahead_share"]), (0.0, 1.0)]
        for ahead_s, share in looks if self._ahead else looks[1:]:
            lat, lon, level = here[:3] if not ahead_s else _on(here, ahead_s)
            reach_m = (value["range_nm"] - value["range_error_nm"]) * METRES_PER_NM * share
            pairs = close_pairs(lat, lon, reach_m)
            if not len(pairs.first):
                continue
            one, two = slot[pairs.first], slot[pairs.second]
            apart_ft = np.abs(level[pairs.first] - level[pairs.second])
            close = apart_ft < (value["vertical_ft"] - value["level_error_ft"]) * share
            low = np.minimum(level[pairs.first], level[pairs.second]) < value["terminal_ft"]
            minimum_m = (value["terminal_nm"] - value["range_error_nm"]) * METRES_PER_NM
            close &= ~low | (pairs.distance_m < minimum_m * share)
            if ahead_s:
                close &= self._level(one) & self._level(two)
            found.append(np.column_stack(step.known.by_number(one[close], two[close])))
        return np.concatenate(found)

    def _with_room(self, near: Array) -> list[Pair]:
        """Each pair once, in the order found. Of aircraft that are near many others at once no pair is
        taken up, and no more than there is room for: a crowd at one place hides no pair elsewhere."""
        near = near[np.sort(np.unique(_numbers(near), return_index=True)[1])]
        if len(near) > limits.AIRCRAFT_TOGETHER:
            followed = np.array(list(self._meetings), np.int64).reshape(-1, 2)
            known = np.isin(_numbers(near), _numbers(followed))
            crowd = np.bincount(near.ravel())[near].max(axis=1)
            new = trues(~known & (crowd <= limits.AIRCRAFT_TOGETHER))
            known[new[: max(limits.SITUATIONS_FOLLOWED - len(self._meetings), 0)]] = True
            near = near[known]
        return [(one, two) for one, two in near.tolist()]

    def _at(self, slot: Array, end_us: int) -> tuple[Array, Array, Array, Array, Array, Array]:
        """Where aircraft are at the end of the step, straight on: lat, lon, level in ft; and how much
        of each they make in a second."""
        craft = self._craft
        on_s = (end_us - craft["time_us"][slot]) / SECOND_US
        speed = craft["speed_kn"][slot].astype(np.float64) * (KNOT_M_S / METRES_PER_DEGREE)
        course = np.radians(craft["course_deg"][slot].astype(np.float64))
        lat = craft["lat"][slot]
        north, east = speed * np.cos(course), speed * np.sin(course) / np.cos(np.radians(lat))
        climb_fpm = craft["vertical_rate_fpm"][slot].astype(np.float64)
        climb = np.where(np.isnan(climb_fpm), 0.0, climb_fpm) / 60
        level = craft["altitude_ft"][slot] + climb * on_s
        return lat + north * on_s, craft["lon"][slot] + east * on_s, level, north, east, climb

    def _level(self, slot: Array) -> Array:
        """Craft in level flight: who climbs or descends will level off at nobody knows where."""
        found: Array = np.abs(self._craft["vertical_rate_fpm"][slot]) <= self._value["level_flight_fpm"]
        return found

    # pairs

    def _meet(self, step: Step, pair: Pair) -> Iterator[Finding]:
        """One pair that is near, or will be."""
        range_nm, vertical_ft, closing_kn = self._apart(step, pair)
        under = self._under(pair, range_nm, vertical_ft)
        here = self._meetings.get(pair)
        rows = self._rows(pair[0])
        more = self._beside(pair, range_nm, vertical_ft)
        if here is None:
            here = self._meetings[pair] = _Meeting(
                self._definition, step, rows, 0, lead_up=self._recent.rows(pair[0]), other=pair[1]
            )
            here.second = pair[1]
            # whoever comes from afar was seen between the minimum and this; these two were not
            here.together = (
                range_nm < self._value["formation_nm"] and closing_kn < self._value["formation_kn"]
            )
        here.observe(step, rows, 0, **more)
        here.steps += 1
        here.range_nm, here.vertical_ft, here.closing_kn = range_nm, vertical_ft, closing_kn
        if under:
            here.under_us = here.under_us or step.end_us
            here.last_us = step.end_us
            here.ahead_s = 0.0
            if range_nm < here.range_nm_min:
                here.range_nm_min, here.vertical_ft_then = range_nm, vertical_ft
        elif not here.under_us:
            here.ahead_s = self._value["ahead_s"]
            here.last_us = step.end_us
        new = not here.raised or (under and here.under_us == step.end_us)
        due = step.end_us - here.written_us >= self._value["update_s"] * SECOND_US
        if here.together or here.steps < self._value["steps"] or not (new or due):
            return
        yield self._write(here, step.end_us)

    def _apart(self, step: Step, pair: Pair) -> tuple[float, float, float]:
        """Now: NM, ft, and kn at which the way between them shrinks (negative: grows)."""
        slot = np.array(pair)
        here = self._at(slot, step.end_us)
        lat, lon, level = here[:3]
        then_lat, then_lon, _ = _on(here, 10.0)
        now_m = float(distance_m(lat[0], lon[0], lat[1], lon[1]))
        then_m = float(distance_m(then_lat[0], then_lon[0], then_lat[1], then_lon[1]))
        closing_kn = (now_m - then_m) / 10 / KNOT_M_S
        return now_m / METRES_PER_NM, float(abs(level[0] - level[1])), closing_kn

    def _under(self, pair: Pair, range_nm: float, vertical_ft: float) -> bool:
        value = self._value
        low = min(float(self._craft["altitude_ft"][slot]) for slot in pair) < value["terminal_ft"]
        minimum_nm = value["terminal_nm" if low else "range_nm"] - value["range_error_nm"]
        return range_nm < minimum_nm and vertical_ft < value["vertical_ft"] - value["level_error_ft"]

    def _rows(self, slot: int) -> Rows:
        """The latest of one aircraft, as a row."""
        craft = self._craft
        names = set(craft.names())
        return Rows(
            np.array([slot]),
            lambda name: craft[name][slot : slot + 1] if name in names else absent(name, 1),
        )

    def _beside(self, pair: Pair, range_nm: float, vertical_ft: float) -> dict[str, Any]:
        """The second aircraft, in the first one's row."""
        craft, other = self._craft, pair[1]
        return {
            "other_lat": round(float(craft["lat"][other]), 6),
            "other_lon": round(float(craft["lon"][other]), 6),
            "other_altitude_ft": round(float(craft["altitude_ft"][other])),
            "range_nm": round(range_nm, 2),
            "vertical_ft": round(vertical_ft),
        }

    def _part(self, step: Step) -> list[Finding]:
        """Closes pairs that are apart again, or of whom one is not heard any more."""
        found = []
        for pair, here in list(self._meetings.items()):
            if here.last_us == step.end_us:
                continue
            live = min(int(self._craft["time_us"][slot]) for slot in pair)
            gone = step.end_us - live > MINUTE_US
            apart = step.end_us - here.last_us > self._value["ended_s"] * SECOND_US
            if gone or apart:
                del self._meetings[pair]
                if here.raised:
                    because = "apart" if not gone else "no-longer-heard"
                    found.append(self._write(here, step.end_us, because if here.under_us else "passed"))
        return found

    def _write(self, here: _Meeting, at_us: int, because: str | None = None) -> Finding:
        value, craft = self._value, self._craft
        under = here.under_us != 0
        measured = {
            "range_nm": here.range_nm_min if under else here.range_nm,
            "vertical_ft": here.vertical_ft_then if under else here.vertical_ft,
            "closing_kn": here.closing_kn,
            "under_s": (here.last_us - here.under_us) / SECOND_US if under else 0.0,
        }
        if not under:
            measured["ahead_s"] = here.ahead_s
        other = here.second
        for name, slot in (("squawk", here.slot), ("other_squawk", other)):
            if craft["squawk"][slot] != ABSENT_U16:
                measured[name] = float(craft["squawk"][slot])
        low = (
            min(float(craft["altitude_ft"][slot]) for slot in (here.slot, other)) < value["terminal_ft"]
        )
        return here.write(
            "open" if because is None else "closed",
            at_us,
            measured=measured,
            thresholds={
                "range_nm": value["terminal_nm" if low else "range_nm"] - value["range_error_nm"],
                "vertical_ft": value["vertical_ft"] - value["level_error_ft"],
                **({} if under else {"ahead_s": value["ahead_s"]}),
            },
            known_errors=("visual", "military", "position-claimed", *(() if under else ("turns",))),
            because=because,
            end_us=None if because is None else here.last_us,
        )


def _numbers(pairs: Array) -> Array:
    """One number for each pair of slots."""
    found: Array = (pairs[:, 0] << 32) | pairs[:, 1]
    return found


def _on(here: tuple[Array, ...], seconds: float) -> tuple[Array, Array, Array]:
    """Lat, lon and level so long after `Detector._at`."""
    lat, lon, level, north, east, climb = here
    return lat + north * seconds, lon + east * seconds, level + climb * seconds
