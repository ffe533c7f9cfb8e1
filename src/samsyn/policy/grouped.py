"""A table of facts, and its rows grouped by what a policy tells apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from samsyn.base import geo
from samsyn.policy.answers import Answer, Answers
from samsyn.policy.areas import Area
from samsyn.policy.decide import Policy
from samsyn.policy.rules import (
    ANYONE,
    CONFIDENCE_RANK,
    MARKING_REACH,
    ONWARD_RANK,
    RANK,
    Rule,
)
from samsyn.policy.table import Profile, read_profile

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_TABLE_MAX: Final = 1 << 23  # codes up to this are made dense by a table of them, larger ones by sorting
_AT_ONCE: Final = 16  # conditions, so that codes stay far from overflow

_Spread = tuple[tuple[Area, ...] | None, bool, int | None]
"""Conditions that two statements of one profile may answer otherwise: areas, touching, age_max_us."""


class History:
    """A table of facts made ready: profiles numbered, and areas looked up once for every policy."""

    def __init__(self, facts: pl.DataFrame) -> None:
        self._facts = facts
        self.at_us: Ints = facts["at_us"].to_numpy()
        self.profile_of_row, texts = _numbered(facts["profile"].cast(pl.Categorical()))
        self.profiles = [read_profile(text) for text in texts]
        self.table = _table(self.profiles)
        self._areas: dict[tuple[Area, bool], Bools] = {}

    def profile(self, row: int) -> Profile:
        return self.profiles[int(self.profile_of_row[row])]

    def within(self, areas: Iterable[Area], touching: bool) -> Bools:
        """Rows whose place lies in one of the areas, or, if `touching`, has any part in one."""
        found = np.zeros(len(self._facts), dtype=np.bool_)
        for area in areas:
            if (area, touching) not in self._areas:
                self._areas[area, touching] = self._within(area, touching)
            found |= self._areas[area, touching]
        return found

    def _within(self, area: Area, touching: bool) -> Bools:
        if area.box is None:
            return self._touches_cells(area) if touching else self._in_cells(area)
        w, s, e, n = area.box
        west, south, east, north = (pl.col(name) for name in ("west", "south", "east", "north"))
        if touching:
            test = (east >= w) & (west <= e) & (north >= s) & (south <= n)
        else:
            test = (west >= w) & (south >= s) & (east <= e) & (north <= n)
        return self._facts.select(test.fill_null(False)).to_series().to_numpy()

    def _touches_cells(self, area: Area) -> Bools:
        """Points by the cell that they are in or may be in, all else by its cells; unknown: touches."""
        untold = pl.col("west").is_not_null() & pl.col("lat").is_null()
        untold &= pl.col("cells").cast(pl.String()).fill_null("") == ""
        unknown: Bools = self._facts.select(untold).to_series().to_numpy()
        return (
            unknown
            | self._at_points(area)
            | self._by_cells(lambda cells: any(_related(cell, area) for cell in cells))
        )

    def _in_cells(self, area: Area) -> Bools:
        """Points by the cell that they are in, all else by the cells that it names."""
        pointless: Bools = self._facts["lat"].is_null().to_numpy()
        by_cells = self._by_cells(lambda cells: all(_inside(cell, area) for cell in cells))
        return (by_cells & pointless) | self._at_points(area)

    def _at_points(self, area: Area) -> Bools:
        found = np.zeros(len(self._facts), dtype=np.bool_)
        points = self._facts.select("lat", "lon", row=pl.int_range(pl.len())).drop_nulls()
        points = points.filter(_near(area))
        places = points.select("lat", "lon").unique()
        sizes = {geo.resolution(cell) for cell in area.cells}
        inside = [
            any(geo.cell(lat, lon, size) in area.cells for size in sizes)
            for lat, lon in places.iter_rows()
        ]
        hit = points.join(places.filter(pl.Series(inside, dtype=pl.Boolean())), on=["lat", "lon"])
        found[hit["row"].to_numpy()] = True
        return found

    def _by_cells(self, test: Callable[[list[str]], bool]) -> Bools:
        """Rows whose cells, of which there are any, pass."""
        column = self._facts["cells"].cast(pl.Categorical()).fill_null("")
        of_row, texts = _numbered(column)
        passed = [bool(text) and test(text.split()) for text in texts]
        return np.array(passed, dtype=np.bool_)[of_row]


class Grouped:
    """The rows of a history in groups that one policy answers alike: `answers[of_row[n]]`."""

    def __init__(self, policy: Policy, history: History, now_us: int) -> None:
        rules = policy.statement_rules
        spreads = [_spread(rule) for rule in rules]
        asked = list(dict.fromkeys(s for s in spreads if s is not None))
        self.of_row = history.profile_of_row
        groups = [(profile, 0) for profile in range(len(history.profiles))]
        for begin in range(0, len(asked), _AT_ONCE):
            some = asked[begin : begin + _AT_ONCE]
            codes = self.of_row
            for spread in some:
                codes = codes * 2 + _holds(spread, history, now_us)
            self.of_row, found = dense(codes)
            split = [divmod(code, 1 << len(some)) for code in found.tolist()]
            groups = [(groups[n][0], groups[n][1] << len(some) | bits) for n, bits in split]
        held = _asked_of_profiles(rules, history, now_us)
        depends = [sum(1 << n for n, s in enumerate(spreads) if s == spread) for spread in asked]
        answers = Answers(rules, policy.partners, now_us)
        self.answers: list[tuple[Answer, ...]] = []
        for profile, places in groups:
            applying = held[profile]
            for n, rules_of in enumerate(reversed(depends)):
                if not places >> n & 1:
                    applying &= ~rules_of
            self.answers.append(answers.of(history.profiles[profile], applying))


def dense(codes: Ints) -> tuple[Ints, Ints]:
    """Codes (>= 0) as numbers without gaps, and the code of each number."""
    most = int(codes.max(initial=0))
    if most >= _TABLE_MAX:
        found, of_row = np.unique(codes, return_inverse=True)
        return of_row.astype(np.int64), found
    there = np.zeros(most + 1, dtype=np.bool_)
    there[codes] = True
    found = np.flatnonzero(there)
    number = np.zeros(most + 1, dtype=np.int64)
    number[found] = np.arange(len(found))
    return number[codes], found


def _numbered(column: pl.Series) -> tuple[Ints, list[str]]:
    """A categorical column without nulls as numbers, and the text of each number."""
    of_row, codes = dense(column.to_physical().to_numpy().astype(np.int64))
    first = np.zeros(len(codes), dtype=np.int64)
    first[of_row] = np.arange(len(of_row))
    return of_row, column.gather(first).cast(pl.String()).to_list()


def _table(profiles: Sequence[Profile]) -> pl.DataFrame:
    words = ("kind", "originator", "marking", "onward", "subject", "confidence", "detector")
    columns: dict[str, pl.Series] = {
        name: pl.Series([getattr(p, name) for p in profiles], dtype=pl.String()) for name in words
    }
    for name in ("foreign", "exercise"):
        columns[name] = pl.Series([getattr(p, name) for p in profiles], dtype=pl.Boolean())
    tags = pl.List(pl.String())
    return pl.DataFrame({**columns, "tags": pl.Series([list(p.tags) for p in profiles], dtype=tags)})


def _asked_of_profiles(rules: Sequence[Rule], history: History, now_us: int) -> list[int]:
    """Of each profile, as bits, the rules whose conditions on it hold."""
    columns = [_condition(rule, now_us).alias(str(n)) for n, rule in enumerate(rules)]
    held = [0] * len(history.profiles)
    for n, column in enumerate(history.table.select(columns).iter_columns()):
        for profile in column.arg_true().to_list():
            held[profile] |= 1 << n
    return held


def _condition(rule: Rule, now_us: int) -> pl.Expr:
    """All that a rule asks of what statements of one profile share."""
    when = rule.when
    reach = when.marking_max or (None if rule.deny else MARKING_REACH)
    least = when.confidence_min
    tests = [
        pl.lit(rule.until_us is None or now_us < rule.until_us),
        _one_of("kind", rule.kinds),
        _one_of("marking", reach and [m for m, rank in RANK.items() if rank <= RANK[reach]]),
        _one_of(
            "onward",
            rule.onward and [o for o, rank in ONWARD_RANK.items() if rank <= ONWARD_RANK[rule.onward]],
        ),
        _one_of(
            "confidence",
            least and [c for c, rank in CONFIDENCE_RANK.items() if rank >= CONFIDENCE_RANK[least]],
        ),
        _one_of("subject", when.subject),
        _one_of("detector", when.detector),
    ]
    if when.originator is not None and ANYONE not in when.originator:
        tests.append(_one_of("originator", when.originator))
    if when.originator is None and not rule.deny:
        tests.append(~pl.col("foreign"))
    if when.exercise is not None:
        tests.append(pl.col("exercise") == when.exercise)
    if when.tags is not None:
        tests += [
            pl.any_horizontal(
                pl.lit(False), *(pl.col("tags").list.contains(tag) for tag in sorted(when.tags))
            )
        ]
    # of the table's own length also where a policy asks nothing of it
    return pl.all_horizontal(pl.col("foreign").is_not_null(), *tests)


def _one_of(column: str, words: Iterable[str] | str | None) -> pl.Expr:
    """Nulls are never among words; None: not asked."""
    if words is None:
        return pl.lit(True)
    return pl.col(column).is_in(sorted(words)).fill_null(False)


def _spread(rule: Rule) -> _Spread | None:
    when = rule.when
    if when.area is None and when.age_max_us is None:
        return None
    return when.area, rule.deny, when.age_max_us


def _holds(spread: _Spread, history: History, now_us: int) -> Bools:
    areas, touching, age_max_us = spread
    held = np.ones(len(history.at_us), dtype=np.bool_)
    if areas is not None:
        held &= history.within(areas, touching)
    if age_max_us is not None:
        held &= history.at_us >= now_us - age_max_us
    return held


def _near(area: Area) -> pl.Expr:
    """A wide box around an area of cells: points outside need no look."""
    if not area.cells:
        return pl.lit(False)
    ring = [corner for cell in area.cells for corner in geo.cell_ring(cell)]
    lats, lons = [lat for lat, _ in ring], [lon for _, lon in ring]
    south, north, west, east = min(lats), max(lats), min(lons), max(lons)
    if east - west > 90 or max(abs(south), abs(north)) > 75:  # the antimeridian, a pole: look at all
        return pl.lit(True)
    wide = 0.1 + 0.1 * max(north - south, east - west)  # sides are great circles and bulge a little
    return pl.col("lat").is_between(south - wide, north + wide) & pl.col("lon").is_between(
        west - wide, east + wide
    )


def _inside(cell: str, area: Area) -> bool:
    return any(
        geo.parent(cell, size) in area.cells
        for size in {geo.resolution(c) for c in area.cells}
        if size <= geo.resolution(cell)
    )


def _related(cell: str, area: Area) -> bool:
    return _inside(cell, area) or any(
        geo.parent(c, geo.resolution(cell)) == cell
        for c in area.cells
        if geo.resolution(c) > geo.resolution(cell)
    )
