"""Live tracks under the policy: the same rules as for statements, whole columns at once.

- Of a rule's conditions, those that hang on feed, subject and marking alone are the same for all rows
  of one feed and domain: `conditions.misses` itself answers them, once. The area is asked of every
  row, here; a property test holds this to `misses` on each row alone.
- A [[deny]] that applies to a row beats every rule. Of rules that apply to the same state of a craft
  the columns join (`Rule.slots`): the finest place that one of them allows, and what moves only where
  a rule allows the exact place.
- Rules of different delays, and different feeds, show different states of one craft. What moves is
  taken whole from one of them: the finest place first, then the newest; what stands is joined.
- A state is taken no oftener than a craft needs to cross a cell of the rung (`least_every_us`): the
  moment at which it changes cells would else tell where on the border it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from samsyn.base import geo, limits
from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA
from samsyn.policy.areas import Area
from samsyn.policy.conditions import misses
from samsyn.policy.rules import Facts, Rule
from samsyn.statements.ladder import RESOLUTIONS
from samsyn.subjects import track
from samsyn.tracks.arrays import Array
from samsyn.tracks.released import COLUMNS, MOVING, NO_CODE, NO_CRAFT, RUNGS, nothing
from samsyn.tracks.state import FINEST_CELLS, TrackState

Mask = npt.NDArray[np.bool_]

STEP_US: Final = limits.FRAME_EVERY_S * SECOND_US
SUBJECTS: Final = {DOMAIN_SEA: "sea", DOMAIN_AIR: "air"}

# Mean edge of a cell (H3: 1.4, 9.9 and 69 km at resolutions 7, 5 and 3) at 12 and at 450 knots.
_LEAST_EVERY_US: Final = {
    (DOMAIN_SEA, "spot"): 5 * MINUTE_US,
    (DOMAIN_SEA, "area"): 30 * MINUTE_US,
    (DOMAIN_SEA, "region"): 3 * HOUR_US,
    (DOMAIN_AIR, "spot"): 10 * SECOND_US,
    (DOMAIN_AIR, "area"): MINUTE_US,
    (DOMAIN_AIR, "region"): 5 * MINUTE_US,
}
_STATES_IN_A_DELAY: Final = 8  # past states kept of a delay: what bounds them
_BIT: Final = {slot: 1 << n for n, slot in enumerate(sorted(track.FIELDS))}
_PLAIN: Final = tuple(n for n in COLUMNS if n not in ("domain", "place", "lat", "lon", "heard_s"))


class Lag(NamedTuple):
    """Which past a rule shows: states taken every so often, none younger than the delay."""

    delay_us: int
    every_us: int


def least_every_us(rung: str | None, domain: int) -> int:
    """How often a state may be taken at most, for a rung of place; None: no place at all."""
    return STEP_US if rung == "exact" else _LEAST_EVERY_US[domain, rung or "region"]


def lag_of(rule: Rule, domain: int) -> Lag:
    """What `rule` shows of craft of a domain, in whole steps of the frames."""
    every_us = max(
        rule.every_us, least_every_us(rule.place, domain), rule.delay_us // _STATES_IN_A_DELAY
    )
    return Lag(rule.delay_us, -(-every_us // STEP_US) * STEP_US)


class _Ready(NamedTuple):
    """A rule, the part of it that is the same for all rows of a feed and domain, and its columns."""

    rule: Rule
    of_feed: Rule
    bits: int


class TrackFilter:
    """The track rules of a policy, made ready."""

    def __init__(
        self, rules: Sequence[Rule], *, node: str, exercise: bool, marking: Callable[[str], str | None]
    ) -> None:
        """`marking`: that of a feed by name; None for one that is not known, of which nothing leaves."""
        self._node = node
        self._exercise = exercise
        self._marking = marking
        ready = [_ready(rule) for rule in rules if track.NAME in rule.kinds]
        self._denials = [r for r in ready if r.rule.deny]
        self._releases = [
            r for r in ready if not r.rule.deny and r.rule.delay_us <= limits.TRACK_DELAY_S * SECOND_US
        ]

    def lags(self, reader: str) -> frozenset[Lag]:
        """All pasts that some rule shows to `reader`."""
        mine = [r.rule for r in self._releases if reader in r.rule.readers]
        return frozenset(lag_of(rule, domain) for rule in mine for domain in SUBJECTS)

    def cut(
        self, reader: str, states: Callable[[Lag], Sequence[TrackState]], now_us: int
    ) -> pl.DataFrame:
        """What `reader` may have, one row a craft, as `tracks.released` has it.

        states: one state a feed, as a lag shows it. The order of the rows hangs on their values alone.
        """
        mine = [r for r in self._releases if reader in r.rule.readers]
        parts = []
        for domain in SUBJECTS:
            for lag in sorted({lag_of(r.rule, domain) for r in mine}):
                rules = [r for r in mine if lag_of(r.rule, domain) == lag]
                for state in states(lag):
                    part = self._part(reader, rules, state, domain, now_us)
                    if part is not None:
                        parts.append(part)
        return _ordered(_joined(parts)) if parts else nothing()

    def _part(
        self, reader: str, rules: Sequence[_Ready], state: TrackState, domain: int, now_us: int
    ) -> pl.DataFrame | None:
        """What of one state leaves; `key` beside the columns is the craft even where that is hidden."""
        rows = (state.domain == domain) & (state.columns["exercise"] == int(self._exercise))
        applies = self._of_feed(reader, state.feed, domain, now_us)
        if applies is None or not rows.any():
            return None
        for denial in filter(applies, self._denials):
            rows &= ~_holds(denial.rule, state)
        bits = np.zeros(len(state), np.uint32)
        given = np.zeros(len(state), np.bool_)
        for rule in filter(applies, rules):
            here = rows & _holds(rule.rule, state)
            bits[here] |= np.uint32(rule.bits)
            given |= here
        at = np.flatnonzero(given)
        return _cut(state, at, bits[at], domain) if len(at) else None

    def _of_feed(
        self, reader: str, feed: str, domain: int, now_us: int
    ) -> Callable[[_Ready], bool] | None:
        marking = self._marking(feed)
        if marking is None:
            return None
        facts = Facts(
            kind=track.NAME,
            originator=self._node,
            marking=marking,
            onward="no",
            exercise=self._exercise,
            at_us=now_us,
            slots=track.FIELDS,
            subject=SUBJECTS[domain],
            feed=feed,
            foreign=False,
        )
        return lambda ready: not misses(ready.of_feed, facts, reader, now_us)


def _ready(rule: Rule) -> _Ready:
    bits = sum(_BIT[slot] for slot in rule.slots(track.NAME, track.FIELDS))
    anywhere = msgspec.structs.replace(rule.when, area=None)
    return _Ready(rule, msgspec.structs.replace(rule, when=anywhere), bits)


def _holds(rule: Rule, state: TrackState) -> Mask:
    """For each row whether the one condition holds that is its own: the area."""
    if rule.when.area is None:
        return np.ones(len(state), np.bool_)
    inside = np.zeros(len(state), np.bool_)
    for area in rule.when.area:
        inside |= _within(area, state, rule.deny)
    return inside


def _within(area: Area, state: TrackState, touching: bool) -> Mask:
    """`Area.holds` and `Area.touches` for places that are points with a cell of the finest rung."""
    if area.box is not None:
        west, south, east, north = area.box
        lat, lon = state.columns["lat"], state.columns["lon"]
        inside: Mask = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
        return inside
    found = _among(area.cells, state.cells, len(state))
    if touching:  # H3 is not exactly nested: a point may lie in one cell and descend from another
        rungs = [
            c if geo.resolution(c) <= FINEST_CELLS else geo.parent(c, FINEST_CELLS) for c in area.cells
        ]
        found |= _among(rungs, state.parents, len(state))
    return found


def _among(cells: Iterable[str], of_rows: Callable[[int], geo.Cells], count: int) -> Mask:
    """For each row whether its cell, at the size of one of `cells`, is that one."""
    by_resolution: dict[int, list[int]] = {}
    for cell in cells:
        by_resolution.setdefault(geo.resolution(cell), []).append(int(cell, 16))
    found = np.zeros(count, np.bool_)
    for resolution, numbers in by_resolution.items():
        found |= np.isin(of_rows(resolution), np.array(numbers, np.uint64))
    return found


def _cut(
    state: TrackState, at: npt.NDArray[np.int64], bits: npt.NDArray[np.uint32], domain: int
) -> pl.DataFrame:
    """The rows `at`, of each the columns that its bits let out; what a bit holds back is absent."""
    rung = np.zeros(len(at), np.uint8)
    for code, name in enumerate(RUNGS, 1):
        rung[_has(bits, f"place.{name}")] = code
    lat, lon = state.columns["lat"][at] + 0.0, state.columns["lon"][at] + 0.0  # + 0.0: no minus zero
    heard_us = state.columns["position_us"][at]
    for code, told in enumerate((None, *RUNGS)):
        rows = rung == code
        if told == "exact" or not rows.any():
            continue
        every_us = least_every_us(told, domain)
        heard_us[rows] = heard_us[rows] // every_us * every_us
        if told is None:
            lat[rows] = lon[rows] = np.nan
        else:
            lat[rows], lon[rows] = geo.centres(state.parents(RESOLUTIONS[told])[at[rows]])
    made: dict[str, Array | pl.Series] = {
        "key": state.columns["craft"][at],
        "domain": np.full(len(at), domain, np.uint8),
        "place": rung,
        "lat": lat,
        "lon": lon,
        "heard_s": heard_us // SECOND_US,
    }
    for name in _PLAIN:
        column, kept = COLUMNS[name], _has(bits, name)
        values = _values(state, name)
        if isinstance(values, pl.Series):
            taken = values.gather(at)
            made[name] = taken.zip_with(pl.Series(kept), pl.Series([""], dtype=pl.String))
        else:
            made[name] = np.where(kept, values[at], values.dtype.type(column.absent))
    return pl.DataFrame(made)


def _has(bits: npt.NDArray[np.uint32], slot: str) -> Mask:
    has: Mask = (bits & np.uint32(_BIT[slot])) != 0
    return has


def _values(state: TrackState, name: str) -> Array | pl.Series:
    """A column of the state as it may leave: one spelling of absence, nothing out of its range."""
    column = COLUMNS[name]
    if column.dtype == pl.String:
        return state.texts(name)
    if name == "implausible":
        marked: Array = (state.columns["marks"] != 0).astype(np.uint8)
        return marked
    values = state.columns[name]
    if name == "on_ground":
        return np.where(values < 0, NO_CODE, values).astype(np.uint8)
    with np.errstate(invalid="ignore"):
        right = (values >= column.least) & (values <= column.most)
    made: Array = np.where(right, values + values.dtype.type(0), values.dtype.type(column.absent))
    return made


def _joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row a craft. Ties are broken by what is released, never by what is not."""
    rows = pl.concat(parts)
    if len(parts) == 1 or rows["key"].n_unique() == rows.height:
        return rows
    first = ["place", "heard_s"]
    rest = [name for name in COLUMNS if name not in first]
    rows = rows.sort(
        ["key", *first, *rest],
        descending=[False, True, True, *(False for _ in rest)],
        maintain_order=True,
    )
    standing = [
        pl.col(name).filter(pl.col(name) != column.absent).first().fill_null(column.absent)
        for name, column in COLUMNS.items()
        if name not in MOVING and column.absent is not None
    ]
    return rows.group_by("key", maintain_order=True).agg(
        pl.col("domain").first(), *(pl.col(name).first() for name in MOVING), *standing
    )


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """By craft; those of which it is hidden by all that is left of them. The newest, if too many."""
    names = list(COLUMNS)
    hidden = rows["craft"] == NO_CRAFT
    shown = rows.filter(~hidden).sort("key").select(names)
    made = pl.concat([rows.filter(hidden).select(names).sort(names), shown])
    if made.height > limits.FRAME_TRACKS:
        newest = made.with_row_index("n").sort("heard_s", descending=True, maintain_order=True)
        made = newest.head(limits.FRAME_TRACKS).sort("n").select(names)
    return made.rechunk()
