"""`policy.toml` to rules. Whatever is wrong is an error with file, line and rule, at load."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from samsyn.base import geo, limits
from samsyn.base.clock import SECOND_US, parse_iso, parse_span
from samsyn.base.errors import ConfigError
from samsyn.base.ids import EVERYBODY, is_node_name
from samsyn.policy.areas import Area
from samsyn.policy.rules import (
    ADDRESSED,
    ANYONE,
    CONFIDENCE_RANK,
    ONWARD,
    RANK,
    TRACK,
    Rule,
    When,
    hides,
)
from samsyn.policy.sense import faults
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.marking import MARKINGS
from samsyn.subjects import declared
from samsyn.subjects.common import SUBJECTS

_RELEASE_KEYS: Final = (
    "id",
    "why",
    "to",
    "kinds",
    "when",
    "place",
    "time",
    "delay",
    "hide",
    "onward",
    "until",
)
_TRACK_KEYS: Final = ("id", "why", "to", "kinds", "when", "place", "delay", "every", "hide", "until")
_DENY_KEYS: Final = ("id", "why", "to", "kinds", "when", "until")
_WHEN_KEYS: Final = (
    "subject",
    "area",
    "marking_max",
    "confidence_min",
    "detector",
    "originator",
    "exercise",
    "tags",
    "age_max",
)
_TRACK_WHEN_KEYS: Final = ("subject", "area", "marking_max", "exercise", "feed")
_CIRCLE: Final = "circle:"
_HEADER: Final = re.compile(r"^\s*\[\[\s*(rule|deny)\s*\]\]")


class Names:
    """What the rules of one file may name."""

    def __init__(self, partners: Collection[str], kinds: Collection[str]) -> None:
        self.partners = frozenset(partners)
        self.kinds = frozenset(kinds)
        self.circles: dict[str, frozenset[str]] = {}
        self.areas: dict[str, Area] = {}


def read_rules(path: Path, *, partners: Collection[str], kinds: Collection[str]) -> tuple[Rule, ...]:
    """The rules of a policy file, in its order. Raises `ConfigError` (where: file:line and rule)."""
    return parse_rules(read_text(path), path.name, partners=partners, kinds=kinds)


def read_text(path: Path) -> str:
    """A policy file's text. Raises `ConfigError`."""
    try:
        return path.read_bytes().decode("utf-8")  # line ends too: it is known by the hash of its bytes
    except OSError as e:
        raise ConfigError(f"cannot read the policy: {e.strerror}", where=str(path)) from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"this is not TOML: {e}", where=path.name) from e


def parse_rules(
    text: str, name: str, *, partners: Collection[str], kinds: Collection[str]
) -> tuple[Rule, ...]:
    """The rules of a policy's text; `name` stands for it in errors. Raises `ConfigError`."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        found = re.search(r"line (\d+)", str(e))
        where = f"{name}:{found[1]}" if found else name
        raise ConfigError(f"this is not TOML: {e}", where=where) from e
    lines = _Lines(name, text, {table: len(_tables(tree, table, name)) for table in ("rule", "deny")})
    for key in tree:
        if key not in ("circles", "areas", "rule", "deny"):
            raise ConfigError(
                f"unknown key {key!r}", where=lines.top(key), do="use circles, areas, rule, deny"
            )
    names = Names(partners, kinds)
    _read_circles(tree.get("circles", {}), names, lines)
    _read_areas(tree.get("areas", {}), names, lines)
    rules: list[Rule] = []
    places: dict[str, tuple[str, int]] = {}
    for table in ("rule", "deny"):
        for n, raw in enumerate(_tables(tree, table, name)):
            rules.append(_Block(raw, table, n, lines, names).rule())
            where = lines.at(table, n, "id", rules[-1].id)
            if rules[-1].id == ADDRESSED.id:
                raise ConfigError("this id belongs to the built-in rule", where=where)
            if any(r.id == rules[-1].id for r in rules[:-1]):
                raise ConfigError("another rule has this id already", where=where)
            places[rules[-1].id] = table, n
    for fault in faults(rules):
        where = lines.at(*places[fault.rule.id], fault.key, fault.rule.id)
        raise ConfigError(fault.what, where=where, do=fault.do)
    return tuple(rules)


def _tables(tree: Mapping[str, Any], name: str, file: str) -> list[dict[str, Any]]:
    found = tree.get(name, [])
    if not isinstance(found, list) or not all(isinstance(t, dict) for t in found):
        raise ConfigError(f"{name} is no list of rules", where=file, do=f"write [[{name}]]")
    return found


def _read_circles(raw: Any, names: Names, lines: _Lines) -> None:
    if not isinstance(raw, dict):
        raise ConfigError("circles is no table", where=lines.top("circles"), do="write [circles]")
    for circle, members in raw.items():
        where = f"{lines.top(circle)} circle {circle}"
        if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
            raise ConfigError("a circle is a list of partner names", where=where)
        for member in members:
            if member not in names.partners:
                raise ConfigError(f"unknown partner {member!r}", where=where, do=_known(names.partners))
        names.circles[circle] = frozenset(members)


def _read_areas(raw: Any, names: Names, lines: _Lines) -> None:
    if not isinstance(raw, dict):
        raise ConfigError("areas is no table", where=lines.top("areas"), do="write [areas]")
    for name, spec in raw.items():
        where = f"{lines.top(name)} area {name}"
        keys = set(spec) if isinstance(spec, dict) else set()
        if keys == {"bbox"}:
            names.areas[name] = Area(name, _box(spec["bbox"], where), frozenset())
        elif keys == {"cells"}:
            cells = spec["cells"]
            if not (
                isinstance(cells, list)
                and cells
                and all(isinstance(c, str) and geo.is_cell(c) for c in cells)
            ):
                raise ConfigError("cells is a list of H3 cells", where=where)
            names.areas[name] = Area(name, None, frozenset(cells))
        else:
            raise ConfigError(
                "an area is given by bbox or by cells",
                where=where,
                do="write { bbox = [west, south, east, north] } or { cells = [...] }",
            )


def _box(raw: Any, where: str) -> tuple[float, float, float, float]:
    fits = isinstance(raw, list) and len(raw) == 4
    if fits and all(isinstance(v, int | float) and not isinstance(v, bool) for v in raw):
        w, s, e, n = (float(v) for v in raw)
        if -180 <= w < e <= 180 and -90 <= s < n <= 90:
            return w, s, e, n
    raise ConfigError("this is no box", where=where, do="write [west, south, east, north] in degrees")


def _known(names: Collection[str]) -> str:
    return "known: " + (", ".join(sorted(names)) or "none")


class _Lines:
    """Where in the file a rule and its keys stand (tomllib keeps no lines)."""

    def __init__(self, file: str, text: str, counts: Mapping[str, int]) -> None:
        self._file = file
        self._text = text.splitlines()
        self._starts: dict[str, list[int]] = {"rule": [], "deny": []}
        quote = ""
        for number, line in enumerate(self._text, start=1):
            if not quote and (found := _HEADER.match(line)):
                self._starts[found[1]].append(number)
            for mark in ('"""', "'''"):
                if quote in ("", mark) and line.count(mark) % 2:
                    quote = "" if quote else mark
        # rules written in another way than [[rule]]: then no line is better than a wrong one
        self._sure = all(len(self._starts[name]) == count for name, count in counts.items())
        self._ends = sorted(n for starts in self._starts.values() for n in starts)

    def start(self, table: str, n: int) -> int:
        """Line of the header of the nth rule of its table; 0 where it is not known."""
        return self._starts[table][n] if self._sure else 0

    def at(self, table: str, n: int, key: str, rule_id: str) -> str:
        """`policy.toml:12 rule sea-alerts`, the line being the key's own where it can be found."""
        name = f"{table} {rule_id}".rstrip()
        start = self.start(table, n)
        if not start:
            return f"{self._file} {name}"
        end = next((e for e in self._ends if e > start), len(self._text) + 1)
        return f"{self._file}:{self._key(key, start, end) or start} {name}"

    def top(self, key: str) -> str:
        line = self._key(key, 1, len(self._text) + 1)
        return f"{self._file}:{line}" if line else self._file

    def _key(self, key: str, start: int, end: int) -> int:
        found = re.compile(
            rf"""^\s*(\[+\s*)?["']?{re.escape(key)}["']?\s*[=\].]|[{{,]\s*{re.escape(key)}\s*="""
        )
        return next((n for n in range(start, end) if found.search(self._text[n - 1])), 0)


class _Block:
    """One [[rule]] or [[deny]] while it is being read."""

    def __init__(self, raw: dict[str, Any], table: str, n: int, lines: _Lines, names: Names) -> None:
        self._raw = raw
        self._table = table
        self._n = n
        self._lines = lines
        self._names = names

    def rule(self) -> Rule:
        deny = self._table == "deny"
        when = self._raw.get("when", {})
        if not isinstance(when, dict):
            raise self._wrong("when", "when is no table", "write when = { ... }")
        kinds = self._kinds(deny, when)
        of_tracks = kinds == {TRACK}
        allowed = _DENY_KEYS if deny else _TRACK_KEYS if of_tracks else _RELEASE_KEYS
        for key in self._raw:
            if key not in allowed:
                raise self._wrong(key, f"unknown key {key!r}", "use " + ", ".join(allowed))
        conditions = _TRACK_WHEN_KEYS if of_tracks else _WHEN_KEYS
        for key in when:
            if key not in conditions:
                raise self._wrong(key, f"unknown condition {key!r}", "use " + ", ".join(conditions))
        readers, named, circled = self._to(deny)
        if EVERYBODY in readers and not deny and when.get("marking_max") != MARKINGS[0]:
            raise self._wrong(
                "to",
                f"{EVERYBODY} is everybody, who may have {MARKINGS[0]} only",
                f'write marking_max = "{MARKINGS[0]}" in when, or name readers',
            )
        return Rule(
            id=self._text("id"),
            why=self._text("why"),
            deny=deny,
            readers=readers,
            named=named,
            circled=circled,
            kinds=kinds,
            when=self._when(when, kinds),
            place=self._one_of("place", self._raw, PLACE_RUNGS),
            time=self._one_of("time", self._raw, TIME_RUNGS),
            delay_us=self._delay(of_tracks),
            hide=self._hide(kinds),
            onward=self._one_of("onward", self._raw, ONWARD),
            until_us=self._until(),
            every_us=self._span("every", self._raw) or 0,
            line=self._lines.start(self._table, self._n),
        )

    def _wrong(self, key: str, what: str, do: str = "") -> ConfigError:
        rule_id = self._raw.get("id", "")
        where = self._lines.at(self._table, self._n, key, rule_id if isinstance(rule_id, str) else "")
        return ConfigError(what, where=where, do=do)

    def _text(self, key: str) -> str:
        value = self._raw.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, f"{key} is missing", f'every rule says {key} = "..."')
        return value.strip()

    def _list(self, key: str, table: Mapping[str, Any]) -> list[str]:
        """A list of words; one word alone stands for a list of one."""
        value = table[key]
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self._wrong(key, f"{key} is a list of words")
        return value

    def _to(self, deny: bool) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Readers; those named one by one; those reached through circles."""
        if "to" not in self._raw:
            if deny:  # a denial that names nobody means everybody
                return self._names.partners, frozenset(), frozenset()
            raise self._wrong("to", "to is missing", 'write to = ["partner", "circle:name"]')
        named: set[str] = set()
        circled: set[str] = set()
        for word in self._list("to", self._raw):
            if word.startswith(_CIRCLE):
                circle = word.removeprefix(_CIRCLE)
                if circle not in self._names.circles:
                    raise self._wrong("to", f"unknown circle {circle!r}", _known(self._names.circles))
                circled |= self._names.circles[circle]
            elif word in self._names.partners:
                named.add(word)
            else:
                raise self._wrong("to", f"unknown partner {word!r}", _known(self._names.partners))
        return frozenset(circled | named), frozenset(named), frozenset(circled)

    def _kinds(self, deny: bool, when: Mapping[str, Any]) -> frozenset[str]:
        if "kinds" not in self._raw and deny:  # everything, and tracks too if they have what it asks of
            every = ANYONE in self._list("originator", when) if "originator" in when else True
            of_tracks = every and set(when) <= {*_TRACK_WHEN_KEYS, "originator"}
            return self._names.kinds | {TRACK} if of_tracks else self._names.kinds
        kinds = frozenset(self._list("kinds", self._raw)) if "kinds" in self._raw else frozenset()
        known = self._names.kinds | {TRACK}
        for kind in sorted(kinds - known):
            raise self._wrong("kinds", f"unknown kind {kind!r}", _known(known))
        if not kinds:
            raise self._wrong("kinds", "a rule without kinds never matches", _known(known))
        if TRACK in kinds and len(kinds) > 1:
            raise self._wrong(
                "kinds",
                "a rule speaks of tracks or of statements, not of both",
                "write two rules, each with an id of its own",
            )
        return kinds

    def _hide(self, kinds: frozenset[str]) -> tuple[str, ...]:
        words = tuple(self._list("hide", self._raw)) if "hide" in self._raw else ()
        slots = {slot for kind in kinds for slot in declared(kind)}
        if kinds == {TRACK}:  # `place` makes a place coarse, and with it what would tell it
            slots = {slot for slot in slots if not slot.startswith("place.")}
        for word in words:
            if not any(hides(word, slot) for slot in slots):
                raise self._wrong("hide", f"no slot of these kinds is called {word!r}", _known(slots))
        return words

    def _one_of(self, key: str, table: Mapping[str, Any], words: Collection[str]) -> str | None:
        if key not in table:
            return None
        value = table[key]
        if not isinstance(value, str) or value not in words:
            raise self._wrong(key, f"{value!r} is no {key}", "use " + ", ".join(words))
        return value

    def _span(self, key: str, table: Mapping[str, Any]) -> int | None:
        if key not in table:
            return None
        try:
            return parse_span(str(table[key]))
        except ValueError as e:
            raise self._wrong(key, str(e)) from e

    def _delay(self, of_tracks: bool) -> int:
        delay_us = self._span("delay", self._raw) or 0
        if of_tracks and delay_us > limits.TRACK_DELAY_S * SECOND_US:
            hours = limits.TRACK_DELAY_S // 3600
            raise self._wrong("delay", f"tracks can be delayed by {hours} h at most")
        return delay_us

    def _until(self) -> int | None:
        """A date holds to its end (UTC); an instant to that instant."""
        value = self._raw.get("until")
        if value is None:
            return None
        if isinstance(value, datetime) and value.tzinfo is not None:
            return parse_iso(value.isoformat())
        if isinstance(value, date) and not isinstance(value, datetime):
            if value == date.max:  # there is no day after it
                return None
            day_after = datetime(value.year, value.month, value.day, tzinfo=UTC) + timedelta(days=1)
            return parse_iso(day_after.isoformat())
        raise self._wrong("until", "until is no date", "write 2027-12-31 or 2027-12-31T12:00:00Z")

    def _when(self, raw: Mapping[str, Any], kinds: frozenset[str]) -> When:
        def words(key: str) -> frozenset[str] | None:
            return frozenset(self._list(key, raw)) if key in raw else None

        subject, detector, originator = words("subject"), words("detector"), words("originator")
        for word in sorted((subject or frozenset()) - set(SUBJECTS)):
            raise self._wrong("subject", f"unknown subject {word!r}", _known(SUBJECTS))
        if detector is not None and not any("body.detector" in declared(kind) for kind in kinds):
            raise self._wrong("detector", "no statement of these kinds has a detector: never matches")
        for word in sorted(originator or ()):
            if not is_node_name(word) and word != ANYONE:
                raise self._wrong("originator", f"{word!r} is no node name", 'or write "*" for any')
        areas = [self._area(name) for name in sorted(words("area") or ())]
        exercise = raw.get("exercise")
        if not isinstance(exercise, bool | None):
            raise self._wrong("exercise", "exercise is true or false")
        return When(
            subject=subject,
            area=tuple(areas) if "area" in raw else None,
            marking_max=self._one_of("marking_max", raw, RANK),
            confidence_min=self._one_of("confidence_min", raw, CONFIDENCE_RANK),
            detector=detector,
            originator=originator,
            feed=words("feed"),
            exercise=exercise,
            tags=words("tags"),
            age_max_us=self._span("age_max", raw),
        )

    def _area(self, name: str) -> Area:
        if name not in self._names.areas:
            raise self._wrong("area", f"unknown area {name!r}", _known(self._names.areas))
        return self._names.areas[name]
