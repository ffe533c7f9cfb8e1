"""Facts, rules and histories for tests of the policy: by hand, and generated."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import msgspec
from hypothesis import strategies as st

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US
from samsyn.policy import Cap, Facts, Passing
from samsyn.policy.areas import Area, Place
from samsyn.policy.rules import ONWARD, Rule, When
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.marking import MARKINGS
from samsyn.subjects.common import CONFIDENCES

T = TypeVar("T")

READERS = ("fi", "no", "se")
KINDS_SAID = ("alert", "report", "request")
NOW_US = 20_000 * DAY_US
BALTIC = Area("baltic", (9.0, 53.0, 31.0, 66.0), frozenset())
NORTH = Area("north", (0.0, 60.0, 40.0, 80.0), frozenset())
CELLS = Area("cells", None, frozenset(["831f23fffffffff"]))
FINE = Area("fine", None, frozenset(["831f23fffffffff", "871f2a6cdffffff"]))

SLOTS = frozenset(
    [
        *(f"place.{rung}" for rung in PLACE_RUNGS),
        *(f"time.{rung}" for rung in TIME_RUNGS),
        *("title", "text", "author", "body.detector", "body.measured", "body.start", "body.zone"),
    ]
)


def facts(**more: object) -> Facts:
    base = Facts(
        kind="alert",
        originator="dk",
        marking="TLP:AMBER",
        onward="ask",
        exercise=True,
        at_us=NOW_US,
        slots=SLOTS,
        subject="sea",
        place=Place((15.0, 55.0, 15.0, 55.0), ("871f2a6cdffffff",), (55.0, 15.0)),
        confidence="medium",
        detector="drift",
        tags=frozenset(["cable"]),
        foreign=False,
    )
    return msgspec.structs.replace(base, **more)


def rule(**more: object) -> Rule:
    fields: dict[str, object] = {
        "id": "r",
        "why": "w",
        "deny": False,
        "readers": frozenset(READERS),
        "named": frozenset(READERS),
        "kinds": frozenset(["alert"]),
        "place": "area",
        "time": "hour",
    }
    return Rule(**{**fields, **more})  # type: ignore[arg-type]


# --- generated


WIDE = When(originator=frozenset(["*"]), marking_max="TLP:RED")


def make_rule(chance: random.Random) -> Rule:
    """Any rule, of few values, so that many speak of the same statements."""
    readers = _some(chance, READERS, 0.7)
    named = _some(chance, readers)
    deny = chance.random() < 0.15
    return Rule(
        id=f"r{chance.randrange(1 << 60)}",
        why="w",
        deny=deny,
        readers=readers,
        named=named,
        circled=(readers - named) | _some(chance, named),
        kinds=_some(chance, KINDS_SAID, 0.7) or frozenset(["alert"]),
        when=chance.choice([make_when(chance), When(), WIDE, in_one_area(chance)]),
        place=chance.choice([None, *PLACE_RUNGS]),
        time=chance.choice([None, *TIME_RUNGS]),
        delay_us=chance.choice([0, MINUTE_US, MINUTE_US, HOUR_US, DAY_US]),
        hide=tuple(_some(chance, ["author", "body", "text", "place.exact"], 0.2)),
        onward=chance.choice([None, None, None, None, *ONWARD]),
        until_us=chance.choice([None, None, None, NOW_US - 1, NOW_US, NOW_US + DAY_US]),
    )


def in_one_area(chance: random.Random) -> When:
    return msgspec.structs.replace(WIDE, area=(chance.choice([BALTIC, NORTH, CELLS, FINE]),))


def make_when(chance: random.Random) -> When:
    def perhaps(words: Sequence[str]) -> frozenset[str] | None:
        return _some(chance, words, 0.6) if chance.random() < 0.3 else None

    return When(
        subject=perhaps(["sea", "air", "cyber"]),
        area=chance.choice([None, None, (BALTIC,), (NORTH,), (CELLS,), (FINE,), (BALTIC, CELLS), ()]),
        marking_max=chance.choice([None, *MARKINGS]),
        confidence_min=chance.choice([None, None, *CONFIDENCES]),
        detector=perhaps(["drift", "silence"]),
        originator=perhaps(["dk", "se", "*"]),
        exercise=chance.choice([None, None, True, False]),
        tags=perhaps(["cable", "night"]),
        age_max_us=chance.choice([None, None, 0, HOUR_US, DAY_US]),
    )


def make_facts(chance: random.Random) -> Facts:
    return Facts(
        kind=chance.choice([*KINDS_SAID, *KINDS_SAID[:2], "unheard-of"]),
        originator=chance.choice(["dk", "se"]),
        marking=chance.choice([*MARKINGS, "TLP:UNKNOWN"]),
        onward=chance.choice([*ONWARD, "perhaps"]),
        exercise=chance.random() < 0.5,
        at_us=chance.choice([NOW_US, NOW_US, NOW_US - MINUTE_US, NOW_US - DAY_US - 1]),
        slots=_some(chance, [*sorted(SLOTS), "body.later", "body.to"], chance.choice([0.3, 0.9])),
        subject=chance.choice([None, "sea", "air"]),
        place=chance.choice(PLACES),
        confidence=chance.choice([None, *CONFIDENCES, "sure"]),
        detector=chance.choice([None, "drift", "silence"]),
        tags=_some(chance, ["cable", "night"]),
        foreign=chance.random() < 0.3,
        addressees=_some(chance, [*READERS, "stranger"]),
        passing=make_passing(chance) if chance.random() < 0.6 else None,
    )


def make_passing(chance: random.Random) -> Passing:
    caps = [
        Cap(
            chance.choice([*READERS, "stranger"]),
            chance.choice([None, *PLACE_RUNGS]),
            chance.choice([None, *TIME_RUNGS]),
            chance.choice([None, None, NOW_US, NOW_US + 1, NOW_US + DAY_US]),
        )
        for _ in range(chance.randrange(4))
    ]
    readers = _some(chance, READERS) if chance.random() < 0.5 else None
    return Passing(readers, chance.random() < 0.3, tuple(caps))


def _some(chance: random.Random, words: Collection[str], share: float = 0.5) -> frozenset[str]:
    return frozenset(w for w in sorted(words) if chance.random() < share)


PLACES = [
    None,
    Place((15.0, 55.0, 15.0, 55.0), ("871f2a6cdffffff",), (55.0, 15.0)),
    Place((15.0, 55.0, 35.0, 61.0), ("871f2a6cdffffff", "871f230e8ffffff"), None),
    Place((-150.0, 10.0, -150.0, 10.0), (), None),
    Place((15.0, 55.0, 15.0, 55.0), (), (55.0, 15.0)),
    Place((12.0, 56.0, 12.0, 56.0), ("831f23fffffffff",), (56.0, 12.0)),
    Place((11.0, 55.0, 13.0, 57.0), ("831f23fffffffff",), None),
    Place((15.0, 55.0, 15.0, 55.0), ("871f230e8ffffff",), (55.0, 15.0)),  # H3 does not nest exactly
]
NOWS = [NOW_US, NOW_US + MINUTE_US, NOW_US + HOUR_US]


def _seeded(make: Callable[[random.Random], T]) -> st.SearchStrategy[T]:
    return st.integers(0, 1 << 30).map(lambda seed: make(random.Random(seed)))


rules_ = _seeded(make_rule)
statements = _seeded(make_facts)
nows = st.sampled_from(NOWS)
