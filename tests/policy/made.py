"""Facts, rules and histories for tests of the policy: by hand, and generated."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US
from samsyn.policy import Cap, Facts, Passing
from samsyn.policy.areas import Area, Place
from samsyn.policy.rules import ONWARD, Rule, When
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.marking import MARKINGS

READERS = ("fi", "no", "se")
KINDS_SAID = ("alert", "report", "request")
NOW_US = 20_000 * DAY_US
BALTIC = Area("baltic", (9.0, 53.0, 31.0, 66.0), frozenset())
NORTH = Area("north", (0.0, 60.0, 40.0, 80.0), frozenset())
CELLS = Area("cells", None, frozenset(["831f05fffffffff"]))

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
        place=Place((15.0, 55.0, 15.0, 55.0), ("871f05000ffffff",), (55.0, 15.0)),
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

_subset = st.sets(st.sampled_from(READERS)).map(frozenset)
_maybe_words = lambda *words: st.none() | st.sets(st.sampled_from(words)).map(frozenset)  # noqa: E731

whens = st.builds(
    When,
    subject=_maybe_words("sea", "air", "cyber"),
    area=st.none() | st.lists(st.sampled_from([BALTIC, NORTH, CELLS]), max_size=2).map(tuple),
    marking_max=st.none() | st.sampled_from(MARKINGS),
    confidence_min=st.none() | st.sampled_from(["low", "medium", "high"]),
    detector=_maybe_words("drift", "silence"),
    originator=_maybe_words("dk", "se", "*"),
    exercise=st.none() | st.booleans(),
    tags=_maybe_words("cable", "night"),
    age_max_us=st.none() | st.sampled_from([0, HOUR_US, DAY_US]),
)


@st.composite
def rules_(draw: st.DrawFn) -> Rule:
    readers = draw(_subset)
    deny = draw(st.sampled_from([False, False, False, True]))
    named = frozenset(r for r in readers if draw(st.booleans()))
    return Rule(
        id=draw(st.uuids()).hex,
        why="w",
        deny=deny,
        readers=readers,
        named=named,
        circled=(readers - named) | frozenset(r for r in named if draw(st.booleans())),
        kinds=frozenset(draw(st.sets(st.sampled_from(KINDS_SAID), min_size=1))),
        when=draw(st.just(When()) | whens),
        place=draw(st.none() | st.sampled_from(PLACE_RUNGS)),
        time=draw(st.none() | st.sampled_from(TIME_RUNGS)),
        delay_us=draw(st.sampled_from([0, 0, MINUTE_US, HOUR_US])),
        hide=tuple(
            draw(st.lists(st.sampled_from(["author", "body", "text", "place.exact"]), max_size=2))
        ),
        onward=draw(st.none() | st.sampled_from(ONWARD)),
        until_us=draw(st.none() | st.sampled_from([NOW_US - 1, NOW_US, NOW_US + DAY_US])),
    )


_rungs = st.tuples(st.none() | st.sampled_from(PLACE_RUNGS), st.none() | st.sampled_from(TIME_RUNGS))
caps = st.builds(
    lambda reader, rungs, until_us: Cap(reader, *rungs, until_us),
    st.sampled_from([*READERS, "stranger"]),
    _rungs,
    st.none() | st.sampled_from([NOW_US, NOW_US + 1, NOW_US + DAY_US]),
)
passings = st.none() | st.builds(
    Passing,
    readers=st.none() | _subset,
    circles_only=st.booleans(),
    caps=st.lists(caps, max_size=3).map(tuple),
)
places = st.none() | st.sampled_from(
    [
        Place((15.0, 55.0, 15.0, 55.0), ("871f05000ffffff",), (55.0, 15.0)),
        Place((15.0, 55.0, 35.0, 61.0), ("871f05000ffffff", "871f1c000ffffff"), None),
        Place((-150.0, 10.0, -150.0, 10.0), (), None),
    ]
)
statements = st.builds(
    Facts,
    kind=st.sampled_from([*KINDS_SAID, "unheard-of"]),
    originator=st.sampled_from(["dk", "se"]),
    marking=st.sampled_from([*MARKINGS, "TLP:UNKNOWN"]),
    onward=st.sampled_from([*ONWARD, "perhaps"]),
    exercise=st.booleans(),
    at_us=st.sampled_from([NOW_US, NOW_US - MINUTE_US, NOW_US - DAY_US - 1]),
    slots=st.sets(st.sampled_from([*sorted(SLOTS), "body.later"])).map(frozenset),
    subject=st.sampled_from([None, "sea", "air"]),
    place=places,
    confidence=st.sampled_from([None, "low", "medium", "high", "sure"]),
    detector=st.sampled_from([None, "drift", "silence"]),
    tags=st.sets(st.sampled_from(["cable", "night"])).map(frozenset),
    foreign=st.booleans(),
    addressees=st.frozensets(st.sampled_from([*READERS, "stranger"])),
    passing=passings,
)
nows = st.sampled_from([NOW_US, NOW_US + MINUTE_US, NOW_US + HOUR_US])
