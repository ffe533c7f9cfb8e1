"""How long does a preview of a million statements take, and how many are decided a second?

Twenty rules and denials for ten partners, with areas by box and by cells, delays and ages. A preview
holds two such policies against each other on a table of facts in memory, every place another. The live
path decides lists of facts for all ten partners at once. Beside them Cedar, on the same rules and facts:
one request a statement and partner, yes or no, where ours also says which slots leave and when.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

import msgspec
import numpy as np
import polars as pl

from bench.measure import Row, rate, seconds
from samsyn.base import geo
from samsyn.base.clock import DAY_US
from samsyn.policy import Facts, Policy, frame
from samsyn.policy.areas import Place
from samsyn.policy.load import parse_rules
from samsyn.subjects import KINDS, declared
from tests.policy import cedar

COUNT = 1_000_000
LIVE = 20_000
ASKED = 400  # of Cedar, for each partner
READERS = tuple(f"r{i}" for i in range(10))
NOW_US = 1_800_000_000_000_000

_HEAD = """\
[circles]
near = ["r0", "r1", "r2", "r3"]
far = ["r4", "r5", "r6", "r7", "r8"]
[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }
sound = { bbox = [11.5, 55.0, 13.5, 56.5] }
coast = { cells = ["831f23fffffffff", "831f0cfffffffff", "831f2afffffffff"] }
"""
_WHENS = (
    '{ subject = "sea", area = "baltic" }',
    '{ subject = "sea", area = "sound", marking_max = "TLP:AMBER+STRICT" }',
    '{ area = "coast", confidence_min = "medium" }',
    '{ subject = "air", age_max = "30d" }',
    '{ tags = ["cable"], marking_max = "TLP:GREEN" }',
    '{ detector = ["drift", "silence"], area = ["baltic", "coast"] }',
)
_HIDDEN = tuple(combinations(("author", "sources", "text", "tags", "summary", "refs", "confidence"), 2))
_RUNGS = (("exact", "exact"), ("area", "hour"), ("region", "day"), ("spot", "hour"))


def rows() -> Iterator[Row]:
    """Seconds of a preview; statements and decisions a second, beside Cedar's."""
    old, new = _policy(0), _policy(1)
    table = _table()
    corpus = (
        f"{COUNT:,} statements, {len(READERS)} partners, {len(old.rules)} and {len(new.rules)} rules"
    )
    yield Row("preview", seconds(lambda: frame.preview(old, new, table, NOW_US)), "s", corpus)
    said = _facts(LIVE)
    corpus = f"{LIVE:,} statements, {len(READERS)} partners, {len(old.rules)} rules"

    def live() -> int:
        for begin in range(0, LIVE, 64):
            old.decide_many(said[begin : begin + 64], NOW_US)
        return LIVE

    ours = rate(live)
    yield Row("decided for ten partners, live path", ours, "statements/s", corpus)
    few = said[:ASKED]
    boxes = Policy([rule for rule in old.rules if cedar.can_say(rule)], READERS)
    policies = cedar.told(boxes)
    asked = [cedar.request(one, reader, None, NOW_US) for one in few for reader in READERS]

    def theirs() -> int:
        return len(cedar.answers(policies, asked))

    corpus = f"{len(few)} statements, {len(READERS)} partners, {len(boxes.rules)} rules without cells"
    cedars = rate(theirs)
    yield Row("Cedar, in batches", cedars, "decisions/s", corpus)
    same = rate(lambda: len(boxes.decide_many(few, NOW_US)) * len(READERS))
    yield Row("live path, the same", same, "decisions/s", corpus, "Cedar, in batches", same / cedars)
    explained = rate(lambda: sum(1 for one in few for r in READERS if boxes.decide(one, r, NOW_US)))
    yield Row(
        "explained path, the same",
        explained,
        "decisions/s",
        corpus,
        "Cedar, in batches",
        explained / cedars,
    )


def _policy(seed: int) -> Policy:
    """A policy as it stands in a file; `seed` 1 is one with some of its rules changed."""
    text = _HEAD
    for n in range(18):
        place, time = _RUNGS[(n + seed * (n % 5 == 0)) % 4]
        to = ('"circle:near"', '"circle:far"', f'"r{n % 10}", "r9"')[n % 3]
        hide = _HIDDEN[n]
        when = _WHENS[(n + seed * (n % 7 == 0)) % 6]
        text += (
            f'[[rule]]\nid = "rule-{n}"\nwhy = "agreement {n}"\nto = [{to}]\n'
            f'kinds = ["alert", "report"]\nwhen = {when}\n'
            f'place = "{place}"\ntime = "{time}"\ndelay = "{n % 4 * 10}m"\n'
            f'hide = ["{hide[0]}", "{hide[1]}"]\n'
        )
    text += '[[deny]]\nid = "never"\nwhy = "kept"\nwhen = { tags = ["kept"] }\n'
    text += '[[deny]]\nid = "not-air"\nwhy = "sea only"\nto = ["r8"]\nwhen = { subject = "air" }\n'
    kinds = {"alert": KINDS["alert"], "report": KINDS["report"]}
    return Policy(parse_rules(text, "policy.toml", partners=READERS, kinds=kinds), READERS)


def _facts(count: int) -> list[Facts]:
    chance = random.Random(1)
    profiles = [_profile(chance) for _ in range(1_000)]
    cells = _cells(chance)
    made = []
    for _ in range(count):
        lat, lon, cell = chance.choice(cells)
        place = Place((lon, lat, lon, lat), (cell,), (lat, lon))
        at_us = NOW_US - chance.randrange(90 * DAY_US)
        made.append(msgspec.structs.replace(chance.choice(profiles), place=place, at_us=at_us))
    return made


def _profile(chance: random.Random) -> Facts:
    """What statements share: of each kind with and without some slots, as their authors leave them."""
    kind = chance.choice(["alert", "report"])
    left_out = chance.choice([(), ("summary",), ("sources",), ("author", "tags"), ("place.exact",)])
    return Facts(
        kind=kind,
        originator="dk",
        marking=chance.choice(["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]),
        onward=chance.choice(["no", "ask", "circle", "free"]),
        exercise=False,
        at_us=0,
        slots=frozenset(declared(kind) - set(left_out)),
        subject=chance.choice(["sea", "air"]),
        confidence=chance.choice(["low", "medium", "high"]),
        detector=chance.choice(["drift", "silence", "emergency"]) if kind == "alert" else None,
        tags=frozenset(chance.sample(["cable", "night", "kept", "port"], chance.randrange(3))),
        foreign=False,
    )


def _cells(chance: random.Random) -> list[tuple[float, float, str]]:
    points = [(chance.uniform(53, 66), chance.uniform(5, 31)) for _ in range(20_000)]
    return [(lat, lon, geo.cell(lat, lon, 7)) for lat, lon in points]


def _table() -> pl.DataFrame:
    """The columns made at once: a million statements one by one would take longer than all else here."""
    chance = random.Random(2)
    profiles = [frame.fact_row("", 1, 0, _profile(chance))[4] for _ in range(1_000)]
    cells = [cell for _, _, cell in _cells(chance)]
    made = np.random.default_rng(3)
    lat, lon = made.uniform(53, 66, COUNT), made.uniform(5, 31, COUNT)
    return pl.DataFrame(
        {
            "jti": pl.int_range(COUNT, eager=True).cast(pl.String()),
            "ver": np.ones(COUNT, dtype=np.int64),
            "id": np.arange(COUNT),
            "at_us": NOW_US - made.integers(0, 90 * DAY_US, COUNT),
            "profile": pl.Series(profiles).gather(made.integers(0, len(profiles), COUNT)),
            "west": lon,
            "south": lat,
            "east": lon,
            "north": lat,
            "lat": lat,
            "lon": lon,
            "cells": pl.Series(cells).gather(made.integers(0, len(cells), COUNT)),
        },
        schema=frame.FACT_SCHEMA,
    )
